//! Why nothing may be done to a database as it is, in words.

use std::fmt;

use crate::{
    history::HistoryRow,
    migration::{Direction, LineEnds, Migration, Version},
};

/// A migration as an error names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its version.
    pub version: Version,
    /// The words of its file name, or what the history has.
    pub description: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.description)
    }
}

/// Why nothing may be done to a database as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Applied from a file with other bytes.
    Modified {
        /// The migration.
        migration: Named,
        /// The line ends that the file had then, where nothing else differs.
        line_ends: Option<LineEnds>,
    },
    /// Applied, and its file is gone.
    Missing(Named),
    /// The history has more than one row for it.
    Doubled(Named),
    /// Pending, and older than the newest migration that was applied or begun.
    OutOfOrder {
        /// The pending migration.
        pending: Named,
        /// The newest one in the history.
        newest: Version,
    },
    /// Started, not completed, and nobody recorded how far it got.
    Unclear {
        /// The migration.
        migration: Named,
        /// Which of its scripts ran.
        direction: Direction,
        /// The statement that was running, from 1, of how many; `None` where no record of ours exists.
        statement: Option<(usize, usize)>,
    },
    /// Half applied or half undone; it must be finished before anything in the other direction is begun.
    Unfinished {
        /// The migration.
        migration: Named,
        /// Which of its scripts stopped.
        direction: Direction,
        /// How many of its statements are committed, of how many.
        n_finished: usize,
        /// How many the script had.
        n_statements: usize,
        /// What the server said to the next one.
        error: Option<String>,
    },
    /// Half applied or undone, and a statement that is already in the database has been edited in the file since.
    StatementEdited {
        /// The migration.
        migration: Named,
        /// Which of its scripts stopped.
        direction: Direction,
        /// The file.
        file_name: String,
        /// The edited statement's line; the last line's where the file has fewer statements now.
        line: usize,
        /// The statement, from 1.
        statement: usize,
        /// How many statements are committed.
        n_finished: usize,
    },
    /// Half applied, and what a finished statement left for the later ones is gone with its connection.
    SessionGone {
        /// The migration.
        migration: Named,
        /// Which of its scripts stopped.
        direction: Direction,
        /// The file.
        file_name: String,
        /// That statement's line.
        line: usize,
        /// That statement, from 1.
        statement: usize,
        /// How many statements are committed, of how many.
        n_finished: usize,
        /// How many the script has.
        n_statements: usize,
    },
    /// No migration was ever applied, and the database has tables all the same: somebody else's, or those of a history that
    /// is not here.
    ExistingTables(ExistingTables),
    /// Pending, and the history's column `description` cannot hold the words of its file name.
    Unwritable {
        /// The migration.
        pending: Named,
        /// The column's character set, or what it will have.
        charset: String,
    },
    /// To be undone, and there is no `down`.
    NoDown(Named),
    /// To be undone, and its `.down.sql` has no statement: the history would say that it was undone, and nothing would be.
    EmptyDown(Named),
    /// The target version is in no file.
    UnknownTarget(Version),
    /// To be brought up to a version that is older than what is applied.
    TargetOlder {
        /// The target.
        target: Version,
        /// The newest applied version.
        newest: Version,
    },
    /// What would be undone is not what was shown before.
    Changed {
        /// The versions that were shown, newest first.
        shown: Vec<Version>,
        /// Those that would be undone now.
        found: Vec<Version>,
    },
}

/// The tables and views in a database without a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExistingTables {
    /// How many.
    pub n: usize,
    /// The first few of their names, in order.
    pub names: Vec<String>,
}

impl fmt::Display for ExistingTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tables, has) = if self.n == 1 { ("table", "is") } else { ("tables", "are") };
        let names: Vec<_> = self.names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
        write!(f, "there {has} {} {tables} in it ({}", self.n, names.join(", "))?;
        match self.n.saturating_sub(self.names.len()) {
            0 => f.write_str(")"),
            n => write!(f, " and {n} more)"),
        }
    }
}

/// Why nothing may be done to a database as it is: every reason at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PlanError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl PlanError {
    /// Whether a migration that another run may be working on right now is among the reasons.
    pub fn is_dirty(&self) -> bool {
        self.problems.iter().any(|p| {
            matches!(
                p,
                Problem::Unclear { .. }
                    | Problem::Unfinished { .. }
                    | Problem::StatementEdited { .. }
                    | Problem::SessionGone { .. }
            )
        })
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let mut hints: Vec<String> = Vec::new();
        for hint in self.problems.iter().map(Problem::hint) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        Some(hints.join("\n"))
    }
}

impl Migration {
    /// How an error calls it.
    pub fn named(&self) -> Named {
        Named { version: self.version, description: self.description.clone() }
    }
}

impl HistoryRow {
    /// How an error calls it.
    pub fn named(&self) -> Named {
        Named { version: self.version, description: self.description.clone() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Modified { migration, line_ends: None } => {
                write!(f, "modified: {migration} is applied, and its `.up.sql` has been edited since")
            }
            Self::Modified { migration, line_ends: Some(before) } => {
                let before = match before {
                    LineEnds::Lf => "LF",
                    LineEnds::CrLf => "CRLF",
                };
                write!(
                    f,
                    "modified: {migration} is applied, and its `.up.sql` has other line ends since; it had {before}, and nothing \
                     else differs"
                )
            }
            Self::Missing(m) => write!(f, "missing: {m} is in the history, and there is no file for it"),
            Self::Doubled(m) => write!(
                f,
                "doubled: {m} has more than one row in `_sqlx_migrations`, which has lost its primary key"
            ),
            Self::OutOfOrder { pending, newest } => {
                write!(f, "out of order: {pending} is pending, and {newest}, which is newer, ran before it")
            }
            Self::Unclear { migration, direction, statement: Some((index, total)) } => write!(
                f,
                "dirty: {migration} is half {}: it stopped in statement {index} of {total}, and whether that one is in \
                 the database is not known ({})",
                verb(*direction),
                match index {
                    1 => "none is before it".to_owned(),
                    2 => "statement 1 is".to_owned(),
                    index => format!("statements 1 to {} are", index - 1),
                }
            ),
            Self::SessionGone {
                migration,
                direction,
                file_name,
                line,
                statement,
                n_finished,
                n_statements,
            } => {
                write!(
                    f,
                    "dirty: {migration} is half {}, {n_finished} of {n_statements} statements; to go on is not safe: what \
                     statement {statement} at {file_name}:{line} left in its session (a variable, a prepared statement, a \
                     temporary table) is gone with the connection",
                    verb(*direction)
                )
            }
            Self::Unclear { migration, direction, statement: None } => write!(
                f,
                "dirty: {migration} was begun to be {} and not finished, and how far it got is not recorded",
                verb(*direction)
            ),
            Self::Unfinished { migration, direction, n_finished, n_statements, error } => {
                let verb = verb(*direction);
                write!(f, "dirty: {migration} is half {verb}, {n_finished} of {n_statements} statements")?;
                error.iter().try_for_each(|error| write!(f, "; the next one failed: {error}"))
            }
            Self::StatementEdited { migration, direction, file_name, line, statement, n_finished } => write!(
                f,
                "dirty: {migration} is half {}, with {} committed, and statement {statement} is no longer as it \
                 ran ({file_name}:{line})",
                verb(*direction),
                if *n_finished == 1 { "1 statement".to_owned() } else { format!("{n_finished} statements") },
            ),
            Self::ExistingTables(existing) => {
                write!(f, "not new: the database has no history of migrations, and {existing}")
            }
            Self::Unwritable { pending, charset } => write!(
                f,
                "unwritable name: {pending} cannot be recorded, since the history's column `description` has the character \
                 set {charset}"
            ),
            Self::NoDown(m) => write!(f, "no down: {m} has no `.down.sql`, so it cannot be undone"),
            Self::EmptyDown(m) => write!(
                f,
                "no down: the `.down.sql` of {m} has no statement, so it would be recorded as undone and nothing would change"
            ),
            Self::UnknownTarget(version) => write!(f, "unknown target: no file has version {version}"),
            Self::TargetOlder { target, newest } => {
                write!(f, "wrong target: {target} is older than {newest}, which is applied already")
            }
            Self::Changed { shown, found } => write!(
                f,
                "changed meanwhile: {} would be undone now, and not {}, as was shown",
                listed(found),
                listed(shown)
            ),
        }
    }
}

fn listed(versions: &[Version]) -> String {
    versions.iter().map(Version::to_string).collect::<Vec<_>>().join(", ")
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "applied",
        Direction::Down => "undone",
    }
}

impl Problem {
    /// What to do next.
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Modified { line_ends: None, .. } => {
                "restore the file as it was applied (`git log -- <file>`) and put the change into a new migration"
            }
            Self::Modified { line_ends: Some(LineEnds::Lf), .. } => {
                "put `*.sql text eol=lf` into `.gitattributes`, remove the file and take it from git again (`git checkout -- \
                 <file>`)"
            }
            Self::Modified { line_ends: Some(LineEnds::CrLf), .. } => {
                "the database has it as it was: put `<file> text eol=crlf` into `.gitattributes`, remove the file and take it \
                 from git again (`git checkout -- <file>`)"
            }
            Self::Missing(_) => {
                "bring the file back, or run the version of the program that has it: an older one may be running here"
            }
            Self::Doubled(_) => {
                "find out which row is true (`SELECT * FROM _sqlx_migrations`), delete the others, and then `ALTER TABLE \
                 _sqlx_migrations ADD PRIMARY KEY (version)`: without it nobody notices that a migration is applied twice"
            }
            Self::OutOfOrder { .. } => {
                "give the file a newer version, or pass `--allow-out-of-order` where the order does not matter"
            }
            Self::Unclear { .. } => {
                "`migrate:recover` finds out which of its statements are in the database, shows the ways on and goes one"
            }
            Self::SessionGone { .. } => "`migrate:recover` shows what is in the database, and can undo it",
            Self::Unfinished { migration, direction: Direction::Up, .. } => {
                return format!(
                    "finish {} first: mend the statement that failed and migrate to {0} or later",
                    migration.version
                );
            }
            Self::Unfinished { migration, direction: Direction::Down, .. } => {
                return format!(
                    "finish undoing {} first: `migrate:rollback` with `--to` an older version",
                    migration.version
                );
            }
            Self::StatementEdited { .. } => {
                "put that statement back as it ran, and edit only the statement that failed and those after it; or let \
                 `migrate:recover` compare the schema with the file"
            }
            Self::ExistingTables(_) => {
                "look whose tables they are, and whether this is the right database; a history that is kept elsewhere belongs \
                 into it as `_sqlx_migrations`; where every migration is meant to run beside these tables, \
                 `--allow-existing-tables` of `migrate:tenant`, `migrate:all-tenants` and `migrate:latest` says so"
            }
            Self::Unwritable { .. } => {
                "give the file a name in ASCII, unless a database has applied it already; or let the history hold every name: `ALTER \
                 TABLE _sqlx_migrations MODIFY description TEXT CHARACTER SET utf8mb4 NOT NULL`, or where there is no \
                 history yet, `ALTER DATABASE … CHARACTER SET utf8mb4`"
            }
            Self::NoDown(_) => "write the `.down.sql` beside the `.up.sql`; it may be added at any time",
            Self::EmptyDown(_) => {
                "write what undoes it; where nothing has to be done, say so in that file: `DO 0;`"
            }
            Self::UnknownTarget(_) => {
                "`migrate:status` with `--tenant` or `--central` lists the versions there are"
            }
            Self::TargetOlder { .. } => "to go back, use `migrate:rollback --to VERSION`",
            Self::Changed { .. } => {
                "another run was at work here; look with `migrate:status`, then roll back again: it shows anew what would be \
                 undone"
            }
        };
        hint.to_owned()
    }
}
