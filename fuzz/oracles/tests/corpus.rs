//! Every stored input through its oracle: seeds, and whatever has failed once.

#![expect(clippy::unwrap_used, reason = "a test says what it found by panicking")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fuzz_oracles::ORACLES;

#[test]
fn every_stored_input_passes_its_oracle() {
    let mut inputs = Vec::new();
    for (name, oracle) in ORACLES {
        let of_oracle = stored(name);
        assert!(!of_oracle.is_empty(), "no input for {name}");
        inputs.extend(of_oracle.into_iter().map(|path| (oracle, path)));
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((oracle, path)) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let data = std::fs::read(path).unwrap();
                    oracle(&data);
                    for cut in 0..data.len().min(512) {
                        oracle(&data[..cut]);
                    }
                }
            });
        }
    });
}

fn stored(name: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = ["corpus", "regressions"].map(|folder| fuzz.join(folder).join(name));
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}
