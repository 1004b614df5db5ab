//! What sqlx's errors mean to us.

use std::{io, time::Duration};

use sqlx::mysql::MySqlDatabaseError;

use crate::{
    session::{ConnectError, SessionError},
    tenant::Label,
};

/// `ER_NO_SUCH_THREAD`.
pub(super) const NO_SUCH_CONNECTION: u16 = 1094;

/// What ended a query on an open connection.
pub(super) fn session_error(error: &sqlx::Error) -> SessionError {
    if let Some(error) = server_error(error) {
        return SessionError::Server {
            number: error.number(),
            sqlstate: error.code().map(str::to_owned),
            message: error.message().to_owned(),
        };
    }
    // Everything else (io, TLS, a packet that makes no sense) leaves the connection in a state nobody knows.
    SessionError::Lost { message: words(error) }
}

/// The server's own error, if it is one.
pub(super) fn server_error(error: &sqlx::Error) -> Option<&MySqlDatabaseError> {
    error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()
}

/// Why the login to `label`'s database did not succeed.
pub(super) fn connect_error(error: &sqlx::Error, label: &Label) -> ConnectError {
    let server = label.server.to_string();
    if let sqlx::Error::Io(error) = error {
        return io_error(error, label);
    }
    let message = match server_error(error) {
        Some(error) => format!("{error}"),
        None => words(error),
    };
    match (error, server_error(error).map(MySqlDatabaseError::number)) {
        // ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED,
        // ER_MUST_CHANGE_PASSWORD_LOGIN; MariaDB's ER_ACCOUNT_HAS_BEEN_LOCKED is 4151.
        (_, Some(1045 | 1698 | 3118 | 1862 | 4151)) => ConnectError::AccessDenied { server, message },
        // ER_DBACCESS_DENIED_ERROR, ER_BAD_DB_ERROR
        (_, Some(1044 | 1049)) => {
            ConnectError::NoDatabase { database: label.database.clone(), server, message }
        }
        // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
        (_, Some(1040 | 1203 | 1226)) => ConnectError::TooManyConnections { server, message },
        // ER_SERVER_SHUTDOWN, ER_SERVER_ISNT_AVAILABLE; MariaDB's ER_CONNECTION_KILLED.
        (_, Some(1053 | 3168 | 1927)) => ConnectError::NotReady { server, message },
        (sqlx::Error::Tls(_), _) => ConnectError::Tls { server, message },
        _ => ConnectError::Other { server, message },
    }
}

/// Why there is no connection to `label`'s server.
pub(super) fn io_error(error: &io::Error, label: &Label) -> ConnectError {
    let (server, message) = (label.server.to_string(), error.to_string());
    // The standard library gives a failed name look-up no kind of its own; its words are these on every platform.
    if message.starts_with("failed to lookup address information") {
        return ConnectError::Unresolvable { host: label.server.host.clone(), message };
    }
    match error.kind() {
        io::ErrorKind::TimedOut => ConnectError::TimedOut { server, after: Duration::ZERO },
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => ConnectError::Closed { server },
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => ConnectError::Refused { server, message },
        _ => ConnectError::Other { server, message },
    }
}

/// The innermost words: sqlx's own say "error communicating with database" before each.
fn words(error: &sqlx::Error) -> String {
    match error {
        // sqlx counts the bytes it has missed.
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => "it was closed".to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => error.to_string(),
        error => error.to_string(),
    }
}
