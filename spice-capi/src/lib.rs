//! `libspice-server.so.1`: this workspace's server under the interface of the C library, so that QEMU or Xspice runs on
//! it as it is.
