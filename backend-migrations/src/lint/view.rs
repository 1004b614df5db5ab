//! What a rule sees.

use std::collections::BTreeMap;

use super::{BaseFiles, Catalogue, Declared, Table};
use crate::{
    directive::SideFile,
    migration::{Direction, Migration, MigrationSet, Script, Statement},
    sql::change::{AlterTable, Change, ClauseAt, Name, Reading},
};

/// A folder.
#[derive(Debug)]
pub struct SetView<'a> {
    /// Every `.sql` file by name, whatever is in it.
    pub files: &'a BTreeMap<String, Vec<u8>>,
    /// The migrations that could be read.
    pub set: &'a MigrationSet,
    /// The base branch, if one was named.
    pub base: Option<BaseFiles<'a>>,
    /// What `lint.toml` says.
    pub side_file: &'a SideFile,
}

impl SetView<'_> {
    /// What is declared for a migration.
    pub fn declared(&self, migration: &Migration) -> Declared {
        Declared::of(migration, self.side_file)
    }
}

/// A script.
#[derive(Debug)]
pub struct ScriptView<'a> {
    /// The migration it belongs to.
    pub migration: &'a Migration,
    /// Which of its two scripts it is.
    pub direction: Direction,
    /// Its text.
    pub script: &'a Script,
    /// What its statements do, in order.
    pub readings: &'a [Reading],
    /// What is there before it.
    pub before: &'a Catalogue,
    /// What is declared for the migration.
    pub declared: &'a Declared,
}

impl<'a> ScriptView<'a> {
    /// Whether this is the script that applies the migration.
    pub fn is_up(&self) -> bool {
        self.direction == Direction::Up
    }

    /// The statements with what they do.
    pub fn statements(&self) -> impl Iterator<Item = (&'a Statement, &'a Reading)> {
        self.script.statements.iter().zip(self.readings)
    }
}

/// A statement.
#[derive(Debug)]
pub struct StatementView<'a> {
    /// The script it is in.
    pub script: &'a ScriptView<'a>,
    /// Which statement it is, from 0.
    pub at: usize,
    /// What it does.
    pub reading: &'a Reading,
    /// What is there before it.
    pub before: &'a Catalogue,
}

impl<'a> StatementView<'a> {
    /// The statement itself.
    pub fn statement(&self) -> &'a Statement {
        &self.script.script.statements[self.at]
    }

    /// Its bytes in the file.
    pub fn span(&self) -> std::ops::Range<usize> {
        let statement = self.statement();
        statement.offset..statement.offset + statement.text.len()
    }

    /// Whether the table was not there before this script: it holds no rows but those put in here.
    pub fn is_new_here(&self, table: &Name) -> bool {
        table.database.is_none()
            && self.script.readings[..self.at].iter().any(|earlier| match &earlier.change {
                Change::CreateTable(created) => created.name.name == table.name && !created.if_not_exists,
                _ => false,
            })
    }

    /// Its clauses, if it alters a table.
    pub fn clauses(&self) -> impl Iterator<Item = ClauseView<'_>> {
        let alter = match &self.reading.change {
            Change::AlterTable(alter) => Some(alter),
            _ => None,
        };
        alter.into_iter().flat_map(move |alter| {
            let table = self.before.table(&alter.name);
            alter.clauses.iter().map(move |clause| ClauseView { statement: self, alter, table, clause })
        })
    }
}

/// A clause of an `ALTER TABLE`.
#[derive(Debug)]
pub struct ClauseView<'a> {
    /// The statement it is in.
    pub statement: &'a StatementView<'a>,
    /// All clauses of that statement.
    pub alter: &'a AlterTable,
    /// The table as it is before the statement; `None` where that is not known.
    pub table: Option<&'a Table>,
    /// The clause.
    pub clause: &'a ClauseAt,
}

impl ClauseView<'_> {
    /// Whether it is in the script that applies the migration.
    pub fn is_up(&self) -> bool {
        self.statement.script.is_up()
    }

    /// Whether the table was not there before this script.
    pub fn is_new_here(&self) -> bool {
        self.statement.is_new_here(&self.alter.name)
    }
}
