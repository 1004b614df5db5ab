//! A session on the model, which fails where it is told to.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use backend_migrations::{
    history::History,
    migration::StatementKind,
    session::{Fate, Limits, Record, SessionError, TenantSession},
};
use tokio_util::sync::CancellationToken;

use crate::{
    model::{Op, State, ops, server},
    sets::kind,
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
    Record(&'static str, Op, Option<String>),
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
    /// The server answers that a lock was waited for in vain; what was done before in the transaction is still there.
    Blocked,
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
            ways.extend((!commits(text)).then_some(How::Deadlocked));
            for (fate, is_done) in [(Fate::NotApplied, false), (Fate::Unknown, false), (Fate::Unknown, true)]
            {
                ways.push(How::TimedOut { fate, is_done });
            }
        }
        ways
    }
}

/// Whether the server commits before and after this statement.
pub(crate) fn commits(statement: &str) -> bool {
    kind(statement) == StatementKind::Ddl || statement.starts_with("drop")
}

/// A session on a [`Database`].
#[derive(Debug)]
pub(crate) struct ModelSession {
    database: Database,
    open: Option<State>,
    variables: BTreeSet<String>,
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
            has_lock: false,
            is_lost: false,
            last: None,
            fault,
            seen_before_lock: None,
            stop_at: None,
            stubborn: None,
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
            How::Deadlocked => {
                self.open = None;
                return server(1213, "deadlock found when trying to get lock");
            }
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
            _ => self.change(|state| state.effects.push(text.to_owned())),
        }
    }

    fn begin(&mut self, text: &str) {
        if commits(text) {
            self.commit();
        }
        if text.starts_with("drop") {
            self.change(|state| state.effects.push(format!("{text} (half)")));
        }
    }

    fn write(&mut self, op: &Op) -> Result<(), SessionError> {
        match op {
            Op::CreateHistory | Op::CreateJournal => {
                self.commit();
                self.change(|state| match op {
                    Op::CreateHistory => drop(state.rows.get_or_insert_default()),
                    _ => drop(state.journal.get_or_insert_default()),
                });
            }
            Op::Begin => {
                self.commit();
                self.open = Some(self.database.committed());
            }
            Op::Commit => self.commit(),
            Op::Rollback => self.open = None,
            op => return self.change(|state| state.write(op)),
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

/// Without the words.
fn brief(mut history: History) -> History {
    history.is_brief = true;
    for row in &mut history.rows {
        row.description.clear();
    }
    history
}

impl TenantSession for ModelSession {
    async fn glance(&mut self) -> Result<History, SessionError> {
        let mut history = brief(self.history().await?);
        history.progress.clear();
        Ok(history)
    }

    async fn history(&mut self) -> Result<History, SessionError> {
        self.read(Moment::History)?;
        let history = self.database.committed().history();
        Ok(self.seen_before_lock.clone().unwrap_or(history))
    }

    async fn lock(&mut self) -> Result<History, SessionError> {
        self.read(Moment::Lock)?;
        if std::mem::replace(&mut self.database.guard().1, true) {
            return Err(SessionError::LockHeld { waited: Duration::from_secs(1), holder: None });
        }
        self.has_lock = true;
        // From here on the truth is seen.
        self.seen_before_lock = None;
        Ok(brief(self.database.committed().history()))
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
        for op in ops(&record) {
            if let Some(how) = self.moment(Moment::Record(name, op.clone(), self.last.clone())) {
                let effect = |session: &mut Self| drop(session.write(&op));
                return Err(self.fail(how, |_| (), effect));
            }
            self.write(&op)?;
        }
        Ok(())
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
        Record::StartOver => "start over",
        Record::Abandon { .. } => "abandon",
        Record::Settle { .. } => "settle",
        Record::Declare { .. } => "declare",
    }
}
