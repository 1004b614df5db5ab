//! Which tables a script can have changed, as far as its text says.
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
    /// The tables whose definition it changes, and those it makes and removes.
    pub(super) tables: BTreeSet<String>,
    /// Whether it writes rows, by which triggers and foreign keys reach any table.
    pub(super) writes_rows: bool,
    /// Whether a table or a column goes, or gets another name: views and triggers may hang on it.
    removes: bool,
}

impl Touched {
    /// What `script` can have changed; `None` where its text does not say.
    pub(super) fn by(script: &Script) -> Option<Self> {
        let mut touched = Self::default();
        for statement in &script.statements {
            touched.add(sql::read(statement).change)?;
        }
        Some(touched)
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
                        Clause::Unknown => return None,
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
            Change::Truncate(_) | Change::Rows(_) => self.writes_rows = true,
            Change::Query { .. } | Change::Set(_) => {}
            _ => return None,
        }
        Some(())
    }

    fn name(&mut self, name: Name) -> Option<()> {
        self.tables.extend(name.database.is_none().then_some(name.name));
        // Another database's table is beyond what is looked at.
        name.database.is_none().then_some(())
    }

    /// The tables to look at after the script has run on a database that was as `before`; `None` for everything.
    pub(super) fn in_schema(&self, before: &Snapshot) -> Option<BTreeSet<String>> {
        let hangs_on_tables = |kind: ObjectKind| matches!(kind, ObjectKind::View | ObjectKind::Trigger);
        if self.removes && before.objects.keys().any(|(kind, _)| hangs_on_tables(*kind)) {
            return None;
        }
        // A foreign key has the names of the table and the columns that it points to.
        let points_here = before.tables.iter().filter(|(_, table)| {
            table.foreign_keys.iter().any(|key| self.tables.contains(&key.referenced_table))
        });
        Some(points_here.map(|(name, _)| name.clone()).chain(self.tables.iter().cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_script;

    #[test]
    fn a_script_says_what_it_touches() {
        let check = |text: &str, tables: Option<&[&str]>, writes_rows: bool, removes: bool| {
            let script = parse_script("1_x.up.sql", text.as_bytes()).expect("a sound script");
            let expected = tables.map(|tables| Touched {
                tables: tables.iter().map(|&name| name.to_owned()).collect(),
                writes_rows,
                removes,
            });
            assert_eq!(Touched::by(&script), expected, "{text}");
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
        check("CREATE VIEW v AS SELECT 1", None, false, false);
        check("CALL p()", None, false, false);
        check("SET @s = 'DROP TABLE a'; PREPARE s FROM @s; EXECUTE s", None, false, false);
        check("ALTER TABLE a FROBNICATE", None, false, false);
    }
}
