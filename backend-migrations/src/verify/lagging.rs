//! A tenant that lags behind, and V108: the whole set up from an old version, and down.

use super::{
    Job,
    fill::Filler,
    findings::{self, Found},
    tenant::{Kind, Tenant},
};
use crate::{
    finding::{Code, Finding, Progress},
    migration::Version,
    plan::Goal,
    schema::{Difference, Snapshot},
    scratch::ScratchError,
};

/// What the whole set gave.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) found: Vec<Found>,
    /// The schema of the newest version; `None` where it cannot be reached.
    pub(super) schema: Option<Snapshot>,
}

/// Up with rows from an old version on, down as far as it goes, and up again where anything is left to go up from.
pub(super) async fn prove(job: Job<'_>) -> Result<Whole, ScratchError> {
    let mut whole = Way { job, tenant: Tenant::create(job).await?, found: Vec::new() };
    let schema = whole.go_all().await;
    whole.tenant.remove().await?;
    Ok(Whole { found: whole.found, schema: schema? })
}

struct Way<'a> {
    job: Job<'a>,
    tenant: Tenant,
    found: Vec<Found>,
}

impl Way<'_> {
    async fn go_all(&mut self) -> Result<Option<Snapshot>, ScratchError> {
        let Some(newest) = self.job.set.newest() else { return self.tenant.snapshot().await.map(Some) };
        (self.job.tell)(Progress::Announced { n_steps: 3 });
        let (old, floor) = (self.old(), self.floor());
        let schemas =
            self.step("up from an old version", async |way| way.go_up(old, floor, newest).await).await?;
        let Some((base, first)) = schemas else { return Ok(None) };
        if floor == newest {
            return Ok(Some(first));
        }
        let left = self.step("down to nothing", async |way| way.go_down(&base, floor).await).await?;
        // From nothing at all the way up is the first way up.
        if left.is_some_and(|left| !left.is_empty() || floor != Version(0)) {
            self.step("up again", async |way| way.go_up_again(&first).await).await?;
        }
        Ok(Some(first))
    }

    /// Does one of its steps, and tells how it went.
    async fn step<T>(
        &mut self,
        subject: &str,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, ScratchError>,
    ) -> Result<T, ScratchError> {
        let (lane, n_before) = (Kind::Lagging.lane(self.job), self.found.len());
        (self.job.tell)(Progress::StepStarted { lane: lane.clone(), subject: subject.to_owned() });
        let done = work(self).await;
        let n_findings = self.found.len() - n_before;
        (self.job.tell)(Progress::StepFinished { lane, n_findings });
        done
    }

    /// Goes to the newest version; gives the schemas at `floor` and at the newest, or `None` where it cannot be reached.
    async fn go_up(
        &mut self,
        old: Version,
        floor: Version,
        newest: Version,
    ) -> Result<Option<(Snapshot, Snapshot)>, ScratchError> {
        let mut base = self.tenant.snapshot().await?;
        let mut milestones = [old, floor, newest];
        milestones.sort_unstable();
        for version in milestones.into_iter().filter(|version| version.0 > 0) {
            if !self.go(findings::UP_RUNS, Goal::UpTo(version)).await? {
                return Ok(None);
            }
            if version == old {
                self.fill().await?;
            }
            if version == floor {
                base = self.tenant.snapshot().await?;
            }
        }
        Ok(Some((base, self.tenant.snapshot().await?)))
    }

    /// Goes down to `floor`; gives what is not as it was there, or `None` where a `down` fails.
    async fn go_down(
        &mut self,
        base: &Snapshot,
        floor: Version,
    ) -> Result<Option<Vec<Difference>>, ScratchError> {
        if !self.go(findings::DOWN_RUNS, Goal::DownTo(floor)).await? {
            return Ok(None);
        }
        let left = base.diff(&self.tenant.snapshot().await?);
        if !left.is_empty() {
            let message = match floor {
                Version(0) => "undoing all migrations does not leave an empty database".to_owned(),
                floor => format!("undoing all migrations after {floor} does not give back its schema"),
            };
            self.find(findings::whole_set(&message, &left));
        }
        Ok(Some(left))
    }

    async fn go_up_again(&mut self, first: &Snapshot) -> Result<(), ScratchError> {
        if self.go(findings::UP_AGAIN, Goal::Latest).await? {
            let again = first.diff(&self.tenant.snapshot().await?);
            if !again.is_empty() {
                let message =
                    "all migrations, undone and applied again, do not give the schema of the first time";
                self.find(findings::whole_set(message, &again));
            }
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), ScratchError> {
        let schema = self.tenant.snapshot().await?;
        let mut filler = Filler::new(self.job.seed, self.job.fixtures).sparing(self.job.set);
        // What comes after the old version.
        let next = Version(self.old().0 + 1);
        let result = filler.fill_before(next, self.tenant.scratch.inspector(), &schema).await;
        // A table that takes none is told of by the tenant that has rows all along.
        result.map(|_| ()).map_err(ScratchError::Unfilled)
    }

    /// The version it lags at: a third of the way.
    fn old(&self) -> Version {
        let n = self.job.set.len();
        self.job.set.iter().nth(n / 3).map_or(Version(0), |migration| migration.version)
    }

    /// The newest version that nothing undoes: there the way down ends. 0 where all can be undone.
    fn floor(&self) -> Version {
        let is_final = |m: &&std::sync::Arc<_>| self.job.irreversible(m).is_some() || m.down.is_none();
        self.job.set.iter().rev().find(is_final).map_or(Version(0), |migration| migration.version)
    }

    /// Goes to `goal`; where a script fails, tells that under `code` and gives `false`.
    async fn go(&mut self, code: Code, goal: Goal) -> Result<bool, ScratchError> {
        let Err(error) = self.tenant.go(self.job.set, goal.clone()).await? else { return Ok(true) };
        let direction = goal.direction();
        let file_name = match &error {
            crate::apply::ApplyError::Statement(error) => Some(error.at.file_name.as_str()),
            _ => None,
        };
        let is_it =
            |script: Option<&crate::migration::Script>| script.map(|s| s.file_name.as_str()) == file_name;
        let migration = self.job.set.iter().find(|m| is_it(m.script(direction)));
        let finding = match migration {
            Some(migration) => findings::refused(code, migration, direction, &error),
            None => Finding { code, ..findings::whole_set(&error.to_string(), &[]) },
        };
        self.find(finding);
        Ok(false)
    }

    fn find(&mut self, finding: Finding) {
        self.found.push(Found::on(Kind::Lagging, finding));
    }
}
