//! V106: the rows that were there before are there after `up` and `down`, as they were.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    directive::{Declaration, Directive, Loss},
    finding::{Code, Finding, Severity, Spot},
    migration::Migration,
    mysql::{Inspector, Value},
    schema::{ObjectKind, Snapshot},
    session::SessionError,
};

/// The rows of a database's tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    tables: BTreeMap<String, TableContent>,
}

/// The rows of a table, without what the server computes and what any write changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TableContent {
    columns: Vec<String>,
    /// The columns of the primary key; none where there is none.
    key: Vec<String>,
    /// Whether triggers of the database write into it, so that rows of theirs are no surprise.
    is_written_by_triggers: bool,
    rows: Vec<Vec<Value>>,
}

/// What is not as it was. It names tables and columns and never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Rows that are gone.
    Gone {
        /// The table.
        table: String,
        /// How many.
        n_rows: usize,
        /// Of how many.
        n_before: usize,
    },
    /// Rows that hold another value in a column.
    Changed {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// How many.
        n_rows: usize,
        /// Of how many.
        n_before: usize,
    },
    /// Rows that were not there.
    Added {
        /// The table.
        table: String,
        /// How many.
        n_rows: usize,
    },
}

impl Content {
    /// Reads all rows of the tables that `is_wanted` accepts, in one round trip. The values are text as the server prints it, in sessions of equal settings, so
    /// equal texts are equal values.
    ///
    /// # Errors
    ///
    /// What the server or the connection said.
    pub async fn read(
        inspector: &mut Inspector,
        snapshot: &Snapshot,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, SessionError> {
        let wanted = snapshot.tables.keys().filter(|name| is_wanted(name));
        let mut tables: BTreeMap<_, _> =
            wanted.map(|name| (name.clone(), TableContent::of(snapshot, name))).collect();
        let mut sql = String::new();
        for (name, rows) in &tables {
            let all = &snapshot.tables[name].columns;
            let is_vector =
                |name: &str| all.iter().any(|c| c.name == name && c.column_type.starts_with("vector"));
            // The driver knows no vectors (sqlx 0.9, column type 0xf2).
            let shown = |column: &String| {
                if is_vector(column) { format!("HEX({})", quote(column)) } else { quote(column) }
            };
            let columns: Vec<_> = rows.columns.iter().map(shown).collect();
            // A table may have nothing but what the server computes.
            let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(",") };
            let _ = write!(sql, "SELECT {columns} FROM {};", quote(name));
        }
        if !tables.is_empty() {
            let sets = inspector.rows(sql).await?;
            for (rows, set) in tables.values_mut().zip(sets) {
                rows.rows = set;
            }
        }
        Ok(Self { tables })
    }

    /// What `after` has otherwise, in columns that are in both.
    pub fn compare(&self, after: &Self) -> Vec<Difference> {
        let nothing = TableContent::default();
        let mut differences = Vec::new();
        for (table, before) in &self.tables {
            let after = after.tables.get(table).unwrap_or(&nothing);
            // Most tables are not touched at all.
            if before != after {
                differences.extend(before.compare(table, after));
            }
        }
        differences
    }
}

impl TableContent {
    fn of(snapshot: &Snapshot, name: &str) -> Self {
        let table = &snapshot.tables[name];
        let definition = snapshot.objects.get(&(ObjectKind::Table, name.to_owned()));
        let changes_with_any_write = |column: &str| {
            let begins = format!("{} ", quote(column));
            let lines = definition.into_iter().flat_map(|definition| definition.lines());
            lines.map(str::trim_start).any(|line| line.starts_with(&begins) && line.contains(" ON UPDATE "))
        };
        let columns = table.columns.iter().filter(|column| !column.is_generated).map(|column| &column.name);
        let primary = table.keys.iter().find(|key| key.name == "PRIMARY");
        let triggers = snapshot.objects.iter().filter(|((kind, _), _)| *kind == ObjectKind::Trigger);
        Self {
            columns: columns.filter(|column| !changes_with_any_write(column)).cloned().collect(),
            key: primary.iter().flat_map(|key| &key.parts).filter_map(|part| part.column.clone()).collect(),
            is_written_by_triggers: triggers
                .into_iter()
                .any(|(_, definition)| mentions(trigger_body(definition), name)),
            rows: Vec::new(),
        }
    }

    fn compare(&self, table: &str, after: &Self) -> Vec<Difference> {
        let places: Vec<_> = self
            .columns
            .iter()
            .enumerate()
            .filter_map(|(at, column)| {
                Some((at, after.columns.iter().position(|other| other.eq_ignore_ascii_case(column))?))
            })
            .collect();
        let is_key = |at: usize| self.key.contains(&self.columns[at]);
        let key: Vec<_> = places.iter().copied().filter(|(at, _)| is_key(*at)).collect();
        let n_before = self.rows.len();
        let (n_gone, changed) = if !key.is_empty() && key.len() == self.key.len() {
            self.compare_by_key(after, &key, &places)
        } else {
            self.compare_as_bags(after, &places)
        };
        let mut differences = Vec::new();
        let table = || table.to_owned();
        if n_gone > 0 {
            differences.push(Difference::Gone { table: table(), n_rows: n_gone, n_before });
        }
        for (at, n_rows) in changed {
            let column = self.columns[at].clone();
            differences.push(Difference::Changed { table: table(), column, n_rows, n_before });
        }
        let n_added = (after.rows.len() + n_gone).saturating_sub(n_before);
        if n_added > 0 && !self.is_written_by_triggers {
            differences.push(Difference::Added { table: table(), n_rows: n_added });
        }
        differences
    }

    /// How many rows are gone, and in how many each column has changed.
    fn compare_by_key(&self, after: &Self, key: &[(usize, usize)], places: &[(usize, usize)]) -> Losses {
        let found: BTreeMap<Vec<&Value>, &Vec<Value>> =
            after.rows.iter().map(|row| (key.iter().map(|(_, at)| &row[*at]).collect(), row)).collect();
        let mut n_gone = 0;
        let mut changed = BTreeMap::new();
        for row in &self.rows {
            let own: Vec<_> = key.iter().map(|(at, _)| &row[*at]).collect();
            let Some(other) = found.get(&own) else {
                n_gone += 1;
                continue;
            };
            for (before, after) in places {
                if row[*before] != other[*after] {
                    *changed.entry(*before).or_default() += 1;
                }
            }
        }
        (n_gone, changed)
    }

    /// Without a key rows have no name: what a column has fewer of than before is changed.
    fn compare_as_bags(&self, after: &Self, places: &[(usize, usize)]) -> Losses {
        let n_gone = self.rows.len().saturating_sub(after.rows.len());
        let mut changed = BTreeMap::new();
        for (before, place) in places {
            let mut there: BTreeMap<&Value, usize> = BTreeMap::new();
            for row in &after.rows {
                *there.entry(&row[*place]).or_default() += 1;
            }
            let missing = self.rows.iter().filter(|row| match there.get_mut(&row[*before]) {
                Some(n) if *n > 0 => {
                    *n -= 1;
                    false
                }
                _ => true,
            });
            let n_missing = missing.count().saturating_sub(n_gone);
            if n_missing > 0 {
                changed.insert(*before, n_missing);
            }
        }
        (n_gone, changed)
    }
}

/// How many rows are gone, and in how many each column, by its place, has changed.
type Losses = (usize, BTreeMap<usize, usize>);

pub(super) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// What a trigger does, without the table that it stands on.
fn trigger_body(definition: &str) -> &str {
    const HEAD: &str = "FOR EACH ROW";
    let at = definition.to_ascii_uppercase().find(HEAD);
    at.map_or(definition, |at| &definition[at + HEAD.len()..])
}

/// Whether the name stands there as a word.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
    text.match_indices(name).any(|(at, _)| {
        !is_word(text[..at].chars().next_back()) && !is_word(text[at + name.len()..].chars().next())
    })
}

/// The findings about what `migration`'s `up` and `down` did to the rows that were there. Losses that are declared are none,
/// nor are more rows than before, unless nothing but the migration can have put them there.
pub fn findings(migration: &Migration, differences: &[Difference], declared: &[Declaration]) -> Vec<Finding> {
    let is_declared = |table: &str, column: Option<&str>| {
        declared.iter().any(|declaration| match &declaration.directive {
            Directive::Loses(loss) => loss.covers(table, column),
            _ => false,
        })
    };
    let found = differences.iter().filter_map(|difference| {
        let (severity, message, table, column) = match difference {
            Difference::Gone { table, n_rows, n_before } => (
                Severity::Error,
                format!("{} gone from table `{table}` after `up` and `down`", of(*n_rows, *n_before, "is", "are")),
                table,
                None,
            ),
            Difference::Changed { table, column, n_rows, n_before } => (
                Severity::Error,
                format!(
                    "{} another value in `{table}`.`{column}` after `up` and `down`",
                    of(*n_rows, *n_before, "has", "have")
                ),
                table,
                Some(column.as_str()),
            ),
            Difference::Added { table, n_rows } => {
                let rows = if *n_rows == 1 { "row" } else { "rows" };
                let message = format!("`down` leaves {n_rows} {rows} in table `{table}` that `up` put there");
                (Severity::Warning, message, table, None)
            }
        };
        if is_declared(table, column) {
            return None;
        }
        let lost = column.map_or_else(|| table.clone(), |column| format!("{table}.{column}"));
        let hint = match difference {
            Difference::Added { .. } => "let `down` delete what `up` inserts".to_owned(),
            _ => format!(
                "keep the values where `down` finds them, such as in a column or table that a later migration drops, or declare \
                 the loss: `-- migration: loses {lost}` and the reason"
            ),
        };
        Some(Finding {
            code: Code("V106"),
            severity,
            version: Some(migration.version),
            at: Some(spot(migration, table, column)),
            message,
            notes: Vec::new(),
            diff: None,
            hint: Some(hint),
        })
    });
    let lossless = declared.iter().filter_map(|declaration| match &declaration.directive {
        Directive::Loses(loss) if !happened(loss, differences) => Some(Finding {
            code: Code("V106"),
            severity: Severity::Warning,
            version: Some(migration.version),
            at: Some(declaration.at.clone()),
            message: format!("a loss in `{}` is declared, and nothing is lost", loss.table),
            notes: Vec::new(),
            diff: None,
            hint: Some("remove the declaration: nothing needs it".into()),
        }),
        _ => None,
    });
    found.chain(lossless).collect()
}

/// Whether a declared loss has happened.
fn happened(loss: &Loss, differences: &[Difference]) -> bool {
    differences.iter().any(|difference| match difference {
        // What a table loses with its rows, each of its columns loses.
        Difference::Gone { table, .. } => loss.table == *table,
        Difference::Added { table, .. } => loss.covers(table, None),
        Difference::Changed { table, column, .. } => loss.covers(table, Some(column)),
    })
}

fn of(n_rows: usize, n_before: usize, one: &str, many: &str) -> String {
    format!("{n_rows} of {n_before} rows {}", if n_rows == 1 { one } else { many })
}

/// The statement of `up` that names the column, or at least the table, or else the first.
fn spot(migration: &Migration, table: &str, column: Option<&str>) -> Spot {
    let statements = &migration.up.statements;
    let names = |name: &str| statements.iter().find(move |statement| mentions(&statement.text, name));
    let both = column.and_then(|column| {
        let mut both = statements.iter().filter(|statement| mentions(&statement.text, table));
        both.find(|statement| mentions(&statement.text, column))
    });
    let statement = both.or_else(|| column.and_then(names)).or_else(|| names(table)).or(statements.first());
    Spot {
        file_name: migration.up.file_name.clone(),
        line: statement.map_or(1, |statement| statement.line),
        span: statement.map(|statement| statement.offset..statement.offset + statement.text.len()),
    }
}
