//! What a process costs.

use std::{
    ffi::OsString,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context as _, bail};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What one run cost.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Timing {
    pub(super) wall_s: f64,
    /// User and system, of the process and all it waited for.
    pub(super) cpu_s: f64,
    /// Of the largest process.
    pub(super) rss_mib: f64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

/// Runs a command and prints its [`Timing`].
///
/// In a small process of its own: the largest memory of a child includes what its parent had when it was forked.
#[expect(clippy::cast_precision_loss, reason = "seconds and MiB of one run are small")]
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (program, rest) = args.command.split_first().context("no command")?;
    let started = Instant::now();
    // Its words go to our standard error, the numbers to standard output.
    let status = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("{} cannot be run", program.display()))?;
    let wall_s = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    // Linux counts it in KiB, macOS in bytes (getrusage(2) of each).
    let per_mib = if cfg!(target_os = "macos") { 1024.0 * 1024.0 } else { 1024.0 };
    let timing = Timing {
        wall_s,
        cpu_s: seconds(usage.user_time()) + seconds(usage.system_time()),
        rss_mib: usage.max_rss() as f64 / per_mib,
    };
    if !status.success() {
        bail!("{} ended with {status}", program.display());
    }
    println!("{}", serde_json::to_string(&timing)?);
    Ok(ExitCode::SUCCESS)
}

/// Runs `command` in such a process.
pub(super) fn time(command: &Command) -> anyhow::Result<Timing> {
    let mut timed = Command::new(std::env::current_exe()?);
    timed.args(["bench:part", "time", "--"]).arg(command.get_program()).args(command.get_args());
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    let output = timed.output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = words.lines().rev().take(20).collect();
        bail!("{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
