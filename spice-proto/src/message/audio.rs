//! What the playback and record channels have in common.

use bytes::Bytes;

use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, named, record, wire_newtype};

open_enum! {
    /// How sound is packed (`SPICE_AUDIO_DATA_MODE_*`).
    pub enum AudioMode: u16 {
        /// Not at all: the samples of the stream's [`AudioFormat`], its channels interleaved.
        RAW = 1,
        /// CELT 0.5.1, one frame in each packet; no longer in use.
        CELT_0_5_1 = 2,
        /// Opus, one frame in each packet.
        OPUS = 3,
    }
}

open_enum! {
    /// How one sample is kept (`SPICE_AUDIO_FMT_*`).
    pub enum AudioFormat: u16 {
        /// 16 bits, signed, little endian.
        S16 = 1,
    }
}

wire_newtype!(AudioMode(u16), AudioFormat(u16));

record! {
    /// A piece of sound (`SpiceMsgPlaybackPacket`, `SpiceMsgcRecordPacket`).
    #[derive(Eq)]
    pub struct Packet {
        /// When its first sample sounds, on the server's multimedia clock, in milliseconds.
        pub time: u32,
        /// The sound, packed as the last [`Mode`] says.
        pub data: Bytes,
    }
}

record! {
    /// How the packets from here on are packed (`SpiceMsgPlaybackMode`, `SpiceMsgcRecordMode`).
    #[derive(Eq)]
    pub struct Mode {
        /// The sender's time, on the server's multimedia clock, in milliseconds.
        pub time: u32,
        /// How sound is packed.
        pub mode: AudioMode,
        /// What the mode needs to know; nothing, in every mode that has a name.
        pub data: Bytes,
    }
}

/// `SpiceMsgAudioVolume`: how loud each channel is, at most 255 of them; 0 is silent, 65,535 is full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume(pub Vec<u16>);

impl Wire for Volume {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u8>("nchannels", body, input)?;
        let (input, volumes) = named("volume", counted(body, input, count.into(), 2))?;
        Ok((input, Self(volumes)))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        count.put(writer);
        for volume in self.0.iter().take(count.into()) {
            volume.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 255).map(Self)
    }
}

record! {
    /// `SpiceMsgAudioMute`.
    #[derive(Copy, Eq)]
    pub struct Mute {
        /// Not 0 where there is no sound, whatever the volume.
        pub mute: u8,
    }
}
