//! The floor: what any correct tool must ask of the server, and no more. Not a tool: no checksums, no refusals.
//!
//! Through another driver than the tool's, so that what the tool's own costs shows.

use std::{collections::HashSet, process::ExitCode};

use anyhow::{Context as _, bail};
use backend_migrations::{disk, migration::MigrationSet, seal, secret::Key};
use futures_util::{TryStreamExt as _, stream};
use mysql_async::{Conn, Opts, OptsBuilder, SslOpts, prelude::Queryable as _};

use super::Scenario;
use crate::{root, samples};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    scenario: Scenario,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    tls: bool,
}

const CREATE_HISTORY: &str = "CREATE TABLE floor_history (version BIGINT NOT NULL PRIMARY KEY, state CHAR(7) NOT NULL, \
                              started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
const SELECT_HISTORY: &str = "SELECT version, state FROM floor_history";
/// `ER_NO_SUCH_TABLE`.
const NO_SUCH_TABLE: u16 = 1146;

/// Brings every tenant of the central database in `CENTRAL_DATABASE_URL` up to date.
pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let url = std::env::var("CENTRAL_DATABASE_URL").context("CENTRAL_DATABASE_URL is not set")?;
    let key = Key::parse(samples::KEY)?;
    let set = disk::load(&root().join("migrations/tenant"))?;
    let central = Opts::from_url(&url)?;
    let mut connection = Conn::new(options(OptsBuilder::from_opts(central), args.tls)).await?;
    let rows: Vec<(String, u16, String, String, String)> = connection
        .query("SELECT db_host, db_port, db_name, db_user, db_password FROM tenants WHERE status = 'ACTIVE'")
        .await?;
    connection.disconnect().await?;
    stream::iter(rows.into_iter().map(Ok))
        .try_for_each_concurrent(args.connections, |(host, port, database, user, sealed)| {
            let (key, set) = (&key, &set);
            async move {
                let password = seal::open(&sealed, key)?;
                let at = OptsBuilder::default()
                    .ip_or_hostname(host)
                    .tcp_port(port)
                    .db_name(Some(database))
                    .user(Some(user))
                    .pass(Some(password.expose()));
                tenant(args.scenario, options(at, args.tls), set).await
            }
        })
        .await?;
    Ok(ExitCode::SUCCESS)
}

/// With these the driver asks the server nothing after the login.
pub(super) fn options(at: OptsBuilder, tls: bool) -> Opts {
    let ssl = tls.then(|| {
        SslOpts::default().with_danger_accept_invalid_certs(true).with_danger_skip_domain_validation(true)
    });
    at.prefer_socket(Some(false))
        .tcp_nodelay(true)
        .max_allowed_packet(Some(16 * 1024 * 1024))
        .wait_timeout(Some(600))
        .stmt_cache_size(Some(0))
        .ssl_opts(ssl)
        .into()
}

async fn tenant(scenario: Scenario, options: Opts, set: &MigrationSet) -> anyhow::Result<()> {
    let lock = format!("DO GET_LOCK('{}', 10)", options.db_name().unwrap_or_default());
    let mut connection = Conn::new(options).await?;
    let mut rows: Vec<(i64, String)> = Vec::new();
    match connection.query(SELECT_HISTORY).await {
        Ok(there) => {
            rows = there;
            if scenario == Scenario::One {
                connection.query_drop(lock).await?;
                rows = connection.query(SELECT_HISTORY).await?;
            }
        }
        Err(mysql_async::Error::Server(error)) if error.code == NO_SUCH_TABLE => {
            connection.query_drop(lock).await?;
            connection.query_drop(CREATE_HISTORY).await?;
        }
        Err(error) => bail!(error),
    }
    let there: HashSet<i64> = rows.into_iter().map(|(version, _)| version).collect();
    for migration in set.iter().filter(|migration| !there.contains(&migration.version.0)) {
        let version = migration.version;
        connection
            .query_drop(format!("INSERT INTO floor_history (version, state) VALUES ({version}, 'running')"))
            .await?;
        for statement in &migration.up.statements {
            connection.query_drop(statement.text.as_str()).await?;
        }
        connection
            .query_drop(format!("UPDATE floor_history SET state = 'done' WHERE version = {version}"))
            .await?;
    }
    Ok(connection.disconnect().await?)
}
