//! What is tried again after a lock was waited for in vain or a deadlock was ended, and what never is.

use std::time::Duration;

use backend_migrations::{
    apply::{Aftermath, Applied, ApplyError, Work, apply},
    event::{Event, Events},
    migration::{MigrationSet, StatementKind, Version},
    plan::{Goal, PlanOptions},
    tenant::{Label, ServerId},
};
use tokio_util::sync::CancellationToken;

use crate::{
    applied::listen,
    disturbed::{applied, run, runtime},
    model::State,
    session::{Database, How, ModelSession, Moment, commits, is_untransacted},
    sets::{every_shape, kind, migration, reversible, set},
};

/// A session whose `statement` fails so often.
fn session(database: &Database, statement: &str, how: How, n_failures: u32) -> ModelSession {
    let mut session = ModelSession::new(database, None);
    session.stubborn = Some((statement.to_owned(), how, n_failures));
    session.n_retries = 3;
    session
}

fn is_tried_again(statement: &str) -> bool {
    matches!(kind(statement), StatementKind::Ddl | StatementKind::Dml) && !is_untransacted(statement)
}

/// Every statement of a set, with every way to fail that is tried again.
fn cases(set: &MigrationSet) -> Vec<(String, How)> {
    let statements = set.iter().flat_map(|m| &m.up.statements).map(|s| s.text.clone());
    let ways = |text: String| {
        let ways = [Some(How::Blocked), (!commits(&text)).then_some(How::Deadlocked)];
        ways.into_iter().flatten().map(move |how| (text.clone(), how))
    };
    statements.flat_map(ways).collect()
}

#[test]
fn a_statement_that_is_let_through_in_the_end_leaves_no_trace_of_it() {
    let set = every_shape();
    let calm = Database::default();
    run(&calm, &set, Goal::Latest, None).0.expect("an undisturbed run");
    let mut n_retried = 0;
    for (statement, how) in cases(&set) {
        let is_tried_again = is_tried_again(&statement);
        for n_failures in [1, 3] {
            let name = format!("{statement}: {how:?} {n_failures} times");
            let database = Database::default();
            let mut session = session(&database, &statement, how, n_failures);
            let (result, _, events) = listen(&mut session, &set, Goal::Latest, None);
            let n_waits = events.iter().filter(|e| matches!(e, Event::Waiting { at: Some(_), .. })).count();
            if is_tried_again {
                assert_eq!(result.expect(&name), Applied::Complete, "{name}");
                assert_eq!(database.committed().timeless(), calm.committed().timeless(), "{name}");
                assert_eq!(n_waits, n_failures as usize, "{name}");
                n_retried += 1;
            } else {
                result.expect_err(&name);
                assert_eq!(n_waits, 0, "{name}");
            }
        }
    }
    assert!(n_retried > 40, "{n_retried}");
}

#[test]
fn a_statement_that_is_never_let_through_leaves_what_one_failure_leaves() {
    let set = every_shape();
    for (statement, how) in cases(&set) {
        if !is_tried_again(&statement) {
            continue;
        }
        let name = format!("{statement}: {how:?}");
        let outcome = |n_retries| {
            let database = Database::default();
            let mut session = session(&database, &statement, how, u32::MAX);
            session.n_retries = n_retries;
            let (result, ..) = listen(&mut session, &set, Goal::Latest, None);
            let Err(ApplyError::Statement(error)) = result else { panic!("{name}: {result:?}") };
            (database.committed().timeless(), error.aftermath, error.n_tries)
        };
        let (once, tried) = (outcome(0), outcome(3));
        assert_eq!((&once.0, once.1), (&tried.0, tried.1), "{name}");
        assert_eq!((once.2, tried.2), (1, 4), "{name}");
    }
}

/// Nobody knows what they left, or the second try would find what the first one left in the session.
#[test]
fn what_may_have_left_something_is_not_tried_again() {
    for (script, statement, how) in [
        ("call p", "call p", How::Blocked),
        ("ddl one\ncall p", "call p", How::Deadlocked),
        ("drop t u", "drop t u", How::Blocked),
        ("ddl one\nddl two", "ddl two", How::LostBegun),
        ("dml a\ndml b", "dml b", How::LostUnsent),
        ("ddl one", "ddl one", How::Refused),
        ("set n = (max)\ndml a", "dml a", How::Deadlocked),
        ("dml a\nset n = (max)\ndml b", "dml b", How::Blocked),
        ("ddl one\ndml fills @n := n", "dml fills @n := n", How::Deadlocked),
    ] {
        let database = Database::default();
        let mut session = session(&database, statement, how, 1);
        let (result, _, events) = listen(&mut session, &reversible(&[script]), Goal::Latest, None);
        let Err(ApplyError::Statement(error)) = result else { panic!("{script}: {result:?}") };
        assert_eq!(error.n_tries, 1, "{script}");
        assert!(!events.iter().any(|event| matches!(event, Event::Waiting { .. })), "{script}");
    }
    // Beside them, what is not touched by it is.
    let database = Database::default();
    let mut session = session(&database, "dml a", How::Deadlocked, 1);
    let set = reversible(&["dml a\nset n = (max)\ndml b"]);
    let result = listen(&mut session, &set, Goal::Latest, None).0;
    assert_eq!(result.expect("it is tried again"), Applied::Complete);
}

/// A backup that lets nobody write or commit for a moment, at every moment: in the end it is as if there had been none.
#[test]
fn a_short_backup_leaves_no_trace() {
    let set = every_shape();
    for (start, goal) in [(State::default(), Goal::Latest), (applied(&set), Goal::DownTo(Version(0)))] {
        let calm = Database::new(start.clone());
        let (result, moments) = run(&calm, &set, goal.clone(), None);
        result.expect("an undisturbed run");
        let (mut n_mended, mut n_unclear) = (0, 0);
        for (at, moment) in moments.iter().enumerate() {
            if !moment.ways().contains(&How::Backup) {
                continue;
            }
            let name = format!("{goal:?}: {at}, {moment:?}");
            let database = Database::new(start.clone());
            let mut session = ModelSession::new(&database, Some((at, How::Backup)));
            session.n_retries = 1;
            match listen(&mut session, &set, goal.clone(), None).0 {
                Ok(applied) => {
                    assert_eq!(applied, Applied::Complete, "{name}");
                    assert_eq!(database.committed().timeless(), calm.committed().timeless(), "{name}");
                    n_mended += 1;
                }
                // What a server has rolled back of these, no server tells.
                Err(error) => {
                    let is_doubtful =
                        |text: &str| matches!(kind(text), StatementKind::Opaque(_)) || is_untransacted(text);
                    let is_known = match moment {
                        Moment::Execute(text) => !is_doubtful(text),
                        Moment::Record(_, _, last) => !last.as_deref().is_some_and(is_doubtful),
                        _ => true,
                    };
                    assert!(!is_known, "{name}: {error}");
                    n_unclear += 1;
                }
            }
        }
        assert!(n_mended > 100 && n_unclear > 10, "{n_mended} mended, {n_unclear} unclear");
    }
}

#[test]
fn told_to_stop_it_tries_no_more() {
    for (script, statement, how) in
        [("ddl one", "ddl one", How::Blocked), ("dml a\ndml b", "dml b", How::Deadlocked)]
    {
        let database = Database::default();
        let mut session = session(&database, statement, how, 1);
        let set = set(vec![migration(1, script, None)]);
        let (result, ..) = listen(&mut session, &set, Goal::Latest, Some(statement));
        let Err(ApplyError::Statement(error)) = result else { panic!("{script}: {result:?}") };
        assert_eq!((error.n_tries, error.aftermath), (1, Aftermath::Nothing), "{script}");
        assert_eq!(database.committed().history().rows, [], "{script}");
    }
}

/// The pause before a try is over at once when the run is told to stop.
#[test]
fn a_stop_ends_the_pause() {
    let set = reversible(&["dml a"]);
    let database = Database::default();
    let mut session = session(&database, "dml a", How::Deadlocked, 1);
    let (events, _receiver) = Events::channel();
    let (stop, mut done) = (CancellationToken::new(), Vec::new());
    let server = ServerId { host: "localhost".into(), port: 3306 };
    let label = Label { id: None, slug: "a".into(), name: "A".into(), database: "a_db".into(), server };
    let options = PlanOptions { goal: Goal::Latest, allow_out_of_order: false, allow_existing_tables: false };
    let work = Work { set: &set, options: &options, tenant: &label.into(), events: &events, stop: &stop };
    runtime().block_on(async {
        let began = tokio::time::Instant::now();
        let told = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            stop.cancel();
        };
        let (result, ()) = tokio::join!(apply(&mut session, work, &mut done), told);
        assert!(matches!(result, Err(ApplyError::Statement(_))), "{result:?}");
        assert!(began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
    });
    assert_eq!(database.committed().history().rows, []);
}
