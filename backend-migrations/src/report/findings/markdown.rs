//! For a job's summary page: a table of the migrations, then each finding to unfold.

use std::fmt::Write;

use super::{closing, excerpt::Excerpt, title};
use crate::{
    finding::{Finding, Inspected, Inspection, Review, Severity, Suite},
    report::text::{is_hidden, took, visible, visible_lines},
};

/// GitHub refuses a summary above 1 MiB; what would not fit is counted instead.
const BYTES_MAX: usize = 1_000_000;

/// `review` as GitHub's kind of Markdown.
pub fn markdown(review: &Review) -> String {
    let sign = if review.is_accepted() { "✅" } else { "❌" };
    let mut page = format!("## {sign} migrate:{}: {}\n", review.inspection.as_str(), closing(review));
    for suite in &review.suites {
        let is_told = |inspected: &&Inspected| {
            // A lint without findings has nothing to say of a migration.
            review.inspection == Inspection::Verify || !inspected.findings.is_empty()
        };
        let rows: Vec<_> = suite.migrations.iter().filter(is_told).map(row).collect();
        if rows.is_empty() && suite.findings.is_empty() {
            continue;
        }
        write!(page, "\n### {} ({})\n", prose(&title(suite)), took(suite.elapsed)).expect(INFALLIBLE);
        if !rows.is_empty() {
            page.push_str("\n| migration | time | cost | findings |\n|---|--:|---|---|\n");
            push_while_they_fit(&mut page, rows);
        }
        push_while_they_fit(&mut page, suite.findings().map(|finding| details(suite, finding)).collect());
    }
    page
}

const INFALLIBLE: &str = "a String takes everything";

fn push_while_they_fit(page: &mut String, parts: Vec<String>) {
    let n = parts.len();
    for (i, part) in parts.into_iter().enumerate() {
        if page.len() + part.len() > BYTES_MAX {
            write!(page, "\n… and {} more, which do not fit here.\n", n - i).expect(INFALLIBLE);
            return;
        }
        page.push_str(&part);
    }
}

fn row(inspected: &Inspected) -> String {
    let time = inspected.elapsed.map(took).unwrap_or_default();
    let costs = inspected.costs.iter().map(|cost| {
        let reason = cost.reason.as_deref().map(|reason| format!(" ({})", prose(reason))).unwrap_or_default();
        format!("line {}: {}{reason}", cost.line, cost.class)
    });
    let costs: Vec<_> = costs.collect();
    let mut codes: Vec<_> =
        inspected.findings.iter().map(|finding| (sign(finding.severity), finding.code.0)).collect();
    codes.dedup();
    let codes: Vec<_> = codes.into_iter().map(|(sign, code)| format!("{sign} {code}")).collect();
    let name = code_span(&inspected.file_name).replace('|', "\\|");
    format!("| {name} | {time} | {} | {} |\n", costs.join("<br>"), codes.join(", "))
}

fn details(suite: &Suite, finding: &Finding) -> String {
    let Finding { code, severity, at, message, notes, diff, hint, .. } = finding;
    let open = if *severity == Severity::Error { " open" } else { "" };
    let mut text =
        format!("\n<details{open}><summary>{} {code}: {}</summary>\n", sign(*severity), prose(message));
    if let Some(spot) = at {
        let excerpt = Excerpt::at(suite, spot);
        let line = excerpt.as_ref().map_or(spot.line, |excerpt| excerpt.line);
        let place = format!("{}:{line}", suite.path(&spot.file_name));
        write!(text, "\n{}\n", code_span(&place)).expect(INFALLIBLE);
        if let Some(excerpt) = excerpt {
            text.push_str(&fenced("sql", &excerpt.text));
        }
    }
    for note in notes {
        write!(text, "\n{}\n", prose(note)).expect(INFALLIBLE);
    }
    if let Some(diff) = diff {
        text.push_str(&fenced("diff", diff));
    }
    if let Some(hint) = hint {
        write!(text, "\n**hint:** {}\n", prose(hint)).expect(INFALLIBLE);
    }
    text.push_str("\n</details>\n");
    text
}

fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Note => "ℹ️",
    }
}

/// Text without markup: what Markdown or HTML would obey is escaped.
fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for (i, line) in text.lines().enumerate() {
        escaped.push_str(if i == 0 { "" } else { "<br>" });
        // Code in a message is marked as in Rust's own: between backticks, and stays so.
        let parts: Vec<_> = line.split('`').collect();
        for (j, part) in parts.iter().enumerate() {
            match (j % 2 == 1, j + 1 < parts.len()) {
                (true, true) => write!(escaped, "<code>{}</code>", html(part)).expect(INFALLIBLE),
                (true, false) => escaped.extend([&html("`"), &html(part)].map(String::as_str)),
                (false, _) => escaped.push_str(&html(part)),
            }
        }
    }
    escaped
}

/// Each character that means something in HTML, Markdown or a table as an entity: those are never markup.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_hidden(c) => escaped.extend(c.escape_unicode()),
            '<' | '>' | '&' | '|' | '*' | '_' | '[' | ']' | '`' | '\\' | '#' | '~' | '@' => {
                write!(escaped, "&#{};", u32::from(c)).expect(INFALLIBLE);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// One line of code.
fn code_span(text: &str) -> String {
    let text = visible(text);
    let fence = fence(&text, 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Lines of code.
fn fenced(language: &str, text: &str) -> String {
    let lines = visible_lines(text).collect::<Vec<_>>().join("\n");
    let fence = fence(&lines, 3);
    format!("\n{fence}{language}\n{lines}\n{fence}\n")
}

/// Backticks that `text` has not so many of in a row.
fn fence(text: &str, at_least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(if longest < at_least { at_least } else { longest + 1 })
}
