//! What is written about databases that are made for a proof and gone after it.
//!
//! Each has a lock of its name on the server, held by the connection that made it for as long as it is there: one whose
//! lock is free was left by a run that was killed.

use super::{
    books,
    introspect::Inspector,
    provisioning::{DATABASE_OPTIONS, identifier},
    server_error::NO_SUCH_TABLE,
};
use crate::session::SessionError;

/// How their names begin: nobody else's do.
pub(crate) const PREFIX: &str = "_backend_migrations_scratch_";

impl Inspector {
    /// Makes the database `name`, which must begin with [`PREFIX`], and goes on in it. `options` is what stands behind
    /// the name in `CREATE DATABASE`; `None` for what a tenant's database has.
    pub(crate) async fn make_database(
        &mut self,
        name: &str,
        options: Option<&str>,
    ) -> Result<(), SessionError> {
        let (lock, name) = (books::text(name), identifier(name));
        let options = options.unwrap_or(DATABASE_OPTIONS);
        // Locked before it is there, or another run could take it for a left one.
        self.rows(format!("DO GET_LOCK({lock}, 0);CREATE DATABASE {name} {options};USE {name}"))
            .await
            .map(|_| ())
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

    /// Empties history and journal, as far as they are there.
    pub(crate) async fn forget_history(&mut self) -> Result<(), SessionError> {
        for table in ["_sqlx_migrations", "_backend_migrations_journal"] {
            match self.rows(format!("DELETE FROM {table}")).await {
                Ok(_) | Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
