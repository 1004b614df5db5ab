//! What each format says of hand-made reviews.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use super::{FindingsFormat, markdown, samples::*, tell};
use crate::{finding::Review, report::Screen};

const COLORS: Screen = Screen { is_terminal: true, color: true };

fn told(review: &Review, format: FindingsFormat, screen: Screen) -> String {
    let mut out = Vec::new();
    tell(review, format, screen, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn junit(review: &Review) -> String {
    let mut out = Vec::new();
    super::junit(review, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn human(review: &Review) -> String {
    told(review, FindingsFormat::Human, Screen::FILE)
}

#[test]
fn people_read_of_a_lint() {
    assert_snapshot!("human_lint", human(&lint()));
}

#[test]
fn people_read_of_a_verify() {
    assert_snapshot!("human_verify", human(&verify()));
}

#[test]
fn nothing_found_is_one_line() {
    assert_snapshot!(human(&nothing()), @"✅ nothing found in 1 migration (900 µs)");
}

#[test]
fn colours_change_no_word() {
    for review in [lint(), verify()] {
        let text = told(&review, FindingsFormat::Human, COLORS);
        let plain = console::strip_ansi_codes(&text).into_owned();
        assert_ne!(text, plain);
        assert_eq!(trimmed(&plain), trimmed(&human(&review)));
    }
    let text = told(&verify(), FindingsFormat::Human, COLORS).replace('\u{1b}', "␛");
    let diff: Vec<_> = text.lines().filter(|line| line.contains("varchar(200)")).collect();
    assert_snapshot!(diff.join("\n"), @r"
    ␛[31m-  `note` varchar(200) DEFAULT NULL␛[0m
    ␛[32m+  `note` varchar(200)␛[0m
    ");
}

/// Colours end behind the spaces that a plain text has not.
fn trimmed(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

#[test]
fn programs_read_lines() {
    assert_snapshot!("json_lint", told(&lint(), FindingsFormat::Json, Screen::FILE));
    assert_snapshot!("json_verify", told(&verify(), FindingsFormat::Json, Screen::FILE));
}

#[test]
fn runners_read_commands() {
    assert_snapshot!("github_lint", told(&lint(), FindingsFormat::GitHub, Screen::FILE));
    assert_snapshot!("github_verify", told(&verify(), FindingsFormat::GitHub, Screen::FILE));
}

#[test]
fn test_results() {
    assert_snapshot!("junit_lint", junit(&lint()));
    assert_snapshot!("junit_verify", junit(&verify()));
}

#[test]
fn a_summary_page() {
    assert_snapshot!("markdown_lint", markdown(&lint()));
    assert_snapshot!("markdown_verify", markdown(&verify()));
    assert_snapshot!(markdown(&nothing()), @"## ✅ migrate:lint: nothing found in 1 migration (900 µs)");
}

#[test]
fn what_comes_from_outside_stays_what_it_is() {
    let review = hostile();
    let text = human(&review);
    let json = told(&review, FindingsFormat::Json, Screen::FILE);
    let github = told(&review, FindingsFormat::GitHub, Screen::FILE);
    let (junit, markdown) = (junit(&review), markdown(&review));
    for text in [&text, &json, &github, &junit, &markdown] {
        assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{text:?}");
    }
    let n_commands = github.lines().filter(|line| line.starts_with("::")).count();
    assert_eq!(n_commands, 1, "{github}");
    assert_eq!(markdown.matches("</details>").count(), 1, "{markdown}");
    assert_eq!(markdown.lines().filter(|line| line.starts_with("````")).count(), 2, "{markdown}");
    assert_snapshot!("hostile_human", text);
    assert_snapshot!("hostile_github", github);
    assert_snapshot!("hostile_junit", junit);
    assert_snapshot!("hostile_markdown", markdown);
    let line: Value = serde_json::from_str(json.lines().nth(1).expect("a second line")).expect("JSON");
    assert_eq!(line["message"], review.findings().next().expect("one").message);
}

#[test]
fn a_summary_page_keeps_to_its_limit() {
    let mut review = lint();
    let suite = &mut review.suites[0];
    let finding = suite.findings[0].clone();
    suite.findings = std::iter::repeat_n(finding, 20_000).collect();
    let text = markdown(&review);
    assert!(text.len() < 1 << 20, "{} bytes", text.len());
    assert!(text.trim_end().ends_with("which do not fit here."), "{}", &text[text.len() - 200..]);
}

/// The reference names every event, field and word that is ever written.
#[test]
fn the_reference_is_complete() {
    let reference = include_str!("../../../../docs/events.md");
    let mut words = BTreeSet::new();
    for line in
        [lint(), verify()].map(|review| told(&review, FindingsFormat::Json, Screen::FILE)).concat().lines()
    {
        collect(&serde_json::from_str(line).expect("every line is JSON"), &mut words);
    }
    let absent: Vec<_> = words.iter().filter(|word| !reference.contains(&format!("`{word}`"))).collect();
    assert!(absent.is_empty(), "docs/events.md says nothing of {absent:?}");
}

fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                words.insert(key.clone());
                if let ("event" | "inspection" | "severity" | "class", Value::String(word)) =
                    (key.as_str(), value)
                {
                    words.insert(word.clone());
                }
                collect(value, words);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}
