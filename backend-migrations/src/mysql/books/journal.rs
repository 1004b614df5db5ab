//! The journal's rows, made into what they say.

use crate::{
    history::{Progress, StatementDigest},
    migration::{Direction, Version},
};

/// Stands for a list of digests that is in the statements' table. A version of this tool that knows no such table can
/// read no list in it, and refuses what it finds half done.
pub(super) const IN_ROWS: &str = "+";

/// A row of `_backend_migrations_journal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// The migration's version.
    pub version: Version,
    /// `up` or `down`.
    pub direction: String,
    /// How many statements the script has.
    pub n_statements: usize,
    /// Where the list of finished statements is, or, as it was written before it had rows, that list.
    pub finished: String,
    /// The statement that runs, from 0, if a crash would leave doubt about it.
    pub running: Option<usize>,
    /// What the server said to it.
    pub error: Option<String>,
}

/// A row of `_backend_migrations_statements`: a statement that is finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRow {
    /// The migration's version.
    pub version: Version,
    /// `up` or `down`.
    pub direction: String,
    /// Which one, from 0.
    pub statement: usize,
    /// Its digest, in hexadecimal.
    pub digest: String,
}

/// What these rows say. A script of which they say nothing that can be read is left out: it is then unclear how far it
/// got, and refused.
pub fn progress(rows: &[JournalRow], statements: &[StatementRow]) -> Vec<Progress> {
    let one = |row: &JournalRow| {
        let direction = direction(&row.direction)?;
        let finished = if row.finished == IN_ROWS {
            let own =
                statements.iter().filter(|s| (s.version, &s.direction) == (row.version, &row.direction));
            // A gap must not pass for a shorter list: those statements would run again.
            let in_order =
                |(at, s): (usize, &StatementRow)| (s.statement == at).then(|| digest(&s.digest))?;
            own.enumerate().map(in_order).collect::<Option<Vec<_>>>()?
        } else {
            digests(&row.finished)?
        };
        // What is finished does not run, whatever the row said before.
        let running = row.running.filter(|running| *running >= finished.len());
        Some(Progress {
            version: row.version,
            direction,
            n_statements: row.n_statements,
            finished,
            running,
            error: row.error.clone(),
        })
    };
    rows.iter().filter_map(one).collect()
}

/// The direction that the journal's word stands for.
fn direction(word: &str) -> Option<Direction> {
    [Direction::Up, Direction::Down].into_iter().find(|direction| super::word(*direction) == word)
}

/// The list that a text stands for; `None` where it is none.
fn digests(text: &str) -> Option<Vec<StatementDigest>> {
    if text.is_empty() { Some(Vec::new()) } else { text.split(',').map(digest).collect() }
}

fn digest(word: &str) -> Option<StatementDigest> {
    // A word that was cut short is none.
    let is_whole = word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_whole.then(|| u64::from_str_radix(word, 16).ok().map(StatementDigest)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(finished: &str, running: Option<usize>) -> JournalRow {
        JournalRow {
            version: Version(1),
            direction: "up".into(),
            n_statements: 3,
            finished: finished.into(),
            running,
            error: None,
        }
    }

    fn statement(statement: usize, digest: &str) -> StatementRow {
        StatementRow { version: Version(1), direction: "up".into(), statement, digest: digest.into() }
    }

    const A: &str = "0123456789abcdef";
    const B: &str = "00000000000000ff";

    #[test]
    fn a_list_is_read_from_rows_and_from_the_text_that_came_before_them() {
        let both = [StatementDigest(0x0123_4567_89ab_cdef), StatementDigest(0xff)];
        for (row, rows) in [
            (row("+", Some(2)), vec![statement(0, A), statement(1, B)]),
            (row(&format!("{A},{B}"), Some(2)), Vec::new()),
        ] {
            let read = progress(&[row], &rows);
            assert_eq!(read[0].finished, both);
            assert_eq!(read[0].running, Some(2));
        }
        assert_eq!(progress(&[row("", None)], &[])[0].finished, []);
        assert_eq!(progress(&[row("+", None)], &[])[0].finished, []);
    }

    /// A statement that is finished does not run any more, should a crash have come between the two writes.
    #[test]
    fn what_is_finished_does_not_run() {
        assert_eq!(progress(&[row("+", Some(0))], &[statement(0, A)])[0].running, None);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for foreign in ["x", "0123,", "-1", "+1", "00000000000000001"] {
            assert_eq!(progress(&[row(foreign, None)], &[]), [], "{foreign}");
        }
        for gap in [vec![statement(1, A)], vec![statement(0, A), statement(2, B)], vec![statement(0, "x")]] {
            assert_eq!(progress(&[row("+", None)], &gap), [], "{gap:?}");
        }
        let sideways = JournalRow { direction: "sideways".into(), ..row("", None) };
        assert_eq!(progress(&[sideways], &[]), []);
    }
}
