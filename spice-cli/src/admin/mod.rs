//! `--admin`: JSON over HTTP, for who administers a running server.
//!
//! Nobody but this machine reaches it. On a Unix socket it is this user alone; on loopback it is every user of the
//! machine, and web pages in their browsers are kept out.

mod control;
mod guard;
mod json;
mod listener;
mod live;
mod metrics;
mod quality;
mod router;
#[cfg(test)]
mod tests;
mod tickets;
mod viewers;

pub(crate) use listener::AdminSocket;
pub(crate) use live::Live;
