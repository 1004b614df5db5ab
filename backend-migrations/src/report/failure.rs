//! A failure as a person is to read it: what, where, what is in the database now, what to do next.

use super::{
    style::{Page, Tone},
    text::{counted, visible, visible_lines},
};
use crate::event::{Failure, MigrationDone};

/// Appends the whole of it, beginning with a line that calls the tenant `name`; `done` is what was complete before.
///
/// Every line after the first is indented, so that no foreign text can pass for a line of another tenant.
pub(super) fn push_failure(page: &mut Page, name: &str, failure: &Failure, done: &[MigrationDone]) {
    let mut message = visible_lines(&failure.message);
    let first = message.next().unwrap_or_default();
    page.toned(Tone::Bad, format_args!("❌ {name}: {first}"));
    for line in message {
        page.line(format_args!("   {line}"));
    }
    if let Some(at) = &failure.at {
        let (file, line) = (visible(&at.file_name), at.line);
        page.line(format_args!("   at {file}:{line}, statement {} of {}", at.statement, at.n_statements));
    }
    if let Some(excerpt) = &failure.excerpt {
        page.toned(Tone::Quiet, format_args!("   | {}", visible(excerpt)));
    }
    if let Some(state) = &failure.state {
        for line in visible_lines(state) {
            page.line(format_args!("   in the database: {line}"));
        }
    }
    push_done_before(page, done);
    if let Some(hint) = &failure.hint {
        for line in visible_lines(hint) {
            page.toned(Tone::Caution, format_args!("   hint: {line}"));
        }
    }
}

/// Appends the migrations that are complete, each on its line.
pub(super) fn push_done(page: &mut Page, done: &[MigrationDone]) {
    for migration in done {
        page.line(format_args!("   - {}", visible(&migration.file_name)));
    }
}

/// Appends what was completed before a failure, if anything was.
pub(super) fn push_done_before(page: &mut Page, done: &[MigrationDone]) {
    if !done.is_empty() {
        page.line(format_args!("   complete before it: {}", counted(done.len(), "migration")));
        push_done(page, done);
    }
}
