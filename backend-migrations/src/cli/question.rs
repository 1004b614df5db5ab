//! Questions to the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::{QueueSelector, tcflush};
use tokio::select;
use tokio_util::sync::CancellationToken;

use super::{Format, settings::Settings};

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// `y` or `yes`.
    Yes,
    /// Anything else, and the end of the input.
    No,
    /// A signal came first.
    Interrupted,
}

/// Whether there is somebody who could be asked: a person who reads standard error and types.
pub(super) fn has_person(settings: &Settings) -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal() && settings.format == Format::Human
}

/// Asks on standard error, and waits for a line or for `stop`.
///
/// What was typed before the question was there is no answer to it, and is thrown away.
pub(super) async fn ask(question: &str, stop: &CancellationToken) -> Answer {
    // Where the terminal is gone, so is whoever could answer.
    if tcflush(io::stdin(), QueueSelector::IFlush).is_err() {
        return Answer::No;
    }
    write!(io::stderr(), "{question} [y/N] ").ok();
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    select! {
        answer = answer => {
            let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => Answer::Yes,
                _ => Answer::No,
            }
        }
        () = stop.cancelled() => Answer::Interrupted,
    }
}
