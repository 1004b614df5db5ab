//! D101.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, DatabaseVerb},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D101"),
    name: "drop-database",
    severity: Severity::Error,
    explain: "\
DROP DATABASE takes every table with it, the history among them: the run cannot even record that it did it.

A tenant that goes is removed outside of the migrations, with a backup.",
    check: Check::Statement(check),
    fires: &[Example::files(&[("20260101000000_t.up.sql", "DROP DATABASE IF EXISTS reports;")])],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);")])],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    if let Change::Database { verb: DatabaseVerb::Drop, span, .. } = &statement.reading.change {
        remarks.push(
            Remark::new(span.clone(), "this drops a whole database, and no `down` brings it back")
                .hint("remove databases outside of the migrations, with a backup"),
        );
    }
}
