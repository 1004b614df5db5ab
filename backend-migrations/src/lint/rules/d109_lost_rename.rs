//! D109.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
    sql::change::{Change, Clause, Column},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D109"),
    name: "lost-rename",
    severity: Severity::Warning,
    explain: "\
A column is dropped and one of the same type is added to the same table: that is how a rename looks to a tool that compares two \
schemas. The new column is empty. Dropped and added under the same name, it has lost its values as well.

RENAME COLUMN keeps the values (MySQL 8.0, MariaDB 10.5.2); MODIFY changes a type in place. Where the values are meant to go, \
say so: `-- migration: loses tasks.note <reason>`.",
    check: Check::Script(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, title VARCHAR(50));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP COLUMN title, ADD COLUMN name VARCHAR(50);"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t DROP COLUMN a;\nALTER TABLE t ADD COLUMN a BIGINT;\n")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t RENAME COLUMN title TO name;")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, title VARCHAR(50));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP COLUMN title, ADD COLUMN n INT;"),
        ]),
    ],
};

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    if !script.is_up() {
        return;
    }
    let alters: Vec<_> = script
        .readings
        .iter()
        .filter_map(|reading| match &reading.change {
            Change::AlterTable(alter) => Some(alter),
            _ => None,
        })
        .collect();
    for dropping in &alters {
        for at in &dropping.clauses {
            let Clause::DropColumn { name, .. } = &at.clause else { continue };
            let table = &dropping.name.name;
            if script.declared.loses(table, Some(name)) {
                continue;
            }
            let old = script.before.table(&dropping.name).and_then(|table| table.column(name));
            let added =
                alters.iter().filter(|other| other.name.name == *table).flat_map(|other| &other.clauses);
            let twin = added.filter_map(|at| match &at.clause {
                Clause::AddColumn { column, .. } => Some(column),
                _ => None,
            });
            if let Some(column) = twin.into_iter().find(|column| is_twin(name, old, column)) {
                remarks.push(
                    Remark::new(
                        column.span.clone(),
                        format!("this looks like `{name}` renamed or altered, and is an empty column"),
                    )
                    .hint(if column.name.eq_ignore_ascii_case(name) {
                        format!("`ALTER TABLE {table} MODIFY {name} …` changes the type and keeps the values")
                    } else {
                        format!(
                            "`ALTER TABLE {table} RENAME COLUMN {name} TO {}` keeps the values",
                            column.name
                        )
                    }),
                );
            }
        }
    }
}

fn is_twin(dropped: &str, old: Option<&Column>, added: &Column) -> bool {
    let is_same_type = |old: &Column| {
        let (old, new) = (&old.data_type, &added.data_type);
        old.name == new.name && old.arguments == new.arguments && old.is_unsigned == new.is_unsigned
    };
    added.generated.is_none() && (added.name.eq_ignore_ascii_case(dropped) || old.is_some_and(is_same_type))
}
