//! What sqlx's errors mean to us.

use std::{io, time::Duration};

use sqlx::{
    Row as _,
    mysql::{MySqlDatabaseError, MySqlRow},
};

use super::{
    hide::without_values,
    relay::{Fault, Traffic},
};
use crate::{
    session::{ConnectError, SessionError, number},
    sql::excerpt,
    tenant::Label,
};

/// "Too many open files", in this process and in the whole system: the same numbers on Linux, the BSDs and macOS.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// What ended a query on an open connection.
pub(super) fn session_error(error: &sqlx::Error) -> SessionError {
    if let Some(error) = server_error(error) {
        return SessionError::Server {
            number: error.number(),
            sqlstate: error.code().map(in_one_line),
            message: without_values(error.number(), error.message()),
        };
    }
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => SessionError::Lost { message: words(error) },
        // A packet, or a value in a row, that makes no sense.
        error => SessionError::Unreadable { message: words(error) },
    }
}

/// What the system, or sqlx, says.
fn in_one_line(text: &str) -> String {
    excerpt(text, 300)
}

/// What went wrong by a row of `ANALYZE`, `CHECK`, `OPTIMIZE` or `REPAIR`: these end without an error of their own, and say of each
/// table how it went (MySQL 8.4 manual, "Table Maintenance Statements").
pub(super) fn told_in_row(row: &MySqlRow) -> Option<SessionError> {
    let names = row.columns().iter().map(sqlx::Column::name);
    if !names.eq(["Table", "Op", "Msg_type", "Msg_text"]) {
        return None;
    }
    let value = |at: usize| row.try_get_unchecked::<String, _>(at).unwrap_or_default();
    value(2).eq_ignore_ascii_case("error").then(|| SessionError::Server {
        // The row has none.
        number: number::UNKNOWN,
        sqlstate: Some("HY000".to_owned()),
        message: format!("{} of {}: {}", value(1), value(0), value(3)),
    })
}

/// The server's own error, if it is one.
pub(super) fn server_error(error: &sqlx::Error) -> Option<&MySqlDatabaseError> {
    error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()
}

/// Why the login to `label`'s database did not succeed.
pub(super) fn connect_error(error: &sqlx::Error, traffic: &Traffic, label: &Label) -> ConnectError {
    let server = label.server.to_string();
    if traffic.fault() == Some(Fault::Excess) {
        let message = "it sends more than any login takes".to_owned();
        return ConnectError::Unreadable { server, message };
    }
    if let sqlx::Error::Io(error) = error {
        return io_error(error, label);
    }
    let message = match server_error(error) {
        Some(error) => without_values(error.number(), &error.to_string()),
        None => words(error),
    };
    // sqlx's own refusal, where the request comes after the greeting (sqlx-mysql, `protocol/connect/auth_switch.rs`).
    if matches!(error, sqlx::Error::Protocol(text) if text.contains("mysql_cleartext_plugin disabled")) {
        return ConnectError::ClearPassword { server };
    }
    if let sqlx::Error::Protocol(_) = error
        && let Some((_, plugin)) = message.split_once("unknown authentication plugin: ")
    {
        return ConnectError::Plugin { server, message: format!("the plugin `{plugin}`") };
    }
    // Without the feature `rsa` of sqlx-mysql: whoever stands in between could give a key of their own.
    if matches!(error, sqlx::Error::Configuration(text) if text.to_string().starts_with("RSA")) {
        return ConnectError::Plugin {
            server,
            message: "one that sends the password itself, without TLS".to_owned(),
        };
    }
    match (error, server_error(error).map(MySqlDatabaseError::number)) {
        (_, Some(number)) if number::is_login_refused(number) => {
            ConnectError::AccessDenied { server, message }
        }
        (_, Some(number)) if number::is_no_database(number) => {
            ConnectError::NoDatabase { database: label.database.clone(), server, message }
        }
        (_, Some(number)) if number::is_full(number) => ConnectError::TooManyConnections { server, message },
        (_, Some(number)) if number::is_not_ready(number) => ConnectError::NotReady { server, message },
        (sqlx::Error::Tls(_), _) => ConnectError::Tls { server, message },
        (sqlx::Error::Protocol(_), _) => ConnectError::Unreadable { server, message },
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
    if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) {
        return ConnectError::TooManyFiles { server, message };
    }
    match error.kind() {
        io::ErrorKind::TimedOut => ConnectError::TimedOut { server, after: Duration::ZERO },
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => ConnectError::Closed { server },
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => ConnectError::Refused { server, message },
        io::ErrorKind::InvalidData => ConnectError::Unreadable { server, message },
        _ => ConnectError::Other { server, message },
    }
}

/// The innermost words: sqlx's own say "error communicating with database" before each.
fn words(error: &sqlx::Error) -> String {
    match error {
        // sqlx counts the bytes it has missed; whether the other side's end is seen in reading or in writing is chance.
        sqlx::Error::Io(error)
            if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe) =>
        {
            "it was closed".to_owned()
        }
        sqlx::Error::Io(error) => in_one_line(&error.to_string()),
        sqlx::Error::Tls(error) => in_one_line(&error.to_string()),
        // Behind it stands where in sqlx that is said.
        sqlx::Error::Protocol(error) => {
            in_one_line(error.rsplit_once(" (sqlx_").map_or(error, |(words, _)| words))
        }
        error => in_one_line(&error.to_string()),
    }
}
