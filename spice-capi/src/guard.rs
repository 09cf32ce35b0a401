//! The boundary that no panic crosses.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; if it panics, that is logged under the name of the function, and the host gets `default`.
pub(crate) fn guard<T>(what: &'static str, default: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        tracing::error!("{what} failed: this is a fault of the library");
        default
    })
}
