//! The lines of a run that applies or undoes migrations.

use std::collections::HashMap;

use super::{
    closing::{push_single_end, push_stopping, push_summary},
    failure::{push_done, push_done_before, push_failure, push_failure_briefly},
    human::Shown,
    style::{Page, Paint, Tone},
    text::{resuming, title, title_and_database, visible, visible_lines},
};
use crate::{
    event::{Event, Outcome, Place, Scope, Task},
    selection::Coverage,
    summary::Summary,
    tenant::{Label, TenantStatus},
};

/// The words that differ between applying and undoing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// Before the first word of the run.
    pub(super) sign: &'static str,
    /// What is being done, at the head of a line.
    pub(super) doing: &'static str,
    /// What was done.
    pub(super) did: &'static str,
    /// Nothing was to be done.
    pub(super) nothing: &'static str,
    /// What it is called.
    pub(super) noun: &'static str,
    /// The same with a capital.
    pub(super) title: &'static str,
}

impl Words {
    /// The words for `task`.
    pub(super) fn of(task: Task) -> Self {
        match task {
            Task::Migrate | Task::Status | Task::Recover => Self {
                sign: "🚀",
                doing: "🔄 Migrating",
                did: "Ran",
                nothing: "Already up to date",
                noun: "migration",
                title: "Migration",
            },
            Task::Rollback => Self {
                sign: "🔙",
                doing: "🔙 Rolling back",
                did: "Rolled back",
                nothing: "Nothing to roll back",
                noun: "rollback",
                title: "Rollback",
            },
        }
    }
}

/// The lines of each tenant, kept until its turn is over: many have theirs at the same time.
pub(super) struct Lines {
    pub(super) shown: Shown,
    words: Words,
    scope: Scope,
    /// By slug, which no two tenants share.
    notes: HashMap<String, Page>,
}

impl Lines {
    pub(super) fn new() -> Self {
        let words = Words::of(Task::Migrate);
        Self { shown: Shown::All, words, scope: Scope::Fleet, notes: HashMap::new() }
    }

    /// Appends what `event` has to say.
    pub(super) fn observe(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::RolloutStarted { task, scope, n_tenants, coverage, go_on, .. } => {
                (self.words, self.scope) = (Words::of(*task), *scope);
                self.push_start(*n_tenants, coverage, go_on.as_deref(), page);
            }
            Event::MigrationStarted { tenant, file_name, n_statements, n_finished } if *n_finished > 0 => {
                let note = format!("↪️  {}", resuming(file_name, *n_finished, *n_statements));
                self.notes(tenant, page.paint).line(note);
            }
            // That connecting took a second try is worth no line in a log.
            Event::Waiting { tenant, at: Some(at), for_what } => {
                let note = waiting(at, for_what);
                self.notes(tenant, page.paint).line(note);
            }
            Event::Warning { tenant: Some(tenant), message } => {
                push_warning(self.notes(tenant, page.paint), Some(tenant), message);
            }
            Event::Warning { tenant: None, message } => {
                push_warning(page, None, message);
                page.blank();
            }
            Event::Stopping { reason } => push_stopping(page, *reason),
            Event::TenantFinished { tenant, outcome, .. } => {
                let notes = self.notes.remove(&tenant.slug).map(|notes| notes.text).unwrap_or_default();
                let is_notable = matches!(outcome, Outcome::Failed { .. } | Outcome::SameDatabase { .. });
                if self.shown == Shown::All || is_notable || !notes.is_empty() {
                    self.push_tenant(tenant, &notes, outcome, page);
                }
            }
            _ => {}
        }
    }

    /// Appends what the run came to.
    pub(super) fn close(&self, summary: &Summary, page: &mut Page) {
        match self.scope {
            Scope::Fleet => push_summary(page, self.words, summary),
            Scope::Central | Scope::Tenant => push_single_end(page, self.words, summary),
        }
    }

    fn notes(&mut self, label: &Label, paint: Paint) -> &mut Page {
        self.notes.entry(label.slug.clone()).or_insert_with(|| Page::new(paint))
    }

    fn push_start(&self, n_tenants: usize, coverage: &Coverage, go_on: Option<&str>, page: &mut Page) {
        let Words { sign, noun, .. } = self.words;
        if self.scope == Scope::Fleet {
            let line = format!("{sign} Starting {noun} for all tenants...");
            page.toned(Tone::Strong, line);
            page.line(format_args!("\n{}\n", found(n_tenants, coverage)));
            if let Some(go_on) = go_on {
                page.line(format_args!("↪️  If this is interrupted, go on with: {}\n", visible(go_on)));
            }
        }
    }

    fn push_tenant(&self, label: &Label, notes: &str, outcome: &Outcome, page: &mut Page) {
        let Words { doing, did, nothing, .. } = self.words;
        let title = title(label);
        match &label.id {
            Some(_) => page.line(format_args!("{doing} tenant: {}", title_and_database(label))),
            None => page.line(format_args!("{doing} the central database ({})", visible(&label.database))),
        }
        page.text.push_str(notes);
        match outcome {
            Outcome::Migrated { done } => {
                let line = format!("✅ {title}: {did} {} migrations:", done.len());
                page.toned(Tone::Good, line);
                push_done(page, done);
            }
            Outcome::Stopped { done, n_remaining: 0 } if done.is_empty() => {
                page.toned(Tone::Caution, format_args!("🛑 {title}: Stopped before anything was begun"));
            }
            Outcome::Stopped { done, n_remaining } => {
                let line = format!("🛑 {title}: Stopped between migrations, {n_remaining} to go");
                page.toned(Tone::Caution, line);
                push_done_before(page, done);
            }
            // The summary has the rest of it, once for all that failed for the same reason.
            Outcome::Failed { done, failure } if self.scope == Scope::Fleet => {
                push_failure_briefly(page, &title, failure, done);
            }
            Outcome::Failed { done, failure } => push_failure(page, &title, failure, done),
            Outcome::SameDatabase { why } => {
                page.toned(Tone::Caution, format_args!("⏭️  {title}: Not worked on again: {}", visible(why)));
            }
            // All but the first belong to other tasks; a run that mixes them up is still told truly.
            Outcome::UpToDate
            | Outcome::Planned { .. }
            | Outcome::Inspected { .. }
            | Outcome::Diagnosed { .. }
            | Outcome::Recovered { .. } => {
                page.toned(Tone::Good, format_args!("✅ {title}: {nothing}"));
            }
        }
        page.blank();
    }
}

/// The line for how many tenants there are.
pub(super) fn found(n_tenants: usize, coverage: &Coverage) -> String {
    match coverage.statuses.as_slice() {
        [] | [TenantStatus::Active] => format!("📋 Found {n_tenants} active tenant(s)"),
        statuses => {
            let statuses: Vec<_> = statuses.iter().map(TenantStatus::to_string).collect();
            format!("📋 Found {n_tenants} tenant(s) with status {}", statuses.join(", "))
        }
    }
}

/// The line for a wait.
fn waiting(at: &Place, for_what: &str) -> String {
    let Place { file_name, line, statement, n_statements } = at;
    let for_what = visible_lines(for_what).collect::<Vec<_>>().join(" ");
    format!("⏳ {}:{line}: statement {statement} of {n_statements} waits for {for_what}", visible(file_name))
}

/// Appends a warning, naming whose it is.
pub(super) fn push_warning(page: &mut Page, label: Option<&Label>, message: &str) {
    let whose = label.map(|label| format!("{}: ", title(label))).unwrap_or_default();
    let message = visible_lines(message).collect::<Vec<_>>().join("\n   ");
    page.toned(Tone::Caution, format_args!("⚠️  {whose}{message}"));
}
