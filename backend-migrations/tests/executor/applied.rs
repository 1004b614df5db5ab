//! What a run does and leaves undone when nothing fails.

use backend_migrations::{
    apply::{Aftermath, Applied, ApplyError, Work, apply},
    event::{Event, Events, MigrationDone},
    history::StatementDigest,
    migration::{MigrationSet, Version},
    mysql::books::JournalRow,
    plan::{Goal, PlanOptions},
    tenant::{Label, ServerId},
};
use tokio_util::sync::CancellationToken;

use crate::{
    disturbed::{applied, run, runtime},
    model::State,
    session::{Database, How, ModelSession, Moment},
    sets::{every_shape, migration, reversible, set},
};

const ALL: Goal = Goal::DownTo(Version(0));

#[test]
fn nothing_to_do_is_one_query() {
    let set = every_shape();
    let start = applied(&set);
    let database = Database::new(start.clone());
    let (result, moments) = run(&database, &set, Goal::Latest, None);
    assert!(result.expect("nothing can fail").is_empty());
    assert!(matches!(moments[..], [Moment::History]), "{moments:?}");
    assert_eq!(database.committed(), start);
}

/// The first query is a glance, which has no names.
#[test]
fn a_refusal_is_two_queries_and_names_what_it_refuses() {
    let database = Database::new(applied(&reversible(&["ddl one", "ddl two"])));
    database.change(|state| {
        state.rows.iter_mut().flatten().for_each(|row| row.description = format!("words of {}", row.version));
    });
    let (result, moments) = run(&database, &reversible(&["ddl one"]), Goal::Latest, None);
    let error = result.expect_err("a file is missing").to_string();
    assert!(error.contains("words of 2"), "{error}");
    assert!(matches!(moments[..], [Moment::History, Moment::History]), "{moments:?}");
}

/// Nothing but the primary key keeps two runs from applying a migration twice, and a `down` would run twice for two rows.
#[test]
fn a_row_that_is_there_twice_is_refused() {
    let set = reversible(&["ddl one"]);
    let database = Database::new(applied(&set));
    database.change(|state| {
        let rows = state.rows.as_mut().expect("it is applied");
        rows.push(rows[0].clone());
    });
    for goal in [Goal::Latest, ALL] {
        let error = run(&database, &set, goal, None).0.expect_err("a row too many");
        assert!(error.to_string().contains("1 (m1) has more than one row"), "{error}");
    }
    assert!(database.committed().effects.is_empty());
}

#[test]
fn the_lock_comes_before_any_write() {
    let set = every_shape();
    for (start, goal) in [(State::default(), Goal::Latest), (applied(&set), ALL)] {
        let (_, moments) = run(&Database::new(start), &set, goal, None);
        assert!(matches!(moments[..2], [Moment::History, Moment::Lock]), "{moments:?}");
    }
}

/// Only a script that a crash could leave in doubt needs the journal's table.
#[test]
fn no_journal_where_none_is_needed() {
    let set = reversible(&["ddl one", "dml a\nset x\ndml b uses x", "-- nothing", "call p"]);
    let database = Database::default();
    run(&database, &set, Goal::Latest, None).0.expect("nothing can fail");
    assert_eq!(database.committed().journal, None);
}

/// A procedure may do rows alone, and then nothing but us commits them.
#[test]
fn a_call_alone_is_committed() {
    let set = reversible(&["call p"]);
    let database = Database::default();
    run(&database, &set, Goal::Latest, None).0.expect("nothing can fail");
    let state = database.committed();
    assert_eq!(state.effects, ["call p"]);
    assert!(state.history().row(Version(1)).is_some_and(|row| row.success));
}

#[test]
fn another_run_holds_the_lock() {
    let database = Database::default();
    database.lock();
    let (result, _) = run(&database, &every_shape(), Goal::Latest, None);
    assert!(matches!(result, Err(ApplyError::Lock(_))), "{result:?}");
    assert_eq!(database.committed(), State::default());
}

/// From outside, another run's half-done migration looks dirty; under the lock it is done.
#[test]
fn what_looks_dirty_may_be_another_run() {
    let set = reversible(&["ddl one\nddl two"]);
    let database = Database::new(applied(&set));
    let mut session = ModelSession::new(&database, None);
    let mut seen = database.committed().history();
    seen.rows[0].success = false;
    session.seen_before_lock = Some(seen);
    let (result, done, events) = listen(&mut session, &set, Goal::Latest, None);
    assert_eq!(result.expect("nothing is to be done"), Applied::Complete);
    assert!(done.is_empty());
    assert!(
        matches!(session.moments[..], [Moment::History, Moment::History, Moment::Lock]),
        "{:?}",
        session.moments
    );
    assert!(matches!(events[..], [Event::TenantPlanned { n_migrations: 0, .. }]), "{events:?}");
}

#[test]
fn told_to_stop_it_finishes_what_it_began() {
    let set = reversible(&["ddl one", "ddl two\nddl three", "ddl four", "dml a"]);
    for (statement, n_done) in [("ddl one", 1), ("ddl two", 2), ("ddl three", 2), ("dml a", 4)] {
        let database = Database::default();
        let mut session = ModelSession::new(&database, None);
        let (result, done, _) = listen(&mut session, &set, Goal::Latest, Some(statement));
        let expected = match 4 - n_done {
            0 => Applied::Complete,
            n_remaining => Applied::Stopped { n_remaining },
        };
        assert_eq!((result.expect("a stop is no error"), done.len()), (expected, n_done), "{statement}");
        let state = database.committed();
        assert!(state.history().rows.iter().all(|row| row.success));
        assert_eq!(state.history().rows.len(), n_done);
        assert_eq!(state.journal.as_deref(), Some(&[][..]));
    }
}

/// What is done before a failure is told, and a statement that failed may be mended.
#[test]
fn a_mended_statement_is_where_it_goes_on() {
    let broken = reversible(&["ddl one", "set x\nddl two\nddl thre\ndml a uses x"]);
    let mended = reversible(&["ddl one", "set x\nddl two\nddl three\ndml a uses x\nddl five"]);
    let database = Database::default();
    let (_, moments) = run(&Database::default(), &broken, Goal::Latest, None);
    let at = moments
        .iter()
        .position(|m| matches!(m, Moment::Execute(text) if text == "ddl thre"))
        .expect("it runs");
    let error = run(&database, &broken, Goal::Latest, Some((at, How::Refused))).0.expect_err("it fails");
    let ApplyError::Statement(error) = error else { panic!("{error}") };
    assert_eq!(error.aftermath, Aftermath::Partly { n_finished: 2 });
    assert_eq!((error.at.statement, error.at.line, error.at.n_statements), (3, 3, 4));
    let journal = database.committed().journal.expect("it is there");
    assert_eq!(journal[0].error.as_deref(), Some(&*error.source.to_string()));

    run(&database, &mended, Goal::Latest, None).0.expect("it is mended");
    let state = database.committed();
    assert_eq!(state.effects, ["ddl one", "ddl two", "ddl three", "dml a uses x", "ddl five"]);
    let checksum = mended.get(Version(2)).expect("it is there").up.checksum.0.to_vec();
    assert_eq!(state.history().row(Version(2)).expect("it is applied").checksum, checksum);
}

/// Cutting the statements away that did not run is one way to mend a file.
#[test]
fn a_file_cut_down_to_what_ran_is_done() {
    let database = Database::default();
    let broken = reversible(&["dml a\nddl two\nddl three"]);
    let (_, moments) = run(&Database::default(), &broken, Goal::Latest, None);
    let at = moments
        .iter()
        .position(|m| matches!(m, Moment::Execute(text) if text == "ddl two"))
        .expect("it runs");
    run(&database, &broken, Goal::Latest, Some((at, How::Refused))).0.expect_err("it fails");
    run(&database, &reversible(&["dml a"]), Goal::Latest, None).0.expect("nothing is left to run");
    let state = database.committed();
    assert_eq!(state.effects, ["dml a"]);
    assert_eq!(state.journal.as_deref(), Some(&[][..]));
    assert!(state.history().row(Version(1)).is_some_and(|row| row.success));
}

/// A person who settles a dirty migration in the history alone leaves our journal's row behind. It must not be
/// believed when the migration is begun again, in either direction. It is as older versions of this tool wrote it, which
/// knew of no table of statements.
#[test]
fn what_was_settled_by_hand_is_forgotten() {
    let set = reversible(&["ddl one\nddl two", "ddl three\nddl four"]);
    let stale = |version, text| JournalRow {
        version: Version(version),
        direction: "up".into(),
        n_statements: 2,
        finished: format!("{:016x}", StatementDigest::of(text).0),
        running: None,
        error: None,
    };
    let one = migration(1, "ddl one\nddl two", Some("ddl undo one\nddl undo two"));
    let mut start = applied(&self::set(vec![one]));
    start.journal = Some(vec![stale(1, "ddl one"), stale(2, "ddl three")]);
    start.statements = None;

    let database = Database::new(start.clone());
    run(&database, &set, Goal::Latest, None).0.expect("nothing can fail");
    assert_eq!(database.committed().effects, ["ddl three", "ddl four"]);
    assert_eq!(database.committed().journal.as_deref(), Some(&[][..]));

    let (_, moments) = run(&Database::new(start.clone()), &set, ALL, None);
    let undo_two = |m: &Moment| matches!(m, Moment::Execute(text) if text == "ddl undo two");
    let at = moments.iter().position(undo_two).expect("it runs");
    let database = Database::new(start);
    run(&database, &set, ALL, Some((at, How::Refused))).0.expect_err("it fails");
    run(&database, &set, Goal::Latest, None).0.expect_err("half undone is not half applied");
    run(&database, &set, ALL, None).0.expect("it goes on");
    assert_eq!(database.committed().effects, ["ddl undo one", "ddl undo two"]);
}

/// Runs in `session` and listens; cancels when `stop_at` begins.
pub(crate) fn listen(
    session: &mut ModelSession,
    set: &MigrationSet,
    goal: Goal,
    stop_at: Option<&str>,
) -> (Result<Applied, ApplyError>, Vec<MigrationDone>, Vec<Event>) {
    let (events, mut receiver) = Events::channel();
    let (stop, mut done) = (CancellationToken::new(), Vec::new());
    let server = ServerId { host: "localhost".into(), port: 3306 };
    let label = Label { id: None, slug: "a".into(), name: "A".into(), database: "a_db".into(), server };
    session.stop_at = stop_at.map(|text| (text.to_owned(), stop.clone()));
    let options = PlanOptions { goal, allow_out_of_order: false, allow_existing_tables: false };
    let work = Work { set, options: &options, tenant: &label.into(), events: &events, stop: &stop };
    let mut heard = Vec::new();
    let result = runtime().block_on(async {
        // The channel is bounded: who does not listen meanwhile stops the work.
        let mut result = std::pin::pin!(apply(session, work, &mut done));
        loop {
            tokio::select! {
                biased;
                Some(event) = receiver.recv() => heard.push(event),
                result = &mut result => break result,
            }
        }
    });
    while let Ok(event) = receiver.try_recv() {
        heard.push(event);
    }
    (result, done, heard)
}
