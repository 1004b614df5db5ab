//! A connection to one tenant's database.

use std::time::Duration;

use sqlx::{Row as _, mysql::MySqlRow};
use tokio::{pin, select, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    blockers::{MySqlWatch, Watched},
    books::{self, Guard},
    connect::{self, MySqlConnector},
    locality,
    monitor::{self, Monitor, text, unsigned},
    query::{self, RowSets, ServerConnection},
    read,
    server_error::session_error,
};
use crate::{
    history::{Glance, History},
    session::{
        Activity, Fate, Limits, LockHolder, Reads, Record, Rollback, SessionError, TenantSession, Watch,
        number::{NO_SUCH_TABLE, NOT_COMPLETE_ROLLBACK, SUBQUERY_NO_1_ROW},
    },
    sql::shape,
    tenant::Target,
};

/// For the queries of our own, which take milliseconds unless the server or the way to it is gone.
pub(super) const BOOKKEEPING_LIMIT: Duration = Duration::from_mins(1);

/// How long a killed statement may take to let go: a rollback takes about as long as the work did.
const KILL_GRACE: Duration = Duration::from_secs(30);

/// A connection to one tenant's database.
#[derive(Debug)]
pub struct MySqlSession {
    connection: ServerConnection,
    target: Target,
    connector: MySqlConnector,
    /// Known once the lock is held; before that nothing runs that would have to be killed.
    connection_id: Option<u64>,
    lock_caveat: Option<String>,
    /// Cancelled by whoever has seen that the answer that is waited for does not come any more.
    is_answer_lost: CancellationToken,
}

impl MySqlSession {
    pub(super) fn new(connection: ServerConnection, target: Target, connector: MySqlConnector) -> Self {
        Self {
            connection,
            target,
            connector,
            connection_id: None,
            lock_caveat: None,
            is_answer_lost: CancellationToken::new(),
        }
    }

    /// Sets the session up as [`TenantSession::lock`] does, and takes no lock: for a database that nobody else knows of.
    pub(crate) async fn set_up(&mut self) -> Result<(), SessionError> {
        let sql = format!("{};SELECT CONNECTION_ID()", books::set_up(self.connector.limits()));
        let sets = self.query(sql, BOOKKEEPING_LIMIT).await?;
        let row = sets.get(1).and_then(|rows| rows.first());
        self.connection_id = row.and_then(|row| row.try_get(0).ok());
        Ok(())
    }

    /// Runs `sql`, which may be several statements, in one round trip; gives the rows of each.
    async fn query(&mut self, sql: String, limit: Duration) -> Result<RowSets, SessionError> {
        query::query(&mut self.connection, sql, limit).await
    }

    /// As [`Self::query`], and where a statement fails the results of those before it are there all the same.
    async fn query_until_error(
        &mut self,
        sql: String,
        limit: Duration,
    ) -> (RowSets, Result<(), SessionError>) {
        query::query_until_error(&mut self.connection, sql, limit).await
    }

    /// The rows that one query gives; `None` where its table does not exist.
    async fn rows_if_there(&mut self, sql: &str) -> Result<Option<Vec<MySqlRow>>, SessionError> {
        match self.query(sql.into(), BOOKKEEPING_LIMIT).await {
            Ok(sets) => Ok(Some(sets.into_iter().next().unwrap_or_default())),
            Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => Ok(None),
            Err(error) => Err(error),
        }
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
        let rows = self.rows_if_there(books::SELECT_GLANCE).await?.unwrap_or_default();
        read::glance(&rows)
    }

    async fn history(&mut self) -> Result<History, SessionError> {
        let Some(rows) = self.rows_if_there(books::SELECT_HISTORY).await? else {
            return Ok(History::default());
        };
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
        let (lock_s, set_up) = (limits.lock.as_secs(), books::set_up(&limits));
        // Once per server: it costs more than a variable of its own, which the other flavour would not know.
        let asks = self.connector.is_first_lock(&self.target.label.server);
        let question = if asks { format!("{};", locality::QUESTION) } else { String::new() };
        // Before the books, which may not be there.
        let tables = match reads {
            Reads::Books => String::new(),
            Reads::Tables => format!("{};", books::SELECT_UNTRANSACTED),
        };
        let sql = format!(
            "{question}{set_up};SELECT CONNECTION_ID(), GET_LOCK({}, {lock_s});{tables}{};{}",
            books::LOCK_NAME,
            books::SELECT_HISTORY,
            books::SELECT_JOURNAL,
        );
        let (mut sets, result) = self.query_until_error(sql, limits.lock + BOOKKEEPING_LIMIT).await;
        if asks && !sets.is_empty() {
            self.lock_caveat = locality::caveat(&sets.remove(0), &self.target.label.server);
        }
        // The SET, then the lock, the tables, the history and the journal.
        let Some(row) = sets.get(1).and_then(|rows| rows.first()) else {
            return Err(result.err().unwrap_or(SessionError::LockRefused));
        };
        self.connection_id = Some(row.try_get(0).map_err(|error| session_error(&error))?);
        match row.try_get::<Option<i64>, _>(1).map_err(|error| session_error(&error))? {
            Some(1) => {}
            Some(_) => {
                let holder = self.lock_holder().await;
                return Err(SessionError::LockHeld { waited: limits.lock, holder });
            }
            None => return Err(SessionError::LockRefused),
        }
        sets.drain(..2);
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

    async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        let Self { connection, target, connector, connection_id, is_answer_lost, .. } = self;
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
                    let found = orphan(connector, target, *connection_id).await;
                    return Err(SessionError::Lost { message: format!("{message}; {found}") });
                }
                Err(SessionError::Unreadable { message }) => {
                    let found = orphan(connector, target, *connection_id).await;
                    return Err(SessionError::Unreadable { message: format!("{message}; {found}") });
                }
                result => return result,
            },
            () = is_answer_lost.cancelled() => {
                let found = orphan(connector, target, *connection_id).await;
                let message = "the server has ended the statement, and its answer did not come";
                return Err(SessionError::Lost { message: format!("{message}; {found}") });
            }
            () = tokio::time::sleep(limit) => true,
            () = connector.kill_token().cancelled() => false,
        };
        let interrupted = |fate| {
            if is_timeout { SessionError::TimedOut { limit, fate } } else { SessionError::Killed { fate } }
        };
        let id = connection_id.unwrap_or_default();
        let mut monitor = match Monitor::connect_patiently(connector, target).await {
            Ok(monitor) => monitor,
            Err(error) => return Err(unended(id, &error)),
        };
        if let Err(error) = monitor.kill_statement(id).await {
            return Err(unended(id, &error));
        }
        let answer = timeout(KILL_GRACE, query).await;
        let result = match answer {
            // It was done before the kill reached it.
            Ok(Ok(n_rows)) => Ok(n_rows),
            // Error 1317, or whatever else made it end: the server has undone it.
            Ok(Err(SessionError::Server { .. })) => Err(interrupted(Fate::NotApplied)),
            // It does not listen, or the connection is gone: it must not go on without us.
            Ok(Err(_)) | Err(_) => match end(&mut monitor, id).await {
                Ok(()) => Err(interrupted(Fate::Unknown)),
                Err(error) => Err(unended(id, &error)),
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
        let (n_changed, result) = query::write(&mut self.connection, sql, BOOKKEEPING_LIMIT).await;
        let Err(SessionError::Server { number: SUBQUERY_NO_1_ROW, .. }) = result else { return result };
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
        monitor::at_work(&mut self.connection).await
    }

    fn lock_caveat(&mut self) -> Option<String> {
        self.lock_caveat.take()
    }

    fn limits(&self) -> Limits {
        *self.connector.limits()
    }

    fn watch(&self) -> impl Watch + use<> {
        let watched = self.connection_id.map(|connection_id| Watched {
            connection_id,
            traffic: self.connection.traffic().clone(),
            is_answer_lost: self.is_answer_lost.clone(),
        });
        MySqlWatch::new(self.connector.clone(), self.target.clone(), watched)
    }

    // The lock goes with the connection, which is never handed to anyone else.
    async fn close(self) {
        connect::close(self.connection, self.connector.limits()).await;
    }
}

/// What became of the statement on connection `id`, which is lost to us: a server that goes on with it is told to end it.
async fn orphan(connector: &MySqlConnector, target: &Target, id: Option<u64>) -> String {
    let monitor = Monitor::connect(connector, target).await;
    let (Some(id), Ok(mut monitor)) = (id, monitor) else {
        return "whether the server still runs it cannot be seen".to_owned();
    };
    let found = match end(&mut monitor, id).await {
        Ok(()) => "the server does not run it any more".to_owned(),
        Err(error) => unended(id, &error).to_string(),
    };
    monitor.close().await;
    found
}

/// Ends connection `id`, if it is there, and waits until it is gone.
async fn end(monitor: &mut Monitor, id: u64) -> Result<(), SessionError> {
    if monitor.find(id).await?.is_none() {
        return Ok(());
    }
    monitor.kill(id).await?;
    if monitor.wait_until_gone(id, KILL_GRACE).await? {
        return Ok(());
    }
    Err(SessionError::Lost { message: format!("it does not end within {} s", KILL_GRACE.as_secs()) })
}

/// A statement that goes on without us.
fn unended(id: u64, error: &dyn std::fmt::Display) -> SessionError {
    SessionError::Lost {
        message: format!("it may still run as connection {id}, which could not be ended: {error}"),
    }
}
