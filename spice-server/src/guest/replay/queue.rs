//! What lies between the thread that reads and the guest that plays.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use spice_display::qxl::GuestEvent;
use spice_display::qxl::recording::Refusal;

use crate::guest::GuestWaker;

/// A recorded event on its way to the player.
#[derive(Debug)]
pub(super) struct Played {
    /// Since the replay's first event, at the recorded pace.
    pub(super) at: Duration,
    pub(super) is_command: bool,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Event(GuestEvent),
    Refused(Refusal),
}

/// Events that are read ahead.
const MAX_EVENTS: usize = 64;
/// Bytes of them; a single event may have more.
const MAX_BYTES: u64 = 8 << 20;

/// A bounded queue from one reader to one player.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<(Played, u64)>,
    bytes: u64,
    /// The reader has nothing more.
    ended: bool,
    /// The player is gone.
    closed: bool,
    /// The player has found the queue empty.
    starved: bool,
    waker: Option<GuestWaker>,
}

/// What the player gets.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(super) enum Popped {
    Event(Played),
    /// Nothing yet; the waker is called when that changes.
    Empty,
    Ended,
}

/// The player is gone.
#[derive(Debug)]
pub(super) struct Closed;

impl Queue {
    /// Appends an event of so many bytes; waits for room.
    pub(super) fn push(&self, played: Played, bytes: u64) -> Result<(), Closed> {
        let mut state = self
            .room
            .wait_while(self.lock(), |state| !state.closed && !state.has_room(bytes))
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(Closed);
        }
        state.bytes += bytes;
        state.events.push_back((played, bytes));
        wake_starved(state);
        Ok(())
    }

    /// No event follows.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        wake_starved(state);
    }

    /// Takes the first event.
    pub(super) fn pop(&self) -> Popped {
        let mut state = self.lock();
        let Some((played, bytes)) = state.events.pop_front() else {
            if state.ended {
                return Popped::Ended;
            }
            state.starved = true;
            return Popped::Empty;
        };
        state.bytes -= bytes;
        // The reader is woken for many events at a time.
        if state.events.len() <= MAX_EVENTS / 2 && state.bytes <= MAX_BYTES / 2 {
            self.room.notify_one();
        }
        Popped::Event(played)
    }

    /// Names who is woken when the queue has been found empty.
    pub(super) fn attach(&self, waker: GuestWaker) {
        let mut state = self.lock();
        let missed = !state.starved && (state.ended || !state.events.is_empty());
        let waker = state.waker.insert(waker).clone();
        drop(state);
        if missed {
            waker.wake();
        }
    }

    /// Wakes the player's owner for another reason than an event.
    pub(super) fn wake(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Lets go of everything; the reader stops at its next event.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.events.clear();
        state.bytes = 0;
        drop(state);
        self.room.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self, bytes: u64) -> bool {
        self.events.is_empty()
            || (self.events.len() < MAX_EVENTS && self.bytes.saturating_add(bytes) <= MAX_BYTES)
    }
}

fn wake_starved(mut state: MutexGuard<'_, State>) {
    if !core::mem::take(&mut state.starved) {
        return;
    }
    let waker = state.waker.clone();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
