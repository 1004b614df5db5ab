//! Reads a database's schema.
//!
//! Two round trips: the names of what there is from `information_schema`, then a `SHOW CREATE` for each; and a third for the
//! structure of those tables whose definition was not seen before. Rights on that one database are enough, those that a
//! tenant's own account has.

mod definition;
mod seen;
mod structure;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::{Row as _, mysql::MySqlRow};

use self::definition::{Defaults, Definition};
pub(super) use self::seen::Seen;
use super::{
    connect::{self, MySqlConnector},
    provisioning::identifier,
    query::{self, AnswerLimit, Patience, RowSets, ServerConnection},
    session::BOOKKEEPING_LIMIT,
};
use crate::{
    history::BOOKS,
    schema::{Flavour, ObjectKind, ServerVersion, Snapshot, Table},
    session::{ConnectError, SessionError, number::NO_SUCH_TABLE},
    tenant::Target,
};

/// They are no part of the schema.
const NOT_SCHEMA: [&str; 3] = BOOKS;

/// A value as the server sends it in the text protocol; `None` is NULL.
pub type Value = Option<Vec<u8>>;

/// A connection that looks at one database.
///
/// Its session is set as a migration's is, so that what was made under other settings shows.
#[derive(Debug)]
pub struct Inspector {
    connection: ServerConnection,
    connector: MySqlConnector,
    /// What definitions are read against; known from the first look on.
    defaults: Option<Defaults>,
}

impl MySqlConnector {
    /// Connects to look at the schema and rows of `target`'s database.
    ///
    /// # Errors
    ///
    /// Those of logging in.
    pub async fn inspect(&self, target: &Target) -> Result<Inspector, ConnectError> {
        let connection = self.open_set_up(target).await?.with_answers(AnswerLimit::LARGE);
        Ok(Inspector { connection, connector: self.clone(), defaults: None })
    }
}

/// What there is, by the first round trip.
struct Names {
    server: ServerVersion,
    defaults: Defaults,
    /// Each object, with what its `SHOW CREATE` does not tell.
    objects: Vec<(ObjectKind, String, Option<String>)>,
}

impl Inspector {
    /// The schema as it is now.
    ///
    /// An object that is made or removed by somebody else meanwhile is an error: nobody may work on a database that is
    /// looked at.
    ///
    /// # Errors
    ///
    /// What the server or the connection said.
    pub async fn snapshot(&mut self) -> Result<Snapshot, SessionError> {
        let sets = self.rows(structure::SELECT_NAMES.concat()).await?;
        let names = structure::names(&sets).ok_or_else(too_little)?;
        self.defaults = Some(names.defaults.clone());
        let shown = names
            .objects
            .iter()
            .map(|(kind, name, _)| format!(";SHOW CREATE {} {}", kind.as_sql(), identifier(name)));
        let database = format!("SHOW CREATE DATABASE {}", identifier(&names.defaults.database));
        let shown = self.rows(database + &shown.collect::<String>()).await?;
        let mut shown = shown.iter().map(|rows| rows.first().map_or(&[][..], Vec::as_slice));
        let options = definition::options(shown.next().unwrap_or_default());
        let is_object = |name: &str| names.objects.iter().any(|object| object.1 == name);
        let mut objects = BTreeMap::new();
        for (kind, name, note) in &names.objects {
            let row = shown.next().ok_or_else(too_little)?;
            let definition = Definition { kind: *kind, note: note.as_deref(), row };
            objects.insert((*kind, name.clone()), definition.normalised(&names.defaults, is_object));
        }
        let tables = self.tables(names.server.flavour, &objects).await?;
        Ok(Snapshot { server: names.server, options, objects, tables })
    }

    /// As [`Self::snapshot`], of a database that was as `before` and in which no more than the tables and views of these
    /// names can have changed, come or gone.
    ///
    /// # Errors
    ///
    /// As [`Self::snapshot`].
    pub async fn snapshot_after(
        &mut self,
        before: &Snapshot,
        changed: &BTreeSet<String>,
    ) -> Result<Snapshot, SessionError> {
        let Some(defaults) = self.defaults.clone() else { return self.snapshot().await };
        let mut snapshot = before.clone();
        for name in changed {
            snapshot.objects.remove(&(ObjectKind::Table, name.clone()));
            snapshot.objects.remove(&(ObjectKind::View, name.clone()));
            snapshot.tables.remove(name);
        }
        let names: HashSet<_> =
            before.objects.keys().map(|(_, name)| name).chain(changed).map(String::as_str).collect();
        let is_object = |name: &str| names.contains(name);
        let mut objects = BTreeMap::new();
        for (name, row) in self.show_tables(changed).await? {
            // A view has its settings behind its definition.
            let kind = if row.len() > 2 { ObjectKind::View } else { ObjectKind::Table };
            let definition = Definition { kind, note: None, row: &row };
            objects.insert((kind, name), definition.normalised(&defaults, is_object));
        }
        snapshot.tables.extend(self.tables(before.server.flavour, &objects).await?);
        snapshot.objects.extend(objects);
        Ok(snapshot)
    }

    /// What `SHOW CREATE TABLE` says of those tables and views that are there.
    async fn show_tables(
        &mut self,
        names: &BTreeSet<String>,
    ) -> Result<Vec<(String, Vec<Value>)>, SessionError> {
        let mut names = names.iter().peekable();
        let mut shown = Vec::new();
        while names.peek().is_some() {
            let sql: Vec<_> =
                names.clone().map(|name| format!("SHOW CREATE TABLE {}", identifier(name))).collect();
            let (sets, result) =
                query::query_until_error(&mut self.connection, sql.join(";"), patience(&self.connector))
                    .await;
            for (rows, name) in sets.iter().zip(names.by_ref()) {
                shown.push((name.clone(), rows.first().map(values).unwrap_or_default()));
            }
            match result {
                Ok(()) if sets.is_empty() => return Err(too_little()),
                Ok(()) => {}
                // Nothing behind the statement that failed was looked at.
                Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => drop(names.next()),
                Err(error) => return Err(error),
            }
        }
        Ok(shown)
    }

    /// The tables among `objects` as structure.
    async fn tables(
        &mut self,
        flavour: Flavour,
        objects: &BTreeMap<(ObjectKind, String), String>,
    ) -> Result<BTreeMap<String, Table>, SessionError> {
        let tables: Vec<_> = objects
            .iter()
            .filter(|((kind, _), _)| *kind == ObjectKind::Table)
            .map(|((_, name), definition)| (name, definition))
            .collect();
        let seen = self.connector.seen().clone();
        let mut known = BTreeMap::new();
        let mut new = Vec::new();
        for (name, definition) in tables {
            match seen.get(flavour, definition) {
                Some(table) => drop(known.insert(name.clone(), table)),
                None => new.push((name.as_str(), definition.as_str())),
            }
        }
        for batch in without_case_twins(new) {
            let sets = self.rows(structure::select(&batch)).await?;
            let mut read = structure::tables(flavour, &sets);
            for (name, definition) in batch {
                let table = read.remove(name).ok_or_else(too_little)?;
                seen.insert(flavour, definition.to_owned(), table.clone());
                known.insert(name.to_owned(), table);
            }
        }
        Ok(known)
    }

    /// Runs `sql`, which may be several statements, in one round trip; gives each one's rows as text.
    ///
    /// # Errors
    ///
    /// What the server or the connection said to the first that failed.
    pub async fn rows(&mut self, sql: impl Into<String>) -> Result<Vec<Vec<Vec<Value>>>, SessionError> {
        let sets = self.query(sql.into()).await?;
        Ok(sets.iter().map(|rows| rows.iter().map(values).collect()).collect())
    }

    /// Runs one statement as a migration's session would; gives the number of rows it touched.
    ///
    /// # Errors
    ///
    /// What the server or the connection said.
    pub async fn execute(&mut self, statement: impl Into<String>) -> Result<u64, SessionError> {
        let patience = Patience::until(self.connector.limits().statement, self.connector.kill_token());
        patience.wait(self.connection.execute(statement.into())).await
    }

    /// The storage engine's numbers of the database's tables and partitions: what gets another one was written anew. It
    /// takes the privilege PROCESS.
    ///
    /// # Errors
    ///
    /// What the server or the connection said.
    pub async fn storage_ids(&mut self, flavour: Flavour) -> Result<BTreeSet<Vec<u8>>, SessionError> {
        let table = match flavour {
            Flavour::MySql => "innodb_tables",
            Flavour::MariaDb => "innodb_sys_tables",
        };
        // The tables behind a FULLTEXT index come and go with it.
        let sql = format!(
            "SELECT table_id FROM information_schema.{table} \
             WHERE name LIKE CONCAT(DATABASE(), '/%') AND name NOT LIKE '%/fts\\_%'"
        );
        let sets = self.rows(sql).await?;
        Ok(sets.into_iter().flatten().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// Goes on with another database of the same server.
    ///
    /// # Errors
    ///
    /// What the server or the connection said.
    pub async fn change_database(&mut self, name: &str) -> Result<(), SessionError> {
        self.defaults = None;
        self.execute(format!("USE {}", identifier(name))).await.map(|_| ())
    }

    /// Lets go of the connection.
    pub async fn close(self) {
        connect::close(self.connection, &self.connector).await;
    }

    async fn query(&mut self, sql: String) -> Result<RowSets, SessionError> {
        query::query(&mut self.connection, sql, patience(&self.connector)).await
    }
}

/// The tables in batches in which no two names differ by their case alone: for two such names in one list,
/// `information_schema` gives the rows of one (seen on MariaDB 10.11.19).
fn without_case_twins<'t>(tables: Vec<(&'t str, &'t str)>) -> Vec<Vec<(&'t str, &'t str)>> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut batches: Vec<Vec<_>> = Vec::new();
    for table in tables {
        let n_twins = seen.entry(table.0.to_lowercase()).or_default();
        if batches.len() == *n_twins {
            batches.push(Vec::new());
        }
        batches[*n_twins].push(table);
        *n_twins += 1;
    }
    batches
}

fn patience(connector: &MySqlConnector) -> Patience<'_> {
    Patience::until(BOOKKEEPING_LIMIT, connector.kill_token())
}

fn values(row: &MySqlRow) -> Vec<Value> {
    // In the text protocol every value is sent as text, whatever the column's type.
    (0..row.columns().len()).map(|column| row.try_get_unchecked(column).ok().flatten()).collect()
}

fn too_little() -> SessionError {
    SessionError::Unreadable { message: "the server described less than it was asked for".into() }
}

/// The flavour and number in what `VERSION()` answers, such as `9.7.4` or `10.11.19-MariaDB-deb12`.
pub(super) fn server_version(version: &str) -> ServerVersion {
    let is_mariadb = version.to_ascii_lowercase().contains("mariadb");
    // Replication needs MariaDB to look newer than MySQL 5.5, so older ones say `5.5.5-` first.
    let number = version.strip_prefix("5.5.5-").filter(|_| is_mariadb).unwrap_or(version);
    let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    ServerVersion {
        flavour: if is_mariadb { Flavour::MariaDb } else { Flavour::MySql },
        number: (part(), part(), part()),
    }
}

#[cfg(test)]
mod tests {
    use super::server_version;

    #[test]
    fn versions_are_read() {
        let check = |text: &str, expected: &str| assert_eq!(server_version(text).to_string(), expected);
        check("9.7.4", "MySQL 9.7.4");
        check("8.0.36-0ubuntu0.22.04.1", "MySQL 8.0.36");
        check("10.11.19-MariaDB-0+deb12u1", "MariaDB 10.11.19");
        check("5.5.5-10.6.18-MariaDB", "MariaDB 10.6.18");
        check("", "MySQL 0.0.0");
    }
}
