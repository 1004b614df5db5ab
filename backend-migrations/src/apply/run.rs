//! One script on its way through one database.

use std::time::Instant;

use super::{
    course::{Course, needs_journal},
    error::ApplyError,
    work::Work,
};
use crate::{
    event::{Event, MigrationDone, Place},
    history::{History, StatementDigest},
    migration::Script,
    plan::Step,
    session::{Blockage, JournalEntry, Record, SessionError, TenantSession},
};

/// What is done next about a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is noted that it begins, or goes on.
    Begin,
    /// This statement runs.
    Execute(usize),
    /// This statement, which must not share a transaction with its record, is committed.
    Commit(usize),
    /// This statement has run, and is recorded.
    Record(usize),
    /// The whole of it is recorded.
    Finish,
}

/// One script on its way through one database.
pub(super) struct Run<'a, S> {
    pub(super) session: &'a mut S,
    pub(super) work: Work<'a>,
    pub(super) step: &'a Step,
    pub(super) script: &'a Script,
    pub(super) courses: &'a [Course],
    pub(super) has_journal: bool,
    /// Whether the history has a committed row that says so, as far as it was read.
    pub(super) is_begun: bool,
    /// Whether a rollback has left rows in tables without transactions.
    pub(super) has_remains: bool,
    pub(super) finished: Vec<StatementDigest>,
    pub(super) started: Instant,
    /// How often the statement, or the transaction that it is in, has been tried, this time included.
    pub(super) n_tries: u32,
    pub(super) blockage: Option<Blockage>,
    /// The connections that were told to be in the way of the statement that runs.
    pub(super) told: Option<Vec<u64>>,
}

impl<'a, S: TenantSession> Run<'a, S> {
    pub(super) fn new(
        session: &'a mut S,
        work: Work<'a>,
        step: &'a Step,
        courses: &'a [Course],
        history: &History,
    ) -> Self {
        let progress = history.progress(step.migration.version, step.direction);
        Self {
            session,
            work,
            step,
            script: step.script(),
            courses,
            has_journal: needs_journal(step, courses, history),
            is_begun: step.is_resume,
            has_remains: false,
            finished: progress.filter(|_| step.is_resume).map(|p| p.finished.clone()).unwrap_or_default(),
            started: Instant::now(),
            n_tries: 1,
            blockage: None,
            told: None,
        }
    }

    pub(super) async fn run(mut self) -> Result<MigrationDone, ApplyError> {
        let event = Event::MigrationStarted {
            tenant: self.work.tenant.clone(),
            file_name: self.script.file_name.clone(),
            n_statements: self.script.statements.len(),
            n_finished: self.step.n_finished,
        };
        self.work.events.tell(event).await;
        for index in self.step.setup().collect::<Vec<_>>() {
            if let Err(source) = self.execute(index).await {
                return Err(self.give_up(Next::Execute(index), source).await);
            }
        }
        let mut next = Some(Next::Begin);
        while let Some(now) = next {
            next = match self.go(now).await {
                Ok(next) => next,
                Err(source) => Some(self.retry(now, source).await?),
            };
        }
        Ok(MigrationDone {
            version: self.step.migration.version,
            file_name: self.script.file_name.clone(),
            direction: self.step.direction,
            elapsed: self.started.elapsed(),
        })
    }

    /// Does one thing; gives the next, or `None` after the last.
    async fn go(&mut self, now: Next) -> Result<Option<Next>, SessionError> {
        let next = match now {
            Next::Begin => {
                self.begin().await?;
                self.after(self.finished.len())
            }
            Next::Execute(index) => {
                self.execute(index).await?;
                if self.courses[index] == Course::Alone { Next::Commit(index) } else { self.ran(index) }
            }
            Next::Commit(index) => {
                self.session.record(Record::Commit).await?;
                self.ran(index)
            }
            Next::Record(index) => {
                self.record(index).await?;
                // What comes now is another transaction.
                (self.n_tries, self.blockage, self.told) = (1, None, None);
                self.after(index + 1)
            }
            Next::Finish => {
                self.finish().await?;
                return Ok(None);
            }
        };
        Ok(Some(next))
    }

    /// What is next after statement `index` has run.
    fn ran(&mut self, index: usize) -> Next {
        self.finished.push(StatementDigest::of(&self.script.statements[index].text));
        let has_more = index + 1 < self.script.statements.len();
        if self.has_journal && has_more { Next::Record(index) } else { self.after(index + 1) }
    }

    /// What is next where so many statements are done.
    pub(super) fn after(&self, n_done: usize) -> Next {
        if n_done < self.script.statements.len() { Next::Execute(n_done) } else { Next::Finish }
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        let (n_statements, running) = (self.script.statements.len(), self.running());
        let journal = JournalEntry { n_statements, finished: &self.finished, running, error: None };
        let record = Record::Begin {
            migration: &self.step.migration,
            direction: self.step.direction,
            is_begun: self.is_begun,
            journal: self.has_journal.then_some(journal),
        };
        self.session.record(record).await?;
        // It must not share its transaction with the record that says that it runs.
        if self.courses.get(self.finished.len()) == Some(&Course::Alone) {
            self.session.record(Record::Commit).await?;
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, index: usize) -> Result<(), SessionError> {
        let at = self.place(index);
        let (tenant, started) = (self.work.tenant.clone(), Instant::now());
        let event = Event::StatementStarted { tenant: tenant.clone(), at: at.clone() };
        self.work.events.tell(event).await;
        let n_rows = self.watched(index, &at).await?;
        let elapsed = started.elapsed();
        self.work.events.tell(Event::StatementFinished { tenant, at, n_rows, elapsed }).await;
        Ok(())
    }

    /// Records that statement `index` is done and, if the next one can leave doubt, that it runs.
    async fn record(&mut self, index: usize) -> Result<(), SessionError> {
        let record = Record::StatementDone {
            version: self.step.migration.version,
            direction: self.step.direction,
            statement: index,
            digest: self.finished[index],
            running: self.running(),
            in_transaction: self.courses[index] != Course::Atomic,
        };
        self.session.record(record).await
    }

    async fn finish(&mut self) -> Result<(), SessionError> {
        let last = self.courses.last();
        let record = Record::Finish {
            version: self.step.migration.version,
            direction: self.step.direction,
            elapsed: self.started.elapsed(),
            in_transaction: match last {
                None | Some(Course::Together | Course::Alone) => true,
                // A `CALL` alone is committed with its record, if anything of it is not committed yet.
                Some(Course::Doubtful(_)) => !self.has_journal,
                Some(Course::Atomic) => false,
            },
            has_journal: self.has_journal,
        };
        self.session.record(record).await
    }

    /// The statement after the finished ones, if a crash while it runs would leave doubt about it.
    pub(super) fn running(&self) -> Option<usize> {
        let next = self.finished.len();
        self.courses.get(next).is_some_and(|course| course.leaves_doubt()).then_some(next)
    }

    pub(super) fn place(&self, index: usize) -> Place {
        Place {
            file_name: self.script.file_name.clone(),
            line: self.script.statements[index].line,
            statement: index + 1,
            n_statements: self.script.statements.len(),
        }
    }
}
