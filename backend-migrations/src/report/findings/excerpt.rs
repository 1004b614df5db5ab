//! The lines of a file that a finding is about.

use std::ops::Range;

use crate::{
    finding::{Spot, Suite},
    report::text::visible_lines,
    sql::with_passwords_masked,
};

/// The lines that a span touches, fit to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The first line's number, from 1.
    pub(super) line: usize,
    /// The last one's.
    pub(super) end_line: usize,
    /// The span's first character in its line, from 1.
    pub(super) column: usize,
    /// The character behind the span's last one in that one's line, from 1.
    pub(super) end_column: usize,
    /// The lines, with what a terminal would obey written out.
    pub(super) text: String,
    /// The span's bytes in `text`.
    pub(super) span: Range<usize>,
}

impl Excerpt {
    /// The lines around `span` of `source`; `None` for a span that is not of this text.
    pub(super) fn of(source: &str, span: &Range<usize>) -> Option<Self> {
        let marked = source.get(span.clone())?;
        let start = span.start + (marked.len() - marked.trim_start().len());
        let end = (span.start + marked.trim_end().len()).max(start);
        let first = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = source[end..].find('\n').map_or(source.len(), |at| end + at);
        let (before, marked, after) = (&source[first..start], &source[start..end], &source[end..last]);
        let line = source[..first].matches('\n').count() + 1;
        let last_line_start = source[..end].rfind('\n').map_or(0, |at| at + 1);
        let shown = [before, marked, after.trim_end()].map(escaped);
        let (from, to) = (shown[0].len(), shown[0].len() + shown[1].len());
        Some(Self {
            line,
            end_line: line + marked.matches('\n').count(),
            column: before.chars().count() + 1,
            end_column: source[last_line_start..end].chars().count() + 1,
            text: shown.concat(),
            span: from..to,
        })
    }

    /// The lines that `spot` is about, if it names more than a line and its file is known.
    pub(super) fn at(suite: &Suite, spot: &Spot) -> Option<Self> {
        // Masked, not shortened: the span is of the file's bytes.
        Self::of(&with_passwords_masked(&suite.sources.get(&spot.file_name)?.text), spot.span.as_ref()?)
    }
}

fn escaped(text: &str) -> String {
    visible_lines(text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_around_a_span() {
        let source = "-- one\r\nALTER TABLE t\r\n  ADD COLUMN é INT;\nSELECT 1";
        for (marked, place, text) in [
            ("ADD COLUMN", (3, 3, 3, 13), "  ADD COLUMN é INT;"),
            ("INT", (3, 16, 3, 19), "  ADD COLUMN é INT;"),
            ("TABLE t\r\n  ADD", (2, 7, 3, 6), "ALTER TABLE t\n  ADD COLUMN é INT;"),
            (" INT;\n", (3, 16, 3, 20), "  ADD COLUMN é INT;"),
            ("SELECT 1", (4, 1, 4, 9), "SELECT 1"),
        ] {
            let start = source.find(marked).expect("it is there");
            let excerpt = Excerpt::of(source, &(start..start + marked.len())).expect("a span of it");
            let Excerpt { line, column, end_line, end_column, .. } = excerpt;
            assert_eq!((line, column, end_line, end_column), place, "{marked:?}");
            assert_eq!(excerpt.text, text, "{marked:?}");
            assert_eq!(excerpt.text[excerpt.span], marked.replace('\r', "").trim().to_owned());
        }
    }

    #[test]
    fn what_a_terminal_would_obey_moves_the_span() {
        let source = "/*\u{1b}[2J*/ DROP TABLE t";
        let start = source.find("DROP").expect("it is there");
        let excerpt = Excerpt::of(source, &(start..source.len())).expect("a span of it");
        assert_eq!(excerpt.text, "/*\\u{1b}[2J*/ DROP TABLE t");
        assert_eq!(&excerpt.text[excerpt.span], "DROP TABLE t");
    }

    #[test]
    fn a_span_of_another_text_is_none() {
        assert_eq!(Excerpt::of("é", &(1..2)), None);
        assert_eq!(Excerpt::of("abc", &(2..9)), None);
        assert!(Excerpt::of("", &(0..0)).is_some());
        assert!(Excerpt::of("a\n", &(2..2)).is_some());
    }
}
