//! Devices beside the screen: USB, ports, shared folders, smartcards, and the guest's agent, as their host sees them.
//!
//! A host gives the server a device with [`Control::add_device`](crate::Control::add_device). The server tells it what
//! happens through a [`DeviceSink`]; the host answers through the [`DeviceLink`] of the viewer that has the device:
//!
//! ```text
//! viewer                server                         host
//! links the channel  -> DeviceEvent::Connected(link) -> opens the device
//! Data               -> DeviceEvent::Data            -> writes to the device, and drops it
//!                    <- DeviceLink::send             <- reads from the device, while there is room
//! leaves             -> DeviceEvent::Disconnected    -> closes the device
//! ```
//!
//! One viewer has a device at a time: the first that links its channel. Nothing here waits and nothing piles up: what a
//! viewer does not read stays in the device, and what a device does not take stays with the viewer.

mod agent;
mod handle;
mod mailbox;
mod registry;

#[cfg(test)]
pub(crate) use agent::AgentPort;
pub(crate) use agent::NewAgent;
pub use agent::{AgentEvent, AgentHandle, AgentPolicy, AgentSink, AgentWrite, MonitorsSink};
pub(crate) use handle::Intake;
#[cfg(test)]
pub(crate) use handle::RECEIPT_LIMIT;
pub use handle::{DeviceData, DeviceEvent, DeviceHandle, DeviceLink, DeviceSink, SendError};
#[cfg(test)]
pub(crate) use mailbox::{Bell, MAX_WAITING};
pub(crate) use mailbox::{Item, Mailbox};
pub(crate) use registry::Devices;
pub use registry::{AddDeviceError, AttachAgentError, DeviceKind};
