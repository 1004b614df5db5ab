//! One rollout at a time over a fleet: a lock on the central server, which no table remembers.

use std::{fmt, time::Duration};

use sqlx::{Row as _, mysql::MySqlRow};
use tokio::time::sleep;

use super::{CentralError, Monitor, MySqlConnector, contract, session::BOOKKEEPING_LIMIT};
use crate::{
    session::{Activity, SessionError},
    tenant::Target,
};

/// The name of the central database's lock: at most 64 characters (MySQL 8.4 manual, "Locking Functions").
const NAME: &str = "CONCAT('backend-migrations:', LEFT(SHA2(DATABASE(), 256), 32))";

/// Between two looks whether the lock is still ours.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The lock on a fleet, held until it is released or its connection ends.
///
/// Its connection is idle meanwhile, so the server's list of connections says since when it is held. Whether it still is,
/// a second connection asks.
#[derive(Debug)]
pub struct FleetLock {
    holder: Monitor,
    connection_id: u64,
    connector: MySqlConnector,
    target: Target,
}

/// Another rollout that holds a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetHolder {
    /// Its connection.
    pub activity: Activity,
    /// Since when, by the server's clock in UTC; `None` where that may not be seen.
    pub since: Option<String>,
}

impl fmt::Display for FleetHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.activity.account, &self.since) {
            (Some(account), Some(since)) => {
                write!(f, "connection {} ({account}), since {since} UTC", self.activity.connection_id)
            }
            _ => self.activity.fmt(f),
        }
    }
}

impl FleetLock {
    /// Takes the lock of the fleet whose central database is `target`, waiting for another rollout at most `wait`.
    ///
    /// # Errors
    ///
    /// [`CentralError::FleetHeld`] with who holds it; [`CentralError::Connect`] and [`CentralError::Unread`].
    pub async fn acquire(
        connector: &MySqlConnector,
        target: &Target,
        wait: Duration,
    ) -> Result<Self, CentralError> {
        let mut holder =
            Monitor::connect_patiently(connector, target).await.map_err(CentralError::Connect)?;
        let sql = contract::hold_lock(NAME, wait);
        let sets = holder.query_within(sql, wait + BOOKKEEPING_LIMIT).await.map_err(unread)?;
        let row = sets.get(1).and_then(|rows| rows.first());
        let connection_id = row.and_then(|row| number(row, 1)).unwrap_or_default();
        match row.and_then(|row| number(row, 0)) {
            Some(1) => {
                let (connector, target) = (connector.clone(), target.clone());
                Ok(Self { holder, connection_id, connector, target })
            }
            Some(_) => {
                let held = CentralError::FleetHeld { waited: wait, holder: find_holder(&mut holder).await };
                holder.close().await;
                Err(held)
            }
            None => Err(unread(SessionError::LockRefused)),
        }
    }

    /// Comes back when the lock is lost: the connection that held it has ended, or the server cannot be asked any more.
    pub async fn lost(&self) {
        loop {
            // A connection that asks may be lost without harm; the next one must be had.
            let Ok(mut monitor) = Monitor::connect_patiently(&self.connector, &self.target).await else {
                return;
            };
            loop {
                let sql = format!("SELECT CAST(IS_USED_LOCK({NAME}) AS SIGNED)");
                let Ok(sets) = monitor.query(sql).await else { break };
                let used_by = sets.first().and_then(|rows| number(rows.first()?, 0));
                if used_by != Some(self.connection_id) {
                    return;
                }
                sleep(LOOK_INTERVAL).await;
            }
        }
    }

    /// Lets go of it.
    pub async fn release(self) {
        self.holder.close().await;
    }
}

async fn find_holder(monitor: &mut Monitor) -> Option<FleetHolder> {
    let sets = monitor.query(format!("SELECT CAST(IS_USED_LOCK({NAME}) AS SIGNED)")).await.ok()?;
    let connection_id = number(sets.first()?.first()?, 0)?;
    let (everybody, _) = monitor.everybody().await.ok()?;
    let listed = everybody.into_iter().map(|(activity, _)| activity);
    let activity = listed
        .into_iter()
        .find(|activity| activity.connection_id == connection_id)
        .unwrap_or(Activity { connection_id, ..Activity::default() });
    let since = match activity.seconds {
        Some(seconds) => {
            let sql = format!("SELECT CAST(UTC_TIMESTAMP() - INTERVAL {seconds} SECOND AS CHAR)");
            let sets = monitor.query(sql).await.ok();
            sets.and_then(|sets| sets.first()?.first()?.try_get::<Option<String>, _>(0).ok()?)
        }
        None => None,
    };
    Some(FleetHolder { activity, since })
}

fn number(row: &MySqlRow, column: usize) -> Option<u64> {
    row.try_get::<Option<i64>, _>(column).ok().flatten().map(i64::cast_unsigned)
}

fn unread(source: SessionError) -> CentralError {
    CentralError::Unread(source)
}
