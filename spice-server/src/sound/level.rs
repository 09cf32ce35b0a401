//! How loud it is to be.

/// How loud it is to be, as far as the guest has said. It is the viewers who do it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// Of each channel, 65,535 being full; empty where nothing was said.
    pub(crate) volume: Vec<u16>,
    pub(crate) mute: Option<bool>,
}

/// What of a [`Level`] somebody has to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) volume: bool,
    pub(crate) mute: bool,
}

impl Due {
    /// This, and that as well.
    pub(crate) fn add(&mut self, other: Self) {
        self.volume |= other.volume;
        self.mute |= other.mute;
    }
}

/// Most channels of a volume: what its message can say.
const MOST_CHANNELS: usize = 255;

impl Level {
    /// What has been said at all.
    pub(crate) fn said(&self) -> Due {
        Due { volume: !self.volume.is_empty(), mute: self.mute.is_some() }
    }
}

/// A level in a mailbox: the last word of the host, and what of it has not been taken.
#[derive(Debug, Default)]
pub(super) struct LevelBox {
    level: Level,
    due: Due,
}

impl LevelBox {
    pub(super) fn set_volume(&mut self, volume: &[u16]) {
        self.level.volume.clear();
        self.level.volume.extend(volume.iter().take(MOST_CHANNELS));
        self.due.volume = !self.level.volume.is_empty();
    }

    pub(super) fn set_mute(&mut self, mute: bool) {
        self.level.mute = Some(mute);
        self.due.mute = true;
    }

    /// The level now, and what of it is news.
    pub(super) fn take(&mut self) -> (Level, Due) {
        (self.level.clone(), std::mem::take(&mut self.due))
    }
}
