//! What is wrong with a folder of migrations.

use std::{fmt, fs::FileType, io, os::unix::fs::FileTypeExt as _, path::PathBuf};

use super::name::NameError;
use crate::{
    migration::Version,
    sql::{ScriptError, ScriptErrorKind, excerpt},
};

/// Why there is no migration set.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder itself cannot be read.
    #[error("cannot read the migrations folder `{}`: {cause}\n  hint: {}", excerpt(&path.to_string_lossy(), 400), folder_hint(cause))]
    Folder {
        /// The folder as it was given.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// At least one file is not as it should be; by file name.
    #[error("{}", Listed(.0))]
    Problems(Vec<Problem>),
}

impl LoadError {
    /// What is wrong with the files; empty if they could not even be listed.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Folder { .. } => &[],
            Self::Problems(problems) => problems,
        }
    }
}

fn folder_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no such folder: name the right one with `--migrations` or `MIGRATIONS_DIR`, or make it with a first \
             migration"
        }
        io::ErrorKind::NotADirectory => "this is a file: name the folder that the migrations are in",
        io::ErrorKind::PermissionDenied => "this account may not list it: give it read and search permission",
        _ => "give a folder that this account can list",
    }
}

/// One thing that is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name without its folder.
    pub file_name: String,
    /// The line it is about, from 1, where it is about one.
    pub line: Option<usize>,
    /// What is wrong.
    pub kind: ProblemKind,
}

impl Problem {
    pub(super) fn unreadable(file_name: String, error: &io::Error) -> Self {
        Self { file_name, line: None, kind: ProblemKind::Unreadable(error.to_string()) }
    }

    pub(super) fn no_file(file_name: String, file_type: FileType) -> Self {
        let what = if file_type.is_dir() {
            "folder"
        } else if file_type.is_fifo() {
            "named pipe"
        } else if file_type.is_socket() {
            "socket"
        } else {
            "device"
        };
        Self { file_name, line: None, kind: ProblemKind::NoFile(what) }
    }

    pub(super) fn script(error: ScriptError) -> Self {
        Self { file_name: error.file_name, line: Some(error.line), kind: ProblemKind::Script(error.kind) }
    }

    pub(super) fn duplicate(version: Version, first: String, second: String) -> Self {
        Self { file_name: second, line: None, kind: ProblemKind::Duplicate { version, other: first } }
    }

    /// What to try next.
    pub fn hint(&self) -> String {
        self.kind.hint()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&excerpt(&self.file_name, 120))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Its text.
    #[error(transparent)]
    Script(#[from] ScriptErrorKind),
    /// Its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It cannot be opened or read; what the system says.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It has a migration's name and is something else; sqlx passes over it in silence.
    #[error("this is a {0}, and no file")]
    NoFile(&'static str),
    /// sqlx would apply the first and fail with error 1062 at the second.
    #[error("version {version} is in `{}` as well", excerpt(other, 120))]
    Duplicate {
        /// The version of both.
        version: Version,
        /// The other file.
        other: String,
    },
    /// sqlx would apply both, or fail at the second.
    #[error("version {version} has a reversible form as well, in `{}`", excerpt(other, 120))]
    Mixed {
        /// The version of both.
        version: Version,
        /// The `.up.sql` or `.down.sql` file.
        other: String,
    },
    /// A `.down.sql` without its `.up.sql`.
    #[error("nothing to undo: there is no `.up.sql` of this version")]
    OrphanDown,
}

impl ProblemKind {
    /// What to try next.
    pub fn hint(&self) -> String {
        match self {
            Self::Script(kind) => kind.hint().to_owned(),
            Self::Name(error) => error.hint(),
            Self::Unreadable(_) => {
                "check that the file, or what a symbolic link points to, is there and readable".to_owned()
            }
            Self::NoFile(_) => {
                "put the file there that was meant, or give this another name: nothing in it would ever run"
                    .to_owned()
            }
            Self::Duplicate { .. } => {
                "give the one that is applied nowhere a newer version; a pair of up and down shares one"
                    .to_owned()
            }
            Self::Mixed { .. } => {
                "keep one form: `….sql` alone, or the pair `….up.sql` and `….down.sql`".to_owned()
            }
            Self::OrphanDown => {
                "restore the `.up.sql`, or check that both carry the same version; else remove this file"
                    .to_owned()
            }
        }
    }
}

/// Problems, each in a line with its hint below.
struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("a migration file is not as it should be:")?,
            n => write!(f, "{n} problems in the migration files:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}\n    hint: {}", problem.hint()))
    }
}
