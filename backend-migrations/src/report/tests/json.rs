use std::{collections::BTreeSet, time::Duration};

use insta::assert_snapshot;
use serde_json::Value;

use crate::{
    event::{Event, FailureCode, Outcome, Scope, StopReason, Task},
    migration::Direction::Up,
    report::{error_line, samples::*},
    standing::State::{Applied, Dirty, OutOfOrder, Pending},
};

/// Every event there is.
fn every_event() -> Vec<Event> {
    let (file_name, elapsed) = (format!("{LABELS}.up.sql"), Duration::from_micros(1234));
    vec![
        started(Task::Migrate, Scope::Fleet, 9, false),
        Event::TenantStarted { tenant: acme() },
        Event::TenantPlanned { tenant: acme(), n_migrations: 2 },
        Event::MigrationStarted { tenant: acme(), file_name, n_statements: 3, n_finished: 1 },
        Event::StatementStarted { tenant: acme(), at: place() },
        Event::Waiting { tenant: acme(), at: None, for_what: "try 2 of 4".to_owned() },
        Event::Waiting { tenant: acme(), at: Some(place()), for_what: "a lock".to_owned() },
        Event::StatementFinished { tenant: acme(), at: place(), n_rows: 7, elapsed },
        Event::MigrationFinished { tenant: acme(), done: done(LABELS, Up) },
        Event::Warning { tenant: Some(acme()), message: "mind the gap".to_owned() },
        Event::Warning { tenant: None, message: "mind all gaps".to_owned() },
        finished(&acme(), migrated(&[LABELS], Up)),
        finished(&techstart(), Outcome::UpToDate),
        finished(&techstart(), Outcome::Stopped { done: vec![done(PRIORITY, Up)], n_remaining: 1 }),
        finished(&techstart(), failed(failure(FailureCode::Statement))),
        Event::Stopping { reason: StopReason::Interrupted },
        ended(numbered(2), Some(StopReason::Interrupted)),
    ]
}

#[test]
fn every_event_has_its_line() {
    assert_snapshot!("json_every_event", json(&every_event()));
}

#[test]
fn every_kind_of_failure() {
    let turns = CODES.map(|code| (acme(), failed(failure(code))));
    assert_snapshot!("json_failures", json(&run(Task::Migrate, Scope::Fleet, false, turns)));
}

fn dry_run() -> Vec<Event> {
    let turns = [
        (acme(), planned(&[(PRIORITY, Up, 0), (LABELS, Up, 1)])),
        (techstart(), planned(&[(LABELS, Up, 0)])),
        (central(), Outcome::UpToDate),
    ];
    run(Task::Migrate, Scope::Fleet, true, turns)
}

#[test]
fn a_dry_run_tells_each_script_once() {
    assert_snapshot!("json_dry_run", json(&dry_run()));
}

fn status(scope: Scope) -> Vec<Event> {
    run(Task::Status, scope, false, [(acme(), inspected(&[Applied, OutOfOrder, Applied, Dirty, Pending]))])
}

#[test]
fn a_status_run() {
    assert_snapshot!("json_status_fleet", json(&status(Scope::Fleet)));
    assert_snapshot!("json_status_tenant", json(&status(Scope::Tenant)));
}

#[test]
fn hostile_names_are_the_same_to_a_program_and_harmless_to_a_terminal() {
    let text = json(&run(Task::Migrate, Scope::Fleet, false, [(mallory(), Outcome::UpToDate)]));
    assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{text:?}");
    let line: Value = serde_json::from_str(text.lines().nth(1).expect("a second line")).expect("JSON");
    assert_eq!(line["tenant"]["name"], mallory().name);
    assert_snapshot!("json_hostile", text);
}

#[test]
fn an_error_before_the_run() {
    let line = error_line("central-unreachable", "no route\u{9b} to host", Some("is the server up?"));
    assert_snapshot!("json_error", line);
}

/// The reference names every event, field and word that is ever written.
#[test]
fn the_reference_is_complete() {
    let reference = include_str!("../../../../docs/events.md");
    let mut words = BTreeSet::new();
    let runs = [every_event(), dry_run(), status(Scope::Tenant)].iter().map(|e| json(e)).collect::<String>();
    let error = error_line("usage", "no", None);
    for line in runs.lines().chain(error.lines()) {
        collect(&serde_json::from_str(line).expect("every line is JSON"), &mut words);
    }
    words.extend(CODES.map(|code| code.as_str().to_owned()));
    let absent: Vec<_> = words.iter().filter(|word| !reference.contains(&format!("`{word}`"))).collect();
    assert!(absent.is_empty(), "docs/events.md says nothing of {absent:?}");
}

fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                words.insert(key.clone());
                if let (
                    "event" | "outcome" | "verdict" | "stop_reason" | "reason" | "state",
                    Value::String(word),
                ) = (key.as_str(), value)
                    && !word.contains(' ')
                {
                    words.insert(word.clone());
                }
                collect(value, words);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}
