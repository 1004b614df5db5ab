//! A failure as a person is to read it: what, where, what is in the database now, what to do next.

use super::{
    style::{Paint, Tone},
    text::{counted, title, visible, visible_lines},
};
use crate::{
    event::{Failure, MigrationDone},
    tenant::Label,
};

/// Appends the whole of it, beginning with a line that names the tenant.
///
/// Every line after the first is indented, so that no foreign text can pass for a line of another tenant.
pub(super) fn push_failure(out: &mut String, paint: Paint, label: &Label, failure: &Failure) {
    let mut message = visible_lines(&failure.message);
    let first = message.next().unwrap_or_default();
    out.push_str(&paint.paint(Tone::Bad, format_args!("❌ {}: {first}", title(label))));
    out.push('\n');
    for line in message {
        push_line(out, &line);
    }
    if let Some(at) = &failure.at {
        let (file, line) = (visible(&at.file_name), at.line);
        push_line(out, &format!("at {file}:{line}, statement {} of {}", at.statement, at.n_statements));
    }
    if let Some(excerpt) = &failure.excerpt {
        push_line(out, &paint.paint(Tone::Quiet, format_args!("| {}", visible(excerpt))));
    }
    if let Some(state) = &failure.state {
        for line in visible_lines(state) {
            push_line(out, &format!("in the database now: {line}"));
        }
    }
    if let Some(hint) = &failure.hint {
        for line in visible_lines(hint) {
            push_line(out, &paint.paint(Tone::Caution, format_args!("hint: {line}")));
        }
    }
}

/// Appends the migrations that are complete, each on its line.
pub(super) fn push_done(out: &mut String, done: &[MigrationDone]) {
    for migration in done {
        push_line(out, &format!("- {}", visible(&migration.file_name)));
    }
}

/// Appends what was completed before a failure, if anything was.
pub(super) fn push_done_before(out: &mut String, done: &[MigrationDone]) {
    if !done.is_empty() {
        push_line(out, &format!("complete before it: {}", counted(done.len(), "migration")));
        push_done(out, done);
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str("   ");
    out.push_str(line);
    out.push('\n');
}
