//! The session contract: what a session is set to before a migration, or a query of our own, runs on it.
//!
//! A server's defaults change what a statement means: which rows it gives, where a string ends, whether it is committed.
//! None of them is assumed. [`set_up`] sets each variable that an account without privileges may set, in the packet that
//! takes the lock; [`UNMET`] reads there what no account of a tenant's may set, and what a proxy may have kept from the
//! server. `docs/guarantees.md` ("The session contract") has each variable with its reason, and what sqlx does
//! differently.
//!
//! What exists on one flavour only, or from a version on, stands in a version comment: MySQL passes over `/*M! … */`, and
//! MariaDB over `/*! … */` with a number from 50700 to 99999 (MariaDB's "Comment Syntax").

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::session::{Limits, SessionError};

/// Which servers know a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Everywhere,
    /// From this version of MySQL on, as its version comments write it.
    MySql(u32),
    /// From this version of MariaDB on, likewise.
    MariaDb(u32),
}

use Known::{Everywhere, MariaDb, MySql};

/// The variables of the second statement. The first sets what must come before them.
const VARIABLES: [(&str, &str, Known); 30] = [
    // What a query gives.
    ("sql_select_limit", "18446744073709551615", Everywhere),
    ("sql_big_selects", "1", Everywhere),
    ("sql_safe_updates", "0", Everywhere),
    ("sql_auto_is_null", "0", Everywhere),
    ("group_concat_max_len", "CAST(GREATEST(@@GLOBAL.group_concat_max_len,1048576) AS UNSIGNED)", Everywhere),
    ("div_precision_increment", "4", Everywhere),
    ("default_week_format", "0", Everywhere),
    ("lc_time_names", "'en_US'", Everywhere),
    ("time_zone", "'+00:00'", Everywhere),
    ("sql_quote_show_create", "1", Everywhere),
    // What LAST_INSERT_ID() gives before the first INSERT.
    ("last_insert_id", "0", Everywhere),
    // What is checked, and what is made.
    ("foreign_key_checks", "1", Everywhere),
    ("unique_checks", "1", Everywhere),
    ("default_storage_engine", "InnoDB", Everywhere),
    ("default_tmp_storage_engine", "InnoDB", Everywhere),
    // What is committed.
    ("completion_type", "0", Everywhere),
    // How long the server waits, and works.
    ("net_read_timeout", "600", Everywhere),
    ("net_write_timeout", "600", Everywhere),
    ("max_execution_time", "0", MySql(50708)),
    ("show_create_table_verbosity", "0", MySql(50722)),
    (
        "cte_max_recursion_depth",
        "CAST(GREATEST(@@GLOBAL.cte_max_recursion_depth,1000) AS UNSIGNED)",
        MySql(80003),
    ),
    ("show_gipk_in_create_table_and_information_schema", "1", MySql(80030)),
    ("default_regex_flags", "''", MariaDb(100_011)),
    ("max_statement_time", "0", MariaDb(100_101)),
    ("check_constraint_checks", "1", MariaDb(100_201)),
    (
        "max_recursive_iterations",
        "CAST(GREATEST(@@GLOBAL.max_recursive_iterations,1000) AS UNSIGNED)",
        MariaDb(100_202),
    ),
    ("idle_transaction_timeout", "0", MariaDb(100_300)),
    ("idle_write_transaction_timeout", "0", MariaDb(100_300)),
    ("idle_readonly_transaction_timeout", "0", MariaDb(100_300)),
    ("sql_if_exists", "0", MariaDb(100_502)),
];

/// The modes that are always on: sqlx's two (sqlx-mysql 0.9, `options/connect.rs`), the one that its login asks for
/// (`CLIENT_IGNORE_SPACE`), and the one without which a value that does not fit is cut and stored.
const MODES: &str = "IGNORE_SPACE,PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES";

/// The modes that are as the server has them: they say which statements and values it takes, and change no meaning. All others
/// are off, those above all under which a text is cut into other tokens than `sql::lex` cuts it into.
const MODES_OF_THE_SERVER: [&str; 8] = [
    "ONLY_FULL_GROUP_BY",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "NO_AUTO_CREATE_USER",
];

/// For how many seconds a session may be idle: MySQL's and MariaDB's own default. A run is idle for seconds.
const IDLE_S: u32 = 28_800;

/// As [`IDLE_S`], for a connection that only holds a lock while others work: the most that is allowed on every platform, 24
/// days.
const LOCK_IDLE_S: u32 = 2_147_483;

/// How many statements [`set_up`] is.
pub(super) const N_STATEMENTS: usize = 3;

/// The statements that set a session up, for the beginning of a packet. No statement of ours in it waits for a lock longer
/// than `limits` say, and a snapshot that the session may have is given up.
pub(super) fn set_up(limits: &Limits) -> String {
    let lock_wait_s = limits.lock_wait.as_secs().max(1);
    let mode = MODES_OF_THE_SERVER.iter().fold(format!("CONCAT_WS(',','{MODES}'"), |mode, name| {
        mode + &format!(",IF(FIND_IN_SET('{name}',@@GLOBAL.sql_mode),'{name}',NULL)")
    });
    let mut groups: BTreeMap<Known, String> = BTreeMap::new();
    for (name, value, known) in VARIABLES {
        write!(groups.entry(known).or_default(), ",{name}={value}").expect("a string takes it");
    }
    let variables: String = groups.into_iter().map(|(known, group)| commented(known, &group)).collect();
    // The first ends a transaction that `autocommit = 0` has opened. It also has what NAMES looks up when it is read, and the
    // third has no form as a variable that all versions share.
    format!(
        "SET autocommit=1{};SET sql_mode={mode}),wait_timeout={IDLE_S},lock_wait_timeout={lock_wait_s},\
         innodb_lock_wait_timeout={lock_wait_s}{variables},NAMES utf8mb4;\
         SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
        commented(MySql(80011), ",default_collation_for_utf8mb4=utf8mb4_0900_ai_ci"),
    )
}

fn commented(known: Known, sql: &str) -> String {
    match known {
        Everywhere => sql.to_owned(),
        MySql(version) => format!("/*!{version} {sql}*/"),
        MariaDb(version) => format!("/*M!{version} {sql}*/"),
    }
}

/// An expression that names the settings which a migration cannot run under; empty where all is well.
///
/// `sql_log_bin` and `enforce_storage_engine` take privileges that a tenant's account does not have. The others are set by
/// [`set_up`]: a proxy that answers a `SET` by itself must not go unnoticed.
pub(super) const UNMET: &str = "CONCAT_WS('; ',IF(@@autocommit,NULL,'autocommit = 0'),\
    IF(FIND_IN_SET('ANSI_QUOTES',@@sql_mode) OR FIND_IN_SET('NO_BACKSLASH_ESCAPES',@@sql_mode),\
    CONCAT('sql_mode = ',@@sql_mode),NULL),IF(@@sql_log_bin,NULL,'sql_log_bin = 0')\
    /*M!100103 ,IF(COALESCE(@@enforce_storage_engine,'InnoDB')='InnoDB',NULL,\
    CONCAT('enforce_storage_engine = ',@@enforce_storage_engine))*/)";

/// What is said where a statement of [`set_up`] failed; takes what ended the packet.
pub(super) fn refused(result: Result<(), SessionError>) -> SessionError {
    match result {
        Err(source @ SessionError::Server { .. }) => SessionError::SetUp { message: source.to_string() },
        Err(source) => source,
        Ok(()) => SessionError::Unreadable { message: "it has fewer results than statements".into() },
    }
}

/// The statements that take the lock which the expression `name` names, waiting so long for it, and keep it for as long as
/// the connection is there. The second one's row has what `GET_LOCK` answers and the number of the connection.
///
/// A server ends a connection that is idle for `wait_timeout` seconds, and the lock goes with it: whoever holds a lock while
/// others work takes it by this.
pub(super) fn hold_lock(name: &str, wait: Duration) -> String {
    let wait_s = wait.as_secs();
    format!(
        "SET wait_timeout={LOCK_IDLE_S};SELECT GET_LOCK({name}, {wait_s}), CAST(CONNECTION_ID() AS SIGNED)"
    )
}

#[cfg(test)]
mod tests;
