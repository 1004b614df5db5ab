//! What a file's name says.

use crate::{migration::Version, sql::excerpt};

/// The part a file plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `….sql`: applies a migration that nothing undoes.
    Simple,
    /// `….up.sql`.
    Up,
    /// `….down.sql`.
    Down,
}

impl Role {
    fn suffix(self) -> &'static str {
        match self {
            Self::Simple => ".sql",
            Self::Up => ".up.sql",
            Self::Down => ".down.sql",
        }
    }
}

/// The name of a migration file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// The integer before the first `_`.
    pub version: Version,
    /// The rest with spaces for `_`.
    pub description: String,
    /// What its suffix says.
    pub role: Role,
}

/// Why a `.sql` file's name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// sqlx ends every command with an error for it.
    #[error("`{}`, what stands before the first `_`, is no integer", excerpt(prefix, 60))]
    NoVersion {
        /// What stands there.
        prefix: String,
    },
    /// As [`NameError::NoVersion`] to sqlx.
    #[error("the version `{}` does not fit: {} is the largest", excerpt(digits, 40), i64::MAX)]
    VersionTooLarge {
        /// The number as it is written.
        digits: String,
    },
    /// sqlx passes over it in silence, or takes a `.UP.SQL` for something else.
    #[error("the suffix is not in lower case")]
    UpperCase {
        /// The name it should have.
        rename: String,
    },
    /// sqlx passes over it in silence.
    #[error("there is no `_` after a version")]
    NoUnderscore {
        /// A name it could have.
        rename: String,
    },
}

impl NameError {
    /// What to try next.
    pub fn hint(&self) -> String {
        match self {
            Self::NoVersion { .. } => "sqlx would stop at it with every command: name it \
                `<YYYYMMDDHHMMSS>_<what it does>.up.sql`, or move it out of the folder"
                .to_owned(),
            Self::VersionTooLarge { .. } => "use the UTC time as YYYYMMDDHHMMSS, 14 digits".to_owned(),
            Self::UpperCase { rename } | Self::NoUnderscore { rename } => format!(
                "sqlx would not run it as meant: rename it to `{}`, or move it out of the folder",
                excerpt(rename, 120)
            ),
        }
    }
}

impl FileName {
    /// Takes `file_name` apart by sqlx's rules; `None` for a file that is no SQL at all, such as `README.md`.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a file that ends in `.sql`, in whatever letter case, and that sqlx would stop at or ignore.
    pub fn parse(file_name: &str) -> Result<Option<Self>, NameError> {
        let lower = file_name.to_ascii_lowercase();
        if !lower.ends_with(Role::Simple.suffix()) {
            return Ok(None);
        }
        let Some((prefix, rest)) = file_name.split_once('_') else {
            return Err(NameError::NoUnderscore { rename: with_version(file_name) });
        };
        let version = prefix.parse().map(Version).map_err(|_| bad_version(prefix))?;
        let role_of = |name: &str| {
            [Role::Up, Role::Down]
                .into_iter()
                .find(|role| name.ends_with(role.suffix()))
                .unwrap_or(Role::Simple)
        };
        let role = role_of(rest);
        // `.UP.sql` is of the simple form to sqlx, and `.DOWN.sql` would be applied.
        if !rest.ends_with(Role::Simple.suffix()) || role != role_of(&rest.to_ascii_lowercase()) {
            let suffix = role_of(&lower).suffix();
            let stem = &file_name[..file_name.len() - suffix.len()];
            return Err(NameError::UpperCase { rename: format!("{stem}{suffix}") });
        }
        let description = rest.trim_end_matches(role.suffix()).replace('_', " ");
        Ok(Some(Self { version, description, role }))
    }
}

fn bad_version(prefix: &str) -> NameError {
    let digits = prefix.strip_prefix(['+', '-']).unwrap_or(prefix);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        NameError::VersionTooLarge { digits: prefix.to_owned() }
    } else {
        NameError::NoVersion { prefix: prefix.to_owned() }
    }
}

/// A name with all that `20250127.sql` or `seed.sql` lacks.
fn with_version(file_name: &str) -> String {
    let lower = file_name.to_ascii_lowercase();
    let suffix = [Role::Up, Role::Down].into_iter().find(|role| lower.ends_with(role.suffix()));
    let suffix = suffix.unwrap_or(Role::Simple).suffix();
    let stem = &file_name[..file_name.len() - suffix.len()];
    if !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{stem}_<what it does>{suffix}")
    } else {
        format!("<YYYYMMDDHHMMSS>_{stem}{suffix}")
    }
}
