//! Every failure at every moment of a run, and the run after it.

use std::collections::HashSet;

use backend_migrations::{
    apply::{Aftermath, Applied, ApplyError, Work, apply},
    event::{Events, MigrationDone},
    history::StatementDigest,
    migration::{Direction, MigrationSet, StatementKind, Version},
    plan::{Goal, PlanOptions, Problem},
    session::{Fate, TenantSession as _},
    tenant::{Label, ServerId},
};
use tokio_util::sync::CancellationToken;

use crate::{
    model::State,
    session::{Database, How, ModelSession, Moment, commits, is_untransacted},
    sets::{every_shape, kind},
};

/// Runs to `goal` in a session of its own; gives what could have failed in it, too.
pub(crate) fn run(
    database: &Database,
    set: &MigrationSet,
    goal: Goal,
    fault: Option<(usize, How)>,
) -> (Result<Vec<MigrationDone>, ApplyError>, Vec<Moment>) {
    let mut session = ModelSession::new(database, fault);
    let (events, _) = Events::channel();
    let mut done = Vec::new();
    let server = ServerId { host: "localhost".into(), port: 3306 };
    let label = Label { id: None, slug: "a".into(), name: "A".into(), database: "a_db".into(), server };
    let work = Work {
        set,
        options: &PlanOptions { goal, allow_out_of_order: false, allow_existing_tables: false },
        tenant: &label.into(),
        events: &events,
        stop: &CancellationToken::new(),
    };
    let runtime = runtime();
    let result = runtime.block_on(apply(&mut session, work, &mut done));
    let moments = std::mem::take(&mut session.moments);
    runtime.block_on(session.close());
    let result = result.map(|applied| {
        assert_eq!(applied, Applied::Complete, "nobody stops it");
        done
    });
    (result, moments)
}

/// One whose clock is ours: what waits, waits no time.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime")
}

/// A database with all of `set` applied, and what applying it left forgotten.
pub(crate) fn applied(set: &MigrationSet) -> State {
    let database = Database::default();
    run(&database, set, Goal::Latest, None).0.expect("an undisturbed run");
    let mut state = database.committed();
    state.effects.clear();
    for row in state.rows.iter_mut().flatten() {
        row.execution_time_ns = 1_000 + row.version.0;
    }
    state
}

#[test]
fn up_at_every_moment() {
    disturb(&State::default(), &Goal::Latest);
}

#[test]
fn down_at_every_moment() {
    disturb(&applied(&every_shape()), &Goal::DownTo(Version(0)));
}

/// Declared rows have no time that would tell a revert from an apply.
#[test]
fn down_of_declared_migrations_at_every_moment() {
    let mut start = applied(&every_shape());
    for row in start.rows.iter_mut().flatten() {
        row.execution_time_ns = -1;
    }
    disturb(&start, &Goal::DownTo(Version(0)));
}

fn disturb(start: &State, goal: &Goal) {
    let set = every_shape();
    let database = Database::new(start.clone());
    let (result, moments) = run(&database, &set, goal.clone(), None);
    assert_eq!(result.expect("an undisturbed run").len(), set.len());
    let calm = database.committed();
    assert_eq!(calm.effects, expected_effects(&set, goal.direction()));
    assert_at_rest(&calm);

    let (mut n_resumed, mut n_refused) = (0, 0);
    for (at, moment) in moments.iter().enumerate() {
        for how in moment.ways() {
            let case = format!("{goal:?}: {how:?} at {at}, {moment:?}");
            let case = Case { set: &set, start, calm: &calm, goal: goal.clone(), moment, how, name: &case };
            if case.check(at) { n_resumed += 1 } else { n_refused += 1 }
        }
    }
    // Were one of them never seen, this test would look away.
    assert!(n_resumed > 300 && n_refused > 100, "{n_resumed} resumed, {n_refused} refused");
}

/// What a set's scripts leave in a database when nothing goes wrong.
fn expected_effects(set: &MigrationSet, direction: Direction) -> Vec<String> {
    let scripts: Vec<_> = match direction {
        Direction::Up => set.iter().filter_map(|m| m.script(direction)).collect(),
        Direction::Down => set.iter().rev().filter_map(|m| m.script(direction)).collect(),
    };
    let statements = scripts.into_iter().flat_map(|script| &script.statements);
    statements.filter(|s| s.kind != StatementKind::Session).map(|s| s.text.clone()).collect()
}

fn assert_at_rest(state: &State) {
    assert_eq!(state.journal.as_deref(), Some(&[][..]));
    assert_eq!(state.statements.as_deref(), Some(&[][..]));
    for row in state.rows.as_deref().expect("the history is there") {
        assert!(row.success && row.execution_time_ns >= 0, "{row:?}");
    }
}

struct Case<'a> {
    set: &'a MigrationSet,
    start: &'a State,
    calm: &'a State,
    goal: Goal,
    moment: &'a Moment,
    how: How,
    name: &'a str,
}

impl Case<'_> {
    /// Fails once, runs again; true where the second run completes, false where it refuses.
    fn check(&self, at: usize) -> bool {
        let Self { name, .. } = self;
        let database = Database::new(self.start.clone());
        let (result, _) = run(&database, self.set, self.goal.clone(), Some((at, self.how)));
        let error = result.expect_err(name);
        let after = database.committed();
        self.assert_no_repetition(&after);
        if self.is_answered() {
            self.assert_rest(&after);
        }
        let uncounted = self.uncounted(&after);

        let (result, moments) = run(&database, self.set, self.goal.clone(), None);
        let is_resumed = match result {
            Ok(_) => {
                assert_eq!(database.committed().timeless(), self.calm.clone().timeless(), "{name}");
                assert_eq!(uncounted, None, "{name}: went on past a statement that the books do not know");
                assert!(!self.must_be_refused(), "{name}: a statement whose fate is unknown was not refused");
                true
            }
            Err(ApplyError::Plan(error)) => {
                let is_unclear = |p: &Problem| matches!(p, Problem::Unclear { direction, .. } if *direction == self.goal.direction());
                assert!(error.problems.iter().all(is_unclear), "{name}: {error}");
                assert!(!self.must_be_resumed(), "{name}: {error}");
                assert_eq!(database.committed(), after, "{name}: a refusal changes nothing");
                assert!(
                    matches!(moments[..], [Moment::History, Moment::History, Moment::Lock]),
                    "{name}: {moments:?}"
                );
                self.settle(&database, &error.problems);
                let settled = run(&database, self.set, self.goal.clone(), None).0;
                assert!(settled.is_ok(), "{name}: settled as the hint says, and yet {settled:?}");
                let settled = database.committed();
                assert_eq!(settled.effects, self.calm.effects, "{name}: settled as the hint says");
                assert_eq!(settled.journal.as_deref(), Some(&[][..]), "{name}: settled as the hint says");
                false
            }
            Err(error) => panic!("{name}: {error}"),
        };
        self.assert_promise_kept(&error, is_resumed, &after);
        is_resumed
    }

    /// Does what the hint tells a person to do.
    fn settle(&self, database: &Database, problems: &[Problem]) {
        for problem in problems {
            let Problem::Unclear { migration, direction, statement } = problem else {
                unreachable!("{problem}")
            };
            let version = migration.version;
            let script = self.set.get(version).and_then(|m| m.script(*direction)).expect("it ran");
            let statements = script.statements.iter().filter(|s| s.kind != StatementKind::Session);
            database.change(|state| {
                // Half of a `DROP TABLE a, b` is there: the person drops the other.
                for effect in &mut state.effects {
                    *effect = effect.trim_end_matches(" (half)").to_owned();
                }
                let has = |state: &State, text: &str| state.effects.iter().any(|effect| effect == text);
                let journal = state.journal.iter().flatten().filter(|p| p.version == version).count();
                assert_eq!(statement.is_some(), journal > 0, "{}", self.name);
                if let Some((index, _)) = statement
                    && !has(state, &script.statements[index - 1].text)
                {
                    let progress = state.journal.iter_mut().flatten().filter(|p| p.version == version);
                    progress.for_each(|p| p.running = None);
                    return;
                }
                for statement in statements {
                    if !has(state, &statement.text) {
                        state.effects.push(statement.text.clone());
                    }
                }
                let rows = state.rows.as_mut().expect("it is dirty");
                match direction {
                    Direction::Up => {
                        rows.iter_mut().filter(|r| r.version == version).for_each(|r| r.success = true);
                    }
                    Direction::Down => rows.retain(|row| row.version != version),
                }
                state.journal.iter_mut().for_each(|journal| journal.retain(|p| p.version != version));
            });
        }
    }

    fn assert_no_repetition(&self, state: &State) {
        let mut seen = HashSet::new();
        for effect in &state.effects {
            assert!(seen.insert(effect), "{}: `{effect}` is there twice", self.name);
        }
    }

    /// Whether the executor knows what the failure left, and could record it.
    fn is_answered(&self) -> bool {
        let is_statement = matches!(self.moment, Moment::Execute(_));
        let known = [How::Refused, How::Unparsed, How::Deadlocked, How::Blocked, How::Backup];
        let is_killed = matches!(self.how, How::TimedOut { fate: Fate::NotApplied, .. });
        is_statement && (known.contains(&self.how) || is_killed)
    }

    /// A half-done script rests as sqlx would leave it; one of which nothing is done has left no trace.
    fn assert_rest(&self, state: &State) {
        let Moment::Execute(text) = self.moment else { return };
        let direction = self.goal.direction();
        let has = |text: &str| {
            self.set
                .iter()
                .find(|m| m.script(direction).is_some_and(|s| s.statements.iter().any(|s| s.text == text)))
        };
        let migration = has(text).expect("every statement is of one migration");
        let script = migration.script(direction).expect("it ran");
        let is_begun = script.statements.iter().any(|s| state.effects.iter().any(|e| e.starts_with(&s.text)));
        let rows = state.rows.as_deref().unwrap_or_default();
        let row = rows.iter().find(|row| row.version == migration.version);
        let found = row.map(|row| (row.success, row.execution_time_ns));
        let before = self.start.rows.iter().flatten().find(|row| row.version == migration.version);
        let expected = match (before, is_begun) {
            (None, false) => None,
            (None, true) => Some((false, -1)),
            (Some(before), _) => Some((!is_begun, before.execution_time_ns)),
        };
        assert_eq!(found, expected, "{}", self.name);
        let n_progress = state.journal.iter().flatten().filter(|p| p.version == migration.version).count();
        let is_timeless = before.is_some_and(|row| row.execution_time_ns < 0);
        let is_noted = is_begun && (script.statements.len() > 1 || is_timeless || is_untransacted(text));
        assert_eq!(n_progress, usize::from(is_noted), "{}", self.name);
    }

    /// A statement that is in the database and that the books do not count: run again, it would be there twice.
    fn uncounted(&self, state: &State) -> Option<String> {
        let direction = self.goal.direction();
        let history = state.history();
        let is_counted = |effect: &str| {
            self.set.iter().any(|migration| {
                let script = migration.script(direction).expect("every script is there");
                let is_mine = script.statements.iter().any(|s| s.text == effect);
                let is_done = match direction {
                    Direction::Up => history.row(migration.version).is_some_and(|row| row.success),
                    Direction::Down => history.row(migration.version).is_none(),
                };
                let progress = history.progress(migration.version, direction);
                let digest = StatementDigest::of(effect);
                is_mine && (is_done || progress.is_some_and(|p| p.finished.contains(&digest)))
            })
        };
        state.effects.iter().find(|effect| !is_counted(effect)).cloned()
    }

    /// Nobody can know: the server began it and we got no answer.
    fn must_be_refused(&self) -> bool {
        let Moment::Execute(text) = self.moment else { return false };
        let is_unknown =
            matches!(self.how, How::LostBegun | How::LostDone | How::TimedOut { fate: Fate::Unknown, .. });
        let is_untouched = matches!(self.how, How::Unparsed | How::LostUnsent | How::Backup);
        let is_half = text.starts_with("drop") && !is_untouched;
        (commits(text) && (is_unknown || is_half))
            || (is_untransacted(text) && !is_untouched)
            || self.how == How::UnparsedInside
    }

    /// Nothing is in doubt.
    fn must_be_resumed(&self) -> bool {
        let is_safe = |text: &str| {
            matches!(kind(text), StatementKind::Dml | StatementKind::Session) && !is_untransacted(text)
        };
        match self.moment {
            // Nobody asks for it unless something has failed before.
            Moment::RollBack | Moment::Record("commit", ..) => false,
            Moment::History | Moment::Lock | Moment::Record("create tables" | "begin", ..) => true,
            // What is committed here says that the next statement runs: whether it was sent, nobody wrote down.
            Moment::Record("statement done", sql, _) if sql == "START TRANSACTION" => false,
            Moment::Record("statement done", sql, _) if sql == "COMMIT" && self.how == How::LostDone => false,
            Moment::Record(_, _, last) => last.as_deref().is_none_or(is_safe),
            Moment::Execute(text) if is_safe(text) => true,
            Moment::Execute(text) => match self.how {
                // Of a `CALL` it is not known which text does not parse.
                How::Unparsed => !text.starts_with("call"),
                How::Refused | How::Blocked | How::Backup | How::TimedOut { fate: Fate::NotApplied, .. } => {
                    kind(text) == StatementKind::Ddl
                }
                _ => false,
            },
        }
    }

    /// What the error says of the database is so, and the next run does what it says.
    fn assert_promise_kept(&self, error: &ApplyError, is_resumed: bool, after: &State) {
        let ApplyError::Statement(error) = error else {
            assert!(!matches!(self.moment, Moment::Execute(_)), "{}: {error}", self.name);
            // The journal may say of the first statement that it runs, where no rollback would undo it.
            let is_announced = matches!(self.moment, Moment::Record("commit", ..));
            assert!(is_resumed || is_announced, "{}: {error}", self.name);
            return;
        };
        let history = after.history();
        let script = self
            .set
            .iter()
            .filter_map(|m| m.script(error.direction))
            .find(|s| s.file_name == error.at.file_name);
        let script = script.expect("the error names a file");
        let has = |text: &str| after.effects.iter().any(|effect| effect == text);
        let n_there =
            script.statements.iter().filter(|s| s.kind != StatementKind::Session && has(&s.text)).count();
        match error.aftermath {
            Aftermath::Nothing => {
                assert!(is_resumed, "{}", self.name);
                assert_eq!(n_there, 0, "{}", self.name);
                assert!(!history.is_dirty(), "{}: a record of nothing", self.name);
            }
            Aftermath::Partly { n_finished } => {
                assert!(is_resumed, "{}", self.name);
                assert!(
                    script.statements[..n_finished]
                        .iter()
                        .all(|s| s.kind == StatementKind::Session || has(&s.text)),
                    "{}",
                    self.name
                );
                assert!(history.is_dirty(), "{}", self.name);
            }
            Aftermath::Recorded => assert!(is_resumed || !self.must_be_resumed(), "{}", self.name),
            // The worst is said; that it is better sometimes is no lie.
            Aftermath::Unclear { n_finished }
            | Aftermath::Unrecorded { n_finished }
            | Aftermath::Remains { n_finished } => {
                assert!(
                    script.statements[..n_finished]
                        .iter()
                        .all(|s| s.kind == StatementKind::Session || has(&s.text)),
                    "{}",
                    self.name
                );
            }
        }
    }
}
