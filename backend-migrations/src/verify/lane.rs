//! One tenant on its way through the set: each migration is applied, undone and applied again, and the schema looked at
//! after each.
//!
//! Where a script leaves another schema than it should, what differs is made again and nothing else, so that the next
//! migration is proven on what it would find, and a broken set takes little more time than a sound one.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Job,
    content::{self, Content},
    cost,
    fill::Filler,
    findings::{self, Found},
    index_names::IndexNames,
    readers::{self, Object},
    tenant::{Kind, Ran, Tenant, is_same},
    touched::Touched,
};
use crate::{
    apply::ApplyError,
    finding::{Finding, Progress, Severity, StatementCost},
    migration::{Direction, Migration, MigrationSet, Script, Version},
    plan::Goal,
    schema::{ServerVersion, Snapshot},
    scratch::ScratchError,
    sql,
};

/// What a tenant's way through the set gave.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) found: Vec<Found>,
    /// The tables that no row could be put into, with what is to be said of them.
    pub(super) unfilled: BTreeMap<String, Found>,
    /// Neighbours that come back together, though not one by one: the first and the last of each.
    pub(super) ranges: Vec<(Version, Version)>,
    /// How long each migration's proofs took.
    pub(super) elapsed: BTreeMap<Version, Duration>,
    /// What each migration's statements cost, where that was asked.
    pub(super) costs: BTreeMap<Version, Vec<StatementCost>>,
    pub(super) server: Option<ServerVersion>,
    /// The schema of the newest version, where all migrations led to it.
    pub(super) newest: Option<Snapshot>,
}

/// A tenant on its way.
struct Lane<'a> {
    job: Job<'a>,
    kind: Kind,
    migrations: &'a [Arc<Migration>],
    tenant: Tenant,
    filler: Filler<'a>,
    names: IndexNames,
    /// The schema as it was seen last.
    state: Snapshot,
    /// Whether every look is at everything.
    is_thorough: bool,
    /// The migrations that cannot be applied.
    skipped: BTreeSet<Version>,
    /// Neighbours whose `down` does not give back what was there: the place of the first, and the schema before it.
    not_back: Option<(usize, Snapshot)>,
    /// What does not work, each with the place of its finding among those found.
    broken: BTreeMap<Object, usize>,
    seen: Seen,
}

/// Proves the migrations at `places`, after all those before them, on a tenant of this kind.
pub(super) async fn prove(
    job: Job<'_>,
    migrations: &[Arc<Migration>],
    kind: Kind,
    places: Range<usize>,
) -> Result<Seen, ScratchError> {
    let mut is_thorough = false;
    loop {
        let mut lane = Lane::begin(job, migrations, kind, is_thorough).await?;
        let result = Box::pin(lane.go_to_the_end(places.clone())).await;
        // Whatever became of it, its database is removed.
        lane.tenant.remove().await?;
        // Looks at what a script names leave out what its text does not show.
        let last_look = result?;
        if is_thorough || is_same(&last_look, &lane.state) {
            return Ok(lane.seen);
        }
        is_thorough = true;
    }
}

impl<'a> Lane<'a> {
    async fn begin(
        job: Job<'a>,
        migrations: &'a [Arc<Migration>],
        kind: Kind,
        is_thorough: bool,
    ) -> Result<Self, ScratchError> {
        let mut tenant = Tenant::create(job).await?;
        let state = tenant.snapshot().await?;
        Ok(Self {
            job,
            kind,
            migrations,
            filler: Filler::new(job.seed, job.fixtures).sparing(job.set),
            names: IndexNames::of(job.set),
            // Where names have no case, a script's are not those that the schema has.
            is_thorough: is_thorough || !tenant.scratch.names_have_case(),
            tenant,
            skipped: BTreeSet::new(),
            not_back: None,
            broken: BTreeMap::new(),
            seen: Seen { server: Some(state.server), ..Seen::default() },
            state,
        })
    }

    /// As [`Self::go`]; gives a last look at everything.
    async fn go_to_the_end(&mut self, places: Range<usize>) -> Result<Snapshot, ScratchError> {
        self.go(places).await?;
        self.tenant.snapshot().await
    }

    async fn go(&mut self, places: Range<usize>) -> Result<(), ScratchError> {
        (self.job.tell)(Progress::Announced { n_steps: places.len() });
        let earlier = set_of(&self.migrations[..places.start]);
        if self.tenant.go(&earlier, Goal::Latest).await?.is_ok() {
            self.state = self.tenant.snapshot().await?;
        } else {
            // One of them cannot be applied: on a new tenant, all the others.
            self.replay(0).await?;
            for at in 0..places.start {
                self.pass(at).await?;
                self.tenant.settle().await?;
            }
        }
        self.tenant.settle().await?;
        for at in places.clone() {
            let migration = &self.migrations[at];
            let (started, n_before) = (Instant::now(), self.seen.found.len());
            let (lane, subject) = (self.kind.lane(self.job), migration.up.file_name.clone());
            (self.job.tell)(Progress::StepStarted { lane: lane.clone(), subject });
            if self.job.is_selected(migration.version) {
                Box::pin(self.prove(at)).await?;
            } else {
                self.pass(at).await?;
            }
            self.filler.forget(self.reached(migration).as_ref());
            self.tenant.settle().await?;
            self.seen.elapsed.insert(migration.version, started.elapsed());
            let n_findings = self.seen.found.len() - n_before;
            (self.job.tell)(Progress::StepFinished { lane, n_findings });
        }
        self.prove_range(places.end, places.end).await?;
        if self.skipped.is_empty() && places.end == self.migrations.len() {
            self.seen.newest = Some(self.state.clone());
        }
        Ok(())
    }

    fn find(&mut self, finding: Finding) {
        self.seen.found.push(Found::on(self.kind, finding));
    }

    /// The schema after `script` has run, wholly or in part, where it was as `before`.
    async fn look_after(&mut self, before: &Snapshot, script: &Script) -> Result<Snapshot, ScratchError> {
        let touched = Touched::by([script]).filter(|_| !self.is_thorough);
        self.state = match touched.and_then(|touched| touched.in_schema(before)) {
            Some(names) => self.tenant.scratch.snapshot_after(before, &names).await?,
            None => self.tenant.snapshot().await?,
        };
        Ok(self.state.clone())
    }

    /// Gives the tenant the schema of `target` again, which the first `n` migrations lead to. What comes next is its first
    /// migration.
    async fn go_back(&mut self, target: &Snapshot, n: usize) -> Result<(), ScratchError> {
        let names = &self.names;
        let has_name = |name: &str| names.has(name);
        match self.tenant.repair(&self.state, target, &has_name).await? {
            Some(state) => self.state = state,
            None => self.replay(n).await?,
        }
        self.filler.forget(None);
        self.tenant.settle().await
    }

    /// Goes on with a new tenant, to which the first `n` migrations are applied.
    async fn replay(&mut self, n: usize) -> Result<(), ScratchError> {
        let new = Tenant::create(self.job).await?;
        std::mem::replace(&mut self.tenant, new).remove().await?;
        for migration in &self.migrations[..n] {
            if !self.skipped.contains(&migration.version) {
                // It was applied before; what it does now shows by the schema.
                let _ = self.tenant.run(migration, Direction::Up).await?;
                self.tenant.settle().await?;
            }
        }
        self.filler.forget(None);
        self.state = self.tenant.snapshot().await?;
        Ok(())
    }

    /// Applies a migration that is not to be proven.
    async fn pass(&mut self, at: usize) -> Result<(), ScratchError> {
        let (before, migration) = (self.state.clone(), &*self.migrations[at]);
        let ran = self.tenant.run(migration, Direction::Up).await?;
        self.look_after(&before, &migration.up).await?;
        match ran {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(at, &before, &error).await,
        }
    }

    /// What cannot be applied is left out; what fails on rows alone is applied without any, so that the migrations after it
    /// can be proven.
    async fn refuse(&mut self, at: usize, before: &Snapshot, error: &ApplyError) -> Result<(), ScratchError> {
        let migration = &*self.migrations[at];
        let mut finding = findings::refused(findings::UP_RUNS, migration, Direction::Up, error);
        self.go_back(before, at).await?;
        let mut is_applied = false;
        if self.kind == Kind::Filled {
            self.tenant.scratch.inspector().empty(before).await.map_err(ScratchError::Unfilled)?;
            is_applied = self.tenant.run(migration, Direction::Up).await?.is_ok();
            self.look_after(before, &migration.up).await?;
            if !is_applied {
                self.go_back(before, at).await?;
            }
        }
        if !is_applied {
            self.skipped.insert(migration.version);
            finding.notes.push("the migrations after it are proven without it".into());
        }
        self.find(finding);
        Ok(())
    }

    async fn prove(&mut self, at: usize) -> Result<(), ScratchError> {
        let (before, migration) = (self.state.clone(), &*self.migrations[at]);
        let mut rows = None;
        if self.kind == Kind::Filled {
            self.fill(migration).await?;
            rows = Some(self.rows(migration, &before).await?);
        }
        let Some(up) = self.first_up(at, &before).await? else { return self.prove_range(at, at + 1).await };
        if self.kind == Kind::Filled {
            self.try_readers(migration, Direction::Up, &before).await?;
        }
        let after = self.state.clone();
        let is_exact = match migration.down.as_ref().filter(|down| !down.statements.is_empty()) {
            Some(_) => Box::pin(self.undo(at, &before, rows.as_ref(), &after)).await?,
            None if up.is_doubtful => {
                self.go_back(&before, at).await?;
                true
            }
            None => return self.prove_range(at, at + 1).await,
        };
        Box::pin(self.apply_again(at, up, &before, &after)).await?;
        if is_exact || migration.down.is_none() {
            return self.prove_range(at, at + 1).await;
        }
        if self.not_back.is_none() {
            self.not_back = Some((at, before));
        }
        Ok(())
    }

    /// Puts rows into every table that `migration` will find.
    async fn fill(&mut self, migration: &Migration) -> Result<(), ScratchError> {
        let inspector = self.tenant.scratch.inspector();
        let filled = self.filler.fill_before(migration.version, inspector, &self.state).await;
        for table in filled.map_err(ScratchError::Unfilled)? {
            let found = Found::on(self.kind, findings::unfilled(migration, &table));
            self.seen.unfilled.entry(table.table).or_insert(found);
        }
        Ok(())
    }

    /// The tables whose rows `migration` can reach, up or down; `None` for all.
    fn reached(&self, migration: &Migration) -> Option<BTreeSet<String>> {
        let scripts = [Some(&migration.up), migration.down.as_ref()].into_iter().flatten();
        Touched::by(scripts).filter(|_| !self.is_thorough)?.rows()
    }

    /// The rows of all tables that `migration` can reach.
    async fn rows(&mut self, migration: &Migration, schema: &Snapshot) -> Result<Content, ScratchError> {
        let reached = self.reached(migration);
        let is_reached = |name: &str| reached.as_ref().is_none_or(|names| names.contains(name));
        let content = Content::read(self.tenant.scratch.inspector(), schema, is_reached).await;
        content.map_err(ScratchError::Unseen)
    }

    /// The first `up`: stopped after each statement where there are no rows; with rows, the server is asked what each
    /// statement costs. `None` where it cannot be applied.
    async fn first_up(&mut self, at: usize, before: &Snapshot) -> Result<Option<Up>, ScratchError> {
        let migration = &*self.migrations[at];
        let mut up = Up::default();
        let ran = if self.kind == Kind::Filled {
            self.run_probed(migration).await?
        } else {
            let (ran, n_stops) = self.run_stopping(at, Direction::Up, before).await?;
            up.is_doubtful = n_stops > 0 && is_stop_felt(&migration.up);
            ran
        };
        self.look_after(before, &migration.up).await?;
        let Err(error) = ran else { return Ok(Some(up)) };
        if !up.is_doubtful {
            self.refuse(at, before, &error).await?;
            return Ok(None);
        }
        self.go_back(before, at).await?;
        let whole = self.tenant.run(migration, Direction::Up).await?;
        self.look_after(before, &migration.up).await?;
        match whole {
            Ok(()) => self.find(findings::not_resumed(migration, Direction::Up, &error)),
            Err(error) => {
                self.refuse(at, before, &error).await?;
                return Ok(None);
            }
        }
        Ok(Some(Up::default()))
    }

    /// Runs a script, stopped after each of its statements. Where the next run refuses to go on after one of them, that is
    /// told, and the script begun anew without a stop there.
    async fn run_stopping(
        &mut self,
        at: usize,
        direction: Direction,
        before: &Snapshot,
    ) -> Result<(Result<(), ApplyError>, usize), ScratchError> {
        let migration = &*self.migrations[at];
        let mut passed = BTreeSet::new();
        loop {
            let stopped = self.tenant.run_stopping(migration, direction, &passed).await?;
            let refused_after = stopped.reached.filter(|_| matches!(stopped.ran, Err(ApplyError::Plan(_))));
            let (Err(error), Some(place)) = (&stopped.ran, refused_after) else {
                return Ok((stopped.ran, stopped.n_stops));
            };
            if passed.is_empty() {
                self.find(findings::not_resumed(migration, direction, error));
            }
            if !passed.insert(place) {
                return Ok((stopped.ran, stopped.n_stops));
            }
            self.state = self.tenant.snapshot().await?;
            self.go_back(before, at).await?;
            if direction == Direction::Down {
                // It was applied before.
                let _ = self.tenant.run(migration, Direction::Up).await?;
            }
        }
    }

    async fn run_probed(&mut self, migration: &Migration) -> Ran {
        let (result, costs) = self.tenant.run_probed(migration).await?;
        if result.is_ok() {
            for finding in cost::findings(migration, &costs, &self.job.declarations(migration)) {
                self.find(finding);
            }
        }
        self.seen.costs.insert(migration.version, costs);
        Ok(result)
    }

    /// Undoes the migration; gives whether that gave back the schema before, which is there afterwards in any case.
    async fn undo(
        &mut self,
        at: usize,
        before: &Snapshot,
        rows: Option<&Content>,
        after: &Snapshot,
    ) -> Result<bool, ScratchError> {
        let migration = &*self.migrations[at];
        let Some(down) = &migration.down else { return Ok(true) };
        let (mut ran, n_stops) = if self.kind == Kind::Empty {
            self.run_stopping(at, Direction::Down, before).await?
        } else {
            (self.tenant.run(migration, Direction::Down).await?, 0)
        };
        self.look_after(after, down).await?;
        if n_stops > 0 && is_stop_felt(down) && (ran.is_err() || !is_same(before, &self.state)) {
            let stopped = (ran, self.state.clone());
            self.go_back(before, at).await?;
            // It was applied before.
            let _ = self.tenant.run(migration, Direction::Up).await?;
            self.look_after(before, &migration.up).await?;
            ran = self.tenant.run(migration, Direction::Down).await?;
            self.look_after(after, down).await?;
            match stopped {
                (Err(error), _) if ran.is_ok() => {
                    self.find(findings::not_resumed(migration, Direction::Down, &error));
                }
                (Ok(()), left) if ran.is_ok() && !is_same(&left, &self.state) => {
                    let differences = self.state.diff(&left);
                    self.find(findings::resumed_otherwise(migration, Direction::Down, &differences));
                }
                _ => {}
            }
        }
        let declaration = self.job.irreversible(migration);
        let mut is_exact = false;
        let finding = if let Err(error) = ran {
            Some(findings::refused(findings::DOWN_RUNS, migration, Direction::Down, &error))
        } else {
            if let Some(rows) = rows {
                let schema = self.state.clone();
                let differences = rows.compare(&self.rows(migration, &schema).await?);
                for finding in content::findings(migration, &differences, &self.job.declarations(migration)) {
                    self.find(finding);
                }
            }
            let differences = before.diff(&self.state);
            is_exact = differences.is_empty();
            (!is_exact).then(|| findings::not_undone(migration, &differences))
        };
        match (declaration, finding) {
            (None, Some(finding)) => self.find(finding),
            // A `down` that does nothing, where the file says that nothing can be done, gives back what was never changed.
            (Some(declaration), _) if is_exact && down.does_something() && self.kind == Kind::Empty => {
                self.find(findings::needless_declaration(migration, &declaration));
            }
            _ => {}
        }
        if !is_exact {
            if self.kind == Kind::Filled {
                self.try_readers(migration, Direction::Down, after).await?;
            }
            self.go_back(before, at).await?;
        }
        Ok(is_exact)
    }

    /// Tries what reads the tables that a script has changed.
    async fn try_readers(
        &mut self,
        migration: &Migration,
        direction: Direction,
        before: &Snapshot,
    ) -> Result<(), ScratchError> {
        let inspector = self.tenant.scratch.inspector();
        let broken = readers::try_all(inspector, before, &self.state, self.broken.keys()).await;
        let broken = broken.map_err(ScratchError::Unseen)?;
        if direction == Direction::Up {
            let is_broken = |object: &Object| broken.iter().any(|broken| broken.object == *object);
            let mended: Vec<_> = self.broken.extract_if(.., |object, _| !is_broken(object)).collect();
            for (_, at) in mended {
                let finding = &mut self.seen.found[at].finding;
                finding.severity = Severity::Warning;
                finding.notes.push(format!("from {} on it works again", migration.version));
            }
        }
        for broken in broken {
            if self.broken.contains_key(&broken.object) {
                continue;
            }
            if direction == Direction::Up {
                self.broken.insert(broken.object.clone(), self.seen.found.len());
            }
            self.find(findings::broken(migration, direction, &broken));
        }
        Ok(())
    }

    /// Applies the migration again, from the schema before it; afterwards the schema is as `after`.
    async fn apply_again(
        &mut self,
        at: usize,
        up: Up,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Result<(), ScratchError> {
        let migration = &*self.migrations[at];
        let ran = self.tenant.run(migration, Direction::Up).await?;
        self.look_after(before, &migration.up).await?;
        let finding = match ran {
            Err(error) => findings::refused(findings::UP_AGAIN, migration, Direction::Up, &error),
            Ok(()) if is_same(after, &self.state) => return Ok(()),
            Ok(()) if up.is_doubtful => {
                // Only the first was stopped. Stopped once more, from the rows that are there now, it tells whether that was
                // why.
                let second = self.state.clone();
                self.go_back(before, at).await?;
                let (ran, _) = self.run_stopping(at, Direction::Up, before).await?;
                let third = self.look_after(before, &migration.up).await?;
                if ran.is_ok() && !is_same(&second, &third) {
                    let differences = second.diff(&third);
                    self.find(findings::resumed_otherwise(migration, Direction::Up, &differences));
                    return self.go_back(&second, at + 1).await;
                }
                findings::not_the_same_again(migration, &after.diff(&second))
            }
            Ok(()) => findings::not_the_same_again(migration, &after.diff(&self.state)),
        };
        self.find(finding);
        self.go_back(after, at + 1).await
    }

    /// Where several neighbours up to the one before `end` do not come back one by one, proves whether they do together:
    /// one change may be split over several files. So many migrations are applied before and after it.
    async fn prove_range(&mut self, end: usize, n_applied: usize) -> Result<(), ScratchError> {
        let Some((start, before)) = self.not_back.take() else { return Ok(()) };
        // With a sound neighbour nothing is proven: below a `CREATE TABLE` whatever became of the table goes with it.
        let applied = self.migrations[start..end].iter().filter(|m| !self.skipped.contains(&m.version));
        let applied: Vec<_> = applied.cloned().collect();
        if self.kind != Kind::Empty || applied.len() < 2 {
            return Ok(());
        }
        let after = self.state.clone();
        self.go_back(&before, start).await?;
        let set = set_of(&applied);
        let mut is_back = self.tenant.go(&set, Goal::Latest).await?.is_ok()
            && self.tenant.go(&set, Goal::DownTo(Version(0))).await?.is_ok();
        self.state = self.tenant.snapshot().await?;
        is_back = is_back && is_same(&before, &self.state);
        if is_back {
            let versions = (applied[0].version, applied[applied.len() - 1].version);
            self.seen.ranges.push(versions);
        }
        self.go_back(&after, n_applied).await
    }
}

/// How the first `up` went.
#[derive(Clone, Copy, Debug, Default)]
struct Up {
    /// Whether it was stopped in the middle, and a stop may have changed what it did.
    is_doubtful: bool,
}

/// Whether a script's statements may do something else on another connection than that of the statement before.
fn is_stop_felt(script: &Script) -> bool {
    // What the session remembers of the last statement is no setting of it.
    const MEMORIES: [&str; 3] = ["LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS"];
    let reads_memory = |text: &str| {
        let text = text.to_ascii_uppercase();
        MEMORIES.iter().any(|word| text.contains(word))
    };
    sql::leaves_session_state(script) || script.statements.iter().any(|s| reads_memory(&s.text))
}

fn set_of(migrations: &[Arc<Migration>]) -> MigrationSet {
    let migrations = migrations.iter().map(|migration| (**migration).clone()).collect();
    MigrationSet::new(migrations).expect("each version is there once")
}
