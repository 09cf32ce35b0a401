//! What may pass between viewers and the agent.

use bytes::Bytes;
use spice_proto::agent::{AgentCap, MessageType};

use crate::devices::AgentPolicy;

/// Whether a message may pass at all, either way (`agent-msg-filter.c`).
pub(crate) fn passes(message_type: MessageType, policy: &AgentPolicy) -> bool {
    match message_type {
        MessageType::CLIPBOARD
        | MessageType::CLIPBOARD_GRAB
        | MessageType::CLIPBOARD_REQUEST
        | MessageType::CLIPBOARD_RELEASE => policy.copypaste,
        MessageType::FILE_XFER_START | MessageType::FILE_XFER_STATUS | MessageType::FILE_XFER_DATA => {
            policy.file_xfer
        }
        _ => true,
    }
}

/// Changes what the agent says that it can do, while the words pass: what may not pass is not offered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CapsPatch {
    clear: u32,
    set: u32,
    /// Bytes of the message's content that have passed.
    at: usize,
}

/// Where the first word of capabilities lies in an announcement.
const FIRST_WORD: usize = 4;

impl CapsPatch {
    /// What has to be changed, if anything.
    pub(crate) fn of(policy: &AgentPolicy) -> Option<Self> {
        let bits = |caps: &[AgentCap]| caps.iter().fold(0, |bits, cap| bits | 1 << cap.0);
        let clipboard = [
            AgentCap::CLIPBOARD,
            AgentCap::CLIPBOARD_BY_DEMAND,
            AgentCap::CLIPBOARD_SELECTION,
            AgentCap::MAX_CLIPBOARD,
            AgentCap::CLIPBOARD_NO_RELEASE_ON_REGRAB,
            AgentCap::CLIPBOARD_GRAB_SERIAL,
        ];
        let clear = if policy.copypaste { 0 } else { bits(&clipboard) };
        let set = if policy.file_xfer { 0 } else { bits(&[AgentCap::FILE_XFER_DISABLED]) };
        (clear | set != 0).then_some(Self { clear, set, at: 0 })
    }

    /// The next part of the announcement, changed.
    pub(crate) fn apply(&mut self, content: &Bytes) -> Bytes {
        let (clear, set) = (self.clear.to_le_bytes(), self.set.to_le_bytes());
        let begin = self.at;
        self.at += content.len();
        let byte = |(place, byte): (usize, &u8)| {
            let word = (begin + place).checked_sub(FIRST_WORD);
            let masks = word.and_then(|word| Some((clear.get(word)?, set.get(word)?)));
            masks.map_or(*byte, |(clear, set)| byte & !clear | set)
        };
        content.iter().enumerate().map(byte).collect()
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::agent::{AgentLayout, AnnounceCapabilities, Message};
    use spice_proto::caps::CapabilitySet;

    use super::*;

    #[test]
    fn capabilities_are_changed_however_the_announcement_is_cut() {
        let announce = |caps: &[AgentCap]| {
            let caps = CapabilitySet::new(caps.iter().map(|cap| cap.0).chain([40]));
            let message = Message::AnnounceCapabilities(AnnounceCapabilities { request: 0xffff_ffff, caps });
            message.encode(AgentLayout::default()).unwrap().to_bytes()
        };
        let said =
            announce(&[AgentCap::MOUSE_STATE, AgentCap::CLIPBOARD_BY_DEMAND, AgentCap::CLIPBOARD_SELECTION]);
        let policy = AgentPolicy { copypaste: false, file_xfer: false, ..AgentPolicy::default() };
        let heard = announce(&[AgentCap::MOUSE_STATE, AgentCap::FILE_XFER_DISABLED]);
        for cut in 1..=said.len() {
            let mut patch = CapsPatch::of(&policy).unwrap();
            let parts = said.chunks(cut).flat_map(|part| patch.apply(&Bytes::copy_from_slice(part)));
            assert_eq!(parts.collect::<Vec<_>>(), heard);
        }
        assert!(CapsPatch::of(&AgentPolicy::default()).is_none());
        // An announcement of nothing has no word to change.
        let mut patch = CapsPatch::of(&policy).unwrap();
        assert_eq!(patch.apply(&Bytes::from_static(&[1, 0, 0, 0])), [1, 0, 0, 0][..]);
    }
}
