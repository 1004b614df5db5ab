//! Other tools, where they are installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, ensure};
use backend_migrations::{
    disk,
    mysql::{Central, MySqlConnector, parse_url},
    seal,
    secret::Key,
    session::Limits,
    tenant::TenantRow,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::fleet::Fleet;
use crate::{root, samples};

/// Versions that were there when this was written; npm takes the newest that is compatible.
const KNEX_PACKAGES: [&str; 2] = ["knex@3", "mysql2@3"];

/// Another tool, one tenant after another as it is used.
pub(super) enum Peer {
    /// A process of sqlx-cli for each tenant.
    Sqlx { version: String },
    /// One Node process with a Knex instance for each tenant.
    Knex { version: String, node_modules: PathBuf },
}

/// The peers there are, and a line about each that is not.
pub(super) fn find(knex: Option<PathBuf>, install: bool) -> anyhow::Result<(Vec<Peer>, Vec<String>)> {
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    match output("sqlx", &["--version"]) {
        Some(version) => {
            peers.push(Peer::Sqlx { version: version.replace("sqlx-cli ", "").replace("sqlx ", "") });
        }
        None => missing.push("sqlx-cli (`cargo install sqlx-cli`)".to_owned()),
    }
    let folder = knex.unwrap_or_else(|| root().join("target/bench-peers"));
    if install {
        fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).args(KNEX_PACKAGES);
        ensure!(npm.status().context("`npm` cannot be run")?.success(), "npm cannot install knex");
    }
    let node_modules = folder.join("node_modules");
    let package = fs::read(node_modules.join("knex/package.json")).ok();
    let package = package.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    match package.as_ref().and_then(|package| package["version"].as_str()) {
        Some(version) if output("node", &["--version"]).is_some() => {
            peers.push(Peer::Knex { version: version.to_owned(), node_modules });
        }
        _ => missing.push("knex (`--install-peers`, or `--knex DIR`; it needs Node)".to_owned()),
    }
    Ok((peers, missing))
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl Peer {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Sqlx { version } => format!("sqlx-cli {version}, one after another"),
            Self::Knex { version, .. } => format!("knex {version}, one after another"),
        }
    }

    pub(super) fn family(&self) -> &'static str {
        match self {
            Self::Sqlx { .. } => "sqlx",
            Self::Knex { .. } => "knex",
        }
    }

    pub(super) fn command(&self, migrations: &Path, fleet: &Fleet) -> anyhow::Result<Command> {
        Ok(match self {
            Self::Sqlx { .. } => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["bench:part", "sqlx"]).arg(migrations);
                command
            }
            Self::Knex { node_modules, .. } => {
                let mut command = Command::new("node");
                command.arg(root().join("workbench/src/bench/knex.cjs")).arg(knex_migrations(migrations)?);
                command.env("NODE_PATH", node_modules).env("BENCH_TLS", if fleet.has_tls { "1" } else { "" });
                command
            }
        })
    }
}

/// The same statements as Knex wants them: a JavaScript file each.
fn knex_migrations(migrations: &Path) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/bench-peers/migrations");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for migration in disk::load(migrations)?.iter() {
        let statements: Vec<_> = migration.up.statements.iter().map(|statement| &statement.text).collect();
        let text = format!(
            "const statements = {};\n\
             exports.up = async (knex) => {{ for (const sql of statements) await knex.raw(sql); }};\n\
             exports.down = async () => {{}};\n",
            serde_json::to_string(&statements)?
        );
        fs::write(folder.join(migration.up.file_name.replace(".up.sql", ".js")), text)?;
    }
    Ok(folder)
}

#[derive(Debug, clap::Args)]
pub(crate) struct SqlxArgs {
    migrations: PathBuf,
}

/// The shell loop that people write, without the shell.
pub(super) async fn run_sqlx(args: SqlxArgs) -> anyhow::Result<ExitCode> {
    let url = std::env::var("CENTRAL_DATABASE_URL").context("CENTRAL_DATABASE_URL is not set")?;
    let at = parse_url(&url, "central")?;
    let key = Key::parse(samples::KEY)?;
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let mut central = Central::connect(&connector, &at).await?;
    let rows = central.tenants().await?;
    central.close().await;
    for TenantRow { target, .. } in rows {
        let password = seal::open(&target.sealed_password, &key)?;
        let mut url = Url::parse("mysql://h")?;
        url.set_host(Some(&target.label.server.host))?;
        url.set_path(&target.label.database);
        let set = url
            .set_port(Some(target.label.server.port))
            .and_then(|()| url.set_username(&target.user))
            .and_then(|()| url.set_password(Some(password.expose())));
        ensure!(set.is_ok(), "`{}` cannot be written as a URL", target.label.slug);
        let status = Command::new("sqlx")
            .args(["migrate", "run", "--source"])
            .arg(&args.migrations)
            .env("DATABASE_URL", url.as_str())
            .status()?;
        ensure!(status.success(), "sqlx failed for `{}`", target.label.slug);
    }
    Ok(ExitCode::SUCCESS)
}
