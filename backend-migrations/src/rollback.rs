//! Undoes migrations: looks at every database first, then undoes what it has shown there, or nothing.
//!
//! "The newest one" means another migration on each day, and in an interrupted rollback another one on each tenant.
//! A number of steps is therefore made into versions once, before anything is undone, and a database in which these
//! versions are not the ones to undo when its lock is held is left as it is.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, io,
    num::NonZeroUsize,
    sync::Arc,
};

use crate::{
    event::{Event, Events, Failure, FailureCode, MigrationDone, MigrationPlanned, Outcome, Task},
    fleet::{self, Candidate, FleetOptions, Job, JobWork, Stop, TenantWork},
    migration::{MigrationSet, Version},
    plan::{Goal, PlanOptions},
    secret::Key,
    session::Connect,
    sql,
    summary::Summary,
    tenant::{SharedLabel, Target},
};

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The newest so many migrations.
    Steps(NonZeroUsize),
    /// Every migration newer than this version; 0 stands for all.
    To(Version),
}

/// Why a rollback cannot begin. Nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RollbackError {
    /// A migration that is to be undone has no `down`.
    #[error(
        "nothing was touched: {}{}: {}", .tenant.slug,
        match .n_others { 0 => String::new(), 1 => " (and 1 other)".to_owned(), n => format!(" (and {n} others)") },
        .failure.message
    )]
    NoDown {
        /// The first tenant that lacks one.
        tenant: SharedLabel,
        /// Which it lacks.
        failure: Box<Failure>,
        /// How many other tenants lack one.
        n_others: usize,
    },
    /// So many steps mean different migrations on different tenants.
    #[error("nothing was touched: the tenants stand at different versions, so that `--steps` would not undo the same everywhere{}", lines(.standings))]
    Differ {
        /// Who would lose what, the newest versions first.
        standings: Vec<Standing>,
        /// The version that those who stand first would be brought to.
        to: Version,
    },
    /// The run was told to stop.
    #[error("interrupted before anything was changed")]
    Interrupted,
}

/// Tenants that would lose the same migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What they would lose, newest first.
    pub versions: Vec<Version>,
    /// Who they are.
    pub tenants: Vec<SharedLabel>,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const N_NAMES_MAX: usize = 5;
        let n = self.tenants.len();
        let versions: Vec<_> = self.versions.iter().map(Version::to_string).collect();
        let versions = if versions.is_empty() { "nothing".to_owned() } else { versions.join(", ") };
        let names: Vec<_> =
            self.tenants.iter().take(N_NAMES_MAX).map(|tenant| tenant.slug.as_str()).collect();
        let more = if n > N_NAMES_MAX { format!(", and {} more", n - N_NAMES_MAX) } else { String::new() };
        let tenants = if n == 1 { "tenant" } else { "tenants" };
        write!(f, "{n} {tenants} would lose {versions} ({}{more})", names.join(", "))
    }
}

fn lines(standings: &[Standing]) -> String {
    let lines = std::iter::once(String::new()).chain(standings.iter().map(Standing::to_string));
    lines.collect::<Vec<_>>().join("\n")
}

impl RollbackError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDown { failure, .. } => failure.hint.clone(),
            Self::Differ { to, .. } => Some(format!(
                "say which version all are to go back to: `--to {to}` undoes what is newer than that, and a tenant that has \
                 nothing newer loses nothing; `migrate:status` shows where each one stands"
            )),
            Self::Interrupted => None,
        }
    }
}

/// What the look at a database came to.
#[derive(Clone, Debug, PartialEq)]
enum Look {
    /// What would be undone, in order.
    Planned(Vec<MigrationPlanned>),
    /// Another row's database, in words.
    Same(String),
    /// It could not be looked at, or nothing may be undone.
    Failed(Box<Failure>),
}

/// What a rollback works with.
#[derive(Debug)]
pub struct RollingBack<'a, C> {
    /// Opens connections.
    pub connector: &'a C,
    /// The key of the sealed passwords; none is needed for [`Candidate::Open`].
    pub key: Option<&'a Key>,
    /// The migrations there are.
    pub set: &'a MigrationSet,
    /// How it is told to stop.
    pub stop: &'a Stop,
}

/// A rollback that is ready to begin: which versions each database would lose.
#[derive(Clone, Debug)]
pub struct Rollback {
    /// Every migration newer than this is undone; 0 stands for all.
    pub to: Version,
    labels: Vec<SharedLabel>,
    looks: HashMap<SharedLabel, Look>,
}

impl<C: Connect> RollingBack<'_, C> {
    /// Looks at every one of `candidates`, and changes nothing. Of `options` the limits are kept to, the failure budget not
    /// among them.
    ///
    /// # Errors
    ///
    /// Every variant of [`RollbackError`]. A tenant that cannot be looked at is none: it fails in the run, as any other.
    pub async fn rehearse(
        &self,
        candidates: &[Candidate],
        depth: Depth,
        options: &FleetOptions,
        mut on_event: impl FnMut(&Event) -> io::Result<()>,
    ) -> Result<Rollback, RollbackError> {
        let goal = match depth {
            Depth::Steps(steps) => Goal::Down { steps: steps.get() },
            Depth::To(version) => Goal::DownTo(version),
        };
        let job = Job::Plan(PlanOptions { goal, allow_out_of_order: true, allow_existing_tables: true });
        let options = FleetOptions { job, failure_budget: None, ..options.clone() };
        let mut looks = HashMap::new();
        let candidates = candidates.to_vec();
        let labels: Vec<_> = candidates.iter().map(|candidate| candidate.label().clone()).collect();
        let Self { connector, key, set, stop } = *self;
        fleet::run(connector, key, set, candidates, &options, stop, |event| {
            if let Event::TenantFinished { tenant, outcome, .. } = event
                && let Some(look) = look(outcome)
            {
                looks.insert(tenant.clone(), look);
            }
            on_event(event)
        })
        .await;
        if stop.soft.is_cancelled() {
            return Err(RollbackError::Interrupted);
        }
        Rollback::resolve(set, depth, labels, looks)
    }

    /// Undoes on `candidates` what `rollback` has found there, or in a dry run says it again.
    ///
    /// A database in which other migrations would be undone by now fails with [`FailureCode::Changed`]; one in which all of
    /// them have been undone meanwhile has nothing to do.
    pub async fn run(
        &self,
        rollback: &Rollback,
        candidates: Vec<Candidate>,
        options: &FleetOptions,
        is_dry_run: bool,
        on_event: impl FnMut(&Event) -> io::Result<()>,
    ) -> Summary {
        let Self { connector, key, set, stop } = *self;
        let work = Undoing { connector, set, rollback, is_dry_run, stop };
        fleet::run_work(&work, key, candidates, options, stop, on_event).await
    }
}

impl Rollback {
    fn resolve(
        set: &MigrationSet,
        depth: Depth,
        labels: Vec<SharedLabel>,
        looks: HashMap<SharedLabel, Look>,
    ) -> Result<Self, RollbackError> {
        let lacking: Vec<_> = labels
            .iter()
            .filter_map(|label| match looks.get(label) {
                Some(Look::Failed(failure)) if failure.code == FailureCode::NoDown => Some((label, failure)),
                _ => None,
            })
            .collect();
        if let Some(((tenant, failure), others)) = lacking.split_first() {
            let (tenant, failure) = ((*tenant).clone(), (*failure).clone());
            return Err(RollbackError::NoDown { tenant, failure, n_others: others.len() });
        }
        let to = match depth {
            Depth::To(version) => version,
            Depth::Steps(_) => one_target(set, &labels, &looks)?,
        };
        Ok(Self { to, labels, looks })
    }

    /// The databases that would lose something.
    pub fn databases(&self) -> impl Iterator<Item = &SharedLabel> {
        self.labels
            .iter()
            .filter(|label| matches!(self.looks.get(*label), Some(Look::Planned(steps)) if !steps.is_empty()))
    }

    /// What would be undone anywhere, newest first.
    pub fn migrations(&self) -> Vec<&MigrationPlanned> {
        let planned = self.looks.values().filter_map(|look| match look {
            Look::Planned(steps) => Some(steps),
            _ => None,
        });
        let by_version: BTreeMap<_, _> =
            planned.flatten().map(|step| (step.migration.version, step)).collect();
        by_version.into_values().rev().collect()
    }
}

impl MigrationPlanned {
    /// The tables and other things that the script to be run names, as far as they were read.
    pub fn names(&self) -> BTreeSet<String> {
        let statements =
            self.migration.script(self.direction).into_iter().flat_map(|script| &script.statements);
        let changes = statements.map(|statement| sql::read(statement).change);
        changes
            .flat_map(|change| change.names().into_iter().map(|name| name.name.clone()).collect::<Vec<_>>())
            .collect()
    }
}

fn look(outcome: &Outcome) -> Option<Look> {
    match outcome {
        Outcome::Planned { steps } => Some(Look::Planned(steps.clone())),
        Outcome::UpToDate => Some(Look::Planned(Vec::new())),
        Outcome::SameDatabase { why } => Some(Look::Same(why.clone())),
        Outcome::Failed { failure, .. } => Some(Look::Failed(failure.clone())),
        _ => None,
    }
}

fn versions(steps: &[MigrationPlanned]) -> Vec<Version> {
    steps.iter().map(|step| step.migration.version).collect()
}

/// The version that the same steps bring every database to.
fn one_target(
    set: &MigrationSet,
    labels: &[SharedLabel],
    looks: &HashMap<SharedLabel, Look>,
) -> Result<Version, RollbackError> {
    let mut groups: BTreeMap<Vec<Version>, Vec<SharedLabel>> = BTreeMap::new();
    for label in labels {
        if let Some(Look::Planned(steps)) = looks.get(label) {
            groups.entry(versions(steps)).or_default().push(label.clone());
        }
    }
    // All that is applied is in the set, else there would be no plan; so nothing lies between the oldest that is undone
    // and the file before it.
    let below = |versions: &[Version]| {
        let oldest = versions.last();
        let before =
            oldest.and_then(|oldest| set.iter().rev().map(|m| m.version).find(|version| version < oldest));
        before.unwrap_or(Version(0))
    };
    let to = groups.keys().next_back().map_or(Version(0), |first| below(first));
    if groups.len() > 1 {
        let standings = groups.into_iter().rev().map(|(versions, tenants)| Standing { versions, tenants });
        return Err(RollbackError::Differ { standings: standings.collect(), to });
    }
    Ok(to)
}

/// The work of a [`Rollback`].
struct Undoing<'a, C> {
    connector: &'a C,
    set: &'a MigrationSet,
    rollback: &'a Rollback,
    is_dry_run: bool,
    stop: &'a Stop,
}

impl<C: Connect> TenantWork for Undoing<'_, C> {
    fn task(&self) -> Task {
        Task::Rollback
    }

    fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    async fn work(
        &self,
        target: Target,
        events: &Events,
        done: &mut Vec<MigrationDone>,
    ) -> Result<Outcome, Box<Failure>> {
        let steps = match self.rollback.looks.get(&target.label) {
            Some(Look::Planned(steps)) => steps,
            Some(Look::Same(why)) => return Ok(Outcome::SameDatabase { why: why.clone() }),
            Some(Look::Failed(failure)) => return Err(failure.clone()),
            // Nobody was shown what it would lose.
            None => return Ok(Outcome::Stopped { done: Vec::new(), n_remaining: 0 }),
        };
        if steps.is_empty() {
            return Ok(Outcome::UpToDate);
        }
        if self.is_dry_run {
            return Ok(Outcome::Planned { steps: steps.clone() });
        }
        let shown: Arc<[Version]> = versions(steps).into();
        let goal = Goal::Undo { to: self.rollback.to, shown };
        let job = Job::Apply(PlanOptions { goal, allow_out_of_order: true, allow_existing_tables: true });
        let work = JobWork { connector: self.connector, set: self.set, job, stop: self.stop };
        work.work(target, events, done).await
    }
}

#[cfg(test)]
mod tests;
