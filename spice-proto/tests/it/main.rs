//! Every message, there and back, and cut at every byte.

#![expect(clippy::unwrap_used, reason = "a test says what it found by panicking")]

mod agent;
mod c_layout;
mod captures;
mod cve;
mod devices;
mod drawing;
mod hex;
mod hostile;
mod layout;
mod link;
mod made_up;
mod memory;
mod messages;
mod migration;
mod sasl;
mod session;
mod sound;
mod stream_device;
mod sub_list;
mod vv;
