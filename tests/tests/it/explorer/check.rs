//! The promises, held against what a plain client sees in the database.

use std::time::{Duration, Instant};

use end_to_end::Output;
use serde_json::Value;

use super::{
    run::{Failure, Ran, Violation},
    scenario::{Command, N_TENANTS, Scenario},
    script::{Statement, version},
    truth::{Record, Truth},
    world::{TENANTS, World},
};

/// The lines of a run's output, as far as they are whole.
pub(super) fn events(stdout: &str) -> Vec<Value> {
    stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a person would read of a run: how it ended, without each statement.
pub(super) fn brief(output: &Output) -> String {
    let mut text = output.code.map_or("ended by a signal\n".to_owned(), |code| format!("exit code {code}\n"));
    for event in events(&output.stdout) {
        let short = match event["event"].as_str() {
            Some("tenant-finished") => {
                let done: Vec<_> =
                    event["done"].as_array().into_iter().flatten().map(|it| &it["file_name"]).collect();
                format!("{} {}: {done:?} {}", event["tenant"]["slug"], event["outcome"], event["failure"])
            }
            Some("migration-diagnosed") => format!(
                "{} {} is {}, {} finished: {}, {}",
                event["version"],
                event["direction"],
                event["position"],
                event["n_finished"],
                event["statements"],
                event["ways"]
            ),
            Some(
                "error" | "warning" | "waiting" | "stopping" | "migration-settled" | "tenant-provisioned",
            ) => event.to_string(),
            _ => continue,
        };
        text += &short;
        text.push('\n');
    }
    text + &output.stderr
}

/// What can be said of outputs alone: nothing panics, and what is not done is no success.
pub(super) fn outputs(runs: &[Ran]) -> Result<(), Failure> {
    for ran in runs {
        let output = &ran.output;
        if output.code == Some(101) || output.stderr.contains("panicked at") {
            return Err(Violation::broken("a run panicked", brief(output)));
        }
        let events = events(&output.stdout);
        let is_failed = |event: &Value| event["event"] == "tenant-finished" && event["outcome"] == "failed";
        if output.code == Some(0) && events.iter().any(is_failed) {
            return Err(Violation::broken("exit code 0 though a tenant failed", brief(output)));
        }
        if output.code == Some(0) && ran.command != Command::Provision {
            let is_whole = events.last().is_some_and(|event| event["event"] == "rollout-finished");
            if !is_whole {
                return Err(Violation::broken("exit code 0 without a summary", brief(output)));
            }
        }
        let undone = |event: &&Value| {
            event["event"] == "migration-finished" && event["migration"]["direction"] == "down"
        };
        let n_undone = events.iter().filter(undone).count();
        let most = match ran.command {
            Command::Rollback { steps, .. } => steps,
            command if command.goes_back() => usize::MAX,
            // A resume may finish a revert that was begun.
            Command::Resume { .. } => 1,
            _ => 0,
        };
        if n_undone > most {
            return Err(Violation::broken("more was undone than was asked for", brief(output)));
        }
    }
    Ok(())
}

/// The statements of the file at this place.
pub(super) fn statements(scenario: &Scenario, place: usize) -> Vec<Statement> {
    scenario.files[place - 1].statements(place)
}

/// Holds the record against the traces.
pub(super) fn books(scenario: &Scenario, truth: &Truth) -> Result<(), Failure> {
    let seen = || format!("{truth:?}");
    for pair in truth.history.windows(2) {
        if pair[0].0 == pair[1].0 {
            return Err(Violation::broken("a version is in the history twice", seen()));
        }
    }
    if let Some(mark) = truth.marks.keys().find(|mark| !mark.starts_with(['u', 'd'])) {
        return Err(Violation::broken(
            "a statement that was broken off is committed",
            format!("{mark}\n{}", seen()),
        ));
    }
    let mut before = Record::Applied;
    for place in 0..=scenario.files.len() {
        let record = truth.record(place);
        if record != Record::Absent && before != Record::Applied {
            return Err(Violation::broken("the history has a hole", seen()));
        }
        before = record;
        if place == 0 {
            continue;
        }
        let expected = match record {
            Record::Applied => 1,
            Record::Absent => 0,
            // It is for `migrate:recover` to tell.
            Record::HalfDone => continue,
        };
        for statement in statements(scenario, place) {
            let net = truth.net(&statement);
            if net != Ok(None) && net != Ok(Some(expected)) {
                let of = match expected {
                    1 if net == Ok(Some(0)) => "a migration is recorded, and a statement of it is not there",
                    1 => "a statement ran more often than is recorded",
                    _ => "a migration is not recorded, and a statement of it is there",
                };
                let text =
                    format!("{} as {record:?}: `{}`: {net:?}\n{}", version(place), statement.up, seen());
                return Err(Violation::broken(of, text));
            }
        }
    }
    Ok(())
}

/// When all clients have ended: the record is true, what they have said is true, and so is what is said now.
pub(super) async fn after_clients(
    world: &World,
    scenario: &Scenario,
    runs: &[Ran],
    tenant: usize,
) -> Result<(), Failure> {
    let truth = read(world, tenant).await?;
    books(scenario, &truth)?;
    said(world, scenario, runs, tenant, &truth)?;
    // Whose settings are other than by default may refuse to say anything.
    if tenant < scenario.n_tenants {
        status(world, scenario, tenant, &truth).await?;
        let is_half_done = (0..=scenario.files.len()).any(|place| truth.record(place) == Record::HalfDone);
        if is_half_done {
            recovery(world, scenario, tenant, &truth).await?;
        }
        let after = read(world, tenant).await?;
        if after != truth {
            return Err(Violation::broken("to look changed something", format!("{truth:?}\nnow {after:?}")));
        }
    }
    Ok(())
}

pub(super) async fn read(world: &World, tenant: usize) -> Result<Truth, Failure> {
    let mut root = world.root().await?;
    Ok(Truth::read(&mut root, &world.database(TENANTS[tenant])).await)
}

/// What the clients have said of this tenant.
fn said(
    world: &World,
    scenario: &Scenario,
    runs: &[Ran],
    tenant: usize,
    truth: &Truth,
) -> Result<(), Failure> {
    let failed_over = world.now().failed_over;
    let about: Vec<_> = runs.iter().filter(|ran| ran.command.is_about(tenant)).collect();
    // What was said of a server that is not asked any more says nothing of this one.
    let slug = world.slug(TENANTS[tenant]);
    let counts =
        |ran: &&&Ran| failed_over.is_none_or(|then| ran.began > then || is_said_after(ran, &slug, then));
    let goes_back =
        about.iter().any(|ran| ran.command.goes_back() || matches!(ran.command, Command::Resume { .. }));
    let is_complete = (0..=scenario.files.len()).all(|place| truth.record(place) == Record::Applied);
    let brings_all = |ran: &&&Ran| match ran.command {
        Command::Up { .. } | Command::All => tenant < N_TENANTS,
        Command::Provision => true,
        _ => false,
    };
    let last = about.last();
    let is_last_alone =
        last.is_some_and(|last| about.iter().rev().skip(1).all(|other| other.ended < last.began));
    let promised = if goes_back {
        last.filter(brings_all).filter(counts).filter(|ran| is_last_alone && ran.output.code == Some(0))
    } else {
        about.iter().filter(brings_all).filter(counts).find(|ran| ran.output.code == Some(0))
    };
    if let Some(ran) = promised
        && !is_complete
    {
        let text = format!("{:?} of client {}\n{}\n{truth:?}", ran.command, ran.client, brief(&ran.output));
        return Err(Violation::broken("exit code 0 and the history is incomplete", text));
    }
    if let Some(ran) = last.filter(counts).filter(|_| is_last_alone) {
        if let Command::RollbackTo { place, .. } | Command::RollbackAll { place } = ran.command
            && ran.output.code == Some(0)
            && (place + 1..=scenario.files.len()).any(|place| truth.record(place) != Record::Absent)
        {
            let text = format!("{:?}\n{}\n{truth:?}", ran.command, brief(&ran.output));
            return Err(Violation::broken("exit code 0 and not all is undone", text));
        }
        nothing_there(world, scenario, ran, tenant, truth)?;
    }
    Ok(())
}

/// Whether a run was done with this tenant when another server had taken over: what it says is of that one, then, as all
/// connections to the first had been cut.
fn is_said_after(ran: &Ran, slug: &str, then: Instant) -> bool {
    /// What a run needs to find that a connection is gone which it had only to close.
    const MOMENT: Duration = Duration::from_secs(1);
    events(&ran.output.stdout).iter().any(|event| {
        let at = event["at_ms"].as_f64().unwrap_or_default() / 1000.0;
        event["event"] == "tenant-finished"
            && event["tenant"]["slug"] == slug
            && ran.began + Duration::from_secs_f64(at) > then + MOMENT
    })
}

/// "Nothing of this file is in the database" is so.
fn nothing_there(
    world: &World,
    scenario: &Scenario,
    ran: &Ran,
    tenant: usize,
    truth: &Truth,
) -> Result<(), Failure> {
    for event in events(&ran.output.stdout) {
        let is_ours =
            event["event"] == "tenant-finished" && event["tenant"]["slug"] == world.slug(TENANTS[tenant]);
        let failure = &event["failure"];
        let says_nothing =
            failure["state"].as_str().is_some_and(|state| state.contains("nothing of this file"));
        if !is_ours || !says_nothing {
            continue;
        }
        let file_name = failure["at"]["file_name"].as_str().unwrap_or_default();
        let Some(place) = (1..=scenario.files.len()).find(|place| file_name.starts_with(&version(*place)))
        else {
            continue;
        };
        let expected = isize::from(file_name.ends_with(".down.sql"));
        for statement in statements(scenario, place) {
            let net = truth.net(&statement);
            if net != Ok(None) && net != Ok(Some(expected)) {
                let text = format!("`{}`: {net:?}\n{}\n{truth:?}", statement.up, brief(&ran.output));
                return Err(Violation::broken(
                    "\"nothing of this file is in the database\", and something is",
                    text,
                ));
            }
        }
    }
    Ok(())
}

/// What `migrate:status` says is so.
async fn status(world: &World, scenario: &Scenario, tenant: usize, truth: &Truth) -> Result<(), Failure> {
    let output = world.run(&format!("migrate:status --tenant {}", world.slug(TENANTS[tenant]))).await;
    let events = events(&output.stdout);
    let Some(inspected) = events.iter().find(|event| event["outcome"] == "inspected") else {
        if scenario.settings.is_empty() && output.code != Some(1) {
            return Err(Violation::broken("`migrate:status` says nothing", brief(&output)));
        }
        return Ok(());
    };
    for said in inspected["versions"].as_array().into_iter().flatten() {
        let place = (0..=scenario.files.len()).find(|place| said["version"] == version(*place));
        let Some(place) = place else { continue };
        let record = truth.record(place);
        let is_true = match said["state"].as_str() {
            Some("applied") => record == Record::Applied,
            Some("pending" | "out-of-order") => record == Record::Absent,
            Some("dirty" | "running") => record == Record::HalfDone,
            _ => false,
        };
        if !is_true {
            let text = format!("{said}, and it is {record:?}\n{truth:?}");
            return Err(Violation::broken("`migrate:status` says what is not so", text));
        }
    }
    Ok(())
}

/// What `migrate:recover` says of each statement is so.
async fn recovery(world: &World, scenario: &Scenario, tenant: usize, truth: &Truth) -> Result<(), Failure> {
    let output = world.run(&format!("migrate:recover {} --wait", world.slug(TENANTS[tenant]))).await;
    for event in events(&output.stdout) {
        if event["event"] != "migration-diagnosed" {
            continue;
        }
        let place = (1..=scenario.files.len()).find(|place| event["version"] == version(*place));
        let Some(place) = place else { continue };
        let is_down = event["direction"] == "down";
        let mut statements = statements(scenario, place);
        if is_down {
            statements.reverse();
            statements.retain(|statement| statement.down.is_some());
        }
        for (statement, said) in statements.iter().zip(event["statements"].as_array().into_iter().flatten()) {
            let there = match said["presence"].as_str() {
                Some("yes") => isize::from(!is_down),
                Some("no") => isize::from(is_down),
                _ => continue,
            };
            let net = truth.net(statement);
            if net != Ok(None) && net != Ok(Some(there)) {
                let text = format!("{said}, and it is {net:?}\n{event}\n{truth:?}");
                return Err(Violation::broken("`migrate:recover` says what is not so", text));
            }
        }
    }
    Ok(())
}
