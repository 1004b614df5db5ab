//! Ctrl-C and SIGTERM.

use std::{
    io,
    process::{Command, ExitStatus},
};

use tokio::{
    runtime, select,
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

use crate::fleet::Stop;

/// From here on the first signal asks the run to stop, the second kills what is in flight. To be called in a runtime.
///
/// # Errors
///
/// What the system says where a signal cannot be watched for.
pub fn watch() -> io::Result<Stop> {
    let stop = Stop::default();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let watched = stop.clone();
    tokio::spawn(async move {
        for token in [&watched.soft, &watched.hard] {
            select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(stop)
}

/// Runs `command` to its end, whatever signals come meanwhile: it may have something to put in order when one does. A
/// terminal sends Ctrl-C to both of us; SIGTERM comes to this process alone, and is handed on.
///
/// # Errors
///
/// What the system says where the command cannot be run.
pub fn outlast(command: &mut Command) -> io::Result<ExitStatus> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut child = command.spawn()?;
        let pid = child.id().to_string();
        let mut ended = spawn_blocking(move || child.wait());
        loop {
            select! {
                status = &mut ended => return status.map_err(io::Error::other)?,
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {
                    Command::new("kill").args(["-s", "TERM", &pid]).status()?;
                }
            }
        }
    })
}
