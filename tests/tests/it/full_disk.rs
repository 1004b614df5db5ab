//! The disk that the tenants' data is on has no room left, from a chosen packet of a run to its end. What follows, when there is
//! room again, ends as if nothing had been.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use backend_migrations::migration::Direction;
use end_to_end::{
    Server, on_each_server, query,
    random::{Random, quantity},
    tell,
};
use sqlx::{Connection as _, MySqlConnection};
use throwaway_server::{Options, ThrowawayServer};
use tokio::join;

use crate::course::{Course, EVERY_KIND, Files, in_words, untransacted};

on_each_server!(a_full_disk_at_any_packet_loses_nothing);

/// What the servers say of it: `HA_ERR_RECORD_FILE_FULL`, `ENOSPC` in an error of a file, and of a disk.
const FULL: [&str; 4] = ["is full", "No space left", "Disk full", "disk is full"];

async fn a_full_disk_at_any_packet_loses_nothing(server: &'static Server) {
    let options =
        Options { flavour: Some(server.flavour()), disk_bytes: Some(400 << 20), ..Options::default() };
    let cramped = match throwaway_server::start(&options).await {
        Ok(cramped) if cramped.is_ours() => Arc::new(cramped),
        Ok(_) => return tell("a full disk is NOT tested: the one server there is, is not ours to disturb"),
        Err(error) => return tell(&format!("a full disk is NOT tested: {error}")),
    };
    let mut files = vec![(EVERY_KIND, "nospace".to_owned())];
    for engine in untransacted(server.flavour()) {
        // In memory there is room, and MariaDB's own engines lose rows that were there before.
        if server.is_mysql() && *engine != "MEMORY" {
            files.push((EVERY_KIND.with_engine(engine), format!("nospace{}", engine.to_ascii_lowercase())));
        }
    }
    let n_refused = Arc::new(AtomicUsize::new(0));
    for (files, word) in files {
        fill_at_packets(server, &cramped, files, word.leak(), &n_refused).await;
    }
    assert_ne!(n_refused.load(Ordering::Relaxed), 0, "no server has ever said that its disk is full");
}

/// What the servers ask for after that, and an administrator does: a table without transactions is damaged by a full disk.
async fn repair(server: &ThrowawayServer) {
    let mut root = MySqlConnection::connect(server.root_url()).await.expect("root can connect");
    let tables = "SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables \
         WHERE engine IN ('Aria', 'MyISAM') AND table_schema LIKE 'nospace%'";
    for table in query::column(&mut root, tables).await {
        query::rows(&mut root, &format!("REPAIR TABLE {table}")).await;
    }
    root.close().await.ok();
}

async fn fill_at_packets(
    server: &'static Server,
    cramped: &Arc<ThrowawayServer>,
    files: Files,
    word: &'static str,
    n_refused: &Arc<AtomicUsize>,
) {
    let began = Instant::now();
    let course = Course::on(server, Some(cramped), word, files, Direction::Up).await;
    let packets = course.first_lane().proxy.packets();
    let mut random = Random::for_test(&format!("a full disk at any packet, {word}"));
    let mut places = random.sample((1..=packets.len()).collect(), quantity(2, usize::MAX));
    // What needs room at once: a table, in the middle of a file.
    places.extend(packets.iter().position(|packet| packet.asks("CREATE TABLE steps")));
    let (n_places, flavour) = (places.len(), course.flavour());
    let mut counts = BTreeMap::new();
    // The disk is full for all of them, so one at a time.
    for at in places {
        let lane = course.first_lane();
        course.clear(lane).await;
        lane.proxy.arm(None);
        let mut pause = lane.proxy.pause_at(at);
        let first = async {
            let output = course.run(lane).arg("--statement-timeout").arg("5s").await;
            // A run that has ended before the packet: nothing waits for it then.
            lane.proxy.arm(None);
            output
        };
        let fill = async {
            if pause.reached().await {
                cramped.fill_disk().await.expect("the disk can be filled");
            }
            drop(pause);
        };
        let (first, ()) = join!(first, fill);
        cramped.free_disk().await.expect("room can be made");
        if files.is_untransacted() {
            repair(cramped).await;
        }
        if FULL.iter().any(|words| first.text().contains(words)) {
            n_refused.fetch_add(1, Ordering::Relaxed);
            let is_unclear = first.text().contains("migrate:recover");
            assert!(is_unclear || first.text().contains("hint: make room"), "{first}");
        }
        let outcome = course.mend(lane, &first).await;
        let outcome = outcome.unwrap_or_else(|reason| panic!("a full disk at packet {at}: {reason}"));
        *counts.entry(outcome).or_default() += 1;
    }
    let elapsed = began.elapsed().as_secs();
    tell(&format!("{flavour}, {word}: the disk full {n_places} times in {elapsed} s: {}", in_words(&counts)));
}
