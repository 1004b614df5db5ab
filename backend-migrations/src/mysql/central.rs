//! The central database: the only SQL about its tables.

use std::time::Duration;

use sqlx::{Row as _, mysql::MySqlRow};

use super::{
    books::{ALL, text},
    connect::{self, MySqlConnector},
    fleet_lock::FleetHolder,
    query::{self, AnswerLimit, Patience, ServerConnection},
    server_error::session_error,
    session::BOOKKEEPING_LIMIT,
};
use crate::{
    session::{ConnectError, SessionError, Whose, number},
    tenant::{Label, SealedTarget, ServerId, Target, TenantId, TenantRow},
};

/// Why the tenants could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CentralError {
    /// There is no connection.
    #[error("the central database cannot be reached: {0}")]
    Connect(ConnectError),
    /// There is no table `tenants`.
    #[error("the central database `{database}` has no table `tenants`")]
    NoTable {
        /// The central database.
        database: String,
    },
    /// A query failed.
    #[error("the central database cannot be read: {0}")]
    Unread(#[source] SessionError),
    /// A statement that writes failed.
    #[error("the central database cannot be written: {0}")]
    Unwritten(#[source] SessionError),
    /// Another rollout is at work on the fleet.
    #[error(
        "another rollout is at work on this fleet and did not end within {} s{}",
        .waited.as_secs(), .holder.as_ref().map(|h| format!(": {h}")).unwrap_or_default()
    )]
    FleetHeld {
        /// How long we waited.
        waited: Duration,
        /// Who it is.
        holder: Option<FleetHolder>,
    },
}

impl CentralError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(error) => error.hint(Whose::Central),
            Self::NoTable { .. } => Some("`migrate:latest` makes the central database's tables".into()),
            Self::Unread(SessionError::Server { number, .. })
            | Self::Unwritten(SessionError::Server { number, .. })
                if number::is_denied(*number) =>
            {
                Some(
                "grant the account in `CENTRAL_DATABASE_URL` SELECT on the table `tenants`; `tenant:provision` needs INSERT \
                 and UPDATE too"
                    .into(),
                )
            }
            Self::Unread(source) | Self::Unwritten(source) => source.hint(),
            Self::FleetHeld { .. } => Some(
                "wait for that rollout to end, or raise `--lock-timeout`; one tenant can be migrated beside it with `migrate:tenant`"
                    .into(),
            ),
        }
    }
}

/// The columns of a [`TenantRow`]: text as UTF-8 bytes, whatever a column's type is and whatever character set the server
/// gives to connections. A team's own table may have an integer id, and a server may not let its clients choose.
fn columns() -> String {
    let text = |column| format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)");
    let before = ["id", "slug", "name", "db_host"].map(text).join(", ");
    let after = ["db_name", "db_user", "db_password", "status"].map(text).join(", ");
    format!("{before}, CAST(db_port AS SIGNED), {after}")
}

/// A connection to the central database.
#[derive(Debug)]
pub struct Central {
    connection: ServerConnection,
    connector: MySqlConnector,
    database: String,
}

impl Central {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`CentralError::Connect`].
    pub async fn connect(connector: &MySqlConnector, target: &Target) -> Result<Self, CentralError> {
        let connection = connector.open_set_up_patiently(target).await.map_err(CentralError::Connect)?;
        // A fleet's tenants are one answer.
        let connection = connection.with_answers(AnswerLimit::LARGE);
        Ok(Self { connection, connector: connector.clone(), database: target.label.database.clone() })
    }

    /// The rows of all tenants, ordered by slug.
    ///
    /// # Errors
    ///
    /// [`CentralError::NoTable`] and [`CentralError::Unread`].
    pub async fn tenants(&mut self) -> Result<Vec<TenantRow>, CentralError> {
        self.rows("").await
    }

    /// The rows of the tenants with this slug or id: one, unless none has it or the name is ambiguous.
    ///
    /// # Errors
    ///
    /// [`CentralError::NoTable`] and [`CentralError::Unread`].
    pub async fn named(&mut self, name: &str) -> Result<Vec<TenantRow>, CentralError> {
        let literal = text(name);
        let condition = format!("WHERE slug = {literal} OR CAST(id AS CHAR) = {literal}");
        let mut rows = self.rows(&condition).await?;
        // The server compares as its collation does, which may be lenient about letter case and accents; another tenant
        // than the one that was named must never be taken for it.
        rows.retain(|row| row.is_named(name));
        Ok(rows)
    }

    async fn rows(&mut self, condition: &str) -> Result<Vec<TenantRow>, CentralError> {
        let sql = format!("SELECT {} FROM tenants {condition} ORDER BY slug LIMIT {ALL}", columns());
        let sets = query::query(&mut self.connection, sql, patience(&self.connector)).await;
        let sets = sets.map_err(|source| self.failed(CentralError::Unread, source))?;
        let rows = sets.iter().flatten().map(tenant_row).collect::<Result<_, _>>();
        rows.map_err(|error| self.failed(CentralError::Unread, session_error(&error)))
    }

    /// Runs a statement that writes; gives the number of rows it touched.
    pub(crate) async fn write(&mut self, sql: String) -> Result<u64, CentralError> {
        let work = self.connection.execute(sql);
        let n_rows = patience(&self.connector).wait(work).await;
        n_rows.map_err(|source| self.failed(CentralError::Unwritten, source))
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&mut self, sql: String) -> Result<Option<i64>, CentralError> {
        let row = query::row(&mut self.connection, sql, patience(&self.connector)).await;
        let row = row.map_err(|source| self.failed(CentralError::Unread, source))?;
        row.try_get(0).map_err(|error| self.failed(CentralError::Unread, session_error(&error)))
    }

    /// Closes the connection.
    pub async fn close(self) {
        connect::close(self.connection, &self.connector).await;
    }

    fn failed(&self, how: fn(SessionError) -> CentralError, source: SessionError) -> CentralError {
        match source {
            SessionError::Server { number: number::NO_SUCH_TABLE, .. } => {
                CentralError::NoTable { database: self.database.clone() }
            }
            source => how(source),
        }
    }
}

/// For the queries on the central database.
fn patience(connector: &MySqlConnector) -> Patience<'_> {
    Patience::until(BOOKKEEPING_LIMIT, connector.kill_token())
}

/// What is NULL or out of range is empty here, and what is no UTF-8 has a sign in its place: one such row must not keep
/// all others from being read, and whoever works on it asks [`SealedTarget::missing`] or fails to log in.
fn tenant_row(row: &MySqlRow) -> Result<TenantRow, sqlx::Error> {
    let word = |column: usize| {
        let bytes = row.try_get::<Option<&[u8]>, _>(column)?.unwrap_or_default();
        Ok::<_, sqlx::Error>(String::from_utf8_lossy(bytes).into_owned())
    };
    let port =
        row.try_get::<Option<i64>, _>(4)?.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let label = Label {
        id: Some(TenantId(word(0)?)),
        slug: word(1)?,
        name: word(2)?,
        server: ServerId { host: word(3)?, port },
        database: word(5)?,
    };
    let target = SealedTarget { label: label.into(), user: word(6)?, sealed_password: word(7)? };
    Ok(TenantRow { target, status: word(8)? })
}
