//! The lines of a run that applies or undoes migrations.

use std::{collections::HashMap, fmt::Write};

use super::{
    closing::{push_single_end, push_stopping, push_summary},
    failure::{push_done, push_done_before, push_failure},
    human::Shown,
    style::{Paint, Tone},
    text::{counted, title, title_and_database, visible, visible_lines},
};
use crate::{
    event::{Event, Outcome, Scope, Task},
    summary::Summary,
    tenant::Label,
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
            Task::Migrate | Task::Status => Self {
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
    paint: Paint,
    words: Words,
    scope: Scope,
    /// By slug, which no two tenants share.
    notes: HashMap<String, String>,
}

impl Lines {
    pub(super) fn new(paint: Paint) -> Self {
        let words = Words::of(Task::Migrate);
        Self { shown: Shown::All, paint, words, scope: Scope::Fleet, notes: HashMap::new() }
    }

    /// Appends what `event` has to say.
    pub(super) fn observe(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::RolloutStarted { task, scope, n_tenants, .. } => {
                (self.words, self.scope) = (Words::of(*task), *scope);
                self.push_start(*n_tenants, out);
            }
            Event::MigrationStarted { tenant, file_name, n_statements, n_finished } if *n_finished > 0 => {
                let file_name = visible(file_name);
                let next = n_finished + 1;
                let note = format!("↪️  {file_name}: resuming at statement {next} of {n_statements}\n");
                self.notes.entry(tenant.slug.clone()).or_default().push_str(&note);
            }
            Event::Warning { tenant: Some(tenant), message } => {
                let text = warning(self.paint, Some(tenant), message);
                self.notes.entry(tenant.slug.clone()).or_default().push_str(&text);
            }
            Event::Warning { tenant: None, message } => {
                out.push_str(&warning(self.paint, None, message));
                out.push('\n');
            }
            Event::Stopping { reason } => push_stopping(out, self.paint, *reason),
            Event::TenantFinished { tenant, outcome, .. } => {
                let notes = self.notes.remove(&tenant.slug).unwrap_or_default();
                if self.shown == Shown::All || matches!(outcome, Outcome::Failed { .. }) || !notes.is_empty()
                {
                    self.push_tenant(tenant, &notes, outcome, out);
                }
            }
            _ => {}
        }
    }

    /// Appends what the run came to.
    pub(super) fn close(&self, summary: &Summary, out: &mut String) {
        match self.scope {
            Scope::Fleet => push_summary(out, self.paint, self.words, summary),
            Scope::Central | Scope::Tenant => push_single_end(out, self.paint, self.words, summary),
        }
    }

    fn push_start(&self, n_tenants: usize, out: &mut String) {
        let Words { sign, noun, .. } = self.words;
        if self.scope == Scope::Fleet {
            let line = format!("{sign} Starting {noun} for all tenants...");
            out.push_str(&self.paint.paint(Tone::Strong, line));
            write!(out, "\n\n📋 Found {n_tenants} active tenant(s)\n\n").expect("a String takes everything");
        }
    }

    fn push_tenant(&self, label: &Label, notes: &str, outcome: &Outcome, out: &mut String) {
        let Words { doing, did, nothing, .. } = self.words;
        let title = title(label);
        match &label.id {
            Some(_) => out.push_str(&format!("{doing} tenant: {}\n", title_and_database(label))),
            None => out.push_str(&format!("{doing} the {}\n", title_and_database(label))),
        }
        out.push_str(notes);
        match outcome {
            Outcome::Migrated { done } => {
                let line = format!("✅ {title}: {did} {} migrations:", done.len());
                out.push_str(&self.paint.paint(Tone::Good, line));
                out.push('\n');
                push_done(out, done);
            }
            Outcome::Stopped { done, n_remaining } => {
                let remain = counted(*n_remaining, "migration");
                let line = format!("🛑 {title}: Stopped between migrations, not begun: {remain}");
                out.push_str(&self.paint.paint(Tone::Caution, line));
                out.push('\n');
                push_done_before(out, done);
            }
            Outcome::Failed { done, failure } => {
                push_failure(out, self.paint, label, failure);
                push_done_before(out, done);
            }
            // The last two belong to other tasks; a run that mixes them up is still told truly.
            Outcome::UpToDate | Outcome::Planned { .. } | Outcome::Inspected { .. } => {
                out.push_str(&self.paint.paint(Tone::Good, format_args!("✅ {title}: {nothing}")));
                out.push('\n');
            }
        }
        out.push('\n');
    }
}

/// A warning with its line end.
pub(super) fn warning(paint: Paint, label: Option<&Label>, message: &str) -> String {
    let whose = label.map(|label| format!("{}: ", title(label))).unwrap_or_default();
    let message = visible_lines(message).collect::<Vec<_>>().join("\n   ");
    format!("{}\n", paint.paint(Tone::Caution, format_args!("⚠️  {whose}{message}")))
}
