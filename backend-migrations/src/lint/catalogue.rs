//! The schema as the scripts so far make it, as far as their texts say.

mod table;

use std::{collections::BTreeMap, sync::Arc};

pub use self::table::Table;
use crate::sql::change::{
    AlterTable, Change, Clause, CreateTable, ForeignKey, Name, Object, ObjectKind, Verb,
};

/// Tables and other things by name. A table that is not in it may still be there.
#[derive(Clone, Debug)]
pub struct Catalogue {
    tables: BTreeMap<String, Arc<Table>>,
    objects: BTreeMap<(ObjectKind, String), Option<Vec<String>>>,
    is_whole: bool,
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
                    && rows.assigned.iter().any(|column| table.is_fresh(column))
                {
                    Arc::make_mut(table).fill(&rows.assigned);
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
