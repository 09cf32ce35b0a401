//! A connection and what a peer may send on it, from outside.

mod cve;
