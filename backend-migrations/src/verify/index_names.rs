//! The names that a set's migrations give to indexes.

use std::collections::BTreeSet;

use crate::{
    migration::MigrationSet,
    sql::{
        self,
        change::{Change, Clause, Index},
    },
};

/// The names; an index of any other name is one that the server made by itself.
#[derive(Debug)]
pub(super) struct IndexNames(BTreeSet<String>);

impl IndexNames {
    pub(super) fn of(set: &MigrationSet) -> Self {
        let mut names = BTreeSet::new();
        for statement in set.iter().flat_map(|migration| &migration.up.statements) {
            match sql::read(statement).change {
                Change::CreateTable(table) => names.extend(table.indexes.iter().filter_map(name)),
                Change::AlterTable(alter) => {
                    let made = alter.clauses.iter().filter_map(|at| match &at.clause {
                        Clause::AddIndex { index, .. } => name(index),
                        Clause::RenameIndex { new, .. } => Some(new.to_lowercase()),
                        _ => None,
                    });
                    names.extend(made);
                }
                _ => {}
            }
        }
        Self(names)
    }

    /// Whether a migration makes an index of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name.to_lowercase())
    }
}

fn name(index: &Index) -> Option<String> {
    index.name.as_ref().map(|name| name.to_lowercase())
}
