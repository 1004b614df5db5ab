//! Opens connections, with a limit on everything.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::FutureExt as _;
use sqlx::{
    ConnectOptions as _,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};
use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    contract,
    identity::Doubtful,
    introspect::Seen,
    query::{self, Impatience, Patience, STOP_GRACE, ServerConnection, damaged},
    relay::{NoWay, Relay},
    server_error::{connect_error, io_error},
    session::MySqlSession,
};
use crate::{
    entropy::pause_before_retry,
    session::{Connect, ConnectError, Limits, SessionError},
    tenant::{ServerId, SharedLabel, Target, TlsMode},
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
    doubtful: Arc<Doubtful>,
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
            doubtful: Arc::default(),
            seen: Seen::default(),
        }
    }

    /// With an account that may see more of a server than tenants' accounts do. It is used on that server, to look who
    /// holds a lock that a tenant's statement waits for, and for nothing else.
    #[must_use]
    pub fn with_administrator(self, administrator: Option<Target>) -> Self {
        Self { administrator: administrator.map(Arc::new), ..self }
    }

    /// Knowing the tenants that may have one database under several names of its server
    /// ([`doubtful`](crate::selection::doubtful)): the first of them that reads its history is worked on, and the session
    /// of any other one ends with [`SessionError::SameDatabase`](crate::session::SessionError::SameDatabase). For one run.
    #[must_use]
    pub fn with_doubtful(self, doubtful: HashSet<SharedLabel>) -> Self {
        Self { doubtful: Arc::new(Doubtful::new(doubtful)), ..self }
    }

    pub(super) fn doubtful(&self) -> &Doubtful {
        &self.doubtful
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
    pub(super) async fn open(&self, target: &Target) -> Result<ServerConnection, ConnectError> {
        let (limit, server) = (self.limits.connect, || target.label.server.to_string());
        // A login's states are large, and are in the future of whoever connects.
        let opening = Box::pin(self.open_unbounded(target));
        match Patience::until(limit, &self.kill).bound(opening).await {
            Err(Impatience::Stopped) => Err(ConnectError::Stopped { server: server(), after: STOP_GRACE }),
            Ok(Err(ConnectError::TimedOut { .. })) | Err(Impatience::TimedOut) => {
                Err(ConnectError::TimedOut { server: server(), after: limit })
            }
            Ok(result) => result,
        }
    }

    /// As [`Self::open`], and again where the server may be back in a moment.
    pub(super) async fn open_patiently(&self, target: &Target) -> Result<ServerConnection, ConnectError> {
        let mut n_tries = 1;
        loop {
            match self.open(target).await {
                Err(error) if error.is_passing() && n_tries <= self.limits.connect_retries => {
                    select! {
                        biased;
                        () = self.kill.cancelled() => return Err(error),
                        () = sleep(pause_before_retry(n_tries)) => n_tries += 1,
                    }
                }
                result => return result,
            }
        }
    }

    /// As [`Self::open`], and sets the session up as the contract has it, for whoever takes no lock that it could be done
    /// with in one round trip.
    pub(super) async fn open_set_up(&self, target: &Target) -> Result<ServerConnection, ConnectError> {
        let mut connection = self.open(target).await?;
        self.set_up(&mut connection, target).await?;
        Ok(connection)
    }

    /// As [`Self::open_set_up`], and again where the server may be back in a moment.
    pub(super) async fn open_set_up_patiently(
        &self,
        target: &Target,
    ) -> Result<ServerConnection, ConnectError> {
        let mut connection = self.open_patiently(target).await?;
        self.set_up(&mut connection, target).await?;
        Ok(connection)
    }

    async fn set_up(&self, connection: &mut ServerConnection, target: &Target) -> Result<(), ConnectError> {
        let limit = Patience::until(self.limits.connect, &self.kill);
        let result = query::query(connection, contract::set_up(&self.limits), limit).await;
        let server = target.label.server.to_string();
        result.map(|_| ()).map_err(|error| match contract::refused(Err(error)) {
            SessionError::Lost { .. } | SessionError::Gone { .. } => ConnectError::Closed { server },
            SessionError::NoAnswer { limit } => ConnectError::TimedOut { server, after: limit },
            SessionError::Interrupted => ConnectError::Stopped { server, after: STOP_GRACE },
            SessionError::Unreadable { message } => ConnectError::Unreadable { server, message },
            error => ConnectError::Other { server, message: error.to_string() },
        })
    }

    async fn open_unbounded(&self, target: &Target) -> Result<ServerConnection, ConnectError> {
        let label = &target.label;
        let door = self.relay.open(&label.server).await.map_err(|error| match error {
            NoWay::Io(error) => io_error(&error, label),
            NoWay::ClearPassword => ConnectError::ClearPassword { server: label.server.to_string() },
        })?;
        let options = options(target).socket(door.path());
        match AssertUnwindSafe(options.connect()).catch_unwind().await {
            Ok(Ok(connection)) => Ok(ServerConnection::new(connection, door.traffic().clone())),
            Ok(Err(error)) => Err(connect_error(&error, door.traffic(), label)),
            Err(panic) => {
                let (server, message) = (label.server.to_string(), damaged(panic.as_ref()));
                Err(ConnectError::Unreadable { server, message })
            }
        }
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

/// Ends a connection politely, and in bounded time; once the run was told twice to stop, at once: a server that still waits for a
/// lock on it finds that the client is gone only where nothing is left to be read (`vio_is_connected` of both servers).
pub(super) async fn close(connection: ServerConnection, connector: &MySqlConnector) {
    if connector.kill.is_cancelled() {
        return;
    }
    let limit = connector.limits.connect;
    let goodbye = async {
        connection.close(limit).await;
        Ok(())
    };
    Patience::until(limit, &connector.kill).wait(goodbye).await.ok();
}
