//! Text that may come from anywhere, made fit to print.

use std::{borrow::Cow, fmt::Write, time::Duration};

use crate::{
    migration::Statement,
    tenant::{Label, SharedLabel},
};

/// One line of foreign text: everything a terminal would obey, and everything that hides or reorders what is read, is
/// written out as `\u{1b}`.
///
/// Names, messages of servers and SQL come from databases and files; all of it passes through here.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Several lines of foreign text: as [`visible`], except that line ends and tabs are kept.
pub(super) fn visible_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(|line| escaped(line, |c| c != '\t' && is_hidden(c)))
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and the format characters that reorder or hide text (Unicode 16, section 23.2 and table 4-1's
/// category Cf) except the joiners, without which emoji and some scripts fall apart.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// More of a statement than this is read in its file: a dry run of 10 MB of rows is not to print 10 MB.
const STATEMENT_BYTES_MAX: usize = 4_000;
/// As much of a file's statements is shown in all.
const SCRIPT_BYTES_MAX: usize = 64_000;

/// The beginning of a statement that is long, and how many bytes of it are left out.
pub(super) struct Shortened<'t> {
    pub(super) text: &'t str,
    pub(super) n_left_out: usize,
}

/// What is shown of a script's statements: each one, shortened, and how many statements and bytes at its end are left out.
pub(super) fn shortened(statements: &[Statement]) -> (Vec<(&Statement, Shortened<'_>)>, usize, usize) {
    let mut n_bytes = 0;
    let mut shown = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        let text = statement.text.as_str();
        let end = if text.len() > STATEMENT_BYTES_MAX {
            text.floor_char_boundary(STATEMENT_BYTES_MAX)
        } else {
            text.len()
        };
        n_bytes += end;
        if n_bytes > SCRIPT_BYTES_MAX {
            let rest = &statements[at..];
            return (shown, rest.len(), rest.iter().map(|statement| statement.text.len()).sum());
        }
        shown.push((statement, Shortened { text: &text[..end], n_left_out: text.len() - end }));
    }
    (shown, 0, 0)
}

/// How a database is called in a sentence.
pub(super) fn title(label: &Label) -> Cow<'_, str> {
    match (&label.id, label.name.is_empty()) {
        (None, _) => Cow::Borrowed("Central database"),
        (Some(_), true) => visible(&label.slug),
        (Some(_), false) => visible(&label.name),
    }
}

/// How a database is called where it must not be mistaken for another: with its own name.
pub(super) fn title_and_database(label: &Label) -> String {
    format!("{} ({})", title(label), visible(&label.database))
}

/// The first few of many names.
pub(super) fn names(labels: &[SharedLabel], most: usize) -> String {
    let mut text = String::new();
    for (i, label) in labels.iter().take(most).enumerate() {
        text.push_str(if i == 0 { "" } else { ", " });
        text.push_str(&title(label));
    }
    if labels.len() > most {
        write!(text, " and {} more", labels.len() - most).expect("a String takes everything");
    }
    text
}

/// `1 tenant`, `2 tenants`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A time span as people say it.
pub(super) fn took(span: Duration) -> String {
    let (s, ms) = (span.as_secs(), span.subsec_millis());
    match s {
        0 if ms == 0 && !span.is_zero() => format!("{} µs", span.subsec_micros()),
        0 => format!("{ms} ms"),
        1..10 => format!("{s}.{} s", ms / 100),
        10..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// A time span that goes on: whole seconds, for a tenth of one would only flicker.
pub(super) fn waited(s: u64) -> String {
    if s < 60 { format!("{s} s") } else { took(Duration::from_secs(s)) }
}

/// `text` with spaces after it up to `width` columns of a terminal; cut with `…` where it is wider.
pub(super) fn padded(text: &str, width: usize) -> String {
    let text = console::truncate_str(text, width, "…");
    let n_spaces = width.saturating_sub(columns(&text));
    format!("{text}{}", " ".repeat(n_spaces))
}

/// How many columns of a terminal `text` takes.
pub(super) fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// Where a script is taken up that does not begin at its beginning.
pub(super) fn resuming(file_name: &str, n_finished: usize, n_statements: usize) -> String {
    let file_name = visible(file_name);
    if n_finished >= n_statements {
        // What failed last was taken out of the file.
        return format!(
            "{file_name}: all statements are in the database already; only the record is missing"
        );
    }
    format!("{file_name}: resuming at statement {} of {n_statements}", n_finished + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        for (text, shown) in [
            ("Acme Corp", "Acme Corp"),
            ("Zoë & 株式会社 👩‍🚀", "Zoë & 株式会社 👩‍🚀"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("two\nlines\r", "two\\u{a}lines\\u{d}"),
            ("bell\u{7}del\u{7f}csi\u{9b}2J", "bell\\u{7}del\\u{7f}csi\\u{9b}2J"),
            ("abc\u{202e}fed", "abc\\u{202e}fed"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
        ] {
            assert_eq!(visible(text), shown);
        }
        let lines: Vec<_> = visible_lines("SELECT\t1\r\nFROM \u{1b}t").collect();
        assert_eq!(lines, ["SELECT\t1", "FROM \\u{1b}t"]);
    }

    #[test]
    fn spans_are_said_in_two_figures_or_so() {
        for (ms, words) in [
            (0, "0 ms"),
            (12, "12 ms"),
            (1_250, "1.2 s"),
            (59_999, "59 s"),
            (60_000, "1 min 00 s"),
            (3_661_000, "1 h 01 min"),
        ] {
            assert_eq!(took(Duration::from_millis(ms)), words);
        }
        assert_eq!(took(Duration::from_micros(420)), "420 µs");
    }

    #[test]
    fn wide_characters_count_twice_and_long_text_is_cut() {
        assert_eq!(padded("株式", 6), "株式  ");
        assert_eq!(padded("abcdef", 4), "abc…");
    }
}
