//! A connection to one tenant's database.

use std::time::Duration;

use sqlx::{Row as _, mysql::MySqlRow};
use tokio::{pin, select};
use tokio_util::sync::CancellationToken;

use super::{
    blockers::{MySqlWatch, Watched},
    books::{self, Guard},
    connect::{self, MySqlConnector},
    contract, identity, locality,
    monitor::{self, Monitor, Own, Sighted, text, unsigned},
    orphan::{ANOTHER_SERVER, KILL_GRACE, end, orphan, unended},
    query::{self, Patience, RowSets, ServerConnection},
    read,
    server_error::session_error,
};
use crate::{
    history::{Glance, History},
    plan::ExistingTables,
    session::{
        Activity, ConnectError, Fate, Limits, LockHolder, Reads, Record, Rollback, SessionError,
        TenantSession, Watch,
        number::{NO_SUCH_TABLE, NOT_COMPLETE_ROLLBACK, OUT_OF_RANGE},
    },
    sql::shape,
    tenant::Target,
};

/// For the queries of our own, which take milliseconds unless the server or the way to it is gone.
pub(super) const BOOKKEEPING_LIMIT: Duration = Duration::from_mins(1);

/// A connection to one tenant's database.
#[derive(Debug)]
pub struct MySqlSession {
    /// None where the old one was closed and no new one could be had.
    connection: Option<ServerConnection>,
    target: Target,
    connector: MySqlConnector,
    /// Known once the lock is held; before that nothing runs that would have to be killed.
    own: Option<Own>,
    state: State,
    lock_caveat: Option<String>,
    /// Cancelled by whoever has seen that the answer that is waited for does not come any more.
    is_answer_lost: CancellationToken,
}

/// How a session stands to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was asked nothing, so it has no snapshot that would be old.
    New,
    /// It is as the server's defaults, or what ran on it, have made it.
    Used,
    /// It is as [`contract::set_up`] has it.
    SetUp,
}

impl MySqlSession {
    pub(super) fn new(connection: ServerConnection, target: Target, connector: MySqlConnector) -> Self {
        Self {
            connection: Some(connection),
            target,
            connector,
            own: None,
            state: State::New,
            lock_caveat: None,
            is_answer_lost: CancellationToken::new(),
        }
    }

    /// Goes on with a new connection. What a session may hold (variables, temporary tables, prepared statements, locks) goes
    /// with the old one for certain; neither server has a statement that lets go of all of it, and sqlx sends no
    /// `COM_RESET_CONNECTION`. The old one is closed first: an account may be allowed no more than one.
    async fn reconnect(&mut self) -> Result<(), SessionError> {
        (self.state, self.own, self.is_answer_lost) = (State::New, None, CancellationToken::new());
        if let Some(old) = self.connection.take() {
            connect::close(old, &self.connector).await;
        }
        let opened = self.connector.open_patiently(&self.target).await;
        let connection = opened.map_err(|source| match source {
            ConnectError::Stopped { .. } => SessionError::Interrupted,
            source => SessionError::Unrenewed { source: Box::new(source) },
        })?;
        self.connection = Some(connection);
        Ok(())
    }

    /// What this connection is found by.
    async fn own(&mut self) -> Result<Own, SessionError> {
        let mark = Own::new_mark();
        let sets = self.query(format!("SELECT {}", Own::columns(mark.as_deref())), BOOKKEEPING_LIMIT).await?;
        let row = sets.first().and_then(|rows| rows.first());
        let no_row = || SessionError::Unreadable { message: "it has no row where there must be one".into() };
        Own::read(mark, row.ok_or_else(no_row)?)
    }

    /// A second connection to the server that this one is on, behind whatever hands out several.
    ///
    /// # Errors
    ///
    /// That there is none, or that none of a few leads to that server.
    pub(crate) async fn monitor(&mut self) -> Result<Monitor, SessionError> {
        let unseen = |message: String| SessionError::Unseen { message };
        let own = self.own().await?;
        match Monitor::connect_beside(&self.connector, &self.target, &own).await.map_err(unseen)? {
            (monitor, Sighted::There) => Ok(monitor),
            _ => Err(unseen(format!("{ANOTHER_SERVER}, so it cannot be seen who is at work on this one"))),
        }
    }

    /// Runs `sql`, which may be several statements, in one round trip, and in the same one sets the session up where it is
    /// not; gives the rows of each statement of `sql`.
    async fn query(&mut self, sql: String, limit: Duration) -> Result<RowSets, SessionError> {
        let (sets, result) = self.query_until_error(sql, limit).await;
        result.map(|()| sets)
    }

    /// As [`Self::query`], and where a statement fails the results of those before it are there all the same.
    async fn query_until_error(
        &mut self,
        sql: String,
        limit: Duration,
    ) -> (RowSets, Result<(), SessionError>) {
        self.ask(sql, |kill| Patience::until(limit, kill)).await
    }

    async fn ask(
        &mut self,
        sql: String,
        patience: impl FnOnce(&CancellationToken) -> Patience<'_>,
    ) -> (RowSets, Result<(), SessionError>) {
        let sql = self.with_set_up(sql);
        let Some(connection) = &mut self.connection else { return (Vec::new(), Err(closed())) };
        let patience = patience(self.connector.kill_token());
        let (sets, result) = query::query_until_error(connection, sql, patience).await;
        self.without_set_up(sets, result)
    }

    /// `sql`, behind the statements that set the session up where it is not.
    fn with_set_up(&self, sql: String) -> String {
        match self.state {
            State::SetUp => sql,
            State::New | State::Used => format!("{};{sql}", contract::set_up(self.connector.limits())),
        }
    }

    /// The answers to the packet of [`Self::with_set_up`], without those to the statements that set the session up.
    fn without_set_up<T>(
        &mut self,
        mut answers: Vec<T>,
        result: Result<(), SessionError>,
    ) -> (Vec<T>, Result<(), SessionError>) {
        if self.state == State::SetUp {
            return (answers, result);
        }
        if answers.len() < contract::N_STATEMENTS {
            return (Vec::new(), Err(contract::refused(result)));
        }
        self.state = State::SetUp;
        drop(answers.drain(..contract::N_STATEMENTS));
        (answers, result)
    }

    /// The rows that one query gives; `None` where its table does not exist. Where another tenant's row may name the same
    /// database, the same round trip asks which database this is.
    async fn rows_if_there(&mut self, sql: &str) -> Result<Option<Vec<MySqlRow>>, SessionError> {
        let label = self.target.label.clone();
        let asks = self.connector.doubtful().has(&label);
        let question = if asks { format!("{};", identity::QUESTION) } else { String::new() };
        let (mut sets, result) = self.query_until_error(format!("{question}{sql}"), BOOKKEEPING_LIMIT).await;
        if asks && sets.len() >= identity::N_RESULTS {
            let rest = sets.split_off(identity::N_RESULTS);
            if let Some(first) = self.connector.doubtful().claim(&sets, &label) {
                return Err(SessionError::SameDatabase { first: first.slug.clone() });
            }
            sets = rest;
        }
        match result {
            Ok(()) => Ok(Some(sets.into_iter().next().unwrap_or_default())),
            Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As [`Self::query_until_error`], for statements that write: gives how many rows each has changed.
    async fn write(&mut self, sql: String) -> (Vec<u64>, Result<(), SessionError>) {
        let sql = self.with_set_up(sql);
        let Some(connection) = &mut self.connection else { return (Vec::new(), Err(closed())) };
        let patience = Patience::until(BOOKKEEPING_LIMIT, self.connector.kill_token());
        let (n_changed, result) = query::write(connection, sql, patience).await;
        self.without_set_up(n_changed, result)
    }

    /// As [`Self::rows_if_there`]. As the first query of a session, for most databases the only one, it has nothing set before
    /// it.
    async fn first_rows(&mut self, sql: &str) -> Result<Option<Vec<MySqlRow>>, SessionError> {
        if self.state == State::New
            && !self.connector.doubtful().has(&self.target.label)
            && let Some(connection) = &mut self.connection
        {
            self.state = State::Used;
            let patience = Patience::until(BOOKKEEPING_LIMIT, self.connector.kill_token());
            match query::query(connection, sql.into(), patience).await {
                Ok(sets) => return Ok(sets.into_iter().next()),
                Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => return Ok(None),
                // A default of the server may be in the way, such as `max_join_size` or `max_execution_time`.
                Err(SessionError::Server { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.rows_if_there(sql).await
    }

    /// Who holds the lock, as far as this account may see.
    async fn lock_holder(&mut self) -> Option<LockHolder> {
        let sql = format!(
            "SELECT CAST(IS_USED_LOCK({}) AS SIGNED);SHOW FULL PROCESSLIST;{}",
            books::LOCK_NAME,
            books::SELECT_HISTORY
        );
        // Cast, since MySQL's number is unsigned and MariaDB's is not. The last of them fails where there is no history
        // yet; the others count all the same.
        let (sets, _) = self.query_until_error(sql, BOOKKEEPING_LIMIT).await;
        let connection_id = sets.first()?.first()?.try_get::<Option<i64>, _>(0).ok()??.cast_unsigned();
        let row = sets.get(1)?.iter().find(|row| unsigned(row, "Id") == Some(connection_id));
        let text = |column| row.and_then(|row| text(row, column));
        let history = sets.get(2).and_then(|rows| read::history_rows(rows).ok()).unwrap_or_default();
        let unfinished = history.iter().find(|row| !row.success);
        Some(LockHolder {
            connection_id,
            other_database: text("db").filter(|name| !name.eq_ignore_ascii_case(&self.target.label.database)),
            began: unfinished.map(|row| (row.version, row.installed_on_s)),
            account: text("User").map(|user| format!("{user}@{}", text("Host").unwrap_or_default())),
            activity: row.map(|_| {
                text("Info").map_or_else(|| "idle".to_owned(), |statement| Activity::shape_of(&statement))
            }),
            seconds: row.and_then(|row| unsigned(row, "Time")),
        })
    }
}

impl TenantSession for MySqlSession {
    async fn glance(&mut self) -> Result<Glance, SessionError> {
        let rows = self.first_rows(books::SELECT_GLANCE).await?.unwrap_or_default();
        read::glance(&rows)
    }

    async fn history(&mut self) -> Result<History, SessionError> {
        let Some(mut rows) = self.first_rows(books::SELECT_HISTORY).await? else {
            return Ok(History::default());
        };
        // In another character set than was asked for at the login (`init_connect`).
        if self.state != State::SetUp && read::history_rows(&rows).is_err() {
            rows = self.rows_if_there(books::SELECT_HISTORY).await?.unwrap_or_default();
        }
        let mut history = History { rows: read::history_rows(&rows)?, has_table: true, ..History::default() };
        if history.is_dirty() {
            let (sets, result) =
                self.query_until_error(books::SELECT_JOURNAL.into(), BOOKKEEPING_LIMIT).await;
            read::journal(&mut history, &sets, result)?;
        }
        Ok(history)
    }

    async fn lock(&mut self, reads: Reads) -> Result<History, SessionError> {
        let limits = *self.connector.limits();
        let (lock_s, mark) = (limits.lock.as_secs(), Own::new_mark());
        // Once per server: it costs more than a variable of its own, which the other flavour would not know.
        let asks = self.connector.is_first_lock(&self.target.label.server);
        let question = if asks { format!("{};", locality::QUESTION) } else { String::new() };
        // Before the books, which may not be there.
        let tables = match reads {
            Reads::Books => String::new(),
            Reads::Tables => format!("{};", books::SELECT_UNTRANSACTED),
        };
        let sql = format!(
            "{question}SELECT {}, GET_LOCK({}, {lock_s}), {};{tables}{};{}",
            Own::columns(mark.as_deref()),
            books::LOCK_NAME,
            contract::UNMET,
            books::SELECT_HISTORY,
            books::SELECT_JOURNAL,
        );
        self.state = State::Used;
        // Nothing is lost with a wait for the lock; the server ends it when the connection is gone.
        let limit = limits.lock + BOOKKEEPING_LIMIT;
        let (mut sets, result) = self.ask(sql, |kill| Patience::until_at_once(limit, kill)).await;
        if asks && !sets.is_empty() {
            self.lock_caveat = locality::caveat(&sets.remove(0), &self.target.label.server);
        }
        // The lock, the tables, the history and the journal.
        let Some(row) = sets.first().and_then(|rows| rows.first()) else {
            return Err(result.err().unwrap_or(SessionError::LockRefused));
        };
        self.own = Some(Own::read(mark, row)?);
        match row.try_get::<Option<i64>, _>(3).map_err(|error| session_error(&error))? {
            Some(1) => {}
            Some(_) => {
                let holder = self.lock_holder().await.map(Box::new);
                return Err(SessionError::LockHeld { waited: limits.lock, holder });
            }
            None => return Err(SessionError::LockRefused),
        }
        let unmet: String = row.try_get(4).map_err(|error| session_error(&error))?;
        if !unmet.is_empty() {
            return Err(SessionError::Settings { unmet });
        }
        sets.remove(0);
        let mut history = History::default();
        if reads == Reads::Tables {
            let Some(_) = sets.first() else { return Err(result.err().unwrap_or(SessionError::LockRefused)) };
            history.untransacted = Some(read::untransacted(&sets.remove(0))?);
        }
        let Some(rows) = sets.first() else {
            return match result {
                Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => Ok(history),
                Err(error) => Err(error),
                Ok(()) => {
                    Err(SessionError::Unreadable { message: "it has fewer results than statements".into() })
                }
            };
        };
        history.rows = read::history_rows(rows)?;
        history.has_table = true;
        read::journal(&mut history, &sets[1..], result)?;
        Ok(history)
    }

    async fn renew(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.reconnect().await?;
        self.lock(reads).await
    }

    async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        if self.state != State::SetUp {
            self.query("DO 0".into(), BOOKKEEPING_LIMIT).await?;
        }
        let Self { connection: Some(connection), target, connector, own, is_answer_lost, .. } = self else {
            return Err(closed());
        };
        // Whoever wants what is in flight to be killed wants nothing new to begin.
        if connector.kill_token().is_cancelled() {
            return Err(SessionError::Killed { fate: Fate::NotApplied });
        }
        let limit = connector.limits().statement;
        let query = connection.execute(statement.to_owned());
        pin!(query);
        let is_timeout = select! {
            biased;
            result = &mut query => match result {
                Err(SessionError::Lost { message }) => {
                    let found = orphan(connector, target, own.as_ref()).await;
                    return Err(SessionError::Lost { message: format!("{message}; {found}") });
                }
                Err(SessionError::Unreadable { message }) => {
                    let found = orphan(connector, target, own.as_ref()).await;
                    return Err(SessionError::Unreadable { message: format!("{message}; {found}") });
                }
                result => return result,
            },
            () = is_answer_lost.cancelled() => {
                let found = orphan(connector, target, own.as_ref()).await;
                let message = "the server has ended the statement, and its answer did not come";
                return Err(SessionError::Lost { message: format!("{message}; {found}") });
            }
            () = tokio::time::sleep(limit) => true,
            () = connector.kill_token().cancelled() => false,
        };
        let interrupted = |fate| {
            if is_timeout { SessionError::TimedOut { limit, fate } } else { SessionError::Killed { fate } }
        };
        let Some(own) = own else { return Err(unended(None, &"its number is not known")) };
        let mut monitor = match Monitor::connect_beside(connector, target, own).await {
            Ok((monitor, _)) => monitor,
            Err(error) => return Err(unended(Some(own), &error)),
        };
        match monitor.kill_own_statement(own).await {
            // The end of one that is gone is on its way to us.
            Ok(Sighted::There | Sighted::Gone) => {}
            Ok(Sighted::Elsewhere) => return Err(unended(Some(own), &ANOTHER_SERVER)),
            Err(error) => return Err(unended(Some(own), &error)),
        }
        let answer = Patience::until(KILL_GRACE, connector.kill_token()).bound(query).await;
        let result = match answer {
            // It was done before the kill reached it.
            Ok(Ok(n_rows)) => Ok(n_rows),
            // Error 1317, or whatever else made it end: the server has undone it.
            Ok(Err(SessionError::Server { .. })) => Err(interrupted(Fate::NotApplied)),
            // It does not listen, or the connection is gone: it must not go on without us.
            Ok(Err(_)) | Err(_) => match end(&mut monitor, own).await {
                Ok(()) => Err(interrupted(Fate::Unknown)),
                Err(error) => Err(unended(Some(own), &error)),
            },
        };
        monitor.close().await;
        result
    }

    async fn roll_back(&mut self) -> Result<Rollback, SessionError> {
        let sets = self.query(books::ROLL_BACK.into(), BOOKKEEPING_LIMIT).await?;
        let is_it = |row: &MySqlRow| unsigned(row, "Code") == Some(NOT_COMPLETE_ROLLBACK.into());
        let is_partial = sets.last().into_iter().flatten().any(is_it);
        Ok(if is_partial { Rollback::Partial } else { Rollback::Whole })
    }

    async fn record(&mut self, record: Record<'_>) -> Result<(), SessionError> {
        let parts = books::parts(&record);
        let sql = parts.iter().map(|part| part.sql.as_str()).collect::<Vec<_>>().join(";");
        let (n_changed, result) = self.write(sql).await;
        if result.is_ok() && matches!(record, Record::Finish { .. }) {
            // What comes next is another migration: the packet of its first record sets the session up again. (One that failed
            // may be tried again, under what its script has set.)
            self.state = State::Used;
        }
        let Err(SessionError::Server { number: OUT_OF_RANGE, .. }) = result else { return result };
        // As many statements have answered as there are before the guard that failed.
        let at = n_changed.len();
        Err(match parts.get(at).and_then(|part| part.guard) {
            Some(Guard::Lock) => SessionError::LockLost,
            Some(Guard::Rows(expected)) => SessionError::Miscounted {
                statement: at.checked_sub(1).map(|at| shape(&parts[at].sql, 60)).unwrap_or_default(),
                expected,
                changed: n_changed.last().copied().unwrap_or_default(),
            },
            None => return result,
        })
    }

    async fn at_work(&mut self) -> Result<Vec<Activity>, SessionError> {
        match &mut self.connection {
            Some(connection) => monitor::at_work(connection, &self.connector).await,
            None => Err(closed()),
        }
    }

    async fn existing_tables(&mut self) -> Result<ExistingTables, SessionError> {
        // An empty history is one. What else is ours tells nothing of others. Converted, since MySQL may give names as bytes.
        const FROM: &str = "FROM information_schema.tables WHERE table_schema = DATABASE() \
             AND table_type NOT IN ('SYSTEM VIEW', 'TEMPORARY') AND LEFT(table_name, 20) <> '_backend_migrations_' \
             AND NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() \
             AND table_name = '_sqlx_migrations')";
        let sql = format!(
            "SELECT COUNT(*) {FROM};SELECT CONVERT(table_name USING utf8mb4) {FROM} ORDER BY table_name LIMIT 5"
        );
        let sets = self.query(sql, BOOKKEEPING_LIMIT).await?;
        let n = sets.first().and_then(|rows| rows.first()?.try_get::<i64, _>(0).ok());
        let names = sets.get(1).into_iter().flatten().filter_map(|row| row.try_get(0).ok()).collect();
        Ok(ExistingTables { n: n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default(), names })
    }

    async fn unwritable(&mut self, descriptions: &[&str]) -> Result<Vec<(usize, String)>, SessionError> {
        let sets = self.query(books::SELECT_DESCRIPTION_CHARSET.into(), BOOKKEEPING_LIMIT).await?;
        let row = sets.first().and_then(|rows| rows.first());
        let charset = row.and_then(|row| text(row, "charset")).unwrap_or_default();
        let Some(sql) = books::can_hold(&charset, descriptions) else { return Ok(Vec::new()) };
        let sets = self.query(sql, BOOKKEEPING_LIMIT).await?;
        let row = sets.first().and_then(|rows| rows.first());
        let is_lost = |at: &usize| row.and_then(|row| row.try_get::<i64, _>(*at).ok()) == Some(0);
        Ok((0..descriptions.len()).filter(is_lost).map(|at| (at, charset.clone())).collect())
    }

    fn lock_caveat(&mut self) -> Option<String> {
        self.lock_caveat.take()
    }

    fn limits(&self) -> Limits {
        *self.connector.limits()
    }

    fn watch(&self) -> impl Watch + use<> {
        let both = self.own.clone().zip(self.connection.as_ref());
        let watched = both.map(|(own, connection)| Watched {
            own,
            traffic: connection.traffic().clone(),
            is_answer_lost: self.is_answer_lost.clone(),
        });
        MySqlWatch::new(self.connector.clone(), self.target.clone(), watched)
    }

    // The lock goes with the connection, which is never handed to anyone else.
    async fn close(self) {
        if let Some(connection) = self.connection {
            connect::close(connection, &self.connector).await;
        }
    }
}

/// What is said where there is no connection any more.
fn closed() -> SessionError {
    SessionError::Gone { message: "it was closed".into() }
}
