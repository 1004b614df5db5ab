//! Servers' numbers for errors and warnings that decide what happens next (MySQL's and MariaDB's error references).

/// `ER_BAD_FIELD_ERROR`: no such column.
pub const BAD_FIELD: u16 = 1054;
/// `ER_PARSE_ERROR`: nothing of the statement was looked at.
pub const PARSE_ERROR: u16 = 1064;
/// `ER_NO_SUCH_TABLE`.
pub const NO_SUCH_TABLE: u16 = 1146;
/// `ER_WARNING_NOT_COMPLETE_ROLLBACK`: the transaction has changed a table without transactions.
pub const NOT_COMPLETE_ROLLBACK: u16 = 1196;
/// `ER_LOCK_WAIT_TIMEOUT`: of a row's lock, of a metadata lock, and of those that a backup takes. Said of a `COMMIT`, the
/// transaction is rolled back (`ha_commit_trans` of both servers).
pub const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// `ER_LOCK_DEADLOCK`: the transaction is rolled back.
pub const DEADLOCK: u16 = 1213;
/// `ER_SUBQUERY_NO_1_ROW`: how a guard of the books fails.
pub const SUBQUERY_NO_1_ROW: u16 = 1242;
