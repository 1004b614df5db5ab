//! B101: a table in use gets another name.

use super::keys;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause, Name},
};

pub(super) static RULE: Rule = Rule {
    code: Code("B101"),
    name: "rename-table",
    severity: Severity::Warning,
    explain: "\
While a release is rolled out, instances with the old code run beside the new ones, and the old ones ask \
for a name that is gone: every query of theirs fails with 1146.

Instead: make the new table, let both be written, move the readers, drop the old one a release later. Or \
rename it and leave a view with the old name, which reads and writes go through (`CREATE VIEW old AS \
SELECT … FROM new`).

Where another table takes the name in the same statement, the code finds it. But foreign keys of other tables go along with the table that \
they point to, under its new name: drop them before, and add them again after.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "RENAME TABLE t TO u;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t RENAME TO u;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "CREATE TABLE p_new LIKE p; RENAME TABLE p TO p_old, p_new TO p;"),
        ]),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t_new (id INT PRIMARY KEY); RENAME TABLE t_new TO t;",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "CREATE TABLE t_new LIKE t; RENAME TABLE t TO t_old, t_new TO t;"),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let renamed = match &at.reading.change {
        Change::RenameTables(pairs) => {
            pairs.iter().map(|(old, new)| (old, new, old.span.start..new.span.end)).collect::<Vec<_>>()
        }
        Change::AlterTable(alter) => alter
            .clauses
            .iter()
            .filter_map(|clause| match &clause.clause {
                Clause::RenameTo(new) => Some((&alter.name, new, clause.span.clone())),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let takes_its_place = |old: &Name| renamed.iter().any(|(_, new, _)| new.name == old.name);
    for (old, new, span) in &renamed {
        if at.is_new_here(old) {
            continue;
        }
        if !takes_its_place(old) {
            let message = format!(
                "table `{}` becomes `{}`: code that runs during the release knows the old name only",
                old.name, new.name
            );
            found.push(Remark::new(span.clone(), message));
        } else if let Some(part) = keys::referring(at.before, &old.name).find(|part| part.child != old.name) {
            let message = format!(
                "{} goes along to `{}`: it does not point to the new `{}`",
                part.words(),
                new.name,
                old.name
            );
            found.push(
                Remark::new(span.clone(), message)
                    .hint("drop the foreign key before, and add it again after"),
            );
        }
    }
}
