//! A desktop that moves away, and its viewers with it.
//!
//! ```text
//! begin  ->  MigrateBegin to each viewer that can link to the target beforehand
//!            .. MigrateConnected, MigrateConnectError or nothing for too long
//!        <-  Connected
//! end    ->  MigrateEnd to those that are there, MigrateSwitchHost to the others;
//!            MigrateCancel where the desktop stays after all
//!            .. they leave, or are ended
//!        <-  Ended
//! ```
//!
//! The first way is called semi-seamless, the second switch-host (`SPICE_MAIN_CAP_SEMI_SEAMLESS_MIGRATE`; upstream's
//! `main-channel-client.cpp`).

use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;
use spice_channel::{ClientId, RedChannelClient, Time};
use spice_proto::main::{DstInfo, MigrateSwitchHost, ServerMessage};

use crate::migration::{MigrationEvent, MigrationSink, MigrationTarget};

/// How long viewers may take to reach the target, and then to leave for it (upstream's `MIGRATE_TIMEOUT`).
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the desktop goes, and for whom that waits.
#[derive(Debug, Default)]
pub(crate) struct Departure {
    target: Option<MigrationTarget>,
    sink: Option<MigrationSink>,
    awaited: Option<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    event: MigrationEvent,
    viewers: BTreeSet<ClientId>,
    until: Time,
}

/// What a viewer has yet to be told of the departure.
#[derive(Debug, Default)]
pub(crate) struct DepartureSeat {
    /// It can link to the target beforehand.
    can_begin: bool,
    stage: Stage,
    begin_due: bool,
    cancel_due: bool,
    end_due: bool,
    switch_due: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// It was never asked to go.
    #[default]
    Here,
    /// It is on its way to the target.
    Going,
    /// It is linked to the target, too.
    There,
    /// What it may still say has come to nothing.
    Over,
}

impl DepartureSeat {
    pub(crate) fn new(can_begin: bool) -> Self {
        Self { can_begin, ..Self::default() }
    }

    fn begin(&mut self) {
        *self = Self { can_begin: true, stage: Stage::Going, begin_due: true, ..Self::default() };
    }

    /// It is not to link to the target, or to leave it again.
    fn cancel(&mut self) {
        if matches!(self.stage, Stage::Going | Stage::There) {
            // Who has not been told yet need not be.
            self.cancel_due = !std::mem::take(&mut self.begin_due);
            self.stage = Stage::Over;
        }
    }

    fn leave(&mut self) {
        if self.stage == Stage::There {
            self.stage = Stage::Over;
            self.end_due = true;
        } else {
            self.cancel();
            self.switch_due = true;
        }
    }

    /// It says whether it is linked to the target. False where nobody has asked.
    #[must_use]
    pub(crate) fn answer(&mut self, is_there: bool) -> bool {
        if self.stage == Stage::Going {
            self.stage = if is_there { Stage::There } else { Stage::Over };
        }
        self.stage != Stage::Here
    }
}

impl Departure {
    /// The desktop is about to move: the viewers that can link to the target are to do so.
    pub(crate) fn begin<'a>(
        &mut self,
        target: MigrationTarget,
        sink: MigrationSink,
        seats: impl Iterator<Item = (ClientId, &'a mut DepartureSeat)>,
        now: Time,
    ) {
        self.finish();
        (self.target, self.sink) = (Some(target), Some(sink));
        let able = seats.filter(|(_, seat)| seat.can_begin);
        let viewers = able.map(|(id, seat)| {
            seat.begin();
            id
        });
        self.await_viewers(MigrationEvent::Connected, viewers.collect(), now);
    }

    /// The desktop has moved, and its viewers are to follow; or it stays, and so do they.
    pub(crate) fn end<'a>(
        &mut self,
        moved: bool,
        seats: impl Iterator<Item = (ClientId, &'a mut DepartureSeat)>,
        now: Time,
    ) {
        self.finish();
        let mut viewers = BTreeSet::new();
        for (id, seat) in seats {
            if moved && self.target.is_some() {
                seat.leave();
                viewers.insert(id);
            } else {
                seat.cancel();
            }
        }
        self.await_viewers(MigrationEvent::Ended, viewers, now);
    }

    /// Sends viewers to a target, and does not look after them.
    pub(crate) fn switch<'a>(
        &mut self,
        target: MigrationTarget,
        seats: impl Iterator<Item = (ClientId, &'a mut DepartureSeat)>,
    ) {
        self.target = Some(target);
        seats.for_each(|(_, seat)| seat.switch_due = true);
    }

    fn await_viewers(&mut self, event: MigrationEvent, viewers: BTreeSet<ClientId>, now: Time) {
        self.awaited = Some(Awaited { event, viewers, until: now + PATIENCE });
        self.settle();
    }

    /// A viewer has said whether it is there.
    pub(crate) fn handle_answer(&mut self, viewer: ClientId) {
        if let Some(awaited) = &mut self.awaited
            && awaited.event == MigrationEvent::Connected
        {
            awaited.viewers.remove(&viewer);
        }
        self.settle();
    }

    /// A viewer has left.
    pub(crate) fn handle_left(&mut self, viewer: ClientId) {
        if let Some(awaited) = &mut self.awaited {
            awaited.viewers.remove(&viewer);
        }
        self.settle();
    }

    /// Nobody is waited for any longer, once the time is over. Tells who should have left by now, and has not.
    pub(crate) fn handle_timeout<'a>(
        &mut self,
        seats: impl Iterator<Item = (ClientId, &'a mut DepartureSeat)>,
        now: Time,
    ) -> BTreeSet<ClientId> {
        let Some(awaited) = self.awaited.take_if(|awaited| awaited.until <= now) else {
            return BTreeSet::new();
        };
        self.tell(awaited.event);
        if awaited.event == MigrationEvent::Ended {
            return awaited.viewers;
        }
        let late = seats.filter(|(id, _)| awaited.viewers.contains(id));
        late.for_each(|(_, seat)| seat.cancel());
        BTreeSet::new()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.awaited.as_ref().map(|awaited| awaited.until)
    }

    /// Says that what is waited for is there, if nobody is left to wait for.
    fn settle(&mut self) {
        if self.awaited.as_ref().is_some_and(|awaited| awaited.viewers.is_empty()) {
            self.finish();
        }
    }

    /// Waits no longer.
    fn finish(&mut self) {
        if let Some(awaited) = self.awaited.take() {
            self.tell(awaited.event);
        }
    }

    fn tell(&mut self, event: MigrationEvent) {
        if let Some(sink) = &self.sink {
            sink.tell(event);
        }
        if event == MigrationEvent::Ended {
            (self.sink, self.target) = (None, None);
        }
    }

    /// Tells a viewer what it has yet to be told.
    pub(crate) fn poll_viewer(&self, seat: &mut DepartureSeat, red: &mut RedChannelClient) {
        let mut send = |message: ServerMessage| red.send(message.id(), &message.encode());
        if std::mem::take(&mut seat.cancel_due) {
            send(ServerMessage::MigrateCancel);
        }
        let Some(target) = &self.target else { return };
        if std::mem::take(&mut seat.begin_due) {
            send(ServerMessage::MigrateBegin(target.begin()));
        }
        if std::mem::take(&mut seat.end_due) {
            send(ServerMessage::MigrateEnd);
        }
        if std::mem::take(&mut seat.switch_due) {
            send(ServerMessage::MigrateSwitchHost(target.switch()));
        }
    }
}

impl MigrationTarget {
    fn begin(&self) -> DstInfo {
        DstInfo {
            port: self.port.unwrap_or(0),
            sport: self.secure_port.unwrap_or(0),
            host: self.host.clone().into(),
            cert_subject: self.subject.clone().map(Bytes::from),
        }
    }

    fn switch(&self) -> MigrateSwitchHost {
        let DstInfo { port, sport, host, cert_subject } = self.begin();
        MigrateSwitchHost { port, sport, host: Some(host), cert_subject }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::mpsc::{Receiver, channel};

    use spice_proto::HeaderKind;

    use super::*;

    /// Viewers 1 and 2 can link to the target beforehand, and 3 cannot.
    struct Desk {
        departure: Departure,
        seats: BTreeMap<ClientId, DepartureSeat>,
        sink: MigrationSink,
        events: Receiver<MigrationEvent>,
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn target() -> MigrationTarget {
        MigrationTarget { host: "target".into(), port: Some(5901), secure_port: None, subject: None }
    }

    impl Desk {
        fn new() -> Self {
            let (sender, events) = channel();
            let sink = MigrationSink::new(move |event| sender.send(event).unwrap());
            let seats = [(1, true), (2, true), (3, false)];
            let seats = seats.map(|(id, can)| (ClientId(id), DepartureSeat::new(can))).into();
            Self { departure: Departure::default(), seats, sink, events }
        }

        fn begin(&mut self, now: Time) {
            let seats = self.seats.iter_mut().map(|(id, seat)| (*id, seat));
            self.departure.begin(target(), self.sink.clone(), seats, now);
        }

        fn end(&mut self, moved: bool, now: Time) {
            let seats = self.seats.iter_mut().map(|(id, seat)| (*id, seat));
            self.departure.end(moved, seats, now);
        }

        fn timeout(&mut self, now: Time) -> Vec<u64> {
            let seats = self.seats.iter_mut().map(|(id, seat)| (*id, seat));
            self.departure.handle_timeout(seats, now).into_iter().map(|id| id.0).collect()
        }

        fn answer(&mut self, viewer: u64, is_there: bool) -> bool {
            let asked = self.seats.get_mut(&ClientId(viewer)).unwrap().answer(is_there);
            self.departure.handle_answer(ClientId(viewer));
            asked
        }

        fn leave(&mut self, viewer: u64) {
            self.seats.remove(&ClientId(viewer));
            self.departure.handle_left(ClientId(viewer));
        }

        /// The numbers of the main channel's own messages that a viewer gets.
        fn told(&mut self, viewer: u64) -> Vec<u16> {
            let mut red = RedChannelClient::new(HeaderKind::Mini, Default::default(), Time::ZERO);
            let seat = self.seats.get_mut(&ClientId(viewer)).unwrap();
            self.departure.poll_viewer(seat, &mut red);
            let Some(transmit) = red.poll_transmit(Time::ZERO) else { return Vec::new() };
            let bytes = Bytes::from(transmit.pieces.concat());
            let (mut at, mut told) = (0, Vec::new());
            while at < bytes.len() {
                let id = u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap());
                let size = u32::from_le_bytes(bytes[at + 2..at + 6].try_into().unwrap());
                told.extend((id > 100).then_some(id));
                at += 6 + size as usize;
            }
            told
        }

        fn events(&self) -> Vec<MigrationEvent> {
            self.events.try_iter().collect()
        }
    }

    const BEGIN: u16 = 101;
    const CANCEL: u16 = 102;
    const SWITCH: u16 = 111;
    const END: u16 = 112;

    #[test]
    fn viewers_that_can_go_beforehand_do_and_the_others_are_sent_in_the_end() {
        let mut desk = Desk::new();
        desk.begin(at(0));
        assert_eq!([1, 2, 3].map(|id| desk.told(id)), [vec![BEGIN], vec![BEGIN], vec![]]);
        assert!(desk.answer(1, true));
        assert_eq!(desk.events(), []);
        assert!(desk.answer(2, false));
        assert_eq!(desk.events(), [MigrationEvent::Connected]);
        desk.end(true, at(3));
        assert_eq!([1, 2, 3].map(|id| desk.told(id)), [vec![END], vec![SWITCH], vec![SWITCH]]);
        (1..=2).for_each(|id| desk.leave(id));
        assert_eq!(desk.events(), []);
        desk.leave(3);
        assert_eq!(desk.events(), [MigrationEvent::Ended]);
        assert_eq!(desk.departure.poll_timeout(), None);
    }

    #[test]
    fn who_says_nothing_for_too_long_is_called_back_and_sent_in_the_end() {
        let mut desk = Desk::new();
        desk.begin(at(0));
        desk.told(1);
        assert!(desk.answer(2, true));
        assert_eq!(desk.timeout(at(9)), []);
        assert_eq!(desk.timeout(at(10)), []);
        assert_eq!(desk.events(), [MigrationEvent::Connected]);
        assert_eq!(desk.told(1), [CANCEL]);
        // It was on its way when it was called back.
        assert!(desk.answer(1, true));
        desk.end(true, at(20));
        assert_eq!([1, 2].map(|id| desk.told(id).last().copied()), [Some(SWITCH), Some(END)]);
        assert_eq!(desk.timeout(at(30)), [1, 2, 3]);
        assert_eq!(desk.events(), [MigrationEvent::Ended]);
    }

    #[test]
    fn viewers_of_a_desktop_that_stays_are_called_back_if_they_have_been_told() {
        let mut desk = Desk::new();
        desk.begin(at(0));
        desk.told(1);
        assert!(desk.answer(1, true));
        desk.end(false, at(1));
        assert_eq!(desk.events(), [MigrationEvent::Connected, MigrationEvent::Ended]);
        assert_eq!([1, 2, 3].map(|id| desk.told(id)), [vec![CANCEL], vec![], vec![]]);
        desk.begin(at(2));
        assert_eq!([1, 2, 3].map(|id| desk.told(id)), [vec![BEGIN], vec![BEGIN], vec![]]);
    }

    #[test]
    fn who_was_not_asked_may_not_answer_and_nobody_waits_where_nobody_is() {
        let mut desk = Desk::new();
        assert!(!desk.answer(1, true));
        desk.begin(at(0));
        assert!(!desk.answer(3, true));
        (1..=3).for_each(|id| desk.leave(id));
        assert_eq!(desk.events(), [MigrationEvent::Connected]);
        desk.end(true, at(1));
        assert_eq!(desk.events(), [MigrationEvent::Ended]);
    }

    #[test]
    fn an_end_without_a_beginning_sends_nobody_anywhere() {
        let mut desk = Desk::new();
        desk.end(true, at(0));
        assert_eq!([1, 2, 3].map(|id| desk.told(id).len()), [0, 0, 0]);
    }
}
