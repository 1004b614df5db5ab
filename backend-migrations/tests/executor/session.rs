//! A session on the model, which fails where it is told to.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use backend_migrations::{
    history::{History, Untransacted},
    migration::StatementKind,
    mysql::books::{self, Guard, Part},
    session::{Fate, Limits, Reads, Record, Rollback, SessionError, TenantSession},
};
use tokio_util::sync::CancellationToken;

use crate::{
    model::{State, server},
    sets::kind,
    sql,
};

/// A database that sessions share, and the lock on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database(Arc<Mutex<(State, bool)>>);

impl Database {
    pub(crate) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new((state, false))))
    }

    pub(crate) fn committed(&self) -> State {
        self.guard().0.clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.guard().0);
    }

    /// What another run does.
    pub(crate) fn lock(&self) {
        self.guard().1 = true;
    }

    fn guard(&self) -> MutexGuard<'_, (State, bool)> {
        self.0.lock().expect("no test panics while it holds this")
    }
}

/// Something that can fail: a query, a statement of a script, or a statement of a record.
#[derive(Clone, Debug)]
pub(crate) enum Moment {
    History,
    Lock,
    Execute(String),
    /// The record's name, its statement, and what the script ran last.
    Record(&'static str, String, Option<String>),
    RollBack,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The server answers with an error; what commits has committed what was before it.
    Refused,
    /// As [`How::Refused`], and then the connection is gone.
    RefusedThenLost,
    /// The server answers with a syntax error, before it did anything.
    Unparsed,
    /// The server answers with a deadlock and has rolled the transaction back.
    Deadlocked,
    /// A statement that a `CALL` runs does not parse, after the one before it has committed.
    UnparsedInside,
    /// The server answers that a lock was waited for in vain; what was done before in the transaction is still there.
    Blocked,
    /// A backup lets nobody write or commit: the server answers that a lock was waited for in vain, and what was to be
    /// committed is rolled back.
    Backup,
    /// The database's lock is another's now.
    LockLost,
    /// The connection is gone before the server got it.
    LostUnsent,
    /// The connection is gone after the server began it, and without its effect.
    LostBegun,
    /// The connection is gone after its effect.
    LostDone,
    /// It was killed; the connection lives.
    TimedOut { fate: Fate, is_done: bool },
}

impl Moment {
    /// The ways in which this can fail.
    pub(crate) fn ways(&self) -> Vec<How> {
        let mut ways = vec![How::Refused, How::RefusedThenLost, How::LostUnsent, How::LostDone];
        if let Self::Execute(text) = self {
            ways.extend([How::Unparsed, How::Blocked, How::LostBegun]);
            ways.push(if commits(text) { How::Backup } else { How::Deadlocked });
            ways.extend(text.starts_with("call").then_some(How::UnparsedInside));
            for (fate, is_done) in [(Fate::NotApplied, false), (Fate::Unknown, false), (Fate::Unknown, true)]
            {
                ways.push(How::TimedOut { fate, is_done });
            }
        }
        if let Self::Record(_, sql, _) = self {
            let is_guard = sql.starts_with("SET ");
            ways.extend((!is_guard).then_some(How::Backup));
            ways.extend(sql.contains("IS_USED_LOCK").then_some(How::LockLost));
        }
        ways
    }
}

/// Whether the server commits before and after this statement.
pub(crate) fn commits(statement: &str) -> bool {
    kind(statement) == StatementKind::Ddl || statement.starts_with("drop")
}

/// Whether the table that this statement writes into has no transactions.
pub(crate) fn is_untransacted(statement: &str) -> bool {
    statement.split(' ').any(|word| word == "isam")
}

/// A session on a [`Database`].
#[derive(Debug)]
pub(crate) struct ModelSession {
    database: Database,
    open: Option<State>,
    variables: BTreeSet<String>,
    /// Whether the transaction has changed a table without transactions.
    has_remains: bool,
    /// How many rows the statement before has changed.
    n_changed: u64,
    has_lock: bool,
    is_lost: bool,
    last: Option<String>,
    fault: Option<(usize, How)>,
    /// What another run's unfinished work looks like from outside, until the lock is held.
    pub(crate) seen_before_lock: Option<History>,
    /// The statement at which the run is told to stop, and how.
    pub(crate) stop_at: Option<(String, CancellationToken)>,
    /// A statement that fails so many times in this way.
    pub(crate) stubborn: Option<(String, How, u32)>,
    /// What another run makes of the database while the session is renewed.
    pub(crate) between: Option<State>,
    /// How often a statement may be tried again.
    pub(crate) n_retries: u32,
    /// Everything that could have failed, in order.
    pub(crate) moments: Vec<Moment>,
}

impl ModelSession {
    pub(crate) fn new(database: &Database, fault: Option<(usize, How)>) -> Self {
        Self {
            database: database.clone(),
            open: None,
            variables: BTreeSet::new(),
            has_remains: false,
            n_changed: 0,
            has_lock: false,
            is_lost: false,
            last: None,
            fault,
            seen_before_lock: None,
            stop_at: None,
            stubborn: None,
            between: None,
            n_retries: 0,
            moments: Vec::new(),
        }
    }

    fn moment(&mut self, moment: Moment) -> Option<How> {
        let is_now = self.fault.filter(|(at, _)| *at == self.moments.len());
        self.moments.push(moment);
        is_now.map(|(_, how)| how)
    }

    fn stubborn_way(&mut self, statement: &str) -> Option<How> {
        let (_, how, n_left) = self.stubborn.as_mut().filter(|(text, ..)| text == statement)?;
        *n_left = n_left.checked_sub(1)?;
        Some(*how)
    }

    fn lose(&mut self) {
        self.open = None;
        self.variables.clear();
        self.is_lost = true;
        if std::mem::take(&mut self.has_lock) {
            self.database.guard().1 = false;
        }
    }

    fn commit(&mut self) {
        self.has_remains = false;
        if let Some(state) = self.open.take() {
            self.database.guard().0 = state;
        }
    }

    /// Changes the transaction's state, or what is committed where none is open.
    fn change<T>(&mut self, change: impl FnOnce(&mut State) -> T) -> T {
        assert!(self.has_lock, "nothing is written without the lock");
        match &mut self.open {
            Some(state) => change(state),
            None => change(&mut self.database.guard().0),
        }
    }

    /// What every kind of call does where it fails; `begin` is what the server does before the effect.
    fn fail(
        &mut self,
        how: How,
        begin: impl FnOnce(&mut Self),
        effect: impl FnOnce(&mut Self),
    ) -> SessionError {
        match how {
            How::Refused | How::Blocked => begin(self),
            How::RefusedThenLost | How::LostBegun => {
                begin(self);
                self.lose();
            }
            How::Unparsed => return server(1064, "you have an error in your SQL syntax"),
            How::UnparsedInside => {
                self.commit();
                begin(self);
                return server(1064, "you have an error in your SQL syntax");
            }
            How::Deadlocked => {
                begin(self);
                (self.open, self.has_remains) = (None, false);
                return server(1213, "deadlock found when trying to get lock");
            }
            How::Backup => {
                (self.open, self.has_remains) = (None, false);
                return server(1205, "lock wait timeout exceeded");
            }
            How::LockLost => unreachable!("only a guard sees it"),
            How::LostUnsent => self.lose(),
            How::LostDone => {
                effect(self);
                self.lose();
            }
            How::TimedOut { fate, is_done } => {
                if is_done {
                    effect(self);
                } else {
                    begin(self);
                }
                return SessionError::TimedOut { limit: Duration::from_secs(1), fate };
            }
        }
        if how == How::Blocked {
            server(1205, "lock wait timeout exceeded")
        } else if matches!(how, How::Refused | How::RefusedThenLost) {
            server(1146, "no such table")
        } else {
            lost()
        }
    }

    fn effect(&mut self, text: &str) {
        match kind(text) {
            StatementKind::Session => {
                self.variables.insert(text["set ".len()..].replace("undo ", ""));
            }
            _ if commits(text) => {
                self.commit();
                self.change(|state| state.effects.push(text.to_owned()));
            }
            _ if is_untransacted(text) => self.remain(text.to_owned()),
            _ => self.change(|state| state.effects.push(text.to_owned())),
        }
    }

    fn begin(&mut self, text: &str) {
        let half = format!("{text} (half)");
        if commits(text) {
            self.commit();
        }
        if text.starts_with("drop") {
            self.change(|state| state.effects.push(half));
        } else if is_untransacted(text) {
            self.remain(half);
        }
    }

    /// An effect that no rollback takes back.
    fn remain(&mut self, effect: String) {
        assert!(self.has_lock, "nothing is written without the lock");
        if let Some(open) = &mut self.open {
            let committed = self.database.committed();
            // With `enforce_gtid_consistency` MySQL refuses it (error 1785).
            assert_eq!(open.books(), committed.books(), "`{effect}` shares a transaction");
            open.effects.push(effect.clone());
        }
        self.database.change(|state| state.effects.push(effect));
        self.has_remains = self.open.is_some();
    }

    fn write(&mut self, part: &Part) -> Result<(), SessionError> {
        match (part.guard, part.sql.as_str()) {
            (Some(Guard::Lock), sql) => {
                assert!(sql::guarded(sql).starts_with("IS_USED_LOCK("), "{sql}");
                if !self.has_lock {
                    return Err(SessionError::LockLost);
                }
            }
            (Some(Guard::Rows(expected)), sql) => {
                assert_eq!(sql::guarded(sql), format!("ROW_COUNT() = {expected}"));
                if self.n_changed != expected {
                    let statement = String::new();
                    return Err(SessionError::Miscounted { statement, expected, changed: self.n_changed });
                }
            }
            (None, "START TRANSACTION") => {
                self.commit();
                self.open = Some(self.database.committed());
            }
            (None, "COMMIT") => self.commit(),
            (None, sql) if sql.starts_with("CREATE TABLE") => {
                self.commit();
                self.change(|state| sql::create(state, sql));
            }
            (None, sql) => self.n_changed = self.change(|state| sql::write(state, sql))?,
        }
        Ok(())
    }

    fn read(&mut self, moment: Moment) -> Result<(), SessionError> {
        if self.is_lost {
            return Err(lost());
        }
        match self.moment(moment) {
            Some(how) => Err(self.fail(how, |_| (), |_| ())),
            None => Ok(()),
        }
    }
}

fn lost() -> SessionError {
    SessionError::Lost { message: "connection reset by peer".into() }
}

impl TenantSession for ModelSession {
    async fn history(&mut self) -> Result<History, SessionError> {
        self.read(Moment::History)?;
        let history = self.database.committed().history();
        Ok(self.seen_before_lock.clone().unwrap_or(history))
    }

    async fn lock(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.read(Moment::Lock)?;
        if !self.has_lock && std::mem::replace(&mut self.database.guard().1, true) {
            return Err(SessionError::LockHeld { waited: Duration::from_secs(1), holder: None });
        }
        self.has_lock = true;
        // From here on the truth is seen.
        self.seen_before_lock = None;
        let names = ["isam".to_owned()].into();
        let untransacted = (reads == Reads::Tables).then_some(Untransacted { names, is_default: false });
        Ok(History { untransacted, ..self.database.committed().history() })
    }

    async fn renew(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.lose();
        self.is_lost = false;
        if let Some(between) = self.between.take() {
            self.database.change(|state| *state = between);
        }
        self.lock(reads).await
    }

    async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        if self.is_lost {
            return Err(lost());
        }
        if let Some((_, stop)) = self.stop_at.as_ref().filter(|(text, _)| text == statement) {
            stop.cancel();
        }
        if let Some((_, variable)) = statement.split_once(" uses ") {
            assert!(
                self.variables.contains(variable),
                "`{statement}` ran in a session without `set {variable}`"
            );
        }
        let how = self.moment(Moment::Execute(statement.to_owned()));
        if let Some(how) = how.or_else(|| self.stubborn_way(statement)) {
            return Err(self.fail(
                how,
                |session| session.begin(statement),
                |session| session.effect(statement),
            ));
        }
        self.effect(statement);
        self.last = Some(statement.to_owned());
        Ok(1)
    }

    async fn record(&mut self, record: Record<'_>) -> Result<(), SessionError> {
        if self.is_lost {
            return Err(lost());
        }
        let name = name(&record);
        if name == "begin" {
            self.last = None;
        }
        for part in books::parts(&record) {
            match self.moment(Moment::Record(name, part.sql.clone(), self.last.clone())) {
                Some(How::LockLost) => {
                    self.has_lock = false;
                    self.database.guard().1 = false;
                }
                // A statement that fails alone leaves the transaction as it was; one that commits does not.
                Some(How::Backup) if !part.sql.ends_with("COMMIT") && !part.sql.ends_with("TRANSACTION") => {
                    return Err(server(1205, "lock wait timeout exceeded"));
                }
                Some(how) => {
                    let effect = |session: &mut Self| drop(session.write(&part));
                    return Err(self.fail(how, |_| (), effect));
                }
                None => {}
            }
            self.write(&part)?;
        }
        Ok(())
    }

    async fn roll_back(&mut self) -> Result<Rollback, SessionError> {
        self.read(Moment::RollBack)?;
        self.open = None;
        Ok(if std::mem::take(&mut self.has_remains) { Rollback::Partial } else { Rollback::Whole })
    }

    fn limits(&self) -> Limits {
        Limits { lock_wait_retries: self.n_retries, ..Limits::DEFAULT }
    }

    async fn close(mut self) {
        self.lose();
    }
}

fn name(record: &Record<'_>) -> &'static str {
    match record {
        Record::CreateTables { .. } => "create tables",
        Record::Forget { .. } => "forget",
        Record::Begin { .. } => "begin",
        Record::StatementDone { .. } => "statement done",
        Record::Finish { .. } => "finish",
        Record::Fail { .. } => "fail",
        Record::Commit => "commit",
        Record::Leave { .. } => "leave",
        Record::Abandon { .. } => "abandon",
        Record::Settle { .. } => "settle",
        Record::Declare { .. } => "declare",
    }
}
