//! M103: rows that are there get a value that nobody chose.

use super::facts::{in_use, is_required};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M103"),
    name: "implicit-value",
    severity: Severity::Warning,
    explain: "\
A column that is added NOT NULL and without a default is filled by the server: '' for text, 0 for \
numbers, the first value of an ENUM. A DATE or DATETIME would be '0000-00-00', which MySQL's default sql_mode refuses \
with 1292 as soon as there is one row: the migration passes on an empty table and fails on a full one. MariaDB writes \
it, and so does MySQL into a TIMESTAMP. A JSON becomes `null`, on MariaDB '', which is no JSON.

Instead: say the value with DEFAULT, or add the column as NULL, fill it, and make it NOT NULL then.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN due DATE NOT NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NOT NULL;"),
            ("20260103000000_u.up.sql", "ALTER TABLE t ADD COLUMN at TIMESTAMP NOT NULL, ADD COLUMN j JSON NOT NULL;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN due DATE NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NOT NULL DEFAULT 0;"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let Clause::AddColumn { column, .. } = &at.clause.clause else { return };
    if !is_required(column) {
        return;
    }
    let what = match column.data_type.name.as_str() {
        "DATE" | "DATETIME" => {
            "MySQL fails with 1292 as soon as there is a row, and MariaDB writes '0000-00-00'".to_owned()
        }
        "TIMESTAMP" => "every row that is there becomes '0000-00-00 00:00:00'".to_owned(),
        "JSON" => "every row that is there becomes `null`, and on MariaDB '', which is no JSON".to_owned(),
        "ENUM" => match column.data_type.arguments.first() {
            Some(value) => format!("every row that is there becomes '{value}'"),
            None => return,
        },
        _ if column.data_type.is_text() => "every row that is there becomes ''".to_owned(),
        _ if column.data_type.is_integer() => "every row that is there becomes 0".to_owned(),
        _ => "every row that is there gets a value that nobody chose".to_owned(),
    };
    let message = format!("`{}.{}` is NOT NULL without a default: {what}", table, column.name);
    found.push(Remark::new(at.clause.span.clone(), message).hint("say the value: DEFAULT …"));
}
