//! The central database: the only SQL about its tables.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Executor as _, Row as _,
    mysql::{MySqlConnection, MySqlRow},
    raw_sql,
};
use tokio::time::timeout;

use super::{
    books::{ALL, text},
    connect::{self, MySqlConnector},
    fleet_lock::FleetHolder,
    server_error::session_error,
    session::BOOKKEEPING_LIMIT,
};
use crate::{
    session::{ConnectError, SessionError, Whose},
    tenant::{Label, SealedTarget, ServerId, Target, TenantId, TenantStatus},
};

/// Which tenants are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those with status ACTIVE.
    Active {
        /// Only these slugs or ids; all where it is empty.
        only: Vec<String>,
        /// Without these slugs or ids.
        exclude: Vec<String>,
    },
    /// The one with this slug or id.
    One(String),
}

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
    #[error("the central database cannot be {verb}: {source}")]
    Query {
        /// `read` or `written`.
        verb: &'static str,
        /// What the server said.
        source: SessionError,
    },
    /// No tenant has this slug or id.
    #[error("no tenant has the slug or id {wanted:?}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The nearest slugs there are.
        nearest: Vec<String>,
    },
    /// The tenant is there and not in use.
    #[error("tenant {slug:?} is {status}, not ACTIVE")]
    NotActive {
        /// Which tenant.
        slug: String,
        /// What it is instead.
        status: String,
    },
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
    /// No tenant is left to work on.
    #[error("no tenant is selected: {}", match .n_active {
        0 => "none of the tenants in the central database is ACTIVE".to_owned(),
        n => format!("`--only` and `--exclude` leave none of the {n} ACTIVE tenants"),
    })]
    Empty {
        /// How many there would be without `--only` and `--exclude`.
        n_active: usize,
    },
}

impl CentralError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(error) => error.hint(Whose::Central),
            Self::NoTable { .. } => Some("`migrate:latest` makes the central database's tables".into()),
            Self::Query { source: SessionError::Server { number: 1142 | 1143 | 1044, .. }, .. } => Some(
                "grant the account in `CENTRAL_DATABASE_URL` SELECT on the table `tenants`; `tenant:provision` needs INSERT \
                 and UPDATE too"
                    .into(),
            ),
            Self::Query { source, .. } => source.hint(),
            Self::Unknown { nearest, .. } if nearest.is_empty() => {
                Some("`migrate:status` lists the active tenants".into())
            }
            Self::Unknown { nearest, .. } => Some(format!("did you mean {}?", quoted(nearest).join(" or "))),
            Self::NotActive { status, .. } if status == "PROVISIONING" || status == "FAILED" => {
                Some("`tenant:provision` with the same slug goes on where it stopped".into())
            }
            Self::NotActive { .. } => {
                Some("set its `status` to ACTIVE in the table `tenants` if it is in use again".into())
            }
            Self::FleetHeld { .. } => Some(
                "wait for that rollout to end, or raise `--lock-timeout`; one tenant can be migrated beside it with `migrate:tenant`"
                    .into(),
            ),
            Self::Empty { n_active: 0 } => {
                Some("`tenant:provision` makes a tenant; what each one's `status` is the table `tenants` tells".into())
            }
            Self::Empty { .. } => Some("`migrate:status` lists the active tenants".into()),
        }
    }
}

/// Names as messages show them: control characters made visible.
fn quoted(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("{name:?}")).collect()
}

/// A tenant's row.
#[derive(Clone, Debug)]
pub struct TenantRow {
    /// How to reach its database.
    pub target: SealedTarget,
    /// Its status, as the table has it.
    pub status: String,
}

/// The columns of a [`TenantRow`], whatever their types are: a team's own table may have an integer id.
const COLUMNS: &str = "CAST(id AS CHAR), slug, name, db_host, CAST(db_port AS SIGNED), db_name, db_user, \
                       db_password, CAST(status AS CHAR)";

/// A connection to the central database.
#[derive(Debug)]
pub struct Central {
    connection: MySqlConnection,
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
        Ok(Self { connection, connector: connector.clone(), database: target.label.database.clone() })
    }

    /// The tenants that are meant, ordered by slug.
    ///
    /// # Errors
    ///
    /// Every variant of [`CentralError`]. A name that stands for no active tenant is an error, and so is a selection of
    /// none: it never means "all".
    pub async fn select(&mut self, selection: &Selection) -> Result<Vec<SealedTarget>, CentralError> {
        match selection {
            Selection::One(wanted) => {
                let row = self.find(wanted).await?;
                let slug = row.target.label.slug.clone();
                match TenantStatus::parse(&row.status) {
                    Some(TenantStatus::Active) => Ok(vec![row.target]),
                    _ => Err(CentralError::NotActive { slug, status: row.status }),
                }
            }
            Selection::Active { only, exclude } => {
                for wanted in only.iter().chain(exclude) {
                    self.select_name(wanted, only.contains(wanted)).await?;
                }
                let rows = self.rows(&format!("status = {}", text("ACTIVE"))).await?;
                let n_active = rows.len();
                let is_named = |names: &[String], target: &SealedTarget| {
                    let label = &target.label;
                    names.iter().any(|n| *n == label.slug || label.id.as_ref().is_some_and(|id| *n == id.0))
                };
                let targets: Vec<_> = rows
                    .into_iter()
                    .map(|row| row.target)
                    .filter(|target| only.is_empty() || is_named(only, target))
                    .filter(|target| !is_named(exclude, target))
                    .collect();
                // A service's first start has no tenant yet, and nothing to do. Anything else that comes to none is a
                // selection that means something other than its author thought.
                if targets.is_empty() && self.number("SELECT COUNT(*) FROM tenants".into()).await? != Some(0)
                {
                    return Err(CentralError::Empty { n_active });
                }
                Ok(targets)
            }
        }
    }

    /// Checks a name of `--only` or `--exclude`; a tenant that is to be left out may have any status.
    async fn select_name(&mut self, wanted: &str, must_be_active: bool) -> Result<(), CentralError> {
        let row = self.find(wanted).await?;
        if must_be_active && TenantStatus::parse(&row.status) != Some(TenantStatus::Active) {
            return Err(CentralError::NotActive { slug: row.target.label.slug.clone(), status: row.status });
        }
        Ok(())
    }

    /// The tenant with this slug or id.
    ///
    /// # Errors
    ///
    /// [`CentralError::Unknown`] with the nearest slugs, and what a query can end with.
    pub async fn find(&mut self, wanted: &str) -> Result<TenantRow, CentralError> {
        if let Some(row) = self.lookup(wanted).await? {
            return Ok(row);
        }
        let nearest = nearest(wanted, &self.slugs().await?);
        Err(CentralError::Unknown { wanted: wanted.to_owned(), nearest })
    }

    /// The tenant with this slug or id, if there is one. A slug goes before an id.
    pub(crate) async fn lookup(&mut self, wanted: &str) -> Result<Option<TenantRow>, CentralError> {
        let name = text(wanted);
        let mut rows = self.rows(&format!("slug = {name} OR CAST(id AS CHAR) = {name}")).await?;
        // The server compares as its collation does, which may be lenient about letter case and accents; another tenant
        // than the one that was named must never be taken for it.
        let has_id = |row: &TenantRow| row.target.label.id.as_ref().is_some_and(|id| id.0 == wanted);
        rows.retain(|row| row.target.label.slug == wanted || has_id(row));
        rows.sort_by_key(|row| row.target.label.slug != wanted);
        Ok(rows.into_iter().next())
    }

    async fn rows(&mut self, condition: &str) -> Result<Vec<TenantRow>, CentralError> {
        let sql = format!("SELECT {COLUMNS} FROM tenants WHERE {condition} ORDER BY slug LIMIT {ALL}");
        let work = async {
            let mut rows = Vec::new();
            let mut results = self.connection.fetch(raw_sql(AssertSqlSafe(sql)));
            while let Some(row) = results.try_next().await? {
                rows.push(tenant_row(&row)?);
            }
            Ok(rows)
        };
        let result = timeout(BOOKKEEPING_LIMIT, work).await;
        result.map_err(|_| Self::timed_out("read"))?.map_err(|error| self.query_error("read", &error))
    }

    async fn slugs(&mut self) -> Result<Vec<String>, CentralError> {
        let work = self
            .connection
            .fetch_all(raw_sql(AssertSqlSafe(format!("SELECT slug FROM tenants ORDER BY slug LIMIT {ALL}"))));
        let result = timeout(BOOKKEEPING_LIMIT, work).await;
        let rows =
            result.map_err(|_| Self::timed_out("read"))?.map_err(|error| self.query_error("read", &error))?;
        rows.iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()
            .map_err(|error| self.query_error("read", &error))
    }

    /// Runs a statement that writes; gives the number of rows it touched.
    pub(crate) async fn write(&mut self, sql: String) -> Result<u64, CentralError> {
        let result = timeout(BOOKKEEPING_LIMIT, self.connection.execute(raw_sql(AssertSqlSafe(sql)))).await;
        let done = result
            .map_err(|_| Self::timed_out("written"))?
            .map_err(|error| self.query_error("written", &error))?;
        Ok(done.rows_affected())
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&mut self, sql: String) -> Result<Option<i64>, CentralError> {
        let work = self.connection.fetch_one(raw_sql(AssertSqlSafe(sql)));
        let row = timeout(BOOKKEEPING_LIMIT, work)
            .await
            .map_err(|_| Self::timed_out("read"))?
            .map_err(|error| self.query_error("read", &error))?;
        row.try_get(0).map_err(|error| self.query_error("read", &error))
    }

    /// Closes the connection.
    pub async fn close(self) {
        connect::close(self.connection, self.connector.limits()).await;
    }

    fn timed_out(verb: &'static str) -> CentralError {
        let message = format!("no answer within {} s", BOOKKEEPING_LIMIT.as_secs());
        CentralError::Query { verb, source: SessionError::Lost { message } }
    }

    fn query_error(&self, verb: &'static str, error: &sqlx::Error) -> CentralError {
        match session_error(error) {
            SessionError::Server { number: crate::session::number::NO_SUCH_TABLE, .. } => {
                CentralError::NoTable { database: self.database.clone() }
            }
            source => CentralError::Query { verb, source },
        }
    }
}

/// What is NULL or out of range is empty here: one such row must not keep all others from being read, and whoever works
/// on it asks [`SealedTarget::missing`].
fn tenant_row(row: &MySqlRow) -> Result<TenantRow, sqlx::Error> {
    let word =
        |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(column)?.unwrap_or_default());
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

/// At most three slugs that look like `wanted`, and about as much as the one that looks most like it: where all slugs
/// begin with the same word, all of them look a little alike.
fn nearest(wanted: &str, slugs: &[String]) -> Vec<String> {
    const N_MOST: usize = 3;
    const LIKE: f64 = 0.8;
    const ABOUT_AS_MUCH: f64 = 0.05;
    let mut scored: Vec<_> = slugs
        .iter()
        .map(|slug| (strsim::jaro_winkler(&wanted.to_lowercase(), &slug.to_lowercase()), slug))
        .filter(|(likeness, _)| *likeness > LIKE)
        .collect();
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let best = scored.first().map_or(0.0, |(likeness, _)| *likeness);
    let alike = scored.into_iter().filter(|(likeness, _)| *likeness > best - ABOUT_AS_MUCH);
    alike.take(N_MOST).map(|(_, slug)| slug.clone()).collect()
}
