//! V109: the program itself, over sample tenants, one of them broken on purpose.
//!
//! What the other proofs run is the library on scratch databases. Here it is a central database, tenants with accounts of
//! their own, and the commands that a rollout consists of.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, ensure};
use backend_migrations::{
    finding::{Code, Finding, Severity},
    migration::{MigrationSet, Script, Version},
    mysql::{MySqlConnector, parse_url},
    session::Limits,
    verify::fill::Filler,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, raw_sql};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::{
    cargo,
    samples::{self, KEY, Samples},
};

const CODE: Code = Code("V109");

/// Slugs of the sample tenants.
const FILLED: &str = "bright-health";
const LAGGING: &str = "global-retail";
const BROKEN: &str = "nordic-logistics";

/// Runs the commands on the server that `root_url` names, which is ours, with the migrations of the folder `migrations`;
/// gives what was not as promised.
pub(super) async fn prove(
    root_url: &str,
    migrations: &Path,
    set: &MigrationSet,
    fixtures: &[Script],
    seed: u64,
) -> anyhow::Result<Vec<Finding>> {
    let Some(newest) = set.iter().last() else { return Ok(Vec::new()) };
    let program = build().await?;
    let samples = samples::create(root_url, migrations).await?;
    let rollout = Rollout {
        root_url: root_url.trim_end_matches('/'),
        migrations,
        program: &program,
        samples: &samples,
    };
    let result = rollout.run(set, newest.version, newest.down.is_some(), fixtures, seed).await;
    samples.remove().await?;
    result
}

struct Rollout<'a> {
    root_url: &'a str,
    migrations: &'a Path,
    program: &'a Path,
    samples: &'a Samples,
}

impl Rollout<'_> {
    async fn run(
        &self,
        set: &MigrationSet,
        newest: Version,
        has_down: bool,
        fixtures: &[Script],
        seed: u64,
    ) -> anyhow::Result<Vec<Finding>> {
        let half = set.iter().nth(set.len() / 2).map_or(Version(0), |migration| migration.version);
        let mut found = Vec::new();
        // One that cannot be undone so far lags by the newest alone, as the others do.
        self.command(&["migrate:rollback", "--tenant", LAGGING, "--to", &half.to_string()]).await?;
        self.fill(set, fixtures, seed).await?;
        self.sql(&format!("DROP DATABASE `{}`", self.database(BROKEN)?)).await?;

        let output = self.command(&["migrate:all-tenants"]).await?;
        if output.status.code() != Some(1) || !said(&output).contains(BROKEN_SAYS) {
            found.push(finding("`migrate:all-tenants` does not fail for the broken tenant alone", &output));
        }
        for (database, _) in self.sound() {
            if self.newest_applied(database).await? != Some(newest) {
                let message = format!("`migrate:all-tenants` leaves `{database}` behind");
                found.push(finding(&message, &output));
            }
        }
        if !has_down || !found.is_empty() {
            return Ok(found);
        }
        let output = self.command(&["migrate:rollback", "--all-tenants", "--exclude", BROKEN]).await?;
        if !output.status.success() {
            found.push(finding("`migrate:rollback --all-tenants` fails", &output));
        }
        for (database, _) in self.sound() {
            if self.newest_applied(database).await? >= Some(newest) {
                let message = format!("`migrate:rollback --all-tenants` leaves {newest} in `{database}`");
                found.push(finding(&message, &output));
            }
        }
        Ok(found)
    }

    /// The databases of the tenants that are not broken.
    fn sound(&self) -> impl Iterator<Item = &(String, String)> {
        let is_broken = |database: &str| database.starts_with(&BROKEN.replace('-', "_"));
        self.samples.databases().iter().filter(move |(database, _)| !is_broken(database))
    }

    fn database(&self, slug: &str) -> anyhow::Result<&str> {
        let word = slug.replace('-', "_");
        let mut databases = self.samples.databases().iter().map(|(database, _)| database.as_str());
        databases.find(|database| database.starts_with(&word)).context("there is no such sample tenant")
    }

    async fn command(&self, args: &[&str]) -> anyhow::Result<std::process::Output> {
        let output = Command::new(self.program)
            .args(args)
            // Away from any `.env`, and from this shell's settings.
            .current_dir(std::env::temp_dir())
            .env_clear()
            .env("CENTRAL_DATABASE_URL", &self.samples.central_url)
            .env("DB_ENCRYPTION_KEY", KEY)
            .env("MIGRATIONS_DIR", self.migrations)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        output.context("the program cannot be run")
    }

    async fn fill(&self, set: &MigrationSet, fixtures: &[Script], seed: u64) -> anyhow::Result<()> {
        let database = self.database(FILLED)?;
        let target = parse_url(&format!("{}/{database}", self.root_url), "verify")?;
        let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
        let mut inspector = connector.inspect(&target).await?;
        let schema = inspector.snapshot().await?;
        let next = set.newest().unwrap_or(Version(0));
        Filler::new(seed, fixtures).sparing(set).fill_before(next, &mut inspector, &schema).await?;
        inspector.close().await;
        Ok(())
    }

    async fn sql(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = MySqlConnection::connect(self.root_url).await?;
        connection.execute(raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
        Ok(connection.close().await?)
    }

    async fn newest_applied(&self, database: &str) -> anyhow::Result<Option<Version>> {
        let mut connection = MySqlConnection::connect(&format!("{}/{database}", self.root_url)).await?;
        let sql = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
        let newest: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(newest.map(Version))
    }
}

/// What the summary says where one tenant fails.
const BROKEN_SAYS: &str = "Failed: 1";

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn finding(message: &str, output: &std::process::Output) -> Finding {
    let mut notes = vec![format!("the program ended with {}", output.status)];
    notes.extend(said(output).lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    Finding {
        code: CODE,
        severity: Severity::Error,
        version: None,
        at: None,
        message: message.to_owned(),
        notes,
        diff: None,
        hint: Some("the lines above are the program's own: mend what they name".to_owned()),
    }
}

/// Builds the program in the profile that this one was built in, and says where it is.
async fn build() -> anyhow::Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("no target folder")?;
    let mut command = Command::from(cargo());
    // Of the whole workspace, as everything else that builds this program does: with other features it would be another
    // one in the same place.
    command.args(["build", "--quiet", "--workspace", "--bin", "backend-migrations"]);
    command.args(folder.ends_with("release").then_some("--release"));
    let status = command.status().await.context("`cargo` cannot be run")?;
    ensure!(status.success(), "the program cannot be built");
    Ok(folder.join("backend-migrations"))
}
