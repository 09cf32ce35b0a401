//! The record channel: sound from the viewer to the guest.

pub use super::audio::{AudioFormat, AudioMode, Mode, Mute, Packet, Volume};

use crate::wire::{messages, record};

messages! {
    /// From the server.
    pub enum ServerMessage in "record" {
        /// The guest listens: the viewer is to send [`ClientMessage::Mode`], [`ClientMessage::StartMark`] and sound.
        101 Start(Start, all),
        /// The guest listens no longer.
        102 Stop,
        /// How loud to record; only where the viewer has [`RecordCap::VOLUME`](crate::caps::RecordCap).
        103 Volume(Volume, all),
        /// Whether to record silence; only where the viewer has [`RecordCap::VOLUME`](crate::caps::RecordCap).
        104 Mute(Mute, all),
    }
}

messages! {
    /// From the viewer.
    pub enum ClientMessage in "record" {
        /// A piece of sound.
        101 Data(Packet, all),
        /// How sound is packed from here on.
        102 Mode(Mode, all),
        /// Sound begins.
        103 StartMark(StartMark, all),
    }
}

record! {
    /// `SpiceMsgRecordStart`.
    #[derive(Copy, Eq)]
    pub struct Start {
        /// How many channels to interleave.
        pub channels: u32,
        /// How a sample is kept, before it is packed.
        pub format: AudioFormat,
        /// Samples of one channel in a second.
        pub frequency: u32,
    }
}

record! {
    /// `SpiceMsgcRecordStartMark`.
    #[derive(Copy, Eq)]
    pub struct StartMark {
        /// When the first sample was taken, on the server's multimedia clock, in milliseconds.
        pub time: u32,
    }
}
