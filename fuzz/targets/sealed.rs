//! Opening takes any text without a panic, and gives back what was sealed.

#![no_main]

use backend_migrations::{
    seal::{N_BLOCK_BYTES, OpenError, open, seal},
    secret::Key,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: ([u8; N_BLOCK_BYTES], [u8; 32], &str)| {
    let (iv, key, text) = input;
    // A key is text.
    let key: String = key.iter().map(|byte| char::from(byte & 0x7f)).collect();
    let key = Key::parse(&key).expect("32 bytes");
    if let Err(error) = open(text, &key) {
        let _ = (error.to_string(), error.hint());
    }
    let sealed = seal(text, &key, iv);
    let opened = open(&sealed, &key).expect("it was sealed with this key");
    assert_eq!(opened.expose(), text);
    // Cut short anywhere, it is not what it was.
    let half = &sealed[..sealed.len() / 2];
    match open(half, &key) {
        Ok(opened) => assert_ne!(opened.expose(), text),
        Err(OpenError::Malformed(_) | OpenError::WrongKey) => {}
    }
});
