//! Puts rows into every table of a database.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    migration::{MigrationSet, Script, Version},
    mysql::{Inspector, Value},
    rows::{Generator, Step, Task},
    schema::{ObjectKind, Snapshot, Table},
    session::SessionError,
    sql::{
        self,
        change::{Change, Clause, ForeignKey, Verb},
    },
};

/// So many candidates are tried for one row.
const N_TRIES: usize = 30;
/// A table with more rows has enough.
const N_COUNTED_MAX: usize = 1_000;
/// So often the tables are gone through: a row from a fixture may be what other tables' rows wait for.
const N_ROUNDS: usize = 3;

/// A table that no row could be put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfilled {
    /// The table.
    pub table: String,
    /// What the server said to the last row that was tried.
    pub error: String,
}

/// Keeps the tables of one database filled while its schema changes.
#[derive(Debug)]
pub struct Filler<'a> {
    seed: u64,
    fixtures: &'a [Script],
    /// The tables as they were when they were filled last.
    filled: BTreeMap<String, Table>,
    /// How many rows they have, as far as that is known.
    counted: BTreeMap<String, u64>,
    /// The tables that migrations put rows of their own into, each with the last one that does.
    seeded: BTreeMap<String, Version>,
    /// The columns that a foreign key of the set uses, in lower case.
    keys: BTreeSet<String>,
}

impl<'a> Filler<'a> {
    /// A filler whose rows depend on `seed`; `fixtures` are files with rows for tables that it cannot fill by itself.
    pub fn new(seed: u64, fixtures: &'a [Script]) -> Self {
        Self {
            seed,
            fixtures,
            filled: BTreeMap::new(),
            counted: BTreeMap::new(),
            seeded: BTreeMap::new(),
            keys: BTreeSet::new(),
        }
    }

    /// Leaves the tables alone that migrations of `set` insert rows of their own into, until the last of them has: rows
    /// that are made up could have the keys of theirs. And gives the columns that a foreign key of the set uses values that
    /// the key finds.
    #[must_use]
    pub fn sparing(mut self, set: &MigrationSet) -> Self {
        for migration in set.iter() {
            for statement in &migration.up.statements {
                let change = sql::read(statement).change;
                self.keys.extend(keys(&change).flat_map(|key| {
                    key.columns.iter().chain(&key.parent_columns).map(|column| column.to_lowercase())
                }));
                let Change::Rows(rows) = change else { continue };
                // What a query gives has the keys of rows that are there.
                let is_seed = matches!(rows.verb, Verb::Insert | Verb::Replace) && !rows.has_query;
                let table = rows.tables.into_iter().next().filter(|_| is_seed);
                self.seeded.extend(table.map(|table| (table.name, migration.version)));
            }
        }
        self
    }

    /// Says that rows may have come and gone since the last call: in these tables, or anywhere.
    pub fn forget(&mut self, tables: Option<&BTreeSet<String>>) {
        self.counted.retain(|name, _| tables.is_some_and(|tables| !tables.contains(name)));
    }

    /// As [`Self::fill`], for a database that `next` is to be applied to.
    ///
    /// # Errors
    ///
    /// As [`Self::fill`].
    pub async fn fill_before(
        &mut self,
        next: Version,
        inspector: &mut Inspector,
        snapshot: &Snapshot,
    ) -> Result<Vec<Unfilled>, SessionError> {
        let mut spared = snapshot.clone();
        spared.tables.retain(|name, _| self.seeded.get(name).is_none_or(|last| *last < next));
        self.fill(inspector, &spared).await
    }

    /// Puts rows into the tables of `snapshot` that are empty, and more rows into those that have other columns than at
    /// the last call, so that each column has values of its own. Gives the tables that stay empty.
    ///
    /// # Errors
    ///
    /// The connection's; a row that the server refuses is no error.
    pub async fn fill(
        &mut self,
        inspector: &mut Inspector,
        snapshot: &Snapshot,
    ) -> Result<Vec<Unfilled>, SessionError> {
        let tables = &snapshot.tables;
        let is_changed = |name: &str, table: &Table| {
            self.filled.get(name).is_some_and(|filled| filled.columns != table.columns)
        };
        let mut more: BTreeSet<String> = tables
            .iter()
            .filter(|(name, table)| is_changed(name, table))
            .map(|(name, _)| name.clone())
            .collect();
        let mut unfilled = Vec::new();
        for _ in 0..N_ROUNDS {
            let unknown = tables.keys().filter(|name| !self.counted.contains_key(*name));
            self.counted.extend(count(inspector, unknown.cloned().collect()).await?);
            let (flavour, present) = (snapshot.server.flavour, self.counted.clone());
            let generator = Generator::new(Task {
                tables,
                flavour,
                present: &present,
                more: &more,
                keys: &self.keys,
                seed: self.seed,
            });
            let refused = insert(inspector, &generator).await?;
            let written: BTreeSet<_> = generator.steps().iter().map(|step| step.table.clone()).collect();
            // Triggers write wherever they like.
            let has_triggers = snapshot.objects.keys().any(|(kind, _)| *kind == ObjectKind::Trigger);
            if !written.is_empty() {
                self.forget((!has_triggers).then_some(&written));
            }
            let is_empty = |name: &str| present.get(name).copied().unwrap_or_default() == 0;
            unfilled.clear();
            for (table, error) in refused {
                if is_empty(&table) {
                    unfilled.push(Unfilled { table, error });
                }
            }
            let mut has_new = false;
            for unfilled in &unfilled {
                has_new |= self.insert_fixtures(inspector, &unfilled.table).await?;
            }
            if !has_new {
                break;
            }
            self.forget(None);
            more.clear();
        }
        self.filled.clone_from(tables);
        Ok(unfilled)
    }

    /// Runs the statements of the fixtures that put rows into this table; gives whether one did.
    async fn insert_fixtures(&self, inspector: &mut Inspector, table: &str) -> Result<bool, SessionError> {
        let mut has_rows = false;
        for statement in self.fixtures.iter().flat_map(|script| &script.statements) {
            let Change::Rows(rows) = sql::read(statement).change else { continue };
            if rows.tables.iter().any(|name| name.name == table) {
                has_rows |= tried(inspector.execute(&*statement.text).await)?.is_ok_and(|n_rows| n_rows > 0);
            }
        }
        Ok(has_rows)
    }
}

/// The foreign keys that a statement makes.
fn keys(change: &Change) -> impl Iterator<Item = &ForeignKey> {
    let (made, clauses) = match change {
        Change::CreateTable(table) => (&table.foreign_keys[..], &[][..]),
        Change::AlterTable(alter) => (&[][..], &alter.clauses[..]),
        _ => (&[][..], &[][..]),
    };
    made.iter().chain(clauses.iter().filter_map(|at| match &at.clause {
        Clause::AddForeignKey(key) => Some(key),
        _ => None,
    }))
}

/// Runs the generator's statements; gives the tables that took none, with what the server said.
async fn insert(
    inspector: &mut Inspector,
    generator: &Generator<'_>,
) -> Result<BTreeMap<String, String>, SessionError> {
    let (mut taken, mut refused) = (BTreeSet::new(), BTreeMap::new());
    for step in generator.steps() {
        let mut next: Option<Step> = Some(step.clone());
        for _ in 0..N_TRIES {
            let Some(step) = next else { break };
            match tried(inspector.execute(&*step.sql).await)? {
                Ok(_) => {
                    taken.insert(step.table);
                    break;
                }
                Err(error) => {
                    next = generator.another(&step);
                    refused.insert(step.table, error);
                }
            }
        }
    }
    refused.retain(|table, _| !taken.contains(table));
    Ok(refused)
}

/// What the server refuses is an answer; that it is gone is not.
fn tried(result: Result<u64, SessionError>) -> Result<Result<u64, String>, SessionError> {
    match result {
        Ok(n_rows) => Ok(Ok(n_rows)),
        Err(error @ SessionError::Server { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// How many rows each of these tables has.
async fn count(
    inspector: &mut Inspector,
    tables: Vec<String>,
) -> Result<BTreeMap<String, u64>, SessionError> {
    if tables.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Of a whole table MySQL counts the rows with threads of its own, which takes longer than the few rows there are.
    let counts: Vec<_> = tables
        .iter()
        .map(|name| {
            let name = name.replace('`', "``");
            format!("(SELECT COUNT(*) FROM (SELECT 1 FROM `{name}` LIMIT {N_COUNTED_MAX}) AS rows_there)")
        })
        .collect();
    let sets = inspector.rows(format!("SELECT {}", counts.join(","))).await?;
    let number = |value: &Value| str::from_utf8(value.as_deref()?).ok()?.parse().ok();
    let counts = sets.iter().flatten().flatten().map(|value| number(value).unwrap_or_default());
    Ok(tables.into_iter().zip(counts).collect())
}
