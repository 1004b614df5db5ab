//! A file's name is taken apart without a panic, and the parts are the name.

#![no_main]

use backend_migrations::disk::{FileName, Role};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|name: &str| match FileName::parse(name) {
    Ok(None) => assert!(!name.to_ascii_lowercase().ends_with(".sql")),
    Ok(Some(parsed)) => {
        let (version, rest) = name.split_once('_').expect("a version comes before a `_`");
        assert_eq!(version.parse(), Ok(parsed.version.0));
        assert!(!parsed.description.contains('_'));
        let stem = rest.replace('_', " ");
        assert!(stem.starts_with(&parsed.description));
        let suffix = match parsed.role {
            Role::Simple => ".sql",
            Role::Up => ".up.sql",
            Role::Down => ".down.sql",
        };
        assert!(rest.ends_with(suffix));
    }
    Err(error) => {
        let _ = (error.to_string(), error.hint());
    }
});
