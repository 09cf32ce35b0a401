//! QXL devices of the host.

mod device;
mod guest;
mod memory;
mod request;
mod ring;
mod surfaces;

pub(crate) use device::Device;
pub(crate) use guest::QxlGuest;
pub(crate) use request::What;
pub(crate) use ring::Host;
