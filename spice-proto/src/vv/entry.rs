//! What a connection file says besides the keys that are known here.

use core::fmt;

use super::key_file::{escape, is_group_name, is_key, unescape};

/// A key and its value, as they are written. The value is not in its `Debug` form: it may be a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    key: String,
    raw: String,
}

impl Entry {
    /// The key with this text as its value; `None` where no key can be called so.
    #[must_use]
    pub fn new(key: &str, text: &str) -> Option<Self> {
        is_key(key).then(|| Self { key: key.to_owned(), raw: escape(text) })
    }

    pub(super) fn from_raw(key: &str, raw: &str) -> Self {
        Self { key: key.to_owned(), raw: raw.to_owned() }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value as it is written, with its escapes.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The value as a text; `None` where it has an escape that means nothing.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        unescape(&self.raw).ok()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A group other than `virt-viewer`, for instance `ovirt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    name: String,
    /// Its keys, in their order.
    pub entries: Vec<Entry>,
}

impl Group {
    /// The group of this name, with nothing in it; `None` where no group can be called so, or it is the file's own
    /// group, `virt-viewer`.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        (is_group_name(name) && name != super::GROUP)
            .then(|| Self { name: name.to_owned(), entries: Vec::new() })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
