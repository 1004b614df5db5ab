//! Servers' numbers for errors and warnings (MySQL's and MariaDB's error references): all that are told apart anywhere.

/// `ER_UNKNOWN_TABLE`: a statement reads a table that it does not name.
pub const UNKNOWN_TABLE: u16 = 1109;
/// `ER_PARSE_ERROR`: nothing of the statement was looked at.
pub const PARSE_ERROR: u16 = 1064;
/// `ER_SYNTAX_ERROR`, the same from elsewhere in the server.
pub const SYNTAX_ERROR: u16 = 1149;
/// `ER_BAD_FIELD_ERROR`: no such column.
pub const BAD_FIELD: u16 = 1054;
/// `ER_NO_SUCH_THREAD`.
pub const NO_SUCH_CONNECTION: u16 = 1094;
/// `ER_UNKNOWN_ERROR`, for what has no number.
pub const UNKNOWN: u16 = 1105;
/// `ER_NO_SUCH_TABLE`.
pub const NO_SUCH_TABLE: u16 = 1146;
/// `ER_WARNING_NOT_COMPLETE_ROLLBACK`: the transaction has changed a table without transactions.
pub const NOT_COMPLETE_ROLLBACK: u16 = 1196;
/// `ER_LOCK_WAIT_TIMEOUT`: of a row's lock, of a metadata lock, and of those that a backup takes. Said of a `COMMIT`, the
/// transaction is rolled back (`ha_commit_trans` of both servers).
pub const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// `ER_LOCK_DEADLOCK`: the transaction is rolled back.
pub const DEADLOCK: u16 = 1213;
/// `ER_SP_DOES_NOT_EXIST`: no such routine.
pub const NO_SUCH_ROUTINE: u16 = 1305;
/// `ER_VIEW_INVALID`: a view names what is not there, or its definer may not read it.
pub const INVALID_VIEW: u16 = 1356;
/// `ER_NO_SUCH_USER`: the account that is the definer is not there.
pub const NO_SUCH_DEFINER: u16 = 1449;
/// `ER_UNKNOWN_SEQUENCES` (MariaDB).
pub const NO_SUCH_SEQUENCE: u16 = 4091;
/// `ER_BINLOG_CREATE_ROUTINE_NEED_SUPER`.
pub const ROUTINE_NEEDS_SUPER: u16 = 1419;
/// `ER_NO_PARTITION_FOR_GIVEN_VALUE`.
pub const NO_PARTITION: u16 = 1526;
/// `ER_DATA_OUT_OF_RANGE`: how a guard of the books fails.
pub const OUT_OF_RANGE: u16 = 1690;

/// `ER_DBACCESS_DENIED_ERROR`: there is no such database, or the account may not use it.
const DATABASE_DENIED: u16 = 1044;
/// `ER_TABLEACCESS_DENIED_ERROR`.
const TABLE_DENIED: u16 = 1142;
/// `ER_COLUMNACCESS_DENIED_ERROR`.
const COLUMN_DENIED: u16 = 1143;
/// `ER_SPECIFIC_ACCESS_DENIED_ERROR`: a privilege of the whole server.
const PRIVILEGE_DENIED: u16 = 1227;
/// `ER_PROCACCESS_DENIED_ERROR`.
const ROUTINE_DENIED: u16 = 1370;
/// `ER_OPTION_PREVENTS_STATEMENT`, said of `read_only` and `super_read_only`.
const OPTION_PREVENTS: u16 = 1290;
/// `ER_READ_ONLY_MODE`.
const READ_ONLY_MODE: u16 = 1836;

/// Whether the account lacks a privilege.
pub fn is_denied(number: u16) -> bool {
    matches!(number, DATABASE_DENIED | TABLE_DENIED | COLUMN_DENIED | PRIVILEGE_DENIED | ROUTINE_DENIED)
}

/// Whether the account may not make a database.
pub fn is_database_denied(number: u16) -> bool {
    matches!(number, DATABASE_DENIED | PRIVILEGE_DENIED)
}

/// Whether the server takes no writes.
pub fn is_read_only(number: u16) -> bool {
    matches!(number, OPTION_PREVENTS | READ_ONLY_MODE)
}

/// Whether what is to be made is there already: `ER_TABLE_EXISTS_ERROR`, `ER_DUP_FIELDNAME`, `ER_DUP_KEYNAME`,
/// `ER_FK_DUP_NAME`.
pub fn is_there_already(number: u16) -> bool {
    matches!(number, 1050 | 1060 | 1061 | 1826)
}

/// Whether the message repeats a value in quotes: `ER_DUP_ENTRY`, `ER_DUP_ENTRY_WITH_KEY_NAME`, `ER_FOREIGN_DUPLICATE_KEY_*`,
/// `ER_TRUNCATED_WRONG_VALUE`, `ER_TRUNCATED_WRONG_VALUE_FOR_FIELD`, `ER_WRONG_VALUE_FOR_TYPE`, `ER_WRONG_VALUE`,
/// `ER_INVALID_CHARACTER_STRING`, `ER_ILLEGAL_VALUE_FOR_TYPE`, `ER_CANNOT_CONVERT_STRING` and MariaDB's
/// `ER_CANNOT_CONVERT_CHARACTER`.
pub fn quotes_a_value(number: u16) -> bool {
    matches!(number, 1062 | 1292 | 1300 | 1366 | 1367 | 1411 | 1525 | 1586 | 1761 | 1762 | 1977 | 3854)
}

/// Whether the words are a program's own: `ER_SIGNAL_WARN`, `ER_SIGNAL_NOT_FOUND`, `ER_SIGNAL_EXCEPTION`.
pub fn is_signal(number: u16) -> bool {
    matches!(number, 1642..=1644)
}

/// Whether the login is refused: `ER_ACCESS_DENIED_ERROR`, `ER_ACCESS_DENIED_NO_PASSWORD_ERROR`,
/// `ER_ACCOUNT_HAS_BEEN_LOCKED`, `ER_MUST_CHANGE_PASSWORD_LOGIN`; MariaDB's `ER_ACCOUNT_HAS_BEEN_LOCKED` is 4151.
pub fn is_login_refused(number: u16) -> bool {
    matches!(number, 1045 | 1698 | 3118 | 1862 | 4151)
}

/// Whether a login's database cannot be used; the other one is `ER_BAD_DB_ERROR`.
pub fn is_no_database(number: u16) -> bool {
    matches!(number, DATABASE_DENIED | 1049)
}

/// Whether the server is full: `ER_CON_COUNT_ERROR`, `ER_TOO_MANY_USER_CONNECTIONS`, `ER_USER_LIMIT_REACHED`.
pub fn is_full(number: u16) -> bool {
    matches!(number, 1040 | 1203 | 1226)
}

/// Whether a disk or a table is full: `ER_DISK_FULL`, `ER_ERROR_ON_WRITE`, `ER_RECORD_FILE_FULL`, `EE_WRITE`,
/// `EE_DISK_FULL`, MySQL's `ER_DISK_FULL_NOWAIT`; MariaDB gives the storage engine's own numbers (28, 135) as well.
pub fn is_no_room(number: u16) -> bool {
    matches!(number, 3 | 20 | 28 | 135 | 1021 | 1026 | 1114 | 3675)
}

/// Whether a table's file is damaged: `ER_NOT_KEYFILE`, `ER_OLD_KEYFILE`, `ER_CRASHED_ON_USAGE`, `ER_CRASHED_ON_REPAIR`,
/// and the storage engine's own numbers.
pub fn is_damaged(number: u16) -> bool {
    matches!(number, 126 | 127 | 144 | 145 | 1034 | 1035 | 1194 | 1195)
}

/// Whether the server is starting or stopping: `ER_SERVER_SHUTDOWN`, `ER_SERVER_ISNT_AVAILABLE`; MariaDB's
/// `ER_CONNECTION_KILLED`.
pub fn is_not_ready(number: u16) -> bool {
    matches!(number, 1053 | 3168 | 1927)
}

/// Whether a server says this of a statement before it has done anything of it: it does not parse, the account may not do
/// it, the server is read-only. A privilege is asked for on all that a statement names before the first of it changes.
///
/// Nothing is said of the statements that another one runs (`CALL`): those before the refused one may have done their work.
pub fn is_refusal(number: u16) -> bool {
    number == PARSE_ERROR || is_denied(number) || is_read_only(number)
}
