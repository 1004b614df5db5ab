//! For what shows test results: a suite for each set and server, a case a migration.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{human, title};
use crate::{
    finding::{Finding, Review, Severity, Suite},
    report::{style::Paint, text::visible},
};

/// Writes `review` to `out` as a `JUnit` file.
///
/// A case fails if there is an error among its findings; its text has each of them, and its system-out the warnings and
/// notes. Findings about a set as a whole are a case of their own, which is there even if there are none.
///
/// # Errors
///
/// What the writer says.
pub fn junit(review: &Review, out: impl Write) -> io::Result<()> {
    let inspection = review.inspection.as_str();
    let mut report = Report::new(format!("migrate:{inspection}"));
    report.set_time(review.elapsed);
    for suite in &review.suites {
        let name = format!("migrate:{inspection} {}", visible(&title(suite)));
        let mut cases = TestSuite::new(&*name);
        cases.set_time(suite.elapsed);
        cases.add_test_case(case("the whole set", &name, suite, &suite.findings));
        for inspected in &suite.migrations {
            let mut case = case(&visible(&inspected.file_name), &name, suite, &inspected.findings);
            if let Some(elapsed) = inspected.elapsed {
                case.set_time(elapsed);
            }
            cases.add_test_case(case);
        }
        report.add_test_suite(cases);
    }
    report.serialize(out).map_err(io::Error::other)
}

fn case(name: &str, class: &str, suite: &Suite, findings: &[Finding]) -> TestCase {
    let (errors, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| finding.severity == Severity::Error);
    let text = |findings: &[&Finding]| {
        let texts = findings.iter().map(|finding| human::rendered(suite, finding, Paint { color: false }));
        XmlString::new(texts.collect::<Vec<_>>().join("\n\n"))
    };
    let status = match errors.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let messages: Vec<_> = errors
                .iter()
                .map(|finding| format!("{}: {}", finding.code, visible(&finding.message)))
                .collect();
            status.set_message(messages.join("; ")).set_type(first.code.0).set_description(text(&errors));
            status
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    if !others.is_empty() {
        case.set_system_out(text(&others));
    }
    case
}
