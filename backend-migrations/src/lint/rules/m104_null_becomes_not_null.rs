//! M104: a column that may hold NULL becomes NOT NULL.

use super::facts::{in_use, redefined};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M104"),
    name: "null-becomes-not-null",
    severity: Severity::Warning,
    explain: "\
The first row with NULL in it ends the statement with 1138 or 1265, and one without strict mode turns \
NULL into '' or 0. Test data seldom has such rows.

Instead: release code that writes no NULL; fill what is there in a migration of its own (`UPDATE … SET a \
= … WHERE a IS NULL`, in portions where there is much); make the column NOT NULL then.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN a INT NOT NULL;"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN a BIGINT NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT, PRIMARY KEY (id));"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN id BIGINT NOT NULL;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT '');",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN name VARCHAR(60) NOT NULL DEFAULT '';"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT); ALTER TABLE t MODIFY COLUMN a INT NOT NULL;",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Some((old, new)) = redefined(at)
        && old.may_be_null()
        && new.is_whole
        && !new.may_be_null()
    {
        let message = format!(
            "`{}.{}` may hold NULL and becomes NOT NULL: the statement fails at the first row with one",
            table, old.name
        );
        let hint = format!("look first: SELECT COUNT(*) FROM `{}` WHERE `{}` IS NULL", table, old.name);
        found.push(Remark::new(at.clause.span.clone(), message).hint(hint));
    }
}
