//! Every stored input through its oracle: seeds, and whatever has failed once.

use std::path::Path;

use fuzz_oracles::ORACLES;

#[test]
fn every_stored_input_passes_its_oracle() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (name, oracle) in ORACLES {
        let mut inputs = 0;
        for folder in ["corpus", "regressions"] {
            let Ok(entries) = std::fs::read_dir(fuzz.join(folder).join(name)) else { continue };
            for entry in entries {
                let data = std::fs::read(entry.unwrap().path()).unwrap();
                oracle(&data);
                for cut in 0..data.len().min(512) {
                    oracle(&data[..cut]);
                }
                inputs += 1;
            }
        }
        assert!(inputs > 0, "no input for {name}");
    }
}
