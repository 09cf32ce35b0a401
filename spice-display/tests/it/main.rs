//! A worker, its guest and its viewers in one thread, with a virtual clock and links of any speed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it found by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests read the recordings that are kept beside them")]

mod codecs;
mod cve;
mod cve_quic;
mod hostile;
mod independent;
mod isolation;
mod lab;
#[path = "../../src/qxl/parse/tests/layout.rs"]
mod layout;
mod memory;
mod monitors;
mod packing;
mod pictures;
mod pointers;
mod recordings;
mod roundtrip;
mod scanout;
mod scene;
mod stats;
mod torture;
mod viewers;

/// Whose commands `layout` lays out.
use spice_display::qxl;
