//! What can go wrong with a connection, and what to do about it.

use std::{fmt, time::Duration};

use super::number;
use crate::migration::Version;

/// Whether a statement whose answer we did not get changed the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It left nothing behind.
    NotApplied,
    /// Nobody knows.
    Unknown,
}

/// Who holds a database's lock, as far as the account may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// The server's number for the connection.
    pub connection_id: u64,
    /// `user@host`; `None` where the account may not see other accounts' connections.
    pub account: Option<String>,
    /// The shape of what it runs, in one line, or `idle`.
    pub activity: Option<String>,
    /// For how many seconds it has been at that.
    pub seconds: Option<u64>,
    /// The database that it is connected to, where that is another than the one whose lock it holds: two databases have locks
    /// of one name.
    pub other_database: Option<String>,
    /// The migration that the history has as begun and not completed, and when it was begun, in seconds since 1970 UTC.
    pub began: Option<(Version, i64)>,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.connection_id)?;
        self.account.iter().try_for_each(|account| write!(f, " ({account})"))?;
        match (&self.activity, self.seconds) {
            (Some(activity), Some(seconds)) => write!(f, ", for {seconds} s: {activity}")?,
            (Some(activity), None) => write!(f, ": {activity}")?,
            _ => f.write_str(", of which an account without the privilege PROCESS may not see more")?,
        }
        if let Some(other) = &self.other_database {
            return write!(
                f,
                "; it works on the database `{other}`, whose lock has the same name: sqlx makes the name from a checksum of \
                 32 bits, and these two have the same"
            );
        }
        let began =
            self.began.and_then(|(version, at_s)| Some((version, jiff::Timestamp::from_second(at_s).ok()?)));
        began.iter().try_for_each(|(version, at)| write!(f, "; migration {version} was begun at {at}"))
    }
}

/// What can go wrong on a connection that is open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The server answered with an error.
    #[error("{number}{}: {message}", .sqlstate.as_ref().map(|s| format!(" ({s})")).unwrap_or_default())]
    Server {
        /// The server's number for it, such as 1146.
        number: u16,
        /// The standard's five letters for it.
        sqlstate: Option<String>,
        /// The server's words.
        message: String,
    },
    /// The connection was gone before anything of this was sent.
    #[error("there is no connection any more: {message}")]
    Gone {
        /// Why not.
        message: String,
    },
    /// No answer within the time that one is waited for; the connection is not used any more.
    #[error("the server did not answer within {} s", .limit.as_secs())]
    NoAnswer {
        /// That time.
        limit: Duration,
    },
    /// A statement that is to be ended, and could not be.
    #[error("the statement may still run{}, which could not be ended: {message}", .connection_id.map_or(" on its connection".to_owned(), |id| format!(" as connection {id}")))]
    Unended {
        /// The server's number for the connection that it runs on, if it is known.
        connection_id: Option<u64>,
        /// Why not.
        message: String,
    },
    /// There is no connection to look at the database, or at its server, from outside.
    #[error("it cannot be looked at: {message}")]
    Unseen {
        /// Why not.
        message: String,
    },
    /// The connection ended before the answer came.
    #[error("the connection was lost before the server answered: {message}")]
    Lost {
        /// What the system said.
        message: String,
    },
    /// The server answered with something that makes no sense, or with more than any answer has; the connection is not used
    /// any more.
    #[error("the server's answer is unusable: {message}")]
    Unreadable {
        /// What is wrong with it.
        message: String,
    },
    /// The statement ran longer than [`Limits::statement`](crate::session::Limits::statement) and was killed.
    #[error("the statement ran longer than {} s and was killed", .limit.as_secs_f32())]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// What it left.
        fate: Fate,
    },
    /// The statement was killed because the run was told twice to stop.
    #[error("the statement was killed because the run was told twice to stop")]
    Killed {
        /// What it left.
        fate: Fate,
    },
    /// The run was told twice to stop while an answer of the server was waited for.
    #[error("the run was told twice to stop before the server answered")]
    Interrupted,
    /// Another run holds the database.
    #[error(
        "another run holds the database and did not let go within {} s{}",
        .waited.as_secs(), .holder.as_ref().map(|h| format!(": {h}")).unwrap_or_default()
    )]
    LockHeld {
        /// How long we waited.
        waited: Duration,
        /// Who it is.
        holder: Option<Box<LockHolder>>,
    },
    /// The database's lock is not this connection's any more, so nothing was written.
    #[error("this connection has lost the lock that keeps other runs out of the database")]
    LockLost,
    /// A statement of the books did not change as many rows as it must, and was not committed.
    #[error(
        "the books are not as they were: `{statement}` was to change {expected} of their rows and changed {changed}"
    )]
    Miscounted {
        /// Its beginning.
        statement: String,
        /// How many it must change.
        expected: u64,
        /// How many it would have changed.
        changed: u64,
    },
    /// Another tenant's row names the same database.
    #[error("it is the database of tenant {first:?}, under another name of its server")]
    SameDatabase {
        /// The slug of that tenant.
        first: String,
    },
    /// The server would not give out a lock at all.
    #[error("the server did not give out the lock: GET_LOCK answered NULL")]
    LockRefused,
    /// The server did not take one of the settings that a session is given.
    #[error("the session cannot be set up: {message}")]
    SetUp {
        /// The server's number and words.
        message: String,
    },
    /// A setting that the session may not change is not as it must be.
    #[error("the server's settings let no migration run: {unmet}")]
    Settings {
        /// Each with its value.
        unmet: String,
    },
    /// There is no connection for the next migration, which is to have a new one.
    #[error("no new connection for the next migration: {source}")]
    Unrenewed {
        /// Why not.
        source: Box<ConnectError>,
    },
}

impl SessionError {
    /// What the statement left behind that failed with this.
    ///
    /// A statement the server answered with an error is undone by the server; see
    /// [`StatementKind::Opaque`](crate::migration::StatementKind::Opaque) for those of which that is not true.
    pub fn fate(&self) -> Fate {
        match self {
            Self::Lost { .. }
            | Self::NoAnswer { .. }
            | Self::Unended { .. }
            | Self::Unreadable { .. }
            | Self::Interrupted => Fate::Unknown,
            Self::TimedOut { fate, .. } | Self::Killed { fate } => *fate,
            Self::Server { .. }
            | Self::Gone { .. }
            | Self::Unseen { .. }
            | Self::LockHeld { .. }
            | Self::LockLost
            | Self::SameDatabase { .. }
            | Self::Miscounted { .. }
            | Self::LockRefused
            | Self::SetUp { .. }
            | Self::Settings { .. }
            | Self::Unrenewed { .. } => Fate::NotApplied,
        }
    }

    /// Whether a lock was waited for in vain or a deadlock was ended: what the server says of a statement that it has undone
    /// and that may go well in a moment.
    pub fn is_contention(&self) -> bool {
        matches!(self, Self::Server { number: number::LOCK_WAIT_TIMEOUT | number::DEADLOCK, .. })
    }

    /// What to do next, where the error's number tells.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Server { number, .. } => match *number {
                number::LOCK_WAIT_TIMEOUT => {
                    "another session holds a lock on the table: end it or wait for it, or raise `--lock-wait`"
                }
                number::DEADLOCK => "two transactions blocked each other and the server ended this one",
                number if number::is_denied(number) => {
                    "grant the account the privilege that the server names"
                }
                number::ROUTINE_NEEDS_SUPER => {
                    "with the binary log on, triggers and functions need `log_bin_trust_function_creators = 1` on the \
                     server, or an account with SUPER"
                }
                number if number::is_there_already(number) => {
                    "it is there already: made by hand or by another program, or by a migration that was undone only in the \
                     history; look at it (`SHOW CREATE TABLE`) and at the rows it holds before anything is done to it; where \
                     it is what the file means, take its statement out of the file"
                }
                number if number::is_no_room(number) => {
                    "make room where the server has its data and its temporary files, or raise the limit that the table has \
                     reached (a quota, of a table in memory `max_heap_table_size`)"
                }
                number if number::is_damaged(number) => {
                    "the table's file is damaged, as a full disk or a crash leaves a table without transactions: `CHECK TABLE` \
                     tells; copy its files before `REPAIR TABLE`, which may leave rows out, and look at its rows after it"
                }
                number if number::is_read_only(number) => "the server is read-only: is this the primary?",
                _ => return None,
            },
            Self::Unreadable { .. } => {
                "is it a MySQL or MariaDB server, and does nothing between it and this machine change what it sends?"
            }
            Self::Lost { .. } | Self::Gone { .. } => {
                "check whether the server is up and what its error log says"
            }
            Self::NoAnswer { .. } => {
                "check whether the server is up and not stuck (a full disk, a lock on all tables), and the network to it"
            }
            Self::Unended { connection_id: Some(id), .. } => {
                return Some(format!(
                    "see on its server (`SHOW PROCESSLIST`) whether connection {id} is still this one, and wait until it has ended"
                ));
            }
            Self::Unended { connection_id: None, .. } => {
                "see on its server (`SHOW PROCESSLIST`) whether the statement still runs, and wait until it has ended"
            }
            Self::Unseen { .. } => {
                "the server must take another connection of this account, at the same address"
            }
            Self::TimedOut { .. } => "`--statement-timeout` sets how long a statement may take",
            Self::Killed { .. } | Self::Interrupted => "run again when you are ready",
            Self::LockHeld { holder: Some(holder), .. } if holder.other_database.is_some() => {
                "wait for the work on that database to end, or raise `--lock-timeout`: the two can never be worked on at once"
            }
            Self::LockHeld { holder: Some(holder), .. } => {
                let connection_id = holder.connection_id;
                return Some(format!(
                    "wait for that run to end, or raise `--lock-timeout`; if nobody needs it any more, `KILL {connection_id}` \
                     ends it"
                ));
            }
            Self::LockHeld { holder: None, .. } => "wait for that run to end, or raise `--lock-timeout`",
            Self::LockLost => {
                "a routine of the migration may have let go of it (`RELEASE_ALL_LOCKS`), or a proxy has given the run \
                 another connection; look at `migrate:status` and run again"
            }
            Self::Miscounted { .. } => {
                "somebody else changes `_sqlx_migrations` or the journal while this runs, or a proxy counts rows in another \
                 way; look at `migrate:status` before you run again"
            }
            Self::SameDatabase { .. } => "correct the row that is wrong in the table `tenants`",
            Self::LockRefused => "does the account reach the server through a proxy that blocks GET_LOCK?",
            Self::SetUp { .. } => {
                "a migration's session needs this setting, and an account needs no privilege for it on MySQL and MariaDB: \
                 does a proxy refuse it, or is the server another product?"
            }
            Self::Settings { unmet } => return Some(settings_hint(unmet)),
            Self::Unrenewed { source } => return source.hint(Whose::Tenant),
        };
        Some(hint.to_owned())
    }
}

/// What to do about each setting that is not as it must be.
fn settings_hint(unmet: &str) -> String {
    let hint = |setting: &str| match setting.split(' ').next().unwrap_or_default() {
        "sql_log_bin" => {
            "what this session changes would be in no binary log, and on no replica: `SET sql_log_bin = 1` where it was \
             turned off for this account"
        }
        "enforce_storage_engine" => {
            "the history must be in a table that can be rolled back: `SET GLOBAL enforce_storage_engine = NULL`, or InnoDB"
        }
        _ => {
            "the session was told otherwise: does a proxy keep `SET` from the server? connect to the server itself"
        }
    };
    let mut hints: Vec<_> = unmet.split("; ").map(hint).collect();
    hints.dedup();
    hints.join("\n")
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The host name leads nowhere.
    #[error("the host name `{host}` cannot be resolved: {message}")]
    Unresolvable {
        /// The name.
        host: String,
        /// What the system said.
        message: String,
    },
    /// Nobody listens there.
    #[error("{server} refused the connection: {message}")]
    Refused {
        /// Host and port.
        server: String,
        /// What the system said.
        message: String,
    },
    /// Somebody listens there, and hung up before the login was done.
    #[error("{server} closed the connection before the login was done")]
    Closed {
        /// Host and port.
        server: String,
    },
    /// No answer within [`Limits::connect`](crate::session::Limits::connect).
    #[error("{server} did not answer within {} s", .after.as_secs_f32())]
    TimedOut {
        /// Host and port.
        server: String,
        /// The limit.
        after: Duration,
    },
    /// No answer until the run was told twice to stop, and for as long as one is waited for then.
    #[error("{server} did not answer before the run was told twice to stop, nor within {} s of that", .after.as_secs_f32())]
    Stopped {
        /// Host and port.
        server: String,
        /// How long it was waited for then.
        after: Duration,
    },
    /// Wrong user or password.
    #[error("{server} refused the login: {message}")]
    AccessDenied {
        /// Host and port.
        server: String,
        /// The server's words.
        message: String,
    },
    /// There is no such database, or the account may not use it.
    #[error("database `{database}` on {server} cannot be used: {message}")]
    NoDatabase {
        /// The database.
        database: String,
        /// Host and port.
        server: String,
        /// The server's words.
        message: String,
    },
    /// The server is full.
    #[error("{server} takes no more connections: {message}")]
    TooManyConnections {
        /// Host and port.
        server: String,
        /// The server's words.
        message: String,
    },
    /// The server is starting or stopping.
    #[error("{server} is not ready: {message}")]
    NotReady {
        /// Host and port.
        server: String,
        /// The server's words.
        message: String,
    },
    /// It asks for the password in clear, which nobody gets.
    #[error(
        "{server} asks for the password in clear (`mysql_clear_password`), which is never sent; the login was given up"
    )]
    ClearPassword {
        /// Host and port.
        server: String,
    },
    /// It asks for a login of a kind that is not done.
    #[error("{server} asks for a login that this program does not do: {message}")]
    Plugin {
        /// Host and port.
        server: String,
        /// Which.
        message: String,
    },
    /// What it answered makes no sense.
    #[error("what {server} answered to the login is unusable: {message}")]
    Unreadable {
        /// Host and port.
        server: String,
        /// What is wrong with it.
        message: String,
    },
    /// This process, or this machine, has as many files and connections open as it may.
    #[error("no more connections can be opened from here, to {server} or to any other: {message}")]
    TooManyFiles {
        /// Host and port.
        server: String,
        /// What the system said.
        message: String,
    },
    /// Encryption or its certificate.
    #[error("no TLS connection to {server}: {message}")]
    Tls {
        /// Host and port.
        server: String,
        /// What was wrong.
        message: String,
    },
    /// Anything else.
    #[error("cannot connect to {server}: {message}")]
    Other {
        /// Host and port.
        server: String,
        /// What was wrong.
        message: String,
    },
}

/// Whose database it is: what is known of it stands in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A tenant's: a row of the central database.
    Tenant,
    /// The central one: a URL.
    Central,
}

impl ConnectError {
    /// Whether the server may take a connection in a moment: it is starting, full, or another one takes its place.
    ///
    /// A time-out is not meant: a second one would take as long again. Nor is what somebody has to mend first.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Closed { .. }
            | Self::TooManyConnections { .. }
            | Self::TooManyFiles { .. }
            | Self::NotReady { .. } => true,
            // `EAI_AGAIN`, in the words of glibc and of musl: the name server did not answer. One that answers that there
            // is no such name (`EAI_NONAME`) will answer the same again.
            Self::Unresolvable { message, .. } => {
                ["Temporary failure", "Try again"].iter().any(|words| message.contains(words))
            }
            Self::TimedOut { .. }
            | Self::Stopped { .. }
            | Self::AccessDenied { .. }
            | Self::NoDatabase { .. }
            | Self::Tls { .. }
            | Self::ClearPassword { .. }
            | Self::Plugin { .. }
            | Self::Unreadable { .. }
            | Self::Other { .. } => false,
        }
    }

    /// What to do next.
    pub fn hint(&self, whose: Whose) -> Option<String> {
        let hint = match self {
            Self::Unresolvable { .. } => match whose {
                Whose::Tenant => "check the tenant's `db_host`, and that this machine's name server knows it",
                Whose::Central => "check the host in the URL, and that this machine's name server knows it",
            },
            Self::Refused { .. } => "is the server up, and are host and port right?",
            Self::Closed { .. } => {
                "is it a MySQL or MariaDB server? one that is starting or stopping does this too, and so does a proxy \
                 without a server behind it"
            }
            Self::TimedOut { .. } => {
                "a firewall may drop the packets; `--connect-timeout` sets how long to wait"
            }
            Self::Stopped { .. } => "run again when you are ready",
            Self::AccessDenied { .. } => match whose {
                Whose::Tenant => {
                    "check the tenant's `db_user` and its password on the server; `tenant:seal-password` seals a new one \
                     for `db_password`"
                }
                Whose::Central => {
                    "check user and password in the URL, where `@`, `:`, `/`, `#`, `?` and `%` are written %40, %3A, %2F, \
                     %23, %3F and %25"
                }
            },
            Self::NoDatabase { .. } => match whose {
                Whose::Tenant => {
                    "check the tenant's `db_name`, and that its account has privileges on that database"
                }
                Whose::Central => {
                    "make the database, or check its name in the URL and the account's privileges on it"
                }
            },
            Self::TooManyConnections { .. } => {
                "lower `--per-server`, or raise the server's `max_connections`"
            }
            Self::NotReady { .. } => "run again when it is up",
            Self::ClearPassword { .. } => {
                "somebody may be posing as the server: check host and port, and ask for `ssl-mode` VERIFY_IDENTITY; an account \
                 whose plugin works like this must get `caching_sha2_password`, on MariaDB `mysql_native_password`"
            }
            Self::Unreadable { .. } => {
                "is it a MySQL or MariaDB server, and are host and port right? a proxy in between may change what it sends"
            }
            Self::TooManyFiles { .. } => {
                "raise the limit on open files (`ulimit -n`), or lower `--concurrency`"
            }
            Self::Tls { .. } => "`ssl-mode` and `ssl-ca` say what is asked of the server's certificate",
            Self::Plugin { .. } => {
                "an account with `caching_sha2_password` logs in by TLS (`ssl-mode` REQUIRED or more), one with \
                 `mysql_native_password` without it too; no other kind of account can be used"
            }
            Self::Other { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
