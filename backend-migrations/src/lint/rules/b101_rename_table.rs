//! B101: a table in use gets another name.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause},
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
SELECT … FROM new`).",
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
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t_new (id INT PRIMARY KEY); RENAME TABLE t_new TO t;",
    )])],
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
    for (old, new, span) in renamed {
        if !at.is_new_here(old) {
            let message = format!(
                "table `{}` becomes `{}`: code that runs during the release knows the old name only",
                old.name, new.name
            );
            found.push(Remark::new(span, message));
        }
    }
}
