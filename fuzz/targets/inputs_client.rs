#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_oracles::inputs_client(data));
