//! At every packet of a run another connection takes the lock of a backup, the packet is let through, and the lock is held for
//! longer or shorter than a statement may wait. What follows ends as if nothing had been.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use backend_migrations::migration::Direction;
use end_to_end::{
    Flavour, Server, on_each_server,
    proxy::Packet,
    random::{Random, quantity},
    tell,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, raw_sql};
use throwaway_server::{Options, ThrowawayServer};
use tokio::{join, time::sleep};

use crate::course::{Course, EVERY_KIND, Outcome, in_words, untransacted};

on_each_server!(a_backup_at_any_packet_loses_nothing);

/// What each statement may wait for a lock: with one retry, a little over two seconds in all.
const IMPATIENT: [&str; 4] = ["--lock-wait", "1s", "--lock-wait-retries", "1"];

/// Shorter than a statement may wait; longer, and its retry succeeds; longer than all its tries.
const HELD_FOR: [Duration; 3] =
    [Duration::from_millis(400), Duration::from_millis(1700), Duration::from_millis(4500)];

/// Lets `lock` fail rather than wait for what the run under test is doing.
const SOON: &str = "SET SESSION lock_wait_timeout = 1";

/// How a backup keeps others from changing anything: what it sends, and what ends that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Backup {
    lock: &'static [&'static str],
    unlock: &'static str,
}

/// `mysqldump` and every tool that copies files beneath a server that is at rest.
const READ_LOCK: Backup = Backup { lock: &["FLUSH TABLES WITH READ LOCK"], unlock: "UNLOCK TABLES" };

/// `mariabackup`: the stages hold more and more up, the last also commits.
const DDL_STAGE: Backup = Backup {
    lock: &["BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL"],
    unlock: "BACKUP STAGE END",
};
const COMMIT_STAGE: Backup = Backup {
    lock: &[
        "BACKUP STAGE START",
        "BACKUP STAGE FLUSH",
        "BACKUP STAGE BLOCK_DDL",
        "BACKUP STAGE BLOCK_COMMIT",
    ],
    unlock: "BACKUP STAGE END",
};

/// MySQL's own backups: definitions wait, rows do not.
const INSTANCE_LOCK: Backup = Backup { lock: &["LOCK INSTANCE FOR BACKUP"], unlock: "UNLOCK INSTANCE" };

fn backups(flavour: Flavour) -> &'static [Backup] {
    match flavour {
        Flavour::MySql => &[READ_LOCK, INSTANCE_LOCK],
        Flavour::MariaDb => &[READ_LOCK, DDL_STAGE, COMMIT_STAGE],
    }
}

#[derive(Clone, Debug)]
struct Stall {
    at: usize,
    backup: Backup,
    held_for: Duration,
}

/// On a server of its own: everybody else on it would stand still.
async fn a_backup_at_any_packet_loses_nothing(server: &'static Server) {
    let options = Options { flavour: Some(server.flavour()), ..Options::default() };
    let other = throwaway_server::start(&options).await.expect("a second server");
    if !other.is_ours() {
        tell("a backup is NOT tested: the one server there is, is not ours to stop");
        return;
    }
    let other = Arc::new(other);
    let up = Course::on(server, Some(&other), "stalled", EVERY_KIND, Direction::Up).await;
    stall_at_packets(up, &other, quantity(9, usize::MAX), "a run").await;
    let down = Course::on(server, Some(&other), "stalledback", EVERY_KIND, Direction::Down).await;
    stall_at_packets(down, &other, quantity(6, usize::MAX), "a rollback").await;
    for engine in untransacted(server.flavour()) {
        let word = |what: &str| format!("{what}{}", engine.to_ascii_lowercase()).leak();
        let files = EVERY_KIND.with_engine(engine);
        let up = Course::on(server, Some(&other), word("stalled"), files, Direction::Up).await;
        stall_at_packets(up, &other, quantity(0, usize::MAX), &format!("a run with {engine}")).await;
        let down = Course::on(server, Some(&other), word("stalledback"), files, Direction::Down).await;
        stall_at_packets(down, &other, quantity(0, usize::MAX), &format!("a rollback with {engine}")).await;
    }
}

async fn stall_at_packets(course: Course, other: &Arc<ThrowawayServer>, n_stalls: usize, of: &str) {
    let (flavour, began) = (course.flavour(), Instant::now());
    let n_packets = course.first_lane().proxy.packets().len();
    let mut random = Random::for_test(&format!("a backup at any packet of {of}"));
    let stall = |at| {
        let backup = random.one_of(backups(flavour));
        // Most often the one that a retry outlives, which is what goes unnoticed.
        let held_for = HELD_FOR[[0, 1, 1, 1, 2][random.below(5)]];
        Stall { at, backup, held_for }
    };
    let stalls: Vec<_> = (1..=n_packets).map(stall).collect();
    let mut stalls = random.sample(stalls, n_stalls);
    // Between the history's row and the first definition, whose implicit commit then fails and takes the row away.
    let packets = course.first_lane().proxy.packets();
    let begins = |packet: &Packet| packet.asks("INSERT INTO _sqlx_migrations");
    if let Some(at) = packets.iter().position(begins) {
        stalls.push(Stall { at: at + 2, backup: READ_LOCK, held_for: HELD_FOR[1] });
    }
    let n_stalls = stalls.len();
    let url = other.root_url().to_owned();
    let counts = course.each(stalls, move |course, lane, stall| one(course, lane, stall, url.clone())).await;
    tell_counts(flavour, n_stalls, of, n_packets, began, &counts);
}

fn tell_counts(
    flavour: Flavour,
    n_stalls: usize,
    of: &str,
    n_packets: usize,
    began: Instant,
    counts: &BTreeMap<Outcome, usize>,
) {
    let (elapsed, counts) = (began.elapsed().as_secs(), in_words(counts));
    tell(&format!(
        "{flavour}: {n_stalls} backups during {of}, {n_packets} packets, in {elapsed} s: {counts}"
    ));
}

async fn one(course: Arc<Course>, lane: usize, stall: Stall, url: String) -> Result<Outcome, String> {
    let lane = course.lane(lane);
    course.clear(lane).await;
    lane.proxy.arm(None);
    let mut pause = lane.proxy.pause_at(stall.at);
    let run = course.run(lane);
    let run = IMPATIENT.into_iter().fold(run, end_to_end::Invocation::arg);
    let first = async {
        let output = run.await;
        // A run that was refused before the packet: nothing waits for it then.
        lane.proxy.arm(None);
        output
    };
    let backup = async {
        if !pause.reached().await {
            return;
        }
        let mut root = MySqlConnection::connect(&url).await.expect("root can connect");
        let is_locked = lock(&mut root, stall.backup).await;
        drop(pause);
        if is_locked {
            sleep(stall.held_for).await;
        }
        if is_locked {
            root.execute(raw_sql(stall.backup.unlock)).await.expect("what was locked can be unlocked");
        }
        // Of what could not be locked entirely, the rest ends with the connection.
        root.close().await.ok();
    };
    let (first, ()) = join!(first, backup);
    let outcome = course.mend(lane, &first).await?;
    course.again(lane).await?;
    Ok(outcome)
}

/// Whether the lock was to be had: another lane's backup may be at work, and of BACKUP STAGE there is one at a time.
async fn lock(root: &mut MySqlConnection, backup: Backup) -> bool {
    for statement in [SOON].iter().chain(backup.lock) {
        if root.execute(raw_sql(AssertSqlSafe((*statement).to_owned()))).await.is_err() {
            return false;
        }
    }
    true
}
