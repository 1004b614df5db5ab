//! Which way a statement goes into the database, and so what is known of it after a failure.

use crate::{
    history::{History, Untransacted},
    migration::{Direction, Opacity, Script, Statement, StatementKind},
    plan::{Plan, Step},
};

/// Which way a statement goes into the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It commits together with the record of it, and a rollback leaves nothing of it.
    Together,
    /// It commits by itself, and is all or nothing.
    Atomic,
    /// It writes rows, some of which no rollback may bring back: it runs in a transaction of its own, between two records.
    Alone,
    /// It may have done any part of its work.
    Doubtful(Opacity),
}

impl Course {
    /// Whether a crash while it runs would leave doubt, so that the journal has to say before that it runs.
    pub(super) fn leaves_doubt(self) -> bool {
        self != Self::Together
    }
}

/// The course of each statement of each script of `plan`, in a database whose tables are as `untransacted` says when the
/// first of them begins. What the scripts themselves make is seen by their text.
pub(super) fn courses(plan: &Plan, untransacted: &Untransacted) -> Vec<Vec<Course>> {
    let mut makes_such = false;
    let mut course = |statement: &Statement| {
        let names_such = || untransacted.names.iter().any(|name| mentions(&statement.text, name));
        match statement.kind {
            StatementKind::Dml if makes_such || names_such() => Course::Alone,
            StatementKind::Dml => Course::Together,
            StatementKind::Session => {
                makes_such = makes_such || names_engine(&statement.text);
                Course::Together
            }
            kind => {
                // By its engine, as a copy, as a view, as a trigger that writes there.
                makes_such = makes_such
                    || names_engine(&statement.text)
                    || (untransacted.is_default && makes_table(&statement.text))
                    || names_such();
                match kind {
                    StatementKind::Opaque(opacity) => Course::Doubtful(opacity),
                    _ => Course::Atomic,
                }
            }
        }
    };
    plan.steps.iter().map(|step| step.script().statements.iter().map(&mut course).collect()).collect()
}

/// Whether any script of `plan` writes rows.
pub(super) fn writes_rows(plan: &Plan) -> bool {
    let writes = |script: &Script| script.statements.iter().any(|s| s.kind == StatementKind::Dml);
    plan.steps.iter().any(|step| writes(step.script()))
}

/// Whether `name` stands in `text` as a word of its own, in quotes or without. In a string or a comment it counts as well:
/// to be careful once too often costs two round trips.
fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    text.match_indices(&name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// Whether an engine is named that is not InnoDB, for a table or as the default.
fn names_engine(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let words: Vec<_> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    words.windows(2).any(|pair| pair[0].ends_with("ENGINE") && pair[1] != "INNODB")
}

fn makes_table(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    text.starts_with("CREATE") && text.contains("TABLE") && !text.contains("ENGINE")
}

/// Whether a crash in the middle of this step would leave a state that the history row alone cannot tell.
pub(super) fn needs_journal(step: &Step, courses: &[Course], history: &History) -> bool {
    // A row that was only declared applied has no time, by which a begun undoing is told from a begun apply.
    let is_timeless = || history.row(step.migration.version).is_some_and(|row| row.execution_time_ns < 0);
    let is_undoing_unknown = step.direction == Direction::Down && is_timeless();
    let is_one_transaction = courses.iter().all(|course| *course == Course::Together);
    // A file that was cut down to one statement since it stopped still has its row.
    step.is_resume
        || (!is_one_transaction
            && (courses.len() > 1 || courses.contains(&Course::Alone) || is_undoing_unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_of_its_own() {
        for text in [
            "UPDATE log SET n = 1",
            "INSERT INTO `Log` VALUES (1)",
            "DELETE FROM a USING a, x.log",
            "TABLE log",
        ] {
            assert!(mentions(text, "log"), "{text}");
        }
        for text in ["UPDATE logs SET n = 1", "UPDATE blog SET n = 1", "UPDATE log_2 SET n = 1"] {
            assert!(!mentions(text, "log"), "{text}");
        }
        assert!(mentions("INSERT INTO `my-log` VALUES (1)", "my-log"));
    }

    #[test]
    fn an_engine_is_seen() {
        for text in [
            "CREATE TABLE t (a INT) ENGINE=MyISAM",
            "ALTER TABLE t engine = Aria",
            "SET default_storage_engine='MEMORY'",
        ] {
            assert!(names_engine(text), "{text}");
        }
        for text in ["CREATE TABLE t (a INT)", "CREATE TABLE t (a INT) ENGINE = InnoDB"] {
            assert!(!names_engine(text), "{text}");
        }
    }
}
