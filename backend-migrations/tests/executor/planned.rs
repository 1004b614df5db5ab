//! What is planned for hundreds of pairs of history and goal: read the tables, they are the specification.

use std::fmt::Write as _;

use crate::cases::{brief, check};

const GOALS: [&str; 17] = [
    "latest", "latest!", "to 1", "to 2", "to! 2", "to 4", "to 9", "down 1", "down 2", "down 9", "back 0",
    "back 1", "back 3", "back 9", "undo 3", "undo 3,2", "undo 2,1",
];

fn table(set: &str, histories: &[&str]) -> String {
    let mut table = format!("files: {set}\n");
    for history in histories {
        writeln!(table, "\nhistory: {history}").expect("a string takes it");
        for goal in GOALS {
            writeln!(table, "    {goal:8} {}", brief(&check(set, history, goal))).expect("a string takes it");
        }
    }
    table
}

#[test]
fn clean_histories() {
    insta::assert_snapshot!(table("1 2 3 4", &["", "1", "1 2", "1 2 3 4", "2", "1 3", "1 2 4"]));
}

#[test]
fn histories_that_do_not_fit() {
    insta::assert_snapshot!(table(
        "1 2 3x 4",
        &["1m", "1 2m 3", "1 7", "1 2 3 4 7 8", "1 2 3", "1m 2 5 6m", "4m"]
    ));
}

#[test]
fn half_applied() {
    let histories = [
        "1?",
        "1?+1",
        "1?+1e",
        "1?+0r",
        "1?+2r",
        "1?+3",
        "1?+1z",
        "1?+4",
        "1 2?+1",
        "1 3?+1",
        "1 2 3 4?+2",
        "1 9?+1",
        "1m 2?+1",
    ];
    insta::assert_snapshot!(table("1 2 3 4", &histories));
}

#[test]
fn half_undone() {
    let histories = [
        "1d",
        "1d-1",
        "1d-1e",
        "1d-0r",
        "1d-3",
        "1d-2z",
        "1 2d-1",
        "1?-1",
        "1 2 3 4d-2",
        "1 2?+1 3d-1",
        "1 9d-1",
    ];
    insta::assert_snapshot!(table("1 2 3 4", &histories));
}

#[test]
fn half_undone_without_a_file_to_finish_it() {
    insta::assert_snapshot!(table("1 2x", &["1 2d-1"]));
}
