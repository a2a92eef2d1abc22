#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| framewise_fuzz::page::run(bytes));
