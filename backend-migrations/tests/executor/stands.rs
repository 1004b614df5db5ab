//! What `migrate:status` shows of a database.

use backend_migrations::standing::{Standing, State};

use crate::cases::{files, history};

fn stand(set: &str, rows: &str) -> String {
    let standing = Standing::of(&files(set), &history(rows));
    let words = standing.versions.iter().map(|v| {
        let time = v.execution_time_ns.map(|ns| format!(" {ns} ns")).unwrap_or_default();
        format!("{} {}{time}", v.version, v.state.as_str())
    });
    let words: Vec<_> = words.collect();
    let current = standing.current().map_or_else(|| "-".into(), |v| v.to_string());
    let settled = if standing.is_settled() { " settled" } else { "" };
    format!("{set:8} | {rows:12} | at {current}{settled}: {}", words.join(", "))
}

#[test]
fn states() {
    let rows = [
        ("", ""),
        ("1 2", ""),
        ("1 2", "1"),
        ("1 2", "1 2"),
        ("1 2 3", "1 3"),
        ("1 2 3", "1 3?"),
        ("1 2", "1m"),
        ("1 2", "1 2?"),
        ("1 2", "1 2d-1"),
        ("1 3", "1 2 3"),
        ("1 3", "1 2? 3"),
        ("1 2", "1 2 3"),
        ("1 2", "1 2 3?"),
        ("", "1"),
        ("2", "1 3"),
    ];
    insta::assert_snapshot!(rows.map(|(set, rows)| stand(set, rows)).join("\n"), @r"
             |              | at - settled: 
    1 2      |              | at -: 1 pending, 2 pending
    1 2      | 1            | at 1: 1 applied 5 ns, 2 pending
    1 2      | 1 2          | at 2 settled: 1 applied 5 ns, 2 applied 5 ns
    1 2 3    | 1 3          | at 3: 1 applied 5 ns, 2 out of order, 3 applied 5 ns
    1 2 3    | 1 3?         | at 1: 1 applied 5 ns, 2 out of order, 3 dirty
    1 2      | 1m           | at 1: 1 modified 5 ns, 2 pending
    1 2      | 1 2?         | at 1: 1 applied 5 ns, 2 dirty
    1 2      | 1 2d-1       | at 1: 1 applied 5 ns, 2 dirty 5 ns
    1 3      | 1 2 3        | at 3: 1 applied 5 ns, 2 missing 5 ns, 3 applied 5 ns
    1 3      | 1 2? 3       | at 3: 1 applied 5 ns, 2 dirty, 3 applied 5 ns
    1 2      | 1 2 3        | at 3: 1 applied 5 ns, 2 applied 5 ns, 3 ahead 5 ns
    1 2      | 1 2 3?       | at 2: 1 applied 5 ns, 2 applied 5 ns, 3 dirty
             | 1            | at 1: 1 ahead 5 ns
    2        | 1 3          | at 3: 1 missing 5 ns, 2 out of order, 3 ahead 5 ns
    ");
}

#[test]
fn counts() {
    let standing = Standing::of(&files("1 2 3 4 5"), &history("1 2m 4? 9"));
    assert_eq!(standing.count(State::Applied), 1);
    assert_eq!(standing.count(State::Modified), 1);
    assert_eq!(standing.count(State::OutOfOrder), 2);
    assert_eq!(standing.count(State::Ahead), 1);
    assert!(!standing.is_settled());
}
