//! Which tables and views a script can have changed, as far as its text says.
//!
//! To look at thirty tables after each statement takes longer than the statement. A tenant therefore looks at those that a
//! script names, and at all of them when its life is over: if anything else has changed then, that life is lived again
//! with every look at everything.

use std::collections::BTreeSet;

use crate::{
    migration::Script,
    schema::{ObjectKind, Snapshot},
    sql::{
        self,
        change::{Change, Clause, Name},
    },
};

/// What a script can have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// The tables and views whose definition it changes, and those it makes and removes.
    names: BTreeSet<String>,
    /// Whether it writes rows, by which triggers and foreign keys reach any table.
    writes_rows: bool,
    /// Whether a table or a column goes, or gets another name: triggers and foreign
    /// keys may hang on it.
    removes: bool,
}

impl Touched {
    /// What `scripts` can have changed; `None` where the text of one does not say.
    pub(super) fn by<'s>(scripts: impl IntoIterator<Item = &'s Script>) -> Option<Self> {
        let mut touched = Self::default();
        for statement in scripts.into_iter().flat_map(|script| &script.statements) {
            touched.add(sql::read(statement).change)?;
        }
        Some(touched)
    }

    /// The tables in which rows can have come, gone or changed; `None` for all.
    pub(super) fn rows(self) -> Option<BTreeSet<String>> {
        (!self.writes_rows).then_some(self.names)
    }

    fn add(&mut self, change: Change) -> Option<()> {
        match change {
            Change::CreateTable(table) => {
                self.removes |= table.or_replace;
                self.writes_rows |= table.has_query;
                self.name(table.name)?;
            }
            Change::AlterTable(alter) => {
                self.name(alter.name)?;
                for clause in alter.clauses {
                    match clause.clause {
                        // `EXCHANGE` moves the rows of another table.
                        Clause::Unknown | Clause::Partitions(_) => return None,
                        Clause::RenameTo(name) => {
                            self.removes = true;
                            self.name(name)?;
                        }
                        Clause::DropColumn { .. }
                        | Clause::ChangeColumn { .. }
                        | Clause::RenameColumn { .. } => {
                            self.removes = true;
                        }
                        _ => {}
                    }
                }
            }
            Change::DropTables { names, .. } => {
                self.removes = true;
                names.into_iter().try_for_each(|name| self.name(name))?;
            }
            Change::RenameTables(pairs) => {
                self.removes = true;
                pairs.into_iter().flat_map(|(old, new)| [old, new]).try_for_each(|name| self.name(name))?;
            }
            Change::Create(object) | Change::Alter(object)
                if object.kind == sql::change::ObjectKind::View =>
            {
                self.name(object.name)?;
            }
            Change::Drop { kind: sql::change::ObjectKind::View, names, .. } => {
                names.into_iter().try_for_each(|name| self.name(name))?;
            }
            // A stored function that a query or a `SET` calls may write, too.
            Change::Truncate(_) | Change::Rows(_) | Change::Query { .. } | Change::Set(_) => {
                self.writes_rows = true;
            }
            _ => return None,
        }
        Some(())
    }

    fn name(&mut self, name: Name) -> Option<()> {
        self.names.extend(name.database.is_none().then_some(name.name));
        // Another database's table is beyond what is looked at.
        name.database.is_none().then_some(())
    }

    /// The tables and views to look at after the script has run on a database that was as `before`; `None` for
    /// everything.
    pub(super) fn in_schema(&self, before: &Snapshot) -> Option<BTreeSet<String>> {
        let mut names = self.names.clone();
        // A foreign key has the names of the table and the columns that it points to.
        names.extend(before.tables.iter().filter(|_| self.removes).filter_map(|(name, table)| {
            let points_here = table.foreign_keys.iter().any(|key| self.names.contains(&key.referenced_table));
            points_here.then(|| name.clone())
        }));
        for ((kind, name), definition) in &before.objects {
            match kind {
                ObjectKind::Trigger if self.removes && mentions(definition, &names) => return None,
                ObjectKind::Sequence if names.contains(name) => return None,
                _ => {}
            }
        }
        // Views on views come after them in no order.
        loop {
            let quoted = quoted(&names);
            let views = before.objects.iter().filter(|((kind, name), definition)| {
                *kind == ObjectKind::View && !names.contains(name) && mentions(definition, &quoted)
            });
            let views: Vec<_> = views.map(|((_, name), _)| name.clone()).collect();
            if views.is_empty() {
                return Some(names);
            }
            names.extend(views);
        }
    }
}

/// As the server writes them into a view.
fn quoted(names: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().map(|name| format!("`{}`", name.replace('`', "``"))).collect()
}

/// Whether one of the names is in the text, whatever it means there.
fn mentions(definition: &str, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| definition.contains(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Flavour, ForeignKey, ServerVersion, Table},
        sql::parse_script,
    };

    #[test]
    fn a_script_says_what_it_touches() {
        let check = |text: &str, tables: Option<&[&str]>, writes_rows: bool, removes: bool| {
            let script = parse_script("1_x.up.sql", text.as_bytes()).expect("a sound script");
            let expected = tables.map(|names| Touched {
                names: names.iter().map(|&name| name.to_owned()).collect(),
                writes_rows,
                removes,
            });
            assert_eq!(Touched::by([&script]), expected, "{text}");
        };
        check("CREATE TABLE a (id INT)", Some(&["a"]), false, false);
        check("CREATE TABLE a AS SELECT * FROM b", Some(&["a"]), true, false);
        check("ALTER TABLE a ADD n INT; CREATE INDEX i ON b (n)", Some(&["a", "b"]), false, false);
        check("ALTER TABLE a DROP COLUMN n", Some(&["a"]), false, true);
        check("ALTER TABLE a RENAME TO b", Some(&["a", "b"]), false, true);
        check("RENAME TABLE a TO b, c TO d", Some(&["a", "b", "c", "d"]), false, true);
        check("DROP TABLE IF EXISTS a, b", Some(&["a", "b"]), false, true);
        check("UPDATE a SET n = 1", Some(&[]), true, false);
        check("SET foreign_key_checks = 0; TRUNCATE a", Some(&[]), true, false);
        check("ALTER TABLE other.a ADD n INT", None, false, false);
        check("CREATE OR REPLACE VIEW v AS SELECT 1; DROP VIEW w, x", Some(&["v", "w", "x"]), false, false);
        check("CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET NEW.n = 1", None, false, false);
        check("CALL p()", None, false, false);
        check("SET @s = 'DROP TABLE a'; PREPARE s FROM @s; EXECUTE s", None, false, false);
        check("ALTER TABLE a FROBNICATE", None, false, false);
        check("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b", None, false, false);
        check("SELECT f() INTO @n; SET @m = f()", Some(&[]), true, false);
    }

    #[test]
    fn what_hangs_on_a_table_is_looked_at_too() {
        let objects = [
            (ObjectKind::Table, "a", "CREATE TABLE `a`"),
            (ObjectKind::Table, "b", "CREATE TABLE `b`"),
            (ObjectKind::Table, "child", "CREATE TABLE `child`"),
            // The later one is read by the one before it.
            (ObjectKind::View, "first", "CREATE VIEW `first` AS select 1 from `second`"),
            (ObjectKind::View, "second", "CREATE VIEW `second` AS select 1 from `a`"),
            (ObjectKind::View, "ab", "CREATE VIEW `ab` AS select 1 from `ab_`"),
            (ObjectKind::Trigger, "g", "CREATE TRIGGER `g` BEFORE INSERT ON `b` FOR EACH ROW SET NEW.n = 1"),
            (ObjectKind::Sequence, "s", "CREATE SEQUENCE `s`"),
        ];
        let key = ForeignKey {
            name: "fk".into(),
            columns: vec!["a_id".into()],
            referenced_table: "a".into(),
            referenced_columns: vec!["id".into()],
        };
        let child = Table { foreign_keys: vec![key], ..Table::default() };
        let before = Snapshot {
            server: ServerVersion { flavour: Flavour::MariaDb, number: (10, 11, 0) },
            options: String::new(),
            objects: objects.map(|(kind, name, sql)| ((kind, name.to_owned()), sql.to_owned())).into(),
            tables: [("child".to_owned(), child)].into(),
        };
        let check = |text: &str, expected: Option<&[&str]>| {
            let script = parse_script("1_x.up.sql", text.as_bytes()).expect("a sound script");
            let touched = Touched::by([&script]).expect("its text says");
            let expected = expected.map(|names| names.iter().map(|&name| name.to_owned()).collect());
            assert_eq!(touched.in_schema(&before), expected, "{text}");
        };
        check("ALTER TABLE a ADD n INT", Some(&["a", "first", "second"]));
        check("ALTER TABLE a DROP COLUMN n", Some(&["a", "child", "first", "second"]));
        check("RENAME TABLE a TO c", Some(&["a", "c", "child", "first", "second"]));
        // A trigger goes with its table, and is not among what is looked at again.
        check("ALTER TABLE b ADD n INT", Some(&["b"]));
        check("DROP TABLE b", None);
        check("DROP TABLE s", None);
        check("DROP VIEW second", Some(&["first", "second"]));
        check("UPDATE a SET n = 1", Some(&[]));
    }
}
