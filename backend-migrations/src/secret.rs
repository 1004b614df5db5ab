//! Values that cannot be printed.

use std::fmt;

use zeroize::Zeroize;

/// A value that no format shows: no `Display`, and `Debug` prints `****`. It is wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each call is a place to look at when asking where a secret can leak.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The 32 bytes of `DB_ENCRYPTION_KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(Secret<[u8; 32]>);

impl Key {
    /// Takes the key as the Node backend does: its UTF-8 bytes, of which there must be 32.
    ///
    /// # Errors
    ///
    /// [`KeyError`], with the number of bytes there were. The key itself is never part of the message.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let wrong = |_| KeyError { n_bytes: text.len(), mistake: KeyMistake::of(text) };
        let bytes: [u8; 32] = text.as_bytes().try_into().map_err(wrong)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// The key's bytes.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// A key that is not 32 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the encryption key has {n_bytes} bytes, AES-256 needs exactly 32{}", .mistake.map(KeyMistake::as_str).unwrap_or_default()
)]
pub struct KeyError {
    /// The number of UTF-8 bytes given.
    pub n_bytes: usize,
    /// What seems to have gone wrong.
    pub mistake: Option<KeyMistake>,
}

impl KeyError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self.mistake {
            Some(KeyMistake::LineEnd) => {
                "`echo` ends its line, `printf %s` does not: set it without the line's end"
            }
            Some(KeyMistake::Quotes) => {
                "a shell and `.env` take the quotes away, Docker's `--env-file` and Kubernetes do not: set it without"
            }
            Some(KeyMistake::Space) => "set it without the space",
            Some(KeyMistake::Hex | KeyMistake::Base64) | None => {
                "it must be the very key that the backend seals with: 32 bytes as they are, not hex or base64"
            }
        }
    }
}

/// How a key came to have another length, as far as its form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMistake {
    /// It is 32 bytes and a line end.
    LineEnd,
    /// It is 32 bytes in quotes.
    Quotes,
    /// It is 32 bytes with space around them.
    Space,
    /// It is 32 bytes written in hexadecimal digits.
    Hex,
    /// It is 32 bytes written in base64.
    Base64,
}

impl KeyMistake {
    fn of(text: &str) -> Option<Self> {
        let quoted =
            ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
        if text.trim_end_matches(['\r', '\n']).len() == 32 {
            Some(Self::LineEnd)
        } else if quoted.is_some_and(|text| text.len() == 32) {
            Some(Self::Quotes)
        } else if text.trim().len() == 32 {
            Some(Self::Space)
        } else if text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) {
            Some(Self::Hex)
        } else if text.trim_end_matches('=').len() == 43 && text.trim_end_matches('=').chars().all(is_base64)
        {
            Some(Self::Base64)
        } else {
            None
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::LineEnd => ": the line end behind it was taken for a part of it",
            Self::Quotes => ": the quotes around it were taken for a part of it",
            Self::Space => ": the space around it was taken for a part of it",
            Self::Hex => ": it seems to be written in hexadecimal digits",
            Self::Base64 => ": it seems to be written in base64",
        }
    }
}
