//! What is written about databases that are made for a proof and gone after it.
//!
//! Each has a lock of its name on the server, held by the connection that made it for as long as it is there: one whose
//! lock is free was left by a run that was killed.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    books, contract,
    introspect::{Inspector, Value, server_version},
    provisioning::{DATABASE_OPTIONS, identifier},
};
use crate::{
    history::BOOKS,
    schema::ServerVersion,
    session::{
        SessionError,
        number::{NO_SUCH_CONNECTION, NO_SUCH_TABLE},
    },
};

/// Whether a statement is one of those that make a database with this prefix.
fn is_making(statement: &str, prefix: &str) -> bool {
    let begins = ["SELECT GET_LOCK(", "CREATE DATABASE "].iter().any(|start| statement.starts_with(start));
    begins && statement.contains(prefix)
}

/// How their names begin: nobody else's do.
pub(crate) const PREFIX: &str = "_backend_migrations_scratch_";

/// So often it is looked whether killed connections are gone, and so long after one look comes the next: 10 s in all.
const N_LOOKS_MAX: usize = 200;
const LOOK_PAUSE: Duration = Duration::from_millis(50);

impl Inspector {
    /// Makes the database `name`, which must begin with [`PREFIX`], and goes on in it; gives its server's version, and
    /// whether names of tables have upper and lower case there. `options` is what stands behind the name in
    /// `CREATE DATABASE`; `None` for what a tenant's database has.
    pub(crate) async fn make_database(
        &mut self,
        name: &str,
        options: Option<&str>,
    ) -> Result<(ServerVersion, bool), SessionError> {
        let (lock, name) = (books::text(name), identifier(name));
        let options = options.unwrap_or(DATABASE_OPTIONS);
        // Locked before it is there, or another run could take it for a left one.
        let hold_lock = contract::hold_lock(&lock, Duration::ZERO);
        let sql = format!(
            "{hold_lock};CREATE DATABASE {name} {options};USE {name};SELECT VERSION(), @@lower_case_table_names"
        );
        let mut rows = self.rows(sql).await?.into_iter().flatten();
        let answer = rows.next().unwrap_or_default().into_iter().next().flatten();
        if answer.as_deref() != Some(b"1") {
            return Err(SessionError::LockRefused);
        }
        let row = rows.next().unwrap_or_default();
        let text =
            |at: usize| String::from_utf8_lossy(row.get(at).and_then(Option::as_deref).unwrap_or_default());
        Ok((server_version(&text(0)), text(1) == "0"))
    }

    /// Removes the database `name` with all in it.
    pub(crate) async fn drop_database(&mut self, name: &str) -> Result<(), SessionError> {
        self.execute(format!("DROP DATABASE IF EXISTS {}", identifier(name))).await.map(|_| ())
    }

    /// Removes the databases that killed runs have left; gives how many there were.
    pub(crate) async fn sweep_databases(&mut self) -> Result<usize, SessionError> {
        let sql = format!(
            "SELECT schema_name FROM information_schema.schemata \
             WHERE LEFT(schema_name, {}) = {} AND IS_FREE_LOCK(schema_name) = 1",
            PREFIX.len(),
            books::text(PREFIX)
        );
        let sets = self.rows(sql).await?;
        let mut n_swept = 0;
        for value in sets.into_iter().flatten().flatten().flatten() {
            self.drop_database(&String::from_utf8_lossy(&value)).await?;
            n_swept += 1;
        }
        Ok(n_swept)
    }

    /// Removes the databases whose names begin with `prefix`, whoever is at work in them: their connections are killed.
    /// Gives how many databases there were.
    pub(crate) async fn abandon_databases(&mut self, prefix: &str) -> Result<usize, SessionError> {
        let select = format!(
            "SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, {}) = {};\
             SELECT CONNECTION_ID();SHOW FULL PROCESSLIST",
            prefix.len(),
            books::text(prefix)
        );
        let mut n_removed = 0;
        for _ in 0..N_LOOKS_MAX {
            let sets = self.rows(select.clone()).await?;
            let value = |row: &Vec<Value>, at: usize| {
                row.get(at)
                    .and_then(Option::as_deref)
                    .map(String::from_utf8_lossy)
                    .unwrap_or_default()
                    .into_owned()
            };
            let [names, own, connections] = &sets[..] else { break };
            let names: Vec<_> = names.iter().map(|row| value(row, 0)).collect();
            let own = own.first().map(|row| value(row, 0));
            // Id, User, Host, db, Command, Time, State, Info. What is just being made has no `db` yet.
            let at_work = connections
                .iter()
                .filter(|row| value(row, 3).starts_with(prefix) || is_making(&value(row, 7), prefix));
            let at_work: Vec<_> =
                at_work.map(|row| value(row, 0)).filter(|id| own.as_ref() != Some(id)).collect();
            if names.is_empty() && at_work.is_empty() {
                break;
            }
            for id in &at_work {
                match self.rows(format!("KILL {id}")).await {
                    Ok(_) | Err(SessionError::Server { number: NO_SUCH_CONNECTION, .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            for name in &names {
                self.drop_database(name).await?;
                n_removed += 1;
            }
            if !at_work.is_empty() {
                sleep(LOOK_PAUSE).await;
            }
        }
        Ok(n_removed)
    }

    /// Empties history and journal, as far as they are there.
    pub(crate) async fn forget_history(&mut self) -> Result<(), SessionError> {
        for table in BOOKS {
            match self.rows(format!("DELETE FROM {table}")).await {
                Ok(_) | Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
