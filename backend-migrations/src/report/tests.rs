//! What each format says of hand-made runs. No clock: the times are those handed in.

mod human;
mod json;
mod status;

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{Format, ReportOptions, Screen, reporter, samples};
use crate::{
    event::{Scope, Task},
    summary::Summary,
};

#[test]
fn a_broken_pipe_reaches_the_caller_from_every_format() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let terminal = Screen { is_terminal: true, color: false };
    for (format, stderr) in
        [(Format::Human, Screen::FILE), (Format::Human, terminal), (Format::Json, Screen::FILE)]
    {
        let progress_interval = ReportOptions::PROGRESS_INTERVAL;
        let options = ReportOptions { format, stdout: Screen::FILE, stderr, progress_interval };
        let mut reporter = reporter(options, Closed, io::sink());
        let event = samples::started(Task::Migrate, Scope::Fleet, 2, false);
        let error = reporter.report(&event, Duration::ZERO).expect_err("the pipe is closed");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format:?}");
        reporter.finish(&Summary::default()).expect_err("the pipe is still closed");
    }
}
