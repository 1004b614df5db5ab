//! What is known of the progress of a run: a function of what happened and of the time.

use std::{collections::HashMap, fmt, time::Duration};

use super::{
    pace::{bar, remaining},
    style::{Paint, Tone},
    text::{counted, title, title_and_database, took, visible, waited},
};
use crate::{
    event::{Event, Outcome, Place, Scope, StopReason},
    tenant::SharedLabel,
};

/// The longest waits of those that run are shown, so many of them.
const N_RUNNING_MAX: usize = 6;
/// What is over sooner than this needs no progress; drawing it would only flicker.
const QUIET: Duration = Duration::from_millis(250);
/// A longer name would push what it waits for off the line.
const NAME_COLUMNS_MAX: usize = 32;

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
    tenant: SharedLabel,
    name: String,
    doing: Doing,
    since: Duration,
    /// When its turn began.
    begun_at: Duration,
    /// Whether it was said that it has.
    is_announced: bool,
}

/// The turn that has waited longest for one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Longest {
    /// Whose.
    pub(super) tenant: SharedLabel,
    /// What for, in words.
    pub(super) doing: String,
    /// For how long.
    pub(super) waited: Duration,
}

#[derive(Clone, Debug)]
enum Doing {
    /// Connects and reads the history.
    Looking,
    /// Is between two statements.
    Working { file_name: Option<String> },
    /// Waits for the server's answer to a statement.
    Statement(Place),
    /// Waits for somebody else.
    Waiting(String),
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
            Event::Warning { .. } | Event::MigrationDiagnosed { .. } => return,
            Event::TenantStarted { tenant } => (tenant, Doing::Looking),
            Event::TenantPlanned { tenant, .. }
            | Event::MigrationFinished { tenant, .. }
            | Event::MigrationSettled { tenant, .. } => (tenant, Doing::Working { file_name: None }),
            Event::MigrationStarted { tenant, file_name, .. } => {
                (tenant, Doing::Working { file_name: Some(file_name.clone()) })
            }
            Event::Waiting { tenant, for_what, .. } => (tenant, Doing::Waiting(for_what.clone())),
            Event::StatementStarted { tenant, at } => (tenant, Doing::Statement(at.clone())),
            Event::StatementFinished { tenant, at, .. } => {
                (tenant, Doing::Working { file_name: Some(at.file_name.clone()) })
            }
        };
        let running = self.running.entry(tenant.slug.clone()).or_insert_with(|| Running {
            tenant: tenant.clone(),
            name: title(tenant).into_owned(),
            doing: Doing::Looking,
            since: at,
            begun_at: at,
            is_announced: false,
        });
        (running.doing, running.since) = (doing, at);
    }

    /// The turns that have taken `long` and are worth a line for having begun, each told once: of those that are over sooner
    /// the end is told.
    pub(super) fn newly_begun(&mut self, now: Duration, long: Duration) -> Vec<String> {
        let is_new =
            |running: &&mut Running| !running.is_announced && now.saturating_sub(running.begun_at) >= long;
        let mut begun: Vec<_> = self.running.values_mut().filter(is_new).collect();
        begun.sort_by(|a, b| (a.begun_at, &a.name).cmp(&(b.begun_at, &b.name)));
        let announce = |running: &mut Running| {
            running.is_announced = true;
            format!("▶️  {}: begun", title_and_database(&running.tenant))
        };
        begun.into_iter().map(announce).collect()
    }

    /// How many turns there are, are over, and are going on, and the one of these that has waited longest; `None` where none
    /// is.
    pub(super) fn at_work(&self, now: Duration) -> Option<(usize, usize, usize, Longest)> {
        let longest = self.running.values().min_by_key(|running| (running.since, &running.name))?;
        let longest = Longest {
            tenant: longest.tenant.clone(),
            doing: longest.doing.to_string(),
            waited: now.saturating_sub(longest.since),
        };
        Some((self.n_tenants, self.n_finished, self.running.len(), longest))
    }

    /// One line of what goes on, for a log; `None` where nothing does.
    pub(super) fn log_line(&self, now: Duration) -> Option<String> {
        let (n_tenants, n_finished, n_running, longest) = self.at_work(now)?;
        let elapsed = waited(now.saturating_sub(self.started_at).as_secs());
        let counts = match self.scope {
            Scope::Fleet => {
                let all = counted(n_tenants, "tenant");
                format!("{n_finished} of {all} done, {n_running} at work; longest: ")
            }
            Scope::Central | Scope::Tenant => String::new(),
        };
        let Longest { tenant, doing, waited: span } = longest;
        let (name, span) = (title_and_database(&tenant), waited(span.as_secs()));
        Some(format!("⏳ after {elapsed}: {counts}{name}, for {span}: {doing}"))
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
        let mut parts = vec![format!("{} {n} of {}", bar(n, all), counted(all, "tenant"))];
        if let Some(rate) = rate(n, elapsed) {
            parts.push(rate);
        }
        if let Some(reason) = self.stopping {
            parts.push(self.paint.paint(Tone::Caution, format_args!("🛑 stopping: {}", reason.as_str())));
        } else if let Some(rest) = remaining(n, all, elapsed) {
            parts.push(format!("{} to go", waited(rest.as_secs())));
        }
        if self.n_failed > 0 {
            parts.push(self.paint.paint(Tone::Bad, format_args!("❌ {} failed", self.n_failed)));
        }
        parts.join(" · ")
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Looking => f.write_str("connecting"),
            Self::Working { file_name: None } => f.write_str("between migrations"),
            Self::Working { file_name: Some(file_name) } => f.write_str(&visible(file_name)),
            Self::Waiting(for_what) => write!(f, "waits for {}", visible(for_what)),
            Self::Statement(Place { file_name, line, statement, n_statements }) => {
                write!(f, "statement {statement} of {n_statements}, {}:{line}", visible(file_name))
            }
        }
    }
}

impl Running {
    fn line(&self, paint: Paint, now: Duration) -> String {
        let what = &self.doing;
        // The time stands before what may be cut off at the terminal's edge.
        let span = match now.saturating_sub(self.since).as_secs() {
            0 => String::new(),
            s => format!(" · {}", waited(s)),
        };
        let name = console::truncate_str(&self.name, NAME_COLUMNS_MAX, "…");
        format!("   🔄 {name}{span} · {}", paint.paint(Tone::Quiet, what))
    }
}

/// Tenants a second, or a minute where they are few; nothing where there is nothing to divide.
fn rate(n: usize, elapsed: Duration) -> Option<String> {
    if n == 0 || elapsed.is_zero() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a fleet has fewer than 2^52 tenants")]
    let a_second = n as f64 / elapsed.as_secs_f64();
    Some(match a_second {
        10.0.. => format!("{a_second:.0}/s"),
        1.0.. => format!("{a_second:.1}/s"),
        _ => format!("{:.1}/min", a_second * 60.0),
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{
        event::{FailureCode, Task},
        migration::Direction::Up,
        report::samples::*,
        tenant::SharedLabel,
    };

    fn picture(scope: Scope, n_tenants: usize, color: bool) -> Picture {
        let mut picture = Picture::new(Paint { color });
        picture.observe(&started(Task::Migrate, scope, n_tenants, false), Duration::ZERO);
        picture
    }

    fn begin(picture: &mut Picture, tenant: &SharedLabel, at_s: u64) {
        picture.observe(&Event::TenantStarted { tenant: tenant.clone() }, Duration::from_secs(at_s));
    }

    fn work(picture: &mut Picture, tenant: &SharedLabel, at_s: u64) {
        let event = Event::StatementStarted { tenant: tenant.clone(), at: place() };
        picture.observe(&event, Duration::from_secs(at_s));
    }

    /// Four of ten are done, one of them failed; two run.
    fn halfway(color: bool) -> Picture {
        let mut picture = picture(Scope::Fleet, 10, color);
        let tenants = numbered(6);
        for tenant in &tenants {
            begin(&mut picture, tenant, 1);
        }
        for tenant in &tenants[..3] {
            picture.observe(&finished(tenant, migrated(&[PRIORITY], Up)), Duration::from_secs(2));
        }
        picture
            .observe(&finished(&tenants[3], failed(failure(FailureCode::Connect))), Duration::from_secs(2));
        work(&mut picture, &tenants[5], 3);
        picture
    }

    fn at(picture: &Picture, s: u64) -> String {
        picture.text(Duration::from_secs(s), 100)
    }

    #[test]
    fn a_fleet_halfway() {
        assert_snapshot!(at(&halfway(false), 8), @r"
        █████████░░░░░░░░░░░░░░░ 4 of 10 tenants · 30.0/min · 12 s to go · ❌ 1 failed
           🔄 Tenant 05 · 7 s · connecting
           🔄 Tenant 06 · 5 s · statement 2 of 3, 20250203090000_create_labels.up.sql:7
        ");
    }

    #[test]
    fn the_same_in_colours() {
        let text = at(&halfway(true), 8);
        assert_eq!(console::strip_ansi_codes(&text), at(&halfway(false), 8));
        assert_snapshot!(text.replace('\u{1b}', "␛"), @r"
        █████████░░░░░░░░░░░░░░░ 4 of 10 tenants · 30.0/min · 12 s to go · ␛[31m❌ 1 failed␛[0m
           🔄 Tenant 05 · 7 s · ␛[2mconnecting␛[0m
           🔄 Tenant 06 · 5 s · ␛[2mstatement 2 of 3, 20250203090000_create_labels.up.sql:7␛[0m
        ");
    }

    #[test]
    fn a_statement_that_runs_for_minutes_shows_its_time() {
        assert_snapshot!(at(&halfway(false), 3 + 754), @r"
        █████████░░░░░░░░░░░░░░░ 4 of 10 tenants · 0.3/min · 18 min 55 s to go · ❌ 1 failed
           🔄 Tenant 05 · 12 min 36 s · connecting
           🔄 Tenant 06 · 12 min 34 s · statement 2 of 3, 20250203090000_create_labels.up.sql:7
        ");
    }

    #[test]
    fn a_narrow_terminal_gets_short_lines() {
        let text = halfway(false).text(Duration::from_secs(8), 40);
        assert!(text.lines().all(|line| console::measure_text_width(line) < 40), "{text}");
        assert_snapshot!(text, @r"
        █████████░░░░░░░░░░░░░░░ 4 of 10 tenan…
           🔄 Tenant 05 · 7 s · connecting
           🔄 Tenant 06 · 5 s · statement 2 of…
        ");
    }

    #[test]
    fn one_tenant_has_no_bar() {
        let mut picture = picture(Scope::Tenant, 1, false);
        begin(&mut picture, &acme(), 0);
        assert_snapshot!(at(&picture, 4), @r"   🔄 Acme Corp · 4 s · connecting");
        picture.observe(
            &Event::MigrationStarted {
                tenant: acme(),
                file_name: format!("{LABELS}.up.sql"),
                n_statements: 3,
                n_finished: 0,
            },
            Duration::from_secs(4),
        );
        assert_snapshot!(at(&picture, 4), @r"   🔄 Acme Corp · 20250203090000_create_labels.up.sql");
        work(&mut picture, &acme(), 5);
        assert_snapshot!(at(&picture, 65), @r"   🔄 Acme Corp · 1 min 00 s · statement 2 of 3, 20250203090000_create_labels.up.sql:7");
    }

    #[test]
    fn many_at_once_show_the_longest_waits() {
        let mut picture = picture(Scope::Fleet, 1000, false);
        numbered(32).iter().zip(0..).for_each(|(tenant, at_s)| begin(&mut picture, tenant, at_s));
        assert_snapshot!(at(&picture, 40), @r"
        ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 1000 tenants
           🔄 Tenant 01 · 40 s · connecting
           🔄 Tenant 02 · 39 s · connecting
           🔄 Tenant 03 · 38 s · connecting
           🔄 Tenant 04 · 37 s · connecting
           🔄 Tenant 05 · 36 s · connecting
           🔄 Tenant 06 · 35 s · connecting
           … and 26 more
        ");
    }

    #[test]
    fn a_stop_takes_the_place_of_the_estimate() {
        let mut picture = halfway(false);
        picture.observe(&Event::Stopping { reason: StopReason::Interrupted }, Duration::from_secs(4));
        picture.observe(&Event::Stopping { reason: StopReason::FailureBudget }, Duration::from_secs(5));
        assert_snapshot!(at(&picture, 8), @r"
        █████████░░░░░░░░░░░░░░░ 4 of 10 tenants · 30.0/min · 🛑 stopping: interrupted · ❌ 1 failed
           🔄 Tenant 05 · 7 s · connecting
           🔄 Tenant 06 · 5 s · statement 2 of 3, 20250203090000_create_labels.up.sql:7
        ");
    }

    #[test]
    fn hostile_names_stay_in_their_line() {
        let mut picture = picture(Scope::Fleet, 1, false);
        begin(&mut picture, &mallory(), 0);
        let text = at(&picture, 1);
        assert_eq!(text.lines().count(), 2);
        assert_snapshot!(text, @r"
        ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 1 tenant
           🔄 Mal\u{1b}[2J\u{a}✅ Acme Corp: … · 1 s · connecting
        ");
    }

    #[test]
    fn nothing_is_drawn_before_it_is_worth_it_nor_after_the_end() {
        let mut picture = halfway(false);
        assert_eq!(picture.text(Duration::from_millis(200), 100), "");
        assert_eq!(picture.last_line(), None);
        picture.observe(&ended(Vec::new(), None), Duration::from_secs(9));
        assert_eq!(at(&picture, 9), "");
        assert_snapshot!(picture.last_line().expect("the run is over"), @r"⏱️  4 tenants in 1.5 s, 2.7/s");
    }
}
