//! What a database is to the executor: rows and tables, a history, a journal, a lock.

use backend_migrations::{
    history::{History, HistoryRow, Progress},
    migration::{Direction, Version},
    session::{JournalEntry, Record, SessionError},
};

/// What is committed, or would be if the open transaction were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The statements whose effect is here, in order. One that a failure left half done has ` (half)` after it.
    pub(crate) effects: Vec<String>,
    /// `_sqlx_migrations`, if it exists.
    pub(crate) rows: Option<Vec<HistoryRow>>,
    /// The journal, if it exists.
    pub(crate) journal: Option<Vec<Progress>>,
}

impl State {
    /// What a session reads of it.
    pub(crate) fn history(&self) -> History {
        History {
            rows: self.rows.clone().unwrap_or_default(),
            progress: self.journal.clone().unwrap_or_default(),
            has_table: self.rows.is_some(),
            has_journal: self.journal.is_some(),
            is_brief: false,
        }
    }

    /// Without what differs between two runs that did the same: how long they took.
    pub(crate) fn timeless(mut self) -> Self {
        for row in self.rows.iter_mut().flatten() {
            row.execution_time_ns = row.execution_time_ns.min(0);
        }
        self
    }

    /// Does what one statement of a record does to the tables.
    pub(crate) fn write(&mut self, op: &Op) -> Result<(), SessionError> {
        let rows = self.rows.as_mut().ok_or_else(|| server(1146, "no `_sqlx_migrations`"));
        let journal = self.journal.as_mut().ok_or_else(|| server(1146, "no `_backend_migrations_journal`"));
        let is_same = |a: &Progress, b: &Progress| (a.version, a.direction) == (b.version, b.direction);
        match op {
            Op::InsertRow(row) => {
                let rows = rows?;
                if rows.iter().any(|r| r.version == row.version) {
                    return Err(server(1062, "duplicate entry for key PRIMARY"));
                }
                rows.push(row.clone());
                rows.sort_by_key(|row| row.version);
            }
            Op::UpdateRow { version, success, checksum, execution_time_ns } => {
                for row in rows?.iter_mut().filter(|row| row.version == *version) {
                    row.success = success.unwrap_or(row.success);
                    row.checksum = checksum.clone().unwrap_or(row.checksum.clone());
                    row.execution_time_ns = execution_time_ns.unwrap_or(row.execution_time_ns);
                }
            }
            Op::DeleteRow { version, even_successful } => {
                rows?.retain(|row| row.version != *version || (row.success && !even_successful));
            }
            Op::ReplaceProgress(progress) => {
                let journal = journal?;
                journal.retain(|p| !is_same(p, progress));
                journal.push(progress.clone());
            }
            Op::UpdateProgress(progress) => {
                journal?.iter_mut().filter(|p| is_same(p, progress)).for_each(|p| *p = progress.clone());
            }
            Op::DeleteProgress { version, direction } => {
                journal?.retain(|p| p.version != *version || p.direction != *direction);
            }
            Op::CreateHistory | Op::CreateJournal | Op::Begin | Op::Commit | Op::Rollback => {
                unreachable!("the session does these")
            }
        }
        Ok(())
    }
}

/// One SQL statement of a record.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    CreateHistory,
    CreateJournal,
    Begin,
    Commit,
    Rollback,
    InsertRow(HistoryRow),
    UpdateRow {
        version: Version,
        success: Option<bool>,
        checksum: Option<Vec<u8>>,
        execution_time_ns: Option<i64>,
    },
    DeleteRow {
        version: Version,
        even_successful: bool,
    },
    ReplaceProgress(Progress),
    UpdateProgress(Progress),
    DeleteProgress {
        version: Version,
        direction: Direction,
    },
}

/// What the edge to MySQL sends for `record`, in one packet: the twin of `mysql/books.rs`, statement by statement.
pub(crate) fn ops(record: &Record<'_>) -> Vec<Op> {
    let update = |version: Version, success, checksum, execution_time_ns| Op::UpdateRow {
        version,
        success,
        checksum,
        execution_time_ns,
    };
    match record {
        Record::CreateTables { history, journal } => {
            let wanted = [(*history, Op::CreateHistory), (*journal, Op::CreateJournal)];
            wanted.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, op)| op).collect()
        }
        Record::Forget { version, direction } => {
            vec![Op::DeleteProgress { version: *version, direction: *direction }]
        }
        Record::Begin { migration, direction, is_resume, journal } => {
            let version = migration.version;
            let checksum = migration.up.checksum.0.to_vec();
            let row = match (direction, is_resume) {
                (Direction::Up, false) => Op::InsertRow(HistoryRow {
                    version,
                    description: migration.description.clone(),
                    success: false,
                    checksum,
                    execution_time_ns: -1,
                    installed_on_s: 0,
                }),
                (Direction::Up, true) => update(version, None, Some(checksum), None),
                (Direction::Down, _) => update(version, Some(false), None, None),
            };
            let entry = journal.as_ref().map(|j| Op::ReplaceProgress(progress(version, *direction, j)));
            [Op::Begin, row].into_iter().chain(entry).collect()
        }
        Record::StatementDone { version, direction, journal } => {
            vec![Op::UpdateProgress(progress(*version, *direction, journal)), Op::Commit, Op::Begin]
        }
        Record::Finish { version, direction, elapsed, in_transaction, has_journal } => {
            let elapsed_ns = i64::try_from(elapsed.as_nanos()).expect("a test takes less than 292 years");
            let row = match direction {
                Direction::Up => update(*version, Some(true), None, Some(elapsed_ns)),
                Direction::Down => Op::DeleteRow { version: *version, even_successful: true },
            };
            let delete = Op::DeleteProgress { version: *version, direction: *direction };
            let mut ops = Vec::new();
            ops.extend((!in_transaction && *has_journal).then_some(Op::Begin));
            ops.push(row);
            ops.extend(has_journal.then_some(delete));
            ops.push(Op::Commit);
            ops
        }
        Record::Fail { version, direction, journal } => {
            vec![Op::Rollback, Op::UpdateProgress(progress(*version, *direction, journal))]
        }
        Record::StartOver => vec![Op::Rollback, Op::Begin],
        Record::Abandon { version, direction, has_journal } => {
            let row = match direction {
                Direction::Up => Op::DeleteRow { version: *version, even_successful: false },
                Direction::Down => update(*version, Some(true), None, None),
            };
            let delete = Op::DeleteProgress { version: *version, direction: *direction };
            let mut ops = vec![Op::Rollback, Op::Begin, row];
            ops.extend(has_journal.then_some(delete));
            ops.push(Op::Commit);
            ops
        }
        Record::Settle { version, direction, journal } => {
            let row = update(*version, Some(false), None, None);
            let entry = Op::ReplaceProgress(progress(*version, *direction, journal));
            let [up, down] = delete_both(*version);
            vec![Op::Begin, row, up, down, entry, Op::Commit]
        }
        Record::Declare { version, applied, has_journal } => {
            let row = match applied {
                Some(checksum) => update(*version, Some(true), Some(checksum.0.to_vec()), None),
                None => Op::DeleteRow { version: *version, even_successful: true },
            };
            let journal = has_journal.then(|| delete_both(*version));
            [Op::Begin, row].into_iter().chain(journal.into_iter().flatten()).chain([Op::Commit]).collect()
        }
    }
}

fn delete_both(version: Version) -> [Op; 2] {
    [Direction::Up, Direction::Down].map(|direction| Op::DeleteProgress { version, direction })
}

fn progress(version: Version, direction: Direction, entry: &JournalEntry<'_>) -> Progress {
    Progress {
        version,
        direction,
        n_statements: entry.n_statements,
        finished: entry.finished.to_vec(),
        running: entry.running,
        error: entry.error.map(str::to_owned),
    }
}

/// A server's answer.
pub(crate) fn server(number: u16, message: &str) -> SessionError {
    SessionError::Server { number, sqlstate: None, message: message.to_owned() }
}
