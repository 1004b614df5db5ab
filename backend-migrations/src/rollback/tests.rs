use super::*;
use crate::{
    migration::Direction,
    sql::parse_script,
    tenant::{Label, ServerId, TenantId},
};

/// Migrations 1 to 6, each with a `down`.
fn set() -> MigrationSet {
    let script = |name: String, text: &str| parse_script(&name, text.as_bytes()).expect("a sound script");
    let migration = |version: i64| crate::migration::Migration {
        version: Version(version),
        description: format!("t{version}"),
        up: script(format!("{version}_t.up.sql"), &format!("CREATE TABLE t{version} (id INT)")),
        down: Some(script(format!("{version}_t.down.sql"), &format!("DROP TABLE t{version}"))),
    };
    MigrationSet::new((1..=6).map(migration).collect()).expect("each version once")
}

fn label(slug: &str) -> SharedLabel {
    let server = ServerId { host: "db".to_owned(), port: 3306 };
    let (slug, database) = (slug.to_owned(), format!("{slug}_db"));
    Label { id: Some(TenantId(slug.clone())), name: slug.clone(), slug, database, server }.into()
}

fn planned(set: &MigrationSet, versions: &[i64]) -> Look {
    let step = |version: &i64| MigrationPlanned {
        migration: set.get(Version(*version)).expect("a version of the set").clone(),
        direction: Direction::Down,
        n_finished: 0,
    };
    Look::Planned(versions.iter().map(step).collect())
}

fn failed(code: FailureCode, message: &str) -> Look {
    let message = message.to_owned();
    let hint = Some("mend it".to_owned());
    Look::Failed(Box::new(Failure { code, message, at: None, excerpt: None, state: None, hint }))
}

fn resolve(depth: Depth, looks: Vec<(&str, Look)>) -> Result<Rollback, RollbackError> {
    let labels = looks.iter().map(|(slug, _)| label(slug)).collect();
    let looks = looks.into_iter().map(|(slug, look)| (label(slug), look)).collect();
    Rollback::resolve(&set(), depth, labels, looks)
}

fn steps(n: usize) -> Depth {
    Depth::Steps(NonZeroUsize::new(n).expect("at least one"))
}

#[test]
fn steps_become_the_version_below_them() {
    let check = |versions: &[i64], to: i64| {
        let set = set();
        let looks = vec![("a", planned(&set, versions)), ("b", planned(&set, versions))];
        let rollback = resolve(steps(versions.len().max(1)), looks).expect("all stand alike");
        assert_eq!(rollback.to, Version(to), "{versions:?}");
    };
    check(&[6], 5);
    check(&[6, 5], 4);
    // Version 4 is pending here: it was applied out of order elsewhere.
    check(&[5, 3], 2);
    check(&[2, 1], 0);
    check(&[], 0);
}

#[test]
fn a_version_is_taken_as_it_is() {
    let set = set();
    let looks = vec![("a", planned(&set, &[6, 5])), ("b", planned(&set, &[])), ("c", planned(&set, &[5]))];
    let rollback = resolve(Depth::To(Version(4)), looks).expect("nothing is in the way");
    assert_eq!(rollback.to, Version(4));
    let slugs: Vec<_> = rollback.databases().map(|label| label.slug.as_str()).collect();
    assert_eq!(slugs, ["a", "c"]);
    let names: Vec<_> = rollback.migrations().iter().flat_map(|step| step.names()).collect();
    assert_eq!(names, ["t6", "t5"]);
}

#[test]
fn steps_that_mean_different_migrations_are_refused() {
    let set = set();
    let looks = vec![
        ("a", planned(&set, &[5])),
        ("b", planned(&set, &[6])),
        ("c", planned(&set, &[])),
        ("d", planned(&set, &[6])),
    ];
    let error = resolve(steps(1), looks).expect_err("they stand at different versions");
    insta::assert_snapshot!(format!("{error}\n\n{}", error.hint().expect("a hint")));
    // The same newest one, and another one below it.
    let looks = vec![("a", planned(&set, &[6, 5])), ("b", planned(&set, &[6, 4]))];
    let error = resolve(steps(2), looks).expect_err("what they would lose differs");
    assert!(matches!(error, RollbackError::Differ { to: Version(4), .. }), "{error}");
    // An interrupted rollback that is begun anew: one has lost its newest.
    let looks = vec![("a", planned(&set, &[5])), ("b", planned(&set, &[6])), ("c", planned(&set, &[6]))];
    let error = resolve(steps(1), looks).expect_err("one has lost it already");
    assert!(matches!(error, RollbackError::Differ { to: Version(5), .. }), "{error}");
}

#[test]
fn who_cannot_be_looked_at_or_shares_a_database_stands_nowhere() {
    let set = set();
    let looks = vec![
        ("a", planned(&set, &[6])),
        ("b", failed(FailureCode::Connect, "refused")),
        ("c", Look::Same("it is that of a".to_owned())),
    ];
    let rollback = resolve(steps(1), looks).expect("the one that can be looked at");
    assert_eq!(rollback.to, Version(5));
    assert_eq!(rollback.databases().count(), 1);
}

#[test]
fn a_down_that_one_lacks_stops_all() {
    let set = set();
    let looks = vec![
        ("a", planned(&set, &[6])),
        ("b", failed(FailureCode::NoDown, "no down: 6")),
        ("c", failed(FailureCode::NoDown, "no down: 6")),
    ];
    let error = resolve(Depth::To(Version(5)), looks).expect_err("two lack it");
    assert_eq!(error.to_string(), "nothing was touched: b (and 1 other): no down: 6");
    assert_eq!(error.hint().as_deref(), Some("mend it"));
}
