//! Makes a scenario smaller that breaks a promise, for as long as it breaks the same.

use super::{
    scenario::{Command, Scenario, When},
    script::Kind,
};

/// The scenarios that are a little smaller than this one, the much smaller ones first.
pub(super) fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Scenario)| {
        let mut it = scenario.clone();
        change(&mut it);
        if it != *scenario {
            all.push(it);
        }
    };
    for client in 0..scenario.clients.len() {
        // Those of the faults that mean another client then mean nobody.
        offer(&|it| {
            it.clients.remove(client);
        });
    }
    for fault in 0..scenario.faults.len() {
        offer(&|it| {
            it.faults.remove(fault);
        });
    }
    offer(&|it| it.settings.clear());
    for file in (0..scenario.files.len()).rev() {
        if scenario.files.len() > 1 {
            offer(&|it| without_file(it, file));
        }
    }
    for client in 0..scenario.clients.len() {
        for command in 0..scenario.clients[client].len() {
            if scenario.clients[client].len() > 1 {
                offer(&|it| {
                    it.clients[client].remove(command);
                });
            }
        }
    }
    if scenario.n_tenants > 1 {
        offer(&|it| {
            it.n_tenants = 1;
            for command in it.clients.iter_mut().flatten() {
                *command = of_the_first(*command);
            }
            for fault in &mut it.faults {
                if let When::Packet { tenant, .. } = &mut fault.when {
                    *tenant = 0;
                }
            }
        });
    }
    for file in 0..scenario.files.len() {
        for kind in 0..scenario.files[file].kinds.len() {
            if scenario.files[file].kinds.len() > 1 {
                offer(&|it| {
                    it.files[file].kinds.remove(kind);
                });
            }
            let simple = if Kind::DEFINITIONS.contains(&scenario.files[file].kinds[kind]) {
                Kind::Table
            } else {
                Kind::Insert
            };
            offer(&|it| it.files[file].kinds[kind] = simple);
        }
    }
    offer(&|it| it.n_applied = it.n_applied.min(1));
    for file in 0..scenario.files.len() {
        offer(&|it| it.files[file].has_down = false);
    }
    all
}

/// Files after it move to its place.
fn without_file(scenario: &mut Scenario, file: usize) {
    scenario.files.remove(file);
    let removed = file + 1;
    if scenario.n_applied > removed {
        scenario.n_applied -= 1;
    }
    for command in scenario.clients.iter_mut().flatten() {
        match command {
            Command::UpTo { place, .. }
            | Command::RollbackTo { place, .. }
            | Command::RollbackAll { place }
                if *place >= removed =>
            {
                *place -= 1;
            }
            _ => {}
        }
    }
}

fn of_the_first(command: Command) -> Command {
    match command {
        Command::Up { .. } => Command::Up { tenant: 0 },
        Command::UpTo { place, .. } => Command::UpTo { tenant: 0, place },
        Command::Rollback { steps, .. } => Command::Rollback { tenant: 0, steps },
        Command::RollbackTo { place, .. } => Command::RollbackTo { tenant: 0, place },
        Command::Resume { .. } => Command::Resume { tenant: 0 },
        Command::Undo { .. } => Command::Undo { tenant: 0 },
        Command::All | Command::RollbackAll { .. } | Command::Status | Command::Provision => command,
    }
}

/// Earlier packets, for a scenario whose files have become shorter: fractions of where it was.
pub(super) fn moved(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = vec![scenario.clone()];
    for per_mille in [900, 800, 650, 500, 350] {
        let mut it = scenario.clone();
        for fault in &mut it.faults {
            if let When::Packet { at, .. } | When::Central { at } = &mut fault.when {
                *at = (*at * per_mille / 1000).max(1);
            }
        }
        all.push(it);
    }
    all.dedup();
    all
}
