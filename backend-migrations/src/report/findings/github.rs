//! For GitHub's runners: workflow commands that become annotations of the lines of a pull request.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>; the escapes are those of
//! `@actions/core` (`packages/core/src/command.ts`), as the page does not have them.

use std::{fmt::Write, iter};

use super::{closing, excerpt::Excerpt};
use crate::{
    finding::{Finding, Review, Severity, Suite},
    report::text::visible_lines,
};

/// An annotation a finding, and at the end, for those who read the log, what the whole came to.
pub(super) fn github(review: &Review) -> String {
    let mut text = String::new();
    // A runner takes ten annotations of each kind a step: those of the set stand before those of single migrations.
    for suite in &review.suites {
        for finding in suite.findings() {
            writeln!(text, "{}", command(suite, finding)).expect("a String takes everything");
        }
    }
    text.push_str(&closing(review));
    text.push('\n');
    text
}

fn command(suite: &Suite, finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(spot) = &finding.at {
        properties.push(("file", suite.path(&spot.file_name)));
        match Excerpt::at(suite, spot) {
            Some(excerpt) => {
                properties.push(("line", excerpt.line.to_string()));
                properties.push(("endLine", excerpt.end_line.to_string()));
                // Columns of a span over several lines would be refused: they must be in one.
                if excerpt.line == excerpt.end_line {
                    properties.push(("col", excerpt.column.to_string()));
                    properties.push(("endColumn", excerpt.end_column.to_string()));
                }
            }
            None => properties.push(("line", spot.line.to_string())),
        }
    }
    let title = match &suite.server {
        Some(server) => format!("{} on {server}", finding.code),
        None => finding.code.to_string(),
    };
    properties.push(("title", title));
    let properties: Vec<_> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    format!("::{word} {}::{}", properties.join(","), data(&body(finding)))
}

fn body(finding: &Finding) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!("hint: {hint}"));
    let parts: Vec<_> = iter::once(&finding.message)
        .chain(&finding.notes)
        .chain(finding.diff.iter())
        .chain(hint.iter())
        .map(String::as_str)
        .collect();
    parts.join("\n")
}

fn data(text: &str) -> String {
    let lines: Vec<_> = visible_lines(text).map(|line| line.replace('%', "%25")).collect();
    lines.join("%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
