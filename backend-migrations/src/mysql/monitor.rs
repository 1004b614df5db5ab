//! A second connection that looks at what other connections to a server do, and ends them where it is told to.

use std::time::Duration;

use sqlx::{
    Row as _,
    mysql::{MySqlConnection, MySqlRow},
};
use tokio::time::{Instant, sleep};

use super::{
    books,
    connect::{self, MySqlConnector},
    query::{self, RowSets},
    server_error::NO_SUCH_CONNECTION,
};
use crate::{
    session::{Activity, ConnectError, SessionError},
    tenant::Target,
};

/// To look is a matter of milliseconds, and nobody may be kept waiting by it.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// Between two looks for a change.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection that looks at the others. It takes no lock and writes nothing.
///
/// An account sees its own connections, and with the privilege PROCESS everybody's; it may end its own, and with
/// `CONNECTION_ADMIN` (MariaDB: `CONNECTION ADMIN`, or SUPER on either) everybody's.
#[derive(Debug)]
pub struct Monitor {
    connection: MySqlConnection,
    connector: MySqlConnector,
}

impl Monitor {
    /// Connects with the account of `target`, whose database is the one that is looked at.
    ///
    /// # Errors
    ///
    /// Those of logging in.
    pub async fn connect(connector: &MySqlConnector, target: &Target) -> Result<Self, ConnectError> {
        let connection = connector.open_set_up(target).await?;
        Ok(Self { connection, connector: connector.clone() })
    }

    /// As [`Self::connect`], and again where the server may be back in a moment.
    pub(super) async fn connect_patiently(
        connector: &MySqlConnector,
        target: &Target,
    ) -> Result<Self, ConnectError> {
        let connection = connector.open_set_up_patiently(target).await?;
        Ok(Self { connection, connector: connector.clone() })
    }

    /// Connects with the account that may see most: the administrator's, where there is one for this server and it may
    /// use the database, else that of `target`.
    pub(super) async fn connect_to_look(connector: &MySqlConnector, target: &Target) -> Option<Self> {
        if let Some(administrator) = connector.administrator(target)
            && let Ok(monitor) = Self::connect(connector, &administrator).await
        {
            return Some(monitor);
        }
        Self::connect(connector, target).await.ok()
    }

    /// The connections that are at work in the database: the one that holds its lock, first, and those that run a
    /// statement there. One of an account that may not be seen is in it only as the holder of the lock.
    ///
    /// # Errors
    ///
    /// What the server or the connection says to the queries.
    pub async fn at_work(&mut self) -> Result<Vec<Activity>, SessionError> {
        at_work(&mut self.connection).await
    }

    /// The connection with this number, if it is there, may be seen and works in the database.
    ///
    /// # Errors
    ///
    /// As [`Self::at_work`].
    pub async fn find(&mut self, connection_id: u64) -> Result<Option<Activity>, SessionError> {
        Ok(list(&mut self.connection)
            .await?
            .into_iter()
            .find(|activity| activity.connection_id == connection_id))
    }

    /// Waits until the connection with this number is gone, or `limit` has passed; gives whether it is gone.
    ///
    /// # Errors
    ///
    /// As [`Self::at_work`].
    pub async fn wait_until_gone(
        &mut self,
        connection_id: u64,
        limit: Duration,
    ) -> Result<bool, SessionError> {
        let began = Instant::now();
        loop {
            if self.find(connection_id).await?.is_none() {
                return Ok(true);
            }
            if began.elapsed() >= limit {
                return Ok(false);
            }
            sleep(PAUSE).await;
        }
    }

    /// Ends the connection with this number: its statement is undone as far as the server can, its locks are let go of.
    /// The server takes its time for that; see [`Self::wait_until_gone`]. One that is gone already is no error.
    ///
    /// # Errors
    ///
    /// 1095 (`ER_KILL_DENIED_ERROR`) where it is another account's and the privilege is missing; else as
    /// [`Self::at_work`].
    pub async fn kill(&mut self, connection_id: u64) -> Result<(), SessionError> {
        self.end(format!("KILL CONNECTION {connection_id}")).await
    }

    /// Ends the statement that the connection with this number runs, and leaves the connection.
    ///
    /// # Errors
    ///
    /// As [`Self::kill`].
    pub async fn kill_statement(&mut self, connection_id: u64) -> Result<(), SessionError> {
        self.end(format!("KILL QUERY {connection_id}")).await
    }

    async fn end(&mut self, sql: String) -> Result<(), SessionError> {
        match self.query(sql).await {
            Err(SessionError::Server { number: NO_SUCH_CONNECTION, .. }) => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// Lets go of the connection.
    pub async fn close(self) {
        connect::close(self.connection, self.connector.limits()).await;
    }

    /// Every connection to the server but this one that may be seen, with the database it uses, and the name of the
    /// database that is looked at. Whoever holds that one's lock is always among them.
    pub(super) async fn everybody(
        &mut self,
    ) -> Result<(Vec<(Activity, Option<String>)>, Option<String>), SessionError> {
        everybody(&mut self.connection).await
    }

    /// The rows that each of the statements in `sql` gives.
    pub(super) async fn query(&mut self, sql: String) -> Result<RowSets, SessionError> {
        self.query_within(sql, LOOK_LIMIT).await
    }

    /// As [`Self::query`], for what may take longer.
    pub(super) async fn query_within(
        &mut self,
        sql: String,
        limit: Duration,
    ) -> Result<RowSets, SessionError> {
        query::query(&mut self.connection, sql, limit).await
    }
}

/// What [`Monitor::at_work`] gives, seen from this connection.
pub(super) async fn at_work(connection: &mut MySqlConnection) -> Result<Vec<Activity>, SessionError> {
    let everybody = list(connection).await?.into_iter();
    let mut at_work: Vec<_> = everybody.filter(|a| a.holds_lock || a.statement.is_some()).collect();
    at_work.sort_by_key(|activity| !activity.holds_lock);
    Ok(at_work)
}

/// Every connection to the database but this one.
async fn list(connection: &mut MySqlConnection) -> Result<Vec<Activity>, SessionError> {
    let (everybody, database) = everybody(connection).await?;
    let is_here = |(activity, its): &(Activity, Option<String>)| *its == database || activity.holds_lock;
    Ok(everybody.into_iter().filter(is_here).map(|(activity, _)| activity).collect())
}

async fn everybody(
    connection: &mut MySqlConnection,
) -> Result<(Vec<(Activity, Option<String>)>, Option<String>), SessionError> {
    // `information_schema.processlist` may go from MySQL (deprecated in 8.0.35), `performance_schema.processlist` is
    // not on MariaDB; both have this one. Cast, since MySQL's numbers are unsigned and MariaDB's are not.
    let sql = format!(
        "SELECT DATABASE(), CAST(CONNECTION_ID() AS SIGNED), CAST(IS_USED_LOCK({}) AS SIGNED);\
         SHOW FULL PROCESSLIST",
        books::LOCK_NAME
    );
    let sets = query::query(connection, sql, LOOK_LIMIT).await?;
    let own = sets.first().and_then(|rows| rows.first());
    let number = |column: usize| {
        let value = own.and_then(|row| row.try_get::<Option<i64>, _>(column).ok().flatten());
        value.map(i64::cast_unsigned)
    };
    let database = own.and_then(|row| row.try_get::<Option<String>, _>(0).ok().flatten());
    let (own_id, holder_id) = (number(1), number(2).filter(|id| Some(*id) != number(1)));
    let mut everybody: Vec<_> = sets
        .get(1)
        .into_iter()
        .flatten()
        .filter_map(|row| Some((activity(row, holder_id)?, text(row, "db"))))
        .filter(|(activity, _)| Some(activity.connection_id) != own_id)
        .collect();
    let is_listed = |id: &u64| everybody.iter().any(|(activity, _)| activity.connection_id == *id);
    if let Some(connection_id) = holder_id.filter(|id| !is_listed(id)) {
        everybody.push((Activity { connection_id, holds_lock: true, ..Activity::default() }, None));
    }
    Ok((everybody, database))
}

/// A row of the list of connections.
fn activity(row: &MySqlRow, holder_id: Option<u64>) -> Option<Activity> {
    let connection_id = unsigned(row, "Id")?;
    let account = text(row, "User").map(|user| format!("{user}@{}", text(row, "Host").unwrap_or_default()));
    // One that is being ended still has its statement, and its locks.
    let statement = text(row, "Info").filter(|_| text(row, "Command").as_deref() != Some("Sleep"));
    Some(Activity {
        connection_id,
        account,
        statement,
        state: text(row, "State").filter(|state| !state.is_empty()),
        seconds: unsigned(row, "Time"),
        transaction_s: None,
        holds_lock: holder_id == Some(connection_id),
    })
}

pub(super) fn text(row: &MySqlRow, column: &str) -> Option<String> {
    row.try_get::<Option<String>, _>(column).ok().flatten()
}

/// A number whose type differs between servers.
pub(super) fn unsigned(row: &MySqlRow, column: &str) -> Option<u64> {
    row.try_get_unchecked::<u64, _>(column).ok()
}
