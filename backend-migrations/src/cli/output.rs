//! Where what a run tells goes: standard output for the report, standard error for the progress.
//!
//! Whoever reads may stop reading, and does: a pager, Ctrl-S, a log shipper. A write then stands still for as long as that
//! takes, so it is a thread of its own that writes, and never the one that has locks on tenants.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write as _},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{select, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{Format, error::CliError, exit::ExitStatus, settings::Settings};
use crate::{
    event::{Event, StopReason},
    fleet::Stop,
    report::{self, ReportOptions, Screen},
    summary::Summary,
};

/// How many events may wait to be written before the progress of statements is left out. What else there is to tell is bounded
/// by the number of tenants and of migrations.
const PROGRESS_MAX: usize = 1_000;
/// Often enough for a turn that takes a second to have its line soon.
const TICK: Duration = Duration::from_millis(500);

/// A reporter on the process's own streams, with the process's clock, on a thread of its own.
pub(super) struct Reporter {
    queue: mpsc::Sender<Note>,
    state: Arc<State>,
    stop: Stop,
    started: Instant,
}

/// What the thread is told.
enum Note {
    Happened(Box<Event>, Duration),
    /// That everything before it is written, or cannot be.
    CaughtUp(oneshot::Sender<()>),
    /// What the run came to.
    Finished(Box<Summary>, oneshot::Sender<io::Result<()>>),
}

#[derive(Default)]
struct State {
    /// How many events wait.
    n_waiting: AtomicUsize,
    /// How many were left out since the last one that was written.
    n_left_out: AtomicUsize,
    /// Why nothing can be written any more.
    failure: OnceLock<io::ErrorKind>,
}

impl Reporter {
    /// Without live progress: somebody may be asked something meanwhile.
    pub(super) fn without_progress(settings: &Settings, stop: &Stop) -> Self {
        Self::with(settings, stop, false)
    }

    /// Tells a run that `stop` stops; where nothing can be told any more, it says so there.
    pub(super) fn new(settings: &Settings, stop: &Stop) -> Self {
        Self::with(settings, stop, io::stderr().is_terminal() && !settings.is_dumb())
    }

    /// The live progress and nothing else: what it is about is told later.
    pub(super) fn progress_alone(settings: &Settings, stop: &Stop) -> Self {
        let screen = Screen { is_terminal: true, color: settings.wants_color(true) };
        Self::on_thread(stop, move || Box::new(report::Live::new(io::sink(), screen, screen)))
    }

    fn with(settings: &Settings, stop: &Stop, has_progress: bool) -> Self {
        let screen = |is_terminal| Screen { is_terminal, color: settings.wants_color(is_terminal) };
        let options = ReportOptions {
            format: match settings.format {
                Format::Human | Format::Github => report::Format::Human,
                Format::Json => report::Format::Json,
            },
            stdout: screen(io::stdout().is_terminal()),
            stderr: screen(has_progress),
            progress_interval: settings.progress_interval,
        };
        Self::on_thread(stop, move || {
            // Rust's own buffer ends at each line; with this one a tenant's lines are one write, and do not mix with another
            // program's.
            report::reporter(options, BufWriter::new(io::stdout()), io::stderr())
        })
    }

    fn on_thread(stop: &Stop, reporter: impl FnOnce() -> Box<dyn report::Reporter> + Send + 'static) -> Self {
        let (queue, notes) = mpsc::channel();
        let (state, started) = (Arc::new(State::default()), Instant::now());
        let (shared, unheard) = (Arc::clone(&state), stop.unheard.clone());
        // Not joined: it may stand still for ever. Whoever needs it waits for what it answers.
        thread::spawn(move || {
            Writer { inner: reporter(), notes, state: shared, unheard, started }.run();
        });
        Self { queue, state, stop: stop.clone(), started }
    }

    /// Tells that `event` happened, which takes no time.
    ///
    /// # Errors
    ///
    /// Why nothing can be written any more.
    pub(super) fn report(&self, event: &Event) -> io::Result<()> {
        if let Some(failure) = self.state.failure.get() {
            return Err((*failure).into());
        }
        let is_progress = matches!(
            event,
            Event::StatementStarted { .. } | Event::StatementFinished { .. } | Event::Waiting { .. }
        );
        if is_progress && self.state.n_waiting.load(Ordering::Relaxed) >= PROGRESS_MAX {
            self.state.n_left_out.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        self.state.n_waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.send(Note::Happened(Box::new(event.clone()), self.started.elapsed())).ok();
        Ok(())
    }

    /// A way to wait until everything that was told by then is written.
    pub(super) fn caught_up(&self) -> CaughtUp {
        CaughtUp { queue: self.queue.clone(), stop: self.stop.clone() }
    }

    /// Tells what the run came to, and waits until it is written: nothing is held meanwhile, so that a person may read for
    /// an hour. The next signal ends the wait. Where it cannot be told, [`Summary::is_untold`] is set, and one line on
    /// standard error says so.
    pub(super) async fn finish(self, summary: &mut Summary) {
        let (done, is_done) = oneshot::channel();
        self.queue.send(Note::Finished(Box::new(summary.clone()), done)).ok();
        let told = unless_stopped(&self.stop, is_done).await;
        let why = match told {
            Some(Ok(())) if summary.stop_reason != Some(StopReason::ReporterFailed) => return,
            // Nobody knows what standard error does; if it stands still as well, the program would.
            None => {
                summary.is_untold = true;
                return;
            }
            Some(Ok(())) => "was closed".to_owned(),
            Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => "was closed".to_owned(),
            Some(Err(error)) => {
                summary.is_untold = true;
                format!("cannot be written: {error}")
            }
        };
        let (n_good, n_failed) = (summary.n_successful(), summary.failed.len());
        let n_open = summary.stopped.len() + summary.not_started.len();
        let go_on = summary.go_on.as_ref().map(|command| format!("go on with: {command}"));
        let go_on = go_on.unwrap_or_else(|| "run again to go on".to_owned());
        writeln!(
            io::stderr(),
            "error: standard output {why}; tenants: {n_good} successful, {n_failed} failed, {n_open} to go\n\n\
             hint: `migrate:status` shows where each one stands; {go_on}"
        )
        .ok();
    }
}

/// The exit code of a command that has done what was asked of it, and written what it has to say: nobody has to read that, but
/// what could not be written must not be taken for read.
///
/// # Errors
///
/// Why it could not be written, if not because nobody reads it.
pub(super) fn written(result: io::Result<()>) -> Result<ExitStatus, CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::unwritten(&error)),
        _ => Ok(ExitStatus::Success),
    }
}

/// Waits until everything that was told by then is written.
pub(super) struct CaughtUp {
    queue: mpsc::Sender<Note>,
    stop: Stop,
}

impl CaughtUp {
    /// Waits for it, until the next signal comes.
    pub(super) async fn wait(&self) {
        let (done, is_done) = oneshot::channel();
        self.queue.send(Note::CaughtUp(done)).ok();
        unless_stopped(&self.stop, is_done).await;
    }
}

/// Waits for `answer`; `None` if a signal comes before it, or whoever was to give it is gone.
async fn unless_stopped<T>(stop: &Stop, answer: oneshot::Receiver<T>) -> Option<T> {
    // Those that have come by now meant the run.
    let next = if stop.soft.is_cancelled() { &stop.hard } else { &stop.soft };
    select! {
        biased;
        answer = answer => answer.ok(),
        () = next.cancelled(), if !next.is_cancelled() => None,
    }
}

/// The thread that writes.
struct Writer {
    inner: Box<dyn report::Reporter>,
    notes: mpsc::Receiver<Note>,
    state: Arc<State>,
    unheard: CancellationToken,
    started: Instant,
}

impl Writer {
    fn run(mut self) {
        let mut next_tick = TICK;
        loop {
            let told = match self.notes.recv_timeout(next_tick.saturating_sub(self.started.elapsed())) {
                Ok(Note::Happened(event, at)) => {
                    self.state.n_waiting.fetch_sub(1, Ordering::Relaxed);
                    self.tell_left_out(at).and_then(|()| self.if_heard(|inner| inner.report(&event, at)))
                }
                Ok(Note::CaughtUp(done)) => {
                    done.send(()).ok();
                    Ok(())
                }
                Ok(Note::Finished(summary, done)) => {
                    // Tried although something could not be written before: a pipe that is closed stays closed, and a disk may
                    // have room again.
                    let told = self.inner.finish(&summary);
                    let failure = self.state.failure.get().map(|kind| Err((*kind).into()));
                    done.send(failure.unwrap_or(told)).ok();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = self.started.elapsed();
            let told = match told {
                Ok(()) if now >= next_tick => {
                    next_tick = now + TICK;
                    self.if_heard(|inner| inner.tick(now))
                }
                told => told,
            };
            if let Err(error) = told {
                self.state.failure.set(error.kind()).ok();
                self.unheard.cancel();
            }
        }
    }

    /// Nothing more is written once something could not be.
    fn if_heard(&mut self, tell: impl FnOnce(&mut dyn report::Reporter) -> io::Result<()>) -> io::Result<()> {
        if self.state.failure.get().is_some() { Ok(()) } else { tell(&mut *self.inner) }
    }

    fn tell_left_out(&mut self, at: Duration) -> io::Result<()> {
        let n = self.state.n_left_out.swap(0, Ordering::Relaxed);
        if n == 0 {
            return Ok(());
        }
        let message = format!(
            "the output was not read for a while: the progress of statements is left out here, {n} lines of it"
        );
        self.if_heard(|inner| inner.report(&Event::Warning { tenant: None, message }, at))
    }
}
