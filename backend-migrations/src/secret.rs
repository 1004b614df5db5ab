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
        let bytes: [u8; 32] = text.as_bytes().try_into().map_err(|_| KeyError { n_bytes: text.len() })?;
        Ok(Self(Secret::new(bytes)))
    }

    /// The key's bytes.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// A key that is not 32 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encryption key has {n_bytes} bytes, AES-256 needs exactly 32")]
pub struct KeyError {
    /// The number of UTF-8 bytes given.
    pub n_bytes: usize,
}
