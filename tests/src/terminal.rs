//! A program on a terminal of its own, and a person at it.

use std::time::Duration;

use rexpect::{
    process::WaitStatus,
    session::{Options, PtySession, spawn_with_options},
};
use tempfile::TempDir;

use crate::{Invocation, canary};

const LIMIT: Duration = Duration::from_mins(1);

/// What its standard input, output and error are one terminal for. It is killed when this is dropped.
#[expect(missing_debug_implementations, reason = "the session has none")]
pub struct Terminal {
    session: PtySession,
    what: String,
    /// What has been on the screen, as far as it was waited for. The session takes each byte for a letter.
    screen: String,
    _empty: TempDir,
}

impl Terminal {
    /// `strips`: whether what colours and moves the cursor is left out of what it shows.
    pub(crate) async fn start(invocation: Invocation, strips: bool) -> Self {
        let what = invocation.what();
        let (command, empty) = invocation.command().await;
        let milliseconds = LIMIT.as_millis().try_into().expect("a minute has few");
        let options = Options::new().timeout_ms(Some(milliseconds)).strip_ansi_escape_codes(strips);
        let session = spawn_with_options(command, options).expect("it starts");
        Self { session, what, screen: String::new(), _empty: empty }
    }

    /// Waits until this text, which must be ASCII, is on the screen.
    pub fn shows(&mut self, text: &str) -> &mut Self {
        let before = tokio::task::block_in_place(|| self.session.exp_string(text));
        let before = before.unwrap_or_else(|error| panic!("{} does not show {text:?}: {error}", self.what));
        self.screen.extend([&before, text]);
        self
    }

    /// Types a line.
    pub fn enters(&mut self, line: &str) -> &mut Self {
        self.session.send_line(line).expect("it reads");
        self
    }

    /// Holds the control key and types this letter.
    pub fn presses_control(&mut self, letter: char) -> &mut Self {
        self.session.send_control(letter).and_then(|()| self.session.flush()).expect("it reads");
        self
    }

    /// Waits for its end; gives the exit code and all that was on the screen.
    pub fn ends(mut self) -> (i32, String) {
        let (rest, status) =
            tokio::task::block_in_place(|| (self.session.exp_eof(), self.session.process().wait()));
        self.screen += &rest.unwrap_or_else(|error| panic!("{} does not end: {error}", self.what));
        canary::check(&self.what, &self.screen);
        match status {
            Ok(WaitStatus::Exited(_, code)) => (code, self.screen),
            other => panic!("{} ended by {other:?}\n{}", self.what, self.screen),
        }
    }
}
