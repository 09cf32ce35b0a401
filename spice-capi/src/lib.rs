//! `libspice-server.so.1`: this workspace's server under the interface of the C library, so that QEMU or Xspice runs on
//! it as it is.
//!
//! `api` has the functions, `abi` the structures that they take. A function belongs to the host's thread; what the
//! server's threads have to say to that thread goes through `host`. `qxl` is the way from a host's device to the thread
//! of its display, on which the host's QXL functions are called, as QEMU relies on.

/// What the library allocates for itself. glibc's allocator leaves pieces behind that pictures of all sizes, freed by other
/// threads than those that made them, do not fit into. Builds for tests have it all the same, so that valgrind and
/// AddressSanitizer see every byte.
#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod abi;
mod api;
mod codecs;
mod guard;
mod host;
mod log;
mod plugged;
mod qxl;
mod replay;
mod server;
mod settings;
