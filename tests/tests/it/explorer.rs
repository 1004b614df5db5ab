//! Looks for what nobody thought of: scenarios are drawn from a seed, with scripts, clients and faults, and run on a server
//! that may be disturbed; then the invariants of `docs/guarantees.md` are held against what a plain client sees.
//!
//! A scenario is had again by its seed: `SEED=4711 EXPLORE_SCENARIOS=1`. One that breaks a promise is made smaller and
//! printed, with a line of JSON; in the folder `explorer/found` such a line is a test of its own. `EXPLORE_SECONDS` is how long
//! it looks, `EXPLORE_FILE` the one scenario to run, `EXPLORE_ALL=1` does not stop at the first that breaks a promise, and
//! `EXPLORE_LOG=1` tells what happened in each.

mod bystander;
mod check;
mod draw;
mod fault;
mod mend;
mod run;
mod scenario;
mod script;
mod shrink;
mod truth;
mod world;

use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use end_to_end::{Server, on_each_server, random::quantity, tell};

use self::{
    run::{Ended, Failure, Violation, panicked, run},
    scenario::Scenario,
    world::{Trouble, World},
};

on_each_server!(what_is_drawn_breaks_no_promise, what_was_found_breaks_no_promise);

/// What `cargo test` draws from.
const FIRST_SEED: u64 = 20;

/// So many that break the same promise are made smaller.
const N_SHRUNK: usize = 3;

/// How long making a scenario smaller may take.
const SHRINK_LIMIT: Duration = Duration::from_mins(1);

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Draws scenarios, for some seconds in `cargo test` and for minutes at night.
async fn what_is_drawn_breaks_no_promise(server: &'static Server) {
    let first: u64 = variable("SEED").unwrap_or(FIRST_SEED);
    let seconds = variable("EXPLORE_SECONDS");
    let limit =
        Duration::from_secs(seconds.unwrap_or_else(|| u64::try_from(quantity(12, 600)).expect("small")));
    // The sample is to be the same on a slow machine.
    let most = if seconds.is_some() { usize::MAX } else { quantity(8, usize::MAX) };
    let n_scenarios = variable("EXPLORE_SCENARIOS").unwrap_or(most);
    let file: Option<String> = variable("EXPLORE_FILE");
    tell(&format!("what is drawn: SEED={first}"));
    let Some(world) = World::new(server, "explore").await else { return };
    let began = Instant::now();
    let mut explorer = Explorer::new(world);
    if let Some(file) = file {
        explorer.explore(&read(Path::new(&file))).await;
    } else {
        let drawn = (0..n_scenarios)
            .map(|number| draw::scenario(first + u64::try_from(number).expect("64 bits"), server.is_mysql()));
        for scenario in
            drawn.take_while(|_| began.elapsed() < limit || seconds.is_none() && n_scenarios < 100)
        {
            explorer.explore(&scenario).await;
            if !explorer.found.is_empty() && variable::<u8>("EXPLORE_ALL").is_none() {
                break;
            }
        }
    }
    explorer.end(&format!("{}: drawn from SEED={first}", server.flavour()), began);
}

/// What once broke a promise, or came near to it.
async fn what_was_found_breaks_no_promise(server: &'static Server) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/explorer/found");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let Some(world) = World::new(server, "found").await else { return };
    let began = Instant::now();
    let mut explorer = Explorer::new(world);
    for file in files {
        explorer.explore(&read(&file)).await;
    }
    explorer.end(&format!("{}: found before", server.flavour()), began);
}

fn read(file: &Path) -> Scenario {
    let json = fs::read_to_string(file).expect("a scenario");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Runs one in a task of its own: where it panics, so does nobody else.
async fn alone(world: &Arc<World>, scenario: &Scenario) -> Result<Ended, Failure> {
    let (world, scenario) = (world.clone(), scenario.clone());
    let task = tokio::spawn(async move { run(&world, &scenario).await });
    task.await.unwrap_or_else(|panic| Err(Violation::broken("a test's own check panicked", panicked(panic))))
}

struct Explorer {
    world: Arc<World>,
    counts: BTreeMap<Ended, usize>,
    found: Vec<String>,
    /// How often each promise was broken.
    broken: BTreeMap<&'static str, usize>,
    troubles: Vec<String>,
}

impl Explorer {
    fn new(world: Arc<World>) -> Self {
        Self {
            world,
            counts: BTreeMap::new(),
            found: Vec::new(),
            broken: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    async fn explore(&mut self, scenario: &Scenario) {
        match alone(&self.world, scenario).await {
            Ok(ended) => {
                if variable::<u8>("EXPLORE_LOG").is_some() {
                    tell(&self.world.now().log.join("\n"));
                }
                *self.counts.entry(ended).or_default() += 1;
            }
            Err(Failure::Trouble(Trouble(reason))) => {
                self.troubles.push(format!("SEED={}: {reason}", scenario.seed));
            }
            Err(Failure::Broken(violation)) => {
                let log = self.world.now().log.join("\n");
                let seed = scenario.seed;
                let n = self.broken.entry(violation.of).or_default();
                *n += 1;
                if *n > N_SHRUNK {
                    // Most likely the same again, which there is no time for.
                    self.found.push(format!("SEED={seed}: {}", violation.of));
                    tell(&format!("SEED={seed}: {}, not for the first time", violation.of));
                    return;
                }
                tell(&format!("SEED={seed}: {}; making it smaller", violation.of));
                let (smallest, violation, log) = self.shrink(scenario.clone(), violation, log).await;
                let Violation { of, text } = violation;
                let found = format!(
                    "SEED={seed}: {of}\n{smallest}--- what happened:\n{log}\n--- what is seen:\n{text}"
                );
                tell(&found);
                self.found.push(found);
            }
        }
    }

    /// The smallest that still breaks the same promise, and how.
    async fn shrink(
        &self,
        mut smallest: Scenario,
        mut violation: Violation,
        mut log: String,
    ) -> (Scenario, Violation, String) {
        let began = Instant::now();
        // With several clients at once it is chance whether it shows.
        let n_tries = |scenario: &Scenario| if scenario.clients.len() > 1 { 3 } else { 1 };
        'smaller: loop {
            for candidate in shrink::smaller(&smallest) {
                for candidate in shrink::moved(&candidate) {
                    for _ in 0..n_tries(&candidate) {
                        if began.elapsed() > SHRINK_LIMIT {
                            return (smallest, violation, log);
                        }
                        if let Err(Failure::Broken(again)) = alone(&self.world, &candidate).await
                            && again.of == violation.of
                        {
                            log = self.world.now().log.join("\n");
                            (smallest, violation) = (candidate, again);
                            continue 'smaller;
                        }
                    }
                }
            }
            return (smallest, violation, log);
        }
    }

    fn end(self, what: &str, began: Instant) {
        let n: usize = self.counts.values().sum::<usize>() + self.found.len();
        let counts: Vec<_> = self.counts.iter().map(|(ended, n)| format!("{n} {ended}")).collect();
        let (seconds, counts) = (began.elapsed().as_secs(), counts.join(", "));
        tell(&format!(
            "{what}: {n} scenarios in {seconds} s: {counts}; {} broke a promise",
            self.found.len()
        ));
        for trouble in &self.troubles {
            tell(&format!("a scenario could not be had: {trouble}"));
        }
        assert!(self.found.is_empty(), "{} broke a promise:\n{}", self.found.len(), self.found.join("\n\n"));
        assert!(
            self.troubles.len() <= 2 + n / 20,
            "too many scenarios could not be had: {:#?}",
            self.troubles
        );
        assert!(n > 0, "no scenario was run");
    }
}
