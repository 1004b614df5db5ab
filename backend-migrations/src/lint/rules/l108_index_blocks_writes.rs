//! L108: an index that is made while writers wait.

use super::facts::{added_column, may_not_block};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, Generated, Index, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L108"),
    name: "index-blocks-writes",
    severity: Severity::Warning,
    explain: "\
FULLTEXT and SPATIAL indexes, those over a VIRTUAL column that comes with the same statement, and on MySQL \
those over an expression are made with LOCK=SHARED: readers go on, writers wait. The first FULLTEXT index of a table writes all of it anew, for a hidden column.

Add a VIRTUAL column in one statement, and its index in the next. The others: make them at a quiet time, or fill a copy of the table that has the index already.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT '');",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD FULLTEXT INDEX ft_t_name (name);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "CREATE INDEX idx_t_a1 ON t ((a + 1));"),
            ("20260103000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT AS (a + 1) VIRTUAL, ADD INDEX idx_t_b (b);"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a);"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name TEXT, FULLTEXT INDEX ft (name));",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !may_not_block(at) {
        return;
    }
    let table = &at.alter.name.name;
    let Clause::AddIndex { index, .. } = &at.clause.clause else { return };
    let what = match index.kind {
        IndexKind::FullText => "FULLTEXT",
        IndexKind::Spatial => "SPATIAL",
        IndexKind::Plain | IndexKind::Unique if index.parts.iter().any(|part| part.column.is_none()) => {
            "functional"
        }
        IndexKind::Plain | IndexKind::Unique if is_over_new_virtual_column(at, index) => "virtual column's",
        _ => return,
    };
    found.push(Remark::new(
        at.clause.span.clone(),
        format!("writers of `{table}` wait until this {what} index is made"),
    ));
}

fn is_over_new_virtual_column(at: &ClauseView<'_>, index: &Index) -> bool {
    index.parts.iter().filter_map(|part| part.column.as_deref()).any(|name| {
        added_column(at.alter, name).is_some_and(|column| column.generated == Some(Generated::Virtual))
    })
}
