//! S109: a counter that runs out early.

use super::facts::defined_columns;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S109"),
    name: "small-counter",
    severity: Severity::Warning,
    explain: "\
An AUTO_INCREMENT column counts every INSERT, also those that are rolled back. A TINYINT ends at 127, a \
SMALLINT at 32,767, a MEDIUMINT at 8,388,607; from then on every INSERT fails with 1062 or 167. To widen \
it copies the table while writers wait (L101), and the foreign keys that use it must go first (M112).

Say BIGINT UNSIGNED: four bytes more a row.",
    check: Check::Statement(check),
    fires: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id SMALLINT NOT NULL AUTO_INCREMENT PRIMARY KEY);",
    )])],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY);",
        )]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id SMALLINT NOT NULL PRIMARY KEY);")]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    for column in defined_columns(&at.reading.change) {
        if column.auto_increment
            && let Some(bytes) = column.data_type.integer_bytes()
            && bytes < 4
        {
            let bits = u32::from(bytes) * 8 - u32::from(!column.data_type.is_unsigned);
            let message = format!("`{}` counts to {} and no further", column.name, 2_u64.pow(bits) - 1);
            found.push(Remark::new(column.data_type.span.clone(), message).hint("BIGINT UNSIGNED"));
        }
    }
}
