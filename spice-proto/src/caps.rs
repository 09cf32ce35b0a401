//! Capabilities: what each end says at the link that it can do.

use core::fmt;

/// A set of capability bits, in words as the link carries them.
///
/// A bit has no meaning of its own: the same number is one thing in the common set and another in each channel's
/// set, so the bits are asked for by the typed names below.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CapabilitySet(Vec<u32>);

/// The most words that a link may carry for one set; the protocol uses one.
pub const MAX_CAPABILITY_WORDS: u32 = 64;

impl CapabilitySet {
    /// The set with these bits.
    #[must_use]
    pub fn new(bits: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::default();
        for bit in bits {
            set.insert(bit);
        }
        set
    }

    /// The set of these words, the first with bits 0 to 31.
    #[must_use]
    pub fn from_words(words: Vec<u32>) -> Self {
        Self(words)
    }

    /// The words, the first with bits 0 to 31.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.0
    }

    /// Whether the bit is in the set.
    #[must_use]
    pub fn contains(&self, bit: impl Into<u32>) -> bool {
        let bit = bit.into();
        self.0.get(bit as usize / 32).is_some_and(|word| word & (1 << (bit % 32)) != 0)
    }

    /// Puts the bit into the set. Bits beyond [`MAX_CAPABILITY_WORDS`] words are left out.
    pub fn insert(&mut self, bit: impl Into<u32>) {
        let bit = bit.into();
        if bit / 32 >= MAX_CAPABILITY_WORDS {
            return;
        }
        let word = bit as usize / 32;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (bit % 32);
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = (0..).zip(&self.0).flat_map(|(word, bits): (u32, &u32)| {
            (0..32).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| word * 32 + bit)
        });
        f.debug_set().entries(bits).finish()
    }
}

macro_rules! capabilities {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$cap_meta:meta])* $cap:ident = $bit:literal,)* })*) => {$(
        crate::open_enum! {
            $(#[$meta])*
            pub enum $name: u32 {
                $($(#[$cap_meta])* $cap = $bit,)*
            }
        }

        impl From<$name> for u32 {
            fn from(cap: $name) -> Self {
                cap.0
            }
        }
    )*};
}

capabilities! {
    /// What every channel may have (`SPICE_COMMON_CAP_*`).
    pub enum CommonCap {
        /// The viewer chooses how to authenticate.
        PROTOCOL_AUTH_SELECTION = 0,
        /// A ticket under an RSA key.
        AUTH_SPICE = 1,
        /// SASL.
        AUTH_SASL = 2,
        /// [`HeaderKind::Mini`](crate::HeaderKind).
        MINI_HEADER = 3,
    }

    /// `SPICE_MAIN_CAP_*`.
    pub enum MainCap {
        /// Migration with the target connected before.
        SEMI_SEAMLESS_MIGRATE = 0,
        /// The guest's name and UUID.
        NAME_AND_UUID = 1,
        /// Agent-connected messages carry tokens.
        AGENT_CONNECTED_TOKENS = 2,
        /// Migration that carries each channel's state.
        SEAMLESS_MIGRATE = 3,
    }

    /// `SPICE_DISPLAY_CAP_*`.
    pub enum DisplayCap {
        /// Video frames of other sizes than their stream's.
        SIZED_STREAM = 0,
        /// Several monitors on one surface.
        MONITORS_CONFIG = 1,
        /// The composite operation.
        COMPOSITE = 2,
        /// Surfaces of 8 bits of alpha.
        A8_SURFACE = 3,
        /// Reports on video streams.
        STREAM_REPORT = 4,
        /// Images packed with LZ4.
        LZ4_COMPRESSION = 5,
        /// The viewer may name an image compression.
        PREF_COMPRESSION = 6,
        /// Buffers of the graphics processor.
        GL_SCANOUT = 7,
        /// Several video codecs.
        MULTI_CODEC = 8,
        /// Motion JPEG.
        CODEC_MJPEG = 9,
        /// VP8.
        CODEC_VP8 = 10,
        /// H.264.
        CODEC_H264 = 11,
        /// The viewer may order the video codecs.
        PREF_VIDEO_CODEC_TYPE = 12,
        /// VP9.
        CODEC_VP9 = 13,
        /// H.265.
        CODEC_H265 = 14,
    }

    /// `SPICE_INPUTS_CAP_*`.
    pub enum InputsCap {
        /// Keys as bare scan codes.
        KEY_SCANCODE = 0,
    }

    /// `SPICE_PLAYBACK_CAP_*`.
    pub enum PlaybackCap {
        /// Sound packed with CELT 0.5.1, which is no longer in use.
        CELT_0_5_1 = 0,
        /// Volume and mute.
        VOLUME = 1,
        /// A latency to hold.
        LATENCY = 2,
        /// Sound packed with Opus.
        OPUS = 3,
    }

    /// `SPICE_RECORD_CAP_*`.
    pub enum RecordCap {
        /// Sound packed with CELT 0.5.1, which is no longer in use.
        CELT_0_5_1 = 0,
        /// Volume and mute.
        VOLUME = 1,
        /// Sound packed with Opus.
        OPUS = 2,
    }

    /// `SPICE_SPICEVMC_CAP_*`, on usbredir, port and webdav channels.
    pub enum VmcCap {
        /// Pieces packed with LZ4.
        DATA_COMPRESS_LZ4 = 0,
    }
}

/// What one end can do on one channel, as it says at the link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// On every channel; ask with [`CommonCap`].
    pub common: CapabilitySet,
    /// On this channel; ask with the names of its type.
    pub channel: CapabilitySet,
}

impl Capabilities {
    /// Whether this end has the capability on every channel.
    #[must_use]
    pub fn has_common(&self, cap: CommonCap) -> bool {
        self.common.contains(cap)
    }

    /// Whether this end has the capability on this display channel.
    #[must_use]
    pub fn has_display(&self, cap: DisplayCap) -> bool {
        self.channel.contains(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_again_and_far_ones_are_left_out() {
        let set = CapabilitySet::new([0, 3, 37, u32::MAX]);
        assert_eq!(set.words(), [0b1001, 0b10_0000]);
        assert!(set.contains(37_u32) && !set.contains(36_u32) && !set.contains(u32::MAX));
        assert_eq!(format!("{set:?}"), "{0, 3, 37}");
    }
}
