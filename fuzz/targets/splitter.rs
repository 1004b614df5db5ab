//! The splitter takes any bytes without a panic, and loses and invents nothing.

#![no_main]

use backend_migrations::sql::{parse_script, pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        assert_eq!(pieces(text).join(";"), text);
    }
    match parse_script("1_x.up.sql", bytes) {
        Ok(script) => {
            assert_eq!(script.source.as_bytes(), bytes);
            let mut end = 0;
            for statement in &script.statements {
                assert!(statement.offset >= end, "statements overlap");
                assert!(script.source[statement.offset..].starts_with(&statement.text));
                end = statement.offset + statement.text.len();
                let before = &script.source[..statement.offset];
                assert_eq!(statement.line, 1 + before.bytes().filter(|byte| *byte == b'\n').count());
            }
        }
        Err(error) => {
            let _ = error.to_string();
            assert!(error.line <= 1 + bytes.iter().filter(|byte| **byte == b'\n').count());
        }
    }
});
