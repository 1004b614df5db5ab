use insta::assert_snapshot;

use crate::{
    event::{Event, FailureCode, Outcome, Scope, StopReason, Task},
    report::samples::*,
    standing::State::{Ahead, Applied, Dirty, Missing, Modified, OutOfOrder, Pending, Running},
};

#[test]
fn a_fleet_with_every_state() {
    let long = "A tenant whose name goes on and on until nobody reads it any more";
    let turns = [
        (tenant("Zeta", "zeta"), inspected(&[Applied, Applied, Applied])),
        (acme(), inspected(&[Applied, Applied, Applied])),
        (techstart(), inspected(&[Applied, Applied, Pending])),
        (tenant("株式会社テスト", "kk-test"), inspected(&[Pending, Pending, Pending])),
        (tenant("Globex", "globex"), inspected(&[Applied, Dirty, Pending])),
        (tenant("Initech", "initech"), inspected(&[Modified, OutOfOrder, Applied])),
        (tenant("Umbrella", "umbrella"), inspected(&[Missing, Applied, Applied, Ahead])),
        (tenant(long, "long"), failed(failure(FailureCode::Connect))),
        (tenant("Hooli", "hooli"), failed(failure(FailureCode::Connect))),
        (tenant("Stark", "stark"), failed(failure(FailureCode::Credentials))),
        (mallory(), failed(failure(FailureCode::NoDatabase))),
        (tenant("Wayne", "wayne"), failed(failure(FailureCode::History))),
    ];
    let events = run(Task::Status, Scope::Fleet, false, turns);
    assert_snapshot!("status_fleet", human(&events));
}

#[test]
fn a_fleet_that_was_not_looked_at_to_its_end() {
    let events = [
        started(Task::Status, Scope::Fleet, 26, false),
        finished(&acme(), inspected(&[Applied])),
        Event::Stopping { reason: StopReason::Interrupted },
        ended(numbered(25), Some(StopReason::Interrupted)),
    ];
    assert_snapshot!("status_interrupted", human(&events));
}

#[test]
fn one_database_version_by_version() {
    let states = [Modified, Missing, Applied, OutOfOrder, Applied, Dirty, Pending, Ahead];
    let events = run(Task::Status, Scope::Tenant, false, [(acme(), inspected(&states))]);
    assert_snapshot!("status_tenant", human(&events));
    let events = run(Task::Status, Scope::Central, false, [(central(), inspected(&[]))]);
    assert_snapshot!("status_central_empty", human(&events));
    let turns = [(acme(), failed(failure(FailureCode::AccessDenied)))];
    assert_snapshot!("status_tenant_unreachable", human(&run(Task::Status, Scope::Tenant, false, turns)));
}

#[test]
fn what_is_being_worked_on_is_not_called_dirty() {
    let running = || Outcome::Inspected {
        standing: standing(&[Applied, Running, Pending]),
        at_work: Some(
            "connection 20 (tenant_acme@10.0.0.7:45942), for 3 s: ALTER TABLE t ADD COLUMN m INT".into(),
        ),
    };
    let turns = [
        (tenant("Globex", "globex"), inspected(&[Applied, Dirty, Pending])),
        (acme(), running()),
        (techstart(), inspected(&[Applied, Applied, Applied])),
    ];
    assert_snapshot!("status_fleet_running", human(&run(Task::Status, Scope::Fleet, false, turns)));
    assert_snapshot!(
        "status_tenant_running",
        human(&run(Task::Status, Scope::Tenant, false, [(acme(), running())]))
    );
}

#[test]
fn ten_thousand_tenants_have_a_line_each() {
    let turns = numbered(10_000).into_iter().map(|tenant| (tenant, inspected(&[Applied, Pending])));
    let text = human(&run(Task::Status, Scope::Fleet, false, turns));
    assert_eq!(text.lines().filter(|line| line.contains("1 pending")).count(), 10_000);
    assert!(text.ends_with("📊 10000 tenants: 10000 pending\n"), "{}", &text[text.len() - 200..]);
}
