//! What is worked out once about a table that is to be filled.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    Row, Task,
    condition::{self, Expression, Known},
    kind::Kind,
    order::Link,
    value::Value,
};
use crate::schema::{Column, Table};

/// How many rows an empty table gets, unless it has a column of more words than that.
const N_ROWS: u64 = 3;

/// A table, and all that is worked out once about it.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    pub(super) name: &'a str,
    pub(super) table: &'a Table,
    pub(super) columns: Vec<Fill<'a>>,
    pub(super) links: Vec<Link<'a>>,
    pub(super) conditions: Vec<Expression>,
    pub(super) n_present: u64,
    pub(super) n_wanted: u64,
}

/// A column that rows give.
#[derive(Debug)]
pub(super) struct Fill<'a> {
    pub(super) column: &'a Column,
    pub(super) kind: Kind,
    /// The shortest prefix that a unique key looks at.
    pub(super) prefix: Option<u32>,
    /// What the CHECKs that name the column mention.
    pub(super) mentioned: Vec<Known>,
}

impl<'a> Filling<'a> {
    pub(super) fn new(task: &Task<'a>, name: &'a str, links: Vec<Link<'a>>) -> Self {
        let table = &task.tables[name];
        let conditions: Vec<_> =
            table.checks.iter().map(|check| condition::parse(&check.expression)).collect();
        let columns: Vec<_> = table
            .columns
            .iter()
            .filter(|column| !column.is_generated)
            .map(|column| Fill::new(table, column, &conditions))
            .collect();
        let n_present = task.present.get(name).copied().unwrap_or_default();
        // Each word of an ENUM is in use, so that taking one away is seen.
        let n_members = columns.iter().map(|fill| fill.kind.n_members()).max().unwrap_or_default();
        let n_rows = N_ROWS.max(n_members.min(12) as u64);
        let n_wanted = if n_present == 0 || task.more.contains(name) { n_rows } else { 0 };
        Self { name, table, columns, links, conditions, n_present, n_wanted }
    }

    /// The numbers of the rows that are to be put in.
    pub(super) fn rows(&self) -> Range<u64> {
        self.n_present..self.n_present + self.n_wanted
    }

    /// Whether all CHECKs are met; `None` where only the server knows.
    pub(super) fn passes(&self, values: &Row<'_>) -> Option<bool> {
        let known: BTreeMap<_, _> = values.iter().map(|(name, value)| (*name, known(value))).collect();
        let verdicts: Vec<_> = self.conditions.iter().map(|condition| condition.passes(&known)).collect();
        if verdicts.contains(&Some(false)) {
            Some(false)
        } else if verdicts.contains(&None) {
            None
        } else {
            Some(true)
        }
    }

    /// What each unique key sees of a row; `None` where it sees a NULL, or what only the server knows.
    pub(super) fn keys(&self, values: &Row<'_>) -> impl Iterator<Item = Option<Vec<String>>> {
        self.table.keys.iter().map(move |key| {
            let seen = key.parts.iter().map(|part| {
                let name = part.column.as_deref()?;
                let (_, value) = values.iter().find(|(given, _)| *given == name)?;
                match value {
                    Value::Null | Value::Default => None,
                    // Collations know no case.
                    value => {
                        let text = known_text(value);
                        Some(match part.prefix {
                            Some(n) => text.chars().take(n as usize).collect(),
                            None => text,
                        })
                    }
                }
            });
            if key.is_unique { seen.collect() } else { None }
        })
    }

    pub(super) fn is_new(&self, values: &Row<'_>, taken: &[BTreeSet<Vec<String>>]) -> bool {
        self.keys(values).zip(taken).all(|(seen, taken)| seen.is_none_or(|seen| !taken.contains(&seen)))
    }

    pub(super) fn take(&self, values: &Row<'_>, taken: &mut [BTreeSet<Vec<String>>]) {
        for (seen, taken) in self.keys(values).zip(taken) {
            taken.extend(seen);
        }
    }
}

fn known_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_lowercase(),
        value => value.sql(),
    }
}

fn known(value: &Value) -> Known {
    match value {
        Value::Null => Known::Null,
        Value::Number(number) => number.parse().map_or(Known::Unknown, Known::Number),
        Value::Text(text) => Known::Text(text.clone()),
        Value::Default | Value::Bytes(_) | Value::Sql(_) | Value::Parent { .. } => Known::Unknown,
    }
}

/// Texts of the forms that CHECKs with a regular expression ask for most.
const FORMS: [&str; 8] = ["a", "A", "ABC", "1", "12345", "a@example.com", "https://example.com/", "#00aaff"];

impl<'a> Fill<'a> {
    pub(super) fn new(table: &Table, column: &'a Column, conditions: &[Expression]) -> Self {
        let prefixes = table.keys.iter().filter(|key| key.is_unique).flat_map(|key| &key.parts);
        let prefix = prefixes
            .filter(|part| part.column.as_deref() == Some(&column.name))
            .filter_map(|part| part.prefix)
            .min();
        let mut kind = Kind::of(column);
        let mut mentioned = Vec::new();
        for condition in conditions {
            let (mut literals, mut is_about, mut is_json) = (Vec::new(), false, false);
            condition.walk(&mut |part| match part {
                Expression::Column(name) => is_about |= *name == column.name,
                Expression::Literal(known) => literals.push(known.clone()),
                Expression::Call(name, arguments) if name == "json_valid" => {
                    is_json |= arguments.contains(&Expression::Column(column.name.clone()));
                }
                Expression::Call(name, _) if name.contains("regexp") || name == "rlike" => {
                    literals.extend(FORMS.map(|form| Known::Text(form.into())));
                }
                // An expression that could not be read may ask for anything.
                Expression::Unknown => is_about = true,
                Expression::Call(..) => {}
            });
            if is_json {
                kind = Kind::Json;
            } else if is_about {
                for literal in literals {
                    if let Known::Number(number) = literal {
                        mentioned.extend([number + 1.0, number - 1.0].map(Known::Number));
                    }
                    mentioned.push(literal);
                }
            }
        }
        Self { column, kind, prefix, mentioned }
    }
}
