//! L111: many rows are written in one statement.

use super::facts::{is_known, takes_every_row};
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Name, Verb},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L111"),
    name: "backfill",
    severity: Severity::Warning,
    explain: "\
Each row it touches stays locked until the migration's transaction ends, the undo log grows with it, and \
replicas are as far behind as it took. An INSERT from a query locks the rows it reads as well.

Instead: fill in portions from outside of the migration (`UPDATE … WHERE id BETWEEN … AND …`, or \
`LIMIT`), each committed by itself, and let the next migration build on that.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "UPDATE t SET a = 1;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "UPDATE t SET a = 1 WHERE TRUE;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "INSERT INTO t (id, a) SELECT id + 1000, a FROM t;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE t_new LIKE t; INSERT INTO t_new SELECT * FROM t WHERE a > 1;",
            ),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "UPDATE t SET a = 1 WHERE id = 5;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "INSERT INTO t (id) VALUES (1);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "DELETE FROM t LIMIT 100;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "WITH late AS (SELECT id FROM t WHERE a = 1) UPDATE t JOIN late ON late.id = t.id SET t.a = 2;",
            ),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE n (id INT PRIMARY KEY); UPDATE n SET id = id + 1;",
        )]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let Change::Rows(rows) = &at.reading.change else { return };
    let Some(target) = rows.tables.first() else { return };
    // What this migration made holds what this migration put there.
    let known = |tables: &'_ [Name]| tables.iter().any(|table| is_known(at, table));
    let target_name = &target.name;
    let message = match rows.verb {
        // What a join leaves over, the text does not tell.
        Verb::Update | Verb::Delete if takes_every_row(at, rows) && known(&rows.tables) => {
            format!("every row of `{target_name}` is locked until the migration is done")
        }
        Verb::Insert | Verb::Replace if rows.has_query && (is_known(at, target) || known(&rows.sources)) => {
            format!(
                "the rows that this reads stay locked, and those it puts into `{target_name}`, until the migration is done"
            )
        }
        Verb::Load if is_known(at, target) => {
            format!("all that is loaded into `{target_name}` is locked until the migration is done")
        }
        _ => return,
    };
    found.push(Remark::new(rows.span.clone(), message));
}
