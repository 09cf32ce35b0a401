//! `libspice-server.so.1`: this workspace's server under the interface of the C library, so that QEMU or Xspice runs on
//! it as it is.
//!
//! `api` has the functions, `abi` the structures that they take. A function belongs to the host's thread; what the
//! server's threads have to say to that thread goes through `host`. `qxl` is the way from a host's device to the thread
//! of its display, on which the host's QXL functions are called, as QEMU relies on.

mod abi;
mod api;
mod guard;
mod host;
mod log;
mod qxl;
mod replay;
mod server;
mod settings;
