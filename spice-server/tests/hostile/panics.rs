//! Panics of the server's own threads, which nobody would hear of otherwise.

use std::panic;
use std::sync::{Mutex, Once, PoisonError, RwLock};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
static WATCH: Once = Once::new();

/// What measures the process is alone in it.
pub(crate) static ALONE: RwLock<()> = RwLock::new(());

/// Has every panic from here on remembered that does not come from a test itself.
pub(crate) fn watch() {
    WATCH.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.location().is_some_and(|at| at.file().contains("tests/hostile")) {
                SEEN.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
            }
            before(info);
        }));
    });
}

/// Panics that have been seen.
pub(crate) fn seen() -> Vec<String> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
