//! A tenant that lives through the set, each migration applied, undone and applied again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Job,
    content::{self, Content},
    copy::Remaker,
    cost,
    fill::Filler,
    findings::{self, Found},
    tenant::{Kind, Ran, Tenant},
    touched::Touched,
};
use crate::{
    finding::{Finding, Progress, Severity, StatementCost},
    migration::{Direction, Migration, MigrationSet, Script, Version},
    plan::Goal,
    schema::{ServerVersion, Snapshot},
    scratch::ScratchError,
};

/// What a tenant's life gave.
#[derive(Debug, Default)]
pub(super) struct Lived {
    pub(super) found: Vec<Found>,
    /// The tables that no row could be put into, with what is to be said of them.
    pub(super) unfilled: BTreeMap<String, Found>,
    /// The migrations that cannot be applied.
    pub(super) skipped: BTreeSet<Version>,
    /// How long each migration's proofs took.
    pub(super) elapsed: BTreeMap<Version, Duration>,
    /// What each migration's statements cost, where that was asked.
    pub(super) costs: BTreeMap<Version, Vec<StatementCost>>,
    pub(super) server: Option<ServerVersion>,
    /// The schema of the newest version, where it began with a tenant it was given and came all the way with that one.
    pub(super) newest: Option<Snapshot>,
}

/// A tenant on its way through the set.
pub(super) struct Lane<'a> {
    job: Job<'a>,
    kind: Kind,
    tenant: Tenant,
    remaker: Remaker<'a>,
    filler: Filler<'a>,
    /// The tables that no row could be put into, each said once.
    unfilled: BTreeMap<String, Found>,
    /// The schema between two migrations.
    state: Snapshot,
    /// Whether every look is at everything.
    is_thorough: bool,
    /// Whether its tenant is another one than that its life began with.
    is_remade: bool,
    /// Whether the tenant's history knows the migration it is at: not where its state was made again.
    can_undo: bool,
    found: Vec<Found>,
    skipped: BTreeSet<Version>,
    costs: BTreeMap<Version, Vec<StatementCost>>,
}

/// How a `down` went.
#[derive(Clone, Copy)]
struct Undone {
    /// Whether it ran.
    has_run: bool,
    /// Whether it left the schema before, to the letter.
    is_exact: bool,
}

impl<'a> Lane<'a> {
    /// Lives through the migrations of `segment`, after those before it, as a new tenant or else `heir`, whose database is
    /// empty. That one goes on to the newest version.
    pub(super) async fn prove_all(
        job: Job<'a>,
        migrations: &'a [Arc<Migration>],
        kind: Kind,
        segment: Range<usize>,
        heir: Option<Tenant>,
    ) -> Result<Lived, ScratchError> {
        let newest = match Box::pin(Self::live(job, migrations, kind, segment.clone(), heir, false)).await? {
            Ok(lived) => return Ok(lived),
            Err(newest) => newest,
        };
        let again = Box::pin(Self::live(job, migrations, kind, segment, None, true)).await?;
        let again = again.expect("what was looked at wholly is as it was seen");
        Ok(Lived { newest, ..again })
    }

    /// A life; no more than the newest schema where at its end the schema is not as it was seen to become.
    async fn live(
        job: Job<'a>,
        migrations: &'a [Arc<Migration>],
        kind: Kind,
        segment: Range<usize>,
        heir: Option<Tenant>,
        is_thorough: bool,
    ) -> Result<Result<Lived, Option<Snapshot>>, ScratchError> {
        (job.tell)(Progress::Announced { n_steps: segment.len() });
        let (is_heir, later) = (heir.is_some(), &migrations[segment.end..]);
        let mut tenant = match heir {
            Some(tenant) => tenant,
            None => Tenant::create(job).await?,
        };
        let state = tenant.snapshot().await?;
        let server = Some(state.server);
        let remaker = Remaker::new(job, migrations);
        let (found, skipped) = (Vec::new(), BTreeSet::new());
        let filler = Filler::new(job.seed, job.fixtures).sparing(job.set);
        // Where names have no case, a script's are not those that the schema has.
        let is_thorough = is_thorough || !tenant.scratch.names_have_case();
        let mut lane = Self {
            job,
            kind,
            tenant,
            remaker,
            filler,
            unfilled: BTreeMap::new(),
            state,
            is_thorough,
            is_remade: false,
            can_undo: false,
            found,
            skipped,
            costs: BTreeMap::new(),
        };
        Box::pin(lane.reach(&migrations[..segment.start])).await?;
        let mut name = kind.lane(job);
        if let Some(first) = migrations.get(segment.start).filter(|_| segment.start > 0) {
            let _ = write!(name, ", from {}", first.version);
        }
        let mut elapsed = BTreeMap::new();
        for at in segment {
            let migration = &migrations[at];
            let (started, n_before) = (Instant::now(), lane.found.len());
            let subject = migration.up.file_name.clone();
            (job.tell)(Progress::StepStarted { lane: name.clone(), subject });
            if job.is_selected(migration.version) {
                Box::pin(lane.prove(at, migration)).await?;
            } else {
                Box::pin(lane.pass(at, migration)).await?;
            }
            lane.filler.forget(lane.reached(migration).as_ref());
            lane.tenant.settle(migration).await?;
            elapsed.insert(migration.version, started.elapsed());
            (job.tell)(Progress::StepFinished {
                lane: name.clone(),
                n_findings: lane.found.len() - n_before,
            });
        }
        let Self { mut tenant, remaker, found, unfilled, skipped, costs, state, is_remade, .. } = lane;
        let seen = if is_thorough { state.clone() } else { tenant.snapshot().await? };
        let is_as_seen = seen == state;
        let newest = match seen {
            _ if !is_heir || is_remade => None,
            seen if later.is_empty() => Some(seen),
            _ if tenant.goes(&set_of(later), Goal::Latest).await? => Some(tenant.snapshot().await?),
            _ => None,
        };
        tenant.remove().await?;
        remaker.close().await?;
        let lived = Lived { found, unfilled, skipped, elapsed, costs, server, newest };
        Ok(if is_as_seen { Ok(lived) } else { Err(lived.newest) })
    }

    /// Applies all of `earlier`, the first of the set.
    async fn reach(&mut self, earlier: &[Arc<Migration>]) -> Result<(), ScratchError> {
        if self.tenant.goes(&set_of(earlier), Goal::Latest).await? {
            self.tenant.settle_all().await?;
            self.state = self.tenant.snapshot().await?;
            return Ok(());
        }
        // One of them cannot be applied: on a new tenant, all the others.
        self.remake(0, None).await?;
        for (at, migration) in earlier.iter().enumerate() {
            Box::pin(self.pass(at, migration)).await?;
            self.tenant.settle(migration).await?;
        }
        Ok(())
    }

    /// The schema after `script` has run, where it was as `before`.
    async fn schema_after(&mut self, before: &Snapshot, script: &Script) -> Result<Snapshot, ScratchError> {
        let touched = Touched::by([script]).filter(|_| !self.is_thorough);
        match touched.and_then(|touched| touched.in_schema(before)) {
            Some(tables) => self.tenant.scratch.snapshot_after(before, &tables).await,
            None => self.tenant.snapshot().await,
        }
    }

    fn find(&mut self, finding: Finding) {
        self.found.push(Found::on(self.kind, finding));
    }

    /// Applies a migration that is not to be proven.
    async fn pass(&mut self, at: usize, migration: &Migration) -> Result<(), ScratchError> {
        let before = self.state.clone();
        if self.apply(at, migration, false).await? {
            self.state = self.schema_after(&before, &migration.up).await?;
        }
        Ok(())
    }

    /// Applies a migration; where it fails, makes the state again that it was to lead to, or else the one before, and
    /// gives `false`. Where there are rows, the server can be asked what each statement costs.
    async fn apply(
        &mut self,
        at: usize,
        migration: &Migration,
        is_probed: bool,
    ) -> Result<bool, ScratchError> {
        self.can_undo = true;
        let ran = if is_probed {
            self.run_probed(migration).await?
        } else {
            self.tenant.run(migration, Direction::Up).await?
        };
        let Err(error) = ran else { return Ok(true) };
        let mut finding = findings::refused(findings::UP_RUNS, migration, Direction::Up, &error);
        // What fails only on rows can be applied to a tenant without any, and then those after it can be proven.
        let mut is_applied = self.kind == Kind::Filled;
        if is_applied {
            is_applied = self.remake(at + 1, None).await?;
        }
        if !is_applied {
            self.skipped.insert(migration.version);
            self.remake(at, None).await?;
            finding.notes.push("the migrations after it are proven without it".into());
        }
        self.find(finding);
        Ok(false)
    }

    /// Runs an `up` and finds what its statements cost.
    async fn run_probed(&mut self, migration: &Migration) -> Ran {
        let (result, costs) = self.tenant.run_probed(migration).await?;
        if result.is_ok() {
            for finding in cost::findings(migration, &costs, &self.job.declarations(migration)) {
                self.find(finding);
            }
        }
        self.costs.insert(migration.version, costs);
        Ok(result)
    }

    /// Makes the state after the first `n` migrations again, and says so in the notes of a finding; gives whether it
    /// could be made.
    async fn remake(&mut self, n: usize, notes: Option<&mut Vec<String>>) -> Result<bool, ScratchError> {
        let Ok((tenant, remade)) = self.remaker.tenant_at(n, &self.skipped).await? else { return Ok(false) };
        std::mem::replace(&mut self.tenant, tenant).remove().await?;
        self.filler.forget(None);
        self.state = self.tenant.snapshot().await?;
        self.is_remade = true;
        self.can_undo = false;
        if let Some(notes) = notes {
            notes.push(findings::remade(remade));
        }
        Ok(true)
    }

    async fn prove(&mut self, at: usize, migration: &Migration) -> Result<(), ScratchError> {
        let before = self.state.clone();
        let mut rows = None;
        if self.kind == Kind::Filled {
            self.fill(migration).await?;
            rows = Some(self.rows(migration, &before).await?);
        }
        if !self.apply(at, migration, self.kind == Kind::Filled).await? {
            return Ok(());
        }
        let after = self.schema_after(&before, &migration.up).await?;
        self.state = after.clone();
        let undone = Box::pin(self.undo(at, migration, (&before, rows.as_ref()), &after)).await?;
        if self.kind == Kind::Empty {
            self.interrupt(at, migration, undone, &before, &after).await?;
        }
        Ok(())
    }

    /// Puts rows into every table that `migration` will find.
    async fn fill(&mut self, migration: &Migration) -> Result<(), ScratchError> {
        let inspector = self.tenant.scratch.inspector();
        let filled = self.filler.fill_before(migration.version, inspector, &self.state).await;
        for unfilled in filled.map_err(ScratchError::Unfilled)? {
            let found = Found::on(self.kind, findings::unfilled(migration, &unfilled));
            self.unfilled.entry(unfilled.table).or_insert(found);
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

    /// Undoes the migration and applies it again; afterwards the state is `after`, whatever happened.
    async fn undo(
        &mut self,
        at: usize,
        migration: &Migration,
        (before, rows): (&Snapshot, Option<&Content>),
        after: &Snapshot,
    ) -> Result<Undone, ScratchError> {
        let declaration = self.job.irreversible(migration);
        let mut undone = Undone { has_run: false, is_exact: false };
        let Some(down) = migration.down.as_ref().filter(|down| !down.statements.is_empty()) else {
            return Ok(undone);
        };
        // What the `down` has left, where it ran.
        let mut left = None;
        let mut finding = if let Err(error) = self.tenant.run(migration, Direction::Down).await? {
            Some(findings::refused(findings::DOWN_RUNS, migration, Direction::Down, &error))
        } else {
            let back = self.schema_after(after, down).await?;
            if let Some(rows) = rows {
                let differences = rows.compare(&self.rows(migration, &back).await?);
                for finding in content::findings(migration, &differences, &self.job.declarations(migration)) {
                    self.find(finding);
                }
            }
            let differences = before.diff(&back);
            undone = Undone { has_run: true, is_exact: differences.is_empty() };
            left = Some(back);
            (!differences.is_empty()).then(|| findings::not_undone(migration, &differences))
        };
        // A `down` that does nothing, where the file says that nothing can be done, gives back what was never changed.
        let is_needless = undone.is_exact && down.does_something() && self.kind == Kind::Empty;
        if let Some(declaration) = declaration.as_ref().filter(|_| is_needless) {
            self.find(findings::needless_declaration(migration, declaration));
        }
        // A failed `down` may have left everything as it was.
        let now = match left {
            Some(left) => left,
            None => self.tenant.snapshot().await?,
        };
        if undone.has_run || now != *after {
            if !undone.has_run {
                self.tenant.settle(migration).await?;
            }
            let again = match self.tenant.run(migration, Direction::Up).await? {
                Err(error) => Err(findings::refused(findings::UP_AGAIN, migration, Direction::Up, &error)),
                Ok(()) => match after.diff(&self.schema_after(&now, &migration.up).await?) {
                    differences if differences.is_empty() => Ok(()),
                    differences => Err(findings::not_the_same_again(migration, &differences)),
                },
            };
            if let Err(mut again) = again {
                // After a `down` that did not give back what was there, no more was to be expected.
                let is_news = undone.is_exact;
                let told = if is_news { Some(&mut again) } else { finding.as_mut() };
                self.remake(at + 1, told.map(|finding| &mut finding.notes)).await?;
                if is_news {
                    self.find(again);
                }
            }
        }
        if let Some(finding) = finding.filter(|_| declaration.is_none()) {
            self.find(finding);
        }
        Ok(undone)
    }

    /// Stops each script after each of its statements and takes it up again; afterwards the state is `after`.
    async fn interrupt(
        &mut self,
        at: usize,
        migration: &Migration,
        undone: Undone,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Result<(), ScratchError> {
        let mut ups = boundaries(migration, Direction::Up);
        let mut downs = if undone.is_exact { boundaries(migration, Direction::Down) } else { 0..0 };
        for n_statements in 1..ups.end.max(downs.end) {
            let can_undo = self.can_undo && undone.is_exact;
            let mut is_back = false;
            if can_undo && downs.contains(&n_statements) {
                let (direction, states) = (Direction::Down, (after, before));
                is_back = self.stop(at + 1, migration, direction, n_statements, states).await?;
                if !is_back {
                    downs = 0..0;
                }
            } else if can_undo && ups.contains(&n_statements) {
                is_back = self.tenant.run(migration, Direction::Down).await?.is_ok();
            }
            if ups.contains(&n_statements) {
                if !is_back && !self.remake(at, None).await? {
                    return Ok(());
                }
                if !self.stop(at + 1, migration, Direction::Up, n_statements, (before, after)).await? {
                    ups = 0..0;
                }
            } else if is_back && self.tenant.run(migration, Direction::Up).await?.is_err() {
                self.remake(at + 1, None).await?;
            }
        }
        Ok(())
    }

    /// Stops one script once and takes it up again; gives whether that led to `target`. If not, the state after the
    /// first `n` migrations is made again.
    async fn stop(
        &mut self,
        n: usize,
        migration: &Migration,
        direction: Direction,
        n_statements: usize,
        (before, target): (&Snapshot, &Snapshot),
    ) -> Result<bool, ScratchError> {
        self.tenant.stop_after(n_statements, migration, direction).await?;
        let finding = match self.tenant.run(migration, direction).await? {
            Err(error) => findings::not_finished(migration, direction, n_statements, Err(&error)),
            Ok(()) => match target.diff(&self.schema_after(before, script(migration, direction)).await?) {
                differences if differences.is_empty() => return Ok(true),
                differences => findings::not_finished(migration, direction, n_statements, Ok(&differences)),
            },
        };
        self.find(finding);
        self.remake(n, None).await?;
        Ok(false)
    }
}

fn set_of(migrations: &[Arc<Migration>]) -> MigrationSet {
    let migrations = migrations.iter().map(|migration| (**migration).clone()).collect();
    MigrationSet::new(migrations).expect("each version is there once")
}

/// A script that there is.
fn script(migration: &Migration, direction: Direction) -> &Script {
    migration.script(direction).unwrap_or(&migration.up)
}

/// After how many statements a script can be stopped so that anything is left of it: one that is a transaction is undone
/// as a whole.
fn boundaries(migration: &Migration, direction: Direction) -> Range<usize> {
    let script = migration.script(direction).filter(|script| !script.is_transactional());
    1..script.map_or(1, |script| script.statements.len().max(1))
}

/// Whether a finding is about what a migration's `down` leaves.
pub(super) fn is_about_undoing(finding: &Finding) -> bool {
    [findings::DOWN_RUNS, findings::COMES_BACK].contains(&finding.code) && finding.severity == Severity::Error
}
