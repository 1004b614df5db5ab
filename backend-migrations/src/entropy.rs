//! The only source of randomness: fresh IVs, passwords for the database accounts that provisioning makes, and how long to
//! wait before another try.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Letters and digits that cannot be taken for each other (no `0 O o`, no `1 I i l`), and three signs that mean nothing
/// inside an SQL literal, a URL (RFC 3986, section 2.3) or a shell word.
const ALPHABET: &[u8; 58] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789_-.";

/// The length of a made password in characters: about 187 bits.
pub const N_PASSWORD_CHARS: usize = 32;

/// An IV for `seal::seal`, or sixteen random bytes for a name that nothing else has.
///
/// # Errors
///
/// [`EntropyError`] where the operating system gives no random bytes.
pub fn random_iv() -> Result<[u8; 16], EntropyError> {
    let mut iv = [0; 16];
    getrandom::fill(&mut iv)?;
    Ok(iv)
}

/// How long to wait before try number `n_tries + 1`: a quarter of a second at first, then twice as long each time, at most
/// 8 s, and each of those give or take a half, so that those who were turned away together do not come back together.
pub fn pause_before_retry(n_tries: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(250);
    const N_DOUBLINGS_MAX: u32 = 5;
    let usual = FIRST * 2u32.pow(n_tries.saturating_sub(1).min(N_DOUBLINGS_MAX));
    let mut byte = [128];
    // Without randomness the waits are merely all the same.
    getrandom::fill(&mut byte).ok();
    usual / 2 + usual * u32::from(byte[0]) / 256
}

/// A password for a database account: 32 characters, the first a letter, and at least one upper-case letter, one
/// lower-case letter, one digit and one sign, which is what MySQL's `validate_password` asks for at its default policy
/// (MySQL 8.4 manual, section 8.4.3.2).
///
/// # Errors
///
/// [`EntropyError`] where the operating system gives no random bytes.
pub fn random_password() -> Result<Secret<String>, EntropyError> {
    loop {
        // Throwing away whole passwords keeps all that are allowed equally likely; putting a digit somewhere would not.
        let password = random_word()?;
        if is_acceptable(password.expose()) {
            return Ok(password);
        }
    }
}

fn random_word() -> Result<Secret<String>, EntropyError> {
    let mut word = String::with_capacity(N_PASSWORD_CHARS);
    let mut bytes = Zeroizing::new([0; 2 * N_PASSWORD_CHARS]);
    while word.len() < N_PASSWORD_CHARS {
        getrandom::fill(&mut *bytes)?;
        let n_missing = N_PASSWORD_CHARS - word.len();
        word.extend(bytes.iter().copied().filter_map(character).take(n_missing));
    }
    Ok(Secret::new(word))
}

/// The character for a random byte. The bytes from 232 on have none: `% 58` over all 256 would prefer the first 24.
fn character(byte: u8) -> Option<char> {
    const N_FAIR: usize = 256 / ALPHABET.len() * ALPHABET.len();
    let at = usize::from(byte);
    (at < N_FAIR).then(|| char::from(ALPHABET[at % ALPHABET.len()]))
}

fn is_acceptable(password: &str) -> bool {
    password.starts_with(|c: char| c.is_ascii_alphabetic())
        && password.contains(|c: char| c.is_ascii_uppercase())
        && password.contains(|c: char| c.is_ascii_lowercase())
        && password.contains(|c: char| c.is_ascii_digit())
        && password.contains(|c: char| c.is_ascii_punctuation())
}

/// A random UUID (RFC 9562, version 4), for a tenant whose id nobody chose.
///
/// # Errors
///
/// [`EntropyError`] where the operating system gives no random bytes.
pub fn random_uuid() -> Result<String, EntropyError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let (a, b, c) = (number >> 96, number >> 80 & 0xffff, number >> 64 & 0xffff);
    Ok(format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", number >> 48 & 0xffff, number & 0xffff_ffff_ffff))
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct EntropyError(#[from] getrandom::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        for _ in 0..100 {
            let uuid = random_uuid().unwrap();
            let parts: Vec<_> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }

    #[test]
    fn every_character_stands_for_as_many_bytes() {
        for c in ALPHABET {
            let n_bytes = (0..=u8::MAX).filter(|byte| character(*byte) == Some(char::from(*c))).count();
            assert_eq!(n_bytes, 4, "{}", char::from(*c));
        }
    }

    #[test]
    fn a_password_has_every_kind_of_character_and_no_other() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let password = random_password().unwrap();
            let text = password.expose();
            assert_eq!(text.len(), N_PASSWORD_CHARS);
            assert!(is_acceptable(text) && text.bytes().all(|b| ALPHABET.contains(&b)), "{text}");
            assert_eq!(format!("{password:?}"), "****");
            assert!(seen.insert(text.clone()), "the same password twice");
        }
    }

    #[test]
    fn an_iv_is_not_used_twice() {
        assert_ne!(random_iv().unwrap(), random_iv().unwrap());
    }
}
