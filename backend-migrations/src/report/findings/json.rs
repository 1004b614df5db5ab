//! For programs: one JSON object a line. `docs/events.md` is its reference.

use std::time::Duration;

use serde::Serialize;

use super::excerpt::Excerpt;
use crate::{
    finding::{CostClass, Finding, Inspected, Review, Severity, StatementCost, Suite},
    report::json::{SCHEMA, to_line},
};

/// A line a migration that was looked at, each followed by its findings; those of the set come first.
pub(super) fn json(review: &Review) -> String {
    let mut text = String::new();
    for suite in &review.suites {
        for finding in &suite.findings {
            text.push_str(&to_line(&Line::finding(suite, finding)));
        }
        for inspected in &suite.migrations {
            text.push_str(&to_line(&Line::migration(suite, inspected)));
            for finding in &inspected.findings {
                text.push_str(&to_line(&Line::finding(suite, finding)));
            }
        }
    }
    text.push_str(&to_line(&Line::finished(review)));
    text
}

#[derive(Serialize)]
struct Line<'r> {
    schema: u32,
    #[serde(flatten)]
    body: Body<'r>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Body<'r> {
    MigrationInspected {
        set: &'r str,
        server: Option<&'r str>,
        version: String,
        file_name: &'r str,
        path: String,
        elapsed_ms: Option<f64>,
        costs: Vec<Cost<'r>>,
        n_findings: usize,
    },
    Finding {
        set: &'r str,
        server: Option<&'r str>,
        code: &'r str,
        severity: &'static str,
        version: Option<String>,
        spot: Option<Spot<'r>>,
        message: &'r str,
        notes: &'r [String],
        diff: Option<&'r str>,
        hint: Option<&'r str>,
    },
    InspectionFinished {
        inspection: &'static str,
        is_accepted: bool,
        n_migrations: usize,
        n_errors: usize,
        n_warnings: usize,
        n_notes: usize,
        elapsed_ms: f64,
    },
}

#[derive(Serialize)]
struct Cost<'r> {
    statement: usize,
    line: usize,
    class: &'static str,
    blocks_writes: bool,
    why: Option<&'r str>,
}

#[derive(Serialize)]
struct Spot<'r> {
    file_name: &'r str,
    path: String,
    line: usize,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

impl<'r> Line<'r> {
    fn of(body: Body<'r>) -> Self {
        Self { schema: SCHEMA, body }
    }

    fn migration(suite: &'r Suite, inspected: &'r Inspected) -> Self {
        Self::of(Body::MigrationInspected {
            set: &suite.set,
            server: suite.server.as_deref(),
            version: inspected.version.to_string(),
            file_name: &inspected.file_name,
            path: suite.path(&inspected.file_name),
            elapsed_ms: inspected.elapsed.map(ms),
            costs: inspected.costs.iter().map(Cost::of).collect(),
            n_findings: inspected.findings.len(),
        })
    }

    fn finding(suite: &'r Suite, finding: &'r Finding) -> Self {
        let spot = finding.at.as_ref().map(|spot| {
            let excerpt = Excerpt::at(suite, spot);
            Spot {
                file_name: &spot.file_name,
                path: suite.path(&spot.file_name),
                line: excerpt.as_ref().map_or(spot.line, |excerpt| excerpt.line),
                column: excerpt.as_ref().map(|excerpt| excerpt.column),
                end_line: excerpt.as_ref().map(|excerpt| excerpt.end_line),
                end_column: excerpt.as_ref().map(|excerpt| excerpt.end_column),
            }
        });
        Self::of(Body::Finding {
            set: &suite.set,
            server: suite.server.as_deref(),
            code: finding.code.0,
            severity: finding.severity.as_str(),
            version: finding.version.map(|version| version.to_string()),
            spot,
            message: &finding.message,
            notes: &finding.notes,
            diff: finding.diff.as_deref(),
            hint: finding.hint.as_deref(),
        })
    }

    fn finished(review: &'r Review) -> Self {
        Self::of(Body::InspectionFinished {
            inspection: review.inspection.as_str(),
            is_accepted: review.is_accepted(),
            n_migrations: review.n_migrations(),
            n_errors: review.count(Severity::Error),
            n_warnings: review.count(Severity::Warning),
            n_notes: review.count(Severity::Note),
            elapsed_ms: ms(review.elapsed),
        })
    }
}

impl<'r> Cost<'r> {
    fn of(cost: &'r StatementCost) -> Self {
        Self {
            statement: cost.statement,
            line: cost.line,
            class: class_word(cost.class),
            blocks_writes: cost.class.blocks_writes(),
            why: cost.reason.as_deref(),
        }
    }
}

fn class_word(class: CostClass) -> &'static str {
    match class {
        CostClass::Instant => "instant",
        CostClass::InPlace => "in-place",
        CostClass::Rebuild => "rebuild",
        CostClass::InPlaceBlocking => "in-place-blocking",
        CostClass::Copy => "copy",
    }
}

/// Milliseconds down to the microsecond.
fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}
