//! What the two ends of the agent's protocol can do, and how that changes their messages.

use bytes::Bytes;

use crate::caps::{CapabilitySet, MAX_CAPABILITY_WORDS};
use crate::error::DecodeErrorKind;
use crate::open_enum;
use crate::wire::{Fault, In, Parsed, Wire, Writer, counted, field, named};

open_enum! {
    /// What an agent or a viewer can do (`VD_AGENT_CAP_*`).
    pub enum AgentCap: u32 {
        /// Takes the pointer's place from the server.
        MOUSE_STATE = 0,
        /// Takes sizes and places of monitors.
        MONITORS_CONFIG = 1,
        /// Replies.
        REPLY = 2,
        /// Shares the clipboard, content first: the old way.
        CLIPBOARD = 3,
        /// Takes display settings.
        DISPLAY_CONFIG = 4,
        /// Shares the clipboard, content on request.
        CLIPBOARD_BY_DEMAND = 5,
        /// Clipboard messages name a selection.
        CLIPBOARD_SELECTION = 6,
        /// Monitors may be missing in the middle.
        SPARSE_MONITORS_CONFIG = 7,
        /// The guest ends lines with LF.
        GUEST_LINEEND_LF = 8,
        /// The guest ends lines with CR and LF.
        GUEST_LINEEND_CRLF = 9,
        /// Takes a limit on clipboard content.
        MAX_CLIPBOARD = 10,
        /// Takes sound volumes.
        AUDIO_VOLUME_SYNC = 11,
        /// Uses the places of monitors.
        MONITORS_CONFIG_POSITION = 12,
        /// Takes no files.
        FILE_XFER_DISABLED = 13,
        /// Says why a file was not taken.
        FILE_XFER_DETAILED_ERRORS = 14,
        /// Takes the addresses of graphics devices.
        GRAPHICS_DEVICE_INFO = 15,
        /// A second grab needs no release before it.
        CLIPBOARD_NO_RELEASE_ON_REGRAB = 16,
        /// Grabs are numbered.
        CLIPBOARD_GRAB_SERIAL = 17,
    }
}

impl From<AgentCap> for u32 {
    fn from(cap: AgentCap) -> Self {
        cap.0
    }
}

/// How clipboard messages lie on the wire: the messages themselves do not say, the capabilities of both ends do.
///
/// Messages of other types are the same in every layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentLayout {
    /// They begin with a selection ([`AgentCap::CLIPBOARD_SELECTION`]).
    pub selection: bool,
    /// Grabs carry a number ([`AgentCap::CLIPBOARD_GRAB_SERIAL`]).
    pub grab_serial: bool,
}

impl AgentLayout {
    /// The layout between two ends that have announced these capabilities: what both have.
    ///
    /// Until both have announced theirs, the layout is the default one.
    #[must_use]
    pub fn agreed(one: &CapabilitySet, other: &CapabilitySet) -> Self {
        let both = |cap: AgentCap| one.contains(cap) && other.contains(cap);
        Self {
            selection: both(AgentCap::CLIPBOARD_SELECTION),
            grab_serial: both(AgentCap::CLIPBOARD_GRAB_SERIAL),
        }
    }
}

/// Says what its sender can do (`VDAgentAnnounceCapabilities`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceCapabilities {
    /// Not 0: the other end is to announce its own in return.
    pub request: u32,
    /// What the sender can do; ask with [`AgentCap`]. At most [`MAX_CAPABILITY_WORDS`] words.
    pub caps: CapabilitySet,
}

impl Wire for AnnounceCapabilities {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, request) = field("request", body, input)?;
        let count = input.len() / 4;
        if count > MAX_CAPABILITY_WORDS as usize {
            let kind = DecodeErrorKind::TooMany { count: count as u64, max: MAX_CAPABILITY_WORDS.into() };
            return named("caps", Err(Fault::at(input, kind)));
        }
        let (input, words) = named("caps", counted(body, input, count, 4))?;
        Ok((input, Self { request, caps: CapabilitySet::from_words(words) }))
    }

    fn put(&self, writer: &mut Writer) {
        self.request.put(writer);
        for word in self.caps.words().iter().take(MAX_CAPABILITY_WORDS as usize) {
            word.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let words = crate::wire::arbitrary_list(source, 8)?;
        Ok(Self { request: Wire::arbitrary(source)?, caps: CapabilitySet::from_words(words) })
    }
}
