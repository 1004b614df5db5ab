//! `demo`: the main job, watched on a server that is gone afterwards.

use std::{process::ExitCode, time::Instant};

use anyhow::Context as _;
use throwaway_server::Options;
use tokio::{process::Command, select, signal};

use crate::{
    cargo, root,
    samples::{self, Samples},
};

pub(crate) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    println!("Looking for a server ...");
    let started = Instant::now();
    let server = throwaway_server::start(options).await?;
    println!("Server: {}, ready in {:.1} s", server.description(), started.elapsed().as_secs_f32());
    let result = select! {
        result = show(server.root_url(), !server.is_ours()) => result,
        _ = signal::ctrl_c() => Ok(ExitCode::from(3)),
    };
    server.stop().await;
    println!("\nNothing is left behind. `cargo xtask dev:up` keeps such a server to play with.");
    result
}

async fn show(root_url: &str, must_clean: bool) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let samples = samples::create(root_url, &root().join("migrations")).await?;
    println!(
        "Made a central database and {} tenants in {:.1} s; `{}` is pending in each.",
        samples.n_tenants(),
        started.elapsed().as_secs_f32(),
        samples.pending
    );
    let result = async {
        for task in ["migrate:all-tenants", "migrate:status"] {
            let code = xtask(task, &samples).await?;
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
    .await;
    if must_clean {
        samples.remove().await?;
    }
    result
}

/// Runs a command as a developer would type it.
async fn xtask(task: &str, samples: &Samples) -> anyhow::Result<ExitCode> {
    println!("\n$ cargo xtask {task}\n");
    let status = Command::from(cargo())
        .args(["run", "--quiet", "--package", "xtask", "--", task])
        .env("CENTRAL_DATABASE_URL", &samples.central_url)
        .env("DB_ENCRYPTION_KEY", samples::KEY)
        .env("MIGRATIONS_DIR", root().join("migrations"))
        .status()
        .await
        .context("`cargo` cannot be run")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
