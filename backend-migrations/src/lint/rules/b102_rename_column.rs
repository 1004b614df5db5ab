//! B102: a column in use gets another name.

use super::facts::in_use;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("B102"),
    name: "rename-column",
    severity: Severity::Warning,
    explain: "\
Instances with the old code, which run beside the new ones during a release, ask for the old name and \
get 1054 for every such query.

Instead, in releases one after the other: add the new column; write both and copy what is there; read \
the new one; drop the old one.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t RENAME COLUMN a TO b;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t CHANGE COLUMN a b INT NULL;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t CHANGE COLUMN a A BIGINT NULL;"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT PRIMARY KEY); ALTER TABLE t RENAME COLUMN a TO b;",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let (old, new) = match &at.clause.clause {
        Clause::RenameColumn { old, new } => (old, new),
        Clause::ChangeColumn { old, column, .. } => (old, &column.name),
        _ => return,
    };
    // Names of columns have no letter case (MySQL 8.4 manual, 11.2.3).
    if !old.eq_ignore_ascii_case(new) {
        let message = format!(
            "column `{table}.{old}` becomes `{new}`: code that runs during the release knows the old name only"
        );
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
