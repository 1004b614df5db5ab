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
        Self {
            status: ExitStatus::Stopped,
            code: "interrupted",
            message: "interrupted before anything was changed".into(),
            hint: None,
        }
    }

    /// A fault of this program or of the machine.
    pub(super) fn internal(error: &dyn Error) -> Self {
        Self { status: ExitStatus::Internal, code: "internal", message: error.to_string(), hint: None }
    }

    /// Says it: on standard error, and in JSON on standard output too, where a program listens.
    pub(super) fn tell(&self, format: Format) -> ExitStatus {
        // Where nobody reads any more there is nobody to tell.
        if format == Format::Json {
            let line = report::error_line(self.code, &self.message, self.hint.as_deref());
            write!(io::stdout(), "{line}").ok();
        } else {
            let mut stderr = io::stderr().lock();
            write_lines(&mut stderr, "error", &self.message).ok();
            if let Some(hint) = &self.hint {
                writeln!(stderr).ok();
                write_lines(&mut stderr, "hint", hint).ok();
            }
        }
        self.status
    }
}

/// Every line after the first is indented, so that no foreign text can pass for a line of ours.
fn write_lines(out: &mut impl io::Write, head: &str, text: &str) -> io::Result<()> {
    let mut lines = text.lines();
    writeln!(out, "{head}: {}", report::visible(lines.next().unwrap_or_default()))?;
    lines.try_for_each(|line| {
        let indent = if line.starts_with("  ") { "" } else { "  " };
        writeln!(out, "{indent}{}", report::visible(line))
    })
}
