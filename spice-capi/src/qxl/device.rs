//! A device as the host's threads see it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use spice_server::guest::GuestWaker;

use super::request::{Dirty, Done, Request, What};

/// The way to a device's worker: requests that it takes in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Device {
    requests: Mutex<Requests>,
    waker: OnceLock<GuestWaker>,
    runs: AtomicBool,
    /// Viewers to which this device is known by this id.
    id: u8,
}

#[derive(Debug, Default)]
struct Requests {
    list: VecDeque<Request>,
    /// The worker is gone: nothing that is asked for happens any more.
    ended: bool,
}

impl Device {
    /// A device that stands still until it is told to run.
    pub(crate) fn new(id: u8) -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::default(),
            waker: OnceLock::new(),
            runs: AtomicBool::new(false),
            id,
        })
    }

    pub(crate) fn id(&self) -> u8 {
        self.id
    }

    /// The worker can be woken from now on.
    pub(super) fn attach(&self, waker: GuestWaker) {
        let _ = self.waker.set(waker);
    }

    /// Says that there may be something new in the rings. From any thread, at no cost.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    fn ask(&self, what: What, done: Done) -> bool {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.ended {
            return false;
        }
        requests.list.push_back(Request { what, done });
        drop(requests);
        self.wake();
        true
    }

    /// Asks for something, and does not wait.
    pub(crate) fn post(&self, what: What) {
        self.ask(what, Done::Nobody);
    }

    /// Asks for something, and waits until it is done: for what the worker has to paint for it, never for a viewer.
    pub(crate) fn call(&self, what: What) -> Dirty {
        let (done, answer) = sync_channel(1);
        if !self.ask(what, Done::Waits(done)) {
            return Dirty::new();
        }
        // An error is a worker that has ended meanwhile.
        answer.recv().unwrap_or_default()
    }

    /// Asks for something; the host is told by its cookie.
    pub(crate) fn start(&self, what: What, cookie: u64) {
        self.ask(what, Done::Cookie(cookie));
    }

    /// The machine runs or stands still. In the latter case nothing is taken from the rings any more when this returns.
    pub(crate) fn set_running(&self, runs: bool) {
        self.runs.store(runs, Ordering::Release);
        if runs {
            self.wake();
        } else {
            self.call(What::Stop);
        }
    }

    pub(super) fn runs(&self) -> bool {
        self.runs.load(Ordering::Acquire)
    }

    pub(super) fn next(&self) -> Option<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).list.pop_front()
    }

    /// Nobody takes requests any more; who waits for one is let go.
    pub(super) fn end(&self) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.ended = true;
        requests.list.clear();
    }
}
