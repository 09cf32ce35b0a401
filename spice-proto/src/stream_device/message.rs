//! Messages of the stream device.

use bytes::Bytes;

use crate::cursor::CursorType;
use crate::device_address::DeviceAddress;
use crate::display::VideoCodec;
use crate::error::DecodeErrorKind;
use crate::open_enum;
use crate::wire::{Fault, In, Parsed, Wire, Writer, counted, field, messages, named, record, rest, shared};

messages! {
    /// From the guest.
    pub enum GuestMessage in "stream" {
        /// What the guest can do: its answer to the host's.
        1 Capabilities(StreamCapabilities, all),
        /// A new stream begins.
        2 Format(StreamFormat, all),
        /// The next bytes of the stream, one frame of video.
        3 Data(Bytes, all),
        /// The pointer has another shape.
        6 CursorSet(CursorSet, all),
        /// The pointer is elsewhere.
        7 CursorMove(StreamMove, all),
        /// Which device the stream shows. Servers in use ignore one whose address does not lie in it, and read on.
        8 DeviceDisplayInfo(StreamDisplayInfo, all),
        /// How good the video is, in a format of the guest's own, with the NUL that ends it on the wire. Only to a
        /// host that has [`StreamCap::QUALITY_INDICATOR`].
        9 QualityIndicator(Bytes, all),
    }
}

messages! {
    /// From the host.
    pub enum HostMessage in "stream" {
        /// The first message: what the host can do.
        1 Capabilities(StreamCapabilities, all),
        /// The stream is to end, and with codecs to choose from, another is to begin.
        4 StartStop(StartStop, all),
        /// The guest has sent something wrong, and nothing more is read.
        5 NotifyError(NotifyError, all),
    }
}

open_enum! {
    /// What guest and host can do (`STREAM_CAP_*`).
    pub enum StreamCap: u32 {
        /// Quality indicators.
        QUALITY_INDICATOR = 0,
    }
}

/// A set of capability bits, lowest first, in at most 1024 bytes (`StreamMsgCapabilities`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamCapabilities(pub Bytes);

impl StreamCapabilities {
    /// The most bytes that a set takes (`STREAM_MSG_CAPABILITIES_MAX_BYTES`).
    pub const MAX_LEN: usize = 1024;

    /// The set of these, in no more bytes than it needs. Those that do not fit are left out.
    #[must_use]
    pub fn new(caps: impl IntoIterator<Item = StreamCap>) -> Self {
        let mut bytes = Vec::new();
        for cap in caps {
            let byte = cap.0 as usize / 8;
            if byte >= Self::MAX_LEN {
                continue;
            }
            if bytes.len() <= byte {
                bytes.resize(byte + 1, 0_u8);
            }
            if let Some(bits) = bytes.get_mut(byte) {
                *bits |= 1 << (cap.0 % 8);
            }
        }
        Self(bytes.into())
    }

    /// Whether the set has this one.
    #[must_use]
    pub fn contains(&self, cap: StreamCap) -> bool {
        self.0.get(cap.0 as usize / 8).is_some_and(|bits| bits & (1 << (cap.0 % 8)) != 0)
    }
}

impl Wire for StreamCapabilities {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        if input.len() > Self::MAX_LEN {
            let kind = DecodeErrorKind::TooMany { count: input.len() as u64, max: Self::MAX_LEN as u64 };
            return named("capabilities", Err(Fault::at(input, kind)));
        }
        let (input, bytes) = rest(body, input)?;
        Ok((input, Self(bytes)))
    }

    fn put(&self, writer: &mut Writer) {
        writer.put_bytes(&self.0.slice(..self.0.len().min(Self::MAX_LEN)));
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let bytes: Bytes = Wire::arbitrary(source)?;
        Ok(Self(bytes.slice(..bytes.len().min(Self::MAX_LEN))))
    }
}

/// What a stream is (`StreamMsgFormat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFormat {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How it is encoded.
    pub codec: VideoCodec,
}

impl Wire for StreamFormat {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, width) = field("width", body, input)?;
        let (input, height) = field("height", body, input)?;
        let (input, codec) = field("codec", body, input)?;
        let (input, _) = field::<[u8; 3]>("padding1", body, input)?;
        Ok((input, Self { width, height, codec }))
    }

    fn put(&self, writer: &mut Writer) {
        self.width.put(writer);
        self.height.put(writer);
        self.codec.put(writer);
        writer.put_slice(&[0; 3]);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            width: Wire::arbitrary(source)?,
            height: Wire::arbitrary(source)?,
            codec: Wire::arbitrary(source)?,
        })
    }
}

/// The most pixels that a pointer's shape has either way (`STREAM_MSG_CURSOR_SET_MAX_WIDTH`, `..._HEIGHT`).
pub const MAX_CURSOR_SIDE: u16 = 1024;

/// The pointer's shape (`StreamMsgCursorSet`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorSet {
    /// Columns, at most [`MAX_CURSOR_SIDE`].
    pub width: u16,
    /// Rows, at most [`MAX_CURSOR_SIDE`].
    pub height: u16,
    /// The column that points.
    pub hot_spot_x: u16,
    /// The row that points.
    pub hot_spot_y: u16,
    /// How pixels are kept: [`CursorType::ALPHA`], [`CursorType::COLOR24`] or [`CursorType::COLOR32`].
    pub kind: CursorType,
    /// The pixels, [`CursorSet::data_len`] bytes. More of them on the wire are left out.
    pub data: Bytes,
}

impl CursorSet {
    /// Bytes of pixels, and of a mask where there is one, in a shape of this size; `None` for a kind that the device
    /// does not have.
    #[must_use]
    pub fn data_len(kind: CursorType, width: u16, height: u16) -> Option<usize> {
        let bits = match kind {
            CursorType::ALPHA => 32,
            CursorType::COLOR24 => 24 + 1,
            CursorType::COLOR32 => 32 + 1,
            _ => return None,
        };
        let bits = u64::from(width) * u64::from(height) * bits;
        usize::try_from(bits.div_ceil(8)).ok()
    }
}

impl Wire for CursorSet {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, width) = named("width", parse_side(body, input))?;
        let (input, height) = named("height", parse_side(body, input))?;
        let (input, hot_spot_x) = field("hot_spot_x", body, input)?;
        let (input, hot_spot_y) = field("hot_spot_y", body, input)?;
        let at = input;
        let (input, kind) = field("type", body, input)?;
        let Some(len) = Self::data_len(kind, width, height) else {
            return named("type", Err(Fault::at(at, DecodeErrorKind::Value { value: kind.0.into() })));
        };
        let (input, _) = field::<[u8; 3]>("padding1", body, input)?;
        let (_, data) = named("data", shared(body, input, len))?;
        Ok((&[], Self { width, height, hot_spot_x, hot_spot_y, kind, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.width.put(writer);
        self.height.put(writer);
        self.hot_spot_x.put(writer);
        self.hot_spot_y.put(writer);
        self.kind.put(writer);
        writer.put_slice(&[0; 3]);
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let (width, height) = (source.int_in_range(0..=8)?, source.int_in_range(0..=8)?);
        let kind = *source.choose(&[CursorType::ALPHA, CursorType::COLOR24, CursorType::COLOR32])?;
        let mut data: Vec<u8> = source.arbitrary()?;
        data.resize(Self::data_len(kind, width, height).unwrap_or(0), 0x5a);
        Ok(Self {
            width,
            height,
            hot_spot_x: Wire::arbitrary(source)?,
            hot_spot_y: Wire::arbitrary(source)?,
            kind,
            data: data.into(),
        })
    }
}

fn parse_side<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, u16> {
    let (left, side) = u16::parse(body, input)?;
    if side > MAX_CURSOR_SIDE {
        let kind = DecodeErrorKind::TooMany { count: side.into(), max: MAX_CURSOR_SIDE.into() };
        return Err(Fault::at(input, kind));
    }
    Ok((left, side))
}

record! {
    /// Where the pointer is (`StreamMsgCursorMove`).
    #[derive(Copy, Eq)]
    pub struct StreamMove {
        /// Pixels from the left.
        pub x: i32,
        /// Pixels from the top.
        pub y: i32,
    }
}

record! {
    /// Which device a stream shows (`StreamMsgDeviceDisplayInfo`).
    #[derive(Eq)]
    pub struct StreamDisplayInfo {
        /// Which stream, which is which monitor of the device's display channel.
        pub stream_id: u32,
        /// Which output of the device.
        pub device_display_id: u32,
        /// The device, in at most 255 bytes.
        pub device_address: DeviceAddress,
    }
}

/// Which codecs the viewers know, at most 255; none: the stream ends and no other begins (`StreamMsgStartStop`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartStop(pub Vec<VideoCodec>);

impl Wire for StartStop {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u8>("num_codecs", body, input)?;
        let (input, codecs) = named("codecs", counted(body, input, count.into(), 1))?;
        Ok((input, Self(codecs)))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        count.put(writer);
        for codec in self.0.iter().take(count.into()) {
            codec.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 8).map(Self)
    }
}

record! {
    /// What was wrong (`StreamMsgNotifyError`).
    #[derive(Eq)]
    pub struct NotifyError {
        /// 0 by custom: no codes have been given.
        pub error_code: u32,
        /// A text in UTF-8, with the NUL that may end it on the wire; at most 1024 bytes.
        pub msg: Bytes,
    }
}
