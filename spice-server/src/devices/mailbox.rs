//! What a host has said to the viewer of a device, until it becomes messages.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use spice_proto::port::PortEvent;
use tokio::sync::mpsc::WeakUnboundedSender;

use super::SendError;
use crate::reds::RedsEvent;

/// Bytes that may wait for a viewer (`QUEUED_DATA_LIMIT` in the C server's `spicevmc.cpp`).
pub(crate) const MAX_WAITING: usize = 1 << 20;

/// What a thing that waits costs beside its bytes, so that small ones are bounded, too.
const ITEM: usize = 64;

/// The most bytes of one message; more are sent as several.
const MAX_PIECE: usize = 64 << 10;

/// Wakes the owner of the channels. However often it is rung, one event waits there.
pub(crate) struct Bell {
    rung: AtomicBool,
    reds: WeakUnboundedSender<RedsEvent>,
    event: Box<dyn Fn() -> RedsEvent + Send + Sync>,
}

impl Bell {
    pub(crate) fn new(
        reds: WeakUnboundedSender<RedsEvent>,
        event: impl Fn() -> RedsEvent + Send + Sync + 'static,
    ) -> Self {
        Self { rung: AtomicBool::new(false), reds, event: Box::new(event) }
    }

    /// Has the owner look. May be called from any thread.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel)
            && let Some(reds) = self.reds.upgrade()
        {
            let _ = reds.send((self.event)());
        }
    }

    /// The owner looks now: what happens from here on rings again.
    pub(crate) fn answer(&self) {
        self.rung.store(false, Ordering::Release);
    }
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("rung", &self.rung).finish_non_exhaustive()
    }
}

/// One thing that is to be said to a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Whether the guest has the port open, as the first thing that a viewer hears.
    Init(bool),
    /// What the device has written.
    Data(Bytes),
    /// The same of a device whose messages have to be told apart, with the number of the viewer that it was meant for.
    Framed(u64, Bytes),
    /// What has become of the port.
    Event(PortEvent),
}

impl Item {
    fn weight(&self) -> usize {
        ITEM + if let Self::Data(data) | Self::Framed(_, data) = self { data.len() } else { 0 }
    }
}

/// Between a device's host, on whatever thread, and its channel. The lock is held to put something in or take it out.
#[derive(Debug)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    /// What the device writes is never left out, whoever is here: else nobody knew where its messages begin.
    framed: bool,
    pub(crate) bell: Bell,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the viewers that the device has had; what is meant for an earlier one goes to nobody.
    session: u64,
    /// Whether the last of them is still here.
    connected: bool,
    /// The device is gone: nobody is told anything any more.
    removed: bool,
    /// Whether the guest has the port open.
    opened: bool,
    queue: VecDeque<Item>,
    weight: usize,
    /// The host has been told that there is no room.
    hungry: bool,
}

impl State {
    fn push(&mut self, item: Item) {
        self.weight += item.weight();
        self.queue.push_back(item);
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.weight = 0;
        self.hungry = false;
    }

    fn has(&self, session: u64) -> bool {
        self.connected && !self.removed && self.session == session
    }

    fn room(&self) -> usize {
        MAX_WAITING.saturating_sub(self.weight + ITEM)
    }
}

impl Mailbox {
    pub(crate) fn new(bell: Bell) -> Self {
        Self { state: Mutex::default(), framed: false, bell }
    }

    /// One of a device whose messages have to be told apart.
    pub(crate) fn framed(bell: Bell) -> Self {
        Self { framed: true, ..Self::new(bell) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A viewer has the device now. Answers its number. With `greets`, it hears first whether the port is open.
    pub(crate) fn connect(&self, greets: bool) -> u64 {
        let mut state = self.lock();
        if !self.framed {
            state.clear();
        }
        state.session += 1;
        state.connected = true;
        if greets {
            let opened = state.opened;
            state.push(Item::Init(opened));
        }
        state.session
    }

    /// The viewer is gone, and with it what waited for it.
    pub(crate) fn disconnect(&self) {
        let mut state = self.lock();
        if !self.framed {
            state.clear();
        }
        state.connected = false;
    }

    /// The device is gone.
    pub(crate) fn remove(&self) {
        let mut state = self.lock();
        state.clear();
        state.removed = true;
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.lock().removed
    }

    /// Bytes that the host may send now; where there are none, it is told when there are again.
    pub(crate) fn room(&self, session: u64) -> usize {
        let mut state = self.lock();
        if !state.has(session) {
            return 0;
        }
        let room = state.room();
        state.hungry |= room == 0;
        room
    }

    /// Takes what the device has written.
    pub(crate) fn send(&self, session: u64, data: Bytes) -> Result<(), SendError> {
        let mut state = self.lock();
        if !state.has(session) && (state.removed || !self.framed) {
            return Err(SendError::NoViewer);
        }
        let room = state.room();
        if data.len() > room {
            state.hungry = true;
            return Err(SendError::Full { room });
        }
        if !data.is_empty() {
            state.push(if self.framed { Item::Framed(session, data) } else { Item::Data(data) });
            drop(state);
            self.bell.ring();
        }
        Ok(())
    }

    /// Something has become of the port. A viewer that does not read hears of the last thing, not of all.
    pub(crate) fn port_event(&self, event: PortEvent) {
        let mut state = self.lock();
        match event {
            PortEvent::OPENED => state.opened = true,
            PortEvent::CLOSED => state.opened = false,
            _ => {}
        }
        if !state.connected || state.removed || state.queue.back() == Some(&Item::Event(event)) {
            return;
        }
        if state.room() == 0
            && let Some(last) = state.queue.iter().rposition(|item| matches!(item, Item::Event(_)))
        {
            state.queue.remove(last);
            state.weight -= ITEM;
        }
        state.push(Item::Event(event));
        drop(state);
        self.bell.ring();
    }

    /// What is said next: data in pieces of at most 64 KiB.
    pub(crate) fn pop(&self) -> Option<Item> {
        let mut state = self.lock();
        if let Some(Item::Data(data)) = state.queue.front_mut()
            && data.len() > MAX_PIECE
        {
            let piece = data.split_to(MAX_PIECE);
            state.weight -= MAX_PIECE;
            return Some(Item::Data(piece));
        }
        let item = state.queue.pop_front()?;
        state.weight -= item.weight();
        Some(item)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// Whether the host is to be told that there is room again, which is once half of it is free.
    pub(crate) fn take_room(&self) -> bool {
        let mut state = self.lock();
        let tell = state.hungry && state.weight <= MAX_WAITING / 2 && state.connected && !state.removed;
        state.hungry &= !tell;
        tell
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use spice_proto::{ChannelId, ChannelType};

    fn mailbox() -> (Mailbox, tokio::sync::mpsc::UnboundedReceiver<RedsEvent>, crate::reds::RedsHandle) {
        let (reds, events) = unbounded_channel();
        let bell = Bell::new(reds.downgrade(), || RedsEvent::Device(ChannelType::PORT, ChannelId(0)));
        (Mailbox::new(bell), events, reds)
    }

    #[test]
    fn a_bell_that_is_rung_again_and_again_is_one_event_until_it_is_answered() {
        let (mailbox, mut events, _reds) = mailbox();
        let session = mailbox.connect(false);
        for _ in 0..1000 {
            mailbox.send(session, Bytes::from_static(b"x")).unwrap();
        }
        assert!(events.try_recv().is_ok() && events.try_recv().is_err());
        mailbox.bell.answer();
        mailbox.send(session, Bytes::from_static(b"x")).unwrap();
        assert!(events.try_recv().is_ok());
    }

    #[test]
    fn a_viewer_that_does_not_read_costs_a_mebibyte_and_the_host_is_told_of_room_once() {
        let (mailbox, _events, _reds) = mailbox();
        let session = mailbox.connect(false);
        let mut sent = 0;
        while mailbox.send(session, Bytes::from_static(&[7; 100])).is_ok() {
            sent += 1;
        }
        assert_eq!(sent, (MAX_WAITING - ITEM) / (100 + ITEM));
        assert!(!mailbox.take_room());
        let mut took = 0;
        while mailbox.weight() > MAX_WAITING / 2 {
            assert!(!mailbox.take_room());
            mailbox.pop().unwrap();
            took += 1;
        }
        assert!(took >= sent / 2 && mailbox.take_room() && !mailbox.take_room());
        assert_eq!(
            mailbox.send(session, vec![0; MAX_WAITING].into()),
            Err(SendError::Full { room: mailbox.room(session) })
        );
        assert_eq!(mailbox.send(session, vec![0; mailbox.room(session)].into()), Ok(()));
        assert_eq!(mailbox.room(session), 0);
    }

    #[test]
    fn what_is_meant_for_a_viewer_that_has_left_reaches_no_other() {
        let (mailbox, _events, _reds) = mailbox();
        let first = mailbox.connect(false);
        mailbox.send(first, Bytes::from_static(b"waits")).unwrap();
        mailbox.disconnect();
        let second = mailbox.connect(false);
        assert_eq!(mailbox.room(first), 0);
        assert_eq!(mailbox.send(first, Bytes::from_static(b"late")), Err(SendError::NoViewer));
        mailbox.send(second, Bytes::from_static(b"new")).unwrap();
        assert_eq!(mailbox.pop(), Some(Item::Data(Bytes::from_static(b"new"))));
        assert_eq!(mailbox.pop(), None);
    }

    #[test]
    fn a_port_that_opens_and_closes_for_ever_is_bounded_and_ends_as_it_is() {
        let (mailbox, _events, _reds) = mailbox();
        mailbox.port_event(PortEvent::OPENED);
        assert_eq!(mailbox.pop(), None, "nobody is here to hear it");
        let session = mailbox.connect(true);
        assert_eq!(mailbox.pop(), Some(Item::Init(true)));
        mailbox.send(session, vec![0; MAX_WAITING - 20 * ITEM].into()).unwrap();
        for _ in 0..100_000 {
            mailbox.port_event(PortEvent::CLOSED);
            mailbox.port_event(PortEvent::OPENED);
        }
        assert!(mailbox.weight() <= MAX_WAITING + ITEM);
        let items: Vec<_> = std::iter::from_fn(|| mailbox.pop()).collect();
        assert_eq!(items.last(), Some(&Item::Event(PortEvent::OPENED)));
        assert_eq!(mailbox.weight(), 0);
    }

    impl Mailbox {
        fn weight(&self) -> usize {
            self.lock().weight
        }
    }
}
