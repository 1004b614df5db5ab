//! Why a tenant is not ready, in words, and what to do next.

use crate::{
    entropy::EntropyError,
    event::Failure,
    mysql::CentralError,
    seal::OpenError,
    session::{ConnectError, SessionError, Whose, number},
    tenant::ServerId,
};

/// Why a tenant is not ready, and what of it is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tenant {slug:?} could not be provisioned: {kind}")]
pub struct ProvisionError {
    /// Which tenant.
    pub slug: String,
    /// What failed.
    pub kind: ProvisionErrorKind,
    /// What of it is there now, in the order it was made.
    pub present: Vec<String>,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionErrorKind {
    /// The central database.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// Another call works on the same slug.
    #[error("another run is provisioning it")]
    InProgress,
    /// It has a status that provisioning may not change.
    #[error("it exists with status {0}")]
    NotNew(String),
    /// Its slug is another tenant's id.
    #[error("its slug is the id of tenant {other:?}")]
    SlugIsId {
        /// That tenant's slug.
        other: String,
    },
    /// Its id is another tenant's slug or id.
    #[error("its id {id:?} is the slug or the id of tenant {other:?}")]
    IdTaken {
        /// The id.
        id: String,
        /// That tenant's slug.
        other: String,
    },
    /// A tenant of its slug exists, with another name or id.
    #[error("it exists with {what} {row:?}, and this call says {said:?}")]
    Otherwise {
        /// `name` or `id`.
        what: &'static str,
        /// What its row has.
        row: String,
        /// What this call has.
        said: String,
    },
    /// There is a database or an account of its name, and no tenant it belongs to.
    #[error("{0} exists on {1} and belongs to no tenant of that slug")]
    Taken(String, ServerId),
    /// The server it is to live on cannot be reached.
    #[error("its server cannot be reached: {0}")]
    Admin(ConnectError),
    /// The server refused a step.
    #[error("{step} failed: {source}")]
    Server {
        /// Which step.
        step: String,
        /// What the server said.
        source: SessionError,
    },
    /// Its row names an account or a database that provisioning did not choose.
    #[error(
        "its row names account '{user}' and database `{database}`, which are not those that provisioning makes"
    )]
    NotOurs {
        /// The account.
        user: String,
        /// The database.
        database: String,
    },
    /// Its row names another server than this call would make it on.
    #[error("its row names server {row}, and this call would make it on {here}")]
    Elsewhere {
        /// The server in the row.
        row: ServerId,
        /// The server of this call.
        here: ServerId,
    },
    /// Its database is ready, and its row is not as it was at the beginning.
    #[error("its row was changed by somebody else meanwhile, and its status was left as it is now")]
    StatusChanged,
    /// Its sealed password cannot be opened.
    #[error(transparent)]
    Credentials(#[from] OpenError),
    /// Its migrations failed.
    #[error("its migrations failed: {}", .0.message)]
    Migrations(Box<Failure>),
    /// The server takes the tenant's account for an anonymous one.
    #[error(
        "its account '{user}'@'%' cannot log in: from here the server takes it for the anonymous account {}",
        .anonymous.join(" or ")
    )]
    Shadowed {
        /// The account.
        user: String,
        /// The anonymous accounts that there are, as `''@'host'`.
        anonymous: Vec<String>,
    },
    /// The run was told to stop.
    #[error("the run was stopped")]
    Stopped,
    /// The system gave no random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl ProvisionErrorKind {
    /// Whether it is not ready because the run was told to stop, and nothing else is known to be in the way.
    pub fn is_stop(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Central(CentralError::Unread(source) | CentralError::Unwritten(source))
            | Self::Server { source, .. } => *source == SessionError::Interrupted,
            Self::Central(CentralError::Connect(error)) | Self::Admin(error) => {
                matches!(error, ConnectError::Stopped { .. })
            }
            _ => false,
        }
    }
}

impl ProvisionError {
    /// What to do next, in lines.
    pub fn hint(&self) -> Option<String> {
        let first = match &self.kind {
            ProvisionErrorKind::Central(error) => error.hint(),
            ProvisionErrorKind::InProgress => Some("wait for that run to end".into()),
            ProvisionErrorKind::NotNew(_) => {
                Some("choose another slug, or set its status by hand if it is to be used again".into())
            }
            ProvisionErrorKind::SlugIsId { .. } => {
                Some("choose another slug: a name that stands for two tenants could mean either".into())
            }
            ProvisionErrorKind::IdTaken { .. } => {
                Some("choose another id: a name that stands for two tenants could mean either".into())
            }
            ProvisionErrorKind::Otherwise { what, .. } => Some(format!(
                "repeat the call with `--{what}` as the row has it if that tenant is meant; else choose another slug"
            )),
            ProvisionErrorKind::Taken(what, _) => Some(format!(
                "choose another slug; where you think that {what} is left from a tenant that was removed, look first \
                 whose it is: `SELECT slug, status FROM tenants WHERE '{}' IN (db_name, db_user)` in every central database \
                 of this server, and what rows there are in it",
                what.split(['`', '\'']).nth(1).unwrap_or_default()
            )),
            ProvisionErrorKind::Admin(error) => error.hint(Whose::Central),
            ProvisionErrorKind::NotOurs { .. } => {
                Some("a tenant whose row was made by hand is finished by hand: set its status to ACTIVE, then migrate it".into())
            }
            ProvisionErrorKind::Elsewhere { .. } => Some(
                "set `TENANT_ADMIN_URL`, or `--db-host` and `--db-port`, to the row's server; or, if nothing of the \
                 tenant is there, correct the row"
                    .into(),
            ),
            ProvisionErrorKind::StatusChanged => Some("look at its row in the table `tenants`".into()),
            // Denied: a database, a table, a column, a privilege.
            ProvisionErrorKind::Server {
                source: SessionError::Server { number, .. }, ..
            } if number::is_denied(*number) => Some(
                "the account in `TENANT_ADMIN_URL` needs SELECT on `mysql.user`, CREATE USER, CREATE and all that it grants, \
                 WITH GRANT OPTION"
                    .into(),
            ),
            ProvisionErrorKind::Server { source, .. } => source.hint(),
            ProvisionErrorKind::Credentials(error) => Some(error.hint().into()),
            ProvisionErrorKind::Migrations(failure) => failure.hint.clone(),
            // Nobody's data: an account without a name is what an installer leaves for trying out.
            ProvisionErrorKind::Shadowed { anonymous, .. } => Some(format!(
                "an account for one host goes before one for every host, even without a name; `DROP USER {};` removes it \
                 where nothing logs in by it",
                anonymous.join(", ")
            )),
            ProvisionErrorKind::Stopped | ProvisionErrorKind::Entropy(_) => None,
        };
        let is_begun = !self.present.is_empty();
        let again = is_begun.then(|| "provisioning the same slug again goes on where it stopped".to_owned());
        let lines: Vec<_> = first.into_iter().chain(again).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}
