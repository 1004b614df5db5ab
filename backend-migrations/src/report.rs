//! Tells a run to people and programs: one format a file.
//!
//! A reporter sees every event in order, with the time since the start, and at the end the summary. It has no clock, no
//! environment and decides nothing: what a format knows, it knows from events.

mod closing;
mod dry_run;
mod failure;
pub mod findings;
mod human;
mod json;
mod lines;
mod live;
mod log;
mod pace;
mod picture;
mod recovery;
#[cfg(test)]
mod samples;
mod status;
mod style;
#[cfg(test)]
mod tests;
mod text;

use std::{
    io::{self, Write},
    time::Duration,
};

pub use self::{
    human::Human,
    json::{Json, SCHEMA, document_line, error_line},
    live::Live,
    log::Log,
    text::visible,
};

use crate::{event::Event, summary::Summary};

/// Something that tells a run.
pub trait Reporter {
    /// Tells that `event` happened `at` so long after the start.
    ///
    /// # Errors
    ///
    /// What the writer says, such as [`io::ErrorKind::BrokenPipe`]: the caller admits no more tenants then.
    fn report(&mut self, event: &Event, at: Duration) -> io::Result<()>;

    /// Tells what goes on, where nothing has been told of it for a while and nobody watches: to be called about each second,
    /// with the time since the start.
    ///
    /// # Errors
    ///
    /// As [`Reporter::report`].
    fn tick(&mut self, _at: Duration) -> io::Result<()> {
        Ok(())
    }

    /// Tells what the run came to; also after [`Reporter::report`] failed.
    ///
    /// # Errors
    ///
    /// What the writer says.
    fn finish(&mut self, summary: &Summary) -> io::Result<()>;
}

/// The form of what goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object a line, for programs.
    Json,
}

/// What one of the two standard streams leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Whether colours are wanted: never without a terminal that shows them, and not under `NO_COLOR`.
    pub color: bool,
}

impl Screen {
    /// A file or a pipe.
    pub const FILE: Self = Self { is_terminal: false, color: false };
}

/// How a run is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportOptions {
    /// The form.
    pub format: Format,
    /// Where the data goes.
    pub stdout: Screen,
    /// Where the progress goes.
    pub stderr: Screen,
    /// Where it is no terminal: the time between two lines of what goes on.
    pub progress_interval: Duration,
}

impl ReportOptions {
    /// Half a minute: no CI system takes a job for dead that soon.
    pub const PROGRESS_INTERVAL: Duration = Duration::from_secs(30);
}

/// The reporter for these options: lines, with live progress on standard error where a person watches it and a line now and
/// then where nobody does, or JSON.
///
/// Takes the writers for standard output and for standard error; only the live progress writes elsewhere.
pub fn reporter<'w>(
    options: ReportOptions,
    out: impl Write + 'w,
    err: impl Write + 'w,
) -> Box<dyn Reporter + 'w> {
    match options.format {
        Format::Json => Box::new(Json::new(out, options.progress_interval)),
        Format::Human if options.stderr.is_terminal => {
            Box::new(Live::new(out, options.stdout, options.stderr))
        }
        Format::Human => Box::new(Log::new(out, options.stdout.color, err, options.progress_interval)),
    }
}
