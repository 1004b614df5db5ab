//! `migrate:verify` against the plain loop that it replaces: up, dump, down, dump, up with the server's own programs.
//!
//! Both on the same image: the loop on a server with the image's default settings, as one would start it, and
//! `migrate:verify` with all its proofs on the server that it starts for itself, the start included.

mod sets;

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tokio::{process::Command, time::sleep};

use self::sets::Set;

/// The sets: the growth from one to the next of its kind should be no more than theirs.
const SETS: [Set; 4] = [Set::Sound(100), Set::Sound(300), Set::Grown(47), Set::Grown(325)];
const START_LIMIT: Duration = Duration::from_mins(1);

/// The loop, in the container; the folder is its argument.
const LOOP: &str = r#"set -e
cd "$0"
mysql -uroot -h127.0.0.1 -e 'DROP DATABASE IF EXISTS plain; CREATE DATABASE plain'
dump() { mysqldump -uroot -h127.0.0.1 --no-data --routines --events --triggers plain 2>/dev/null; }
for up in *.up.sql; do
  mysql -uroot -h127.0.0.1 --force plain <"$up"
  dump >/tmp/before.sql
  mysql -uroot -h127.0.0.1 --force plain <"${up%.up.sql}.down.sql" || true
  dump >/tmp/after.sql
  mysql -uroot -h127.0.0.1 --force plain <"$up" || true
done 2>/dev/null"#;

/// Times both, and gives the table.
pub(super) async fn measure() -> anyhow::Result<String> {
    let image = std::env::var("THROWAWAY_MYSQL_IMAGE").unwrap_or_else(|_| "mysql:8.4".into());
    let folder = tempfile::tempdir()?;
    let server = Plain::start(&image, folder.path()).await?;
    let rows = rows(&image, &server, folder.path()).await;
    server.stop().await?;
    Ok(format!(
        "### migrate:verify and the plain loop, image {image}\n\n\
         | set | statements | plain loop, s | migrate:verify, s | ratio |\n|:--|--:|--:|--:|--:|\n{}",
        rows?
    ))
}

async fn rows(image: &str, server: &Plain, folder: &Path) -> anyhow::Result<String> {
    let mut rows = String::new();
    for set in SETS {
        let name = set.name();
        let path = folder.join(&name);
        let n_statements = sets::write(&path, set)?;
        eprintln!("{set}, the plain loop ...");
        let plain_s = server.run_loop(&name).await?.as_secs_f64();
        eprintln!("{set}, migrate:verify ...");
        let ours_s = verify(image, &path, set).await?.as_secs_f64();
        writeln!(rows, "| {set} | {n_statements} | {plain_s:.1} | {ours_s:.1} | {:.2} |", ours_s / plain_s)?;
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

async fn verify(image: &str, path: &Path, set: Set) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args(["migrate:verify", "--server", image, "--dir"])
        .arg(path)
        .output()
        .await?;
    // What is broken is found.
    let expected = i32::from(!set.is_sound());
    ensure!(output.status.code() == Some(expected), "verify: {}", String::from_utf8_lossy(&output.stdout));
    Ok(began.elapsed())
}
