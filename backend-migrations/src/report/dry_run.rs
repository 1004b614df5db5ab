//! What a run would do: each distinct plan once with the tenants it is for, each script's SQL once.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    closing::{push_counts, push_failures, push_head, push_stopping},
    failure::{push_failure, push_failure_briefly},
    lines::{Words, found, push_warning},
    style::{Page, Tone},
    text::{Shortened, counted, names, resuming, shortened, title_and_database, visible, visible_lines},
};
use crate::{
    event::{Event, MigrationPlanned, Outcome, Scope, Task},
    migration::{Direction, Script, Version},
    sql::without_passwords,
    summary::Summary,
    tenant::SharedLabel,
};

/// A person reads a few names of the tenants that share a plan.
const N_NAMES_MAX: usize = 5;

/// What makes two planned steps the same: the files of a run do not change while it lasts.
type StepKey = (Version, bool, usize);

/// The plans of a dry run, told at its end.
pub(super) struct DryRun {
    words: Words,
    scope: Scope,
    plans: BTreeMap<Vec<StepKey>, Plan>,
    up_to_date: Vec<SharedLabel>,
}

struct Plan {
    steps: Vec<MigrationPlanned>,
    tenants: Vec<SharedLabel>,
}

impl DryRun {
    pub(super) fn new(task: Task, scope: Scope) -> Self {
        Self { words: Words::of(task), scope, plans: BTreeMap::new(), up_to_date: Vec::new() }
    }

    /// Takes `event` into account; appends only what cannot wait for the end.
    pub(super) fn observe(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::RolloutStarted { n_tenants, coverage, .. } => {
                let line = format!("🔍 Dry run of a {}: nothing is changed", self.words.noun);
                page.toned(Tone::Strong, line);
                page.blank();
                if self.scope == Scope::Fleet {
                    page.line(format_args!("{}\n", found(*n_tenants, coverage)));
                }
            }
            Event::Warning { tenant, message } => {
                push_warning(page, tenant.as_deref(), message);
            }
            Event::Stopping { reason } => push_stopping(page, *reason),
            Event::TenantFinished { tenant, outcome, .. } => match outcome {
                Outcome::Planned { steps } if !steps.is_empty() => {
                    let key = steps.iter().map(step_key).collect();
                    let plan = self.plans.entry(key);
                    let plan = plan.or_insert_with(|| Plan { steps: steps.clone(), tenants: Vec::new() });
                    plan.tenants.push(tenant.clone());
                }
                Outcome::SameDatabase { why } => {
                    let line =
                        format!("⏭️  {}: Not worked on again: {}", title_and_database(tenant), visible(why));
                    page.toned(Tone::Caution, line);
                    page.blank();
                }
                Outcome::Failed { failure, .. } => {
                    let push = if self.scope == Scope::Fleet { push_failure_briefly } else { push_failure };
                    push(page, &title_and_database(tenant), failure, &[]);
                    page.blank();
                }
                _ => self.up_to_date.push(tenant.clone()),
            },
            _ => {}
        }
    }

    /// Appends the plans, their SQL and what the run came to.
    pub(super) fn close(&self, summary: &Summary, page: &mut Page) {
        let mut plans: Vec<_> = self.plans.iter().collect();
        // The commonest first; among equals the one with the oldest migration.
        plans.sort_by_key(|(key, plan)| (Reverse(plan.tenants.len()), *key));
        for (i, (_, plan)) in plans.iter().enumerate() {
            self.push_plan(i, plan, page);
        }
        if !self.up_to_date.is_empty() {
            let whose = self.whose(&self.up_to_date);
            let line = format!("✅ {whose}: {}", self.words.nothing);
            page.toned(Tone::Good, line);
            page.blank();
        }
        let scripts: BTreeMap<StepKey, &MigrationPlanned> =
            plans.iter().flat_map(|(_, plan)| &plan.steps).map(|step| (step_key(step), step)).collect();
        // Undoing goes from the newest to the oldest, as it would run.
        let (up, down): (Vec<_>, Vec<_>) =
            scripts.into_values().partition(|step| step.direction == Direction::Up);
        for step in up.into_iter().chain(down.into_iter().rev()) {
            push_sql(page, step);
        }
        if self.scope == Scope::Fleet {
            push_head(page, "Dry Run");
            push_counts(page, summary);
            push_failures(page, summary);
        }
        page.toned(Tone::Strong, "🔍 Dry run: nothing was changed");
    }

    fn push_plan(&self, index: usize, plan: &Plan, page: &mut Page) {
        let migrations = counted(plan.steps.len(), "migration");
        let verb = if self.words.did == "Ran" { "run" } else { "roll back" };
        let line = match plan.tenants.as_slice() {
            [label] if self.scope != Scope::Fleet => {
                format!("📋 {}: would {verb} {migrations}", title_and_database(label))
            }
            tenants => {
                format!("📋 Plan {}: {} would {verb} {migrations}", letters(index), self.whose(tenants))
            }
        };
        page.toned(Tone::Strong, line);
        for step in &plan.steps {
            page.line(format_args!("   - {}", heading(step)));
        }
        page.blank();
    }

    fn whose(&self, labels: &[SharedLabel]) -> String {
        match (self.scope, labels) {
            (Scope::Central | Scope::Tenant, [label]) => title_and_database(label),
            _ => format!("{} ({})", counted(labels.len(), "tenant"), names(labels, N_NAMES_MAX)),
        }
    }
}

fn push_sql(page: &mut Page, step: &MigrationPlanned) {
    page.toned(Tone::Strong, format_args!("-- {}", heading(step)));
    let Some(script) = script(step) else { return };
    let statements = script.statements.get(step.n_finished..).unwrap_or_default();
    if statements.is_empty() {
        page.line("-- (no statements)");
    }
    let (shown, n_left_out, n_bytes_left_out) = shortened(statements);
    for (statement, Shortened { text, n_left_out }) in shown {
        let text = without_passwords(text);
        let lines: Vec<_> = visible_lines(&text).collect();
        if n_left_out > 0 {
            let (line, more) = (statement.line, counted(n_left_out, "byte"));
            page.line(lines.join("\n"));
            page.line(format_args!("-- … and {more} more of this statement, which begins at line {line}"));
            continue;
        }
        // After a comment to the line's end the terminator would be a part of it.
        let is_hidden = lines.last().is_some_and(|line| line.contains("--") || line.contains('#'));
        page.line(format_args!("{}{}", lines.join("\n"), if is_hidden { "\n;" } else { ";" }));
    }
    if n_left_out > 0 {
        let (more, bytes) = (counted(n_left_out, "statement"), counted(n_bytes_left_out, "byte"));
        page.line(format_args!("-- … and {more} more, {bytes}"));
    }
    page.blank();
}

fn step_key(step: &MigrationPlanned) -> StepKey {
    (step.migration.version, step.direction == Direction::Down, step.n_finished)
}

fn script(step: &MigrationPlanned) -> Option<&Script> {
    step.migration.script(step.direction)
}

/// The file's name and, where it does not begin at its beginning, where it does.
fn heading(step: &MigrationPlanned) -> String {
    match (step.n_finished, script(step)) {
        (1.., Some(script)) => resuming(&script.file_name, step.n_finished, script.statements.len()),
        (_, script) => script.map(|script| visible(&script.file_name).into_owned()).unwrap_or_default(),
    }
}

/// A, B, … Z, AA, AB, …
fn letters(mut index: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(index % 26).expect("a remainder of 26 fits")));
        if index < 26 {
            return letters.into_iter().rev().collect();
        }
        index = index / 26 - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_lettered_as_columns_are() {
        assert_eq!([0, 25, 26, 27, 701, 702].map(letters), ["A", "Z", "AA", "AB", "ZZ", "AAA"]);
    }
}
