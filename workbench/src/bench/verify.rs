//! `migrate:verify` against the plain loop that it replaces: up, dump, down, dump, up with the server's own programs.
//!
//! Both on the same image: the loop on a server with the image's default settings, as one would start it, and
//! `migrate:verify` with all its proofs on the server that it starts for itself, the start included.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tokio::{process::Command, time::sleep};

/// How many migrations the sets have: the growth from one to the next should be no more than theirs.
const SIZES: [usize; 2] = [100, 300];
const N_TABLES: usize = 30;
const START_LIMIT: Duration = Duration::from_mins(1);

/// The loop, in the container; the folder is its argument.
const LOOP: &str = r#"set -e
cd "$0"
mysql -uroot -h127.0.0.1 -e 'DROP DATABASE IF EXISTS plain; CREATE DATABASE plain'
dump() { mysqldump -uroot -h127.0.0.1 --no-data --routines --events --triggers plain 2>/dev/null; }
for up in *.up.sql; do
  mysql -uroot -h127.0.0.1 plain <"$up"
  dump >/tmp/before.sql
  mysql -uroot -h127.0.0.1 plain <"${up%.up.sql}.down.sql"
  dump >/tmp/after.sql
  mysql -uroot -h127.0.0.1 plain <"$up"
done"#;

/// Times both, and gives the table.
pub(super) async fn measure() -> anyhow::Result<String> {
    let image = std::env::var("THROWAWAY_MYSQL_IMAGE").unwrap_or_else(|_| "mysql:8.4".into());
    let folder = tempfile::tempdir()?;
    let server = Plain::start(&image, folder.path()).await?;
    let rows = rows(&image, &server, folder.path()).await;
    server.stop().await?;
    Ok(format!(
        "### migrate:verify and the plain loop, image {image}\n\n\
         | migrations | plain loop, s | migrate:verify, s | ratio |\n|--:|--:|--:|--:|\n{}",
        rows?
    ))
}

async fn rows(image: &str, server: &Plain, folder: &Path) -> anyhow::Result<String> {
    let mut rows = String::new();
    for n in SIZES {
        let set = folder.join(n.to_string());
        write_set(&set, n)?;
        eprintln!("{n} migrations, the plain loop ...");
        let plain_s = server.run_loop(&n.to_string()).await?.as_secs_f64();
        eprintln!("{n} migrations, migrate:verify ...");
        let ours_s = verify(image, &set).await?.as_secs_f64();
        writeln!(rows, "| {n} | {plain_s:.1} | {ours_s:.1} | {:.2} |", ours_s / plain_s)?;
    }
    Ok(rows)
}

/// A container with the image's own settings. It is removed when it stops.
struct Plain {
    id: String,
}

impl Plain {
    async fn start(image: &str, folder: &Path) -> anyhow::Result<Self> {
        let volume = format!("{}:/sets:ro", folder.display());
        let args = ["run", "-d", "--rm", "-e", "MYSQL_ALLOW_EMPTY_PASSWORD=yes", "-v", &volume, image];
        let server = Self { id: docker(&args).await?.trim().to_owned() };
        let began = Instant::now();
        while server.client("SELECT 1").await.is_err() {
            if began.elapsed() > START_LIMIT {
                server.stop().await?;
                bail!("the server of {image} does not answer");
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(server)
    }

    async fn client(&self, sql: &str) -> anyhow::Result<String> {
        docker(&["exec", &self.id, "mysql", "-uroot", "-h127.0.0.1", "-e", sql]).await
    }

    async fn run_loop(&self, set: &str) -> anyhow::Result<Duration> {
        let began = Instant::now();
        docker(&["exec", &self.id, "bash", "-c", LOOP, &format!("/sets/{set}")]).await?;
        Ok(began.elapsed())
    }

    async fn stop(self) -> anyhow::Result<()> {
        docker(&["rm", "-f", &self.id]).await.map(|_| ())
    }
}

async fn docker(args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("docker").args(args).output().await.context("`docker` cannot be run")?;
    ensure!(output.status.success(), "docker: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn verify(image: &str, set: &Path) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args(["migrate:verify", "--server", image, "--dir"])
        .arg(set)
        .output()
        .await?;
    ensure!(output.status.success(), "verify: {}", String::from_utf8_lossy(&output.stdout));
    Ok(began.elapsed())
}

/// Writes `n` sound pairs over [`N_TABLES`] tables: create, add a column, an index, two statements in a file, a default, a
/// view.
fn write_set(folder: &Path, n: usize) -> anyhow::Result<()> {
    fs::create_dir(folder)?;
    for i in 0..n {
        let (up, down) = pair(i);
        let version = 20_260_101_000_000 + i;
        fs::write(folder.join(format!("{version}_m{i}.up.sql")), up)?;
        fs::write(folder.join(format!("{version}_m{i}.down.sql")), down)?;
    }
    Ok(())
}

fn pair(i: usize) -> (String, String) {
    let (round, t) = (i / N_TABLES, i % N_TABLES);
    // The default that the migration five rounds before has set.
    let before = i.saturating_sub(5 * N_TABLES);
    match round % 5 {
        0 if round == 0 => {
            let parent = t.saturating_sub(1);
            let key = if t % 3 == 1 {
                format!(
                    ",\n  parent_id BIGINT UNSIGNED NULL,\n  INDEX idx_t{t}_parent_id (parent_id),\n  \
                     CONSTRAINT fk_t{t}_parent_id FOREIGN KEY (parent_id) REFERENCES t{parent} (id)"
                )
            } else {
                String::new()
            };
            (
                format!(
                    "CREATE TABLE t{t} (\n  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  \
                     name VARCHAR(100) NOT NULL,\n  n INT NOT NULL DEFAULT 0,\n  at DATETIME NULL{key}\n);\n"
                ),
                format!("DROP TABLE t{t};\n"),
            )
        }
        0 => (format!("CREATE VIEW v{i} AS SELECT id, name FROM t{t};\n"), format!("DROP VIEW v{i};\n")),
        1 => (
            format!("ALTER TABLE t{t} ADD COLUMN c{i} INT NULL;\n"),
            format!("ALTER TABLE t{t} DROP COLUMN c{i};\n"),
        ),
        2 => (format!("CREATE INDEX idx_{i} ON t{t} (n, at);\n"), format!("DROP INDEX idx_{i} ON t{t};\n")),
        3 => (
            format!(
                "ALTER TABLE t{t} ADD COLUMN d{i} VARCHAR(50) NULL;\nCREATE INDEX idx_d{i} ON t{t} (d{i});\n"
            ),
            format!("DROP INDEX idx_d{i} ON t{t};\nALTER TABLE t{t} DROP COLUMN d{i};\n"),
        ),
        _ => (
            format!("ALTER TABLE t{t} ALTER COLUMN n SET DEFAULT {i};\n"),
            format!("ALTER TABLE t{t} ALTER COLUMN n SET DEFAULT {before};\n"),
        ),
    }
}
