//! Makes things go wrong at the chosen moments.

use std::{pin::pin, sync::Arc, time::Duration};

use end_to_end::{
    proxy::{Cut, How, Pace, Pause, Proxy},
    query,
};
use sqlx::{Connection as _, MySqlConnection};
use tokio::{process::Command as Process, select, sync::watch, time::sleep};

use super::{
    bystander::Bystanders,
    scenario::{Backup, Fault, Scenario, Setting, What, When},
    world::{TENANTS, Trouble, World, execute},
};

/// A fault that waits for its moment.
pub(super) struct Waiting {
    fault: Fault,
    pause: Option<Pause>,
}

/// Tells the proxies of all faults, before anything runs.
pub(super) fn prepare(world: &World, scenario: &Scenario) -> Vec<Waiting> {
    let proxies: Vec<_> = world.all_proxies().collect();
    let mut cuts = vec![Vec::new(); proxies.len()];
    for fault in &scenario.faults {
        let place = match fault.when {
            When::Packet { tenant, at } => Some((tenant, at)),
            When::Central { at } => Some((proxies.len() - 1, at)),
            When::After { .. } => None,
        };
        if let Some((place, at)) = place {
            let how = match fault.what {
                What::Cut => How::BothWays,
                What::CutAnswer => How::OnlyTheAnswer,
                What::CutAfter { ms } => How::BothWaysAfter(Duration::from_millis(ms)),
                What::Silence { .. } => How::Stall,
                _ => continue,
            };
            cuts[place].push(Cut { at, how });
        }
    }
    for (proxy, cuts) in proxies.into_iter().zip(cuts) {
        proxy.arm(cuts);
    }
    let pause = |fault: &Fault| match fault.when {
        When::Packet { at, .. } | When::Central { at } => Some(proxy(world, fault.when).pause_at(at)),
        When::After { .. } => None,
    };
    scenario.faults.iter().map(|fault| Waiting { pause: pause(fault), fault: fault.clone() }).collect()
}

/// Through which it happens.
fn proxy(world: &World, when: When) -> &Proxy {
    match when {
        When::Packet { tenant, .. } => &world.proxies[tenant],
        When::Central { .. } => &world.central_proxy,
        When::After { .. } => &world.proxies[0],
    }
}

/// Whether all clients have ended.
pub(super) type Done = watch::Receiver<bool>;

async fn done(done: &mut Done) {
    // The sender lives for as long as the scenario does; were it gone, that were the end too.
    done.wait_for(|done| *done).await.ok();
}

/// Waits, but not longer than there are clients.
async fn lasts(ms: u64, is_done: &mut Done) {
    select! {
        () = sleep(Duration::from_millis(ms)) => {}
        () = done(is_done) => {}
    }
}

/// Waits for the moment, if it comes, and does what is to be done then.
pub(super) async fn happen(
    world: Arc<World>,
    bystanders: Arc<Bystanders>,
    waiting: Waiting,
    mut is_done: Done,
) {
    let Waiting { fault, mut pause } = waiting;
    let is_reached = {
        let mut moment = pin!(async {
            match (&mut pause, fault.when) {
                (Some(pause), _) => pause.reached().await,
                (None, When::After { ms }) => {
                    sleep(Duration::from_millis(ms)).await;
                    true
                }
                (None, When::Packet { .. } | When::Central { .. }) => false,
            }
        });
        select! {
            is_reached = &mut moment => is_reached,
            () = done(&mut is_done) => false,
        }
    };
    if !is_reached {
        return;
    }
    let at = match fault.when {
        When::Packet { at, .. } | When::Central { at } => {
            let of = match fault.when {
                When::Packet { tenant, .. } => TENANTS[tenant],
                _ => "the central database",
            };
            let packets = proxy(&world, fault.when).packets();
            packets.get(at - 1).map_or(String::new(), |packet| {
                let from = if packet.is_request { "asks" } else { "is told" };
                let text = String::from_utf8_lossy(&packet.payload);
                let text: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
                format!("packet {at} of {of} ({from} {text:?}): ")
            })
        }
        When::After { .. } => String::new(),
    };
    world.note(&format!("{at}{:?}", fault.what));
    if let Err(Trouble(reason)) = act(&world, &bystanders, &fault, pause, &mut is_done).await {
        world.note(&format!("{:?} did not go all the way: {reason}", fault.what));
    }
}

async fn act(
    world: &World,
    bystanders: &Bystanders,
    fault: &Fault,
    pause: Option<Pause>,
    is_done: &mut Done,
) -> Result<(), Trouble> {
    let tenant = match fault.when {
        When::Packet { tenant, .. } => tenant,
        When::Central { .. } | When::After { .. } => 0,
    };
    let is_central = matches!(fault.when, When::Central { .. });
    let (proxy, name) = (proxy(world, fault.when), TENANTS[tenant]);
    let (database, account) =
        (world.database(name), world.account(if is_central { "central" } else { name }));
    match &fault.what {
        What::Cut | What::CutAnswer | What::CutAfter { .. } => {
            if pause.is_none() {
                proxy.close_all();
            }
        }
        What::Silence { ms } => {
            drop(pause);
            lasts(*ms, is_done).await;
            proxy.let_go();
        }
        What::Stall { ms } => lasts(*ms, is_done).await,
        What::Slow { ms, n_bytes } => {
            proxy.set_pace(Some(Pace { delay: Duration::from_millis(*ms), n_bytes: *n_bytes }));
        }
        What::Signal { client, signals } => {
            let pid = world.now().pids.get(*client).copied().flatten();
            if let Some(pid) = pid {
                for signal in signals {
                    // It may have ended in this moment.
                    let mut kill = Process::new("sh");
                    kill.arg("-c").arg(format!("kill -s {} {pid} 2>/dev/null", signal.name()));
                    kill.status().await?;
                }
            }
        }
        What::KillConnections | What::KillQueries => {
            let mut root = if is_central { world.central().await } else { world.root().await? };
            let verb = if fault.what == What::KillQueries { "KILL QUERY" } else { "KILL" };
            let spared = if is_central { Vec::new() } else { bystanders.ids() };
            kill(&mut root, verb, &account, &spared).await;
        }
        What::LockAccount { ms } => {
            let mut root = if is_central { world.central().await } else { world.root().await? };
            execute(&mut root, &format!("ALTER USER '{account}'@'%' ACCOUNT LOCK")).await?;
            let spared = if is_central { Vec::new() } else { bystanders.ids() };
            kill(&mut root, "KILL", &account, &spared).await;
            drop(pause);
            lasts(*ms, is_done).await;
            let unlock = format!("ALTER USER '{account}'@'%' ACCOUNT UNLOCK");
            // The server may have been killed meanwhile.
            if execute(&mut root, &unlock).await.is_err() && !is_central {
                execute(&mut world.root().await?, &unlock).await?;
            }
            world.let_in(&world.root_url()).await?;
        }
        What::DiskFull { ms } => {
            world.fill_disk().await?;
            drop(pause);
            lasts(*ms, is_done).await;
            world.free_disk().await;
        }
        What::Crash => {
            world.crash().await?;
            bystanders.renew(world).await?;
        }
        What::Failover { .. } => {
            let url = world.second_url().await?;
            world.redirect_to(&url);
            {
                let mut now = world.now();
                now.root_url = url;
                now.failed_over = Some(std::time::Instant::now());
            }
            bystanders.renew(world).await?;
            for proxy in &world.proxies {
                proxy.close_all();
            }
        }
        What::Backup { by, ms } => {
            let mut root = soon(world).await?;
            for statement in locks(*by, world.is_mysql()) {
                execute(&mut root, statement).await?;
            }
            drop(pause);
            lasts(*ms, is_done).await;
            unlock(root, &["UNLOCK TABLES", unlocks(*by, world.is_mysql())]).await;
        }
        What::LockTable { ms } => {
            let mut root = soon(world).await?;
            execute(&mut root, &format!("LOCK TABLES {database}.trace WRITE")).await?;
            drop(pause);
            lasts(*ms, is_done).await;
            unlock(root, &["UNLOCK TABLES"]).await;
        }
        What::LockRows { ms } => {
            let mut root = soon(world).await?;
            execute(&mut root, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
            let sql = format!(
                "BEGIN; SELECT * FROM {database}.trace FOR UPDATE; SELECT * FROM {database}.wide FOR UPDATE"
            );
            execute(&mut root, &sql).await?;
            drop(pause);
            lasts(*ms, is_done).await;
            unlock(root, &["ROLLBACK"]).await;
        }
        What::ReadOnly { ms } => {
            world.set_global("read_only", "1").await?;
            drop(pause);
            lasts(*ms, is_done).await;
            execute(&mut world.root().await?, "SET GLOBAL read_only = 0").await?;
        }
        What::Limit { n, ms } => {
            world.set_global("max_user_connections", &n.to_string()).await?;
            drop(pause);
            lasts(*ms, is_done).await;
            execute(&mut world.root().await?, "SET GLOBAL max_user_connections = 100000").await?;
        }
        What::Set(Setting { name, value }) => world.set_global(name, value).await?,
    }
    Ok(())
}

/// Root, who does not wait for what a run is doing.
async fn soon(world: &World) -> Result<MySqlConnection, Trouble> {
    let mut root = world.root().await?;
    execute(&mut root, "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1").await?;
    Ok(root)
}

async fn unlock(mut root: MySqlConnection, statements: &[&str]) {
    for statement in statements {
        // The server may have been killed meanwhile, and the lock is gone with it.
        execute(&mut root, statement).await.ok();
    }
    root.close().await.ok();
}

fn locks(by: Backup, is_mysql: bool) -> &'static [&'static str] {
    match (by, is_mysql) {
        (Backup::ReadLock, _) | (Backup::BlockCommit, true) => &["FLUSH TABLES WITH READ LOCK"],
        (Backup::BlockDdl, true) => &["LOCK INSTANCE FOR BACKUP"],
        (Backup::BlockDdl, false) => &["BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL"],
        (Backup::BlockCommit, false) => &[
            "BACKUP STAGE START",
            "BACKUP STAGE FLUSH",
            "BACKUP STAGE BLOCK_DDL",
            "BACKUP STAGE BLOCK_COMMIT",
        ],
    }
}

fn unlocks(by: Backup, is_mysql: bool) -> &'static str {
    match (by, is_mysql) {
        (Backup::ReadLock, _) | (Backup::BlockCommit, true) => "UNLOCK TABLES",
        (Backup::BlockDdl, true) => "UNLOCK INSTANCE",
        (Backup::BlockDdl | Backup::BlockCommit, false) => "BACKUP STAGE END",
    }
}

async fn kill(root: &mut MySqlConnection, verb: &str, account: &str, spared: &[String]) {
    for id in connections(root, account).await {
        if !spared.contains(&id) {
            // It may have ended by itself.
            execute(root, &format!("{verb} {id}")).await.ok();
        }
    }
}

async fn connections(root: &mut MySqlConnection, account: &str) -> Vec<String> {
    let sql = format!("SELECT id FROM information_schema.processlist WHERE user = '{account}'");
    query::column(root, &sql).await
}
