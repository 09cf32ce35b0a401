//! The host's keyboard, mouse and tablet.

use std::ffi::c_int;
use std::ptr::null_mut;

use spice_proto::inputs::{KeyModifiers, MouseButton, MouseButtons};
use spice_server::guest::GuestInput;

use crate::abi::input::{
    SpiceKbdInstance, SpiceKbdInterface, SpiceMouseInstance, SpiceMouseInterface, SpiceTabletInstance,
    SpiceTabletInterface,
};

/// What the host has plugged in, at most one of each. Used on the host's thread alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs {
    pub(crate) keyboard: *mut SpiceKbdInstance,
    pub(crate) mouse: *mut SpiceMouseInstance,
    pub(crate) tablet: *mut SpiceTabletInstance,
    /// The primary surface, and whether it may be pointed at absolutely.
    pub(crate) screen: Option<Screen>,
    /// The locks as they will be once the guest has handled what was pressed: its lights may be late.
    pub(crate) locks: KeyModifiers,
}

/// A primary surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// `QXLDevSurfaceCreate.mouse_mode`.
    pub(crate) absolute: bool,
}

// SAFETY: the host's thread alone uses what the pointers point to.
unsafe impl Send for Inputs {}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            keyboard: null_mut(),
            mouse: null_mut(),
            tablet: null_mut(),
            screen: None,
            locks: KeyModifiers::empty(),
        }
    }
}

/// The locks, with the scan codes of their keys.
const LOCKS: [(KeyModifiers, u8); 3] =
    [(KeyModifiers::SCROLL_LOCK, 0x46), (KeyModifiers::NUM_LOCK, 0x45), (KeyModifiers::CAPS_LOCK, 0x3a)];

const RELEASE: u8 = 0x80;

impl Inputs {
    /// Whether viewers may say where their pointers are.
    pub(crate) fn takes_positions(&self) -> bool {
        !self.tablet.is_null() && self.screen.is_some_and(|screen| screen.absolute)
    }

    /// Tells the tablet how large the screen is, in the pixels in which viewers point at it.
    pub(crate) fn measure_tablet(&self) {
        let Some(screen) = self.screen.filter(|_| !self.tablet.is_null()) else { return };
        // SAFETY: the tablet is the host's and is there until it is removed; we are on its thread.
        unsafe {
            if let Some(set) = (*(*self.tablet).base.sif.cast::<SpiceTabletInterface>()).set_logical_size {
                set(self.tablet, screen.width.cast_signed(), screen.height.cast_signed());
            }
        }
    }

    pub(crate) fn handle(&mut self, input: &GuestInput) {
        match *input {
            GuestInput::ScanCode(code) => self.scan_code(code),
            GuestInput::Modifiers(locks) => self.follow_locks(locks),
            GuestInput::Motion { dx, dy, buttons } => self.move_mouse(dx, dy, 0, buttons),
            GuestInput::Position { x, y, buttons, .. } => self.position(x, y, buttons),
            GuestInput::Press { button: MouseButton::UP, buttons } => self.turn_wheel(-1, buttons),
            GuestInput::Press { button: MouseButton::DOWN, buttons } => self.turn_wheel(1, buttons),
            GuestInput::Press { buttons, .. } | GuestInput::Release { buttons, .. } => self.press(buttons),
        }
    }

    fn scan_code(&self, code: u8) {
        if self.keyboard.is_null() {
            return;
        }
        // SAFETY: as the tablet.
        unsafe {
            if let Some(push) = (*(*self.keyboard).base.sif.cast::<SpiceKbdInterface>()).push_scan_freg {
                push(self.keyboard, code);
            }
        }
    }

    /// Asks the keyboard for its lights.
    pub(crate) fn read_leds(&mut self) -> Option<KeyModifiers> {
        if self.keyboard.is_null() {
            return None;
        }
        // SAFETY: as the tablet.
        let leds = unsafe {
            let keyboard = (*self.keyboard).base.sif.cast::<SpiceKbdInterface>();
            (*keyboard).get_leds.map_or(0, |leds| leds(self.keyboard))
        };
        self.locks = known_leds(leds.into());
        Some(self.locks)
    }

    /// A viewer's locks are in this state: presses the keys of those that are not here.
    fn follow_locks(&mut self, locks: KeyModifiers) {
        for (lock, code) in LOCKS {
            if self.locks.contains(lock) != locks.contains(lock) {
                self.scan_code(code);
                self.scan_code(code | RELEASE);
                self.locks =
                    if locks.contains(lock) { self.locks | lock } else { self.locks.difference(lock) };
            }
        }
    }

    fn move_mouse(&self, dx: i32, dy: i32, dz: c_int, buttons: MouseButtons) {
        if self.mouse.is_null() {
            return;
        }
        // SAFETY: as the tablet.
        unsafe {
            if let Some(motion) = (*(*self.mouse).base.sif.cast::<SpiceMouseInterface>()).motion {
                motion(self.mouse, dx, dy, dz, state(buttons));
            }
        }
    }

    fn position(&self, x: u32, y: u32, buttons: MouseButtons) {
        if self.tablet.is_null() {
            return;
        }
        // SAFETY: as above.
        unsafe {
            if let Some(position) = (*(*self.tablet).base.sif.cast::<SpiceTabletInterface>()).position {
                position(self.tablet, x.cast_signed(), y.cast_signed(), state(buttons));
            }
        }
    }

    fn turn_wheel(&self, dz: c_int, buttons: MouseButtons) {
        if !self.takes_positions() {
            return self.move_mouse(0, 0, dz, buttons);
        }
        // SAFETY: as above; who takes positions has a tablet.
        unsafe {
            if let Some(wheel) = (*(*self.tablet).base.sif.cast::<SpiceTabletInterface>()).wheel {
                wheel(self.tablet, dz, state(buttons));
            }
        }
    }

    fn press(&self, buttons: MouseButtons) {
        if self.takes_positions() {
            // SAFETY: as above; who takes positions has a tablet.
            unsafe {
                if let Some(press) = (*(*self.tablet).base.sif.cast::<SpiceTabletInterface>()).buttons {
                    press(self.tablet, state(buttons));
                }
            }
        } else if !self.mouse.is_null() {
            // SAFETY: as above.
            unsafe {
                if let Some(press) = (*(*self.mouse).base.sif.cast::<SpiceMouseInterface>()).buttons {
                    press(self.mouse, state(buttons));
                }
            }
        }
    }
}

/// Buttons as hosts have them: left, right, middle, and those of the side two bits higher than the wheel's.
fn state(buttons: MouseButtons) -> u32 {
    const HOST: [(MouseButtons, u32); 7] = [
        (MouseButtons::LEFT, 1),
        (MouseButtons::RIGHT, 1 << 1),
        (MouseButtons::MIDDLE, 1 << 2),
        (MouseButtons::UP, 0),
        (MouseButtons::DOWN, 0),
        (MouseButtons::SIDE, 1 << 6),
        (MouseButtons::EXTRA, 1 << 7),
    ];
    HOST.iter().filter(|(mask, _)| buttons.contains(*mask)).fold(0, |state, (_, bit)| state | bit)
}

/// The host's lights, as the protocol has them.
pub(crate) fn known_leds(leds: u32) -> KeyModifiers {
    LOCKS.iter().enumerate().fold(KeyModifiers::empty(), |known, (bit, (lock, _))| {
        if leds & (1 << bit) == 0 { known } else { known | *lock }
    })
}
