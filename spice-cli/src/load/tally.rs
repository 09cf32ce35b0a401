//! What is counted of a viewer.

use std::time::Duration;

use super::ages::Ages;
use super::marker::Marker;

/// How a viewer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads as fast as it can.
    Fast,
    /// Shakes hands, and never reads its display again.
    Stalled,
    /// Reads so many bytes a second.
    Throttled,
    /// Comes and goes.
    Flapping,
}

impl Kind {
    /// All of them, as they are reported.
    pub(super) const ALL: [Self; 4] = [Self::Fast, Self::Stalled, Self::Throttled, Self::Flapping];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Stalled => "stalled",
            Self::Throttled => "throttled",
            Self::Flapping => "flapping",
        }
    }
}

/// When it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Viewers join, and what there is comes to rest.
    #[default]
    Before,
    /// Since then.
    Measuring(Duration),
    /// It was measured.
    After,
}

/// What has happened to one viewer. Times are those of the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When it began to connect; the last time, of one that comes and goes.
    pub(super) joined: Duration,
    /// How long it then took until it showed something: the first time, in milliseconds.
    pub(super) first_ms: Option<f64>,
    /// Changes of the marker while it was measured.
    pub(super) frames: u64,
    /// Bytes of its display while it was measured.
    pub(super) bytes: u64,
    /// Messages that draw an image, from the beginning.
    pub(super) images: u64,
    /// Messages over the marker, while it was measured, that left nothing to be read.
    pub(super) unread: u64,
    /// Ages of markers as they came.
    pub(super) stale: Ages,
    /// Ages of the marker on the screen, all the time.
    pub(super) shown: Ages,
    /// The longest time without another frame, once there was one.
    pub(super) gap: Option<Duration>,
    /// Connections that failed, or that the server ended.
    pub(super) dead: u64,
    /// Times that it has connected.
    pub(super) visits: u64,
    marker: Option<Marker>,
    framed: Option<Duration>,
}

impl Tally {
    /// It begins to connect: it shows nothing.
    pub(super) fn join(&mut self, now: Duration) {
        self.joined = now;
        self.visits += 1;
        (self.marker, self.framed) = (None, None);
    }

    /// Bytes of its display have come.
    pub(super) fn read(&mut self, bytes: usize, phase: Phase) {
        if matches!(phase, Phase::Measuring(_)) {
            self.bytes += bytes as u64;
        }
    }

    /// It shows something.
    pub(super) fn picture(&mut self, now: Duration) {
        let took = now.saturating_sub(self.joined);
        self.first_ms.get_or_insert(took.as_secs_f64() * 1e3);
    }

    /// The marker has been painted over: with another one, or with what cannot be read.
    pub(super) fn paint(&mut self, marker: Option<Marker>, now: Duration, phase: Phase) {
        let measuring = matches!(phase, Phase::Measuring(_));
        let before = std::mem::replace(&mut self.marker, marker);
        let Some(marker) = marker else {
            self.unread += u64::from(measuring);
            return;
        };
        self.picture(now);
        if before == Some(marker) {
            return;
        }
        if measuring {
            self.frames += 1;
            self.stale.add(marker.age(now));
        }
        self.close_gap(now, phase);
        self.framed = Some(now);
    }

    /// What had the marker is gone, or has nothing on it yet.
    pub(super) fn blank(&mut self) {
        self.marker = None;
    }

    /// Looks at the screen.
    pub(super) fn sample(&mut self, now: Duration) {
        if let Some(marker) = self.marker {
            self.shown.add(marker.age(now));
        }
    }

    /// The measurement ends now, or there is a frame: what is without one ends, too. Only what is measured counts.
    pub(super) fn close_gap(&mut self, now: Duration, phase: Phase) {
        if let (Phase::Measuring(since), Some(framed)) = (phase, self.framed) {
            self.gap = self.gap.max(Some(now.saturating_sub(framed.max(since))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(1_000_000 + millis)
    }

    fn marker(millis: u64) -> Option<Marker> {
        Some(Marker::of_pixel(at(millis).as_millis() as u32))
    }

    #[test]
    fn frames_ages_and_gaps_are_those_of_the_measurement() {
        let mut tally = Tally::default();
        tally.join(at(0));
        tally.paint(marker(10), at(30), Phase::Before);
        let phase = Phase::Measuring(at(100));
        tally.sample(at(105));
        tally.paint(marker(120), at(125), phase);
        tally.paint(marker(120), at(130), phase);
        tally.read(70, phase);
        tally.paint(None, at(140), phase);
        tally.sample(at(150));
        tally.paint(marker(120), at(160), phase);
        tally.sample(at(170));
        tally.paint(marker(180), at(181), Phase::After);
        tally.read(70, Phase::After);
        assert_eq!((tally.first_ms, tally.frames, tally.bytes, tally.unread), (Some(30.0), 2, 70, 1));
        assert_eq!([50, 100].map(|percent| tally.stale.percentile(percent)), [Some(40), Some(40)]);
        assert_eq!([0, 100].map(|percent| tally.shown.percentile(percent)), [Some(50), Some(95)]);
        // From the beginning of the measurement to the first frame, not from the frame before.
        assert_eq!(tally.gap, Some(Duration::from_millis(35)));
        tally.close_gap(at(300), phase);
        assert_eq!(tally.gap, Some(Duration::from_millis(119)));
    }

    #[test]
    fn a_viewer_without_a_frame_has_no_gap_and_no_age() {
        let mut tally = Tally::default();
        tally.join(at(0));
        tally.paint(None, at(5), Phase::Measuring(at(0)));
        tally.sample(at(10));
        tally.close_gap(at(500), Phase::Measuring(at(0)));
        assert_eq!((tally.gap, tally.shown.percentile(100), tally.first_ms), (None, None, None));
    }
}
