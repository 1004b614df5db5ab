//! What a person reads who is woken by a refusal.

use backend_migrations::{
    migration::Checksum,
    plan::{PlanError, plan},
    sql::parse_script,
};

use crate::{
    cases::{check, files, history, options},
    sets::{migration, set},
};

fn words(error: &PlanError) -> String {
    format!("{error}\n\nhint:\n{}", error.hint().expect("a refusal always has one"))
}

fn refusal(set: &str, history: &str, goal: &str) -> String {
    words(&check(set, history, goal).expect_err("it is refused"))
}

#[test]
fn each_problem() {
    let cases = [
        ("1", "1m", "latest"),
        ("1", "1 2", "latest"),
        ("1 2 3", "1 3", "latest"),
        ("1 2", "1 2?", "latest"),
        ("1 2", "1 2d", "latest"),
        ("1 2", "1 2?+0r", "latest"),
        ("1 2", "1 2?+1r", "latest"),
        ("1 2", "1 2?+2r", "latest"),
        ("1 2", "1 2d-2r", "latest"),
        ("1 2", "1 2?+1e", "down 1"),
        ("1 2", "1 2?+1", "down 1"),
        ("1 2", "1 2d-1e", "latest"),
        ("1 2", "1 2?+1z", "latest"),
        ("1 2", "1 2d-2z", "down 1"),
        ("1 2x", "1 2", "down 1"),
        ("1 2", "1", "to 9"),
        ("1 2", "1 2", "to 1"),
        ("1 2 3", "1 2 3", "undo 2"),
        ("1 2 3", "1 2", "undo 3,2"),
        ("1 2 3", "1m 4 3m", "back 9"),
    ];
    let texts = cases
        .map(|(set, history, goal)| format!("# {set} | {history} | {goal}\n{}", refusal(set, history, goal)));
    insta::assert_snapshot!(texts.join("\n\n"));
}

/// A file that `migrate:make` wrote and nobody finished, or whose author saw nothing to undo.
#[test]
fn a_down_of_comments_alone() {
    let undo = |up: &str, down: &str| {
        let migration = migration(1, up, Some(down));
        let mut history = history("1");
        history.rows[0].checksum = migration.up.checksum.0.to_vec();
        plan(&set(vec![migration]), &history, &options("down 1"))
    };
    let refused = undo("ddl a", "-- nothing to undo").expect_err("it is refused");
    insta::assert_snapshot!(words(&refused), @r"
    no down: the `.down.sql` of 1 (m1) has no statement, so it would be recorded as undone and nothing would change

    hint:
    write what undoes it; where nothing has to be done, say so in that file: `DO 0;`
    ");
    assert!(undo("ddl a", "-- nothing to undo\nset nothing").is_ok(), "the file says so");
    assert!(undo("-- nothing to do", "-- nothing to undo").is_ok(), "there is nothing to undo");
}

/// An editor or git on Windows has changed every line, and nobody has changed a statement.
#[test]
fn line_ends_alone() {
    let (lf, crlf) = ("-- A\nDO 1;\n\nDO 2;\n", "-- A\r\nDO 1;\r\n\r\nDO 2;\r\n");
    let mixed = lf.replacen('\n', "\r\n", 1);
    let refusal = |now: &str, applied: &str| {
        let mut migration = migration(1, "dml a1", None);
        migration.up = parse_script("1_m1.up.sql", now.as_bytes()).expect("a sound script");
        let mut history = history("1");
        history.rows[0].checksum = Checksum::of(applied.as_bytes()).0.to_vec();
        words(&plan(&set(vec![migration]), &history, &options("latest")).expect_err("it is refused"))
    };
    let edited = refusal(lf, &lf.replace('2', "3"));
    assert!(edited.contains("edited"), "{edited}");
    assert_eq!(refusal(crlf, &crlf.replace('2', "3")), edited);
    assert_eq!(refusal(&mixed, lf), refusal(crlf, lf));
    assert_eq!(refusal(&mixed, crlf), refusal(lf, crlf));
    insta::assert_snapshot!(format!("{}\n\n{}", refusal(crlf, lf), refusal(lf, crlf)));
}

/// The same advice is given once, wherever its problems stand in the list.
#[test]
fn hints_are_not_repeated() {
    let error = check("1 3 5", "1m 2 3m 4 5m", "latest").expect_err("it is refused");
    assert_eq!(error.problems.len(), 5);
    assert_eq!(error.hint().expect("two").lines().count(), 2);
}

/// A file that has lost statements that are committed is named at its last line.
#[test]
fn shrunk_file() {
    let set = set(vec![migration(1, "ddl a1", None)]);
    let error = plan(&set, &history("1?+2"), &options("latest")).expect_err("refused");
    insta::assert_snapshot!(error, @"dirty: 1 (m1) is half applied, with 2 statements committed, and statement 2 is no longer as it ran (1_m1.up.sql:1)");
}

#[test]
fn only_dirt_may_be_another_runs_work() {
    let is_dirty = |history, goal| check("1 2 3", history, goal).expect_err("refused").is_dirty();
    assert!(is_dirty("1?", "latest") && is_dirty("1?+1", "down 1") && is_dirty("1?+1z", "latest"));
    assert!(is_dirty("1m 2?", "latest"));
    assert!(!is_dirty("1m", "latest") && !is_dirty("2", "latest") && !is_dirty("1 7", "latest"));
    assert!(!is_dirty("1", "to 9") && files("1").len() == 1);
}
