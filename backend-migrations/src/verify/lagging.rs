//! A tenant that lags behind, and V108: the whole set up, down and up again.

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
    /// The tenant, undone to nothing: whoever goes up again with all of the set, proves the rest by [`Self::again`].
    pub(super) undone: Option<Tenant>,
}

impl Whole {
    /// Compares the schema of the first time with what all migrations give, applied again.
    pub(super) fn again(&mut self, schema: &Snapshot) {
        let differences = self.schema.as_ref().map(|first| first.diff(schema)).unwrap_or_default();
        if !differences.is_empty() {
            self.found.push(Found::on(Kind::Lagging, not_again(&differences)));
        }
    }
}

fn not_again(differences: &[Difference]) -> Finding {
    let message = "all migrations, undone and applied again, do not give the schema of the first time";
    findings::whole_set(message, differences)
}

/// Up with rows from an old version on, down as far as it goes, and up again. Where it went down to nothing and
/// `is_undone_wanted`, the way up again is left to whoever wants the tenant.
pub(super) async fn prove(job: Job<'_>, is_undone_wanted: bool) -> Result<Whole, ScratchError> {
    let mut whole = Whole { found: Vec::new(), schema: None, undone: None };
    let mut tenant = Tenant::create(job).await?;
    let steps = ["up from an old version", "down to nothing", "up again"];
    (job.tell)(Progress::Announced { n_steps: steps.len() });
    let mut life = Life { job, tenant: &mut tenant, found: &mut whole.found, is_undone: false };
    whole.schema = life.live(steps, is_undone_wanted).await?;
    if life.is_undone {
        whole.undone = Some(tenant);
    } else {
        tenant.remove().await?;
    }
    Ok(whole)
}

struct Life<'a> {
    job: Job<'a>,
    tenant: &'a mut Tenant,
    found: &'a mut Vec<Found>,
    /// Whether it has ended with all migrations undone, and the way up again left to others.
    is_undone: bool,
}

impl Life<'_> {
    async fn live(
        &mut self,
        steps: [&str; 3],
        is_undone_wanted: bool,
    ) -> Result<Option<Snapshot>, ScratchError> {
        let Some(newest) = self.job.set.newest() else { return self.tenant.snapshot().await.map(Some) };
        let (old, floor) = (self.old(), self.floor());
        self.begin(steps[0]);
        let mut base = self.tenant.snapshot().await?;
        let mut milestones = [old, floor, newest];
        milestones.sort_unstable();
        for version in milestones {
            if version.0 == 0 {
                continue;
            }
            if !self.go(findings::UP_RUNS, Goal::UpTo(version)).await? {
                self.end(1);
                return Ok(None);
            }
            if version == old {
                self.fill().await?;
            }
            if version == floor {
                base = self.tenant.snapshot().await?;
            }
        }
        let first = self.tenant.snapshot().await?;
        self.end(0);
        if floor == newest {
            return Ok(Some(first));
        }

        self.begin(steps[1]);
        let is_down = self.go(findings::DOWN_RUNS, Goal::DownTo(floor)).await?;
        if !is_down {
            self.end(1);
            return Ok(Some(first));
        }
        let left = base.diff(&self.tenant.snapshot().await?);
        if !left.is_empty() {
            let message = match floor {
                Version(0) => "undoing all migrations does not leave an empty database".to_owned(),
                floor => format!("undoing all migrations after {floor} does not give back its schema"),
            };
            self.find(findings::whole_set(&message, &left));
        }
        self.end(usize::from(!left.is_empty()));
        if is_undone_wanted && left.is_empty() && floor == Version(0) {
            self.tenant.settle_all().await?;
            self.is_undone = true;
            return Ok(Some(first));
        }

        self.begin(steps[2]);
        let is_up = self.go(findings::UP_AGAIN, Goal::Latest).await?;
        let again = if is_up { first.diff(&self.tenant.snapshot().await?) } else { Vec::new() };
        if !again.is_empty() {
            self.find(not_again(&again));
        }
        self.end(usize::from(!is_up || !again.is_empty()));
        Ok(Some(first))
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
        let result = self.tenant.scratch.apply_to(self.job.set, goal.clone()).await;
        let error = match result {
            Ok(_) => return Ok(true),
            Err(ScratchError::Apply(error)) => error,
            Err(error) => return Err(error),
        };
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

    fn begin(&self, subject: &str) {
        let lane = Kind::Lagging.lane(self.job);
        (self.job.tell)(Progress::StepStarted { lane, subject: subject.to_owned() });
    }

    fn end(&self, n_findings: usize) {
        (self.job.tell)(Progress::StepFinished { lane: Kind::Lagging.lane(self.job), n_findings });
    }
}
