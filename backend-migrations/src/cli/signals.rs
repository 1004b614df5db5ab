//! Ctrl-C and SIGTERM.

use std::io;

use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};

use crate::fleet::Stop;

/// From here on the first signal asks the run to stop, the second kills what is in flight.
pub(super) fn watch() -> io::Result<Stop> {
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
