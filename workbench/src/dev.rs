//! `dev:up` and `dev:down`: a server with sample tenants that stays, and the `.env` to use it.

use std::{fs, io, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use throwaway_server::{Options, Running};

use crate::{root, samples};

/// The first line of a `.env` that is ours to replace and to remove.
const MARK: &str = "# Written by `cargo xtask dev:up`; `cargo xtask dev:down` removes it.";

/// What `dev:down` has to know.
#[derive(Serialize, Deserialize)]
struct State {
    description: String,
    /// `None` for a server that was there before.
    server: Option<Running>,
    root_url: String,
    databases: Vec<(String, String)>,
}

pub(crate) async fn up(options: &Options) -> anyhow::Result<ExitCode> {
    if let Some(state) = read_state()? {
        match &state.server {
            // The machine was started anew since, or somebody else ended it.
            Some(server) if !server.is_up().await => {
                println!("The server of the last `dev:up` is gone; starting another.");
                remove(&state).await?;
            }
            _ => bail!("{} runs already\n\nhint: `cargo xtask dev:down` stops it", state.description),
        }
    }
    if let Ok(text) = fs::read_to_string(env_path())
        && !text.starts_with(MARK)
    {
        bail!(
            "`.env` exists and was not written by `dev:up`\n\nhint: move it away, or keep its settings and do without `dev:up`"
        );
    }
    println!("Looking for a server ...");
    let started = Instant::now();
    let server = throwaway_server::start(options).await?;
    println!("Server: {}, ready in {:.1} s", server.description(), started.elapsed().as_secs_f32());
    let root_url = server.root_url().to_owned();
    let samples = samples::create(&root_url, &root().join("migrations")).await?;
    let description = server.description();
    let server = if server.is_ours() { Some(server.detach().await) } else { None };
    let state = State { description, server, root_url, databases: samples.databases().to_vec() };
    write_state(&state)?;
    let env = format!(
        "{MARK}\nCENTRAL_DATABASE_URL='{}'\nDB_ENCRYPTION_KEY='{}'\n",
        samples.central_url,
        samples::KEY
    );
    fs::write(env_path(), &env).context("`.env` cannot be written")?;
    println!(
        "Made a central database and {} tenants; `{}` is pending in each.\n\nWritten to .env:\n",
        samples.n_tenants(),
        samples.pending
    );
    for line in env.lines().skip(1) {
        println!("  {line}");
    }
    println!(
        "\nTry:\n  cargo xtask migrate:status\n  cargo xtask migrate:all-tenants\n  cargo xtask dev:down"
    );
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn down() -> anyhow::Result<ExitCode> {
    let Some(state) = read_state()? else {
        println!("No server of `dev:up` is running.");
        return Ok(ExitCode::SUCCESS);
    };
    remove(&state).await?;
    println!("Stopped and removed: {}", state.description);
    Ok(ExitCode::SUCCESS)
}

/// Takes the server, or the samples on one that stays, and what was written about them.
async fn remove(state: &State) -> anyhow::Result<()> {
    match &state.server {
        Some(server) => throwaway_server::stop_running(server).await?,
        None => samples::remove(&state.root_url, &state.databases).await?,
    }
    fs::remove_file(state_path())?;
    if fs::read_to_string(env_path()).is_ok_and(|text| text.starts_with(MARK)) {
        fs::remove_file(env_path())?;
    }
    Ok(())
}

fn env_path() -> PathBuf {
    root().join(".env")
}

fn state_path() -> PathBuf {
    root().join("target/dev-server.json")
}

fn read_state() -> anyhow::Result<Option<State>> {
    match fs::read(state_path()) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("`{}` is not as `dev:up` wrote it", state_path().display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write_state(state: &State) -> anyhow::Result<()> {
    fs::create_dir_all(root().join("target"))?;
    fs::write(state_path(), serde_json::to_vec_pretty(state)?)?;
    Ok(())
}
