//! What a run came to, for people.

use super::{
    failure::push_failure,
    lines::Words,
    style::{Paint, Tone},
    text::{counted, names},
};
use crate::{
    event::StopReason,
    summary::{Summary, Verdict},
};

const RULE: &str = "============================================================";
/// A person reads a few names; a program has `--format json`.
const N_NAMES_MAX: usize = 10;

/// Appends that no more tenants are begun, and what becomes of those that are.
pub(super) fn push_stopping(out: &mut String, paint: Paint, reason: StopReason) {
    let then = match reason {
        StopReason::FailureBudget | StopReason::ReporterFailed => {
            "no more tenants are begun; those that are being worked on run to their end"
        }
        StopReason::Interrupted => {
            "statements in flight finish and are recorded; interrupt again to kill them"
        }
        StopReason::InterruptedTwice => "statements in flight are killed",
    };
    out.push_str(&paint.paint(Tone::Caution, format_args!("🛑 Stopping: {}; {then}", reason.as_str())));
    out.push_str("\n\n");
}

/// Appends the summary of a run over the fleet, every failure once more, and the verdict as the last line.
pub(super) fn push_summary(out: &mut String, paint: Paint, words: Words, summary: &Summary) {
    push_head(out, paint, words.title);
    push_counts(out, paint, summary);
    push_failures(out, paint, summary);
    push_verdict(out, paint, words, summary);
}

/// Appends the heading between its rules.
pub(super) fn push_head(out: &mut String, paint: Paint, title: &str) {
    let head = paint.paint(Tone::Strong, format_args!("📊 {title} Summary"));
    out.push_str(&format!("{RULE}\n{head}\n{RULE}\n"));
}

/// Appends the counts; those beyond the first two only where they are not zero.
pub(super) fn push_counts(out: &mut String, paint: Paint, summary: &Summary) {
    let (n_good, n_bad) = (summary.n_successful(), summary.failed.len());
    let bad_tone = if n_bad == 0 { Tone::Quiet } else { Tone::Bad };
    out.push_str(&paint.paint(Tone::Good, format_args!("✅ Successful: {n_good}")));
    out.push('\n');
    if summary.n_up_to_date > 0 && summary.n_up_to_date < n_good {
        out.push_str(&format!("   of these already up to date: {}\n", summary.n_up_to_date));
    }
    out.push_str(&paint.paint(bad_tone, format_args!("❌ Failed: {n_bad}")));
    out.push('\n');
    let mut push_named = |sign: &str, what: &str, labels: &[_]| {
        if !labels.is_empty() {
            let line = format!("{sign} {what}: {} ({})", labels.len(), names(labels, N_NAMES_MAX));
            out.push_str(&paint.paint(Tone::Caution, line));
            out.push('\n');
        }
    };
    push_named("🛑", "Stopped between migrations", &summary.stopped);
    push_named("💤", "Not started", &summary.not_started);
    if let Some(reason) = summary.stop_reason {
        let line = format!("🛑 Stopped early: {}", reason.as_str());
        out.push_str(&paint.paint(Tone::Caution, line));
        out.push('\n');
    }
    out.push('\n');
}

/// Appends every failure, in full.
pub(super) fn push_failures(out: &mut String, paint: Paint, summary: &Summary) {
    if summary.failed.is_empty() {
        return;
    }
    out.push_str("What failed:\n\n");
    for (label, failure) in &summary.failed {
        push_failure(out, paint, label, failure);
        out.push('\n');
    }
}

fn push_verdict(out: &mut String, paint: Paint, words: Words, summary: &Summary) {
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
    out.push_str(&paint.paint(tone, line));
    out.push('\n');
}

/// Appends the verdict on one database, whose lines are right above.
pub(super) fn push_single_end(out: &mut String, paint: Paint, words: Words, summary: &Summary) {
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
    out.push_str(&paint.paint(tone, line));
    out.push('\n');
}
