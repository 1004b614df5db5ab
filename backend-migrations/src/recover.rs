//! Settles migrations that were begun and not completed, whoever left them.
//!
//! What is in the database is established ([`crate::diagnosis`]) from the record and by a replay on a scratch database.
//! Then one of the ways on is gone: what was found out is written into the record, as if the run had stopped there, and
//! the one executor goes on from it; or the migration is declared applied or not. To go back is the same with the other
//! script: half applied is half undone, seen from the other side.

mod alive;
mod examine;
mod offers;
mod replay;
mod server_source;

use std::{sync::Arc, time::Duration};

use tokio::sync::OnceCell;

pub use self::server_source::ServerSource;
use self::{
    examine::Found,
    offers::{Action, Prepared},
};
use crate::{
    apply::{self, Applied, ApplyError, Work},
    diagnosis::{Diagnosis, Offer, Replay, Way},
    event::{Event, Events, Failure, FailureCode, MigrationDone, Outcome, Settled, Task},
    fleet::{self, Stop, TenantWork},
    history::{History, HistoryRow, StatementDigest},
    migration::{Direction, MigrationSet, Script, Version},
    mysql::{MySqlConnector, MySqlSession},
    plan::Problem,
    session::{Activity, JournalEntry, Reads, Record, SessionError, TenantSession as _},
    tenant::{Label, SharedLabel, Target},
};

/// What is done about a migration that is still running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillRunning {
    /// Nothing: its connection is named.
    Refuse,
    /// It is waited for, no longer than this.
    Wait(Duration),
    /// Its connection is ended, if that is agreed to.
    Kill,
}

/// How a recovery is to go.
#[derive(Clone, Debug)]
pub struct RecoverOptions {
    /// Only this migration; `None` for all that are half done.
    pub version: Option<Version>,
    /// The way to go; `None` only looks.
    pub way: Option<Way>,
    /// How many statements are in the database, as a person says who has looked.
    pub said: Option<usize>,
    /// Whether a way is gone that something stands against, if it can be.
    pub is_forced: bool,
    /// What to do about a migration that is still running.
    pub still_running: StillRunning,
    /// A server for scratch databases, to be tried before the tenant's own; its own database does not matter.
    pub scratch: Option<Target>,
    /// An account that may make databases on its server, for tenants that live there. It runs what stays within a scratch
    /// database and nothing else: see [`crate::sql::reaches_out`].
    pub admin: Option<Target>,
}

/// What is asked before anything is changed.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    /// Whether to go the way that an offer describes, which has been shown.
    Go(&'a Diagnosis, &'a Offer),
    /// Whether to end the connection of a migration that is still running.
    End(&'a Activity),
}

/// Who says whether anything is changed.
pub trait Consent {
    /// Whether nothing is ever changed.
    fn is_dry_run(&self) -> bool;

    /// The answer to a question about the database called `tenant`.
    fn ask(&self, tenant: &Label, question: Question<'_>) -> impl Future<Output = bool>;
}

/// A recovery, as the dispatcher's work on each database.
#[derive(Debug)]
pub struct Recover<'a, C> {
    /// Opens connections.
    pub connector: &'a MySqlConnector,
    /// The migrations there are.
    pub set: &'a MigrationSet,
    /// How it is to go.
    pub options: &'a RecoverOptions,
    /// Who says whether a way is gone.
    pub consent: &'a C,
    /// Who has a server for scratch databases where none may be made on the others.
    pub servers: Option<&'a dyn ServerSource>,
    /// How it is told to stop.
    pub stop: &'a Stop,
}

impl<C: Consent> TenantWork for Recover<'_, C> {
    fn task(&self) -> Task {
        Task::Recover
    }

    fn is_dry_run(&self) -> bool {
        let changes = self.options.way.is_some() || self.options.still_running == StillRunning::Kill;
        !changes || self.consent.is_dry_run()
    }

    async fn work(
        &self,
        target: Target,
        events: &Events,
        done: &mut Vec<MigrationDone>,
    ) -> Result<Outcome, Box<Failure>> {
        let tenant = target.label.clone();
        let connected = fleet::connect(self.connector, target.clone(), events, self.stop).await?;
        let Some(session) = connected else {
            return Ok(Outcome::Stopped { done: Vec::new(), n_remaining: 1 });
        };
        let mut turn = Turn { recover: self, target, tenant, session, events, lent: OnceCell::new() };
        let result = turn.run(done).await;
        turn.session.close().await;
        result
    }
}

/// What became of one half-done migration.
enum Turned {
    /// It is settled.
    Settled(Settled),
    /// It is as half done as it was: nothing more was asked for, or nobody agreed.
    Left,
    /// The run was told to stop before it was settled.
    Stopped,
}

/// One database's turn.
struct Turn<'a, C> {
    recover: &'a Recover<'a, C>,
    target: Target,
    tenant: SharedLabel,
    session: MySqlSession,
    events: &'a Events,
    /// Another's server for scratch databases, once it was asked for.
    lent: OnceCell<Target>,
}

impl<C: Consent> Turn<'_, C> {
    async fn run(&mut self, done: &mut Vec<MigrationDone>) -> Result<Outcome, Box<Failure>> {
        let mut settled = Vec::new();
        let history = self.session.history().await.map_err(read)?;
        if !history.is_dirty() {
            return Ok(Outcome::UpToDate);
        }
        let Some(history) = self.quiet(history).await? else {
            return Ok(Outcome::Stopped { done: Vec::new(), n_remaining: 1 });
        };
        let mut n_dirty = self.tell_others(&history).await;
        for version in self.dirty(&history) {
            if self.recover.stop.soft.is_cancelled() {
                return Ok(Outcome::Stopped { done: std::mem::take(done), n_remaining: 1 });
            }
            // To settle one may have changed what is known of the next.
            let history = self.session.history().await.map_err(read)?;
            let Some(row) = history.row(version).filter(|row| !row.success) else { continue };
            match self.settle(&history, row, done).await? {
                Turned::Settled(one) => settled.push(one),
                Turned::Left => n_dirty += 1,
                Turned::Stopped => {
                    return Ok(Outcome::Stopped { done: std::mem::take(done), n_remaining: 1 });
                }
            }
        }
        Ok(match (n_dirty, settled.is_empty()) {
            (0, true) => Outcome::UpToDate,
            (0, false) => Outcome::Recovered { settled },
            (n_dirty, _) => Outcome::Diagnosed { n_dirty, settled },
        })
    }

    /// Warns of half-done migrations that are not asked for; gives how many they are.
    async fn tell_others(&self, history: &History) -> usize {
        let Some(version) = self.recover.options.version else { return 0 };
        let others = history.rows.iter().filter(|row| !row.success && row.version != version);
        let others: Vec<_> = others.map(|row| row.named().to_string()).collect();
        if !others.is_empty() {
            self.warn(format!("half done as well, and not looked at: {}", others.join(", "))).await;
        }
        others.len()
    }

    async fn warn(&self, message: String) {
        self.events.tell(Event::Warning { tenant: Some(self.tenant.clone()), message }).await;
    }

    /// The half-done migrations that are asked for, in the order in which they can be settled.
    fn dirty(&self, history: &History) -> Vec<Version> {
        let RecoverOptions { version, way, .. } = self.recover.options;
        let dirty = history.rows.iter().filter(|row| !row.success).map(|row| row.version);
        let mut dirty: Vec<_> =
            dirty.filter(|dirty| version.is_none_or(|version| version == *dirty)).collect();
        if matches!(way, Some(Way::Undo | Way::MarkNotApplied)) {
            dirty.reverse();
        }
        dirty
    }

    /// Shows one migration, and goes the way that is asked for.
    async fn settle(
        &mut self,
        history: &History,
        row: &HistoryRow,
        done: &mut Vec<MigrationDone>,
    ) -> Result<Turned, Box<Failure>> {
        let found = Box::pin(self.examine(history, row)).await?;
        let asked = self.recover.options.way;
        let offers = found.prepared.iter().map(|prepared| {
            let mut offer = prepared.offer.clone();
            // The SQL of what will not be done is in the way of the rest.
            if offer.objection.is_some() && Some(offer.way) != asked {
                offer.sql.clear();
            }
            offer
        });
        let offers = offers.collect();
        let (tenant, diagnosis) = (self.tenant.clone(), Arc::clone(&found.diagnosis));
        self.events.tell(Event::MigrationDiagnosed { tenant, diagnosis, offers, asked }).await;
        let Some(way) = asked else { return Ok(Turned::Left) };
        let prepared = found.prepared.iter().find(|prepared| prepared.offer.way == way);
        let Some(Prepared { offer, action }) = prepared else { return Ok(Turned::Left) };
        let is_open = offer.objection.is_none() || (self.recover.options.is_forced && offer.may_be_forced);
        let Some(action) = action.as_ref().filter(|_| is_open) else {
            return Err(Box::new(refused(&found.diagnosis, offer)));
        };
        // What is shown must be told before anybody is asked about it.
        tokio::task::yield_now().await;
        if !self.recover.consent.ask(&self.tenant, Question::Go(&found.diagnosis, offer)).await {
            return Ok(Turned::Left);
        }
        // To find out took a while, and whoever has said yes beforehand was asked nothing.
        if self.recover.stop.soft.is_cancelled() {
            return Ok(Turned::Stopped);
        }
        self.check_unchanged(history, found.replay.as_ref()).await?;
        match action {
            Action::GoOn { direction, from } => {
                match Box::pin(self.go_on(history, &found, *direction, *from, done)).await? {
                    Applied::Complete => {}
                    Applied::Stopped { .. } => return Ok(Turned::Stopped),
                }
            }
            Action::Declare { is_applied } => self.declare(history, &found, *is_applied).await?,
        }
        let settled = Settled {
            version: row.version,
            description: found.migration.description.clone(),
            way,
            is_applied: way.is_applied_after(found.diagnosis.direction),
        };
        let event = Event::MigrationSettled { tenant: self.tenant.clone(), settled: settled.clone() };
        self.events.tell(event).await;
        Ok(Turned::Settled(settled))
    }

    /// Takes the lock, and refuses if anything is otherwise than it was when it was looked at.
    async fn check_unchanged(
        &mut self,
        history: &History,
        replay: Option<&Replay>,
    ) -> Result<(), Box<Failure>> {
        let locked = self.session.lock(Reads::Books).await.map_err(|source| match source {
            SessionError::LockHeld { .. }
            | SessionError::LockRefused
            | SessionError::SetUp { .. }
            | SessionError::Settings { .. } => Box::new(ApplyError::Lock(source).into()),
            source => read(source),
        })?;
        let rows = |of: &History| -> Vec<_> {
            of.rows.iter().map(|row| (row.version, row.success, row.checksum.clone())).collect()
        };
        let mut is_same = rows(&locked) == rows(history) && locked.progress == history.progress;
        if let Some(replay) = replay.filter(|_| is_same) {
            is_same =
                replay::snapshot(self.recover.connector, &self.target).await.map_err(read)? == replay.real;
        }
        if is_same {
            return Ok(());
        }
        Err(Box::new(Failure {
            code: FailureCode::Refused,
            message: "the database has been changed since it was looked at".to_owned(),
            at: None,
            excerpt: None,
            state: Some("nothing was changed by this run".to_owned()),
            hint: Some("run `migrate:recover` again".to_owned()),
        }))
    }

    /// Writes down how far it got, and lets the executor go on from there.
    async fn go_on(
        &mut self,
        history: &History,
        found: &Found,
        direction: Direction,
        from: usize,
        done: &mut Vec<MigrationDone>,
    ) -> Result<Applied, Box<Failure>> {
        let version = found.migration.version;
        let missing = || refusal(&Problem::NoDown(found.migration.named()));
        let script = found.migration.script(direction).ok_or_else(missing)?;
        if !history.has_journal {
            self.record(Record::CreateTables { history: false, journal: true }).await?;
        }
        let finished = digests(script, from);
        let journal = JournalEntry {
            n_statements: script.statements.len(),
            finished: &finished,
            running: None,
            error: None,
        };
        self.record(Record::Settle { version, direction, journal }).await?;
        let set = offers::known(self.recover.set, history);
        let options = offers::plan_options(direction);
        let (tenant, stop) = (&self.tenant, &self.recover.stop.soft);
        let work = Work { set: &set, options: &options, tenant, events: self.events, stop };
        apply::apply(&mut self.session, work, done).await.map_err(|error| Box::new(error.into()))
    }

    async fn declare(
        &mut self,
        history: &History,
        found: &Found,
        is_applied: bool,
    ) -> Result<(), Box<Failure>> {
        let applied = is_applied.then_some(&found.migration.up.checksum);
        let version = found.migration.version;
        // What an older version of this tool has left is in a journal that lacks a table.
        let has_journal = history.has_journal || !history.progress.is_empty();
        if has_journal != history.has_journal {
            self.record(Record::CreateTables { history: false, journal: true }).await?;
        }
        self.record(Record::Declare { version, applied, has_journal }).await
    }

    async fn record(&mut self, record: Record<'_>) -> Result<(), Box<Failure>> {
        let (tenant, stop) = (&self.tenant, &self.recover.stop.soft);
        let options = offers::plan_options(Direction::Up);
        let work = Work { set: self.recover.set, options: &options, tenant, events: self.events, stop };
        apply::write(&mut self.session, work, record).await.map_err(|error| Box::new(error.into()))
    }
}

fn digests(script: &Script, n: usize) -> Vec<StatementDigest> {
    script.statements.iter().take(n).map(|statement| StatementDigest::of(&statement.text)).collect()
}

fn read(source: SessionError) -> Box<Failure> {
    Box::new(source.into())
}

/// The way that was asked for is not open.
fn refused(diagnosis: &Diagnosis, offer: &Offer) -> Failure {
    let objection = offer.objection.as_deref().unwrap_or("it is not known how");
    let force = offer.may_be_forced.then(|| "`--force` does it all the same".to_owned());
    let hints: Vec<_> = diagnosis.hint().into_iter().chain(force).collect();
    Failure {
        code: FailureCode::Dirty,
        message: format!(
            "dirty: {} ({}) is not settled by `--{}`: {objection}",
            diagnosis.version,
            diagnosis.description,
            offer.way.as_str()
        ),
        at: None,
        excerpt: None,
        state: Some("nothing was changed".to_owned()),
        hint: Some(hints.join("\n")).filter(|hints| !hints.is_empty()),
    }
}

fn refusal(problem: &Problem) -> Box<Failure> {
    Box::new(Failure {
        code: FailureCode::Refused,
        message: problem.to_string(),
        at: None,
        excerpt: None,
        state: Some("nothing was changed".to_owned()),
        hint: Some(problem.hint()),
    })
}
