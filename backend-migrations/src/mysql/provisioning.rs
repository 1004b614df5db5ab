//! What provisioning writes: the tenant's row in the central database, its database and its account on a server.

use std::time::Duration;

use sqlx::Row as _;

use super::{
    Central, CentralError, MySqlConnector,
    books::text,
    connect, contract,
    query::{self, Patience, ServerConnection},
    server_error::session_error,
    session::BOOKKEEPING_LIMIT,
};
use crate::{
    secret::Secret,
    session::{ConnectError, SessionError, number::PARSE_ERROR},
    tenant::{SealedTarget, Target, TenantId, TenantStatus},
};

/// What a tenant's database is made with.
pub(super) const DATABASE_OPTIONS: &str = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";

/// What a tenant's own account may do, on its own database alone: what migrations and the application need, and nothing
/// that reaches beyond it.
const PRIVILEGES: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, \
                          SHOW VIEW, TRIGGER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, EVENT, \
                          CREATE TEMPORARY TABLES, LOCK TABLES";

impl Central {
    /// Keeps other provisioning of the same slug out until this connection closes; `false` where another one holds it.
    pub(crate) async fn lock_slug(&mut self, slug: &str, wait_s: u64) -> Result<bool, CentralError> {
        // A lock's name has at most 64 characters on MySQL, and is the whole server's.
        let name =
            format!("CONCAT('provision:', LEFT(SHA2(CONCAT(DATABASE(), '/', {}), 256), 40))", text(slug));
        // Less than any query of ours may take.
        let wait = Duration::from_secs(wait_s).min(BOOKKEEPING_LIMIT / 2);
        let answer = self.number(contract::hold_lock(&name, wait)).await?;
        Ok(answer == Some(1))
    }

    /// Adds a tenant with status PROVISIONING.
    pub(crate) async fn insert_tenant(&mut self, target: &SealedTarget) -> Result<(), CentralError> {
        let label = &target.label;
        let id = label.id.as_ref().map_or("", |id| id.0.as_str());
        let sql = format!(
            "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
             VALUES ({}, {}, {}, {}, {}, {}, {}, {}, 'PROVISIONING')",
            text(id),
            text(&label.slug),
            text(&label.name),
            text(&label.server.host),
            label.server.port,
            text(&label.database),
            text(&target.user),
            text(&target.sealed_password),
        );
        self.write(sql).await.map(|_| ())
    }

    /// Sets a tenant's status, if it is being provisioned or failed to be; gives how many rows that was, 1 or 0.
    pub(crate) async fn set_status(
        &mut self,
        id: &TenantId,
        status: TenantStatus,
    ) -> Result<u64, CentralError> {
        let sql = format!(
            "UPDATE tenants SET status = '{status}' WHERE id = {} AND status IN ('PROVISIONING', 'FAILED')",
            text(&id.0)
        );
        self.write(sql).await
    }
}

/// A connection that may make databases and accounts.
#[derive(Debug)]
pub(crate) struct Admin {
    connection: ServerConnection,
    connector: MySqlConnector,
}

impl Admin {
    pub(crate) async fn connect(connector: &MySqlConnector, target: &Target) -> Result<Self, ConnectError> {
        Ok(Self { connection: connector.open_set_up(target).await?, connector: connector.clone() })
    }

    /// Whether there is a database of this name.
    pub(crate) async fn has_database(&mut self, name: &str) -> Result<bool, SessionError> {
        let sql =
            format!("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}", text(name));
        Ok(self.number(sql).await? > 0)
    }

    /// Whether there is an account of this name. An error where we may not look: to guess that there is none could give
    /// somebody else's account a new password.
    pub(crate) async fn has_account(&mut self, user: &str) -> Result<bool, SessionError> {
        let sql = format!("SELECT COUNT(*) FROM mysql.user WHERE User = {}", text(user));
        Ok(self.number(sql).await? > 0)
    }

    /// The accounts without a name, as `''@'host'`, which a login from that host is taken for.
    pub(crate) async fn anonymous_accounts(&mut self) -> Result<Vec<String>, SessionError> {
        let sql = "SELECT Host FROM mysql.user WHERE User = '' ORDER BY Host";
        let sets = query::query(&mut self.connection, sql.into(), patience(&self.connector)).await?;
        let hosts = sets.iter().flatten().map(|row| row.try_get::<String, _>(0));
        hosts
            .map(|host| host.map(|host| format!("''@'{host}'")).map_err(|error| session_error(&error)))
            .collect()
    }

    /// Makes the database, if it is not there.
    pub(crate) async fn create_database(&mut self, name: &str) -> Result<(), SessionError> {
        self.run(format!("CREATE DATABASE IF NOT EXISTS {} {DATABASE_OPTIONS}", identifier(name))).await
    }

    /// Makes the account, if it is not there, gives it this password and the privileges on its database.
    pub(crate) async fn create_account(
        &mut self,
        user: &str,
        password: &Secret<String>,
        database: &str,
    ) -> Result<(), SessionError> {
        let (account, password) = (format!("{}@'%'", literal(user)), literal(password.expose()));
        for verb in ["CREATE USER IF NOT EXISTS", "ALTER USER"] {
            let result = self.run(format!("{verb} {account} IDENTIFIED BY {password}")).await;
            // A server that does not understand a statement repeats the rest of it, the password with it.
            result.map_err(|error| match error {
                SessionError::Server { number: number @ PARSE_ERROR, sqlstate, .. } => {
                    let message = format!("the server does not understand `{verb} … IDENTIFIED BY …`");
                    SessionError::Server { number, sqlstate, message }
                }
                error => error,
            })?;
        }
        // In a GRANT `_` and `%` are wildcards: unescaped, `a_b`.* would open `acb` too.
        let pattern = identifier(&database.replace('_', "\\_").replace('%', "\\%"));
        self.run(format!("GRANT {PRIVILEGES} ON {pattern}.* TO {account}")).await
    }

    pub(crate) async fn close(self) {
        connect::close(self.connection, &self.connector).await;
    }

    async fn run(&mut self, sql: String) -> Result<(), SessionError> {
        query::query(&mut self.connection, sql, patience(&self.connector)).await.map(|_| ())
    }

    async fn number(&mut self, sql: String) -> Result<i64, SessionError> {
        let row = query::row(&mut self.connection, sql, patience(&self.connector)).await?;
        row.try_get(0).map_err(|error| session_error(&error))
    }
}

fn patience(connector: &MySqlConnector) -> Patience<'_> {
    Patience::until(BOOKKEEPING_LIMIT, connector.kill_token())
}

pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string literal for where none in hexadecimal is taken, as the contract's `sql_mode` has it: with backslash escapes.
fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}
