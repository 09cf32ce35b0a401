//! Hostile viewers, by the tens of thousands: each speaks valid messages in wrong orders, and everything beside them, while
//! a well-behaved viewer looks on.
//!
//! `SPICE_HOSTILE_SEQUENCES` says how many sequences there are in all (100,000), `SPICE_HOSTILE_SEED` what they are made
//! from. Most of them speak to the cores, with a virtual clock (`cores.rs`; main and inputs, which are private, in
//! `src/reds/hostile.rs`), the rest over sockets to a whole server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it found by panicking")]

mod bystander;
mod cores;
mod panics;
mod sockets;
mod steps;
