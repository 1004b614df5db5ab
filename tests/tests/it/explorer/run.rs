//! Runs one scenario from its beginning to the end that it must come to.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use end_to_end::Output;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{
    bystander::Bystanders,
    check,
    fault::{self, happen},
    mend,
    scenario::{Command, N_TENANTS, Scenario},
    script::version,
    truth::Undisturbed,
    world::{TENANTS, Trouble, World},
};

/// All the waits that a command may have by its settings, and as much again for a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// Which of them, in a few words: a smaller scenario must break the same.
    pub(super) of: &'static str,
    /// How it shows.
    pub(super) text: String,
}

/// A command that was run, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) client: usize,
    pub(super) command: Command,
    pub(super) output: Output,
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

/// What came of a scenario that broke no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ended {
    /// The next run had nothing to do or did the rest.
    ByNextRun,
    /// `migrate:recover` settled it.
    Recovered,
    /// `migrate:recover` had to be told at which statement to go on, as nobody can know.
    Told,
    /// It stays half done and says so: a file of the sort that nobody can settle.
    Unsettled,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByNextRun => "ended by the next run",
            Self::Recovered => "by `migrate:recover`",
            Self::Told => "by `migrate:recover --from`",
            Self::Unsettled => "honestly left half done",
        })
    }
}

/// Why a scenario did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    Broken(Violation),
    /// It could not be had.
    Trouble(Trouble),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Trouble(error.into())
    }
}

impl Violation {
    pub(super) fn broken(of: &'static str, text: impl Into<String>) -> Failure {
        Failure::Broken(Self { of, text: text.into() })
    }
}

pub(super) async fn run(world: &Arc<World>, scenario: &Scenario) -> Result<Ended, Failure> {
    world.reset(scenario).await?;
    let undisturbed = {
        let (world, scenario) = (world.clone(), scenario.clone());
        tokio::spawn(async move {
            Undisturbed::run(&scenario, &world.undisturbed_database(), world.server()).await
        })
    };
    let bystanders = Arc::new(Bystanders::come(world).await?);
    let (tell_done, is_done) = watch::channel(false);
    let mut faults = JoinSet::new();
    for waiting in fault::prepare(world, scenario) {
        faults.spawn(happen(world.clone(), bystanders.clone(), waiting, is_done.clone()));
    }
    let mut clients = JoinSet::new();
    for (client, commands) in scenario.clients.iter().enumerate() {
        clients.spawn(commands_of(world.clone(), scenario.clone(), client, commands.clone()));
    }
    let mut runs = Vec::new();
    let mut broken = None;
    while let Some(result) = clients.join_next().await {
        match result {
            Ok(Ok(ran)) => runs.extend(ran),
            Ok(Err(failure)) => broken = Some(failure),
            Err(panic) => {
                broken = Some(Violation::broken("a program of the tests panicked", panicked(panic)));
            }
        }
    }
    tell_done.send_replace(true);
    while let Some(result) = faults.join_next().await {
        if let Err(panic) = result {
            return Err(Trouble(panicked(panic)).into());
        }
    }
    runs.sort_by_key(|ran: &Ran| ran.began);
    if let Some(broken) = broken {
        return Err(broken);
    }
    for proxy in world.all_proxies() {
        proxy.arm(None);
        proxy.set_pace(None);
    }
    world.free_disk().await;
    let undisturbed = undisturbed.await.map_err(|panic| Trouble(panicked(panic)))?;
    // Before what is mended hides it; settings that a fault changed are set back, those of the scenario stay.
    bystanders.check().await.map_err(|text| Violation::broken("a bystander was touched", text))?;
    world.settle(&bystanders.ids()).await?;
    check::outputs(&runs)?;
    let mut ended = Ended::ByNextRun;
    for tenant in tenants(scenario, &runs) {
        check::after_clients(world, scenario, &runs, tenant).await?;
    }
    for tenant in tenants(scenario, &runs) {
        ended = ended.max(mend::mend(world, scenario, &undisturbed, tenant).await?);
    }
    bystanders.check().await.map_err(|text| Violation::broken("a bystander was touched", text))?;
    Ok(ended)
}

/// The places of the tenants that there are.
fn tenants(scenario: &Scenario, runs: &[Ran]) -> Vec<usize> {
    let is_provisioned = runs.iter().any(|ran| ran.command == Command::Provision);
    (0..scenario.n_tenants).chain(is_provisioned.then_some(N_TENANTS)).collect()
}

/// What a task that panicked has said.
pub(super) fn panicked(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        }
        Err(error) => error.to_string(),
    }
}

/// What is typed for a command.
pub(super) fn args(world: &World, command: Command) -> String {
    let slug = |tenant: usize| world.slug(TENANTS[tenant]);
    match command {
        Command::Up { tenant } => format!("migrate:tenant {}", slug(tenant)),
        Command::UpTo { tenant, place } => {
            format!("migrate:tenant {} --to {}", slug(tenant), version(place))
        }
        Command::All => "migrate:all-tenants".to_owned(),
        Command::Rollback { tenant, steps } => {
            format!("migrate:rollback --tenant {} --steps {steps}", slug(tenant))
        }
        Command::RollbackTo { tenant, place } => {
            format!("migrate:rollback --tenant {} --to {}", slug(tenant), version(place))
        }
        Command::RollbackAll { place } => {
            format!("migrate:rollback --all-tenants --to {}", version(place))
        }
        Command::Resume { tenant } => format!("migrate:recover {} --resume --yes --wait", slug(tenant)),
        Command::Undo { tenant } => format!("migrate:recover {} --undo --yes --wait", slug(tenant)),
        Command::Status => "migrate:status".to_owned(),
        Command::Provision => {
            format!("tenant:provision --slug {} --name {}", slug(N_TENANTS), TENANTS[N_TENANTS])
        }
    }
}

async fn commands_of(
    world: Arc<World>,
    scenario: Scenario,
    client: usize,
    commands: Vec<Command>,
) -> Result<Vec<Ran>, Failure> {
    let faults: Duration = scenario.faults.iter().map(|fault| fault.what.lasts()).sum();
    let mut runs = Vec::new();
    for command in commands {
        let args = args(&world, command);
        let began = Instant::now();
        let started = world.run(&args).start().await;
        world.now().pids[client] = Some(started.id());
        world.note(&format!("client {client} begins `{args}`"));
        let output = timeout(LIMIT + faults, started.finish()).await;
        world.now().pids[client] = None;
        let Ok(output) = output else {
            return Err(Violation::broken("a wait went beyond its limit", format!("`{args}` does not end")));
        };
        world.note(&format!("client {client} ends: {:?}", output.code));
        runs.push(Ran { client, command, output, began, ended: Instant::now() });
    }
    Ok(runs)
}
