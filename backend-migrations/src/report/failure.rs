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
    push_first_line(page, name, failure);
    push_details(page, failure, done);
}

/// Appends what failed and where, for a run that tells the rest at its end.
pub(super) fn push_failure_briefly(page: &mut Page, name: &str, failure: &Failure, done: &[MigrationDone]) {
    push_first_line(page, name, failure);
    push_place(page, failure);
    push_done_before(page, done);
}

/// Appends all but the first line: what tenants that failed for the same reason have in common.
pub(super) fn push_details(page: &mut Page, failure: &Failure, done: &[MigrationDone]) {
    for line in visible_lines(&failure.message).skip(1) {
        page.line(format_args!("   {line}"));
    }
    push_place(page, failure);
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

/// Appends the first line, for `name`: a tenant, or how many.
pub(super) fn push_first_line(page: &mut Page, name: &str, failure: &Failure) {
    let first = visible_lines(&failure.message).next().unwrap_or_default();
    page.toned(Tone::Bad, format_args!("❌ {name}: {first}"));
}

fn push_place(page: &mut Page, failure: &Failure) {
    if let Some(at) = &failure.at {
        let (file, line) = (visible(&at.file_name), at.line);
        page.line(format_args!("   at {file}:{line}, statement {} of {}", at.statement, at.n_statements));
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
