//! Proves, on a real server, that migrations do what is promised of them.
//!
//! Three tenants go through the whole set at the same time, each in a scratch database:
//!
//! * An *empty* one and one *with rows* in every table: each migration is applied, undone and applied again, and the
//!   schema looked at after each. On the empty one each script is also stopped after each of its statements and taken up
//!   again by the next run.
//! * One that *lags behind*: rows are put in at an old version, and all later migrations come at once; then all are undone.
//!
//! Everything that runs a migration is [`apply`](crate::apply); what is done otherwise than in production is done by
//! sessions around the real one. The work grows with the number of statements: no step begins again from nothing, and of
//! the schema only that is looked at again which a script can have changed. Where a `down` fails or leaves something else,
//! what differs is made again from the picture before it, and nothing else.

pub mod content;
pub mod cost;
pub mod fill;
mod findings;
mod index_names;
mod lagging;
mod lane;
mod ranges;
mod readers;
pub mod schema_file;
mod stop;
mod tenant;
mod touched;

use std::{collections::BTreeSet, fmt, sync::Arc, time::Instant};

use tokio::join;

use self::{
    findings::Found,
    tenant::{Kind, is_same},
};
use crate::{
    directive::{Declaration, Directive, SideFile, declarations},
    finding::{Inspected, Progress, Suite},
    migration::{Migration, MigrationSet, Script, Version},
    mysql::MySqlConnector,
    schema::Snapshot,
    scratch::{self, ScratchError},
    tenant::Target,
};

/// What is to be proven, and on what.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// How connections are opened.
    pub connector: &'a MySqlConnector,
    /// The server, with an account that may make databases. Its scheduler of events had better be off.
    pub server: &'a Target,
    /// Whose scratch databases are made: where the proofs are given up in the middle, [`scratch::abandon`] removes them.
    pub run: scratch::Run,
    /// How the set is called: `tenant`, `central`, or its folder's name.
    pub name: &'a str,
    /// Where its files are, from the repository's root.
    pub folder: &'a str,
    /// The migrations.
    pub set: &'a MigrationSet,
    /// Those to be proven; the others are only applied. All of them where it is `None`.
    pub selected: Option<&'a BTreeSet<Version>>,
    /// What is declared outside of the files.
    pub side_file: &'a SideFile,
    /// Files with rows for tables that no made-up row fits.
    pub fixtures: &'a [Script],
    /// The seed of the rows.
    pub seed: u64,
    /// Told what happens.
    pub tell: &'a (dyn Fn(Progress) + Sync),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The migrations and what is wrong with them.
    pub suite: Suite,
    /// The schema that all of them give; `None` where one of them cannot be applied.
    pub schema: Option<Snapshot>,
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Job<'_> {
    fn is_selected(&self, version: Version) -> bool {
        self.selected.is_none_or(|selected| selected.contains(&version))
    }

    /// Where in `migrations` those are that are to be proven.
    fn places(&self, migrations: &[Arc<Migration>]) -> Vec<usize> {
        (0..migrations.len()).filter(|at| self.is_selected(migrations[*at].version)).collect()
    }

    /// What is declared for a migration, in its files and beside them.
    fn declarations(&self, migration: &Migration) -> Vec<Declaration> {
        let scripts = [Some(&migration.up), migration.down.as_ref()];
        let written = scripts.into_iter().flatten().flat_map(declarations);
        written.chain(self.side_file.declarations_for(migration.version).cloned()).collect()
    }

    /// The declaration that nothing undoes this migration.
    fn irreversible(&self, migration: &Migration) -> Option<Declaration> {
        let mut declarations = self.declarations(migration).into_iter();
        declarations.find(|declaration| declaration.directive == Directive::Irreversible)
    }
}

/// Proves the migrations of `job`.
///
/// # Errors
///
/// [`ScratchError`] where the server cannot be worked with. What it refuses of a migration is a finding.
pub async fn verify(job: Job<'_>) -> Result<Proof, ScratchError> {
    let started = Instant::now();
    scratch::sweep(job.connector, job.server).await?;
    let migrations: Vec<_> = job.set.iter().cloned().collect();
    let selected = job.places(&migrations);
    let places = selected.first().copied().unwrap_or_default()..selected.last().map_or(0, |last| last + 1);
    // Boxed: each is many kilobytes, which callers would carry about in their own futures.
    let (empty, filled, lagging) = join!(
        Box::pin(lane::prove(job, &migrations, Kind::Empty, places.clone())),
        Box::pin(lane::prove(job, &migrations, Kind::Filled, places.clone())),
        Box::pin(lagging::prove(job)),
    );
    // All end, whatever becomes of one: each removes its databases.
    let (empty, filled, lagging) = (empty?, filled?, lagging?);
    let mut found: Vec<Found> = findings::declared(job);
    found.extend(empty.found);
    found.extend(filled.found);
    found.extend(filled.unfilled.into_values());
    found.extend(lagging.found);
    if let (Some(empty), Some(lagging)) = (&empty.newest, &lagging.schema)
        && !is_same(empty, lagging)
    {
        let message = "a tenant that had rows at an old version gets another schema than one without rows";
        found.push(Found { finding: findings::whole_set(message, &empty.diff(lagging)), on: None });
    }
    ranges::excuse(&empty.ranges, &mut found);

    let mut suite = Suite::new(job.name, job.folder, job.set);
    suite.server = empty.server.map(|server| server.to_string());
    suite.migrations = migrations
        .iter()
        .filter(|migration| job.is_selected(migration.version))
        .map(|migration| Inspected {
            elapsed: Some(empty.elapsed[&migration.version] + filled.elapsed[&migration.version]),
            costs: filled.costs.get(&migration.version).cloned().unwrap_or_default(),
            ..Inspected::new(migration)
        })
        .collect();
    for finding in findings::merged(found) {
        let inspected = suite.migrations.iter_mut().find(|m| Some(m.version) == finding.version);
        match inspected {
            Some(inspected) => inspected.findings.push(finding),
            None => suite.findings.push(finding),
        }
    }
    suite.elapsed = started.elapsed();
    Ok(Proof { suite, schema: lagging.schema })
}
