//! For a person at a terminal: what happens now, on standard error; the lines of [`Human`] on standard output.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use super::{
    Reporter, Screen,
    failure::push_failure,
    human::{Human, Shown},
    picture::Picture,
    style::{Page, Paint},
    text::title_and_database,
};
use crate::{
    event::{Event, Outcome, Scope},
    summary::Summary,
};

/// A fleet up to this size has its tenants' lines on the terminal as they come; of a larger one only failures.
const N_TENANTS_SHOWN_MAX: usize = 20;
/// Often enough for a running statement's seconds, seldom enough for a slow line.
const TICK: Duration = Duration::from_millis(100);

/// [`Human`] with a picture of what happens now below it.
///
/// The picture is drawn by a thread of its own, so a statement that runs for minutes still shows its time.
pub struct Live<W> {
    human: Human<W>,
    stdout: Screen,
    stderr: Screen,
    picture: Arc<Mutex<Picture>>,
    bar: Option<ProgressBar>,
}

impl<W: Write> Live<W> {
    /// Writes lines to `out`, which leads to `stdout`, and draws on standard error, which leads to `stderr`.
    pub fn new(out: W, stdout: Screen, stderr: Screen) -> Self {
        let picture = Arc::new(Mutex::new(Picture::new(Paint { color: stderr.color })));
        Self { human: Human::new(out, stdout.color), stdout, stderr, picture, bar: None }
    }

    fn start(&mut self, scope: Scope, n_tenants: usize, at: Duration) {
        if self.stdout.is_terminal && scope == Scope::Fleet && n_tenants > N_TENANTS_SHOWN_MAX {
            self.human.show(Shown::Failed);
        }
        let picture = Arc::clone(&self.picture);
        // The bar's own clock starts here, so this is the moment `at` in its time.
        let text = move |state: &ProgressState, out: &mut dyn fmt::Write| {
            let now = at + state.elapsed();
            let columns = usize::from(console::Term::stderr().size().1);
            // A picture that cannot be drawn is drawn at the next tick.
            out.write_str(&locked(&picture).text(now, columns)).ok();
        };
        let style = ProgressStyle::with_template("{picture}").expect("the template is a constant");
        let bar = ProgressBar::new_spinner()
            .with_style(style.with_key("picture", text))
            .with_finish(ProgressFinish::AndClear);
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
    }

    /// A failure is seen as it comes even where standard output leads to a file.
    fn show_failure(&self, event: &Event) {
        if let (Event::TenantFinished { tenant, outcome: Outcome::Failed { failure, .. }, .. }, Some(bar)) =
            (event, &self.bar)
            && !self.stdout.is_terminal
        {
            let mut page = Page::new(Paint { color: self.stderr.color });
            push_failure(&mut page, &title_and_database(tenant), failure, &[]);
            bar.println(page.text.trim_end());
        }
    }

    /// Writes with the picture out of the way.
    fn write(&mut self, text: &str) -> io::Result<()> {
        match &self.bar {
            Some(bar) if !text.is_empty() => {
                let bar = bar.clone();
                bar.suspend(|| self.human.write(text))
            }
            _ => self.human.write(text),
        }
    }
}

impl<W: Write> Reporter for Live<W> {
    fn report(&mut self, event: &Event, at: Duration) -> io::Result<()> {
        // Not held while the bar is: the bar's thread takes the two in the other order.
        locked(&self.picture).observe(event, at);
        let text = self.human.text(event);
        if let Event::RolloutStarted { scope, n_tenants, .. } = event {
            self.start(*scope, *n_tenants, at);
        }
        self.show_failure(event);
        self.write(&text)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            if let Some(line) = locked(&self.picture).last_line() {
                // That the terminal is gone is no reason to keep the summary from standard output.
                console::Term::stderr().write_line(&line).ok();
            }
        }
        let text = self.human.closing(summary);
        self.human.write(&text)
    }
}

fn locked(picture: &Mutex<Picture>) -> MutexGuard<'_, Picture> {
    picture.lock().unwrap_or_else(PoisonError::into_inner)
}
