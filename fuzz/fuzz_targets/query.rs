//! `cargo +nightly fuzz run query`: the property of the same name, with inputs of libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::query(bytes));
