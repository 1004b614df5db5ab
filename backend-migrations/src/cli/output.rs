//! Where what a run tells goes: standard output for the report, standard error for the live progress.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write as _},
    time::Instant,
};

use super::{Format, settings::Settings};
use crate::{
    event::{Event, StopReason},
    report::{self, ReportOptions, Screen},
    summary::Summary,
};

/// A reporter on the process's own streams, with the process's clock.
pub(super) struct Reporter {
    inner: Box<dyn report::Reporter>,
    started: Instant,
}

impl Reporter {
    /// Without live progress: somebody may be asked something meanwhile.
    pub(super) fn without_progress(settings: &Settings) -> Self {
        Self::with(settings, false)
    }

    pub(super) fn new(settings: &Settings) -> Self {
        Self::with(settings, io::stderr().is_terminal())
    }

    /// The live progress and nothing else: what it is about is told later.
    pub(super) fn progress_alone(settings: &Settings) -> Self {
        let screen = Screen { is_terminal: true, color: settings.wants_color() };
        let inner = Box::new(report::Live::new(io::sink(), screen, screen));
        Self { inner, started: Instant::now() }
    }

    fn with(settings: &Settings, has_progress: bool) -> Self {
        let screen = |is_terminal| Screen { is_terminal, color: is_terminal && settings.wants_color() };
        let options = ReportOptions {
            format: match settings.format {
                Format::Human | Format::Github => report::Format::Human,
                Format::Json => report::Format::Json,
            },
            stdout: screen(io::stdout().is_terminal()),
            stderr: screen(has_progress),
        };
        // Rust's own buffer ends at each line; with this one a tenant's lines are one write, and do not mix with another
        // program's.
        let out = BufWriter::new(io::stdout());
        Self { inner: report::reporter(options, out), started: Instant::now() }
    }

    pub(super) fn report(&mut self, event: &Event) -> io::Result<()> {
        self.inner.report(event, self.started.elapsed())
    }

    /// Tells what the run came to; where nobody reads standard output any more, in one line on standard error.
    pub(super) fn finish(&mut self, summary: &Summary) {
        let is_told = self.inner.finish(summary).is_ok();
        if !is_told || summary.stop_reason == Some(StopReason::ReporterFailed) {
            let (n_good, n_failed) = (summary.n_successful(), summary.failed.len());
            let n_open = summary.stopped.len() + summary.not_started.len();
            writeln!(
                io::stderr(),
                "error: standard output was closed; tenants: {n_good} successful, {n_failed} failed, {n_open} to go\n\n\
                 hint: `migrate:status` shows where each one stands; run again to go on"
            )
            .ok();
        }
    }
}
