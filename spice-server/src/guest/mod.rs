//! Guests: whoever draws the desktop and takes the viewers' input.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use spice_channel::{DescriptorId, Time};
use spice_display::qxl::{GuestEvent, UpdateArea};
use spice_proto::caps::{CapabilitySet, DisplayCap};
use spice_proto::inputs::{KeyModifiers, MouseButton, MouseButtons};

pub mod bench;
pub mod demo;
mod inputs;
mod read_back;
pub mod replay;

pub use inputs::{InputSink, Inputs};
pub use read_back::ReadBack;

/// The capabilities of viewers that a guest may want to know.
pub const GUEST_CAPS: [DisplayCap; 4] =
    [DisplayCap::SIZED_STREAM, DisplayCap::MONITORS_CONFIG, DisplayCap::COMPOSITE, DisplayCap::A8_SURFACE];

/// A desktop: commands come out of it, input goes into it.
///
/// One thread owns a guest and calls it; the guest is a state machine like the cores, with time as an argument. It is
/// polled until it answers `None`, then again when [`Guest::poll_timeout`] has passed, after input, and whenever it
/// wakes its owner through the [`GuestWaker`].
pub trait Guest: Send {
    /// Gives the guest a way to say, from another thread, that [`Guest::poll`] has something new.
    fn attach(&mut self, waker: GuestWaker) {
        drop(waker);
    }

    /// Whether the guest takes absolute positions (a tablet); without, viewers send relative motion.
    fn takes_positions(&self) -> bool;

    /// The next command or device event, if one is due.
    fn poll(&mut self, now: Time) -> Option<GuestEvent>;

    /// When [`Guest::poll`] will have something to say without any other cause; `None` for not by itself.
    fn poll_timeout(&self) -> Option<Time>;

    /// Takes one input event of some viewer.
    fn handle_input(&mut self, input: GuestInput, now: Time);

    /// Reads what it wants to of its display: [`Guest::poll`] has answered
    /// [`Command::Update`](spice_display::qxl::Command::Update).
    fn read_back(&mut self, update: &UpdateArea, display: ReadBack<'_>) {
        let _ = (update, display);
    }

    /// The buffer that it has named as what its graphics processor shows
    /// ([`DeviceEvent::GlScanout`](spice_display::qxl::DeviceEvent::GlScanout)), for viewers on Unix sockets.
    fn descriptor(&self, id: DescriptorId) -> Option<Arc<OwnedFd>> {
        let _ = id;
        None
    }

    /// All that its graphics processor has drawn is shown, or need not be waited for any more
    /// ([`DeviceEvent::GlDraw`](spice_display::qxl::DeviceEvent::GlDraw)).
    fn handle_gl_drawn(&mut self) {}

    /// How many viewers have a display channel now; called at each change.
    fn handle_viewers(&mut self, displays: usize, now: Time) {
        let _ = (displays, now);
    }

    /// What any viewer that is here can do, of [`GUEST_CAPS`]; called at each change of who is here, after
    /// [`Guest::handle_viewers`]. What a viewer cannot take is sent to it as a picture.
    fn handle_abilities(&mut self, caps: &CapabilitySet) {
        let _ = caps;
    }

    /// Whether it draws no faster than its slowest viewer keeps up, so that each is sent every command. It is polled
    /// only while all of them do. No desktop should: it is for measuring what is sent.
    fn waits_for_viewers(&self) -> bool {
        false
    }

    /// The state of the keyboard's lights.
    fn leds(&self) -> KeyModifiers {
        KeyModifiers::empty()
    }

    /// Whether every command has been handed over and none will follow.
    fn is_finished(&self) -> bool {
        false
    }
}

/// What a viewer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestInput {
    /// One byte of a PC AT scan code, set 1: bit 7 is a release, `0xe0` a prefix.
    ScanCode(u8),
    /// The viewer's lock keys are in this state.
    Modifiers(KeyModifiers),
    /// Relative motion in pixels.
    Motion {
        /// To the right.
        dx: i32,
        /// Down.
        dy: i32,
        /// What is held down.
        buttons: MouseButtons,
    },
    /// An absolute position in pixels of the primary surface.
    Position {
        /// From the left.
        x: u32,
        /// From the top.
        y: u32,
        /// Of which display.
        display: u8,
        /// What is held down.
        buttons: MouseButtons,
    },
    /// A button goes down; for the wheel, one click.
    Press {
        /// Which.
        button: MouseButton,
        /// What is held down, this one included.
        buttons: MouseButtons,
    },
    /// A button goes up.
    Release {
        /// Which.
        button: MouseButton,
        /// What is held down still.
        buttons: MouseButtons,
    },
}

/// Wakes the thread that owns a guest. Cheap to clone; waking an owner that is gone does nothing.
#[derive(Clone)]
pub struct GuestWaker(Arc<dyn Fn() + Send + Sync>);

impl GuestWaker {
    /// A waker that calls `wake`, from any thread.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// Says that the guest has something new.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl core::fmt::Debug for GuestWaker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("GuestWaker")
    }
}
