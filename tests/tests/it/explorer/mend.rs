//! The ways that a user has after something went wrong, and where they must lead.

use super::{
    check::{self, read, statements},
    run::{Ended, Failure, Violation, args},
    scenario::{Command, N_TENANTS, Scenario},
    script::Kind,
    truth::{Record, State, Truth, Undisturbed, state},
    world::{TENANTS, World},
};

/// A user gives up after so many turns.
const N_TURNS: usize = 5;

/// Brings a tenant to its end: next run, `migrate:recover`, and where it asks for it, being told where to go on.
pub(super) async fn mend(
    world: &World,
    scenario: &Scenario,
    undisturbed: &Undisturbed,
    tenant: usize,
) -> Result<Ended, Failure> {
    let mut ended = Ended::ByNextRun;
    let mut told = Vec::new();
    let mut is_told_what_can_be_known = false;
    for turn in 0..N_TURNS {
        if turn == 1 {
            // Whatever was set for the whole scenario may be refused in words; then somebody sets it right.
            world.unset_globals().await;
        }
        // Somebody puts the data right that a statement was refused for.
        world.set_gate_of(&mut world.root().await?, TENANTS[tenant], true).await?;
        let command = if tenant == N_TENANTS { Command::Provision } else { Command::Up { tenant } };
        let next = world.run(&args(world, command)).await;
        check::books(scenario, &read(world, tenant).await?)?;
        if next.code == Some(0) {
            world.unset_globals().await;
            complete(world, scenario, undisturbed, tenant, &check::brief(&next)).await?;
            if is_told_what_can_be_known {
                let told: Vec<_> = told.iter().map(check::brief).collect();
                return Err(Violation::broken("what can be known had to be told", told.join("\n")));
            }
            return Ok(ended);
        }
        told.push(next);
        if tenant == N_TENANTS {
            continue;
        }
        let truth = read(world, tenant).await?;
        let Some(place) = half_done(scenario, &truth) else { continue };
        let recover = args(world, Command::Resume { tenant });
        let recovered = world.run(&recover).await;
        check::books(scenario, &read(world, tenant).await?)?;
        ended = ended.max(Ended::Recovered);
        if recovered.code == Some(0) {
            told.push(recovered);
            continue;
        }
        let told_from = from(scenario, place, &truth, &recovered.stdout);
        told.push(recovered);
        if let Some(from) = told_from {
            let recovered = world.run(&format!("{recover} --from {from} --force")).await;
            check::books(scenario, &read(world, tenant).await?)?;
            ended = Ended::Told;
            is_told_what_can_be_known |= !is_beyond_knowing(scenario, place);
            told.push(recovered);
        }
    }
    let half_done = half_done(scenario, &read(world, tenant).await?);
    if half_done.is_some_and(|place| is_beyond_knowing(scenario, place)) {
        return Ok(Ended::Unsettled);
    }
    let told: Vec<_> = told.iter().map(check::brief).collect();
    let truth = read(world, tenant).await?;
    Err(Violation::broken("it is never mended", format!("{truth:?}\n{}", told.join("\n"))))
}

/// Whether the file at this place is one of which nobody can know how far it got, or do the rest again.
fn is_beyond_knowing(scenario: &Scenario, place: usize) -> bool {
    // Where a table without transactions is, rows that a trigger sees may lead there.
    let may = |kind: Kind| kind.may_stay_unsettled() || matches!(kind, Kind::Guarded | Kind::Triggered);
    place > 0 && scenario.files[place - 1].kinds.iter().copied().any(may)
}

fn half_done(scenario: &Scenario, truth: &Truth) -> Option<usize> {
    (0..=scenario.files.len()).find(|place| truth.record(*place) == Record::HalfDone)
}

/// At which statement somebody who has looked would go on; `None` where nobody can say.
fn from(scenario: &Scenario, place: usize, truth: &Truth, recovery: &str) -> Option<usize> {
    if place == 0 {
        return None;
    }
    let diagnosed =
        check::events(recovery).into_iter().find(|event| event["event"] == "migration-diagnosed")?;
    let is_down = diagnosed["direction"] == "down";
    let mut statements = statements(scenario, place);
    if is_down {
        statements.reverse();
        statements.retain(|statement| statement.down.is_some());
    }
    let mut from = 1;
    for (number, statement) in (1..).zip(&statements) {
        match truth.net(statement).ok()? {
            // It leaves nothing, so it goes with the one after it.
            None => {}
            Some(net) if (net == 1) != is_down => from = number + 1,
            Some(_) => break,
        }
    }
    Some(from)
}

/// All is there, once, as after a run that nothing disturbed; and to run again does nothing.
async fn complete(
    world: &World,
    scenario: &Scenario,
    undisturbed: &Undisturbed,
    tenant: usize,
    said: &str,
) -> Result<(), Failure> {
    let truth = read(world, tenant).await?;
    let n_files = scenario.files.len();
    let is_complete = (0..=n_files).all(|place| truth.record(place) == Record::Applied);
    if !is_complete || truth.history.len() != n_files + 1 || !truth.journal.is_empty() {
        let text = format!("{said}\n{truth:?}");
        return Err(Violation::broken("exit code 0 and the history is incomplete", text));
    }
    let mut root = world.root().await?;
    let name = TENANTS[tenant];
    let actual = state(&mut root, &world.database(name), &format!("`{}`@`%`", world.account(name))).await;
    let differences = differences(&actual, undisturbed.after(n_files + 1));
    if !differences.is_empty() {
        let text = format!("{differences:#?}\n{said}\n{truth:?}");
        return Err(Violation::broken("the schema is not that of an undisturbed run", text));
    }
    let command = if tenant == N_TENANTS { Command::Provision } else { Command::Up { tenant } };
    let again = world.run(&args(world, command)).await;
    let after = read(world, tenant).await?;
    if again.code != Some(0) || after != truth {
        let text = format!("{}\n{truth:?}\nnow {after:?}", check::brief(&again));
        return Err(Violation::broken("to run again does something", text));
    }
    Ok(())
}

fn differences(actual: &State, expected: &State) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, text) in expected {
        match actual.get(name) {
            None => differences.push(format!("{name} is missing")),
            Some(it) if it != text && !is_undone_and_done_again(name, it, text) => {
                differences.push(format!("{name}: {it:?}, undisturbed {text:?}"));
            }
            Some(_) => {}
        }
    }
    let more = actual.keys().filter(|name| !expected.contains_key(*name));
    differences.extend(more.map(|name| format!("{name} is too much")));
    differences
}

/// The words of what was undone stay beside those of what was done.
fn is_undone_and_done_again(name: &str, actual: &[String], expected: &[String]) -> bool {
    let is_up = |row: &&String| row.starts_with('u');
    name == "ROWS words" && {
        let mut rows: Vec<_> = actual.iter().filter(is_up).collect();
        rows.dedup();
        rows.into_iter().eq(expected.iter())
    }
}
