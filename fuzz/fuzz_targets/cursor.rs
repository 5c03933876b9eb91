//! `cargo +nightly fuzz run cursor`: the property of the same name, with inputs of libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::cursor(bytes));
