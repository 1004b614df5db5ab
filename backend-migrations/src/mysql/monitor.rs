//! A second connection that looks at what other connections to a server do, and ends them where it is told to.
//!
//! A number means a connection on one server only. Behind a balancer, after a failover or a restart, the same address
//! leads to a server where it is the application's. So nothing is ended for its number alone: ours is what holds
//! the lock of [`Own`], and anybody else's is what it was when it was shown, seen on the connection that sends the `KILL`.

use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::{Row as _, mysql::MySqlRow};
use tokio::{
    pin, select,
    time::{Instant, sleep},
};

use super::{
    books,
    connect::{self, MySqlConnector},
    query::{self, Patience, RowSets, ServerConnection},
    server_error::session_error,
};
use crate::{
    entropy,
    session::{Activity, ConnectError, SessionError, number},
    tenant::Target,
};

/// To look is a matter of milliseconds, and nobody may be kept waiting by it.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// Between two looks for a change.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a connection is opened to reach the server of another one, behind whatever hands out several.
const N_TRIES_MAX: u32 = 4;

/// What tells one server from another. `server_uuid` is MySQL's alone, and MariaDB passes over this comment (its
/// "Comment Syntax": not those with a version from 50700 to 99999); there, what a copy of a server cannot share with it on
/// one machine has to do.
const IDENTITY: &str =
    "CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir /*!80000 , @@server_uuid */)";

/// A connection of this program, which its server can show to be ours: it holds a lock whose name nobody else knows.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// The server's number for it.
    pub(super) id: u64,
    mark: String,
    server: String,
}

/// What another connection shows of one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sighted {
    /// It is there.
    There,
    /// Its server answers, and does not have it any more: what it ran is over.
    Gone,
    /// Another server answers, which knows nothing of it.
    Elsewhere,
}

impl Own {
    /// A name for the lock; `None` where there is no randomness.
    pub(super) fn new_mark() -> Option<String> {
        let random = u128::from_be_bytes(entropy::random_iv().ok()?);
        Some(format!("backend_migrations_own_{random:032x}"))
    }

    /// What the connection itself selects so that it can be found: its number, its server, and the lock.
    pub(super) fn columns(mark: Option<&str>) -> String {
        let lock = mark.map_or_else(|| "NULL".to_owned(), |mark| format!("GET_LOCK('{mark}', 0)"));
        format!("CONNECTION_ID(), {IDENTITY}, {lock}")
    }

    /// Reads what [`Self::columns`] gives; they are the first of `row`.
    pub(super) fn read(mark: Option<String>, row: &MySqlRow) -> Result<Self, SessionError> {
        let id = row.try_get(0).map_err(|error| session_error(&error))?;
        let server = row.try_get::<Option<String>, _>(1).ok().flatten().unwrap_or_default();
        let is_marked = row.try_get::<Option<i64>, _>(2).ok().flatten() == Some(1);
        Ok(Self { id, mark: mark.filter(|_| is_marked).unwrap_or_default(), server })
    }
}

/// A connection that looks at the others. It takes no lock and writes nothing.
///
/// An account sees its own connections, and with the privilege PROCESS everybody's; it may end its own, and with
/// `CONNECTION_ADMIN` (MariaDB: `CONNECTION ADMIN`, or SUPER on either) everybody's.
#[derive(Debug)]
pub struct Monitor {
    connection: ServerConnection,
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

    /// As [`Self::connect_patiently`], to the server that `own` is on; gives what that one shows of it.
    pub(super) async fn connect_beside(
        connector: &MySqlConnector,
        target: &Target,
        own: &Own,
    ) -> Result<(Self, Sighted), String> {
        let mut n_tries = 1;
        loop {
            let connected = Self::connect_patiently(connector, target).await;
            let mut monitor = connected.map_err(|error| error.to_string())?;
            let sighted = monitor.find_own(own).await.map_err(|error| error.to_string())?;
            if sighted != Sighted::Elsewhere || n_tries == N_TRIES_MAX {
                return Ok((monitor, sighted));
            }
            monitor.close().await;
            n_tries += 1;
        }
    }

    /// What this connection's server shows of `own`.
    pub(super) async fn find_own(&mut self, own: &Own) -> Result<Sighted, SessionError> {
        let sql = format!("SELECT CAST(IS_USED_LOCK('{}') AS SIGNED), {IDENTITY}", own.mark);
        let sets = self.query(sql).await?;
        let row = sets.first().and_then(|rows| rows.first());
        let holder = row.and_then(|row| row.try_get::<Option<i64>, _>(0).ok().flatten());
        let server = row.and_then(|row| row.try_get::<Option<String>, _>(1).ok().flatten());
        Ok(if own.mark.is_empty() {
            Sighted::Elsewhere
        } else if holder.map(i64::cast_unsigned) == Some(own.id) {
            Sighted::There
        } else if !own.server.is_empty() && server.as_ref() == Some(&own.server) {
            Sighted::Gone
        } else {
            Sighted::Elsewhere
        })
    }

    /// Ends the statement that `own` runs, if it is there, and leaves the connection; gives what was seen of it.
    pub(super) async fn kill_own_statement(&mut self, own: &Own) -> Result<Sighted, SessionError> {
        let sighted = self.find_own(own).await?;
        if sighted == Sighted::There {
            self.end(format!("KILL QUERY {}", own.id)).await?;
        }
        Ok(sighted)
    }

    /// Ends `own` if it is there, and waits until it is gone, no longer than `limit`, and than [`STOP_GRACE`] once the run
    /// was told twice to stop; gives what is seen of it then.
    pub(super) async fn end_own(&mut self, own: &Own, limit: Duration) -> Result<Sighted, SessionError> {
        let kill = self.connector.kill_token().clone();
        let over = async {
            // Not to wait for a query in the middle: that one hears of the second signal itself.
            Patience::until(limit, &kill).bound(std::future::pending::<()>()).await.ok();
        };
        pin!(over);
        let mut is_told = false;
        loop {
            let sighted = self.find_own(own).await?;
            if sighted != Sighted::There || over.as_mut().now_or_never().is_some() {
                return Ok(sighted);
            }
            if !is_told {
                self.end(format!("KILL CONNECTION {}", own.id)).await?;
                is_told = true;
            }
            select! {
                () = &mut over => return self.find_own(own).await,
                () = sleep(PAUSE) => {}
            }
        }
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
        at_work(&mut self.connection, &self.connector).await
    }

    /// The connection with this number, if it is there, may be seen and works in the database.
    ///
    /// # Errors
    ///
    /// As [`Self::at_work`].
    pub async fn find(&mut self, connection_id: u64) -> Result<Option<Activity>, SessionError> {
        Ok(list(&mut self.connection, &self.connector)
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

    /// Ends a connection that this one has shown, if it is still the same at the same work: its statement is undone as far
    /// as the server can, its locks are let go of. The server takes its time for that; see [`Self::wait_until_gone`].
    /// Gives whether it was there to be ended.
    ///
    /// # Errors
    ///
    /// 1095 (`ER_KILL_DENIED_ERROR`) where it is another account's and the privilege is missing; else as
    /// [`Self::at_work`].
    pub async fn kill(&mut self, shown: &Activity) -> Result<bool, SessionError> {
        let is_shown = |now: &Activity| {
            // Whoever holds the lock goes from statement to statement.
            let is_at_it = now.holds_lock && shown.holds_lock || now.statement == shown.statement;
            now.account == shown.account && is_at_it
        };
        if !self.find(shown.connection_id).await?.as_ref().is_some_and(is_shown) {
            return Ok(false);
        }
        self.end(format!("KILL CONNECTION {}", shown.connection_id)).await.map(|()| true)
    }

    async fn end(&mut self, sql: String) -> Result<(), SessionError> {
        match self.query(sql).await {
            Err(SessionError::Server { number: number::NO_SUCH_CONNECTION, .. }) => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// Lets go of the connection.
    pub async fn close(self) {
        connect::close(self.connection, &self.connector).await;
    }

    /// Every connection to the server but this one that may be seen, with the database it uses, and the name of the
    /// database that is looked at. Whoever holds that one's lock is always among them.
    pub(super) async fn everybody(
        &mut self,
    ) -> Result<(Vec<(Activity, Option<String>)>, Option<String>), SessionError> {
        everybody(&mut self.connection, &self.connector).await
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
        let patience = Patience::until(limit, self.connector.kill_token());
        query::query(&mut self.connection, sql, patience).await
    }
}

/// What [`Monitor::at_work`] gives, seen from this connection.
pub(super) async fn at_work(
    connection: &mut ServerConnection,
    connector: &MySqlConnector,
) -> Result<Vec<Activity>, SessionError> {
    let everybody = list(connection, connector).await?.into_iter();
    let mut at_work: Vec<_> = everybody.filter(|a| a.holds_lock || a.statement.is_some()).collect();
    at_work.sort_by_key(|activity| !activity.holds_lock);
    Ok(at_work)
}

/// Every connection to the database but this one.
async fn list(
    connection: &mut ServerConnection,
    connector: &MySqlConnector,
) -> Result<Vec<Activity>, SessionError> {
    let (everybody, database) = everybody(connection, connector).await?;
    let is_here = |(activity, its): &(Activity, Option<String>)| *its == database || activity.holds_lock;
    Ok(everybody.into_iter().filter(is_here).map(|(activity, _)| activity).collect())
}

async fn everybody(
    connection: &mut ServerConnection,
    connector: &MySqlConnector,
) -> Result<(Vec<(Activity, Option<String>)>, Option<String>), SessionError> {
    // `information_schema.processlist` may go from MySQL (deprecated in 8.0.35), `performance_schema.processlist` is
    // not on MariaDB; both have this one. Cast, since MySQL's numbers are unsigned and MariaDB's are not.
    let sql = format!(
        "SELECT DATABASE(), CAST(CONNECTION_ID() AS SIGNED), CAST(IS_USED_LOCK({}) AS SIGNED);\
         SHOW FULL PROCESSLIST",
        books::LOCK_NAME
    );
    let patience = Patience::until(LOOK_LIMIT, connector.kill_token());
    let sets = query::query(connection, sql, patience).await?;
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
