//! Input on its way to whoever takes it.

use core::fmt;

use super::GuestInput;
use crate::io::ReadPermit;

/// What viewers did, in the order in which it came. Until it is dropped, no more is read of the viewer that it came from
/// than the 64 KiB ahead: so who takes input late is not buried under it.
pub struct Inputs {
    list: Vec<GuestInput>,
    _permit: Option<ReadPermit>,
}

impl Inputs {
    pub(crate) fn new(list: Vec<GuestInput>, permit: Option<ReadPermit>) -> Self {
        Self { list, _permit: permit }
    }

    /// What they did.
    pub fn iter(&self) -> impl Iterator<Item = &GuestInput> {
        self.list.iter()
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

/// Takes the viewers' input, where that is not a guest's display: called from the task that owns the viewers, so it must
/// not wait.
#[derive(Clone)]
pub struct InputSink(std::sync::Arc<dyn Fn(Inputs) + Send + Sync>);

impl InputSink {
    /// A sink that hands input to `take`.
    pub fn new(take: impl Fn(Inputs) + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(take))
    }

    pub(crate) fn take(&self, inputs: Inputs) {
        (self.0)(inputs);
    }
}

impl fmt::Debug for InputSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputSink")
    }
}
