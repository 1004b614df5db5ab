//! A table as the scripts so far make it.

use std::collections::BTreeSet;

use crate::sql::change::{Check, Clause, Column, Default, ForeignKey, Index, IndexKind, Part, Place};

/// A table.
#[derive(Clone, Debug, std::default::Default)]
pub struct Table {
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Its indexes, the primary key and those written beside a column among them.
    pub indexes: Vec<Index>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its checks.
    pub checks: Vec<Check>,
    /// `ENGINE`, in lower case.
    pub engine: Option<String>,
    /// The character set of the table, in lower case.
    pub charset: Option<String>,
    /// The collation of the table, in lower case.
    pub collation: Option<String>,
    /// Whether nothing about it was left un-understood. What is here is there; only then is what is missing missing.
    pub is_whole: bool,
    /// Columns that were added to a table in use and that nothing has filled yet.
    pub(super) fresh: BTreeSet<String>,
}

impl Table {
    /// The column of this name, in whatever letter case.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The index of this name, in whatever letter case.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes
            .iter()
            .find(|index| index.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The primary key.
    pub fn primary(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.kind == IndexKind::Primary)
    }

    /// Whether the column was added to the table and not filled since.
    pub fn is_fresh(&self, column: &str) -> bool {
        self.fresh.contains(&column.to_lowercase())
    }

    /// Takes note that these columns are filled.
    pub(super) fn fill(&mut self, columns: &[String]) {
        for column in columns {
            self.fresh.remove(&column.to_lowercase());
        }
    }

    /// Adds a column with the keys that are written beside it.
    pub(super) fn put(&mut self, column: &Column, place: Option<&Place>) {
        let at = match place {
            None => self.columns.len(),
            Some(Place::First) => 0,
            Some(Place::After(name)) => self
                .columns
                .iter()
                .position(|column| column.name.eq_ignore_ascii_case(name))
                .map_or(self.columns.len(), |at| at + 1),
        };
        self.columns.insert(at, column.clone());
        for (is_said, kind) in
            [(column.is_primary, IndexKind::Primary), (column.is_unique, IndexKind::Unique)]
        {
            if is_said {
                let part = Part { column: Some(column.name.clone()), length: None, is_descending: false };
                let name = (kind == IndexKind::Unique).then(|| column.name.clone());
                self.indexes.push(Index { kind, name, parts: vec![part], span: column.span.clone() });
            }
        }
        self.is_whole &= column.is_whole;
    }

    pub(super) fn add_index(&mut self, index: &Index) {
        let mut index = index.clone();
        // A primary key's columns become NOT NULL, and stay so without it.
        if index.kind == IndexKind::Primary {
            for name in index.parts.iter().filter_map(|part| part.column.as_deref()) {
                if let Some(column) =
                    self.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name))
                {
                    column.null = Some(false);
                }
            }
        }
        // The servers name an index after its first column, with a number from the second of that name on.
        if index.name.is_none()
            && index.kind != IndexKind::Primary
            && let Some(first) = index.parts.first().and_then(|part| part.column.clone())
        {
            let mut name = first.clone();
            let mut n = 2;
            while self.index(&name).is_some() {
                name = format!("{first}_{n}");
                n += 1;
            }
            index.name = Some(name);
        }
        self.indexes.push(index);
    }

    fn rename_column(&mut self, old: &str, new: &str) {
        let parts = self.indexes.iter_mut().flat_map(|index| index.parts.iter_mut());
        let named = parts
            .filter_map(|part| part.column.as_mut())
            .chain(self.foreign_keys.iter_mut().flat_map(|key| key.columns.iter_mut()));
        for name in named.filter(|name| name.eq_ignore_ascii_case(old)) {
            new.clone_into(name);
        }
        if let Some(column) = self.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(old)) {
            new.clone_into(&mut column.name);
        }
    }

    fn replace(&mut self, old: &str, column: &Column, place: Option<&Place>) {
        let Some(at) = self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(old)) else {
            self.is_whole = false;
            return;
        };
        if !old.eq_ignore_ascii_case(&column.name) {
            self.rename_column(old, &column.name);
        }
        let was_primary = self.columns[at].is_primary;
        let mut column = column.clone();
        // A key stays where it is not named again; a primary key's column is NOT NULL all the same.
        if was_primary && !column.is_primary {
            column.is_primary = true;
        }
        match place {
            None => self.columns[at] = column,
            place => {
                self.columns.remove(at);
                let mut moved = column;
                let (primary, unique) = (moved.is_primary, moved.is_unique);
                (moved.is_primary, moved.is_unique) = (false, false);
                self.put(&moved, place);
                if let Some(put) = self.columns.iter_mut().find(|column| column.name == moved.name) {
                    (put.is_primary, put.is_unique) = (primary, unique);
                }
            }
        }
    }

    fn drop_column(&mut self, name: &str) {
        self.columns.retain(|column| !column.name.eq_ignore_ascii_case(name));
        for index in &mut self.indexes {
            index
                .parts
                .retain(|part| part.column.as_deref().is_none_or(|own| !own.eq_ignore_ascii_case(name)));
        }
        self.indexes.retain(|index| !index.parts.is_empty());
    }

    fn drop_foreign_key(&mut self, name: &str) {
        let is_it = |key: &ForeignKey| key.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
        // A name that was not given here is one that the server made up.
        let is_made_up = !self.foreign_keys.iter().any(is_it);
        self.foreign_keys.retain(|key| if is_made_up { key.name.is_some() } else { !is_it(key) });
    }

    pub(super) fn change(&mut self, clause: &Clause) {
        let is = |own: Option<&str>, name: &str| own.is_some_and(|own| own.eq_ignore_ascii_case(name));
        match clause {
            Clause::AddColumn { column, if_not_exists: true, .. } if self.column(&column.name).is_some() => {}
            Clause::AddColumn { column, place, .. } => {
                self.put(column, place.as_ref());
                self.fresh.insert(column.name.to_lowercase());
            }
            Clause::ModifyColumn { column, place, .. } => self.replace(&column.name, column, place.as_ref()),
            Clause::ChangeColumn { old, column, place, .. } => self.replace(old, column, place.as_ref()),
            Clause::RenameColumn { old, new } => self.rename_column(old, new),
            Clause::DropColumn { name, .. } => self.drop_column(name),
            Clause::SetDefault { column, default } => self.set_default(column, Some(default.clone())),
            Clause::DropDefault { column } => self.set_default(column, None),
            Clause::AddIndex { index, .. } => self.add_index(index),
            Clause::DropIndex { name, .. } => self.indexes.retain(|index| !is(index.name.as_deref(), name)),
            Clause::DropPrimaryKey => self.indexes.retain(|index| index.kind != IndexKind::Primary),
            Clause::RenameIndex { old, new } => {
                let index = self.indexes.iter_mut().find(|index| is(index.name.as_deref(), old));
                if let Some(index) = index {
                    index.name = Some(new.clone());
                }
            }
            Clause::AddForeignKey(key) => self.foreign_keys.push(key.clone()),
            Clause::DropForeignKey { name, .. } => self.drop_foreign_key(name),
            Clause::AddCheck(check) => self.checks.push(check.clone()),
            Clause::DropConstraint { name, .. } => {
                self.checks.retain(|check| !is(check.name.as_deref(), name));
                self.drop_foreign_key(name);
                self.indexes.retain(|index| !is(index.name.as_deref(), name));
            }
            Clause::Convert { charset, collation } => {
                self.charset.clone_from(charset);
                self.collation.clone_from(collation);
                for column in self.columns.iter_mut().filter(|column| column.data_type.is_text()) {
                    (column.charset, column.collation) = (None, None);
                }
            }
            Clause::Options(options) => {
                self.engine = options.engine.clone().or(self.engine.take());
                self.charset = options.charset.clone().or(self.charset.take());
                self.collation = options.collation.clone().or(self.collation.take());
            }
            Clause::Unknown => self.is_whole = false,
            _ => {}
        }
    }

    fn set_default(&mut self, name: &str, default: Option<Default>) {
        if let Some(column) = self.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name)) {
            column.default = default;
        }
    }

    /// What a table is, without the places it is written at.
    pub(super) fn lines(&self) -> BTreeSet<String> {
        let column = |column: &Column| {
            let data_type = &column.data_type;
            format!(
                "column `{}` {}{:?}{}",
                column.name, data_type.name, data_type.arguments, data_type.is_unsigned
            )
        };
        let index = |index: &Index| {
            let named =
                index.name.as_deref().map_or("primary key".to_owned(), |name| format!("index `{name}`"));
            let columns: Vec<_> =
                index.parts.iter().map(|part| part.column.as_deref().unwrap_or("…")).collect();
            format!("{named} {}", columns.join(", "))
        };
        let keys = self.foreign_keys.iter().filter_map(|key| key.name.as_ref());
        let checks = self.checks.iter().filter_map(|check| check.name.as_ref());
        self.columns
            .iter()
            .map(column)
            .chain(self.indexes.iter().map(index))
            .chain(keys.map(|name| format!("foreign key `{name}`")))
            .chain(checks.map(|name| format!("check `{name}`")))
            .collect()
    }
}
