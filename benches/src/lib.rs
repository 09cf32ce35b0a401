//! Benchmarks of the lower crates: `cargo bench -p benches`. What each measures stands beside it; comparisons with the C
//! server are in `versus-c/`.
