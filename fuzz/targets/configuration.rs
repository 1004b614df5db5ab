//! Settings are read without a panic, and no complaint about a URL repeats its password.

#![no_main]

use backend_migrations::{cli::parse_duration, mysql::parse_url};
use libfuzzer_sys::fuzz_target;

/// What a password has in it, so that it can be found.
const MARK: &str = "S3cR3t";

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (text, before, after, rest) = input;
    for entry in dotenvy::from_read_iter(text.as_bytes()) {
        // An entry that is none ends the reading in `cli`.
        if entry.is_err() {
            break;
        }
    }
    if let Ok(duration) = parse_duration(text) {
        assert!(!duration.is_zero());
    }
    let _ = parse_url(text, "fuzz");
    let url = format!("mysql://root:{before}{MARK}{after}@{rest}");
    let told = match parse_url(&url, "fuzz") {
        Ok(target) => format!("{target:?}"),
        Err(error) => format!("{error} {error:?} {}", error.hint()),
    };
    assert!(rest.contains(MARK) || !told.contains(MARK), "{told}");
});
