//! Several statements in one round trip, and how long its answer is waited for.

use std::{future::Future, time::Duration};

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Either, Executor as _,
    mysql::{MySqlConnection, MySqlRow},
    raw_sql,
};
use tokio::{
    select,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::server_error::session_error;
use crate::session::SessionError;

/// How much longer an answer is waited for once the run was told twice to stop: a server that is well answers within it, so
/// that what was written is known to be, and one that is not is not waited for.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(2);

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    limit: Duration,
    /// Whatever else is to be waited for, once this is cancelled it is no longer than this.
    stop: Option<(&'a CancellationToken, Duration)>,
}

impl<'a> Patience<'a> {
    /// At most `limit`, also after the run was told to stop: for what puts in order then.
    pub(super) fn of(limit: Duration) -> Self {
        Self { limit, stop: None }
    }

    /// At most `limit`, and once `hard` is cancelled at most [`STOP_GRACE`] longer.
    pub(super) fn until(limit: Duration, hard: &'a CancellationToken) -> Self {
        Self { limit, stop: Some((hard, STOP_GRACE)) }
    }

    /// At most `limit`, and not at all once `hard` is cancelled: for a wait that nothing is lost with.
    pub(super) fn until_at_once(limit: Duration, hard: &'a CancellationToken) -> Self {
        Self { limit, stop: Some((hard, Duration::ZERO)) }
    }

    /// Waits for `answer`.
    ///
    /// # Errors
    ///
    /// [`SessionError::Interrupted`] and, past the limit, [`SessionError::Lost`]: the connection is of no use after
    /// either, as the answer may still come.
    pub(super) async fn wait<T>(
        self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, SessionError> {
        let stopped = async {
            match self.stop {
                Some((stop, grace)) => {
                    stop.cancelled().await;
                    sleep(grace).await;
                }
                None => std::future::pending().await,
            }
        };
        select! {
            biased;
            answered = timeout(self.limit, answer) => match answered {
                Ok(result) => result.map_err(|error| session_error(&error)),
                Err(_) => Err(timed_out(self.limit)),
            },
            () = stopped => Err(SessionError::Interrupted),
        }
    }
}

/// The rows of each statement.
pub(super) type RowSets = Vec<Vec<MySqlRow>>;

/// Runs `sql`, which may be several statements, in one round trip; gives the rows of each.
pub(super) async fn query(
    connection: &mut MySqlConnection,
    sql: String,
    patience: Patience<'_>,
) -> Result<RowSets, SessionError> {
    let (sets, result) = query_until_error(connection, sql, patience).await;
    result.map(|()| sets)
}

/// As [`query`], and where a statement fails the rows of those before it are there all the same.
pub(super) async fn query_until_error(
    connection: &mut MySqlConnection,
    sql: String,
    patience: Patience<'_>,
) -> (RowSets, Result<(), SessionError>) {
    let (mut sets, mut rows) = (Vec::new(), Vec::new());
    let work = async {
        let mut results = connection.fetch_many(raw_sql(AssertSqlSafe(sql)));
        while let Some(result) = results.try_next().await? {
            match result {
                Either::Left(_) => sets.push(std::mem::take(&mut rows)),
                Either::Right(row) => rows.push(row),
            }
        }
        Ok::<_, sqlx::Error>(())
    };
    let result = patience.wait(work).await;
    (sets, result)
}

/// Runs `sql`, several statements that give no rows of interest, in one round trip; gives how many rows each has changed,
/// those before an error too.
pub(super) async fn write(
    connection: &mut MySqlConnection,
    sql: String,
    patience: Patience<'_>,
) -> (Vec<u64>, Result<(), SessionError>) {
    let mut n_changed = Vec::new();
    let work = async {
        let mut results = connection.fetch_many(raw_sql(AssertSqlSafe(sql)));
        while let Some(result) = results.try_next().await? {
            if let Either::Left(done) = result {
                n_changed.push(done.rows_affected());
            }
        }
        Ok::<_, sqlx::Error>(())
    };
    let result = patience.wait(work).await;
    (n_changed, result)
}

/// What is said of a server that has not answered within `limit`.
fn timed_out(limit: Duration) -> SessionError {
    SessionError::Lost { message: format!("no answer within {} s", limit.as_secs()) }
}
