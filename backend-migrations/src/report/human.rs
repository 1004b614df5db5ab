//! For people, on anything that takes lines: a log, a pipe, a terminal without progress.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{
    Reporter,
    dry_run::DryRun,
    lines::Lines,
    recovery::Recovery,
    status::Status,
    style::{Page, Paint},
};
use crate::{
    event::{Event, Task},
    summary::Summary,
};

/// Which tenants' lines are told as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Every tenant's.
    All,
    /// Those of tenants that failed: progress on a terminal tells of the others.
    Failed,
}

/// Plain and stable lines.
pub struct Human<W> {
    out: W,
    paint: Paint,
    teller: Teller,
}

/// What the lines are about: known when the run begins.
enum Teller {
    Lines(Lines),
    DryRun(DryRun),
    Status(Status),
    Recovery(Recovery),
}

impl<W: Write> Human<W> {
    /// Writes to `out`, with colours if `color`.
    pub fn new(out: W, color: bool) -> Self {
        let paint = Paint { color };
        Self { out, paint, teller: Teller::Lines(Lines::new()) }
    }

    /// Tells only of the tenants in `shown` as they come.
    pub(super) fn show(&mut self, shown: Shown) {
        if let Teller::Lines(lines) = &mut self.teller {
            lines.shown = shown;
        }
    }

    /// What `event` adds to the output; often nothing.
    pub(super) fn text(&mut self, event: &Event) -> String {
        if let Event::RolloutStarted { task, scope, is_dry_run, .. } = event {
            self.teller = match task {
                Task::Status => Teller::Status(Status::new(*scope)),
                Task::Recover => Teller::Recovery(Recovery::new(*scope, *is_dry_run)),
                Task::Migrate | Task::Rollback if *is_dry_run => Teller::DryRun(DryRun::new(*task, *scope)),
                Task::Migrate | Task::Rollback => Teller::Lines(Lines::new()),
            };
        }
        let mut page = Page::new(self.paint);
        match &mut self.teller {
            Teller::Lines(lines) => lines.observe(event, &mut page),
            Teller::DryRun(dry_run) => dry_run.observe(event, &mut page),
            Teller::Status(status) => status.observe(event, &mut page),
            Teller::Recovery(recovery) => recovery.observe(event, &mut page),
        }
        page.text
    }

    /// What the end of the run adds to the output.
    pub(super) fn closing(&self, summary: &Summary) -> String {
        let mut page = Page::new(self.paint);
        match &self.teller {
            Teller::Lines(lines) => lines.close(summary, &mut page),
            Teller::DryRun(dry_run) => dry_run.close(summary, &mut page),
            Teller::Status(status) => status.close(summary, &mut page),
            Teller::Recovery(recovery) => recovery.close(summary, &mut page),
        }
        page.text
    }

    /// Writes `text` at once, so that lines of one tenant stay together whoever else writes there.
    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Reporter for Human<W> {
    fn report(&mut self, event: &Event, _: Duration) -> io::Result<()> {
        let text = self.text(event);
        self.write(&text)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let text = self.closing(summary);
        self.write(&text)
    }
}
