//! What several rules ask about the foreign keys that are there.

use crate::{
    lint::{Catalogue, ClauseView, StatementView},
    sql::change::{AlterTable, Change, Clause, ForeignKey, Scope},
};

/// A foreign key, seen from one of its two tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The table that has it.
    pub(super) child: &'a str,
    /// The key.
    pub(super) key: &'a ForeignKey,
    /// Whether it is seen from the table that it points to.
    pub(super) is_parent: bool,
}

impl<'a> Part<'a> {
    /// `` the foreign key `fk_tasks_app` of `tasks` ``.
    pub(super) fn words(self) -> String {
        match &self.key.name {
            Some(name) => format!("the foreign key `{name}` of `{}`", self.child),
            None => format!("a foreign key of `{}`", self.child),
        }
    }

    /// Its columns in the table it is seen from.
    pub(super) fn columns(self) -> &'a [String] {
        if self.is_parent { &self.key.parent_columns } else { &self.key.columns }
    }

    /// Whether this column of the table it is seen from is one of its columns.
    pub(super) fn has(self, column: &str) -> bool {
        self.columns().iter().any(|own| own.eq_ignore_ascii_case(column))
    }
}

/// The foreign keys of all tables that point to `table`; those of the table itself among them.
pub(super) fn referring<'a>(catalogue: &'a Catalogue, table: &str) -> impl Iterator<Item = Part<'a>> {
    catalogue.tables().flat_map(move |(child, known)| {
        let keys = known.foreign_keys.iter();
        keys.filter(move |key| key.parent.database.is_none() && key.parent.name == table)
            .map(move |key| Part { child, key, is_parent: true })
    })
}

/// The foreign keys that the clause's table takes part in and that its statement does not drop.
pub(super) fn in_force<'a>(at: &'a ClauseView<'a>) -> Vec<Part<'a>> {
    let table = at.alter.name.name.as_str();
    let own = at.table.into_iter().flat_map(|known| &known.foreign_keys);
    own.map(|key| Part { child: table, key, is_parent: false })
        .chain(referring(at.statement.before, table))
        .filter(|part| part.child != table || !drops(at.alter, part.key))
        .collect()
}

fn drops(alter: &AlterTable, key: &ForeignKey) -> bool {
    alter.clauses.iter().any(|at| match &at.clause {
        // A key without a name is dropped by the one that the server made up.
        Clause::DropForeignKey { name, .. } | Clause::DropConstraint { name, .. } => {
            key.name.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(name))
        }
        _ => false,
    })
}

/// Whether `foreign_key_checks` is on for the statement, as far as its own script says.
pub(super) fn are_checked(at: &StatementView<'_>) -> bool {
    let mut earlier = at.script.readings[..at.at].iter().flat_map(|reading| match &reading.change {
        Change::Set(assignments) => assignments.as_slice(),
        _ => &[],
    });
    let switched = earlier.rfind(|set| set.scope == Scope::Session && set.name == "foreign_key_checks");
    switched.is_none_or(|set| !matches!(set.value.to_ascii_uppercase().as_str(), "0" | "OFF" | "FALSE"))
}
