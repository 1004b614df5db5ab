//! The one reader of migration files.
//!
//! What sqlx 0.9 takes for a migration is one here, with the same version, description and checksum
//! (`sqlx-core/src/migrate/source.rs`). Beyond that it is stricter: what sqlx ignores in silence or applies by chance is
//! refused, and all that is wrong with a folder is said at once.

#![expect(clippy::disallowed_methods, reason = "this is where migration files are read")]

mod error;
mod name;
mod survey;
#[cfg(test)]
mod tests;

#[cfg(feature = "cli")]
use std::path::PathBuf;
use std::{collections::BTreeMap, fs, io, path::Path};

pub use self::{
    error::{LoadError, Problem, ProblemKind},
    name::{FileName, NameError, Role},
    survey::{Survey, survey, survey_files},
};

#[cfg(feature = "cli")]
use crate::directive::{SideFile, SideFileError};
use crate::{
    migration::{Migration, MigrationSet, Script, Version},
    sql::parse_script,
};

/// The name of the file beside `central/` and `tenant/`.
#[cfg(feature = "cli")]
const SIDE_FILE: &str = "lint.toml";

/// Reads the migrations in `dir`: its regular files, symbolic links followed, no folders below it. Anything else that has a
/// migration's name is a problem.
///
/// # Errors
///
/// [`LoadError::Folder`] if it cannot be listed, else [`LoadError::Problems`] with everything that is wrong.
pub fn load(dir: &Path) -> Result<MigrationSet, LoadError> {
    let folder = |cause: io::Error| LoadError::Folder { path: dir.to_owned(), cause };
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for entry in fs::read_dir(dir).map_err(folder)? {
        let entry = entry.map_err(folder)?;
        let path = entry.path();
        let file_name = entry.file_name().to_string_lossy().into_owned();
        match fs::metadata(&path) {
            // What is no migration is not opened, either: it may be unreadable, or a large dump.
            Ok(_) if matches!(FileName::parse(&file_name), Ok(None)) => {}
            // Nor is a pipe, at which a reader waits for a writer.
            Ok(metadata) if !metadata.is_file() => {
                problems.push(Problem::no_file(file_name, metadata.file_type()));
            }
            Ok(_) => match fs::read(&path) {
                Ok(bytes) => files.push((file_name, bytes)),
                Err(error) => problems.push(Problem::unreadable(file_name, &error)),
            },
            Err(error) => problems.push(Problem::unreadable(file_name, &error)),
        }
    }
    assemble(files, problems)
}

/// The names of what is in `dir`; none where it cannot be listed.
#[cfg(feature = "cli")]
pub fn names(dir: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// The newest version among the names of the files in `dir`, whatever is in them; `None` where there is no folder yet.
///
/// # Errors
///
/// [`LoadError::Folder`] if it cannot be listed.
pub fn newest_version(dir: &Path) -> Result<Option<Version>, LoadError> {
    let folder = |cause: io::Error| LoadError::Folder { path: dir.to_owned(), cause };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(folder)?,
    };
    let mut newest = None;
    for entry in entries {
        let name = entry.map_err(folder)?.file_name();
        let name = FileName::parse(&name.to_string_lossy()).ok().flatten();
        newest = newest.max(name.map(|name| name.version));
    }
    Ok(newest)
}

/// What is said of migrations beside their folders, in `lint.toml` of `dir`, with the file's text; `None` where there is no
/// such file.
///
/// # Errors
///
/// The line that cannot be understood, or line 0 where the file cannot be read.
#[cfg(feature = "cli")]
fn read_side_file(dir: &Path) -> Result<Option<(String, SideFile)>, SideFileError> {
    match fs::read_to_string(dir.join(SIDE_FILE)) {
        Ok(text) => SideFile::parse(SIDE_FILE, &text).map(|contents| Some((text, contents))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SideFileError {
            file_name: SIDE_FILE.to_owned(),
            line: 0,
            message: format!("cannot be read: {error}"),
            hint: "it has to be a file of UTF-8 text that this account may read".to_owned(),
        }),
    }
}

/// Finds `lint.toml`: beside `central/` and `tenant/` in `migrations`, or, where a folder alone is looked at, in `dir` or
/// beside it. Gives its folder, its text and what it says.
///
/// # Errors
///
/// The line that cannot be understood, or line 0 where the file cannot be read.
#[cfg(feature = "cli")]
pub fn find_side_file(
    dir: Option<&Path>,
    migrations: &Path,
) -> Result<Option<(PathBuf, String, SideFile)>, SideFileError> {
    // What has no name of its own, such as `.`, has a parent all the same.
    let whole = dir.map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.to_owned()));
    let places = match (dir, whole.as_deref().and_then(Path::parent)) {
        (None, _) => vec![migrations],
        (Some(dir), beside) => std::iter::once(dir).chain(beside).collect(),
    };
    for place in places {
        if let Some((text, contents)) = read_side_file(place)? {
            return Ok(Some((place.to_owned(), text, contents)));
        }
    }
    Ok(None)
}

/// Writes `lint.toml` of `dir`.
///
/// # Errors
///
/// Line 0, where the file cannot be written.
#[cfg(feature = "cli")]
pub fn write_side_file(dir: &Path, text: &str) -> Result<(), SideFileError> {
    fs::write(dir.join(SIDE_FILE), text).map_err(|error| SideFileError {
        file_name: SIDE_FILE.to_owned(),
        line: 0,
        message: format!("cannot be written: {error}"),
        hint: "the migrations are renamed; change their entries by hand".to_owned(),
    })
}

/// Makes a set of files that are in memory already, such as those built into the binary: names without their folder,
/// and their bytes.
///
/// # Errors
///
/// [`LoadError::Problems`] with everything that is wrong.
pub fn from_files<N, B>(files: impl IntoIterator<Item = (N, B)>) -> Result<MigrationSet, LoadError>
where
    N: Into<String>,
    B: AsRef<[u8]>,
{
    assemble(files.into_iter().map(|(name, bytes)| (name.into(), bytes)).collect(), Vec::new())
}

fn assemble<B: AsRef<[u8]>>(
    files: Vec<(String, B)>,
    problems: Vec<Problem>,
) -> Result<MigrationSet, LoadError> {
    let (migrations, problems) = sort_out(files, problems);
    if problems.is_empty() {
        // Each version came from a map, so none is there twice; should that change, it is a problem like any other.
        MigrationSet::new(migrations).map_err(|duplicates| {
            LoadError::Problems(
                duplicates.0.into_iter().map(|(v, a, b)| Problem::duplicate(v, a, b)).collect(),
            )
        })
    } else {
        Err(LoadError::Problems(problems))
    }
}

/// The migrations that are as they should be, and what is wrong with the others.
fn sort_out<B: AsRef<[u8]>>(
    mut files: Vec<(String, B)>,
    mut problems: Vec<Problem>,
) -> (Vec<Migration>, Vec<Problem>) {
    // A folder has no order; messages and ties should.
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let mut versions: BTreeMap<Version, Slot> = BTreeMap::new();
    for (file_name, bytes) in &files {
        match FileName::parse(file_name) {
            Ok(None) => {}
            Ok(Some(name)) => {
                let script = parse_script(file_name, bytes.as_ref())
                    .map_err(|error| problems.push(Problem::script(error)))
                    .ok();
                let slot = versions.entry(name.version).or_default();
                slot.files_mut(name.role).push(Found {
                    file_name: file_name.clone(),
                    description: name.description,
                    script,
                });
            }
            Err(error) => {
                problems.push(Problem { file_name: file_name.clone(), line: None, kind: error.into() });
            }
        }
    }
    let migrations: Vec<_> = versions
        .into_iter()
        .filter_map(|(version, slot)| slot.into_migration(version, &mut problems))
        .collect();
    problems.sort_by(|a, b| (&a.file_name, a.line).cmp(&(&b.file_name, b.line)));
    (migrations, problems)
}

/// A file with a sound name; its script is missing where that is a problem already.
struct Found {
    file_name: String,
    description: String,
    script: Option<Script>,
}

/// The files of one version.
#[derive(Default)]
struct Slot {
    simple: Vec<Found>,
    up: Vec<Found>,
    down: Vec<Found>,
}

impl Slot {
    fn files_mut(&mut self, role: Role) -> &mut Vec<Found> {
        match role {
            Role::Simple => &mut self.simple,
            Role::Up => &mut self.up,
            Role::Down => &mut self.down,
        }
    }

    /// The one migration they are, or `None` and the problems.
    fn into_migration(self, version: Version, problems: &mut Vec<Problem>) -> Option<Migration> {
        let n_before = problems.len();
        for same in [&self.simple, &self.up, &self.down] {
            for pair in same.windows(2) {
                problems.push(Problem::duplicate(
                    version,
                    pair[0].file_name.clone(),
                    pair[1].file_name.clone(),
                ));
            }
        }
        if let (Some(simple), Some(reversible)) = (self.simple.first(), self.up.first().or(self.down.first()))
        {
            problems.push(Problem {
                file_name: simple.file_name.clone(),
                line: None,
                kind: ProblemKind::Mixed { version, other: reversible.file_name.clone() },
            });
        } else if let (None, None, Some(down)) = (self.simple.first(), self.up.first(), self.down.first()) {
            problems.push(Problem {
                file_name: down.file_name.clone(),
                line: None,
                kind: ProblemKind::OrphanDown,
            });
        }
        if problems.len() > n_before {
            return None;
        }
        let up = self.simple.into_iter().chain(self.up).next()?;
        let down = self.down.into_iter().next();
        Some(Migration {
            version,
            description: up.description,
            up: up.script?,
            down: match down {
                Some(found) => Some(found.script?),
                None => None,
            },
        })
    }
}
