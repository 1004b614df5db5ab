//! The schema as the scripts so far make it, as far as their texts say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::sql::change::{
    AlterTable, Change, Check, Clause, Column, CreateTable, Default, ForeignKey, Index, IndexKind, Name,
    Object, ObjectKind, Part, Place, Verb,
};

/// Tables and other things by name. A table that is not in it may still be there.
#[derive(Clone, Debug)]
pub struct Catalogue {
    tables: BTreeMap<String, Arc<Table>>,
    objects: BTreeMap<(ObjectKind, String), Option<Vec<String>>>,
    is_whole: bool,
}

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
    fresh: BTreeSet<String>,
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

    /// Adds a column with the keys that are written beside it.
    fn put(&mut self, column: &Column, place: Option<&Place>) {
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

    fn add_index(&mut self, index: &Index) {
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

    fn change(&mut self, clause: &Clause) {
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
    fn lines(&self) -> BTreeSet<String> {
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

impl Catalogue {
    /// An empty one. `is_whole` says whether all that is to come will be told.
    pub fn new(is_whole: bool) -> Self {
        Self { tables: BTreeMap::new(), objects: BTreeMap::new(), is_whole }
    }

    /// The table of this name, if the scripts made it and all that happened to it was understood well enough.
    pub fn table(&self, name: &Name) -> Option<&Table> {
        if name.database.is_some() { None } else { self.tables.get(&name.name).map(|table| &**table) }
    }

    /// All tables that are known, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), &**table))
    }

    /// The columns of a view, in lower case, if the text of its definition names each.
    pub fn view_columns(&self, name: &Name) -> Option<&[String]> {
        self.objects.get(&(ObjectKind::View, name.name.clone()))?.as_deref()
    }

    /// Whether nothing was left un-understood: only then is what is not here not there.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What happens to it by a statement.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::CreateTable(table) => self.create(table),
            Change::AlterTable(alter) => self.alter(alter),
            Change::DropTables { names, temporary: false, .. } => {
                for name in names.iter().filter(|name| name.database.is_none()) {
                    self.tables.remove(&name.name);
                    self.objects.remove(&(ObjectKind::View, name.name.clone()));
                }
            }
            Change::RenameTables(pairs) => pairs.iter().for_each(|(old, new)| self.rename(old, new)),
            Change::Create(object) | Change::Alter(object) => self.put(object),
            Change::Drop { kind, names, .. } => {
                for name in names {
                    self.objects.remove(&(*kind, name.name.clone()));
                }
            }
            Change::Rows(rows) if rows.verb == Verb::Update => {
                if let Some(table) = rows.tables.first().and_then(|table| self.tables.get_mut(&table.name))
                    && !table.fresh.is_empty()
                {
                    let table = Arc::make_mut(table);
                    rows.assigned.iter().for_each(|column| {
                        table.fresh.remove(&column.to_lowercase());
                    });
                }
            }
            // What they do stands elsewhere.
            Change::Call(_) | Change::Unknown => self.forget(),
            Change::Prepared(verb, _) if verb == "EXECUTE" => self.forget(),
            _ => {}
        }
    }

    fn forget(&mut self) {
        self.tables.clear();
        self.objects.clear();
        self.is_whole = false;
    }

    fn create(&mut self, created: &CreateTable) {
        if created.name.database.is_some() || created.temporary {
            return;
        }
        let name = created.name.name.clone();
        if created.if_not_exists && (self.tables.contains_key(&name) || !self.is_whole) {
            // Which of the two it is depends on what was there.
            self.tables.remove(&name);
            return;
        }
        let mut table = match &created.like {
            Some(like) => match self.table(like) {
                // LIKE copies all but the foreign keys.
                Some(known) => Table { foreign_keys: Vec::new(), ..known.clone() },
                None => return,
            },
            None => Table { is_whole: created.is_whole && !created.has_query, ..Table::default() },
        };
        created.columns.iter().for_each(|column| table.put(column, None));
        created.indexes.iter().for_each(|index| table.add_index(index));
        table.foreign_keys.extend(created.foreign_keys.iter().cloned());
        table.checks.extend(created.checks.iter().cloned());
        let options = &created.options;
        table.engine = options.engine.clone().or(table.engine);
        table.charset = options.charset.clone().or(table.charset);
        table.collation = options.collation.clone().or(table.collation);
        self.tables.insert(name, Arc::new(table));
    }

    fn alter(&mut self, alter: &AlterTable) {
        if alter.name.database.is_some() {
            return;
        }
        if let Some(table) = self.tables.get_mut(&alter.name.name) {
            let table = Arc::make_mut(table);
            alter.clauses.iter().for_each(|at| table.change(&at.clause));
        }
        for clause in &alter.clauses {
            match &clause.clause {
                Clause::RenameColumn { old, new } => self.rename_parent_column(&alter.name.name, old, new),
                Clause::ChangeColumn { old, column, .. } => {
                    self.rename_parent_column(&alter.name.name, old, &column.name);
                }
                Clause::RenameTo(new) => self.rename(&alter.name, new),
                _ => {}
            }
        }
    }

    /// A foreign key follows the column that it points to.
    fn rename_parent_column(&mut self, parent: &str, old: &str, new: &str) {
        let is_it = |name: &String| name.eq_ignore_ascii_case(old) && !name.eq_ignore_ascii_case(new);
        let refers = |key: &ForeignKey| {
            key.parent.database.is_none() && key.parent.name == parent && key.parent_columns.iter().any(is_it)
        };
        for table in self.tables.values_mut().filter(|table| table.foreign_keys.iter().any(refers)) {
            for key in Arc::make_mut(table).foreign_keys.iter_mut().filter(|key| refers(key)) {
                for name in key.parent_columns.iter_mut().filter(|name| is_it(name)) {
                    new.clone_into(name);
                }
            }
        }
    }

    fn rename(&mut self, old: &Name, new: &Name) {
        if old.database.is_some() || new.database.is_some() {
            self.tables.remove(&old.name);
            return;
        }
        if let Some(table) = self.tables.remove(&old.name) {
            self.tables.insert(new.name.clone(), table);
        }
        for table in self.tables.values_mut() {
            let refers = |key: &ForeignKey| key.parent.database.is_none() && key.parent.name == old.name;
            if table.foreign_keys.iter().any(refers) {
                let keys = Arc::make_mut(table).foreign_keys.iter_mut();
                keys.filter(|key| refers(key)).for_each(|key| new.name.clone_into(&mut key.parent.name));
            }
        }
    }

    fn put(&mut self, object: &Object) {
        self.objects.insert((object.kind, object.name.name.clone()), object.columns.clone());
    }

    /// What is in `self` and not in `other`, in words; `None` if one of the two is not whole.
    pub fn beyond(&self, other: &Self) -> Option<Vec<String>> {
        if !self.is_whole || !other.is_whole {
            return None;
        }
        let mut found = Vec::new();
        for (name, table) in &self.tables {
            match other.tables.get(name) {
                None => found.push(format!("table `{name}`")),
                Some(twin) if Arc::ptr_eq(table, twin) => {}
                Some(twin) if !table.is_whole || !twin.is_whole => return None,
                Some(twin) => {
                    let missing: Vec<_> = table.lines().difference(&twin.lines()).cloned().collect();
                    found.extend(
                        missing.into_iter().map(|line| format!("{} of `{name}`", first_words(&line))),
                    );
                }
            }
        }
        let objects = self.objects.keys().filter(|object| !other.objects.contains_key(object));
        found.extend(objects.map(|(kind, name)| format!("{} `{name}`", kind.as_str())));
        Some(found)
    }
}

/// ``column `a` `` out of ``column `a` INT…``.
fn first_words(line: &str) -> &str {
    line.rfind('`').map_or(line, |end| &line[..=end])
}
