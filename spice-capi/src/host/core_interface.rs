//! `SpiceCoreInterface`: the host's loop.

use std::ffi::{c_int, c_void};

use crate::abi::base::{
    SpiceChannelEventInfo, SpiceCoreInterface, SpiceTimer, SpiceWatch, TimerFunc, WATCH_READ, WatchFunc,
};

/// The host's loop. What it calls back is called on the host's thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core(SpiceCoreInterface);

// SAFETY: it is a table of functions, and only the host's thread calls them.
unsafe impl Send for Core {}
// SAFETY: as above.
unsafe impl Sync for Core {}

impl Core {
    /// # Safety
    /// The functions of the table are the host's and stay what they are.
    pub(crate) const unsafe fn new(table: SpiceCoreInterface) -> Self {
        Self(table)
    }

    /// # Safety
    /// To be called on the host's thread, with `opaque` being what `func` expects until the watch is removed.
    pub(crate) unsafe fn watch(&self, fd: c_int, func: WatchFunc, opaque: *mut c_void) -> Option<Watch> {
        // SAFETY: the host's function, with a descriptor that outlives the watch.
        let watch = unsafe { self.0.watch_add?(fd, WATCH_READ, func, opaque) };
        (!watch.is_null()).then_some(Watch { core: *self, watch })
    }

    /// A timer that does not run yet.
    ///
    /// # Safety
    /// To be called on the host's thread, with `opaque` being what `func` expects until the timer is dropped, which is
    /// done on the host's thread.
    pub(crate) unsafe fn timer(&self, func: TimerFunc, opaque: *mut c_void) -> Option<Timer> {
        // SAFETY: the host's function.
        let timer = unsafe { self.0.timer_add?(func, opaque) };
        (!timer.is_null()).then_some(Timer { core: *self, timer })
    }

    /// # Safety
    /// To be called on the host's thread, with an `info` that lives until the host has heard of its end.
    pub(crate) unsafe fn channel_event(&self, event: c_int, info: *mut SpiceChannelEventInfo) {
        if let Some(tell) = self.0.channel_event {
            // SAFETY: the host's function; the caller answers for `info`.
            unsafe { tell(event, info) };
        }
    }
}

/// A watch, until it is dropped, on the host's thread.
#[derive(Debug)]
pub(crate) struct Watch {
    core: Core,
    watch: *mut SpiceWatch,
}

// SAFETY: only the host's thread uses it.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(remove) = self.core.0.watch_remove {
            // SAFETY: the watch is the host's own, and is removed once.
            unsafe { remove(self.watch) };
        }
    }
}

/// A timer, until it is dropped, on the host's thread.
#[derive(Debug)]
pub(crate) struct Timer {
    core: Core,
    timer: *mut SpiceTimer,
}

// SAFETY: only the host's thread uses it.
unsafe impl Send for Timer {}
// SAFETY: as above.
unsafe impl Sync for Timer {}

impl Timer {
    /// Runs it once, `ms` milliseconds from now.
    pub(crate) fn start(&self, ms: u32) {
        if let Some(start) = self.core.0.timer_start {
            // SAFETY: the timer is the host's own, and there still.
            unsafe { start(self.timer, ms) };
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(remove) = self.core.0.timer_remove {
            // SAFETY: the timer is the host's own, and is removed once.
            unsafe { remove(self.timer) };
        }
    }
}
