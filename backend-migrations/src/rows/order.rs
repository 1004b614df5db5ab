//! In which order tables are filled, and what becomes of a foreign key whose other end comes later.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{ForeignKey, Table};

/// How a row gets the values of a foreign key's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From a row that is there already.
    Before,
    /// NULL at first, and filled in when the other table has its rows.
    Later,
    /// The value that the other table's row will have, unchecked until it is there: the last resort, for a circle without
    /// a column that takes NULL.
    Ahead,
}

/// A foreign key, and how its columns are filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub(super) key: &'a ForeignKey,
    pub(super) way: Way,
}

/// The tables in the order in which to fill them, each with its foreign keys, widest first.
pub(super) fn order(tables: &BTreeMap<String, Table>) -> Vec<(&str, Vec<Link<'_>>)> {
    let mut waiting: BTreeSet<&str> = tables.keys().map(String::as_str).collect();
    let mut order = Vec::new();
    while let Some(name) = next(tables, &waiting) {
        let table = &tables[name];
        let is_there = |key: &ForeignKey| !waiting.contains(key.referenced_table.as_str());
        let mut links: Vec<_> = table
            .foreign_keys
            .iter()
            .map(|key| {
                let way = if is_there(key) {
                    Way::Before
                } else if takes_null(table, key) {
                    Way::Later
                } else {
                    Way::Ahead
                };
                Link { key, way }
            })
            .collect();
        // A narrower key within a wider one is kept by the row that the wider one points to.
        links.sort_by_key(|link| std::cmp::Reverse(link.key.columns.len()));
        order.push((name, links));
        waiting.remove(name);
    }
    order
}

/// The next table whose foreign keys point to tables that are done; where there is none, one whose other keys take NULL;
/// where there is none either, any.
fn next<'a>(tables: &BTreeMap<String, Table>, waiting: &BTreeSet<&'a str>) -> Option<&'a str> {
    let waits_for = |name: &str, is_strict: bool| {
        let table = &tables[name];
        table.foreign_keys.iter().any(|key| {
            let parent = key.referenced_table.as_str();
            parent != name && waiting.contains(parent) && (is_strict || !takes_null(table, key))
        })
    };
    let free = |is_strict| waiting.iter().find(|name| !waits_for(name, is_strict)).copied();
    free(true).or_else(|| free(false)).or_else(|| waiting.first().copied())
}

/// Whether one of the key's columns may be NULL, which satisfies all of it (`MATCH SIMPLE`).
fn takes_null(table: &Table, key: &ForeignKey) -> bool {
    let columns = || table.columns.iter().filter(|column| key.columns.contains(&column.name));
    columns().any(|column| column.is_nullable) && !columns().any(|column| column.is_generated)
}
