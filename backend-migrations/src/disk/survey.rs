//! A folder as it is, sound or not: what rules look at.

#![expect(clippy::disallowed_methods, reason = "this is where migration files are read")]

use std::{collections::BTreeMap, fs, io, path::Path};

use super::{LoadError, NameError, Problem, ProblemKind, sort_out};
use crate::{
    finding::{Code, Severity},
    lint::Fault,
    migration::MigrationSet,
    sql::{Refusal, ScriptErrorKind},
};

/// What is in a folder.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Every file whose name ends in `.sql`, in whatever letter case: its name and its bytes.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The migrations that are as they should be.
    pub set: MigrationSet,
    /// What is wrong with the others, each under the code of a rule.
    pub faults: Vec<Fault>,
}

/// Reads `dir` as [`super::load`] does, without refusing it.
///
/// # Errors
///
/// [`LoadError::Folder`] if it cannot be listed.
pub fn survey(dir: &Path) -> Result<Survey, LoadError> {
    let folder = |cause: io::Error| LoadError::Folder { path: dir.to_owned(), cause };
    let mut files = BTreeMap::new();
    let mut problems = Vec::new();
    let mut below = Vec::new();
    for entry in fs::read_dir(dir).map_err(folder)? {
        let entry = entry.map_err(folder)?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        match fs::metadata(entry.path()) {
            Ok(metadata) if !metadata.is_file() => {
                if metadata.is_dir() {
                    below.extend(sql_files_in(&entry.path(), &file_name));
                }
                if is_sql(&file_name) {
                    problems.push(Problem::no_file(file_name, metadata.file_type()));
                }
            }
            Ok(_) if !is_sql(&file_name) => {}
            Ok(_) => match fs::read(entry.path()) {
                Ok(bytes) => {
                    files.insert(file_name, bytes);
                }
                Err(error) => problems.push(Problem::unreadable(file_name, &error)),
            },
            Err(error) => problems.push(Problem::unreadable(file_name, &error)),
        }
    }
    below.sort();
    Ok(judge(files, &below, problems))
}

/// The same of files in memory; a `/` in a name is a folder below.
pub fn survey_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Survey {
    let (below, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| name.contains('/'));
    let below: Vec<_> = below.into_iter().map(|(name, _)| name).filter(|name| is_sql(name)).collect();
    judge(files.into_iter().filter(|(name, _)| is_sql(name)).collect(), &below, Vec::new())
}

fn is_sql(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".sql")
}

/// The `.sql` files of a folder below, not deeper; none where it cannot be listed.
fn sql_files_in(folder: &Path, name: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|file| is_sql(file)).map(|file| format!("{name}/{file}")).collect()
}

fn judge(files: BTreeMap<String, Vec<u8>>, below: &[String], problems: Vec<Problem>) -> Survey {
    let borrowed = files.iter().map(|(name, bytes)| (name.clone(), bytes.as_slice())).collect();
    let (migrations, problems) = sort_out(borrowed, problems);
    let mut faults: Vec<_> = problems.into_iter().map(fault).collect();
    faults.extend(below.iter().map(|path| Fault {
        code: Code("X002"),
        severity: Some(Severity::Warning),
        file_name: path.clone(),
        line: None,
        message: "a folder below is not looked into: this file never runs".to_owned(),
        hint: "move it up, or out of the migrations".to_owned(),
    }));
    // The versions came from a map, so none is there twice.
    let set = MigrationSet::new(migrations).unwrap_or_default();
    Survey { files, set, faults }
}

fn fault(problem: Problem) -> Fault {
    let code = match &problem.kind {
        ProblemKind::Name(NameError::NoVersion { .. } | NameError::VersionTooLarge { .. }) => "X001",
        ProblemKind::Name(NameError::UpperCase { .. } | NameError::NoUnderscore { .. })
        | ProblemKind::NoFile(_) => "X002",
        ProblemKind::Duplicate { .. } => "X003",
        ProblemKind::Mixed { .. } | ProblemKind::OrphanDown => "X004",
        ProblemKind::Unreadable(_) => "X025",
        ProblemKind::Script(kind) => match kind {
            ScriptErrorKind::NotUtf8 { .. }
            | ScriptErrorKind::ByteOrderMark
            | ScriptErrorKind::ZeroByte { .. }
            | ScriptErrorKind::HiddenLineEnd
            | ScriptErrorKind::Empty => "X008",
            ScriptErrorKind::Delimiter => "X010",
            ScriptErrorKind::ClientCommand { .. } | ScriptErrorKind::Refused(Refusal::LocalInfile) => "X017",
            ScriptErrorKind::Refused(Refusal::TransactionControl(_)) => "X012",
            ScriptErrorKind::Refused(Refusal::Use) => "X013",
            ScriptErrorKind::Refused(
                Refusal::TableLock(_)
                | Refusal::LockRelease(_)
                | Refusal::BackupLock(_)
                | Refusal::QuotingMode,
            ) => "X014",
            ScriptErrorKind::Refused(Refusal::Books(_)) => "X016",
            _ => "X025",
        },
    };
    Fault {
        code: Code(code),
        // The folder is refused as a whole for it, whatever else the rule finds weighs.
        severity: Some(Severity::Error),
        message: problem.kind.to_string(),
        hint: problem.hint(),
        file_name: problem.file_name,
        line: problem.line,
    }
}
