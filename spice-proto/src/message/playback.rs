//! The playback channel: sound from the guest to the viewer.
//!
//! A viewer sends none but [`base`](crate::base) messages on it.

pub use super::audio::{AudioFormat, AudioMode, Mode, Mute, Packet, Volume};

use crate::wire::{messages, record};

messages! {
    /// From the server.
    pub enum ServerMessage in "playback" {
        /// A piece of sound.
        101 Data(Packet, all),
        /// How sound is packed from here on.
        102 Mode(Mode, all),
        /// Sound begins.
        103 Start(Start, all),
        /// Sound ends.
        104 Stop,
        /// How loud it is; only where the viewer has [`PlaybackCap::VOLUME`](crate::caps::PlaybackCap).
        105 Volume(Volume, all),
        /// Whether it is silent; only where the viewer has [`PlaybackCap::VOLUME`](crate::caps::PlaybackCap).
        106 Mute(Mute, all),
        /// How much sound to hold back; only where the viewer has
        /// [`PlaybackCap::LATENCY`](crate::caps::PlaybackCap).
        107 Latency(Latency, all),
    }
}

record! {
    /// `SpiceMsgPlaybackStart`.
    #[derive(Copy, Eq)]
    pub struct Start {
        /// How many channels are interleaved.
        pub channels: u32,
        /// How a sample is kept, once it is unpacked.
        pub format: AudioFormat,
        /// Samples of one channel in a second.
        pub frequency: u32,
        /// The server's multimedia clock, in milliseconds.
        pub time: u32,
    }
}

record! {
    /// `SpiceMsgPlaybackLatency`: how late sound is to be, so that it goes with the video.
    #[derive(Copy, Eq)]
    pub struct Latency {
        /// Milliseconds at least.
        pub latency_ms: u32,
    }
}
