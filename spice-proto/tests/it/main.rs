//! Every message, there and back, and cut at every byte.

#![expect(clippy::unwrap_used, reason = "a test says what it found by panicking")]

mod hostile;
mod link;
mod made_up;
mod messages;
