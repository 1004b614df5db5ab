//! Servers for minutes, which another program runs.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    process::Stdio,
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    select,
    sync::Mutex,
    time::timeout,
};

use super::ServerProgram;
use crate::{
    fleet::Stop, mysql::parse_server_url, recover::ServerSource, schema::ServerVersion, tenant::Target,
};

/// The program may have to be compiled, and an image to be pulled.
const START_LIMIT: Duration = Duration::from_mins(10);
const END_LIMIT: Duration = Duration::from_secs(30);

/// The servers that were asked for, until [`Throwaways::end`].
#[derive(Debug)]
pub(super) struct Throwaways {
    program: ServerProgram,
    stop: Stop,
    /// Locked while one is started: whoever else wants it waits.
    started: Mutex<BTreeMap<ServerVersion, Result<Running, String>>>,
}

/// A server, for as long as its program's standard input is open.
#[derive(Debug)]
struct Running {
    child: Child,
    target: Target,
}

impl Throwaways {
    pub(super) fn new(program: ServerProgram, stop: &Stop) -> Self {
        Self { program, stop: stop.clone(), started: Mutex::default() }
    }

    async fn start(&self, like: ServerVersion) -> Result<Running, String> {
        select! {
            started = timeout(START_LIMIT, run((self.program)(like))) => {
                started.unwrap_or_else(|_| Err(format!("none was ready within {} s", START_LIMIT.as_secs())))
            }
            () = self.stop.soft.cancelled() => Err("the run was told to stop".to_owned()),
        }
    }

    /// Ends the servers. What does not end in time ends with this process.
    pub(super) async fn end(self) {
        for mut running in self.started.into_inner().into_values().flatten() {
            drop(running.child.stdin.take());
            timeout(END_LIMIT, running.child.wait()).await.ok();
        }
    }
}

impl ServerSource for Throwaways {
    fn server(&self, like: ServerVersion) -> BoxFuture<'_, Result<Target, String>> {
        async move {
            let mut started = self.started.lock().await;
            let running = match started.entry(like) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(wanted) => wanted.insert(self.start(like).await),
            };
            match running {
                Ok(running) => Ok(running.target.clone()),
                Err(reason) => Err(format!("no throwaway server: {reason}")),
            }
        }
        .boxed()
    }
}

/// Starts the program and waits for the line with its URL.
async fn run(program: std::process::Command) -> Result<Running, String> {
    let name = program.get_program().to_string_lossy().into_owned();
    let mut command = Command::from(program);
    // In a process group of its own: Ctrl-C is for this process, which ends the other by closing its standard input.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("`{name}` cannot be run: {error}"))?;
    let Some(stdout) = child.stdout.take() else { return Err(format!("`{name}` has no standard output")) };
    let mut url = String::new();
    let read = BufReader::new(stdout).read_line(&mut url).await;
    read.map_err(|error| format!("the answer of `{name}` cannot be read: {error}"))?;
    if url.is_empty() {
        // It has said itself on standard error why.
        return Err(format!("`{name}` has started none"));
    }
    // The URL holds a password.
    let target =
        parse_server_url(url.trim_end(), "throwaway").map_err(|_| format!("`{name}` gave no URL"))?;
    Ok(Running { child, target })
}
