//! X018.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X018"),
    name: "masking-exists",
    severity: Severity::Warning,
    explain: "\
`CREATE TABLE IF NOT EXISTS` succeeds where a table of that name is there already, whatever its columns are. The history then \
says that this tenant has the migration, and its schema is another than all others'. `DROP … IF EXISTS` hides the same.

Leave it out: the history knows whether the migration ran, and where it does not, an error is the better answer.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY);")]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT;")]),
        Example::files(&[("20260101000000_t.up.sql", "DROP VIEW IF EXISTS v;")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);")]),
        Example::files(&[("20260101000000_t.up.sql", "DROP TEMPORARY TABLE IF EXISTS t;")]),
    ],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    let (words, is_said) = match &statement.reading.change {
        Change::CreateTable(table) => ("IF NOT EXISTS", table.if_not_exists && !table.temporary),
        Change::Create(object) => ("IF NOT EXISTS", object.if_not_exists),
        Change::DropTables { if_exists, temporary, .. } => ("IF EXISTS", *if_exists && !temporary),
        Change::Drop { if_exists, .. } => ("IF EXISTS", *if_exists),
        Change::AlterTable(alter) if alter.if_exists => ("IF EXISTS", true),
        Change::AlterTable(alter) => {
            alter.clauses.iter().map(|at| said(&at.clause)).find(|said| said.1).unwrap_or_default()
        }
        _ => return,
    };
    if !is_said {
        return;
    }
    let span = statement.span();
    let at =
        statement.statement().text.to_ascii_uppercase().find("IF ").map_or(span.start, |at| span.start + at);
    let remark = Remark::new(
        at..(at + words.len()).min(span.end),
        format!("`{words}` hides that a tenant's schema is not what its history says"),
    )
    .hint("leave it out: an error says on which tenant something is not as it should be");
    // An undo is run by people, who are told what it did not find.
    remarks.push(if statement.script.is_up() { remark } else { remark.weighs(Severity::Note) });
}

fn said(clause: &Clause) -> (&'static str, bool) {
    match clause {
        Clause::AddColumn { if_not_exists, .. } | Clause::AddIndex { if_not_exists, .. } => {
            ("IF NOT EXISTS", *if_not_exists)
        }
        Clause::ModifyColumn { if_exists, .. }
        | Clause::ChangeColumn { if_exists, .. }
        | Clause::DropColumn { if_exists, .. }
        | Clause::DropIndex { if_exists, .. }
        | Clause::DropForeignKey { if_exists, .. }
        | Clause::DropConstraint { if_exists, .. } => ("IF EXISTS", *if_exists),
        _ => ("", false),
    }
}
