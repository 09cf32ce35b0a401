//! Guests for tests: [`torture`] draws with every operation and every kind of operand.

pub mod torture;
