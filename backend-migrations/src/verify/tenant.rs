//! The tenants that proofs are made on.

use std::collections::BTreeSet;

use super::{Job, cost::Probe, stop::StopAfterRecord};
use crate::{
    apply::ApplyError,
    finding::StatementCost,
    migration::{Direction, Migration, MigrationSet},
    mysql::{Inspector, MySqlSession},
    plan::Goal,
    schema::{ObjectKind, Snapshot},
    scratch::{Scratch, ScratchError},
    session::TenantSession,
    sql,
};

/// Which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Without a row but those that migrations put there.
    Empty,
    /// With rows in every table.
    Filled,
    /// Filled at an old version.
    Lagging,
}

impl Kind {
    /// In words, after "on".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "an empty tenant",
            Self::Filled => "a tenant with rows",
            Self::Lagging => "a tenant that lags behind",
        }
    }

    /// How progress calls it.
    pub(super) fn lane(self, job: Job<'_>) -> String {
        let server = &job.server.label.name;
        let lane = match self {
            Self::Empty => "empty",
            Self::Filled => "with rows",
            Self::Lagging => "lagging",
        };
        format!("{server}, {}, {lane}", job.name)
    }
}

/// What became of a migration's script: the server's refusal is an answer.
pub(super) type Ran = Result<Result<(), ApplyError>, ScratchError>;

/// How a script went that was stopped again and again.
#[derive(Debug)]
pub(super) struct Stopped {
    /// What became of the last of its runs.
    pub(super) ran: Result<(), ApplyError>,
    pub(super) n_stops: usize,
    /// The place of the last statement that a stop came after.
    pub(super) reached: Option<usize>,
}

/// So often what differs is made again: once by altering tables, then by making them anew; and a table takes its triggers along,
/// which the next look shows missing.
const N_REPAIRS: usize = 4;

/// One migration alone, in a set.
fn alone(migration: &Migration) -> MigrationSet {
    MigrationSet::new(vec![migration.clone()]).expect("one version is there once")
}

fn goal(direction: Direction) -> Goal {
    match direction {
        Direction::Up => Goal::Latest,
        Direction::Down => Goal::Down { steps: 1 },
    }
}

/// A scratch database that migrations are run in one at a time: its history knows the one it is at, and none before, so
/// that a step costs the same wherever in the set it is.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) scratch: Scratch,
    /// The connection of the last script, while that has left nothing in its session: to open one for each would take as
    /// long as the scripts.
    session: Option<MySqlSession>,
    /// The second connection that finding out a statement's cost takes.
    prober: Option<Inspector>,
}

impl Tenant {
    pub(super) async fn create(job: Job<'_>) -> Result<Self, ScratchError> {
        let scratch = Scratch::create(job.connector, job.server, job.run, None).await?;
        Ok(Self { scratch, session: None, prober: None })
    }

    pub(super) async fn snapshot(&mut self) -> Result<Snapshot, ScratchError> {
        self.scratch.snapshot().await
    }

    async fn session(&mut self) -> Result<MySqlSession, ScratchError> {
        match self.session.take() {
            Some(session) => Ok(session),
            None => Ok(self.scratch.session().await?),
        }
    }

    /// Keeps the session for the next script, or lets go of it.
    async fn keep(&mut self, session: MySqlSession, is_as_new: bool) {
        if is_as_new {
            self.session = Some(session);
        } else {
            session.close().await;
        }
    }

    /// Runs a script.
    pub(super) async fn run(&mut self, migration: &Migration, direction: Direction) -> Ran {
        let mut session = self.session().await?;
        let result = self.scratch.apply_on(&mut session, &alone(migration), goal(direction)).await;
        self.keep(session, result.is_ok() && leaves_nothing(migration, direction)).await;
        Ok(result.map(|_| ()))
    }

    /// Runs an `up` and finds out what its statements cost.
    pub(super) async fn run_probed(
        &mut self,
        migration: &Migration,
    ) -> Result<(Result<(), ApplyError>, Vec<StatementCost>), ScratchError> {
        let inspector = match self.prober.take() {
            Some(inspector) => inspector,
            None => self.scratch.inspect().await?,
        };
        let session = self.session().await?;
        let mut probe = Probe::new(session, inspector, self.scratch.server().flavour);
        probe.begin(&migration.up);
        let result = self.scratch.apply_on(&mut probe, &alone(migration), goal(Direction::Up)).await;
        let costs = probe.take_costs();
        let (session, inspector) = probe.into_parts();
        self.prober = Some(inspector);
        self.keep(session, result.is_ok() && leaves_nothing(migration, Direction::Up)).await;
        Ok((result.map(|_| ()), costs))
    }

    /// Runs a script on sessions that are killed, each after the first statement that it has recorded, but for those at
    /// places in `passed`.
    pub(super) async fn run_stopping(
        &mut self,
        migration: &Migration,
        direction: Direction,
        passed: &BTreeSet<usize>,
    ) -> Result<Stopped, ScratchError> {
        let script = migration.script(direction);
        let mut stopped = Stopped { ran: Ok(()), n_stops: 0, reached: None };
        if script.is_none_or(|script| script.statements.len() < 2 || script.is_transactional()) {
            stopped.ran = self.run(migration, direction).await?;
            return Ok(stopped);
        }
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        let mut n_records = 1;
        loop {
            let mut session = StopAfterRecord::new(self.scratch.session().await?, n_records, passed);
            let result = self.scratch.apply_on(&mut session, &alone(migration), goal(direction)).await;
            let (has_stopped, recorded) = (session.has_stopped(), session.recorded());
            session.close().await;
            if !has_stopped {
                stopped.ran = result.map(|_| ());
                return Ok(stopped);
            }
            stopped.n_stops += 1;
            // A record that shares its transaction with the next statement is undone with that.
            n_records = if recorded > stopped.reached { 1 } else { n_records + 1 };
            stopped.reached = stopped.reached.max(recorded);
        }
    }

    /// Brings it to a goal with several migrations at once, of which its history may know none yet.
    pub(super) async fn go(&mut self, set: &MigrationSet, goal: Goal) -> Ran {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        match self.scratch.apply_to(set, goal).await {
            Ok(_) => Ok(Ok(())),
            Err(ScratchError::Apply(error)) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Whatever it has been through is settled: the next migration is its first again.
    pub(super) async fn settle(&mut self) -> Result<(), ScratchError> {
        self.scratch.forget_history().await
    }

    /// Gives it the schema of `target` again, where it is as `now`: what differs is made anew, with the rows that fit, and
    /// the rest is left alone. Gives the schema as it then is, which may be spelt otherwise; `None` where it cannot be had.
    /// `has_name` tells the names of indexes that some migration has made by name.
    pub(super) async fn repair(
        &mut self,
        now: &Snapshot,
        target: &Snapshot,
        has_name: &dyn Fn(&str) -> bool,
    ) -> Result<Option<Snapshot>, ScratchError> {
        let mut now = now.clone();
        for n_done in 0..N_REPAIRS {
            if is_same(target, &now) {
                return Ok(Some(now));
            }
            let changed = changed_tables(&now, target);
            let result = self.scratch.inspector().repair(&now, target, has_name, n_done == 0).await;
            result.map_err(ScratchError::Unrepaired)?;
            now = match changed {
                Some(changed) => self.scratch.snapshot_after(&now, &changed).await?,
                None => self.snapshot().await?,
            };
        }
        Ok(is_same(target, &now).then_some(now))
    }

    pub(super) async fn remove(self) -> Result<(), ScratchError> {
        if let Some(session) = self.session {
            session.close().await;
        }
        if let Some(prober) = self.prober {
            prober.close().await;
        }
        self.scratch.remove().await
    }
}

fn leaves_nothing(migration: &Migration, direction: Direction) -> bool {
    !migration.script(direction).is_some_and(sql::leaves_session_state)
}

/// Whether nothing differs but what a definition spells out, and the order in which a table's indexes are shown: one that is
/// left to the server comes where the server puts it.
pub(super) fn is_same(first: &Snapshot, second: &Snapshot) -> bool {
    let differences = first.diff(second);
    differences.iter().all(|d| d.object == ObjectKind::Table && first.has_same_table(second, &d.name))
}

/// The tables and views that differ, where nothing else does that a look at these would not show.
fn changed_tables(now: &Snapshot, target: &Snapshot) -> Option<BTreeSet<String>> {
    let has_triggers = [now, target]
        .iter()
        .any(|snapshot| snapshot.objects.keys().any(|(kind, _)| *kind == ObjectKind::Trigger));
    let names = target.diff(now).into_iter().map(|difference| {
        let is_shown = match difference.object {
            ObjectKind::Table => !has_triggers,
            ObjectKind::View => true,
            _ => false,
        };
        is_shown.then_some(difference.name)
    });
    names.collect()
}
