//! Where one database stands against a migration set: what `migrate:status` shows.

use std::collections::HashSet;

use crate::{
    history::History,
    migration::{MigrationSet, Version},
};

/// What is to be said of one version in one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Recorded as complete, with the file's checksum.
    Applied,
    /// In the set, not in the history.
    Pending,
    /// Pending, and older than the newest that was applied or begun.
    OutOfOrder,
    /// Started, and somebody is at work on it.
    Running,
    /// Started, not completed.
    Dirty,
    /// Applied from a file with other bytes.
    Modified,
    /// Applied, and in no file.
    Missing,
    /// Applied, in no file, and newer than every file: this program is older than the database.
    Ahead,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::OutOfOrder => "out of order",
            Self::Running => "running",
            Self::Dirty => "dirty",
            Self::Modified => "modified",
            Self::Missing => "missing",
            Self::Ahead => "ahead",
        }
    }
}

/// One version, as one database and the set see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionStanding {
    /// The version.
    pub version: Version,
    /// The words of its file name, or of the history where the file is gone.
    pub description: String,
    /// What is to be said of it.
    pub state: State,
    /// When it was applied, in seconds since 1970 UTC by the server's clock.
    pub installed_on_s: Option<i64>,
    /// How long it took; `None` where nobody recorded it.
    pub execution_time_ns: Option<i64>,
}

/// Where one database stands: every version there is, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Oldest first.
    pub versions: Vec<VersionStanding>,
}

impl Standing {
    /// Compares what a database remembers with the set. Takes nothing for granted and refuses nothing.
    pub fn of(set: &MigrationSet, history: &History) -> Self {
        let newest = history.newest();
        let mut versions: Vec<_> = history
            .rows
            .iter()
            .map(|row| {
                let migration = set.get(row.version);
                let state = match migration {
                    _ if !row.success => State::Dirty,
                    None if set.newest().is_none_or(|newest| row.version > newest) => State::Ahead,
                    None => State::Missing,
                    Some(migration) if migration.up.checksum.0 != *row.checksum => State::Modified,
                    Some(_) => State::Applied,
                };
                VersionStanding {
                    version: row.version,
                    description: row.description.clone(),
                    state,
                    installed_on_s: Some(row.installed_on_s),
                    execution_time_ns: Some(row.execution_time_ns).filter(|ns| *ns >= 0),
                }
            })
            .collect();
        let known: HashSet<Version> = history.rows.iter().map(|row| row.version).collect();
        versions.extend(set.iter().filter(|m| !known.contains(&m.version)).map(|migration| {
            let is_late = newest.is_some_and(|newest| migration.version < newest);
            VersionStanding {
                version: migration.version,
                description: migration.description.clone(),
                state: if is_late { State::OutOfOrder } else { State::Pending },
                installed_on_s: None,
                execution_time_ns: None,
            }
        }));
        versions.sort_by_key(|v| v.version);
        Self { versions }
    }

    /// Says of these versions, which look dirty, that they are not: somebody is at work on them.
    pub fn mark_running(&mut self, versions: &[Version]) {
        for standing in &mut self.versions {
            if standing.state == State::Dirty && versions.contains(&standing.version) {
                standing.state = State::Running;
            }
        }
    }

    /// The newest version that is complete.
    pub fn current(&self) -> Option<Version> {
        let complete =
            |s: State| matches!(s, State::Applied | State::Modified | State::Missing | State::Ahead);
        self.versions.iter().filter(|v| complete(v.state)).map(|v| v.version).max()
    }

    /// How many versions are in `state`.
    pub fn count(&self, state: State) -> usize {
        self.versions.iter().filter(|v| v.state == state).count()
    }

    /// Whether there is anything that a run would do or refuse.
    pub fn is_settled(&self) -> bool {
        self.versions.iter().all(|v| v.state == State::Applied)
    }
}
