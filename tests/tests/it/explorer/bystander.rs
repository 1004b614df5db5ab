//! Others on the same server, who must not notice anything.

use std::sync::{Mutex, PoisonError};

use end_to_end::query;
use sqlx::MySqlConnection;

use super::world::{TENANTS, Trouble, World, execute};

/// An application that has logged in with a tenant's own account, and another tenant's administrator.
pub(super) struct Bystanders {
    connections: tokio::sync::Mutex<Vec<MySqlConnection>>,
    ids: Mutex<Vec<String>>,
}

impl Bystanders {
    pub(super) async fn come(world: &World) -> Result<Self, Trouble> {
        let here = Self { connections: tokio::sync::Mutex::default(), ids: Mutex::default() };
        here.renew(world).await?;
        Ok(here)
    }

    /// Comes again, where the server that there is now has none.
    pub(super) async fn renew(&self, world: &World) -> Result<(), Trouble> {
        let mut connections = self.connections.lock().await;
        connections.clear();
        let mut ids = Vec::new();
        for is_application in [true, false] {
            let mut connection =
                if is_application { world.application(TENANTS[0]).await? } else { world.root().await? };
            execute(&mut connection, "SET SESSION wait_timeout = 28800").await?;
            execute(&mut connection, "SET @bystander = 'alive'").await?;
            ids.push(query::value(&mut connection, "SELECT CONNECTION_ID()").await);
            connections.push(connection);
        }
        *self.ids.lock().unwrap_or_else(PoisonError::into_inner) = ids;
        Ok(())
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// # Errors
    ///
    /// Where one of them did notice something.
    pub(super) async fn check(&self) -> Result<(), String> {
        let mut connections = self.connections.lock().await;
        for (connection, who) in connections.iter_mut().zip(["the application's", "another's"]) {
            let alive = sqlx::query_scalar::<_, Option<String>>("SELECT CONVERT(@bystander USING utf8mb4)");
            match alive.fetch_one(&mut *connection).await {
                Ok(Some(word)) if word == "alive" => {}
                Ok(word) => return Err(format!("{who} session was set back: {word:?}")),
                Err(error) => return Err(format!("{who} connection is gone: {error}")),
            }
        }
        if let [_, root] = connections.as_mut_slice() {
            let kept = query::column(root, "SELECT id FROM bystander.kept ORDER BY id").await;
            if kept != ["1", "2", "3"] {
                return Err(format!("another database has {kept:?}"));
            }
        }
        Ok(())
    }
}
