use insta::assert_snapshot;

use crate::{
    event::{Event, FailureCode, Outcome, Scope, StopReason, Task},
    migration::Direction::{Down, Up},
    report::samples::*,
};

#[test]
fn a_fleet_that_succeeds_reads_as_in_the_guide() {
    let names = [
        ("Acme Corp", "acme-corp"),
        ("TechStart", "techstart"),
        ("Globex", "globex"),
        ("Initech", "initech"),
        ("Umbrella", "umbrella"),
    ];
    let turns = names.map(|(name, slug)| (tenant(name, slug), migrated(&[PRIORITY], Up)));
    assert_snapshot!("fleet_succeeds", human(&run(Task::Migrate, Scope::Fleet, false, turns)));
}

/// Every outcome and everything that the summary counts.
fn mixed_fleet() -> Vec<Event> {
    let (globex, initech) = (tenant("Globex", "globex"), tenant("Initech", "initech"));
    let turns = [
        (techstart(), Outcome::UpToDate),
        (acme(), migrated(&[PRIORITY, LABELS], Up)),
        (
            globex,
            Outcome::Failed {
                done: vec![done(PRIORITY, Up)],
                failure: Box::new(failure(FailureCode::Statement)),
            },
        ),
        (initech, Outcome::Stopped { done: vec![done(PRIORITY, Up)], n_remaining: 1 }),
        (tenant("Umbrella", "umbrella"), failed(failure(FailureCode::Connect))),
    ];
    let mut events = run(Task::Migrate, Scope::Fleet, false, turns);
    events.pop();
    events[0] = started(Task::Migrate, Scope::Fleet, 8, false);
    events.push(Event::Stopping { reason: StopReason::FailureBudget });
    events.push(ended(numbered(3), Some(StopReason::FailureBudget)));
    events
}

#[test]
fn a_mixed_fleet() {
    assert_snapshot!("fleet_mixed", human(&mixed_fleet()));
}

#[test]
fn a_mixed_fleet_in_colours() {
    let text = colored(&mixed_fleet(), true);
    assert_eq!(console::strip_ansi_codes(&text), human(&mixed_fleet()), "colours add nothing else");
    assert_snapshot!("fleet_mixed_colored", text.replace('\u{1b}', "␛"));
}

/// A wrong key or a server that is down fails many tenants, each for the same reason or for one of its own kind.
#[test]
fn a_reason_is_told_once() {
    let refused = |name: &str| {
        let mut refused = failure(FailureCode::AccessDenied);
        refused.message = refused.message.replace("'acme'", &format!("'{name}'"));
        refused
    };
    let mut turns: Vec<_> =
        numbered(12).into_iter().map(|tenant| (tenant, failed(failure(FailureCode::Connect)))).collect();
    turns.push((acme(), failed(refused("acme"))));
    turns.push((tenant("Globex", "globex"), failed(failure(FailureCode::Statement))));
    turns.push((techstart(), failed(refused("techstart"))));
    let text = human(&run(Task::Migrate, Scope::Fleet, false, turns));
    assert_eq!(text.matches("hint: ").count(), 3, "{text}");
    assert_snapshot!("fleet_fails_for_a_few_reasons", text);
}

#[test]
fn every_kind_of_failure() {
    for code in CODES {
        let events = run(Task::Migrate, Scope::Tenant, false, [(acme(), failed(failure(code)))]);
        assert_snapshot!(format!("failure_{}", code.as_str()), human(&events));
    }
}

#[test]
fn every_reason_to_stop() {
    for (reason, name) in [
        (StopReason::FailureBudget, "failure_budget"),
        (StopReason::ReporterFailed, "reporter_failed"),
        (StopReason::Interrupted, "interrupted"),
        (StopReason::InterruptedTwice, "interrupted_twice"),
    ] {
        let events = [
            started(Task::Migrate, Scope::Fleet, 26, false),
            Event::Stopping { reason },
            finished(&acme(), migrated(&[PRIORITY], Up)),
            ended(numbered(25), Some(reason)),
        ];
        assert_snapshot!(format!("stop_{name}"), human(&events));
    }
}

#[test]
fn one_tenants_lines_stay_together() {
    let resumed = |tenant, n_finished| Event::MigrationStarted {
        tenant,
        file_name: format!("{LABELS}.up.sql"),
        n_statements: 3,
        n_finished,
    };
    let warning = |tenant, message: &str| Event::Warning { tenant, message: message.to_owned() };
    let events = [
        started(Task::Migrate, Scope::Fleet, 2, false),
        Event::TenantStarted { tenant: acme() },
        Event::TenantStarted { tenant: techstart() },
        resumed(acme(), 1),
        resumed(techstart(), 0),
        warning(Some(techstart()), "the server runs without `sql_mode`\nSTRICT_TRANS_TABLES"),
        warning(None, "the files end with an orphan `down`"),
        finished(&techstart(), migrated(&[LABELS], Up)),
        finished(&acme(), migrated(&[LABELS], Up)),
        ended(Vec::new(), None),
    ];
    assert_snapshot!("fleet_interleaved", human(&events));
}

#[test]
fn nothing_to_do() {
    let turns = [(acme(), Outcome::UpToDate), (techstart(), Outcome::UpToDate)];
    assert_snapshot!("fleet_up_to_date", human(&run(Task::Migrate, Scope::Fleet, false, turns)));
    let turns = [(acme(), Outcome::UpToDate)];
    assert_snapshot!("tenant_up_to_date", human(&run(Task::Migrate, Scope::Tenant, false, turns)));
    let turns = [(central(), Outcome::UpToDate)];
    assert_snapshot!("central_nothing_to_undo", human(&run(Task::Rollback, Scope::Central, false, turns)));
}

#[test]
fn one_database() {
    let turns = [(acme(), migrated(&[PRIORITY, LABELS], Up))];
    assert_snapshot!("tenant_migrated", human(&run(Task::Migrate, Scope::Tenant, false, turns)));
    let turns = [(central(), migrated(&["20250101000000_create_tenants"], Up))];
    assert_snapshot!("central_migrated", human(&run(Task::Migrate, Scope::Central, false, turns)));
    let turns = [(central(), migrated(&["20250101000000_create_tenants"], Down))];
    assert_snapshot!("central_rolled_back", human(&run(Task::Rollback, Scope::Central, false, turns)));
}

#[test]
fn one_database_that_is_stopped() {
    let events = [
        started(Task::Migrate, Scope::Tenant, 1, false),
        Event::Stopping { reason: StopReason::Interrupted },
        finished(&acme(), Outcome::Stopped { done: vec![done(PRIORITY, Up)], n_remaining: 1 }),
        ended(Vec::new(), Some(StopReason::Interrupted)),
    ];
    assert_snapshot!("tenant_stopped", human(&events));
}

#[test]
fn a_fleet_is_rolled_back() {
    let turns = [
        (acme(), migrated(&[LABELS, PRIORITY], Down)),
        (techstart(), Outcome::UpToDate),
        (tenant("Globex", "globex"), failed(failure(FailureCode::LockHeld))),
    ];
    assert_snapshot!("fleet_rolled_back", human(&run(Task::Rollback, Scope::Fleet, false, turns)));
}

#[test]
fn hostile_names_and_messages() {
    let mut hostile = failure(FailureCode::Statement);
    hostile.message =
        "1062: Duplicate entry '\u{1b}[31m'\n🎉 All tenant migrations completed successfully!".into();
    hostile.excerpt = Some("INSERT '\u{8}\u{8}\u{8}'".into());
    hostile.state = Some("a\u{1b}b\nc".into());
    hostile.hint = Some("d\u{1b}e\n❌ f".into());
    let turns = [(mallory(), failed(hostile)), (mallory(), Outcome::UpToDate)];
    let text = human(&run(Task::Migrate, Scope::Fleet, false, turns));
    assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{text:?}");
    assert_snapshot!("hostile", text);
}

#[test]
fn a_dry_run_tells_each_plan_and_each_script_once() {
    let both = || planned(&[(PRIORITY, Up, 0), (LABELS, Up, 0)]);
    let mut turns: Vec<_> = numbered(12).into_iter().map(|tenant| (tenant, both())).collect();
    turns.push((acme(), planned(&[(LABELS, Up, 1)])));
    turns.push((techstart(), planned(&[(LABELS, Up, 0)])));
    turns.push((tenant("Globex", "globex"), Outcome::UpToDate));
    turns.push((tenant("Initech", "initech"), planned(&[])));
    turns.push((tenant("Umbrella", "umbrella"), failed(failure(FailureCode::Refused))));
    assert_snapshot!("dry_run_fleet", human(&run(Task::Migrate, Scope::Fleet, true, turns)));
}

#[test]
fn a_dry_run_of_one_database() {
    let turns = [(acme(), planned(&[(PRIORITY, Up, 0), (LABELS, Up, 2)]))];
    assert_snapshot!("dry_run_tenant", human(&run(Task::Migrate, Scope::Tenant, true, turns)));
    let turns = [(acme(), planned(&[(LABELS, Down, 0), (PRIORITY, Down, 0)]))];
    assert_snapshot!("dry_run_rollback", human(&run(Task::Rollback, Scope::Tenant, true, turns)));
    let turns = [(central(), Outcome::UpToDate)];
    assert_snapshot!("dry_run_central_up_to_date", human(&run(Task::Migrate, Scope::Central, true, turns)));
    let turns = [(acme(), failed(failure(FailureCode::Dirty)))];
    assert_snapshot!("dry_run_tenant_refused", human(&run(Task::Migrate, Scope::Tenant, true, turns)));
}
