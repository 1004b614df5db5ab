//! What is declared for one migration, and whether it is needed.

use super::{Remark, catalogue::Catalogue};
use crate::{
    directive::{Declaration, Directive, Loss, SideFile, declarations},
    finding::Spot,
    migration::Migration,
    sql::change::{Change, Clause, Reading, Verb},
};

/// The declarations in both files of a migration and in `lint.toml`.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    declarations: Vec<Declaration>,
}

impl Declared {
    pub(super) fn of(migration: &Migration, side_file: &SideFile) -> Self {
        let scripts = std::iter::once(&migration.up).chain(migration.down.as_ref());
        let mut all: Vec<_> = scripts.flat_map(declarations).collect();
        all.extend(side_file.declarations_for(migration.version).cloned());
        Self { declarations: all }
    }

    /// Whether what `column` of `table` holds may go; all of the table where no column is named.
    pub fn loses(&self, table: &str, column: Option<&str>) -> bool {
        self.declarations.iter().any(|declaration| match &declaration.directive {
            Directive::Loses(loss) => loss.covers(table, column),
            _ => false,
        })
    }

    /// Whether nothing needs to undo the migration.
    pub fn is_irreversible(&self) -> bool {
        self.has(&Directive::Irreversible)
    }

    /// Whether writes may be blocked.
    pub fn blocks_writes(&self) -> bool {
        self.has(&Directive::BlocksWrites)
    }

    fn has(&self, directive: &Directive) -> bool {
        self.declarations.iter().any(|declaration| declaration.directive == *directive)
    }

    /// What is wrong with the declarations themselves.
    pub(super) fn problems(
        &self,
        migration: &Migration,
        up: &[Reading],
        down: Option<&[Reading]>,
    ) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for Declaration { directive, reason, at } in &self.declarations {
            if let Directive::Unknown(word) = directive {
                let message = match word.as_str() {
                    "" => "this directive says nothing".to_owned(),
                    "loses" => "`loses` names no table or column".to_owned(),
                    word => format!("there is no directive `{word}`"),
                };
                remarks.push(Remark::at(at.clone(), message).hint(
                    "the directives are `irreversible`, `loses TABLE`, `loses TABLE.COLUMN` and `blocks-writes`, each \
                     with its reason after it",
                ));
                continue;
            }
            if reason.is_none() {
                remarks.push(
                    Remark::at(at.clone(), "this directive gives no reason")
                        .hint("say after it why that is all right: a reviewer will ask"),
                );
            }
            if let Some(why) = needless(directive, migration, up, down) {
                remarks.push(
                    Remark::at(at.clone(), format!("nothing needs this directive: {why}"))
                        .hint("take it out, so that it does not cover something that comes later"),
                );
            }
        }
        remarks
    }
}

/// Why nothing needs the directive, if the text can tell.
fn needless(
    directive: &Directive,
    migration: &Migration,
    up: &[Reading],
    down: Option<&[Reading]>,
) -> Option<String> {
    let changes = || up.iter().chain(down.unwrap_or_default()).map(|reading| &reading.change);
    match directive {
        Directive::Irreversible => {
            let undone_by = migration.down.as_ref().filter(|down| down.does_something())?;
            Some(format!("`{}` undoes the migration", undone_by.file_name))
        }
        Directive::Loses(loss) => (!changes().any(|change| may_lose(change, loss)))
            .then(|| format!("no statement takes anything from `{}`", loss.table)),
        Directive::BlocksWrites => {
            let alters = |change: &Change| {
                matches!(change, Change::AlterTable(_) | Change::Maintenance(_)) || is_obscure(change)
            };
            let takes_rows = |change: &Change| matches!(change, Change::Rows(_));
            (!changes().any(|change| alters(change) || takes_rows(change)))
                .then(|| "no statement changes a table that may be in use".to_owned())
        }
        Directive::Unknown(_) => None,
    }
}

fn is_obscure(change: &Change) -> bool {
    matches!(change, Change::Unknown | Change::Call(_) | Change::Prepared(..))
}

fn may_lose(change: &Change, loss: &Loss) -> bool {
    let is_it = |name: &crate::sql::change::Name| name.name == loss.table;
    match change {
        Change::DropTables { names, .. } => names.iter().any(is_it),
        Change::Truncate(name) => is_it(name),
        Change::Rows(rows) => rows.verb != Verb::Insert && rows.tables.iter().any(is_it),
        Change::RenameTables(pairs) => pairs.iter().any(|(old, new)| is_it(old) || is_it(new)),
        Change::CreateTable(table) => table.or_replace && is_it(&table.name),
        Change::AlterTable(alter) => {
            is_it(&alter.name) && alter.clauses.iter().any(|at| clause_may_lose(&at.clause, loss))
        }
        change => is_obscure(change),
    }
}

fn clause_may_lose(clause: &Clause, loss: &Loss) -> bool {
    let is_it = |name: &str| loss.column.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(name));
    match clause {
        Clause::DropColumn { name, .. } => is_it(name),
        Clause::ModifyColumn { column, .. } => is_it(&column.name),
        Clause::ChangeColumn { old, column, .. } => is_it(old) || is_it(&column.name),
        Clause::Convert { .. }
        | Clause::DropPartitions(_)
        | Clause::TruncatePartitions(_)
        | Clause::Partitions(_)
        | Clause::RenameTo(_)
        | Clause::Unknown => true,
        _ => false,
    }
}

/// What `up` and `down` together leave and take.
pub(super) fn inverse(file_name: &str, before: &Catalogue, undone: &Catalogue) -> Vec<Remark> {
    let (Some(left), Some(taken)) = (undone.beyond(before), before.beyond(undone)) else { return Vec::new() };
    // What is changed is in both lists.
    let at = || Spot { file_name: file_name.to_owned(), line: 1, span: None };
    let mut remarks = Vec::new();
    if !left.is_empty() && taken.is_empty() {
        remarks.push(Remark::at(at(), format!("after `up` and `down` there is still {}", left.join(", "))));
    } else if !taken.is_empty() && left.is_empty() {
        remarks
            .push(Remark::at(at(), format!("after `up` and `down` there is no longer {}", taken.join(", "))));
    } else if !taken.is_empty() {
        let names: std::collections::BTreeSet<_> = left.into_iter().chain(taken).collect();
        let names: Vec<_> = names.into_iter().collect();
        remarks.push(Remark::at(
            at(),
            format!("after `up` and `down` it is not as before: {}", names.join(", ")),
        ));
    }
    remarks
        .into_iter()
        .map(|remark| remark.hint("undo in `down` all that `up` does, last things first; `migrate:verify` proves it on a server"))
        .collect()
}
