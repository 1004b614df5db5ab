//! A connection to a server, and what is asked on it: several statements in one round trip, each answer bounded in size and
//! in time.
//!
//! Whatever a server sends ends in a result here. sqlx 0.9 trusts it: it panics at packets that are shorter than they say
//! (`bytes`: "advance out of bounds"), and it collects packets of any length. A panic is caught where sqlx was called and is
//! [`SessionError::Unreadable`]; how much of an answer is taken in, the relay counts.

use std::{any::Any, fmt, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, TryStreamExt as _};
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _,
    mysql::{MySqlConnection, MySqlRow},
    raw_sql,
};
use tokio::{
    select,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    relay::{Fault, Traffic},
    server_error::{session_error, told_in_row},
};
use crate::{fault::panic_text, session::SessionError};

/// How much longer an answer is waited for once the run was told twice to stop: a server that is well answers within it, so
/// that what was written is known to be, and one that is not is not waited for.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(2);

/// Why a wait is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Impatience {
    /// Its limit is over.
    TimedOut,
    /// The run was told twice to stop.
    Stopped,
}

/// How long an answer is waited for. There is none without the token: no wait is to outlast the second signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    limit: Duration,
    /// Once this is cancelled nothing is waited for longer than [`Self::grace`].
    hard: &'a CancellationToken,
    grace: Duration,
}

impl<'a> Patience<'a> {
    /// At most `limit`, and once `hard` is cancelled at most [`STOP_GRACE`] longer.
    pub(super) fn until(limit: Duration, hard: &'a CancellationToken) -> Self {
        Self { limit, hard, grace: STOP_GRACE }
    }

    /// At most `limit`, and not at all once `hard` is cancelled: for a wait that nothing is lost with.
    pub(super) fn until_at_once(limit: Duration, hard: &'a CancellationToken) -> Self {
        Self { limit, hard, grace: Duration::ZERO }
    }

    /// Waits for `answer`.
    ///
    /// # Errors
    ///
    /// [`SessionError::Interrupted`] and, past the limit, [`SessionError::NoAnswer`]: the connection is of no use after
    /// either, as the answer may still come.
    pub(super) async fn wait<T>(
        self,
        answer: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        match self.bound(answer).await {
            Ok(result) => result,
            Err(Impatience::TimedOut) => Err(SessionError::NoAnswer { limit: self.limit }),
            Err(Impatience::Stopped) => Err(SessionError::Interrupted),
        }
    }

    /// As [`Self::wait`], for what has errors of its own.
    pub(super) async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T, Impatience> {
        let stopped = async {
            self.hard.cancelled().await;
            sleep(self.grace).await;
        };
        select! {
            biased;
            done = timeout(self.limit, work) => done.map_err(|_| Impatience::TimedOut),
            () = stopped => Err(Impatience::Stopped),
        }
    }
}

/// The rows of each statement.
pub(super) type RowSets = Vec<Vec<MySqlRow>>;

/// How much of an answer is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerLimit {
    /// Bytes, as the server sends them: of all the answers of one round trip, and where rows are not kept, of each.
    pub(super) n_bytes: u64,
    /// Rows that are kept.
    pub(super) n_rows: usize,
}

impl AnswerLimit {
    /// For books and lists: a history of 20,000 migrations is in it. Few megabytes, since there is one of these answers for
    /// each tenant that is worked on.
    pub(super) const BOOKS: Self = Self { n_bytes: 8 << 20, n_rows: 20_000 };
    /// For what is as large as a fleet, or as a database is.
    pub(super) const LARGE: Self = Self { n_bytes: 256 << 20, n_rows: 1_000_000 };
}

/// A connection that is logged in.
///
/// After an answer that did not come, or that could not be read, nobody knows whose answer the next one would be: the
/// connection is not used any more.
pub(super) struct ServerConnection {
    connection: MySqlConnection,
    traffic: Arc<Traffic>,
    limit: AnswerLimit,
    is_usable: bool,
}

impl fmt::Debug for ServerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConnection").field("is_usable", &self.is_usable).finish_non_exhaustive()
    }
}

impl ServerConnection {
    pub(super) fn new(connection: MySqlConnection, traffic: Arc<Traffic>) -> Self {
        Self { connection, traffic, limit: AnswerLimit::BOOKS, is_usable: true }
    }

    /// With another limit on its answers.
    #[must_use]
    pub(super) fn with_answers(self, limit: AnswerLimit) -> Self {
        Self { limit, ..self }
    }

    /// Runs `sql` and gives everything that comes to `take`, as it comes.
    async fn run(
        &mut self,
        sql: String,
        mut take: impl FnMut(Either<u64, MySqlRow>) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        if !self.is_usable {
            let message = "an answer before this one did not come, or could not be read".to_owned();
            return Err(SessionError::Gone { message });
        }
        // For as long as it takes, and for good where this is given up in the middle.
        self.is_usable = false;
        self.traffic.allow(self.limit.n_bytes);
        let Self { connection, traffic, .. } = self;
        let work = async {
            let mut results = connection.fetch_many(raw_sql(AssertSqlSafe(sql)));
            while let Some(result) = results.try_next().await.map_err(|error| ended(&error, traffic))? {
                take(result.map_left(|done| done.rows_affected()))?;
            }
            Ok(())
        };
        let result = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(SessionError::Unreadable { message: damaged(panic.as_ref()) }),
        };
        self.is_usable = matches!(result, Ok(()) | Err(SessionError::Server { .. }));
        result
    }

    /// Runs one statement and drops its rows as they come; gives the number of rows it touched.
    pub(super) async fn execute(&mut self, statement: String) -> Result<u64, SessionError> {
        let (traffic, limit) = (self.traffic.clone(), self.limit);
        let (mut n_rows, mut told) = (0, None);
        let take = |item| {
            // What has been dropped takes no memory: it is each row that is bounded.
            traffic.allow(limit.n_bytes);
            match item {
                Either::Left(n) => n_rows += n,
                Either::Right(row) => told = told.take().or_else(|| told_in_row(&row)),
            }
            Ok(())
        };
        self.run(statement, take).await?;
        told.map_or(Ok(n_rows), Err)
    }

    /// What goes over it.
    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Ends the connection politely, and in bounded time.
    pub(super) async fn close(self, limit: Duration) {
        let Self { connection, traffic, is_usable, .. } = self;
        if !is_usable {
            return;
        }
        let goodbye = async {
            let said = AssertUnwindSafe(connection.close()).catch_unwind().await;
            // A program that ends before the relay has passed it on would leave without a word.
            if matches!(said, Ok(Ok(()))) {
                traffic.ended().await;
            }
        };
        timeout(limit, goodbye).await.ok();
    }
}

/// Runs `sql`, which may be several statements, in one round trip; gives the rows of each.
pub(super) async fn query(
    connection: &mut ServerConnection,
    sql: String,
    patience: Patience<'_>,
) -> Result<RowSets, SessionError> {
    let (sets, result) = query_until_error(connection, sql, patience).await;
    result.map(|()| sets)
}

/// As [`query`], and where a statement fails the rows of those before it are there all the same.
pub(super) async fn query_until_error(
    connection: &mut ServerConnection,
    sql: String,
    patience: Patience<'_>,
) -> (RowSets, Result<(), SessionError>) {
    let n_rows_max = connection.limit.n_rows;
    let (mut sets, mut rows, mut n_rows) = (Vec::new(), Vec::new(), 0);
    let take = |item| {
        match item {
            Either::Left(_) => sets.push(std::mem::take(&mut rows)),
            Either::Right(row) => {
                n_rows += 1;
                rows.push(row);
            }
        }
        if n_rows > n_rows_max {
            let message = format!("it has more than {n_rows_max} rows");
            return Err(SessionError::Unreadable { message });
        }
        Ok(())
    };
    let result = patience.wait(connection.run(sql, take)).await;
    (sets, result)
}

/// The one row that a query gives.
pub(super) async fn row(
    connection: &mut ServerConnection,
    sql: String,
    patience: Patience<'_>,
) -> Result<MySqlRow, SessionError> {
    let sets = query(connection, sql, patience).await?;
    let no_row = || SessionError::Unreadable { message: "it has no row where there must be one".to_owned() };
    sets.into_iter().flatten().next().ok_or_else(no_row)
}

/// What ended an answer before its end.
fn ended(error: &sqlx::Error, traffic: &Traffic) -> SessionError {
    match traffic.fault() {
        Some(Fault::Excess) => {
            let message = "it is larger than any that is needed".to_owned();
            return SessionError::Unreadable { message };
        }
        Some(Fault::AsksForAFile) => {
            let message = "it asks for a file of this machine (LOCAL INFILE), and none is sent".to_owned();
            return SessionError::Unreadable { message };
        }
        None => {}
    }
    match (session_error(error), traffic.failure()) {
        // sqlx sees no more of it than the local socket's end.
        (SessionError::Lost { .. }, Some(message)) => SessionError::Lost { message },
        (error, _) => error,
    }
}

/// What a panic in sqlx says: its reading ran past the end of a packet.
pub(super) fn damaged(panic: &(dyn Any + Send)) -> String {
    format!("a packet is damaged ({})", panic_text(panic))
}

/// Runs `sql`, several statements that give no rows of interest, in one round trip; gives how many rows each has changed,
/// those before an error too.
pub(super) async fn write(
    connection: &mut ServerConnection,
    sql: String,
    patience: Patience<'_>,
) -> (Vec<u64>, Result<(), SessionError>) {
    let mut n_changed = Vec::new();
    let take = |item| {
        if let Either::Left(n_rows) = item {
            n_changed.push(n_rows);
        }
        Ok(())
    };
    let result = patience.wait(connection.run(sql, take)).await;
    (n_changed, result)
}
