//! What a run came to, for people.

use super::{
    failure::push_failure,
    lines::Words,
    style::{Page, Tone},
    text::{counted, names, title_and_database},
};
use crate::{
    event::StopReason,
    summary::{Summary, Verdict},
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

/// Appends the summary of a run over the fleet, every failure once more, and the verdict as the last line.
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
    // A signal that came when all was done has stopped nothing.
    if let Some(reason) = summary.stop_reason.filter(|_| summary.verdict() != Verdict::Succeeded) {
        let line = format!("🛑 Stopped early: {}", reason.as_str());
        page.toned(Tone::Caution, line);
    }
    page.blank();
}

/// Appends every failure, in full.
pub(super) fn push_failures(page: &mut Page, summary: &Summary) {
    if summary.failed.is_empty() {
        return;
    }
    page.line("What failed:\n");
    for (label, failure) in &summary.failed {
        push_failure(page, &title_and_database(label), failure, &[]);
        page.blank();
    }
}

fn push_verdict(page: &mut Page, words: Words, summary: &Summary) {
    let noun = words.noun;
    let (tone, line) = match summary.verdict() {
        Verdict::Succeeded => (Tone::Good, format!("🎉 All tenant {noun}s completed successfully!")),
        Verdict::Failed => {
            let (n_failed, n_tenants) = (summary.failed.len(), summary.n_tenants);
            (Tone::Bad, format!("❌ {n_failed} of {n_tenants} tenant {noun}s failed"))
        }
        Verdict::Stopped => {
            let n_open = summary.stopped.len() + summary.not_started.len();
            let open = counted(n_open, "tenant");
            (Tone::Caution, format!("🛑 Stopped before the end, {open} to go: run again to go on"))
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
        Verdict::Failed => (Tone::Bad, format!("❌ {title} failed")),
        Verdict::Stopped => {
            let why = summary.stop_reason.map(|reason| format!(" ({})", reason.as_str())).unwrap_or_default();
            (Tone::Caution, format!("🛑 Stopped before the end{why}: run again to go on"))
        }
    };
    page.toned(tone, line);
}
