//! What a server has written to its audit log.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scratch::Scratch;
use crate::viewer::PATIENCE;
use crate::wait;

/// A log of a server that runs.
#[derive(Debug)]
pub(crate) struct Audit(PathBuf);

impl Audit {
    pub(crate) fn new(scratch: &Scratch) -> Self {
        Self(scratch.file("audit"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Its lines so far.
    pub(crate) fn lines(&self) -> Result<Vec<Value>, String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        // The last one may not be whole yet.
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))).collect()
    }

    /// Waits for a line of this event in which `is` finds what it looks for.
    pub(crate) fn wait(&self, event: &str, is: impl Fn(&Value) -> bool) -> Result<Value, String> {
        let found = wait::until(&format!("`{event}` in the audit log"), PATIENCE, || {
            Ok(self.lines()?.into_iter().find(|line| line["event"] == event && is(line)))
        });
        found.map_err(|error| format!("{error}: {:?}", self.lines()))
    }

    /// Waits for a refusal whose reason has these words.
    pub(crate) fn wait_refused(&self, words: &str) -> Result<Value, String> {
        self.wait("refused", |line| line["reason"].as_str().is_some_and(|reason| reason.contains(words)))
    }
}
