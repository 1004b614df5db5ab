//! The signals that end a program: Ctrl-C (SIGINT), SIGTERM, SIGHUP of a terminal that is gone, and SIGQUIT (Ctrl-\).
//!
//! They all mean the same, and what counts is how many came: see [`watch`]. Each delivery is counted, where tokio's
//! streams make one of those of a kind that come close together. The kernel does so too, as long as it has not delivered
//! the first of them (signal(7), "Queueing and delivery semantics for standard signals"); two of different kinds are
//! always two.

use std::{
    io::{self, Read as _},
    os::unix::net::UnixStream,
    process::{Command, ExitStatus},
    thread,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    low_level::{self, pipe},
};
use tokio::{
    runtime, select,
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

use super::exit::ExitStatus as Code;
use crate::fleet::Stop;

/// From here on the first signal asks the run to stop, the second ends every wait and kills what is in flight, and the
/// third ends the program at once, with exit code 130: whatever it waits for and whatever stands still in it.
///
/// SIGHUP stays ignored where the program was started so: that is what `nohup` asks for.
///
/// # Errors
///
/// What the system says where a signal cannot be watched for.
pub fn watch() -> io::Result<Stop> {
    let stop = Stop::default();
    let is_meant = |signal: &i32| *signal != SIGHUP || !is_hangup_ignored();
    let mut deliveries = deliveries([SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().filter(is_meant))?;
    let watched = stop.clone();
    // A thread of its own: the third signal is for a program whose other threads may all stand still.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut one = [0];
        for token in [&watched.soft, &watched.hard] {
            if deliveries.read_exact(&mut one).is_err() {
                return;
            }
            token.cancel();
        }
        if deliveries.read_exact(&mut one).is_ok() {
            // Nothing is put in order any more: that might be what it waits for.
            low_level::exit(Code::Abandoned.code().into());
        }
    })?;
    Ok(stop)
}

/// A byte for each delivery of one of these signals.
fn deliveries(signals: impl IntoIterator<Item = i32>) -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    for signal in signals {
        pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

/// Whether the program was started with SIGHUP ignored. Where the system does not say it (proc(5) does), it was not.
#[expect(clippy::disallowed_methods, reason = "the only safe way to see what was inherited")]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (SIGHUP - 1)) != 0
}

/// Runs `command` to its end, whatever signals come meanwhile: it may have something to put in order when one does. What a
/// terminal sends comes to both of us; SIGTERM comes to this process alone, and is handed on.
///
/// # Errors
///
/// What the system says where the command cannot be run.
pub fn outlast(command: &mut Command) -> io::Result<ExitStatus> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut quit = signal(SignalKind::quit())?;
        let mut child = command.spawn()?;
        let pid = child.id().to_string();
        let mut ended = spawn_blocking(move || child.wait());
        loop {
            select! {
                status = &mut ended => return status.map_err(io::Error::other)?,
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
                _ = quit.recv() => {}
                _ = terminate.recv() => {
                    Command::new("kill").args(["-s", "TERM", &pid]).status()?;
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGUSR1, SIGUSR2};

    use super::*;

    #[test]
    fn each_delivery_counts_even_where_nobody_looks_meanwhile() {
        let mut deliveries = deliveries([SIGUSR1, SIGUSR2]).unwrap();
        deliveries.set_nonblocking(true).unwrap();
        for signal in [SIGUSR1, SIGUSR1, SIGUSR2, SIGUSR1] {
            // It is delivered before this returns (raise(3)).
            low_level::raise(signal).unwrap();
        }
        let mut all = [0; 16];
        assert_eq!(deliveries.read(&mut all).unwrap(), 4);
    }
}
