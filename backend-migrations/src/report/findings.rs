//! Tells what lint and verify found: to people, to programs, and to those who look at a pull request.
//!
//! Every format is a function of a [`Review`]: no clock, no environment, no file. What comes from files and servers passes
//! through [`visible`](super::visible), so that it cannot pass for a word of ours or of a terminal's.

mod excerpt;
mod github;
mod human;
mod json;
mod junit;
mod markdown;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod watch;

use std::io::{self, Write};

pub use self::{junit::junit, markdown::markdown, watch::Watch};
use super::{
    Screen,
    text::{counted, took},
};
use crate::finding::{Review, Severity, Suite};

/// The form of what goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingsFormat {
    /// For people, as rustc shows its own findings.
    Human,
    /// One JSON object a line, for programs.
    Json,
    /// Annotations of a pull request, as GitHub's runners read them from a log.
    GitHub,
}

/// Writes `review` to `out`, which leads to `screen`, in the form of `format`.
///
/// # Errors
///
/// What the writer says.
pub fn tell(review: &Review, format: FindingsFormat, screen: Screen, out: &mut impl Write) -> io::Result<()> {
    let text = match format {
        FindingsFormat::Human => human::human(review, screen),
        FindingsFormat::Json => json::json(review),
        FindingsFormat::GitHub => github::github(review),
    };
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// What a suite is about: `tenant on MySQL 8.4.6`.
fn title(suite: &Suite) -> String {
    match &suite.server {
        Some(server) => format!("{} on {server}", suite.set),
        None => suite.set.clone(),
    }
}

/// `2 errors, 1 warning`; nothing where nothing was found.
fn counts(review: &Review) -> Option<String> {
    let parts: Vec<_> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (review.count(severity), severity))
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| counted(n, severity.as_str()))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What the whole came to: `1 error in 12 migrations (1.2 s)`.
fn closing(review: &Review) -> String {
    let found = counts(review).unwrap_or_else(|| "nothing found".to_owned());
    let n_migrations = counted(review.n_migrations(), "migration");
    format!("{found} in {n_migrations} ({})", took(review.elapsed))
}
