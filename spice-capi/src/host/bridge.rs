//! From the server's threads to the host's: what the host expects on its own thread waits here until its loop calls.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

use crate::server::SpiceServer;

/// Something to be done on the host's thread.
type Call = Box<dyn FnOnce(&SpiceServer) + Send>;

/// Calls that are made before the host's loop has its turn again.
const BATCH: usize = 256;

/// Calls for the host's thread, in the order in which they came. What fills it is bounded by itself: input keeps its
/// place in the read-ahead of its connection, a connection is told of twice.
#[derive(Debug)]
pub(crate) struct Bridge {
    ready: OwnedFd,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls(VecDeque<Call>);

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} calls", self.0.len())
    }
}

impl Bridge {
    pub(crate) fn new() -> std::io::Result<Self> {
        let ready = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { ready, calls: Mutex::default() })
    }

    /// Readable while there is a call to be made.
    pub(crate) fn fd(&self) -> i32 {
        self.ready.as_raw_fd()
    }

    /// Has something done on the host's thread. May be called from any.
    pub(crate) fn post(&self, call: impl FnOnce(&SpiceServer) + Send + 'static) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.0.push_back(Box::new(call));
        if calls.0.len() == 1 {
            self.wake();
        }
    }

    fn wake(&self) {
        // It only fails when it is readable already.
        let _ = write(&self.ready, &1u64.to_ne_bytes());
    }

    fn next(&self) -> Option<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).0.pop_front()
    }

    /// Makes the calls. Only the host's thread does, when the descriptor is readable.
    pub(crate) fn run(&self, server: &SpiceServer) {
        let _ = read(&self.ready, &mut [0; 8]);
        for _ in 0..BATCH {
            let Some(call) = self.next() else { return };
            crate::guard::guard("a call on the host's thread", (), || call(server));
        }
        self.wake();
    }
}
