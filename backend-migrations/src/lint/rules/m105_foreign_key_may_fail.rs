//! M105: rows that are there may point to nothing.

use super::{
    facts::{added_column, in_use},
    keys,
};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M105"),
    name: "foreign-key-may-fail",
    severity: Severity::Warning,
    explain: "\
The server looks for the parent of every row and refuses the statement with 1452 at the first one \
without. Where a foreign key is added, such rows are the rule rather than the exception: nothing kept \
them out so far. With `foreign_key_checks = 0` it does not look, and the key promises what is not so.

Look in every tenant first: `SELECT COUNT(*) FROM child LEFT JOIN parent ON parent.id = child.parent_id \
WHERE child.parent_id IS NOT NULL AND parent.id IS NULL`.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD CONSTRAINT fk_t_a FOREIGN KEY (a) REFERENCES p (id);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN p_id INT NULL, ADD CONSTRAINT fk_t_p FOREIGN KEY (p_id) REFERENCES p (id);",
            ),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let Clause::AddForeignKey(key) = &at.clause.clause else { return };
    // A column that comes with this statement and may be NULL points nowhere yet.
    let is_fresh = |column: &String| {
        added_column(at.alter, column).is_some_and(|added| added.may_be_null() && added.default.is_none())
    };
    if key.columns.iter().any(is_fresh) {
        return;
    }
    let parent = &key.parent.name;
    let message = if keys::are_checked(at.statement) {
        format!("the statement fails with 1452 if a row of `{table}` points to no row of `{parent}`")
    } else {
        format!(
            "nobody looks whether each row of `{table}` points to a row of `{parent}`: foreign_key_checks is off"
        )
    };
    found.push(Remark::new(at.clause.span.clone(), message));
}
