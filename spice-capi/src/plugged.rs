//! What a host has plugged into a server.

use std::ptr::null_mut;
use std::sync::{Arc, Weak};

use spice_server::MigrationTarget;

use crate::abi::base::SpiceBaseInstance;
use crate::abi::migration::SpiceMigrateInstance;
use crate::abi::qxl::QXLInstance;
use crate::host::{CharDevice, Inputs};
use crate::qxl::{Device, Host};

/// What the host has plugged in.
#[derive(Default)]
pub(crate) struct Plugged {
    pub(crate) inputs: Inputs,
    pub(crate) displays: Vec<Plug>,
    pub(crate) migration: Migration,
    /// The guest's agent, while it is attached.
    pub(crate) agent: Weak<CharDevice>,
    /// All that was added and has not been removed.
    pub(crate) instances: Vec<(Kind, Instance)>,
}

impl std::fmt::Debug for Plugged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugged").field("displays", &self.displays.len()).finish_non_exhaustive()
    }
}

/// A QXL device.
#[derive(Debug)]
pub(crate) struct Plug {
    pub(crate) instance: *mut QXLInstance,
    pub(crate) device: Arc<Device>,
    pub(crate) host: Host,
}

// SAFETY: the instance is the host's, and only its threads use it.
unsafe impl Send for Plug {}

/// The kinds of what can be plugged in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Keyboard,
    Mouse,
    Tablet,
    Qxl,
    Playback,
    Record,
    CharDevice,
    Migration,
}

/// What has become of an instance that the host is told is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    InUse,
    /// Nothing will ever come of it, and it is not there to be removed.
    OfNoUse,
}

/// An instance of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instance(pub(crate) *mut SpiceBaseInstance);

// SAFETY: only the host's thread uses it.
unsafe impl Send for Instance {}

/// What the host has said of migration.
#[derive(Debug)]
pub(crate) struct Migration {
    /// Who is told of its steps.
    pub(crate) instance: *mut SpiceMigrateInstance,
    /// Where the machine moves to.
    pub(crate) target: Option<MigrationTarget>,
    /// Viewers have been told beforehand.
    pub(crate) begun: bool,
}

// SAFETY: only the host's thread uses the instance.
unsafe impl Send for Migration {}

impl Default for Migration {
    fn default() -> Self {
        Self { instance: null_mut(), target: None, begun: false }
    }
}
