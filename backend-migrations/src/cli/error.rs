//! What ends a command before its run begins, told to a person or a program.

use std::{
    error::Error,
    io::{self, Write as _},
};

use super::{Format, exit::ExitStatus};
use crate::report;

/// Why a command did nothing.
#[derive(Debug)]
pub(super) struct CliError {
    status: ExitStatus,
    /// A stable word for programs.
    code: &'static str,
    message: String,
    hint: Option<String>,
}

impl CliError {
    /// Refused before anything was changed.
    pub(super) fn refused(code: &'static str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { status: ExitStatus::Refused, code, message: message.into(), hint }
    }

    /// Begun, and failed.
    pub(super) fn failed(code: &'static str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { status: ExitStatus::Failed, code, message: message.into(), hint }
    }

    /// The command line does not make sense as a whole.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: ExitStatus::Usage, code: "usage", message: message.into(), hint: Some(hint.into()) }
    }

    /// Told to stop before anything began.
    pub(super) fn interrupted() -> Self {
        Self::stopped("interrupted before anything was changed", None)
    }

    /// Told to stop before the end.
    pub(super) fn stopped(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { status: ExitStatus::Stopped, code: "interrupted", message: message.into(), hint }
    }

    /// Done, and what there is to say of it could not be written.
    pub(super) fn unwritten(error: &io::Error) -> Self {
        Self {
            status: ExitStatus::Stopped,
            code: "output",
            message: format!("standard output cannot be written: {error}; what was asked for is done"),
            hint: None,
        }
    }

    /// A fault of this program or of the machine.
    pub(super) fn internal(error: &dyn Error) -> Self {
        Self { status: ExitStatus::Internal, code: "internal", message: error.to_string(), hint: None }
    }

    /// A panic that said `what`.
    pub(super) fn fault(what: &str) -> Self {
        Self {
            status: ExitStatus::Internal,
            code: "internal",
            message: format!("a fault of this program ended it: {what}"),
            hint: Some("`migrate:status` says where the databases stand; report the fault".to_owned()),
        }
    }

    /// Says it: on standard error, or in JSON on standard output, where a program listens; where nothing can be written there, on
    /// standard error after all.
    pub(super) fn tell(&self, format: Format) -> ExitStatus {
        let is_told = format == Format::Json && {
            let line = report::error_line(self.code, &self.message, self.hint.as_deref());
            write!(io::stdout(), "{line}").is_ok()
        };
        if !is_told {
            // Where nobody reads any more there is nobody to tell.
            let mut stderr = io::stderr().lock();
            writeln!(stderr, "error: {}", lines(&self.message)).ok();
            if let Some(hint) = &self.hint {
                writeln!(stderr, "\nhint: {}", lines(hint)).ok();
            }
        }
        self.status
    }
}

/// The lines of `text`, the later ones indented: what a server or a table put into it cannot pass for a line of ours.
fn lines(text: &str) -> String {
    text.lines().map(report::visible).collect::<Vec<_>>().join("\n  ")
}
