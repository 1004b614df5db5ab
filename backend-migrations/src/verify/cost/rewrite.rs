//! How the same change is made without blocking writes.

use crate::{
    finding::CostClass,
    migration::Statement,
    sql::{
        self,
        change::{AlterTable, Change, Clause, Column, Default, Generated, IndexKind},
    },
};

const IN_STEPS: &str = "expand and contract: add a new column, let the application write both, fill the new one in batches, read \
                        from it, and drop the old one in a later migration";

/// What to write instead of `statement`, which costs `class`.
pub(super) fn rewrite(statement: &Statement, class: CostClass) -> &'static str {
    let Change::AlterTable(AlterTable { clauses, .. }) = sql::read(statement).change else { return IN_STEPS };
    let clauses: Vec<_> = clauses.into_iter().map(|at| at.clause).collect();
    let drops_primary = clauses.contains(&Clause::DropPrimaryKey);
    let adds_primary = clauses.iter().any(|clause| adds_index(clause) == Some(IndexKind::Primary));
    if drops_primary && !adds_primary {
        return "give the table its new primary key in the same ALTER TABLE: dropped and added together, it is done in place";
    }
    let known = clauses.iter().find_map(|clause| by_clause(clause, class));
    match known {
        // Only the dearest clause has to pay, and the cheap ones are done at once.
        _ if clauses.len() > 1 && class >= CostClass::InPlaceBlocking => {
            "split it: one clause a statement, in migrations of their own, so that the cheap clauses stay cheap and the server \
             says which is not"
        }
        Some(rewrite) => rewrite,
        None if class == CostClass::Rebuild => {
            "leave it out, or run it when the disk has room for a second copy and the replicas may lag"
        }
        None => IN_STEPS,
    }
}

fn adds_index(clause: &Clause) -> Option<IndexKind> {
    match clause {
        Clause::AddIndex { index, .. } => Some(index.kind),
        _ => None,
    }
}

fn by_clause(clause: &Clause, class: CostClass) -> Option<&'static str> {
    Some(match clause {
        Clause::AddForeignKey(_) => {
            "look for rows without a parent first, then add the key with `SET foreign_key_checks = 0;` before it in the same \
             file: nothing is copied then, and nothing checked"
        }
        Clause::AddCheck(_) => {
            "let the application keep the rule, and add the CHECK when the table may wait; on MySQL `NOT ENFORCED` costs \
             nothing, and checks nothing"
        }
        Clause::AddColumn { column, .. } => added_column(column),
        Clause::ModifyColumn { column, .. } | Clause::ChangeColumn { column, .. } => {
            changed_column(column, class)
        }
        Clause::Convert { .. } => {
            "convert column by column, each by expand and contract; `DEFAULT CHARACTER SET` alone changes what later columns get, \
             and touches no row"
        }
        Clause::AddIndex { index, .. } => match index.kind {
            IndexKind::FullText | IndexKind::Spatial | IndexKind::Vector => {
                "writes wait while such an index is built: build it when few write, or on a new table that is then filled and \
                 renamed"
            }
            IndexKind::Primary => "add a unique key over the same columns, which is done in place",
            IndexKind::Unique | IndexKind::Plain => {
                "index a column instead of an expression, or add the generated column in a migration before this one"
            }
        },
        Clause::PartitionBy | Clause::RemovePartitioning | Clause::Partitions(_) => {
            "make a new table with the partitions, fill it in batches, and rename the two"
        }
        _ => return None,
    })
}

fn added_column(column: &Column) -> &'static str {
    if column.generated == Some(Generated::Stored) {
        "make it VIRTUAL: that is done at once, and an index keeps its values where they have to be found quickly"
    } else if column.check.is_some() {
        "add the column without the CHECK, and the CHECK by itself when the table may wait"
    } else if matches!(column.default, Some(Default::Expression(_))) {
        "add the column without the computed default, fill it in batches, and set the default afterwards"
    } else {
        "add the column by itself, without a default that is computed, a CHECK or a key"
    }
}

fn changed_column(column: &Column, class: CostClass) -> &'static str {
    match column.data_type.name.as_str() {
        _ if class == CostClass::Rebuild => {
            "run it when the disk has room for a second copy and the replicas may lag"
        }
        "ENUM" | "SET" => "append new words behind the old ones, which is done at once, and take none away",
        "VARCHAR" => {
            "widen it while its length still takes one byte (up to 255 bytes, so 63 characters of utf8mb4) or takes two already; \
             else expand and contract: add a wider column, write both, fill it in batches, and drop the old one later"
        }
        _ => IN_STEPS,
    }
}
