//! The session between two migrations of one run.

use backend_migrations::{
    apply::{Applied, ApplyError, Work, apply},
    event::Events,
    migration::{MigrationSet, Version},
    plan::{Goal, PlanOptions},
    tenant::{Label, ServerId},
};
use tokio_util::sync::CancellationToken;

use crate::{
    disturbed::{applied, runtime},
    model::State,
    session::{Database, ModelSession, Moment},
    sets::reversible,
};

/// Runs to `goal`, with what another run makes of the database while the session is renewed; gives the versions that were
/// done, too.
fn run(
    database: &Database,
    set: &MigrationSet,
    goal: Goal,
    between: Option<State>,
) -> (Result<Applied, ApplyError>, Vec<i64>, Vec<Moment>) {
    let mut session = ModelSession::new(database, None);
    session.between = between;
    let (events, _) = Events::channel();
    let server = ServerId { host: "localhost".into(), port: 3306 };
    let label = Label { id: None, slug: "a".into(), name: "A".into(), database: "a_db".into(), server };
    let work = Work {
        set,
        options: &PlanOptions { goal, allow_out_of_order: false, allow_existing_tables: false },
        tenant: &label.into(),
        events: &events,
        stop: &CancellationToken::new(),
    };
    let mut done = Vec::new();
    let result = runtime().block_on(apply(&mut session, work, &mut done));
    (result, done.iter().map(|done| done.version.0).collect(), session.moments)
}

fn n_locks(moments: &[Moment]) -> usize {
    moments.iter().filter(|moment| matches!(moment, Moment::Lock)).count()
}

#[test]
#[should_panic(expected = "ran in a session without `set x`")]
fn a_migration_finds_nothing_of_the_one_before() {
    let set = reversible(&["set x\nddl one", "dml a uses x"]);
    run(&Database::default(), &set, Goal::Latest, None).0.ok();
}

#[test]
fn only_what_may_leave_something_costs_a_connection() {
    let check = |ups: &[&str], expected: usize| {
        let (result, _, moments) = run(&Database::default(), &reversible(ups), Goal::Latest, None);
        assert_eq!(result.expect("nothing can fail"), Applied::Complete);
        assert_eq!(n_locks(&moments), expected, "{ups:?}");
    };
    check(&["ddl one", "dml a\ndml b", "drop t u", "ddl two\ndml c"], 1);
    check(&["set x\nddl one", "ddl two", "call p", "ddl three"], 3);
    // Nothing comes after it.
    check(&["ddl one", "set x\nddl two"], 1);
}

#[test]
fn what_another_run_has_applied_meanwhile_is_not_applied_again() {
    let set = reversible(&["set x\nddl one", "ddl two", "ddl three"]);
    let (database, another) = (Database::default(), Database::default());
    run(&another, &set, Goal::UpTo(Version(2)), None).0.ok();
    let (result, done, _) = run(&database, &set, Goal::Latest, Some(another.committed()));
    assert_eq!(result.expect("nothing can fail"), Applied::Complete);
    assert_eq!(done, [1, 3]);
    assert_eq!(database.committed().effects, ["ddl one", "ddl two", "ddl three"]);
}

#[test]
fn a_rollback_undoes_no_more_than_it_was_to() {
    let set = reversible(&["ddl one", "ddl two", "set x\nddl three"]);
    let another = Database::new(applied(&set));
    run(&another, &set, Goal::Down { steps: 2 }, None).0.ok();
    let database = Database::new(applied(&set));
    let (result, done, _) = run(&database, &set, Goal::Down { steps: 2 }, Some(another.committed()));
    assert!(matches!(result, Err(ApplyError::Changed)), "{result:?}");
    assert_eq!(done, [3]);
    assert_eq!(database.committed().effects, ["ddl undo three", "ddl undo two"]);

    // Towards a version it is as good whoever undid what lies above it.
    let database = Database::new(applied(&set));
    let (result, done, _) = run(&database, &set, Goal::DownTo(Version(1)), Some(another.committed()));
    assert_eq!(result.expect("nothing can fail"), Applied::Complete);
    assert_eq!(done, [3]);
    assert_eq!(database.committed().effects, ["ddl undo three", "ddl undo two"]);
}
