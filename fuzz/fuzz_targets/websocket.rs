//! `cargo +nightly fuzz run websocket`: the property of the same name, with inputs of libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::websocket(bytes));
