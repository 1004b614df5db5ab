//! Who holds the lock that a statement waits for, as far as the account that looks may see.
//!
//! MySQL says it in `performance_schema` (8.4 manual, "The `metadata_locks` Table", "The `data_lock_waits` Table"), which an
//! account must be granted SELECT on. MariaDB says it of rows in `information_schema.innodb_lock_waits`, and of metadata
//! locks only where the plugin `metadata_lock_info` is installed. Else the list of connections tells that a statement
//! waits, and who may be the cause: whoever is in a transaction, or in the middle of a statement, in the same database.

use std::{sync::Arc, time::Duration};

use sqlx::{Row as _, mysql::MySqlRow};
use tokio_util::sync::CancellationToken;

use super::{
    Monitor,
    connect::MySqlConnector,
    monitor::{Own, Sighted, text, unsigned},
    relay::Traffic,
};
use crate::{
    session::{Activity, Blockage, SessionError, Sight, Watch},
    tenant::Target,
};

/// What MySQL asks of an account that looks.
const MYSQL_PRIVILEGES: &str = "PROCESS and SELECT on performance_schema.*";
/// What MariaDB does.
const MARIADB_PRIVILEGE: &str = "PROCESS";

impl Monitor {
    /// Whether the statement on the connection `waiter` waits for a lock, and who holds it; and what the server's list has
    /// of that connection.
    ///
    /// # Errors
    ///
    /// That the list of connections cannot be read. What the account may not see besides that is no error.
    pub async fn look_at(&mut self, waiter: u64) -> Result<(Sight, Option<Activity>), SessionError> {
        let (everybody, database) = self.everybody().await?;
        let own = everybody.iter().find(|(activity, _)| activity.connection_id == waiter);
        let own = own.map(|(activity, _)| activity.clone());
        let sight = self.sight(waiter, own.as_ref(), everybody, database).await?;
        Ok((sight, own))
    }

    async fn sight(
        &mut self,
        waiter: u64,
        own: Option<&Activity>,
        everybody: Vec<(Activity, Option<String>)>,
        database: Option<String>,
    ) -> Result<Sight, SessionError> {
        let version = self.query("SELECT VERSION()".to_owned()).await?;
        let version: Option<String> = version.first().and_then(|rows| rows.first()?.try_get(0).ok());
        let is_mariadb = version.is_some_and(|version| version.contains("MariaDB"));
        let holders =
            if is_mariadb { self.mariadb_holders(waiter).await } else { self.mysql_holders(waiter).await };
        let transactions = self.transactions().await;
        let sees_holders = holders.is_some();
        let missing = match (is_mariadb, !sees_holders || transactions.is_none()) {
            (_, false) => None,
            (true, true) => Some(MARIADB_PRIVILEGE),
            (false, true) => Some(MYSQL_PRIVILEGES),
        };
        let with_transaction = |mut activity: Activity| {
            let of = |(id, seconds): &(u64, u64)| (*id == activity.connection_id).then_some(*seconds);
            activity.transaction_s = transactions.iter().flatten().find_map(of);
            activity
        };
        if let Some(holders) = holders.filter(|holders| !holders.is_empty()) {
            let is_listed = |id: u64| everybody.iter().find(|(activity, _)| activity.connection_id == id);
            let holders = holders.into_iter().map(|holder| match is_listed(holder.connection_id) {
                Some((listed, _)) => with_transaction(listed.clone()),
                None => with_transaction(holder),
            });
            let missing = transactions.is_none().then_some("PROCESS");
            return Ok(Sight::Waits(Blockage { blockers: oldest_first(holders), is_certain: true, missing }));
        }
        if !own.is_some_and(Activity::waits_for_lock) {
            // A wait for a row has no word in the list.
            return Ok(if sees_holders { Sight::Runs } else { Sight::Unseen { missing } });
        }
        let may_hold = |activity: &Activity| {
            // Where transactions may not be seen, whoever is idle may be in the middle of one.
            let is_at_it =
                activity.statement.is_some() || activity.transaction_s.is_some() || transactions.is_none();
            activity.connection_id != waiter && is_at_it && !activity.waits_for_lock()
        };
        let (here, elsewhere): (Vec<_>, Vec<_>) = everybody
            .into_iter()
            .map(|(activity, its)| (with_transaction(activity), its))
            .filter(|(activity, _)| may_hold(activity))
            .partition(|(_, its)| *its == database);
        // A transaction reaches tables of any database.
        let is_open = |(activity, _): &(Activity, _)| activity.transaction_s.is_some();
        let candidates = if here.is_empty() { elsewhere.into_iter().filter(is_open).collect() } else { here };
        let candidates = candidates.into_iter().map(|(activity, _)| activity);
        Ok(Sight::Waits(Blockage { blockers: oldest_first(candidates), is_certain: false, missing }))
    }

    /// MySQL: those that hold what `waiter` waits for; `None` where that may not be seen.
    async fn mysql_holders(&mut self, waiter: u64) -> Option<Vec<Activity>> {
        const COLUMNS: &str = "h.processlist_id AS Id, h.processlist_user AS User, h.processlist_host AS Host, \
                               h.processlist_command AS Command, h.processlist_time AS Time, \
                               h.processlist_state AS State, h.processlist_info AS Info";
        let metadata = format!(
            "SELECT DISTINCT {COLUMNS} FROM performance_schema.threads r \
             JOIN performance_schema.metadata_locks w ON w.owner_thread_id = r.thread_id AND w.lock_status = 'PENDING' \
             JOIN performance_schema.metadata_locks g ON g.object_type = w.object_type \
             AND g.object_schema <=> w.object_schema AND g.object_name <=> w.object_name \
             AND g.lock_status = 'GRANTED' AND g.owner_thread_id <> w.owner_thread_id \
             AND NOT (g.lock_type = 'INTENTION_EXCLUSIVE' AND w.lock_type = 'INTENTION_EXCLUSIVE') \
             JOIN performance_schema.threads h ON h.thread_id = g.owner_thread_id \
             WHERE r.processlist_id = {waiter} AND h.processlist_id IS NOT NULL"
        );
        let rows = format!(
            "SELECT DISTINCT {COLUMNS} FROM performance_schema.threads r \
             JOIN performance_schema.data_lock_waits w ON w.requesting_thread_id = r.thread_id \
             JOIN performance_schema.threads h ON h.thread_id = w.blocking_thread_id \
             WHERE r.processlist_id = {waiter}"
        );
        let mut holders = self.holders(metadata).await?;
        if holders.is_empty() {
            holders = self.holders(rows).await?;
        }
        Some(holders)
    }

    /// As [`Self::mysql_holders`], on MariaDB; the numbers of the connections alone.
    async fn mariadb_holders(&mut self, waiter: u64) -> Option<Vec<Activity>> {
        let rows = format!(
            "SELECT DISTINCT b.trx_mysql_thread_id AS Id FROM information_schema.innodb_lock_waits w \
             JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id \
             JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id \
             WHERE r.trx_mysql_thread_id = {waiter}"
        );
        // The waiter is in it with the weaker lock that it has on the table already.
        let metadata = format!(
            "SELECT DISTINCT h.thread_id AS Id FROM information_schema.metadata_lock_info r \
             JOIN information_schema.metadata_lock_info h ON h.table_schema = r.table_schema \
             AND h.table_name = r.table_name AND h.thread_id <> r.thread_id \
             WHERE r.thread_id = {waiter} AND r.table_name <> ''"
        );
        let holders = self.holders(rows).await?;
        if !holders.is_empty() {
            return Some(holders);
        }
        // Without the plugin there is no such table, and no privilege that would help.
        Some(self.holders(metadata).await.unwrap_or_default())
    }

    async fn holders(&mut self, sql: String) -> Option<Vec<Activity>> {
        let sets = self.query(sql).await.ok()?;
        Some(sets.first()?.iter().filter_map(holder).collect())
    }

    /// The open transactions: each one's connection, and for how many seconds; `None` where they may not be seen.
    async fn transactions(&mut self) -> Option<Vec<(u64, u64)>> {
        let sql = "SELECT trx_mysql_thread_id AS Id, \
                   CAST(TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS UNSIGNED) AS Seconds \
                   FROM information_schema.innodb_trx";
        let sets = self.query(sql.to_owned()).await.ok()?;
        Some(
            sets.first()?
                .iter()
                .filter_map(|row| Some((unsigned(row, "Id")?, unsigned(row, "Seconds")?)))
                .collect(),
        )
    }
}

/// A row with the columns of the list of connections, or with some of them.
fn holder(row: &MySqlRow) -> Option<Activity> {
    let account = text(row, "User").map(|user| format!("{user}@{}", text(row, "Host").unwrap_or_default()));
    Some(Activity {
        connection_id: unsigned(row, "Id")?,
        account,
        statement: text(row, "Info").filter(|_| text(row, "Command").as_deref() != Some("Sleep")),
        state: text(row, "State"),
        seconds: unsigned(row, "Time"),
        ..Activity::default()
    })
}

fn oldest_first(activities: impl Iterator<Item = Activity>) -> Vec<Activity> {
    let mut activities: Vec<_> = activities.collect();
    activities.sort_by_key(|a| (std::cmp::Reverse(a.transaction_s.or(a.seconds)), a.connection_id));
    activities
}

/// A connection that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) own: Own,
    pub(super) traffic: Arc<Traffic>,
    /// Cancelled where the answer that it waits for does not come any more.
    pub(super) is_answer_lost: CancellationToken,
}

/// So long nothing has gone over a connection whose answer is lost: a statement of many megabytes takes its time to get
/// to the server, which calls the connection idle until it has all of it.
const QUIET: Duration = Duration::from_secs(10);

/// So many looks in a row find an answer lost before it is called that.
const N_LOST_LOOKS: u32 = 2;

/// Looks at a session's connection from one of its own, which is opened for the first look.
#[derive(Debug)]
pub(super) struct MySqlWatch {
    connector: MySqlConnector,
    target: Target,
    /// Not known before the lock is held.
    watched: Option<Watched>,
    monitor: Option<Monitor>,
    n_lost_looks: u32,
}

impl MySqlWatch {
    pub(super) fn new(connector: MySqlConnector, target: Target, watched: Option<Watched>) -> Self {
        Self { connector, target, watched, monitor: None, n_lost_looks: 0 }
    }

    /// Whether the answer is lost that the connection waits for: the server has nothing to do for it any more, or has it no
    /// more, and it has been quiet for a while. `listed` is what the list of connections has of it, where it is there.
    fn judge(&mut self, sighted: Sighted, listed: Option<&Activity>) {
        let Some(watched) = &self.watched else { return };
        let is_over = match (sighted, listed) {
            (Sighted::Gone, _) => true,
            // Of one that it may not look at, an account is told the number alone.
            (Sighted::There, Some(own)) => {
                own.account.is_some() && own.statement.is_none() && own.state.is_none()
            }
            // On another server the number is somebody else's.
            (Sighted::There, None) | (Sighted::Elsewhere, _) => false,
        };
        let is_lost = is_over && watched.traffic.quiet_for() >= QUIET;
        self.n_lost_looks = if is_lost { self.n_lost_looks + 1 } else { 0 };
        if self.n_lost_looks >= N_LOST_LOOKS {
            watched.is_answer_lost.cancel();
        }
    }
}

impl Watch for MySqlWatch {
    async fn look(&mut self) -> Sight {
        let Some(own) = self.watched.as_ref().map(|watched| watched.own.clone()) else {
            return Sight::Unseen { missing: None };
        };
        // Taken: a look that is given up in the middle leaves an answer on its connection.
        let mut monitor = self.monitor.take();
        if monitor.is_none() {
            self.n_lost_looks = 0;
            monitor = Monitor::connect_to_look(&self.connector, &self.target).await;
        }
        let Some(mut monitor) = monitor else { return Sight::Unseen { missing: None } };
        match monitor.find_own(&own).await {
            Ok(Sighted::There) => {}
            Ok(sighted) => {
                self.monitor = Some(monitor);
                self.judge(sighted, None);
                return Sight::Unseen { missing: None };
            }
            Err(_) => return Sight::Unseen { missing: None },
        }
        match monitor.look_at(own.id).await {
            Ok((sight, listed)) => {
                self.monitor = Some(monitor);
                self.judge(Sighted::There, listed.as_ref());
                sight
            }
            Err(_) => Sight::Unseen { missing: None },
        }
    }

    async fn close(self) {
        if let Some(monitor) = self.monitor {
            monitor.close().await;
        }
    }
}
