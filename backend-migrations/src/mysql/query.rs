//! Several statements in one round trip.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Either, Executor as _,
    mysql::{MySqlConnection, MySqlRow},
    raw_sql,
};
use tokio::time::timeout;

use super::server_error::session_error;
use crate::session::SessionError;

/// The rows of each statement.
pub(super) type RowSets = Vec<Vec<MySqlRow>>;

/// Runs `sql`, which may be several statements, in one round trip; gives the rows of each.
pub(super) async fn query(
    connection: &mut MySqlConnection,
    sql: String,
    limit: Duration,
) -> Result<RowSets, SessionError> {
    let (sets, result) = query_until_error(connection, sql, limit).await;
    result.map(|()| sets)
}

/// As [`query`], and where a statement fails the rows of those before it are there all the same.
pub(super) async fn query_until_error(
    connection: &mut MySqlConnection,
    sql: String,
    limit: Duration,
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
    let result = match timeout(limit, work).await {
        Ok(result) => result.map_err(|error| session_error(&error)),
        Err(_) => Err(timed_out(limit)),
    };
    (sets, result)
}

/// Runs `sql`, several statements that give no rows of interest, in one round trip; gives how many rows each has changed,
/// those before an error too.
pub(super) async fn write(
    connection: &mut MySqlConnection,
    sql: String,
    limit: Duration,
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
    let result = match timeout(limit, work).await {
        Ok(result) => result.map_err(|error| session_error(&error)),
        Err(_) => Err(timed_out(limit)),
    };
    (n_changed, result)
}

/// What is said of a server that has not answered within `limit`.
pub(super) fn timed_out(limit: Duration) -> SessionError {
    SessionError::Lost { message: format!("no answer within {} s", limit.as_secs()) }
}
