//! X022.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("X022"),
    name: "bare-select",
    severity: Severity::Warning,
    explain: "\
Nobody reads what a SELECT in a migration gives. It is left over from trying something out, or it is meant as a check that \
checks nothing: a query without rows is no error.

Take it out. A precondition that must stop the run can be a constraint, or a SIGNAL in a procedure.",
    check: Check::Statement(check),
    fires: &[Example::files(&[("20260101000000_t.up.sql", "SELECT COUNT(*) FROM tasks;")])],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "SELECT COUNT(*) INTO @n FROM tasks;")]),
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t SELECT 1;")]),
    ],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    // A `down` that does nothing but this is X028's.
    let is_all = statement.script.readings.len() == 1;
    if statement.reading.change != (Change::Query { into: false }) || is_all && !statement.script.is_up() {
        return;
    }
    let hint =
        if is_all { "take it out; where nothing is to be done, say so: `DO 0;`" } else { "take it out" };
    remarks.push(Remark::new(statement.span(), "nobody reads what this query gives").hint(hint));
}
