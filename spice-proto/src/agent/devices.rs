//! The guest's devices: pointer, monitors, graphics devices, sound.

use bytes::Bytes;

use super::MessageType;
use crate::device_address::DeviceAddress;
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, flags, named, record, wire_newtype};

flags! {
    /// Buttons that are held down (`VD_AGENT_*BUTTON_MASK`).
    pub struct AgentButtons: u32 {
        /// The left one.
        const LEFT = 2;
        /// The middle one.
        const MIDDLE = 4;
        /// The right one.
        const RIGHT = 8;
        /// The wheel, up.
        const UP = 16;
        /// The wheel, down.
        const DOWN = 32;
        /// The side button.
        const SIDE = 64;
        /// The extra button.
        const EXTRA = 128;
    }
}

record! {
    /// Where the pointer is (`VDAgentMouseState`).
    #[derive(Copy, Eq)]
    pub struct MouseState {
        /// Pixels from the left of the display.
        pub x: u32,
        /// Pixels from its top.
        pub y: u32,
        /// What is held down.
        pub buttons: AgentButtons,
        /// Which display.
        pub display_id: u8,
    }
}

flags! {
    /// What a [`MonitorsConfig`] says (`VD_AGENT_CONFIG_MONITORS_FLAG_*`).
    pub struct MonitorsFlags: u32 {
        /// The monitors' places are meant.
        const USE_POS = 1;
        /// The monitors' physical sizes are there.
        const PHYSICAL_SIZE = 2;
    }
}

record! {
    /// A monitor's physical size (`VDAgentMonitorMM`); all 0 where nothing is known.
    #[derive(Copy, Eq, Default)]
    pub struct PhysicalSize {
        /// Millimetres.
        pub height: u16,
        /// Millimetres.
        pub width: u16,
    }
}

/// One monitor (`VDAgentMonConfig`). Width and height of 0 stand for one that is off; that takes an agent with
/// [`SPARSE_MONITORS_CONFIG`](super::AgentCap::SPARSE_MONITORS_CONFIG).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Monitor {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Bits of a pixel.
    pub depth: u32,
    /// Pixels from the left of the desktop.
    pub x: i32,
    /// Pixels from its top.
    pub y: i32,
    /// On the wire only with [`MonitorsFlags::PHYSICAL_SIZE`].
    pub physical_size: PhysicalSize,
}

/// How the guest is to arrange its monitors (`VDAgentMonitorsConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorsConfig {
    /// What is said about them.
    pub flags: MonitorsFlags,
    /// All of them, in the order of their numbers.
    pub monitors: Vec<Monitor>,
}

/// A monitor's part that is always on the wire.
impl Wire for Monitor {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, height) = field("height", body, input)?;
        let (input, width) = field("width", body, input)?;
        let (input, depth) = field("depth", body, input)?;
        let (input, x) = field("x", body, input)?;
        let (input, y) = field("y", body, input)?;
        Ok((input, Self { height, width, depth, x, y, physical_size: PhysicalSize::default() }))
    }

    fn put(&self, writer: &mut Writer) {
        self.height.put(writer);
        self.width.put(writer);
        self.depth.put(writer);
        self.x.put(writer);
        self.y.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            height: Wire::arbitrary(source)?,
            width: Wire::arbitrary(source)?,
            depth: Wire::arbitrary(source)?,
            x: Wire::arbitrary(source)?,
            y: Wire::arbitrary(source)?,
            physical_size: PhysicalSize::default(),
        })
    }
}

impl Wire for MonitorsConfig {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u32>("num_of_monitors", body, input)?;
        let (input, flags) = field::<MonitorsFlags>("flags", body, input)?;
        let count = count as usize;
        let (mut input, mut monitors) = named("monitors", counted::<Monitor>(body, input, count, 20))?;
        if flags.contains(MonitorsFlags::PHYSICAL_SIZE) {
            let (left, sizes) = named("physical_sizes", counted(body, input, count, 4))?;
            for (monitor, size) in monitors.iter_mut().zip(sizes) {
                monitor.physical_size = size;
            }
            input = left;
        }
        Ok((input, Self { flags, monitors }))
    }

    fn put(&self, writer: &mut Writer) {
        u32::try_from(self.monitors.len()).unwrap_or(u32::MAX).put(writer);
        self.flags.put(writer);
        for monitor in &self.monitors {
            monitor.put(writer);
        }
        if self.flags.contains(MonitorsFlags::PHYSICAL_SIZE) {
            for monitor in &self.monitors {
                monitor.physical_size.put(writer);
            }
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let flags: MonitorsFlags = Wire::arbitrary(source)?;
        let mut monitors: Vec<Monitor> = crate::wire::arbitrary_list(source, 4)?;
        if flags.contains(MonitorsFlags::PHYSICAL_SIZE) {
            for monitor in &mut monitors {
                monitor.physical_size = Wire::arbitrary(source)?;
            }
        }
        Ok(Self { flags, monitors })
    }
}

flags! {
    /// What the guest is to leave out, to be quicker to show (`VD_AGENT_DISPLAY_CONFIG_FLAG_*`).
    pub struct DisplayConfigFlags: u32 {
        /// The wallpaper.
        const DISABLE_WALLPAPER = 1;
        /// The smoothing of fonts.
        const DISABLE_FONT_SMOOTH = 2;
        /// Animations.
        const DISABLE_ANIMATION = 4;
        /// [`DisplayConfig::depth`] is meant.
        const SET_COLOR_DEPTH = 8;
    }
}

record! {
    /// How the guest is to draw (`VDAgentDisplayConfig`).
    #[derive(Copy, Eq)]
    pub struct DisplayConfig {
        /// What to leave out.
        pub flags: DisplayConfigFlags,
        /// Bits of a pixel.
        pub depth: u32,
    }
}

open_enum! {
    /// What became of a message (`VD_AGENT_SUCCESS`, `VD_AGENT_ERROR`).
    pub enum ReplyError: u32 {
        /// Done.
        SUCCESS = 1,
        /// Not done.
        ERROR = 2,
    }
}

wire_newtype!(ReplyError(u32));

record! {
    /// The agent's answer to a message (`VDAgentReply`).
    #[derive(Copy, Eq)]
    pub struct Reply {
        /// The type of message that it answers.
        pub message_type: MessageType,
        /// What became of it.
        pub error: ReplyError,
    }
}

/// How loud the viewer's sound is (`VDAgentAudioVolumeSync`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioVolumeSync {
    /// Not 0 for what the guest plays, 0 for what it records.
    pub is_playback: u8,
    /// Not 0 where it is mute.
    pub mute: u8,
    /// The volume of each sound channel, at most 255 of them; `u16::MAX` is full volume.
    pub volume: Vec<u16>,
}

impl Wire for AudioVolumeSync {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, is_playback) = field("is_playback", body, input)?;
        let (input, mute) = field("mute", body, input)?;
        let (input, count) = field::<u8>("nchannels", body, input)?;
        let (input, volume) = named("volume", counted(body, input, count.into(), 2))?;
        Ok((input, Self { is_playback, mute, volume }))
    }

    fn put(&self, writer: &mut Writer) {
        self.is_playback.put(writer);
        self.mute.put(writer);
        let count = u8::try_from(self.volume.len()).unwrap_or(u8::MAX);
        count.put(writer);
        for volume in self.volume.iter().take(count.into()) {
            volume.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            is_playback: Wire::arbitrary(source)?,
            mute: Wire::arbitrary(source)?,
            volume: crate::wire::arbitrary_list(source, 8)?,
        })
    }
}

record! {
    /// Which device in the guest shows a monitor of the session (`VDAgentDeviceDisplayInfo`).
    #[derive(Eq)]
    pub struct DeviceDisplayInfo {
        /// The display channel.
        pub channel_id: u32,
        /// The monitor of that channel.
        pub monitor_id: u32,
        /// Which output of the device.
        pub device_display_id: u32,
        /// The device.
        pub device_address: DeviceAddress,
    }
}

/// Which devices show the session's monitors (`VDAgentGraphicsDeviceInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphicsDeviceInfo(pub Vec<DeviceDisplayInfo>);

impl Wire for GraphicsDeviceInfo {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u32>("count", body, input)?;
        let (input, list) = named("display_info", counted(body, input, count as usize, 17))?;
        Ok((input, Self(list)))
    }

    fn put(&self, writer: &mut Writer) {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).put(writer);
        for info in &self.0 {
            info.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 4).map(Self)
    }
}
