//! How a tenant's password rests in the central database: AES-256-CBC, PKCS#7 padding, `hex(iv):hex(ciphertext)`.
//!
//! The form is that of the Node services that share the column (`crypto.createCipheriv('aes-256-cbc', …)`), so a value
//! sealed on either side opens on the other. `tests/vectors/` holds values that Node made.
//!
//! # What a wrong key looks like
//!
//! CBC authenticates nothing: there is no tag that says "this key sealed this value". The only trace of a wrong key is
//! that the padding of the last block makes no sense, and by chance it does for about one wrong key in 256. What comes
//! out then is noise, which is rarely UTF-8; should it be UTF-8 as well, it is a wrong password like any other and
//! the server refuses the login. [`OpenError::WrongKey`] is therefore sure when it is given and not sure when it is not.
//! A value that was damaged, or of which another column's width cut the end, can look like a wrong key too.

use std::fmt;

use aes::{
    Aes256,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use zeroize::Zeroizing;

use crate::secret::{Key, Secret};

/// The size of AES's block, and so of the IV: 16 bytes.
pub const N_BLOCK_BYTES: usize = 16;

/// Opens `hex(iv):hex(ciphertext)`. Hex digits of either case are taken, as Node takes them.
///
/// # Errors
///
/// [`OpenError`]; it carries no part of the value, the key or the plaintext.
pub fn open(sealed: &str, key: &Key) -> Result<Secret<String>, OpenError> {
    let (iv, mut bytes) = parse(sealed)?;
    let padded = cbc::Decryptor::<Aes256>::new(key.expose().into(), (&iv).into());
    let plain = padded.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| OpenError::WrongKey)?;
    let text = std::str::from_utf8(plain).map_err(|_| OpenError::WrongKey)?;
    Ok(Secret::new(text.to_owned()))
}

/// Seals `plain` as `hex(iv):hex(ciphertext)`, in lower-case hex as Node writes it.
///
/// `iv` must be fresh and unpredictable for every value (`entropy::random_iv`): with the same key and the same IV
/// equal passwords would show as equal.
#[expect(clippy::missing_panics_doc, reason = "the buffer is made to have room for the padding")]
pub fn seal(plain: &str, key: &Key, iv: [u8; N_BLOCK_BYTES]) -> String {
    // PKCS#7 always pads, so a whole block comes on top of a text that fills its last one.
    let n_padded = (plain.len() / N_BLOCK_BYTES + 1) * N_BLOCK_BYTES;
    let mut bytes = Zeroizing::new(vec![0; n_padded]);
    bytes[..plain.len()].copy_from_slice(plain.as_bytes());
    cbc::Encryptor::<Aes256>::new(key.expose().into(), (&iv).into())
        .encrypt_padded::<Pkcs7>(&mut bytes, plain.len())
        .expect("the buffer has room for the padding");

    let mut sealed = String::with_capacity(2 * (iv.len() + bytes.len()) + 1);
    push_hex(&mut sealed, &iv);
    sealed.push(':');
    push_hex(&mut sealed, &bytes);
    sealed
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not `hex(iv):hex(ciphertext)`, whatever the key.
    #[error("invalid encrypted password format: {0}")]
    Malformed(Malformed),
    /// It has the right form, but what this key makes of it cannot have been a password.
    #[error("the password cannot be decrypted with this DB_ENCRYPTION_KEY")]
    WrongKey,
}

impl OpenError {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed(_) => {
                "this tenant's `db_password` in the central database is not a sealed password: seal the password with \
                 `tenant:seal-password` and store what it prints"
            }
            Self::WrongKey => {
                "DB_ENCRYPTION_KEY must be the key that the backend services sealed this password with; if that key is \
                 lost, set a new password on the database server and seal it with `tenant:seal-password`"
            }
        }
    }
}

/// Which part of a sealed value is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing at all.
    #[error("expected hex(iv):hex(ciphertext), found an empty value")]
    Empty,
    /// Not two parts with one `:` between them.
    #[error("expected hex(iv):hex(ciphertext), found {n_parts} part{}", if *n_parts == 1 { "" } else { "s" })]
    Parts {
        /// How many there are; never two.
        n_parts: usize,
    },
    /// A character that is not a hex digit.
    #[error("non-hex character at position {position}, in the {part}")]
    NotHex {
        /// Where it stands.
        part: Part,
        /// Its place in the whole value, in characters from 1.
        position: usize,
    },
    /// Half a byte too few or too many.
    #[error("odd number of hex digits in the {part} ({n_digits})")]
    OddDigits {
        /// Which part.
        part: Part,
        /// How many digits it has.
        n_digits: usize,
    },
    /// An IV that is not one block long.
    #[error("the iv has {n_bytes} byte{}, not 16", if *n_bytes == 1 { "" } else { "s" })]
    IvLength {
        /// How long it is.
        n_bytes: usize,
    },
    /// No ciphertext: even the empty password is sealed as one block.
    #[error("the ciphertext is empty")]
    CiphertextEmpty,
    /// A ciphertext that is not whole blocks.
    #[error("the ciphertext has {n_bytes} byte{}, not a multiple of 16", if *n_bytes == 1 { "" } else { "s" })]
    CiphertextLength {
        /// How long it is.
        n_bytes: usize,
    },
}

/// One of the two parts of a sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands before the `:`.
    Iv,
    /// What stands after it.
    Ciphertext,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iv => "iv",
            Self::Ciphertext => "ciphertext",
        })
    }
}

type Parsed = ([u8; N_BLOCK_BYTES], Zeroizing<Vec<u8>>);

fn parse(sealed: &str) -> Result<Parsed, OpenError> {
    parse_parts(sealed).map_err(OpenError::Malformed)
}

fn parse_parts(sealed: &str) -> Result<Parsed, Malformed> {
    if sealed.is_empty() {
        return Err(Malformed::Empty);
    }
    let n_parts = sealed.split(':').count();
    let (iv, ciphertext) = match sealed.split_once(':') {
        Some(parts) if n_parts == 2 => parts,
        _ => return Err(Malformed::Parts { n_parts }),
    };
    let ciphertext_at = iv.chars().count() + 1;
    let iv = parse_hex(iv, Part::Iv, 0)?;
    let ciphertext = parse_hex(ciphertext, Part::Ciphertext, ciphertext_at)?;

    let iv = iv.as_slice().try_into().map_err(|_| Malformed::IvLength { n_bytes: iv.len() })?;
    if ciphertext.is_empty() {
        return Err(Malformed::CiphertextEmpty);
    }
    if !ciphertext.len().is_multiple_of(N_BLOCK_BYTES) {
        return Err(Malformed::CiphertextLength { n_bytes: ciphertext.len() });
    }
    Ok((iv, ciphertext))
}

/// The bytes behind `digits`. They are decrypted where they lie, hence wiped when dropped.
fn parse_hex(digits: &str, part: Part, n_chars_before: usize) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    if let Some(at) = digits.chars().position(|c| !c.is_ascii_hexdigit()) {
        return Err(Malformed::NotHex { part, position: n_chars_before + at + 1 });
    }
    if !digits.len().is_multiple_of(2) {
        return Err(Malformed::OddDigits { part, n_digits: digits.len() });
    }
    Ok(Zeroizing::new(digits.as_bytes().chunks_exact(2).map(|p| nibble(p[0]) << 4 | nibble(p[1])).collect()))
}

/// The value of a digit that is known to be one.
fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IV: [u8; 16] = [7; 16];

    fn key() -> Key {
        Key::parse("your-32-character-secret-key!!!!").unwrap()
    }

    fn error(sealed: &str) -> String {
        open(sealed, &key()).unwrap_err().to_string()
    }

    #[test]
    fn a_malformed_value_says_which_part_is_wrong() {
        let (iv, block) = ("0f".repeat(16), "a0".repeat(16));
        for (sealed, expected) in [
            (String::new(), "expected hex(iv):hex(ciphertext), found an empty value"),
            (iv.clone(), "expected hex(iv):hex(ciphertext), found 1 part"),
            (format!("{iv}:{block}:{block}"), "expected hex(iv):hex(ciphertext), found 3 parts"),
            (format!("{}:{block}", &iv[1..]), "odd number of hex digits in the iv (31)"),
            (format!("{iv}:{block}0"), "odd number of hex digits in the ciphertext (33)"),
            (format!("g{}:{block}", &iv[1..]), "non-hex character at position 1, in the iv"),
            (format!("{iv}:a\u{1F680}{block}"), "non-hex character at position 35, in the ciphertext"),
            (format!("{iv}:{block}\n"), "non-hex character at position 66, in the ciphertext"),
            (format!("{}:{block}", &iv[2..]), "the iv has 15 bytes, not 16"),
            (format!("{iv}00:{block}"), "the iv has 17 bytes, not 16"),
            (format!(":{block}"), "the iv has 0 bytes, not 16"),
            (format!("{iv}:"), "the ciphertext is empty"),
            (format!("{iv}:a0"), "the ciphertext has 1 byte, not a multiple of 16"),
            (format!("{iv}:{block}ffff"), "the ciphertext has 18 bytes, not a multiple of 16"),
        ] {
            assert_eq!(error(&sealed), format!("invalid encrypted password format: {expected}"));
        }
    }

    #[test]
    fn a_wrong_key_is_told_as_such_and_shows_nothing() {
        let sealed = seal("hunter2-hunter2", &key(), IV);
        let other = Key::parse("another-32-character-secret-key!").unwrap();
        let error = open(&sealed, &other).unwrap_err();
        assert_eq!(error, OpenError::WrongKey);
        assert_eq!(error.to_string(), "the password cannot be decrypted with this DB_ENCRYPTION_KEY");
        assert_eq!(format!("{error:?}"), "WrongKey");
        assert_ne!(error.hint(), OpenError::Malformed(Malformed::Empty).hint());
    }

    /// The claim of the module's documentation, counted: nearly all of many wrong keys are told.
    #[test]
    fn one_wrong_key_in_256_passes_the_padding_and_fewer_still_the_text() {
        let sealed = seal("hunter2-hunter2", &key(), IV);
        let n_keys = 4_096;
        let n_opened =
            (0..n_keys).filter(|n| open(&sealed, &Key::parse(&format!("{n:032}")).unwrap()).is_ok()).count();
        assert!(n_opened < 16, "{n_opened} of {n_keys} wrong keys opened the value");
    }

    #[test]
    fn text_that_is_not_utf8_under_this_key_is_a_wrong_key() {
        // A block that decrypts to 15 bytes of 0xff and a valid padding of one byte.
        let mut bytes = [0xff; 16];
        cbc::Encryptor::<Aes256>::new(key().expose().into(), (&IV).into())
            .encrypt_padded::<Pkcs7>(&mut bytes, 15)
            .unwrap();
        let mut sealed = "07".repeat(16) + ":";
        push_hex(&mut sealed, &bytes);
        assert_eq!(open(&sealed, &key()).unwrap_err(), OpenError::WrongKey);
    }

    #[test]
    fn upper_case_hex_opens() {
        let sealed = seal("pa:ss", &key(), IV).to_uppercase();
        assert_eq!(open(&sealed, &key()).unwrap().expose(), "pa:ss");
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(plain in "\\PC{0,80}", iv: [u8; 16], key: [u8; 16]) {
            let key = Key::parse(&key.iter().fold(String::new(), |text, b| format!("{text}{b:02x}"))).unwrap();
            let sealed = seal(&plain, &key, iv);
            let opened = open(&sealed, &key).unwrap();
            prop_assert_eq!(opened.expose(), &plain);
        }

        #[test]
        fn no_text_panics(text in any::<String>(), hex in "[0-9a-fA-F]{0,70}:?[0-9a-f]{0,70}:?") {
            let _ = open(&text, &key());
            let _ = open(&hex, &key());
        }

        #[test]
        fn a_changed_digit_never_panics_and_never_shows(at in 0_usize..97, digit in "[0-9a-f]") {
            let plain = "hunter2-hunter2-hunter2";
            let mut sealed = seal(plain, &key(), IV);
            prop_assume!(sealed.as_bytes()[at] != b':');
            sealed.replace_range(at..=at, &digit);
            if let Err(error) = open(&sealed, &key()) {
                let shown = format!("{error} {error:?} {}", error.hint());
                prop_assert!(!shown.contains("hunter2") && !shown.contains(&sealed[33..]));
            }
        }
    }
}
