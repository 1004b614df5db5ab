//! What a run came to, for people.

use std::collections::HashMap;

use super::{
    failure::{push_details, push_first_line},
    lines::Words,
    style::{Page, Paint, Tone},
    text::{counted, names, title_and_database, visible},
};
use crate::{
    event::{Failure, StopReason},
    summary::{Summary, Verdict},
    tenant::SharedLabel,
};

const RULE: &str = "============================================================";
/// A person reads a few names; a program has `--format json`.
const N_NAMES_MAX: usize = 10;

/// Appends that no more tenants are begun, and what becomes of those that are.
pub(super) fn push_stopping(page: &mut Page, reason: StopReason) {
    let then = match reason {
        StopReason::FailureBudget | StopReason::FleetLockLost | StopReason::ReporterFailed => {
            "no more tenants are begun; those that are being worked on run to their end"
        }
        StopReason::Interrupted => {
            "migrations in flight are finished and recorded; interrupt again to kill their statements"
        }
        StopReason::InterruptedTwice => "statements in flight are killed",
    };
    page.toned(Tone::Caution, format_args!("🛑 Stopping: {}; {then}", reason.as_str()));
    page.blank();
}

/// Appends the summary of a run over the fleet, what failed, and the verdict as the last line.
pub(super) fn push_summary(page: &mut Page, words: Words, summary: &Summary) {
    push_head(page, words.title);
    push_counts(page, summary);
    push_failures(page, summary);
    push_verdict(page, words, summary);
}

/// Appends the heading between its rules.
pub(super) fn push_head(page: &mut Page, title: &str) {
    page.line(RULE);
    page.toned(Tone::Strong, format_args!("📊 {title} Summary"));
    page.line(RULE);
}

/// Appends the counts; those beyond the first two only where they are not zero.
pub(super) fn push_counts(page: &mut Page, summary: &Summary) {
    let (n_good, n_bad) = (summary.n_successful(), summary.failed.len());
    let bad_tone = if n_bad == 0 { Tone::Quiet } else { Tone::Bad };
    page.toned(Tone::Good, format_args!("✅ Successful: {n_good}"));
    for (what, n) in [("would change", summary.n_planned), ("nothing to do", summary.n_up_to_date)] {
        if n > 0 {
            page.line(format_args!("   {what}: {n}"));
        }
    }
    page.toned(bad_tone, format_args!("❌ Failed: {n_bad}"));
    let mut push_named = |sign: &str, what: &str, labels: &[_]| {
        if !labels.is_empty() {
            let line = format!("{sign} {what}: {} ({})", labels.len(), names(labels, N_NAMES_MAX));
            page.toned(Tone::Caution, line);
        }
    };
    push_named("🛑", "Stopped between migrations", &summary.stopped);
    push_named("💤", "Not started", &summary.not_started);
    push_left_out(page, summary);
    // A signal that came when all was done has stopped nothing.
    if let Some(reason) = summary.stop_reason.filter(|_| summary.verdict() != Verdict::Succeeded) {
        let line = format!("🛑 Stopped early: {}", reason.as_str());
        page.toned(Tone::Caution, line);
    }
    page.blank();
}

/// Appends how many tenants were left out, and why; nothing where none was.
pub(super) fn push_left_out(page: &mut Page, summary: &Summary) {
    if let Some(left_out) = summary.coverage.left_out() {
        page.toned(Tone::Quiet, format_args!("⏭️  Left out: {left_out}"));
    }
}

/// What goes on where a run ended too early.
fn go_on(summary: &Summary) -> String {
    summary.go_on.as_deref().map_or_else(
        || "run again to go on".to_owned(),
        |command| format!("go on with: {}", visible(command)),
    )
}

/// Appends every failure: each reason, and what to do about it, once for all tenants that failed for it.
pub(super) fn push_failures(page: &mut Page, summary: &Summary) {
    if summary.failed.is_empty() {
        return;
    }
    page.line("What failed:\n");
    for (details, reasons) in by_reason(page.paint, &summary.failed) {
        for tenants in reasons {
            let (label, failure) = tenants[0];
            if tenants.len() == 1 {
                push_first_line(page, &title_and_database(label), failure);
                continue;
            }
            push_first_line(page, &counted(tenants.len(), "tenant"), failure);
            let labels: Vec<_> = tenants.iter().map(|(label, _)| label.clone()).collect();
            page.line(format_args!("   {}", names(&labels, N_NAMES_MAX)));
        }
        page.text.push_str(&details);
        page.blank();
    }
}

type Failed = (SharedLabel, Failure);

/// Tenants with the same details, and among these those with the same first line, in the order in which they failed.
///
/// Where a login is refused the first line names the account, which no two tenants share; what to do is the same.
fn by_reason(paint: Paint, failed: &[Failed]) -> Vec<(String, Vec<Vec<&Failed>>)> {
    let mut groups: Vec<(String, Vec<Vec<&Failed>>)> = Vec::new();
    let (mut by_details, mut by_line) = (HashMap::new(), HashMap::new());
    for tenant @ (_, failure) in failed {
        let mut details = Page::new(paint);
        push_details(&mut details, failure, &[]);
        let details = details.text;
        let group = *by_details.entry(details.clone()).or_insert_with(|| {
            groups.push((details, Vec::new()));
            groups.len() - 1
        });
        let reasons = &mut groups[group].1;
        let reason = *by_line.entry((group, failure.message.lines().next())).or_insert_with(|| {
            reasons.push(Vec::new());
            reasons.len() - 1
        });
        reasons[reason].push(tenant);
    }
    groups
}

fn push_verdict(page: &mut Page, words: Words, summary: &Summary) {
    let noun = words.noun;
    let (tone, line) = match summary.verdict() {
        Verdict::Succeeded => (Tone::Good, format!("🎉 All tenant {noun}s completed successfully!")),
        Verdict::Failed => {
            let (n_failed, n_tenants) = (summary.failed.len(), summary.n_tenants);
            let then = if summary.go_on.is_some() { format!("; {}", go_on(summary)) } else { String::new() };
            (Tone::Bad, format!("❌ {n_failed} of {n_tenants} tenant {noun}s failed{then}"))
        }
        Verdict::Stopped => {
            let n_open = summary.stopped.len() + summary.not_started.len();
            let open = counted(n_open, "tenant");
            (Tone::Caution, format!("🛑 Stopped before the end, {open} to go: {}", go_on(summary)))
        }
    };
    page.toned(tone, line);
}

/// Appends the verdict on one database, whose lines are right above.
pub(super) fn push_single_end(page: &mut Page, words: Words, summary: &Summary) {
    let title = words.title;
    let (tone, line) = match summary.verdict() {
        Verdict::Succeeded if summary.n_migrated == 0 => return,
        Verdict::Succeeded => (Tone::Good, format!("🎉 {title} completed successfully!")),
        Verdict::Failed => {
            let then = if summary.go_on.is_some() { format!("; {}", go_on(summary)) } else { String::new() };
            (Tone::Bad, format!("❌ {title} failed{then}"))
        }
        Verdict::Stopped => {
            let why = summary.stop_reason.map(|reason| format!(" ({})", reason.as_str())).unwrap_or_default();
            (Tone::Caution, format!("🛑 Stopped before the end{why}: {}", go_on(summary)))
        }
    };
    page.toned(tone, line);
}
