//! Gives a scratch database the schema of a picture again, by making anew what differs from it and nothing else.

mod alter;

use std::collections::BTreeSet;

use super::{introspect::Inspector, provisioning::identifier};
use crate::{
    schema::{ObjectKind, Snapshot, Table},
    session::SessionError,
};

/// Where rows are while their table is made anew.
const KEPT: &str = "_backend_migrations_kept_";

impl Inspector {
    /// Brings the database from `now` nearer to `target`: what differs is removed and made anew from its definition, a table
    /// with the rows that fit; altered, where `may_alter` says so. What the server refuses is left out; whether all is as it was, only a
    /// look tells.
    ///
    /// A server makes an index for a foreign key that has none, and takes it away again for a better one. `SHOW CREATE` shows
    /// it like any other: one that `has_name` does not know as made by name is left to the server again.
    ///
    /// # Errors
    ///
    /// The connection's.
    pub(crate) async fn repair(
        &mut self,
        now: &Snapshot,
        target: &Snapshot,
        has_name: &dyn Fn(&str) -> bool,
        may_alter: bool,
    ) -> Result<(), SessionError> {
        let changed = |kind: ObjectKind| {
            let names = now.objects.keys().chain(target.objects.keys()).filter(move |key| key.0 == kind);
            let differs = |key: &&(ObjectKind, String)| {
                now.objects.get(*key) != target.objects.get(*key)
                    && (key.0 != ObjectKind::Table || !now.has_same_table(target, &key.1))
            };
            names.filter(differs).map(|key| key.1.as_str()).collect::<BTreeSet<_>>()
        };
        let mut tables = changed(ObjectKind::Table);
        if may_alter {
            tables = self.alter(now, target, tables, has_name).await?;
        }
        let mut triggers = changed(ObjectKind::Trigger);
        // A trigger goes with its table. To make one too many anew does no harm.
        triggers.extend(target.objects.iter().filter_map(|((kind, name), definition)| {
            let is_hit =
                *kind == ObjectKind::Trigger && tables.iter().any(|table| definition.contains(table));
            is_hit.then_some(name.as_str())
        }));
        if now.options != target.options {
            self.attempt(&format!("ALTER DATABASE {}", target.options)).await?;
        }
        // A zero in a counter's column is a zero.
        let lenient = "SET foreign_key_checks=0,@kept_sql_mode=@@sql_mode,sql_mode='NO_AUTO_VALUE_ON_ZERO'";
        self.attempt(lenient).await?;
        for kind in [
            ObjectKind::Event,
            ObjectKind::View,
            ObjectKind::PackageBody,
            ObjectKind::Package,
            ObjectKind::Procedure,
            ObjectKind::Function,
        ] {
            self.remove(kind, &changed(kind)).await?;
        }
        self.remove(ObjectKind::Trigger, &triggers).await?;

        let mut kept = Vec::new();
        for (number, name) in tables.iter().enumerate() {
            if let (Some(there), Some(wanted)) = (now.tables.get(*name), target.tables.get(*name)) {
                let columns = common_columns(there, wanted);
                let store = format!("{KEPT}{number}");
                let sql =
                    format!("CREATE TEMPORARY TABLE {store} AS SELECT {columns} FROM {}", identifier(name));
                if !columns.is_empty() && self.attempt(&sql).await? {
                    kept.push((store, *name, columns));
                }
            }
        }
        self.remove(ObjectKind::Table, &tables).await?;
        let sequences = changed(ObjectKind::Sequence);
        self.remove(ObjectKind::Sequence, &sequences).await?;
        for name in sequences {
            self.make(target, ObjectKind::Sequence, name).await?;
        }
        for name in &tables {
            let Some(definition) = target.objects.get(&(ObjectKind::Table, (*name).to_owned())) else {
                continue;
            };
            let own = without_implicit_indexes(definition, &target.tables[*name], has_name);
            if !self.attempt(&own).await? {
                self.attempt(definition).await?;
            }
        }
        for (store, name, columns) in kept {
            let name = identifier(name);
            self.attempt(&format!("INSERT IGNORE INTO {name} ({columns}) SELECT {columns} FROM {store}"))
                .await?;
            self.attempt(&format!("DROP TEMPORARY TABLE {store}")).await?;
        }
        for orphan in orphans(now, target, &tables) {
            self.attempt(&format!("TRUNCATE TABLE {}", identifier(&orphan))).await?;
        }
        self.attempt("SET sql_mode=@kept_sql_mode").await?;

        for kind in
            [ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Package, ObjectKind::PackageBody]
        {
            for name in changed(kind) {
                self.make(target, kind, name).await?;
            }
        }
        self.make_views(target, changed(ObjectKind::View)).await?;
        // In the order in which they fire.
        let mut triggers: Vec<_> = triggers.into_iter().collect();
        triggers.sort_by_key(|name| {
            let key = (ObjectKind::Trigger, (*name).to_owned());
            target.objects.get(&key).and_then(|definition| definition.lines().next().map(str::to_owned))
        });
        for name in triggers {
            self.make(target, ObjectKind::Trigger, name).await?;
        }
        for name in changed(ObjectKind::Event) {
            self.make(target, ObjectKind::Event, name).await?;
        }
        self.attempt("SET foreign_key_checks=1").await?;
        Ok(())
    }

    /// Alters those of `tables` that can be; gives the others. One whose `ALTER` is refused is not among these: what has become
    /// of it has to be seen first.
    async fn alter<'t>(
        &mut self,
        now: &Snapshot,
        target: &Snapshot,
        tables: BTreeSet<&'t str>,
        has_name: &dyn Fn(&str) -> bool,
    ) -> Result<BTreeSet<&'t str>, SessionError> {
        let mut others = BTreeSet::new();
        self.attempt("SET foreign_key_checks=0").await?;
        for name in tables {
            let key = (ObjectKind::Table, name.to_owned());
            let statements = match (now.objects.get(&key), target.objects.get(&key), target.tables.get(name))
            {
                (Some(there), Some(wanted), Some(table)) => {
                    alter::statements(name, there, wanted, |line| is_implicit(line, table, has_name))
                }
                _ => None,
            };
            let Some(statements) = statements else {
                others.insert(name);
                continue;
            };
            for statement in statements {
                if !self.attempt(&statement).await? {
                    break;
                }
            }
        }
        self.attempt("SET foreign_key_checks=1").await?;
        Ok(others)
    }

    /// Removes the rows of all tables of `schema`.
    ///
    /// # Errors
    ///
    /// The connection's.
    pub(crate) async fn empty(&mut self, schema: &Snapshot) -> Result<(), SessionError> {
        self.attempt("SET foreign_key_checks=0").await?;
        for name in schema.tables.keys() {
            self.attempt(&format!("TRUNCATE TABLE {}", identifier(name))).await?;
        }
        self.attempt("SET foreign_key_checks=1").await.map(|_| ())
    }

    /// Runs a statement; gives whether the server took it.
    async fn attempt(&mut self, sql: &str) -> Result<bool, SessionError> {
        match self.execute(sql).await {
            Ok(_) => Ok(true),
            Err(SessionError::Server { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn remove(&mut self, kind: ObjectKind, names: &BTreeSet<&str>) -> Result<(), SessionError> {
        for name in names {
            self.attempt(&format!("DROP {} IF EXISTS {}", kind.as_sql(), identifier(name))).await?;
        }
        Ok(())
    }

    /// Makes an object of `target` under the settings that are noted before its definition, if it is there.
    async fn make(&mut self, target: &Snapshot, kind: ObjectKind, name: &str) -> Result<bool, SessionError> {
        let Some(definition) = target.objects.get(&(kind, name.to_owned())) else { return Ok(true) };
        let settings: Vec<_> = definition
            .lines()
            .map_while(|line| line.strip_prefix("-- "))
            .filter_map(|note| note.split_once(" = "))
            .filter(|(name, _)| SETTABLE.contains(name))
            .collect();
        for (name, value) in &settings {
            self.attempt(&format!("SET @kept_{name}=@@{name},{name}={value}")).await?;
        }
        let is_made = self.attempt(definition).await?;
        for (name, _) in settings {
            self.attempt(&format!("SET {name}=@kept_{name}")).await?;
        }
        Ok(is_made)
    }

    /// One may read another: each round makes those whose turn has come.
    async fn make_views(&mut self, target: &Snapshot, mut views: BTreeSet<&str>) -> Result<(), SessionError> {
        loop {
            let mut left = BTreeSet::new();
            for name in &views {
                if !self.make(target, ObjectKind::View, name).await? {
                    left.insert(*name);
                }
            }
            if left.len() == views.len() {
                return Ok(());
            }
            views = left;
        }
    }
}

/// The settings that a definition's notes name and that a session can be given.
const SETTABLE: [&str; 4] = ["sql_mode", "character_set_client", "collation_connection", "time_zone"];

/// The columns that rows can be carried over in, quoted.
fn common_columns(there: &Table, wanted: &Table) -> String {
    let is_wanted = |name: &str| {
        wanted.columns.iter().any(|column| !column.is_generated && column.name.eq_ignore_ascii_case(name))
    };
    let columns = there.columns.iter().filter(|column| !column.is_generated && is_wanted(&column.name));
    columns.map(|column| identifier(&column.name)).collect::<Vec<_>>().join(",")
}

/// The tables whose rows point, directly or not, to those of a table that was gone: nobody knows these any more.
fn orphans(now: &Snapshot, target: &Snapshot, changed: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut lost: BTreeSet<String> = changed
        .iter()
        .filter(|name| !now.tables.contains_key(**name))
        .map(|name| (*name).to_owned())
        .collect();
    let mut orphans = BTreeSet::new();
    loop {
        let children = target.tables.iter().filter(|(name, table)| {
            !lost.contains(*name) && table.foreign_keys.iter().any(|key| lost.contains(&key.referenced_table))
        });
        let children: Vec<_> = children.map(|(name, _)| name.clone()).collect();
        if children.is_empty() {
            return orphans;
        }
        orphans.extend(children.iter().cloned());
        lost.extend(children);
    }
}

/// Whether a line of a table's definition is an index that the server made for a foreign key.
fn is_implicit(line: &str, table: &Table, has_name: &dyn Fn(&str) -> bool) -> bool {
    table.foreign_keys.iter().any(|key| {
        // It has the constraint's name (MySQL 8.4 manual, "FOREIGN KEY Constraints").
        let columns: Vec<_> = key.columns.iter().map(|column| identifier(column)).collect();
        let index = format!("KEY {} ({})", identifier(&key.name), columns.join(","));
        line.trim().trim_end_matches(',') == index && !has_name(&key.name)
    })
}

/// A table's definition without the indexes that the server made for its foreign keys.
fn without_implicit_indexes(definition: &str, table: &Table, has_name: &dyn Fn(&str) -> bool) -> String {
    let lines = definition.lines().filter(|line| !is_implicit(line, table, has_name));
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    // The last entry before the parenthesis has no comma.
    if let Some(end) = lines.iter().position(|line| line.starts_with(')'))
        && let Some(last) = end.checked_sub(1)
    {
        let length = lines[last].trim_end_matches(',').len();
        lines[last].truncate(length);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ForeignKey;

    #[test]
    fn an_implicit_index_is_left_to_the_server() {
        let key = ForeignKey {
            name: "fk".into(),
            columns: vec!["a".into(), "b".into()],
            referenced_table: "p".into(),
            referenced_columns: vec!["a".into(), "b".into()],
        };
        let table = Table { foreign_keys: vec![key], ..Table::default() };
        let definition = "CREATE TABLE `t` (\n  `a` int,\n  `b` int,\n  CONSTRAINT `fk` FOREIGN KEY (`a`,`b`) REFERENCES `p` (`a`,`b`),\n  KEY `fk` (`a`,`b`)\n) ENGINE=InnoDB";
        let expected = "CREATE TABLE `t` (\n  `a` int,\n  `b` int,\n  CONSTRAINT `fk` FOREIGN KEY (`a`,`b`) REFERENCES `p` (`a`,`b`)\n) ENGINE=InnoDB";
        assert_eq!(without_implicit_indexes(definition, &table, &|_| false), expected);
        assert_eq!(without_implicit_indexes(definition, &table, &|name| name == "fk"), definition);
    }
}
