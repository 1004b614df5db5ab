//! The tenants that proofs are made on.

use std::sync::Arc;

use super::{Job, cost::Probe, stop::StopAfter};
use crate::{
    apply::ApplyError,
    finding::StatementCost,
    migration::{Direction, Migration, MigrationSet},
    plan::Goal,
    schema::{Flavour, Snapshot},
    scratch::{Scratch, ScratchError},
    session::TenantSession,
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

    /// The lane it lives in, as progress shows it.
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
}

impl Tenant {
    pub(super) async fn create(job: Job<'_>) -> Result<Self, ScratchError> {
        Ok(Self { scratch: Scratch::create(job.connector, job.server, job.run, None).await? })
    }

    pub(super) async fn snapshot(&mut self) -> Result<Snapshot, ScratchError> {
        self.scratch.snapshot().await
    }

    /// Runs a script on a session of its own.
    pub(super) async fn run(&self, migration: &Migration, direction: Direction) -> Ran {
        let session = self.scratch.session().await?;
        Ok(self.run_on(session, migration, direction).await)
    }

    /// Runs an `up` on a session that finds out what its statements cost.
    pub(super) async fn run_probed(
        &self,
        migration: &Migration,
        flavour: Flavour,
    ) -> Result<(Result<(), ApplyError>, Vec<StatementCost>), ScratchError> {
        let mut probe = Probe::new(self.scratch.session().await?, self.scratch.inspect().await?, flavour);
        probe.begin(&migration.up);
        let result = self.scratch.apply_on(&mut probe, &alone(migration), goal(Direction::Up)).await;
        let costs = probe.take_costs();
        probe.close().await;
        Ok((result.map(|_| ()), costs))
    }

    /// Runs a script on a session that is killed after `n_statements`. That it says so is no error of the migration.
    pub(super) async fn stop_after(
        &self,
        n_statements: usize,
        migration: &Migration,
        direction: Direction,
    ) -> Result<(), ScratchError> {
        let session = StopAfter::new(self.scratch.session().await?, n_statements);
        let _ = self.run_on(session, migration, direction).await;
        Ok(())
    }

    /// Runs a script on `session`.
    pub(super) async fn run_on<S: TenantSession>(
        &self,
        mut session: S,
        migration: &Migration,
        direction: Direction,
    ) -> Result<(), ApplyError> {
        let result = self.scratch.apply_on(&mut session, &alone(migration), goal(direction)).await;
        session.close().await;
        result.map(|_| ())
    }

    /// Brings it to a goal with several migrations at once, of which its history may know none yet; gives whether that
    /// went well.
    pub(super) async fn goes(&self, set: &MigrationSet, goal: Goal) -> Result<bool, ScratchError> {
        match self.scratch.apply_to(set, goal).await {
            Ok(_) => Ok(true),
            Err(ScratchError::Apply(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The migration it is at is settled; the next is the first again.
    pub(super) async fn settle(&mut self) -> Result<(), ScratchError> {
        self.scratch.forget_history().await
    }

    pub(super) async fn remove(self) -> Result<(), ScratchError> {
        self.scratch.remove().await
    }
}

/// A tenant that only ever went up, and of which others are copies: what a state was before something failed.
#[derive(Debug)]
pub(super) struct Mould {
    tenant: Tenant,
    /// So many of the migrations it has been through.
    n_applied: usize,
}

impl Mould {
    pub(super) async fn create(job: Job<'_>) -> Result<Self, ScratchError> {
        Ok(Self { tenant: Tenant::create(job).await?, n_applied: 0 })
    }

    pub(super) fn n_applied(&self) -> usize {
        self.n_applied
    }

    /// Goes on to the first `n` of `migrations`, without those that `is_skipped` says cannot be applied.
    pub(super) async fn advance(
        &mut self,
        migrations: &[Arc<Migration>],
        n: usize,
        is_skipped: impl Fn(&Migration) -> bool,
    ) -> Ran {
        for migration in migrations.iter().take(n).skip(self.n_applied) {
            if !is_skipped(migration) {
                if let Err(error) = self.tenant.run(migration, Direction::Up).await? {
                    return Ok(Err(error));
                }
                self.tenant.settle().await?;
            }
            self.n_applied += 1;
        }
        Ok(Ok(()))
    }

    pub(super) fn tenant(&mut self) -> &mut Tenant {
        &mut self.tenant
    }

    pub(super) fn into_tenant(self) -> Tenant {
        self.tenant
    }
}
