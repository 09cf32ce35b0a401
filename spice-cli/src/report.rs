//! What the stats socket says in a line: the server, and each of its viewers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use spice_server::{Viewer, ViewerState, ViewerStats};

use crate::stats::Totals;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Seconds since 1970, UTC.
    pub(crate) time: f64,
    pub(crate) server: Totals,
    /// Each viewer's displays, and viewers without one, in the order in which they came.
    pub(crate) viewers: Vec<ViewerLine>,
}

/// A viewer and one of its displays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ViewerLine {
    pub(crate) id: u64,
    pub(crate) peer: String,
    /// Seconds.
    pub(crate) connected: f64,
    /// The channels that it has linked.
    pub(crate) channels: Vec<String>,
    /// Which display the rest is about; without one there is nothing to say.
    pub(crate) display: Option<u8>,
    pub(crate) state: State,
    pub(crate) slow_link: bool,
    pub(crate) updates_per_s: f64,
    pub(crate) bytes_per_s: f64,
    pub(crate) round_trip_ms: Option<f64>,
    /// Bytes a second.
    pub(crate) throughput: Option<u64>,
    /// Bytes.
    pub(crate) in_flight: usize,
    /// Bytes that may be on their way to the viewer and not read.
    pub(crate) room: usize,
    pub(crate) pipe_items: usize,
    pub(crate) pipe_bytes: usize,
    pub(crate) damaged_pixels: u64,
    pub(crate) squashes: u64,
    /// Since the display was linked.
    pub(crate) updates: u64,
    /// Since the display was linked.
    pub(crate) bytes: u64,
}

/// Where a viewer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    NoDisplay,
    Waiting,
    Following,
    Damaged,
    Behind,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoDisplay => "no display",
            Self::Waiting => ViewerState::Waiting.name(),
            Self::Following => ViewerState::Following.name(),
            Self::Damaged => ViewerState::Damaged.name(),
            Self::Behind => ViewerState::Behind.name(),
        }
    }
}

impl From<ViewerState> for State {
    fn from(state: ViewerState) -> Self {
        match state {
            ViewerState::Waiting => Self::Waiting,
            ViewerState::Following => Self::Following,
            ViewerState::Damaged => Self::Damaged,
            ViewerState::Behind => Self::Behind,
        }
    }
}

/// Turns what is counted into what happens in a second.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    /// What each viewer's display had been sent when it was looked at last: bytes and updates.
    before: BTreeMap<(u64, u8), (u64, u64)>,
}

impl Rates {
    /// From now on.
    pub(crate) fn since(viewers: &[Viewer]) -> Self {
        let displays = viewers.iter().flat_map(|viewer| {
            let id = viewer.id.0;
            viewer.displays.iter().map(move |on| ((id, on.id.0), (on.stats.bytes, on.stats.updates)))
        });
        Self { before: displays.collect() }
    }

    /// Each viewer's displays, `elapsed` after they were looked at last.
    pub(crate) fn lines(&mut self, viewers: &[Viewer], elapsed: Duration) -> Vec<ViewerLine> {
        let mut lines = Vec::with_capacity(viewers.len());
        for viewer in viewers {
            for on in &viewer.displays {
                let before = self.before.get(&(viewer.id.0, on.id.0)).copied();
                lines.push(with_display(viewer, on.id.0, &on.stats, before, elapsed));
            }
            if viewer.displays.is_empty() {
                lines.push(without_display(viewer));
            }
        }
        *self = Self::since(viewers);
        lines
    }
}

fn with_display(
    viewer: &Viewer,
    display: u8,
    stats: &ViewerStats,
    before: Option<(u64, u64)>,
    elapsed: Duration,
) -> ViewerLine {
    // One that is new, and a display that was linked anew, count from nothing.
    let known = before.filter(|(bytes, updates)| *bytes <= stats.bytes && *updates <= stats.updates);
    let (bytes, updates) = known.unwrap_or_default();
    let seconds = elapsed.min(viewer.connected).as_secs_f64().max(0.001);
    ViewerLine {
        display: Some(display),
        state: stats.state.into(),
        slow_link: stats.has_slow_link,
        updates_per_s: tenths((stats.updates - updates) as f64 / seconds),
        bytes_per_s: tenths((stats.bytes - bytes) as f64 / seconds),
        round_trip_ms: stats.round_trip.map(|round_trip| thousandths(round_trip.as_secs_f64() * 1000.0)),
        throughput: stats.throughput,
        in_flight: stats.in_flight,
        room: stats.room,
        pipe_items: stats.queued,
        pipe_bytes: stats.queued_bytes,
        damaged_pixels: stats.damaged_pixels,
        squashes: stats.squashes,
        updates: stats.updates,
        bytes: stats.bytes,
        ..without_display(viewer)
    }
}

/// What the channels are called that a viewer has linked: `display`, and `display1` for its second.
pub(crate) fn channels(viewer: &Viewer) -> Vec<String> {
    let name = |kind: spice_server::ChannelType, id: u8| match (kind.channel_name(), id) {
        (Some(name), 0) => name.to_owned(),
        (Some(name), id) => format!("{name}{id}"),
        (None, id) => format!("{}:{id}", kind.0),
    };
    viewer.channels.iter().map(|(kind, id)| name(*kind, id.0)).collect()
}

fn without_display(viewer: &Viewer) -> ViewerLine {
    ViewerLine {
        id: viewer.id.0,
        peer: viewer.peer.to_string(),
        connected: tenths(viewer.connected.as_secs_f64()),
        channels: channels(viewer),
        display: None,
        state: State::NoDisplay,
        slow_link: false,
        updates_per_s: 0.0,
        bytes_per_s: 0.0,
        round_trip_ms: None,
        throughput: None,
        in_flight: 0,
        room: 0,
        pipe_items: 0,
        pipe_bytes: 0,
        damaged_pixels: 0,
        squashes: 0,
        updates: 0,
        bytes: 0,
    }
}

/// Seconds since 1970.
pub(crate) fn wall_clock() -> f64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    thousandths(time.as_secs_f64())
}

pub(crate) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

pub(crate) fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
pub(crate) mod tests {
    use spice_server::{
        ChannelId, ChannelType, ClientId, Credential, Peer, Permissions, Role, Transport, ViewerDisplay,
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    pub(crate) fn viewer(id: u64, bytes: u64, updates: u64) -> Viewer {
        let stats = ViewerStats {
            state: ViewerState::Following,
            bytes,
            updates,
            round_trip: Some(Duration::from_micros(1234)),
            throughput: None,
            has_slow_link: false,
            in_flight: 7,
            room: 16_384,
            queued: 3,
            queued_bytes: 300,
            damaged_pixels: 0,
            squashes: 1,
        };
        Viewer {
            id: ClientId(id),
            peer: Peer::Ip("127.0.0.1:4000".parse().unwrap()),
            transport: Transport::Plain,
            credential: Credential::Nothing,
            role: Role::Control,
            permissions: Permissions::all(),
            connected: Duration::from_millis(61_500),
            channels: vec![(ChannelType::MAIN, ChannelId(0)), (ChannelType::DISPLAY, ChannelId(0))],
            displays: vec![ViewerDisplay { id: ChannelId(0), stats }],
        }
    }

    fn rates(line: &ViewerLine) -> (f64, f64) {
        (line.updates_per_s, line.bytes_per_s)
    }

    #[test]
    fn rates_are_of_the_time_since_the_last_look() {
        let mut seen = Rates::since(&[viewer(1, 1000, 10), viewer(2, 0, 0)]);
        let lines = seen.lines(&[viewer(1, 3000, 40), viewer(2, 0, 0)], SECOND);
        assert_eq!(lines.iter().map(rates).collect::<Vec<_>>(), [(30.0, 2000.0), (0.0, 0.0)]);
        let lines = seen.lines(&[viewer(1, 4000, 41)], SECOND * 2);
        assert_eq!(lines.iter().map(rates).collect::<Vec<_>>(), [(0.5, 500.0)]);
    }

    #[test]
    fn one_that_has_just_come_counts_from_its_beginning() {
        let new = Viewer { connected: Duration::from_millis(250), ..viewer(5, 1000, 10) };
        let lines = Rates::default().lines(&[new], SECOND);
        assert_eq!(rates(&lines[0]), (40.0, 4000.0));
    }

    #[test]
    fn a_display_that_was_linked_anew_counts_from_nothing() {
        let mut seen = Rates::since(&[viewer(1, 1_000_000, 1000)]);
        let lines = seen.lines(&[viewer(1, 500, 5)], SECOND);
        assert_eq!(rates(&lines[0]), (5.0, 500.0));
        // And time that stood still is no division by it.
        assert!(seen.lines(&[viewer(1, 600, 6)], Duration::ZERO)[0].updates_per_s.is_finite());
    }

    #[test]
    fn a_viewer_without_a_display_is_listed() {
        let only_main =
            Viewer { channels: vec![(ChannelType::MAIN, ChannelId(0))], displays: vec![], ..viewer(3, 0, 0) };
        let lines = Rates::default().lines(&[only_main], SECOND);
        assert_eq!((lines[0].state, lines[0].display), (State::NoDisplay, None));
        assert_eq!(lines[0].channels, ["main"]);
    }

    #[test]
    fn a_line_is_read_back_and_states_have_their_names() {
        let mut line = Rates::default().lines(&[viewer(1, 1000, 10)], SECOND).remove(0);
        for state in ViewerState::ALL {
            line.state = state.into();
            assert_eq!(line.state.name(), state.name());
            let text = crate::stats::json(&line);
            assert!(text.contains(&format!("\"state\":\"{state}\"")), "{text}");
            assert_eq!(serde_json::from_str::<ViewerLine>(&text).unwrap(), line);
        }
    }
}
