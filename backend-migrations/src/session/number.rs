//! Servers' numbers for errors and warnings that decide what happens next (MySQL's and MariaDB's error references).

/// `ER_BAD_FIELD_ERROR`: no such column.
pub const BAD_FIELD: u16 = 1054;
/// `ER_UNKNOWN_TABLE`: a statement reads a table that it does not name.
pub const UNKNOWN_TABLE: u16 = 1109;
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
/// `ER_SP_DOES_NOT_EXIST`: no such routine.
pub const NO_SUCH_ROUTINE: u16 = 1305;
/// `ER_VIEW_INVALID`: a view names what is not there, or its definer may not read it.
pub const INVALID_VIEW: u16 = 1356;
/// `ER_NO_SUCH_USER`: the account that is the definer is not there.
pub const NO_SUCH_DEFINER: u16 = 1449;
/// `ER_UNKNOWN_SEQUENCES` (MariaDB).
pub const NO_SUCH_SEQUENCE: u16 = 4091;
/// `ER_SUBQUERY_NO_1_ROW`: how a guard of the books fails.
pub const SUBQUERY_NO_1_ROW: u16 = 1242;

/// Whether a server says this of a statement before it has done anything of it: it does not parse, the account may not do
/// it, the server is read-only. A privilege is asked for on all that a statement names before the first of it changes.
///
/// Nothing is said of the statements that another one runs (`CALL`): those before the refused one may have done their work.
pub fn is_refusal(number: u16) -> bool {
    /// `ER_DBACCESS_DENIED_ERROR`, `ER_TABLEACCESS_DENIED_ERROR`, `ER_COLUMNACCESS_DENIED_ERROR`,
    /// `ER_SPECIFIC_ACCESS_DENIED_ERROR`, `ER_PROCACCESS_DENIED_ERROR`.
    const DENIED: [u16; 5] = [1044, 1142, 1143, 1227, 1370];
    /// `ER_OPTION_PREVENTS_STATEMENT`, said of `read_only` and `super_read_only`; `ER_READ_ONLY_MODE`.
    const READ_ONLY: [u16; 2] = [1290, 1836];
    number == PARSE_ERROR || DENIED.contains(&number) || READ_ONLY.contains(&number)
}
