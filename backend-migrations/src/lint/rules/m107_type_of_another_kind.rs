//! M107: a column gets a type of another kind.

use super::facts::{in_use, redefined};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M107"),
    name: "type-of-another-kind",
    severity: Severity::Warning,
    explain: "\
Each value is converted. What has no counterpart ends the statement in strict mode (1265, 1292, 1366, \
1406, for JSON 3140 or on MariaDB 4025), and without it becomes 0, '' or something shorter. That depends on the rows, so it passes with \
test data.

Instead: add a column of the new type, fill it with a conversion that you choose, look at what is left, \
and drop the old column a release later. Narrower types of the same kind are D106's.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT '');",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN name INT NOT NULL DEFAULT 0;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN a DATE NULL;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN a BIGINT NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN a DECIMAL(20, 2) NULL;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT '');",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN name TEXT NOT NULL;"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let Some((old, new)) = redefined(at) else { return };
    let (Some(from), Some(to)) = (kind(&old.data_type.name), kind(&new.data_type.name)) else { return };
    if from != to && !is_harmless(from, to) {
        let message = format!(
            "`{}.{}` is {} and becomes {}: what does not convert ends the statement",
            table, old.name, old.data_type.name, new.data_type.name
        );
        found.push(Remark::new(new.data_type.span.clone(), message));
    }
}

/// Kinds of values, as far as a conversion between two of them may fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Decimal,
    Float,
    Text,
    Bytes,
    List,
    Date,
    Time,
    Json,
    Place,
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "YEAR" | "BIT" => Kind::Integer,
        "DECIMAL" => Kind::Decimal,
        "FLOAT" | "DOUBLE" => Kind::Float,
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" => Kind::Text,
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => Kind::Bytes,
        "ENUM" | "SET" => Kind::List,
        "DATE" | "DATETIME" | "TIMESTAMP" => Kind::Date,
        "TIME" => Kind::Time,
        "JSON" => Kind::Json,
        "POINT" | "LINESTRING" | "POLYGON" | "GEOMETRY" => Kind::Place,
        _ => return None,
    })
}

/// Whether every value has its counterpart, if there is room for it.
fn is_harmless(from: Kind, to: Kind) -> bool {
    matches!((from, to), (Kind::Integer, Kind::Decimal | Kind::Float) | (Kind::Decimal, Kind::Float))
        || (to == Kind::Text && !matches!(from, Kind::Bytes | Kind::Place))
        || (from == Kind::Text && to == Kind::Bytes)
}
