//! `cargo +nightly fuzz run query`: the property of the same name, on what libFuzzer makes up.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::query(bytes));
