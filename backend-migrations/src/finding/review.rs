//! All that one run of lint or verify looked at and found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use super::{Finding, Severity};
use crate::migration::{Migration, MigrationSet, Version};

/// Which command looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// Rules, without a server.
    Lint,
    /// Proofs on a server.
    Verify,
}

impl Inspection {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Verify => "verify",
        }
    }
}

/// What one run looked at and found: what every format tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Which command looked.
    pub inspection: Inspection,
    /// A suite for each set of files and each server, in the order they are to be told.
    pub suites: Vec<Suite>,
    /// How long all of it took.
    pub elapsed: Duration,
}

impl Review {
    /// Every finding, in the order they are to be told.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.suites.iter().flat_map(Suite::findings)
    }

    /// How many findings weigh so much.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().filter(|finding| finding.severity == severity).count()
    }

    /// Whether nothing found is an error.
    pub fn is_accepted(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// How many migrations were looked at, on however many servers.
    pub fn n_migrations(&self) -> usize {
        let looked_at = self.suites.iter().flat_map(|suite| {
            suite.migrations.iter().map(move |inspected| (&suite.folder, inspected.version))
        });
        looked_at.collect::<BTreeSet<_>>().len()
    }
}

/// One set of files, on one server if there is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The set: `central`, `tenant`, or the name of its folder.
    pub set: String,
    /// The server as it calls itself, such as `MySQL 8.4.6`; `None` where none was asked.
    pub server: Option<String>,
    /// Where the files are, from the repository's root, with `/` between the parts: annotations need it so.
    pub folder: String,
    /// The files that findings may be about, by name.
    pub sources: BTreeMap<String, Source>,
    /// The migrations looked at, oldest first, each with what is wrong with it.
    pub migrations: Vec<Inspected>,
    /// What is wrong with the set as a whole, or with a file that is no migration.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Suite {
    /// One that has looked at nothing yet, with the files of `set` in `folder` as sources.
    pub fn new(name: impl Into<String>, folder: impl Into<String>, set: &MigrationSet) -> Self {
        let folder = folder.into();
        let scripts = set.iter().flat_map(|m| std::iter::once(&m.up).chain(m.down.as_ref()));
        let sources = scripts
            .map(|script| {
                let path = path_in(&folder, &script.file_name);
                (script.file_name.clone(), Source { path, text: Arc::clone(&script.source) })
            })
            .collect();
        Self {
            set: name.into(),
            server: None,
            folder,
            sources,
            migrations: Vec::new(),
            findings: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    /// Every finding: those of the set, then those of each migration.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.migrations.iter().flat_map(|inspected| &inspected.findings))
    }

    /// The path of a file of it, from the repository's root.
    pub fn path(&self, file_name: &str) -> String {
        match self.sources.get(file_name) {
            Some(source) => source.path.clone(),
            None => path_in(&self.folder, file_name),
        }
    }
}

fn path_in(folder: &str, file_name: &str) -> String {
    match folder.trim_end_matches('/') {
        "" | "." => file_name.to_owned(),
        folder => format!("{folder}/{file_name}"),
    }
}

/// A file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// From the repository's root, with `/` between the parts.
    pub path: String,
    /// All of it.
    pub text: Arc<str>,
}

/// A migration that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Its number.
    pub version: Version,
    /// The name of its `up` file.
    pub file_name: String,
    /// How long its proofs took; `None` where nothing was run.
    pub elapsed: Option<Duration>,
    /// What its statements cost on a table in use; statements of which that was not asked are left out.
    pub costs: Vec<StatementCost>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Inspected {
    /// `migration`, with nothing known of it yet.
    pub fn new(migration: &Migration) -> Self {
        Self {
            version: migration.version,
            file_name: migration.up.file_name.clone(),
            elapsed: None,
            costs: Vec::new(),
            findings: Vec::new(),
        }
    }
}

/// What a statement does to those who use its table meanwhile; a later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CostClass {
    /// Metadata alone changes (`ALGORITHM=INSTANT`).
    Instant,
    /// In place, the table is not written anew, and writes go on (`ALGORITHM=INPLACE, LOCK=NONE` or `NOCOPY`).
    InPlace,
    /// The table is written anew in place, and writes go on.
    Rebuild,
    /// In place, but writes wait until it is over (`LOCK=SHARED`).
    InPlaceBlocking,
    /// The table is copied, and writes wait until it is over (`ALGORITHM=COPY`).
    Copy,
}

impl CostClass {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::InPlace => "in place",
            Self::Rebuild => "rebuild",
            Self::InPlaceBlocking => "in place, writes blocked",
            Self::Copy => "copy, writes blocked",
        }
    }

    /// Whether writes wait until the statement is over.
    pub fn blocks_writes(self) -> bool {
        self >= Self::InPlaceBlocking
    }
}

impl fmt::Display for CostClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one statement of a migration's `up` costs, as the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementCost {
    /// Which statement of the file, from 1.
    pub statement: usize,
    /// The line of the file it begins on, from 1.
    pub line: usize,
    /// What it does to those who use its table.
    pub class: CostClass,
    /// Why it is not cheaper, in the server's words.
    pub reason: Option<String>,
}
