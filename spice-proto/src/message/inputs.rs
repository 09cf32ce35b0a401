//! The inputs channel: keyboard and mouse.

use bytes::Bytes;

use crate::open_enum;
use crate::wire::{flags, messages, record, wire_newtype};

messages! {
    /// From the server.
    pub enum ServerMessage in "inputs" {
        /// The first message: the state of the keyboard's lights.
        101 Init(KeyModifiersState, all),
        /// The lights have changed.
        102 KeyModifiers(KeyModifiersState, all),
        /// Four more motion or position messages have been taken.
        111 MouseMotionAck,
    }
}

messages! {
    /// From the viewer.
    pub enum ClientMessage in "inputs" {
        /// A key goes down.
        101 KeyDown(KeyCode, all),
        /// A key goes up.
        102 KeyUp(KeyCode, all),
        /// The state of the viewer's lock keys.
        103 KeyModifiers(KeyModifiersState, all),
        /// Scan codes, one byte each.
        104 KeyScancode(Bytes, all),
        /// The mouse has moved by this much.
        111 MouseMotion(MouseMotion, all),
        /// The pointer is here.
        112 MousePosition(MousePosition, all),
        /// A button goes down.
        113 MousePress(MouseClick, all),
        /// A button goes up.
        114 MouseRelease(MouseClick, all),
    }
}

/// Motion and position messages for each [`ServerMessage::MouseMotionAck`] (`SPICE_INPUT_MOTION_ACK_BUNCH`).
pub const MOTION_ACK_BUNCH: u32 = 4;

flags! {
    /// The keyboard's lock keys and lights.
    pub struct KeyModifiers: u16 {
        /// Scroll lock.
        const SCROLL_LOCK = 1;
        /// Num lock.
        const NUM_LOCK = 2;
        /// Caps lock.
        const CAPS_LOCK = 4;
    }
}

flags! {
    /// Buttons that are held down (`SPICE_MOUSE_BUTTON_MASK_*`).
    pub struct MouseButtons: u16 {
        /// The left one.
        const LEFT = 1;
        /// The middle one.
        const MIDDLE = 2;
        /// The right one.
        const RIGHT = 4;
        /// The wheel, up.
        const UP = 8;
        /// The wheel, down.
        const DOWN = 16;
        /// The side button.
        const SIDE = 32;
        /// The extra button.
        const EXTRA = 64;
    }
}

open_enum! {
    /// One button (`SPICE_MOUSE_BUTTON_*`).
    pub enum MouseButton: u8 {
        /// The left one.
        LEFT = 1,
        /// The middle one.
        MIDDLE = 2,
        /// The right one.
        RIGHT = 3,
        /// The wheel, one click up.
        UP = 4,
        /// The wheel, one click down.
        DOWN = 5,
        /// The side button.
        SIDE = 6,
        /// The extra button.
        EXTRA = 7,
    }
}

wire_newtype!(MouseButton(u8));

record! {
    /// `SpiceMsgInputsInit`, `SpiceMsgInputsKeyModifiers`, `SpiceMsgcKeyModifiers`.
    #[derive(Copy, Eq)]
    pub struct KeyModifiersState {
        /// Which are on.
        pub modifiers: KeyModifiers,
    }
}

record! {
    /// `SpiceMsgcKeyDown`, `SpiceMsgcKeyUp`.
    #[derive(Copy, Eq)]
    pub struct KeyCode {
        /// Up to four bytes of PC AT scan code, set 1, the first one lowest; bytes of 0 at the end are none.
        pub code: u32,
    }
}

impl KeyCode {
    /// The scan code's bytes in the order in which a keyboard sends them.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        self.code.to_le_bytes().into_iter().take_while(|byte| *byte != 0)
    }
}

record! {
    /// `SpiceMsgcMouseMotion`.
    #[derive(Copy, Eq)]
    pub struct MouseMotion {
        /// Pixels to the right.
        pub dx: i32,
        /// Pixels down.
        pub dy: i32,
        /// What is held down.
        pub buttons_state: MouseButtons,
    }
}

record! {
    /// `SpiceMsgcMousePosition`.
    #[derive(Copy, Eq)]
    pub struct MousePosition {
        /// Pixels from the left of the display.
        pub x: u32,
        /// Pixels from its top.
        pub y: u32,
        /// What is held down.
        pub buttons_state: MouseButtons,
        /// Which display.
        pub display_id: u8,
    }
}

record! {
    /// `SpiceMsgcMousePress`, `SpiceMsgcMouseRelease`.
    #[derive(Copy, Eq)]
    pub struct MouseClick {
        /// The button.
        pub button: MouseButton,
        /// What is held down afterwards.
        pub buttons_state: MouseButtons,
    }
}
