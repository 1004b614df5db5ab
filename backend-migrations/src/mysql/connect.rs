//! Opens connections, with a limit on everything.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{
    ConnectOptions as _, Connection as _,
    mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    contract,
    introspect::Seen,
    query,
    relay::Relay,
    server_error::{connect_error, io_error},
    session::MySqlSession,
};
use crate::{
    entropy::pause_before_retry,
    session::{Connect, ConnectError, Limits, SessionError},
    tenant::{ServerId, Target, TlsMode},
};

/// Opens sessions on MySQL and MariaDB servers.
#[derive(Clone, Debug)]
pub struct MySqlConnector {
    limits: Limits,
    kill: CancellationToken,
    relay: Arc<Relay>,
    administrator: Option<Arc<Target>>,
    /// The servers on which a lock has been taken.
    locked_on: Arc<Mutex<HashSet<ServerId>>>,
    seen: Seen,
}

impl MySqlConnector {
    /// Connections with these limits, whose statements are killed on the server once `kill` is cancelled.
    pub fn new(limits: Limits, kill: CancellationToken) -> Self {
        Self {
            limits,
            kill,
            relay: Arc::new(Relay::new()),
            administrator: None,
            locked_on: Arc::default(),
            seen: Seen::default(),
        }
    }

    /// With an account that may see more of a server than tenants' accounts do. It is used on that server, to look who
    /// holds a lock that a tenant's statement waits for, and for nothing else.
    #[must_use]
    pub fn with_administrator(self, administrator: Option<Target>) -> Self {
        Self { administrator: administrator.map(Arc::new), ..self }
    }

    /// Whether no session of this connector has taken a lock on `server` before.
    pub(super) fn is_first_lock(&self, server: &ServerId) -> bool {
        self.locked_on.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone())
    }

    /// The structures that its inspectors have seen.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The administrator's way to the database of `target`, if there is an administrator of its server.
    pub(super) fn administrator(&self, target: &Target) -> Option<Target> {
        let administrator = self.administrator.as_ref()?;
        (administrator.label.server == target.label.server)
            .then(|| Target { label: target.label.clone(), ..(**administrator).clone() })
    }

    /// The limits that sessions keep to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn kill_token(&self) -> &CancellationToken {
        &self.kill
    }

    /// Connects and logs in, sending nothing after the login.
    pub(super) async fn open(&self, target: &Target) -> Result<MySqlConnection, ConnectError> {
        let limit = self.limits.connect;
        let timed_out = || ConnectError::TimedOut { server: target.label.server.to_string(), after: limit };
        match timeout(limit, self.open_unbounded(target)).await {
            Ok(Err(ConnectError::TimedOut { .. })) | Err(_) => Err(timed_out()),
            Ok(result) => result,
        }
    }

    /// As [`Self::open`], and again where the server may be back in a moment.
    pub(super) async fn open_patiently(&self, target: &Target) -> Result<MySqlConnection, ConnectError> {
        let mut n_tries = 1;
        loop {
            match self.open(target).await {
                Err(error) if error.is_passing() && n_tries <= self.limits.connect_retries => {
                    sleep(pause_before_retry(n_tries)).await;
                    n_tries += 1;
                }
                result => return result,
            }
        }
    }

    /// As [`Self::open`], and sets the session up as the contract has it, for whoever takes no lock that it could be done
    /// with in one round trip.
    pub(super) async fn open_set_up(&self, target: &Target) -> Result<MySqlConnection, ConnectError> {
        let mut connection = self.open(target).await?;
        self.set_up(&mut connection, target).await?;
        Ok(connection)
    }

    /// As [`Self::open_set_up`], and again where the server may be back in a moment.
    pub(super) async fn open_set_up_patiently(
        &self,
        target: &Target,
    ) -> Result<MySqlConnection, ConnectError> {
        let mut connection = self.open_patiently(target).await?;
        self.set_up(&mut connection, target).await?;
        Ok(connection)
    }

    async fn set_up(&self, connection: &mut MySqlConnection, target: &Target) -> Result<(), ConnectError> {
        let result = query::query(connection, contract::set_up(&self.limits), self.limits.connect).await;
        let server = target.label.server.to_string();
        result.map(|_| ()).map_err(|error| match contract::refused(Err(error)) {
            SessionError::Lost { .. } => ConnectError::Closed { server },
            error => ConnectError::Other { server, message: error.to_string() },
        })
    }

    async fn open_unbounded(&self, target: &Target) -> Result<MySqlConnection, ConnectError> {
        let label = &target.label;
        let socket = if target.tls.mode == TlsMode::Disabled {
            None
        } else {
            self.relay.open(&label.server).await.map_err(|error| io_error(&error, label))?
        };
        let mut options = options(target);
        if let Some(door) = &socket {
            options = options.socket(door.path());
        }
        let result = options.connect().await;
        result.map_err(|error| connect_error(&error, label))
    }
}

impl Connect for MySqlConnector {
    type Session = MySqlSession;

    fn retries(&self) -> u32 {
        self.limits.connect_retries
    }

    async fn connect(&self, target: Target) -> Result<MySqlSession, ConnectError> {
        let connection = self.open(&target).await?;
        Ok(MySqlSession::new(connection, target, self.clone()))
    }
}

/// sqlx's options without the `SET` it sends after the login: a tenant with nothing pending is to cost one query.
/// [`contract::set_up`] has it, and more.
fn options(target: &Target) -> MySqlConnectOptions {
    let label = &target.label;
    let mode = match target.tls.mode {
        TlsMode::Disabled => MySqlSslMode::Disabled,
        TlsMode::Preferred => MySqlSslMode::Preferred,
        TlsMode::Required => MySqlSslMode::Required,
        TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
        TlsMode::VerifyIdentity => MySqlSslMode::VerifyIdentity,
    };
    let mut options = MySqlConnectOptions::new()
        .host(&label.server.host)
        .port(label.server.port)
        .username(&target.user)
        .ssl_mode(mode)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false)
        // Statements may hold a tenant's data: they are in our errors, cut short, and in no log.
        .disable_statement_logging();
    // An empty password is none: sqlx would hash it, and the server refuse it.
    if !target.password.expose().is_empty() {
        options = options.password(target.password.expose());
    }
    if !label.database.is_empty() {
        options = options.database(&label.database);
    }
    if let Some(ca) = &target.tls.ca {
        options = options.ssl_ca(ca);
    }
    options
}

/// Ends a connection politely, and in bounded time.
pub(super) async fn close(connection: MySqlConnection, limits: &Limits) {
    timeout(limits.connect, connection.close()).await.ok();
}
