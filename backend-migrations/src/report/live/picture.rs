//! What the live progress shows, as a function of what happened and of the time.

use std::{collections::HashMap, time::Duration};

use crate::{
    event::{Event, Outcome, Place, Scope, StopReason},
    report::{
        style::{Paint, Tone},
        text::{counted, title, took, visible},
    },
};

/// The longest waits of those that run are shown, so many of them.
const N_RUNNING_MAX: usize = 6;
/// What is over sooner than this needs no progress; drawing it would only flicker.
const QUIET: Duration = Duration::from_millis(250);
/// Before this an estimate says more about the connection's first round trip than about the rest.
const ESTIMATE_AFTER: Duration = Duration::from_secs(2);
const BAR_COLUMNS: usize = 24;

/// The state of a run, as far as a person watches it.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    paint: Paint,
    scope: Scope,
    n_tenants: usize,
    n_finished: usize,
    n_failed: usize,
    stopping: Option<StopReason>,
    started_at: Duration,
    elapsed: Option<Duration>,
    /// By slug.
    running: HashMap<String, Running>,
}

/// A tenant whose turn it is.
#[derive(Clone, Debug)]
struct Running {
    name: String,
    doing: Doing,
    since: Duration,
}

#[derive(Clone, Debug)]
enum Doing {
    /// Connects and reads the history.
    Looking,
    /// Is between two statements.
    Working { file_name: Option<String> },
    /// Waits for the server's answer to a statement.
    Statement(Place),
}

impl Picture {
    pub(super) fn new(paint: Paint) -> Self {
        Self {
            paint,
            scope: Scope::Fleet,
            n_tenants: 0,
            n_finished: 0,
            n_failed: 0,
            stopping: None,
            started_at: Duration::ZERO,
            elapsed: None,
            running: HashMap::new(),
        }
    }

    /// Takes `event` into account.
    pub(super) fn observe(&mut self, event: &Event, at: Duration) {
        let (tenant, doing) = match event {
            Event::RolloutStarted { scope, n_tenants, .. } => {
                (self.scope, self.n_tenants, self.started_at) = (*scope, *n_tenants, at);
                return;
            }
            Event::TenantFinished { tenant, outcome, .. } => {
                self.running.remove(&tenant.slug);
                self.n_finished += 1;
                self.n_failed += usize::from(matches!(outcome, Outcome::Failed { .. }));
                return;
            }
            Event::Stopping { reason } => {
                self.stopping = self.stopping.max(Some(*reason));
                return;
            }
            Event::RolloutFinished { elapsed, .. } => {
                self.elapsed = Some(*elapsed);
                return;
            }
            Event::Warning { .. } => return,
            Event::TenantStarted { tenant } => (tenant, Doing::Looking),
            Event::TenantPlanned { tenant, .. } | Event::MigrationFinished { tenant, .. } => {
                (tenant, Doing::Working { file_name: None })
            }
            Event::MigrationStarted { tenant, file_name, .. } => {
                (tenant, Doing::Working { file_name: Some(file_name.clone()) })
            }
            Event::StatementStarted { tenant, at } => (tenant, Doing::Statement(at.clone())),
            Event::StatementFinished { tenant, at, .. } => {
                (tenant, Doing::Working { file_name: Some(at.file_name.clone()) })
            }
        };
        let name = title(tenant).into_owned();
        self.running.insert(tenant.slug.clone(), Running { name, doing, since: at });
    }

    /// The lines to show at the time `now` on a terminal of so many columns; empty while there is nothing worth it.
    pub(super) fn text(&self, now: Duration, columns: usize) -> String {
        let elapsed = now.saturating_sub(self.started_at);
        if elapsed < QUIET || self.elapsed.is_some() {
            return String::new();
        }
        let mut lines = Vec::new();
        if self.scope == Scope::Fleet {
            lines.push(self.head(elapsed));
        } else if let Some(reason) = self.stopping {
            lines.push(self.paint.paint(Tone::Caution, format_args!("🛑 stopping: {}", reason.as_str())));
        }
        let mut running: Vec<_> = self.running.values().collect();
        running.sort_by(|a, b| (a.since, &a.name).cmp(&(b.since, &b.name)));
        lines.extend(running.iter().take(N_RUNNING_MAX).map(|running| running.line(self.paint, now)));
        if running.len() > N_RUNNING_MAX {
            let line = format!("   … and {} more", running.len() - N_RUNNING_MAX);
            lines.push(self.paint.paint(Tone::Quiet, line));
        }
        // A line that fills the last column makes some terminals begin another one.
        let width = columns.saturating_sub(1).max(20);
        let cut: Vec<_> = lines.iter().map(|line| console::truncate_str(line, width, "…")).collect();
        cut.join("\n")
    }

    /// What remains of it when the run is over: how long it took, and how fast it was.
    pub(super) fn last_line(&self) -> Option<String> {
        let elapsed = self.elapsed.filter(|_| self.scope == Scope::Fleet)?;
        let rate = rate(self.n_finished, elapsed).map(|rate| format!(", {rate}")).unwrap_or_default();
        let line = format!("⏱️  {} in {}{rate}", counted(self.n_finished, "tenant"), took(elapsed));
        Some(self.paint.paint(Tone::Quiet, line))
    }

    fn head(&self, elapsed: Duration) -> String {
        let (n, all) = (self.n_finished, self.n_tenants);
        let filled = (n * BAR_COLUMNS).checked_div(all).unwrap_or(0).min(BAR_COLUMNS);
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR_COLUMNS - filled));
        let mut parts = vec![format!("{bar} {n} of {}", counted(all, "tenant"))];
        if let Some(rate) = rate(n, elapsed) {
            parts.push(rate);
        }
        if let Some(reason) = self.stopping {
            parts.push(self.paint.paint(Tone::Caution, format_args!("🛑 stopping: {}", reason.as_str())));
        } else if let Some(rest) = remaining(n, all, elapsed) {
            parts.push(format!("{} to go", took(rest)));
        }
        if self.n_failed > 0 {
            parts.push(self.paint.paint(Tone::Bad, format_args!("❌ {} failed", self.n_failed)));
        }
        parts.join(" · ")
    }
}

impl Running {
    fn line(&self, paint: Paint, now: Duration) -> String {
        let what = match &self.doing {
            Doing::Looking => "connecting".to_owned(),
            Doing::Working { file_name: None } => "between migrations".to_owned(),
            Doing::Working { file_name: Some(file_name) } => visible(file_name).into_owned(),
            Doing::Statement(Place { file_name, line, statement, n_statements }) => {
                format!("statement {statement} of {n_statements}, {}:{line}", visible(file_name))
            }
        };
        let for_s = now.saturating_sub(self.since).as_secs();
        let span = took(Duration::from_secs(for_s.max(1)));
        // The time stands before what may be cut off at the terminal's edge.
        let span = if for_s == 0 { String::new() } else { format!(" · {span}") };
        format!("   🔄 {}{span} · {}", self.name, paint.paint(Tone::Quiet, what))
    }
}

/// Tenants a second, once there is something to divide.
fn rate(n: usize, elapsed: Duration) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "a fleet has fewer than 2^52 tenants")]
    let rate = n as f64 / elapsed.as_secs_f64();
    match n {
        0 => None,
        _ if rate < 10.0 => Some(format!("{rate:.1}/s")),
        _ => Some(format!("{rate:.0}/s")),
    }
    .filter(|_| !elapsed.is_zero())
}

/// How long the rest takes at the pace so far.
fn remaining(n: usize, all: usize, elapsed: Duration) -> Option<Duration> {
    let (n, rest) = (u32::try_from(n).ok()?, u32::try_from(all.checked_sub(n)?).ok()?);
    if n == 0 || rest == 0 || elapsed < ESTIMATE_AFTER {
        return None;
    }
    let rest = elapsed.checked_mul(rest)? / n;
    // Whole seconds: a tenth of one would only flicker.
    Some(Duration::from_secs(rest.as_secs().max(1)))
}
