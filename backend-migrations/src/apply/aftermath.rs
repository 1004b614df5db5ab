//! What a script that failed left in the database, and in the books.

use super::{
    course::Course,
    error::{Aftermath, ApplyError, StatementError},
    run::{Next, Run},
    work::write,
};
use crate::{
    event::Event,
    history::History,
    migration::{Direction, Opacity, StatementKind},
    session::{Fate, JournalEntry, Record, Rollback, SessionError, TenantSession, number},
};

/// How far a script has got, as the books say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It has not begun.
    Unbegun,
    /// It has begun, and so many of its statements are finished.
    Begun {
        /// How many.
        n_finished: usize,
        /// The one that the journal says is running.
        running: Option<usize>,
    },
    /// The books say what this run has not written.
    Foreign,
}

impl<S: TenantSession> Run<'_, S> {
    /// The error to end with, `at` having failed with `source` for good.
    pub(super) async fn give_up(&mut self, at: Next, source: SessionError) -> ApplyError {
        let n_statements = self.script.statements.len();
        let (index, aftermath) = match at {
            // It was to go on after a lock was waited for in vain.
            Next::Begin if self.is_begun && !self.step.is_resume && self.finished.len() < n_statements => {
                let index = self.finished.len();
                (index, self.after_failure(index, &source, false).await)
            }
            // Nothing has run that the books do not know of.
            Next::Begin => return ApplyError::Unwritten(source),
            Next::Finish if n_statements == 0 => return ApplyError::Unwritten(source),
            Next::Execute(index) => (index, self.after_failure(index, &source, false).await),
            Next::Commit(index) => {
                // The server has rolled back what it could, and says nothing of the rest.
                self.has_remains = true;
                (index, self.after_failure(index, &source, false).await)
            }
            Next::Record(index) => (index, self.after_record(index, &source).await),
            Next::Finish => (n_statements - 1, self.after_record(n_statements - 1, &source).await),
        };
        ApplyError::Statement(Box::new(StatementError {
            at: self.place(index),
            text: self.script.statements[index].text.clone(),
            direction: self.step.direction,
            n_tries: self.n_tries,
            blockage: self.blockage.clone().filter(|_| is_lock_wait(&source)),
            source,
            aftermath,
        }))
    }

    /// Leaves the books as the database is after statement `index`, or the record of it where it `ran`, failed with
    /// `source`.
    async fn after_failure(&mut self, index: usize, source: &SessionError, ran: bool) -> Aftermath {
        // Without a journal nothing is committed before the last statement is.
        self.finished.truncate(if self.has_journal { self.finished.len() } else { 0 });
        let fate = fate(self.courses[index], source);
        // The connection is gone, or a statement that could not be killed still has it; or the lock is another's, under
        // which nothing may be written.
        let may_write = source.fate() == Fate::NotApplied
            && !matches!(source, SessionError::LockLost | SessionError::Gone { .. });
        let rolled_back = if may_write { self.undo().await.ok() } else { None };
        let stand = match rolled_back {
            Some(_) => self.stand().await.ok(),
            None => None,
        };
        let (Some(rolled_back), Some(stand)) = (rolled_back, stand) else {
            return self.unanswered(index, fate, ran);
        };
        // What the books have is what is committed.
        if let Stand::Begun { n_finished, .. } = stand {
            self.finished.truncate(n_finished);
        }
        let n_finished = self.finished.len();
        let error = source.to_string();
        let (version, direction) = (self.step.migration.version, self.step.direction);
        let is_known = match (self.courses[index], rolled_back, stand) {
            (_, Rollback::Partial, _) => false,
            // What commits in the middle, or before it begins, would have committed the row of the script.
            (Course::Doubtful(_), Rollback::Whole, Stand::Unbegun) => true,
            // Of a transaction that the server has rolled back itself, a rollback tells nothing.
            (Course::Alone, Rollback::Whole, _) => {
                !matches!(source, SessionError::Server { number: number::DEADLOCK, .. })
            }
            _ => fate == Fate::NotApplied,
        };
        let changed = |index: usize| self.script.statements[index].kind != StatementKind::Session;
        let is_changed = (0..n_finished).any(changed);
        let written = match stand {
            // Another's row is left alone.
            Stand::Foreign => return Aftermath::Unrecorded { n_finished },
            Stand::Unbegun if is_known => return Aftermath::Nothing,
            _ if !is_known => {
                let is_begun = stand != Stand::Unbegun;
                self.leave(is_begun, index, &error).await
            }
            Stand::Begun { .. } if self.has_journal && is_changed => {
                let record = Record::Fail { version, direction, running: None, error: &error };
                write(self.session, self.work, record).await
            }
            _ => {
                let record = Record::Abandon { version, direction, has_journal: self.has_journal };
                write(self.session, self.work, record).await
            }
        };
        match (written, rolled_back) {
            (Ok(()), Rollback::Partial) => Aftermath::Remains { n_finished },
            (Ok(()) | Err(_), _) if !is_known => Aftermath::Unclear { n_finished },
            (Ok(()), _) if self.has_journal && is_changed => Aftermath::Partly { n_finished },
            (Ok(()), _) => Aftermath::Nothing,
            (Err(_), _) => self.unanswered(index, fate, ran),
        }
    }

    /// What is in the database after statement `index` failed and nothing more could be asked or written.
    fn unanswered(&self, index: usize, fate: Fate, ran: bool) -> Aftermath {
        let n_finished = self.finished.len();
        match (self.courses[index], fate) {
            // Its record was on the way.
            (Course::Together, _) if ran => Aftermath::Recorded,
            // It goes with the connection, and the record before it names the finished ones.
            (Course::Together, _) => {
                let is_noted = self.step.is_resume || (self.has_journal && n_finished > 0);
                if is_noted { Aftermath::Partly { n_finished } } else { Aftermath::Nothing }
            }
            (_, Fate::Unknown) => Aftermath::Unclear { n_finished },
            // The record before it says that it runs.
            (_, Fate::NotApplied) => Aftermath::Unrecorded { n_finished },
        }
    }

    /// Statement `index` went well and the record of it failed with `source`.
    async fn after_record(&mut self, index: usize, source: &SessionError) -> Aftermath {
        match self.courses[index] {
            // It and its record are undone together, if the server still listens.
            Course::Together if source.fate() == Fate::NotApplied => {
                self.after_failure(index, source, true).await
            }
            Course::Together => Aftermath::Recorded,
            Course::Atomic | Course::Alone => Aftermath::Unrecorded { n_finished: index + 1 },
            // It may have been part of the transaction that its record did not commit.
            Course::Doubtful(_) => Aftermath::Unclear { n_finished: index },
        }
    }

    /// Writes down that a part of statement `index`, or of one before it in its transaction, may be in the database.
    async fn leave(&mut self, is_begun: bool, index: usize, error: &str) -> Result<(), ApplyError> {
        let direction = self.step.direction;
        if !self.has_journal {
            if self.courses.len() == 1 && is_begun && self.courses[0] != Course::Together {
                // The row says that it has begun, and nothing else can be said.
                return Ok(());
            }
            write(self.session, self.work, Record::CreateTables { history: false, journal: true }).await?;
        }
        let journal = JournalEntry {
            n_statements: self.script.statements.len(),
            finished: &self.finished,
            running: Some(self.finished.len().min(index)),
            error: Some(error),
        };
        let record = Record::Leave { migration: &self.step.migration, direction, is_begun, journal };
        write(self.session, self.work, record).await
    }

    /// Undoes what is not committed.
    pub(super) async fn undo(&mut self) -> Result<Rollback, SessionError> {
        let rolled_back = self.session.roll_back().await?;
        self.has_remains |= rolled_back == Rollback::Partial;
        Ok(if self.has_remains { Rollback::Partial } else { Rollback::Whole })
    }

    /// Reads how far the books say that the script has got.
    pub(super) async fn stand(&mut self) -> Result<Stand, SessionError> {
        let history = self.session.history().await?;
        Ok(self.stand_in(&history))
    }

    fn stand_in(&self, history: &History) -> Stand {
        let (version, direction) = (self.step.migration.version, self.step.direction);
        let progress = history.progress(version, direction);
        let (n_finished, running) = progress.map_or((0, None), |p| (p.finished.len(), p.running));
        match (history.row(version), direction) {
            (Some(row), _) if !row.success => Stand::Begun { n_finished, running },
            (None, Direction::Up) | (Some(_), Direction::Down) if !self.step.is_resume => Stand::Unbegun,
            _ => Stand::Foreign,
        }
    }

    /// Tells that something is tried again.
    pub(super) async fn tell_waiting(&self, at: Next, source: &SessionError) {
        let at = match at {
            Next::Execute(index) | Next::Commit(index) | Next::Record(index) => Some(self.place(index)),
            Next::Begin | Next::Finish => None,
        };
        let n_tries_max = self.session.limits().lock_wait_retries + 1;
        let for_what = format!("try {} of {n_tries_max} after {source}", self.n_tries + 1);
        self.work.events.tell(Event::Waiting { tenant: self.work.tenant.clone(), at, for_what }).await;
    }
}

/// Whether a lock was waited for in vain.
fn is_lock_wait(source: &SessionError) -> bool {
    matches!(source, SessionError::Server { number: number::LOCK_WAIT_TIMEOUT, .. })
}

/// What a statement left behind that failed with `source`.
fn fate(course: Course, source: &SessionError) -> Fate {
    let number = match source {
        SessionError::Server { number, .. } => Some(*number),
        _ => None,
    };
    match course {
        Course::Together => Fate::NotApplied,
        // Inside of a program another text may be what does not parse, and another statement what is refused.
        Course::Doubtful(Opacity::Several | Opacity::Unknown) if number.is_some_and(number::is_refusal) => {
            Fate::NotApplied
        }
        Course::Doubtful(Opacity::Replacing) if number == Some(number::PARSE_ERROR) => Fate::NotApplied,
        // A server that answers with an error has undone all of it.
        Course::Atomic | Course::Doubtful(Opacity::Filling) => source.fate(),
        Course::Doubtful(_) | Course::Alone => Fate::Unknown,
    }
}
