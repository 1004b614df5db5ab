//! A tenant's name in URLs, and the names on its server that are made from it.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A tenant's name in URLs: lower-case letters, digits and single `-`, at most 50 characters, beginning with a letter.
///
/// `-` becomes `_` in the names of database and account, and as a slug has no `_`, no two slugs share a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// Takes a slug.
    ///
    /// # Errors
    ///
    /// [`SlugError`] with a slug that would do.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        const LONGEST: usize = 50;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let is_slug = text.len() <= LONGEST
            && text.split('-').all(is_word)
            && text.starts_with(|first: char| first.is_ascii_lowercase());
        if is_slug {
            return Ok(Self(text.to_owned()));
        }
        let words: Vec<_> = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let joined = words.join("-");
        let joined = joined.trim_start_matches(|c: char| !c.is_ascii_lowercase());
        let suggestion = joined[..joined.len().min(LONGEST)].trim_end_matches('-').to_owned();
        Err(SlugError { slug: text.to_owned(), suggestion })
    }

    /// The slug itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn database(&self) -> String {
        format!("{}_db", self.0.replace('-', "_"))
    }

    /// An account's name has at most 32 characters on MySQL; a longer one is cut and told apart by its hash. The prefix
    /// keeps a slug such as `root` away from the server's own accounts.
    pub(super) fn account(&self) -> String {
        let name = format!("tenant_{}", self.0.replace('-', "_"));
        if name.len() <= 32 {
            return name;
        }
        let hash = Sha256::digest(self.0.as_bytes());
        format!("{}_{:02x}{:02x}{:02x}{:02x}", &name[..23], hash[0], hash[1], hash[2], hash[3])
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{slug:?} is no slug: lower-case letters, digits and single `-`, at most 50, beginning with a letter"
)]
pub struct SlugError {
    /// What was given.
    pub slug: String,
    /// A slug near it; empty where there is none.
    pub suggestion: String,
}
