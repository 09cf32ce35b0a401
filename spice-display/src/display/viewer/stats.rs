//! How a viewer fares, for whoever looks after the server.

use core::fmt;
use core::time::Duration;

use spice_channel::Time;

use super::view::View;

/// What one viewer of a display has been sent, and what waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerStats {
    /// Where it stands.
    pub state: ViewerState,
    /// Bytes that its socket has taken.
    pub bytes: u64,
    /// How often it was handed something to draw. Everything that is handed out within 10 ms is one update: a command
    /// whose picture was packed elsewhere leaves a little later than those before it, and is still of the same frame.
    /// The growth of this number in a second is the frames a second of this viewer, up to 100, as far as a server can
    /// tell; when they are seen is the viewer's.
    pub updates: u64,
    /// The round trip on a link with nothing else on it.
    pub round_trip: Option<Duration>,
    /// Bytes a second that it reads while there is always something to read; none for one for which there has never
    /// been, or not for a minute.
    pub throughput: Option<u64>,
    /// Whether it was last sent something as a viewer behind a slow link: with `auto`, images as JPEG and through zlib.
    pub has_slow_link: bool,
    /// Bytes that have been handed out and that its socket has not taken.
    pub in_flight: usize,
    /// Bytes that may be on their way to it and not read.
    pub room: usize,
    /// Items in its pipe.
    pub queued: usize,
    /// Bytes that these keep alive. Drawing commands are shared with the pipes of other viewers.
    pub queued_bytes: usize,
    /// Pixels that wait to be sent as images, of all surfaces together.
    pub damaged_pixels: u64,
    /// How often it was squashed.
    pub squashes: u64,
}

/// Where a viewer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewerState {
    /// It has not said yet how much it can keep, and is sent nothing before.
    Waiting,
    /// What is drawn goes through its pipe; it is sent every command that can still be seen.
    Following,
    /// Parts of surfaces go out as images of what they are by then; its other surfaces follow.
    Damaged,
    /// It was squashed, or begins, and there has been no room for anything since.
    Behind,
}

impl ViewerState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Following, Self::Damaged, Self::Behind];

    pub(super) fn new(ready: bool, view: &View) -> Self {
        match (ready, view.is_behind(), view.damaged_pixels()) {
            (false, _, _) => Self::Waiting,
            (true, true, _) => Self::Behind,
            (true, false, 0) => Self::Following,
            (true, false, _) => Self::Damaged,
        }
    }

    /// What it is called, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Following => "following",
            Self::Damaged => "damaged",
            Self::Behind => "behind",
        }
    }
}

impl fmt::Display for ViewerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Counts [`ViewerStats::updates`].
#[derive(Debug, Default)]
pub(super) struct Updates {
    count: u64,
    /// When the last one began.
    begun: Option<Time>,
}

/// How long an update lasts: well below a frame of the fastest guest, and above what most pictures take to be packed.
const UPDATE: Duration = Duration::from_millis(10);

impl Updates {
    /// Something to draw is handed out.
    pub(super) fn handle_drawing(&mut self, now: Time) {
        if self.begun.is_none_or(|begun| now.since(begun) >= UPDATE) {
            self.begun = Some(now);
            self.count += 1;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_together_is_one_update() {
        let mut updates = Updates::default();
        // Thirty frames a second, each in three parts.
        for frame in 0..30 {
            for part in [0, 4, 9] {
                updates.handle_drawing(Time::from_millis(1000 + frame * 33 + part));
            }
        }
        assert_eq!(updates.count(), 30);
        // An endless stream of bytes is a hundred a second.
        let mut updates = Updates::default();
        (0..1000).for_each(|millis| updates.handle_drawing(Time::from_millis(millis)));
        assert_eq!(updates.count(), 100);
    }

    #[test]
    fn states_have_names_of_their_own() {
        let names = ViewerState::ALL.map(ViewerState::name);
        assert_eq!(names, ["waiting", "following", "damaged", "behind"]);
        assert_eq!(ViewerState::Behind.to_string(), "behind");
    }
}
