//! What a person sees at a terminal while a verify works, on standard error.

mod picture;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use self::picture::Picture;
use crate::{
    finding::Progress,
    report::{Screen, style::Paint},
};

/// Often enough for the seconds of a slow step, seldom enough for a slow line.
const TICK: Duration = Duration::from_millis(100);

/// Progress with an estimate; nothing where nobody watches. It is gone from the terminal when it is dropped.
#[derive(Debug)]
pub struct Watch {
    picture: Arc<Mutex<Picture>>,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Draws on standard error, which leads to `stderr`. Its clock starts now.
    pub fn new(stderr: Screen) -> Self {
        let picture = Arc::new(Mutex::new(Picture::new(Paint { color: stderr.color })));
        let bar = stderr.is_terminal.then(|| drawn(Arc::clone(&picture)));
        Self { picture, bar }
    }

    /// Takes `progress` into account.
    pub fn observe(&self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            // Not held while the bar is: the bar's thread takes the two in the other order.
            let now = bar.elapsed();
            locked(&self.picture).observe(progress, now);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn drawn(picture: Arc<Mutex<Picture>>) -> ProgressBar {
    let text = move |state: &ProgressState, out: &mut dyn fmt::Write| {
        let columns = usize::from(console::Term::stderr().size().1);
        // A picture that cannot be drawn is drawn at the next tick.
        out.write_str(&locked(&picture).text(state.elapsed(), columns)).ok();
    };
    let style = ProgressStyle::with_template("{picture}").expect("the template is a constant");
    let bar = ProgressBar::new_spinner()
        .with_style(style.with_key("picture", text))
        .with_finish(ProgressFinish::AndClear);
    bar.enable_steady_tick(TICK);
    bar
}

fn locked(picture: &Mutex<Picture>) -> MutexGuard<'_, Picture> {
    picture.lock().unwrap_or_else(PoisonError::into_inner)
}
