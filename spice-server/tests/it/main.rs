//! A whole server on loopback, and viewers that speak the protocol over sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it found by panicking")]

mod cve;
mod devices;
mod inputs;
mod migration;
mod places;
mod roles;
mod sound;
mod support;
mod tickets;
mod transports;
mod viewers;
