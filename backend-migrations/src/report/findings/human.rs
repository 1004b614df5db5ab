//! For people: a line a migration where something was run, and each finding as rustc shows its own.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{closing, excerpt::Excerpt, title};
use crate::{
    finding::{CostClass, Finding, Inspected, Inspection, Review, Severity, Suite},
    report::{
        Screen,
        style::{Page, Paint, Tone},
        text::{columns, counted, padded, took, visible, visible_lines},
    },
};

/// A longer file name would leave no room for what is said of it.
const NAME_COLUMNS_MAX: usize = 60;

/// All of it.
pub(super) fn human(review: &Review, screen: Screen) -> String {
    let mut page = Page::new(Paint { color: screen.color });
    for suite in &review.suites {
        if review.inspection == Inspection::Verify {
            let heading = format!("🔬 {} ({})", visible(&title(suite)), took(suite.elapsed));
            page.toned(Tone::Strong, heading);
            let names = suite.migrations.iter().map(|inspected| columns(&visible(&inspected.file_name)));
            let width = names.max().unwrap_or(0).min(NAME_COLUMNS_MAX);
            for inspected in &suite.migrations {
                push_migration(&mut page, inspected, width);
            }
            page.blank();
        }
        for finding in suite.findings() {
            page.line(rendered(suite, finding, page.paint));
            page.blank();
        }
    }
    let sign = match (review.is_accepted(), review.count(Severity::Warning)) {
        (false, _) => ("❌", Tone::Bad),
        (true, 0) => ("✅", Tone::Good),
        (true, _) => ("⚠️ ", Tone::Caution),
    };
    page.toned(sign.1, format_args!("{} {}", sign.0, closing(review)));
    page.text
}

fn push_migration(page: &mut Page, inspected: &Inspected, width: usize) {
    let worst = inspected.findings.iter().map(|finding| finding.severity).max();
    let sign = match worst {
        Some(Severity::Error) => "❌",
        Some(Severity::Warning) => "⚠️ ",
        Some(Severity::Note) | None => "✅",
    };
    let mut parts = vec![padded(&visible(&inspected.file_name), width)];
    parts.extend(inspected.elapsed.map(|elapsed| format!("{:>6}", took(elapsed))));
    if let Some(cost) = inspected.costs.iter().map(|cost| cost.class).max() {
        let tone = if cost >= CostClass::Rebuild { Tone::Caution } else { Tone::Quiet };
        parts.push(page.paint.paint(tone, cost));
    }
    if !inspected.findings.is_empty() {
        parts.push(counted(inspected.findings.len(), "finding"));
    }
    page.line(format_args!("   {sign} {}", parts.join("  ").trim_end()));
}

/// One finding, with its place, the lines it is about, and what there is to know.
pub(super) fn rendered(suite: &Suite, finding: &Finding, paint: Paint) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(visible(&finding.message)).id(finding.code.0);
    let mut elements: Vec<Element<'_>> = Vec::new();
    let excerpt = finding.at.as_ref().and_then(|spot| Excerpt::at(suite, spot));
    let path = finding.at.as_ref().map(|spot| visible(&suite.path(&spot.file_name)).into_owned());
    match (&finding.at, path, excerpt) {
        (_, Some(path), Some(excerpt)) => {
            let mark = AnnotationKind::Primary.span(excerpt.span);
            let snippet = Snippet::source(excerpt.text).line_start(excerpt.line).path(path).annotation(mark);
            elements.push(snippet.into());
        }
        (Some(spot), Some(path), None) => elements.push(Origin::path(path).line(spot.line).into()),
        _ => {}
    }
    if let Some(server) = &suite.server {
        elements.push(Level::NOTE.message(format!("on {}", visible(server))).into());
    }
    let note = |text: &String| Level::NOTE.message(lines(text)).into();
    elements.extend(finding.notes.iter().map(note));
    if let Some(diff) = &finding.diff {
        let lines: Vec<_> = visible_lines(diff).map(|line| paint_diff(&line, paint)).collect();
        elements.push(Level::NOTE.with_name("diff").message(lines.join("\n")).into());
    }
    if let Some(hint) = &finding.hint {
        elements.push(Level::HELP.with_name("hint").message(lines(hint)).into());
    }
    let renderer = if paint.color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    renderer.render(&[Group::with_title(title).elements(elements)])
}

/// A line of a difference in the colour of its sign.
fn paint_diff(line: &str, paint: Paint) -> String {
    match line.chars().next() {
        Some('+') => paint.paint(Tone::Good, line),
        Some('-') => paint.paint(Tone::Bad, line),
        _ => line.to_owned(),
    }
}

fn lines(text: &str) -> String {
    visible_lines(text).collect::<Vec<_>>().join("\n")
}
