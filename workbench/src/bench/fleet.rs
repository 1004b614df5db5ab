//! The tenants of one contender: databases, accounts, and a central database of their own, so that no contender finds
//! another's history.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use backend_migrations::{entropy, migration::MigrationSet, mysql::parse_url, seal, secret::Key};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _, raw_sql};

use crate::samples;

/// The history tables of all contenders, with the column that orders their rows.
const HISTORIES: [(&str, &str); 3] =
    [("_sqlx_migrations", "version"), ("knex_migrations", "id"), ("floor_history", "version")];

/// One contender's tenants.
pub(super) struct Fleet {
    pub(super) central_url: String,
    pub(super) has_tls: bool,
    root: MySqlConnection,
    names: Vec<String>,
}

impl Fleet {
    /// Makes `n` tenants with empty databases for `family`.
    pub(super) async fn create(
        root_url: &str,
        family: &str,
        n: usize,
        central: &MigrationSet,
        has_tls: bool,
    ) -> anyhow::Result<Self> {
        let mut root = MySqlConnection::connect(root_url).await?;
        let database = format!("bench_{family}");
        let mut central_url = url::Url::parse(root_url)?;
        central_url.set_path(&database);
        let at = parse_url(central_url.as_str(), "central")?;
        let mut sql = format!("CREATE DATABASE {database} CHARACTER SET utf8mb4;USE {database};");
        for statement in central.iter().flat_map(|migration| &migration.up.statements) {
            write!(sql, "{};", statement.text)?;
        }
        let names = names(family, n);
        let key = Key::parse(samples::KEY)?;
        for name in &names {
            let password = entropy::random_password()?;
            let sealed = seal::seal(password.expose(), &key, entropy::random_iv()?);
            let (host, port) = (&at.label.server.host, at.label.server.port);
            write!(
                sql,
                "CREATE DATABASE {name} CHARACTER SET utf8mb4;\
                 CREATE USER '{name}'@'%' IDENTIFIED BY '{}';GRANT ALL ON {name}.* TO '{name}'@'%';\
                 INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
                 VALUES ('{name}', '{name}', '{name}', '{host}', {port}, '{name}', '{name}', '{sealed}', 'ACTIVE');",
                password.expose(),
            )?;
        }
        root.execute(raw_sql(AssertSqlSafe(sql)))
            .await
            .with_context(|| format!("the tenants of {family} cannot be made"))?;
        Ok(Self { central_url: central_url.into(), has_tls, root, names })
    }

    /// Every database empty again.
    pub(super) async fn empty(&mut self) -> anyhow::Result<()> {
        self.for_each(|name| format!("DROP DATABASE {name};CREATE DATABASE {name} CHARACTER SET utf8mb4;"))
            .await
    }

    /// The newest migration undone, and out of every history.
    pub(super) async fn step_back(&mut self, set: &MigrationSet) -> anyhow::Result<()> {
        let newest = set.iter().last().context("there are no migrations")?;
        let down = newest.down.as_ref().context("the newest migration has no down")?;
        let mut step: Vec<String> = down.statements.iter().map(|statement| statement.text.clone()).collect();
        let name = self.names.first().context("no tenants")?;
        let query = format!("SELECT table_name FROM information_schema.tables WHERE table_schema = '{name}'");
        let tables = self.root.fetch_all(raw_sql(AssertSqlSafe(query))).await?;
        let tables: Vec<String> = tables.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let there = HISTORIES.iter().filter(|(table, _)| tables.iter().any(|there| there == table));
        step.extend(
            there.map(|(table, column)| format!("DELETE FROM {table} ORDER BY {column} DESC LIMIT 1")),
        );
        let step = step.join(";");
        self.for_each(|name| format!("USE {name};{step};")).await
    }

    /// Fails unless every tenant's history has every migration.
    pub(super) async fn check(&mut self, set: &MigrationSet) -> anyhow::Result<()> {
        let n_wanted = set.iter().count();
        for name in self.names.clone() {
            let mut n_rows = 0;
            for (table, _) in HISTORIES {
                let sql = format!("SELECT COUNT(*) FROM {name}.{table}");
                if let Ok(row) = self.root.fetch_one(raw_sql(AssertSqlSafe(sql))).await {
                    n_rows = usize::try_from(row.try_get::<i64, _>(0)?)?;
                }
            }
            ensure!(n_rows == n_wanted, "`{name}` has {n_rows} of {n_wanted} migrations in its history");
        }
        Ok(())
    }

    async fn for_each(&mut self, sql: impl Fn(&str) -> String) -> anyhow::Result<()> {
        for names in self.names.chunks(50) {
            let text: String = names.iter().map(|name| sql(name)).collect();
            self.root.execute(raw_sql(AssertSqlSafe(text))).await?;
        }
        Ok(())
    }
}

/// Removes everything again, from a server that stays.
pub(super) async fn remove_all(root_url: &str, n: usize, families: &[&str]) -> anyhow::Result<()> {
    let mut root = MySqlConnection::connect(root_url).await?;
    for family in families {
        let mut sql = format!("DROP DATABASE IF EXISTS bench_{family};");
        for name in names(family, n) {
            write!(sql, "DROP DATABASE IF EXISTS {name};DROP USER IF EXISTS '{name}'@'%';")?;
        }
        root.execute(raw_sql(AssertSqlSafe(sql))).await?;
    }
    Ok(root.close().await?)
}

/// A tenant's name is its database's and its account's.
fn names(family: &str, n: usize) -> Vec<String> {
    (1..=n).map(|i| format!("bench_{family}_{i:05}")).collect()
}
