//! The guest's agent, as its host sees it: a device whose stream the server takes part in.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use spice_proto::agent::MonitorsConfig;

use super::mailbox::Mailbox;
use super::registry::Devices;
use super::{AttachAgentError, SendError};
use crate::reds::{RedsEvent, RedsHandle};

/// What viewers and the agent may do together. It may change at any time; messages that have begun are not cut.
#[derive(Clone, Debug)]
pub struct AgentPolicy {
    /// Whether they share clipboards.
    pub copypaste: bool,
    /// Whether viewers may send files.
    pub file_xfer: bool,
    /// Whether the agent moves the pointer, where viewers say its position.
    pub mouse: bool,
    /// Who takes what viewers say about their monitors, in the agent's place.
    pub monitors: Option<MonitorsSink>,
}

impl Default for AgentPolicy {
    /// Everything, and monitors are the agent's.
    fn default() -> Self {
        Self { copypaste: true, file_xfer: true, mouse: true, monitors: None }
    }
}

/// Takes how the guest is to arrange its monitors, 256 at most: called from the task that owns the viewers, so it must
/// not wait.
#[derive(Clone)]
pub struct MonitorsSink(Arc<dyn Fn(MonitorsConfig) + Send + Sync>);

impl MonitorsSink {
    /// A sink that hands what viewers say to `take`.
    pub fn new(take: impl Fn(MonitorsConfig) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    pub(crate) fn take(&self, config: MonitorsConfig) {
        (self.0)(config);
    }
}

impl fmt::Debug for MonitorsSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MonitorsSink")
    }
}

/// What happens to the agent's device.
#[derive(Debug)]
#[non_exhaustive]
pub enum AgentEvent {
    /// These bytes are to be written to it. Five writes at most are on their way at a time.
    Write(AgentWrite),
    /// [`AgentHandle::room`] was 0, or [`AgentHandle::send`] said that it is full; now half of the room is free.
    Room,
    /// What the agent has written is not its protocol, and nothing of it is understood any more. Viewers are told that
    /// it is gone; the host should detach it.
    Failed,
}

/// Takes what happens to the agent's device, in order: called from the task that owns the viewers, so it must not wait.
#[derive(Clone)]
pub struct AgentSink(Arc<dyn Fn(AgentEvent) + Send + Sync>);

impl AgentSink {
    /// A sink that hands events to `tell`.
    pub fn new(tell: impl Fn(AgentEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: AgentEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for AgentSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentSink")
    }
}

/// Bytes for the agent's device: whole chunks, a `VDIChunkHeader` and what it announces. Dropping it says that the
/// device has them, and lets whoever sent them send more.
#[derive(Debug)]
pub struct AgentWrite {
    bytes: Bytes,
    port: Arc<AgentPort>,
}

impl AgentWrite {
    pub(crate) fn new(bytes: Bytes, port: &Arc<AgentPort>) -> Self {
        port.writes.fetch_add(1, Ordering::AcqRel);
        Self { bytes, port: Arc::clone(port) }
    }
}

impl Deref for AgentWrite {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for AgentWrite {
    fn drop(&mut self) {
        self.port.writes.fetch_sub(1, Ordering::AcqRel);
        self.port.mailbox.bell.ring();
    }
}

/// Between the agent's host and the task that owns the viewers.
#[derive(Debug)]
pub(crate) struct AgentPort {
    pub(crate) mailbox: Mailbox,
    session: u64,
    /// Writes that the host has and has not dropped.
    writes: AtomicUsize,
}

impl AgentPort {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        let session = mailbox.connect(false);
        Self { mailbox, session, writes: AtomicUsize::new(0) }
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::Acquire)
    }
}

/// What the viewers' owner is given of an agent.
#[derive(Debug)]
pub(crate) struct NewAgent {
    pub(crate) port: Arc<AgentPort>,
    pub(crate) sink: AgentSink,
    pub(crate) policy: AgentPolicy,
}

/// The guest's agent in its host's hands. Dropping it detaches the agent.
#[derive(Debug)]
pub struct AgentHandle {
    devices: Arc<Devices>,
    port: Arc<AgentPort>,
}

impl AgentHandle {
    pub(crate) fn new(devices: Arc<Devices>, port: Arc<AgentPort>) -> Self {
        Self { devices, port }
    }

    /// Sends what was read from the agent's device, in whatever pieces: all of it or nothing. Where no viewer takes part
    /// in the agent's protocol, it is dropped.
    ///
    /// # Errors
    /// More bytes than [`Self::room`].
    pub fn send(&self, data: Bytes) -> Result<(), SendError> {
        self.port.mailbox.send(self.port.session, data)
    }

    /// Bytes that may be sent now: less than 1 MiB. At 0, [`AgentEvent::Room`] follows when there is room again.
    #[must_use]
    pub fn room(&self) -> usize {
        self.port.mailbox.room(self.port.session)
    }

    /// What viewers and the agent may do together from now on.
    pub fn set_policy(&self, policy: AgentPolicy) {
        self.devices.tell(RedsEvent::AgentPolicy(policy));
    }

    /// Says that the agent is gone; a call of its sink that has begun may end after this.
    pub fn detach(self) {
        drop(self);
    }
}

impl Drop for AgentHandle {
    fn drop(&mut self) {
        self.port.mailbox.remove();
        self.devices.detach_agent();
    }
}

impl Devices {
    /// Attaches the guest's agent, if none is.
    pub(crate) fn attach_agent(
        self: &Arc<Self>,
        sink: AgentSink,
        policy: AgentPolicy,
    ) -> Result<AgentHandle, AttachAgentError> {
        let mailbox = Mailbox::new(self.bell(|| RedsEvent::Agent));
        let port = Arc::new(AgentPort::new(mailbox));
        let agent = NewAgent { port: Arc::clone(&port), sink, policy };
        self.take_agent(|reds: &RedsHandle| drop(reds.send(RedsEvent::AttachAgent(agent))))?;
        Ok(AgentHandle::new(Arc::clone(self), port))
    }
}
