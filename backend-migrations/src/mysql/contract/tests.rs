use std::{fs, path::Path, time::Duration};

use super::{N_STATEMENTS, VARIABLES, hold_lock, refused, set_up};
use crate::session::{Limits, SessionError};

#[test]
fn statements() {
    let sql = set_up(&Limits::DEFAULT);
    assert_eq!(sql.split(';').count(), N_STATEMENTS, "no value has a `;`");
    // One variable a line, for whoever reads a change of it.
    let names = VARIABLES.iter().map(|(name, ..)| format!(",{name}="));
    let lines = names.fold(sql.replace(';', ";\n"), |sql, name| sql.replace(&name, &format!("\n  {name}")));
    insta::assert_snapshot!(lines);
}

#[test]
fn a_lock_is_waited_for_a_second_at_least() {
    let limits = Limits { lock_wait: Duration::from_millis(10), ..Limits::DEFAULT };
    assert!(set_up(&limits).contains(",lock_wait_timeout=1,innodb_lock_wait_timeout=1,"));
}

/// One that is set and not told would be a surprise, and one that is told and not set a lie.
#[expect(clippy::disallowed_methods, reason = "the page is this test's subject")]
#[test]
fn the_page_has_each_variable() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guarantees.md");
    let page = fs::read_to_string(page).expect("it is there");
    let section = page.split("\n## ").find(|section| section.starts_with("The session contract\n"));
    let table = section.expect("the page has the section").lines().filter(|line| line.starts_with("| `"));
    let mut told: Vec<_> = table
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let special = [
        "autocommit",
        "sql_mode",
        "wait_timeout",
        "lock_wait_timeout",
        "innodb_lock_wait_timeout",
        "default_collation_for_utf8mb4",
        "transaction_isolation",
        "transaction_read_only",
        "character_set_client",
        "character_set_connection",
        "character_set_results",
        "collation_connection",
        "sql_log_bin",
        "enforce_storage_engine",
    ];
    let mut set: Vec<_> = VARIABLES.iter().map(|(name, ..)| *name).chain(special).collect();
    told.sort_unstable();
    set.sort_unstable();
    assert_eq!(told, set);
}

#[test]
fn a_lock_that_is_held_outlasts_an_idle_connection() {
    insta::assert_snapshot!(hold_lock("'a'", Duration::from_secs(7)), @"SET wait_timeout=2147483;SELECT GET_LOCK('a', 7), CAST(CONNECTION_ID() AS SIGNED)");
}

#[test]
fn refusals() {
    let server = SessionError::Server {
        number: 1193,
        sqlstate: Some("HY000".into()),
        message: "Unknown system variable 'sql_safe_updates'".into(),
    };
    let settings = |unmet: &str| SessionError::Settings { unmet: unmet.into() };
    let lost = SessionError::Lost { message: "it was closed".into() };
    let told: Vec<_> = [
        refused(Err(server)),
        refused(Err(lost)),
        refused(Ok(())),
        settings("sql_log_bin = 0"),
        settings("enforce_storage_engine = MyISAM"),
        settings("autocommit = 0; sql_mode = ANSI_QUOTES"),
    ]
    .into_iter()
    .map(|error| format!("{error}\nhint: {}\n", error.hint().unwrap_or_default()))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}
