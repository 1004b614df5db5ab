//! Rows for every table of a schema, made up.
//!
//! A proof about a migration is worth little on empty tables. From the tables' structure alone this makes `INSERT`
//! statements that fill them: foreign keys in order, unique keys kept, CHECKs satisfied as far as they can be read,
//! NULL and not NULL both shown, generated columns and counters left to the server.
//!
//! * Values are ordinary ones and those at the edges of their types, so that a change that narrows a type fails or
//!   loses something where everybody sees it. Two rows of a column differ wherever the type has room for that, so that a
//!   unique key can be added later. Columns called `id` or `…_id` count from one, so that a foreign key that is added
//!   later finds its rows.
//! * A circle of foreign keys is cut where a column takes NULL and closed by an `UPDATE`. Where none does, rows are
//!   inserted with `foreign_key_checks` off for that one statement, with the values that the other table's rows will
//!   have.
//! * The same tables and the same seed give the same statements.
//!
//! Nothing here asks a server. Where one refuses a row, [`Generator::another`] has the next candidate.

mod condition;
mod filling;
mod kind;
mod order;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    condition::Known,
    filling::{Fill, Filling},
    kind::Kind,
    order::{Link, Way},
    value::{Style, Value, Wish, quote, value},
};
use crate::schema::{Flavour, Table};

/// So many candidates are looked at for one row.
const N_ATTEMPTS: u32 = 200;

/// What is to be filled.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The tables of the database: all of them, as foreign keys point to those that are full already, too.
    pub tables: &'a BTreeMap<String, Table>,
    /// The server's.
    pub flavour: Flavour,
    /// How many rows each table has; none where it is not named.
    pub present: &'a BTreeMap<String, u64>,
    /// The tables that are to get more rows although they have some: those with new columns, for instance.
    pub more: &'a BTreeSet<String>,
    /// Names, in lower case, of columns that will be part of a foreign key.
    pub keys: &'a BTreeSet<String>,
    /// Other seeds give other rows.
    pub seed: u64,
}

/// A statement that puts in one row, or closes a circle of foreign keys for one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The table.
    pub table: String,
    /// The statement.
    pub sql: String,
    row: u64,
    /// `None` for a statement of which there is only one.
    attempt: Option<u32>,
}

/// A row's columns and what they get; those that the server fills itself are not there.
type Row<'a> = Vec<(&'a str, Value)>;

/// Makes rows up.
#[derive(Debug)]
pub struct Generator<'a> {
    task: Task<'a>,
    tables: Vec<Filling<'a>>,
    /// How many rows each table has in the end, as far as that is planned.
    counts: BTreeMap<&'a str, u64>,
    steps: Vec<Step>,
}

impl<'a> Generator<'a> {
    /// Plans the rows.
    pub fn new(task: Task<'a>) -> Self {
        let order = order::order(task.tables);
        let tables = order.into_iter().map(|(name, links)| Filling::new(&task, name, links)).collect();
        let mut this = Self { task, tables, counts: BTreeMap::new(), steps: Vec::new() };
        for at in 0..this.tables.len() {
            let steps = this.filling(&this.tables[at]);
            let Filling { name, n_present, .. } = this.tables[at];
            this.counts.insert(name, n_present + steps.len() as u64);
            this.steps.extend(steps);
        }
        let closing: Vec<_> = this.tables.iter().flat_map(|filling| this.closing(filling)).collect();
        this.steps.extend(closing);
        this
    }

    /// The statements that fill the tables, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The statements that fill one table.
    fn filling(&self, filling: &Filling<'a>) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut taken = vec![BTreeSet::new(); filling.table.keys.len()];
        for row in filling.rows() {
            let mut unsure = None;
            // What certainly passes comes first, then what only the server can judge.
            let sure = (0..N_ATTEMPTS).find_map(|attempt| {
                let values = self.row(filling, row, attempt);
                let verdict = filling.is_new(&values, &taken).then(|| filling.passes(&values))?;
                if verdict.is_none() && unsure.is_none() {
                    unsure = Some((attempt, values));
                    return None;
                }
                (verdict == Some(true)).then_some((attempt, values))
            });
            if let Some((attempt, values)) = sure.or(unsure) {
                filling.take(&values, &mut taken);
                steps.push(self.step(filling, row, attempt, &values));
            } else if filling.n_present == 0 && row == 0 {
                // No CHECK is met by any: what the server says to the first tells more than silence.
                steps.push(self.step(filling, row, 0, &self.row(filling, row, 0)));
            }
        }
        steps
    }

    /// Another candidate for a row that the server refused; `None` if it is the last, or not a row.
    pub fn another(&self, step: &Step) -> Option<Step> {
        let filling = self.tables.iter().find(|filling| filling.name == step.table)?;
        let (attempt, values) = (step.attempt? + 1..N_ATTEMPTS)
            .map(|attempt| (attempt, self.row(filling, step.row, attempt)))
            .find(|(_, values)| filling.passes(values) != Some(false))?;
        Some(self.step(filling, step.row, attempt, &values))
    }

    fn step(&self, filling: &Filling<'_>, row: u64, attempt: u32, values: &Row<'_>) -> Step {
        let names: Vec<_> = values.iter().map(|(name, _)| quote(name)).collect();
        let sqls: Vec<_> = values.iter().map(|(_, value)| value.sql()).collect();
        let is_ahead = filling.links.iter().any(|link| link.way == Way::Ahead);
        let (before, hint) = match self.task.flavour {
            Flavour::MariaDb if is_ahead => ("SET STATEMENT foreign_key_checks=0 FOR ", ""),
            Flavour::MySql if is_ahead => ("", "/*+ SET_VAR(foreign_key_checks=OFF) */ "),
            _ => ("", ""),
        };
        let sql = format!(
            "{before}INSERT {hint}INTO {} ({}) VALUES ({})",
            quote(filling.name),
            names.join(","),
            sqls.join(",")
        );
        Step { table: filling.name.to_owned(), sql, row, attempt: Some(attempt) }
    }

    /// The statements that fill in what had to be NULL until the other table had rows.
    fn closing(&self, filling: &Filling<'a>) -> Vec<Step> {
        let mut steps = Vec::new();
        for link in filling.links.iter().filter(|link| link.way == Way::Later) {
            let key = link.key;
            // Within one table all rows become children of the first, which stays as it is: the last ones go first.
            let is_own = key.referenced_table == filling.name;
            let columns = |columns: &[String], after: &str, between: &str| {
                let columns: Vec<_> =
                    columns.iter().map(|column| format!("{}{after}", quote(column))).collect();
                columns.join(between)
            };
            let order = if is_own {
                format!(" ORDER BY {}", columns(&key.referenced_columns, " DESC", ","))
            } else {
                String::new()
            };
            for row in filling.rows().skip(usize::from(is_own)) {
                let offset = if is_own { 0 } else { row % self.n_rows(&key.referenced_table).max(1) };
                let set: Vec<_> = parents(link, offset, &Row::new())
                    .iter()
                    .map(|(column, value)| format!("{}={}", quote(column), value.sql()))
                    .collect();
                let sql = format!(
                    "UPDATE {} SET {} WHERE {}{order} LIMIT 1",
                    quote(filling.name),
                    set.join(","),
                    columns(&key.columns, " IS NULL", " OR "),
                );
                steps.push(Step { table: filling.name.to_owned(), sql, row, attempt: None });
            }
        }
        steps
    }

    fn n_rows(&self, table: &str) -> u64 {
        self.counts.get(table).copied().unwrap_or_default()
    }

    fn row(&self, filling: &Filling<'a>, row: u64, attempt: u32) -> Row<'a> {
        let mut values = Row::new();
        for link in &filling.links {
            values.extend(self.linked(filling, link, row, attempt, &values));
        }
        for fill in &filling.columns {
            let name = fill.column.name.as_str();
            let is_wanted = !fill.column.is_auto_increment || self.is_named_ahead(filling.name, name);
            if is_wanted && values.iter().all(|(given, _)| *given != name) {
                values.push((name, self.value(filling, fill, row, attempt)));
            }
        }
        values
    }

    /// The values of a foreign key's columns that are not given yet.
    fn linked(
        &self,
        filling: &Filling<'a>,
        link: &Link<'a>,
        row: u64,
        attempt: u32,
        given: &Row<'a>,
    ) -> Row<'a> {
        let key = link.key;
        let is_open = |column: &str| given.iter().all(|(name, _)| *name != column);
        let count = self.n_rows(&key.referenced_table);
        let nullable = |name: &str| {
            filling.columns.iter().any(|fill| fill.column.name == name && fill.column.is_nullable)
        };
        let nulls = || {
            let open = key.columns.iter().filter(|column| is_open(column) && nullable(column));
            open.map(|column| (column.as_str(), Value::Null)).collect()
        };
        match link.way {
            Way::Before if attempt == 0 && row % 3 == 2 && key.columns.iter().all(|name| nullable(name)) => {
                nulls()
            }
            Way::Before => {
                let chosen = self.random(filling.name, &key.name, row, attempt);
                let offset = if attempt == 0 { row } else { chosen } % count.max(1);
                parents(link, offset, given)
            }
            Way::Later => nulls(),
            Way::Ahead => {
                let Some(parent) = self.tables.iter().find(|other| other.name == key.referenced_table) else {
                    return Row::new();
                };
                let open = key.columns.iter().zip(&key.referenced_columns).filter(|(name, _)| is_open(name));
                open.filter_map(|(name, referenced)| {
                    let fill = parent.columns.iter().find(|fill| fill.column.name == *referenced)?;
                    Some((name.as_str(), self.value(parent, fill, row, 0)))
                })
                .collect()
            }
        }
    }

    /// Whether rows name this column's value before it is there, so that the server may not choose it.
    fn is_named_ahead(&self, table: &str, column: &str) -> bool {
        let mut links = self.tables.iter().flat_map(|filling| &filling.links);
        links.any(|link| {
            link.way == Way::Ahead
                && link.key.referenced_table == table
                && link.key.referenced_columns.iter().any(|referenced| referenced == column)
        })
    }

    fn value(&self, filling: &Filling<'a>, fill: &Fill<'a>, row: u64, attempt: u32) -> Value {
        const STYLES: [Style; 3] = [Style::High, Style::Plain, Style::Low];

        let column = fill.column;
        let random = self.random(filling.name, &column.name, row, attempt);
        // Each column shows each style, and not all of them the same in one row.
        let shift = self.random(filling.name, &column.name, 0, 0) % 3;
        let turn = if attempt == 0 { row + shift } else { random >> 8 };
        let style = STYLES[usize::try_from(turn % 3).unwrap_or_default()];
        // Candidates after the first leave the numbers that the other rows have.
        let n = row + u64::from(attempt) * 37;
        let mentioned = fill.mentioned.len() as u64;
        if attempt > 0 && mentioned > 0 && !random.is_multiple_of(4) {
            let at = usize::try_from((random >> 16) % mentioned).unwrap_or_default();
            return mentioned_value(&fill.kind, &fill.mentioned[at]);
        }
        // What is ordinary is NULL every other time.
        let is_null = style == Style::Plain
            && if attempt == 0 { (row / 3).is_multiple_of(2) } else { (turn / 3).is_multiple_of(2) };
        if column.is_nullable && (is_null || fill.kind == Kind::Unknown) {
            return Value::Null;
        }
        let name = column.name.to_ascii_lowercase();
        value(Wish {
            kind: &fill.kind,
            character_set: column.character_set.as_deref(),
            style,
            n,
            prefix: fill.prefix,
            is_id: name == "id" || name.ends_with("_id") || self.task.keys.contains(&name),
            flavour: self.task.flavour,
            // Nothing at first, then those of GPS and of web maps.
            srid: [0, 4326, 3857][attempt as usize % 3],
        })
    }

    /// A number that depends on all of these and on nothing else (FNV-1a, mixed as `SplitMix64` does).
    fn random(&self, table: &str, name: &str, row: u64, attempt: u32) -> u64 {
        let numbers = [self.task.seed, row, u64::from(attempt)];
        let bytes = table
            .bytes()
            .chain([0])
            .chain(name.bytes())
            .chain(numbers.into_iter().flat_map(u64::to_le_bytes));
        let mut z = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The columns of a foreign key, those that are given left out, as the columns of the other table's row `offset`.
fn parents<'a>(link: &Link<'a>, offset: u64, given: &Row<'a>) -> Row<'a> {
    let key = link.key;
    let find = |column: &str| given.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone());
    let pairs = || key.columns.iter().zip(&key.referenced_columns);
    let shared: Vec<_> =
        pairs().filter_map(|(name, referenced)| Some((referenced.clone(), find(name)?))).collect();
    let offset = if shared.is_empty() { offset } else { 0 };
    pairs()
        .filter(|(name, _)| find(name).is_none())
        .map(|(name, referenced)| {
            let value = Value::Parent {
                table: key.referenced_table.clone(),
                column: referenced.clone(),
                order_by: key.referenced_columns.clone(),
                given: shared.clone(),
                offset,
            };
            (name.as_str(), value)
        })
        .collect()
}

/// What a CHECK mentions, as a value of the column's type: a text as long as the number that it is compared with.
fn mentioned_value(kind: &Kind, known: &Known) -> Value {
    let is_text = matches!(kind, Kind::Text { .. } | Kind::TextBytes { .. });
    match known {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        Known::Number(number) if is_text => Value::Text("a".repeat(number.clamp(0.0, 5_000.0) as usize)),
        Known::Number(number) => Value::Number(number.to_string()),
        Known::Text(text) => Value::Text(text.clone()),
        Known::Null | Known::Unknown => Value::Null,
    }
}
