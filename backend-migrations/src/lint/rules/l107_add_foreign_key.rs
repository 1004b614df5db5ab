//! L107: a foreign key on a table in use copies it.

use super::{facts::may_not_block, keys};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L107"),
    name: "add-foreign-key",
    severity: Severity::Warning,
    explain: "\
With `foreign_key_checks` on, as it is, both servers copy the table to look at every row, keep its \
writers waiting, and lock the other table's definition as well.

Instead: define the key with the table, or add the column together with its key while the table is \
small. `foreign_key_checks=0` is quick and does not look at the rows: the key then promises what nobody \
has checked.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD CONSTRAINT fk_t_a FOREIGN KEY (a) REFERENCES p (id);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (id INT PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "SET foreign_key_checks = 0; ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES t (id);",
            ),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !may_not_block(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::AddForeignKey(key) = &at.clause.clause
        && keys::are_checked(at.statement)
    {
        let parent = &key.parent.name;
        let message = if parent == table {
            format!("`{table}` is copied while its writers wait")
        } else {
            format!("`{table}` is copied while its writers wait, and `{parent}` is locked as well")
        };
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
