//! Desktops that move to another server.

use core::fmt;
use std::sync::Arc;

/// A server that has the desktop from now on, or will have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationTarget {
    /// Its name or address, as viewers reach it.
    pub host: String,
    /// Its port in the clear.
    pub port: Option<u16>,
    /// Its port with TLS.
    pub secure_port: Option<u16>,
    /// The subject of its certificate, where viewers are to check that instead of its name.
    pub subject: Option<String>,
}

/// What becomes of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationEvent {
    /// Every viewer that can be is linked to the target now, or has not got there in time.
    Connected,
    /// It is over: the viewers have left for the target, or have been ended; or they stay here after all.
    Ended,
}

/// Where a migration's events go: called from the task that owns the viewers, so it must not wait.
#[derive(Clone)]
pub struct MigrationSink(Arc<dyn Fn(MigrationEvent) + Send + Sync>);

impl MigrationSink {
    /// A sink that hands events to `tell`.
    pub fn new(tell: impl Fn(MigrationEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: MigrationEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for MigrationSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MigrationSink")
    }
}
