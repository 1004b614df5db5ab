//! `migrate:make`: a new pair of migration files.
//!
//! What goes into them ([`skeleton`]) and what they are called ([`next_version`]) is pure; [`write_pair`] alone touches
//! the file system.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "the tests look at what was written"))]

mod identifier;
mod intent;
mod name;
mod restamp;
mod skeleton;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::{ToSpan, civil::DateTime};

pub use self::{
    name::{MigrationName, NameError, NameFault},
    restamp::{Rename, Restamp, RestampError, rename_all},
    skeleton::{Skeleton, skeleton},
};
use crate::migration::{Direction, Version};

/// The version for a new migration: `now` (UTC, as the number `YYYYMMDDHHMMSS`), or just after `newest` where that is not
/// in the past: two pairs made within a second, or one that a colleague's fast clock made.
///
/// After a timestamp comes the next second, so that it stays one; after any other number the next number. `None` where
/// there is no number after `newest`, which is the greatest there is.
pub fn next_version(now: i64, newest: Option<Version>) -> Option<Version> {
    match newest {
        Some(Version(newest)) if newest >= now => {
            next_second(newest).or_else(|| newest.checked_add(1)).map(Version)
        }
        _ => Some(Version(now)),
    }
}

/// The second after a timestamp of 14 digits; `None` where it is not one.
fn next_second(version: i64) -> Option<i64> {
    if !(10_000_000_000_000..=99_999_999_999_999).contains(&version) {
        return None;
    }
    let part = |divisor: i64, modulus: i64| i8::try_from(version / divisor % modulus).ok();
    let year = i16::try_from(version / 10_000_000_000).ok()?;
    let at = DateTime::new(
        year,
        part(100_000_000, 100)?,
        part(1_000_000, 100)?,
        part(10_000, 100)?,
        part(100, 100)?,
        part(1, 100)?,
        0,
    );
    let next = at.ok()?.checked_add(1.second()).ok()?;
    let digits = [next.month(), next.day(), next.hour(), next.minute(), next.second()];
    Some(digits.into_iter().fold(i64::from(next.year()), |number, part| number * 100 + i64::from(part)))
}

/// The name of a file, such as `20250127120000_add_priority_to_tasks.up.sql`.
pub fn file_name(version: Version, name: &MigrationName, direction: Direction) -> String {
    let suffix = match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    format!("{version}_{name}.{suffix}.sql")
}

/// Writes both files into `dir`, which it makes where it is missing, and gives their paths: the up's, then the down's.
///
/// Either both are there afterwards or neither. The down is written first: should the process die in between, what is
/// left is a down without an up, which applies nothing anywhere.
///
/// # Errors
///
/// [`MakeError`]. A file that is already there is never written to.
pub fn write_pair(
    dir: &Path,
    version: Version,
    name: &MigrationName,
    skeleton: &Skeleton,
) -> Result<[PathBuf; 2], MakeError> {
    fs::create_dir_all(dir).map_err(|source| MakeError::Folder { path: dir.to_owned(), source })?;
    let [up, down] =
        [Direction::Up, Direction::Down].map(|direction| dir.join(file_name(version, name, direction)));
    write_new(&down, &skeleton.down)?;
    if let Err(error) = write_new(&up, &skeleton.up) {
        return Err(match fs::remove_file(&down) {
            Ok(()) => error,
            Err(source) => MakeError::Leftover { path: down, source, cause: Box::new(error) },
        });
    }
    Ok([up, down])
}

fn write_new(path: &Path, text: &str) -> Result<(), MakeError> {
    let mut file = File::create_new(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => MakeError::Exists { path: path.to_owned() },
        _ => MakeError::Write { path: path.to_owned(), source },
    })?;
    if let Err(source) = file.write_all(text.as_bytes()) {
        let error = MakeError::Write { path: path.to_owned(), source };
        // Ours, made a moment ago: half a migration must not stay.
        return Err(match fs::remove_file(path) {
            Ok(()) => error,
            Err(source) => MakeError::Leftover { path: path.to_owned(), source, cause: Box::new(error) },
        });
    }
    Ok(())
}

/// Why a pair of files was not written.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The folder is not there and cannot be made.
    #[error("cannot make the folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file of this name is there.
    #[error("`{}` is already there", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made or written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Something went wrong, and then a file that was begun could not be removed.
    #[error("{cause}, and `{}` cannot be removed", path.display())]
    Leftover {
        /// The file that is left.
        path: PathBuf,
        /// Why it cannot be removed.
        source: io::Error,
        /// What went wrong first.
        cause: Box<MakeError>,
    },
}

impl MakeError {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder { .. } => {
                "MIGRATIONS_DIR says where the migrations are; it must be a folder you can write to"
            }
            Self::Exists { .. } => "somebody made a migration in the same second: run it again",
            Self::Write { .. } => "see whether you can write to that folder, and whether the disk is full",
            Self::Leftover { .. } => "remove the file that is left by hand, then run it again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 20_250_127_120_000;

    #[test]
    fn a_version_is_newer_than_the_newest() {
        for (newest, expected) in [
            (None, Some(NOW)),
            (Some(1), Some(NOW)),
            (Some(-4), Some(NOW)),
            (Some(NOW - 1), Some(NOW)),
            (Some(NOW), Some(20_250_127_120_001)),
            (Some(20_250_228_235_959), Some(20_250_301_000_000)),
            (Some(20_280_228_235_959), Some(20_280_229_000_000)),
            (Some(20_251_231_235_959), Some(20_260_101_000_000)),
            (Some(99_991_231_235_959), Some(99_991_231_235_960)),
            (Some(20_259_901_000_000), Some(20_259_901_000_001)),
            (Some(100_000_000_000_000), Some(100_000_000_000_001)),
            (Some(i64::MAX - 1), Some(i64::MAX)),
            (Some(i64::MAX), None),
        ] {
            assert_eq!(next_version(NOW, newest.map(Version)), expected.map(Version), "{newest:?}");
        }
    }

    fn pair(dir: &Path) -> Result<[PathBuf; 2], MakeError> {
        let name = MigrationName::parse("add_priority_to_tasks").unwrap();
        write_pair(dir, Version(NOW), &name, &skeleton(&name))
    }

    fn files(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_pair_is_written_into_a_folder_that_was_not_there() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("migrations/tenant");
        let [up, down] = pair(&dir).unwrap();
        assert_eq!(
            files(&dir),
            ["20250127120000_add_priority_to_tasks.down.sql", "20250127120000_add_priority_to_tasks.up.sql"]
        );
        assert!(fs::read_to_string(up).unwrap().contains("ADD COLUMN"));
        assert!(fs::read_to_string(down).unwrap().contains("DROP COLUMN"));
    }

    #[test]
    fn a_file_that_is_there_is_left_alone_and_nothing_is_put_beside_it() {
        for suffix in ["up", "down"] {
            let temp = tempfile::tempdir().unwrap();
            let there = format!("20250127120000_add_priority_to_tasks.{suffix}.sql");
            fs::write(temp.path().join(&there), "mine").unwrap();
            let error = pair(temp.path()).unwrap_err();
            assert!(matches!(&error, MakeError::Exists { path } if path.ends_with(&there)), "{error}");
            assert_eq!(files(temp.path()), std::slice::from_ref(&there));
            assert_eq!(fs::read_to_string(temp.path().join(there)).unwrap(), "mine");
        }
    }

    #[test]
    fn a_file_in_the_folders_place_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("migrations");
        fs::write(&dir, "").unwrap();
        assert!(matches!(pair(&dir), Err(MakeError::Folder { path, .. }) if path == dir));
    }
}
