//! A char device of the host: bytes between it and whoever has its channel.

use std::collections::VecDeque;
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use spice_server::ChannelType;
use spice_server::devices::{
    AgentEvent, AgentHandle, AgentPolicy, AgentWrite, DeviceData, DeviceEvent, DeviceHandle, DeviceLink,
};

use super::{Core, Timer};
use crate::abi::char_device::{NOTIFY_WRITABLE, SpiceCharDeviceInstance, SpiceCharDeviceInterface};

/// When a device that took nothing, and does not say when it will, is tried again, in milliseconds.
const RETRY_MS: u32 = 100;

/// Bytes that are read of a device at once.
const READ: usize = 16 << 10;

/// A char device. Only the host's thread uses it. The host's functions may call back into the library, so the lock is
/// held around none of them, and who comes back while one is under way leaves the work to the one that is.
pub(crate) struct CharDevice {
    instance: *mut SpiceCharDeviceInstance,
    state: Mutex<State>,
}

// SAFETY: only the host's thread uses the instance.
unsafe impl Send for CharDevice {}
// SAFETY: as above.
unsafe impl Sync for CharDevice {}

impl std::fmt::Debug for CharDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CharDevice").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    handle: Option<Handle>,
    /// Who has the device.
    link: Option<DeviceLink>,
    /// What waits for the device, and how much of the first it has taken.
    pending: VecDeque<Pending>,
    taken: usize,
    retry: Option<Timer>,
    work: Work,
}

/// The way to viewers.
#[derive(Clone, Debug)]
pub(crate) enum Handle {
    /// One of them has it.
    Device(Arc<DeviceHandle>),
    /// The server takes part in it.
    Agent(Arc<AgentHandle>),
}

/// Bytes for the device. Dropping them says that it has them.
enum Pending {
    Data(DeviceData),
    Agent(AgentWrite),
}

impl std::ops::Deref for Pending {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Data(data) => data,
            Self::Agent(write) => write,
        }
    }
}

impl State {
    fn is_smartcard(&self) -> bool {
        matches!(&self.handle, Some(Handle::Device(device)) if device.channel().0 == ChannelType::SMARTCARD)
    }

    /// Bytes that viewers have room for.
    fn room(&self) -> usize {
        match (&self.handle, &self.link) {
            (Some(Handle::Agent(agent)), _) => agent.room(),
            (_, Some(link)) => link.room(),
            _ => 0,
        }
    }
}

/// What is under way, and whether there is more of it.
#[derive(Default)]
struct Work {
    reading: bool,
    writing: bool,
    again: bool,
}

impl CharDevice {
    /// # Safety
    /// The instance and its interface stay where they are until [`Self::end`].
    pub(crate) unsafe fn new(instance: *mut SpiceCharDeviceInstance) -> Arc<Self> {
        Arc::new(Self { instance, state: Mutex::default() })
    }

    /// Gives it its way to viewers, and a timer.
    ///
    /// # Safety
    /// On the host's thread.
    pub(crate) unsafe fn attach(self: &Arc<Self>, core: &Core, handle: Handle) {
        let opaque = Arc::as_ptr(self).cast_mut().cast::<c_void>();
        // SAFETY: the timer goes with the device's end, which is before the device does.
        let retry = unsafe { core.timer(retry, opaque) };
        let is_agent = matches!(handle, Handle::Agent(_));
        let mut state = self.lock();
        state.handle = Some(handle);
        state.retry = retry;
        drop(state);
        if is_agent {
            self.set_connected(true);
            // What it has said before it was added is taken at once, as by the C library: no wakeup need come for it.
            self.read();
        }
    }

    /// What the agent may do has changed.
    pub(crate) fn set_policy(&self, policy: AgentPolicy) {
        if let Some(Handle::Agent(agent)) = &self.lock().handle {
            agent.set_policy(policy);
        }
    }

    pub(crate) fn handle_agent(&self, event: AgentEvent) {
        match event {
            AgentEvent::Write(write) => {
                self.lock().pending.push_back(Pending::Agent(write));
                self.write();
            }
            AgentEvent::Room => self.read(),
            AgentEvent::Failed => {
                self.lock().handle = None;
                self.set_connected(false);
            }
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interface(&self) -> &SpiceCharDeviceInterface {
        // SAFETY: by the contract of `new`; the interface of a char device is a SpiceCharDeviceInterface.
        unsafe { &*(*self.instance).base.sif.cast::<SpiceCharDeviceInterface>() }
    }

    /// Ends it: nothing of the host's is called any more.
    pub(crate) fn end(&self) {
        let state = std::mem::take(&mut *self.lock());
        drop(state);
    }

    pub(crate) fn handle(&self, event: DeviceEvent) {
        match event {
            DeviceEvent::Connected(link) => {
                self.lock().link = Some(link);
                self.set_connected(true);
                self.read();
            }
            DeviceEvent::Disconnected => {
                let mut state = self.lock();
                state.link = None;
                // A smartcard's messages stay whole, whoever had it.
                if !state.is_smartcard() {
                    state.pending.clear();
                    state.taken = 0;
                }
                drop(state);
                self.set_connected(false);
            }
            DeviceEvent::Data(data) => {
                self.lock().pending.push_back(Pending::Data(data));
                self.write();
            }
            DeviceEvent::PortEvent(event) => self.tell(event),
            DeviceEvent::Room => self.read(),
            _ => {}
        }
    }

    /// The device has something to read, or can be written to again.
    pub(crate) fn wake(&self) {
        self.write();
        self.read();
    }

    pub(crate) fn port_event(&self, event: u8) {
        if let Some(Handle::Device(handle)) = &self.lock().handle {
            handle.port_event(event);
        }
    }

    fn set_connected(&self, connected: bool) {
        if let Some(state) = self.interface().state {
            // SAFETY: the host's function, on its thread.
            unsafe { state(self.instance, connected.into()) };
        }
    }

    fn tell(&self, event: u8) {
        if let Some(tell) = self.interface().event {
            // SAFETY: the host's function, on its thread.
            unsafe { tell(self.instance, event) };
        }
    }

    /// Takes what the device has, as far as its viewer has room for it.
    fn read(&self) {
        let Some(read) = self.interface().read else { return };
        {
            let work = &mut self.lock().work;
            work.again = true;
            if std::mem::replace(&mut work.reading, true) {
                return;
            }
        }
        let mut buffer = vec![0; READ];
        loop {
            let mut state = self.lock();
            let (link, handle) = (state.link.clone(), state.handle.clone());
            let room = state.room().min(READ);
            let again = std::mem::take(&mut state.work.again);
            if room == 0 || !again {
                state.work.reading = false;
                return;
            }
            drop(state);
            // SAFETY: the host's function, on its thread, with so much room.
            let got = unsafe { read(self.instance, buffer.as_mut_ptr(), room as c_int) };
            let Some(data) = usize::try_from(got).ok().and_then(|got| buffer.get(..got)) else { continue };
            if data.is_empty() {
                continue;
            }
            let data = Bytes::copy_from_slice(data);
            // It fits, unless the viewer has left.
            let _ = match (handle, link) {
                (Some(Handle::Agent(agent)), _) => agent.send(data),
                (_, Some(link)) => link.send(data),
                _ => Ok(()),
            };
            self.lock().work.again = true;
        }
    }

    /// Gives the device what waits for it, as far as it takes it.
    fn write(&self) {
        let Some(write) = self.interface().write else { return };
        if std::mem::replace(&mut self.lock().work.writing, true) {
            return;
        }
        loop {
            let mut state = self.lock();
            let (taken, Some(pending)) = (state.taken, state.pending.pop_front()) else {
                state.work.writing = false;
                return;
            };
            drop(state);
            let next = pending.get(taken..).unwrap_or_default();
            let len = c_int::try_from(next.len()).unwrap_or(c_int::MAX);
            // SAFETY: the host's function, on its thread, with so many bytes.
            let took = if len == 0 { 0 } else { unsafe { write(self.instance, next.as_ptr(), len) } };
            let took = usize::try_from(took).unwrap_or(0).min(next.len());
            let all = took == next.len();
            let mut state = self.lock();
            // What a viewer had sent that has left meanwhile is not wanted any more.
            if all {
                state.taken = 0;
                drop(state);
                drop(pending);
                continue;
            }
            state.taken = taken + took;
            state.pending.push_front(pending);
            if took == 0 {
                state.work.writing = false;
                if self.interface().flags & NOTIFY_WRITABLE == 0
                    && let Some(retry) = &state.retry
                {
                    retry.start(RETRY_MS);
                }
                return;
            }
        }
    }
}

/// It is time to try a device again.
unsafe extern "C" fn retry(opaque: *mut c_void) {
    // SAFETY: the timer goes before the device does.
    let device = unsafe { &*opaque.cast::<CharDevice>() };
    crate::guard::guard("a char device's timer", (), || device.write());
}
