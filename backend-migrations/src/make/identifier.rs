//! Names of tables, columns and indexes as generated SQL writes them.

use std::borrow::Cow;

/// The longest name a table, column, index or constraint may have (MySQL 8.4 manual, section 11.2.1).
pub(super) const MAX_NAME_CHARS: usize = 64;

/// The name as SQL takes it: in backticks only where it has to be.
///
/// The files are there to be read and edited, and names from a [`MigrationName`](super::MigrationName) are letters,
/// digits and `_` alone: nothing but a reserved word, or a name that begins like a number, needs the backticks.
pub(super) fn quoted(name: &str) -> Cow<'_, str> {
    let is_plain =
        name.starts_with(|c: char| c.is_ascii_lowercase()) && RESERVED_WORDS.binary_search(&name).is_err();
    if is_plain { Cow::Borrowed(name) } else { Cow::Owned(format!("`{name}`")) }
}

/// The name of an index or constraint, such as `idx_tasks_app_id_status`.
///
/// Too long a one is cut, with a checksum of the whole at its end to keep it apart from its like.
pub(super) fn key_name(prefix: &str, table: &str, columns: &[&str]) -> String {
    let name = format!("{prefix}_{table}_{}", columns.join("_"));
    if name.len() <= MAX_NAME_CHARS {
        return name;
    }
    let checksum = format!("_{:08x}", crc32fast::hash(name.as_bytes()));
    format!("{}{checksum}", &name[..MAX_NAME_CHARS - checksum.len()])
}

/// The keywords that a server refused as the name of a table or a column when each was tried: MySQL 9.7.4 and MariaDB
/// 10.11.19, and `manual` and `parallel` of MySQL 8.4 (bug 114874: `information_schema.keywords` is not to be trusted).
#[rustfmt::skip]
const RESERVED_WORDS: &[&str] = &[
    "accessible", "add", "all", "alter", "analyze", "and", "as", "asc", "asensitive", "before", "between",
    "bigint", "binary", "blob", "both", "by", "call", "cascade", "case", "change", "char", "character",
    "check", "collate", "column", "condition", "constraint", "continue", "convert", "create", "cross",
    "cube", "cume_dist", "current_date", "current_role", "current_time", "current_timestamp",
    "current_user", "cursor", "database", "databases", "day_hour", "day_microsecond", "day_minute",
    "day_second", "dec", "decimal", "declare", "default", "delayed", "delete", "delete_domain_id",
    "dense_rank", "desc", "describe", "deterministic", "distinct", "distinctrow", "div", "do_domain_ids",
    "double", "drop", "dual", "each", "else", "elseif", "empty", "enclosed", "escaped", "except", "exists",
    "exit", "explain", "external", "false", "fetch", "first_value", "float", "float4", "float8", "for",
    "force", "foreign", "from", "fulltext", "function", "generated", "get", "grant", "group", "grouping",
    "groups", "having", "high_priority", "hour_microsecond", "hour_minute", "hour_second", "if", "ignore",
    "ignore_domain_ids", "in", "index", "infile", "inner", "inout", "insensitive", "insert", "int", "int1",
    "int2", "int3", "int4", "int8", "integer", "intersect", "interval", "into", "io_after_gtids",
    "io_before_gtids", "is", "iterate", "join", "json_table", "key", "keys", "kill", "lag", "last_value",
    "lateral", "lead", "leading", "leave", "left", "library", "like", "limit", "linear", "lines", "load",
    "localtime", "localtimestamp", "lock", "long", "longblob", "longtext", "loop", "low_priority",
    "manual", "master_demote_to_replica", "master_demote_to_slave", "master_ssl_verify_server_cert",
    "match", "maxvalue", "mediumblob", "mediumint", "mediumtext", "middleint", "minute_microsecond",
    "minute_second", "mod", "modifies", "natural", "no_write_to_binlog", "not", "nth_value", "ntile",
    "null", "numeric", "of", "offset", "on", "optimize", "optimizer_costs", "option", "optionally", "or",
    "order", "out", "outer", "outfile", "over", "page_checksum", "parallel", "parse_vcol_expr",
    "partition", "percent_rank", "portion", "precision", "primary", "procedure", "purge", "qualify",
    "range", "rank", "read", "read_write", "reads", "real", "recursive", "ref_system_id", "references",
    "regexp", "release", "rename", "repeat", "replace", "require", "resignal", "restrict", "return",
    "returning", "revoke", "right", "rlike", "row", "row_number", "rows", "schema", "schemas",
    "second_microsecond", "select", "sensitive", "separator", "set", "show", "signal", "smallint",
    "spatial", "specific", "sql", "sql_big_result", "sql_calc_found_rows", "sql_small_result",
    "sqlexception", "sqlstate", "sqlwarning", "ssl", "starting", "stats_auto_recalc", "stats_persistent",
    "stats_sample_pages", "stored", "straight_join", "system", "table", "tablesample", "terminated",
    "then", "tinyblob", "tinyint", "tinytext", "to", "trailing", "trigger", "true", "undo", "union",
    "unique", "unlock", "unsigned", "update", "usage", "use", "using", "utc_date", "utc_time",
    "utc_timestamp", "values", "varbinary", "varchar", "varcharacter", "varying", "virtual", "when",
    "where", "while", "window", "with", "write", "xor", "year_month", "zerofill",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_words_can_be_searched() {
        assert!(RESERVED_WORDS.is_sorted());
    }

    #[test]
    fn only_what_needs_it_is_quoted() {
        for (name, expected) in [
            ("tasks", "tasks"),
            ("order_lines", "order_lines"),
            ("order", "`order`"),
            ("rank", "`rank`"),
            ("returning", "`returning`"),
            ("2fa_secret", "`2fa_secret`"),
            ("_hidden", "`_hidden`"),
        ] {
            assert_eq!(quoted(name), expected);
        }
    }

    #[test]
    fn a_long_key_name_is_cut_and_still_its_own() {
        let table = "t".repeat(40);
        let a = key_name("idx", &table, &["first_name_of_the_customer"]);
        let b = key_name("idx", &table, &["first_name_of_the_customers"]);
        assert_eq!((a.len(), b.len()), (64, 64));
        assert_ne!(a, b);
        assert_eq!(key_name("uq", "users", &["tenant_id", "email"]), "uq_users_tenant_id_email");
    }
}
