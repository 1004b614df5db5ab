//! The server is killed in the middle of runs and started again on its data; what follows ends as if nothing had been.

use std::{collections::BTreeMap, future::IntoFuture as _, time::Instant};

use backend_migrations::migration::Direction;
use end_to_end::{
    Server, on_each_server,
    proxy::{Cut, How},
    random::{Random, quantity},
    tell,
};
use throwaway_server::{Options, ThrowawayServer};
use tokio::join;

use crate::course::{Course, EVERY_KIND, LONG, Outcome, in_words, untransacted};

on_each_server!(a_server_that_is_killed_loses_nothing);

/// One kill ends a run in each lane: the first at a chosen packet, the others wherever they are then.
async fn a_server_that_is_killed_loses_nothing(server: &'static Server) {
    // What was open when the server died is looked over when it is next opened: MariaDB's default.
    let server_arguments = vec!["--myisam-recover-options=BACKUP,FORCE".to_owned()];
    let options =
        Options { flavour: Some(server.flavour()), is_durable: true, server_arguments, ..Options::default() };
    let mut doomed = throwaway_server::start(&options).await.expect("a second server");
    if !doomed.is_ours() {
        tell("a killed server is NOT tested: the one there is, is not ours to kill");
        return;
    }
    let (flavour, began) = (server.flavour(), Instant::now());
    let course = Course::on(server, Some(&doomed), "killed", EVERY_KIND, Direction::Up).await;
    let long = Course::on(server, Some(&doomed), "killedlong", LONG, Direction::Up).await;
    let n_packets = course.first_lane().proxy.packets().len();
    let mut random = Random::for_test("a killed server");
    let mut counts = BTreeMap::new();
    let (n_at_packets, n_in_statements) = (quantity(3, 40), quantity(1, 10));
    let mut n_kills = n_at_packets + n_in_statements;
    for _ in 0..n_at_packets {
        // The login and the first look come before there is anything to lose.
        let at = 20 + random.below(n_packets - 20);
        kill(&course, &mut doomed, Cut { at, how: How::Stall }, &mut counts).await;
    }
    for _ in 0..n_in_statements {
        let (at, delay) = long.inside_of_a_long_statement(&mut random);
        kill(&long, &mut doomed, Cut { at, how: How::StallAfter(delay) }, &mut counts).await;
    }
    // What is in memory alone is gone with the server.
    for engine in untransacted(flavour).iter().filter(|engine| **engine != "MEMORY") {
        let word = format!("killed{}", engine.to_ascii_lowercase()).leak();
        let course =
            Course::on(server, Some(&doomed), word, EVERY_KIND.with_engine(engine), Direction::Up).await;
        for _ in 0..quantity(1, 20) {
            let at = 20 + random.below(n_packets - 20);
            kill(&course, &mut doomed, Cut { at, how: How::Stall }, &mut counts).await;
            n_kills += 1;
        }
    }
    let elapsed = began.elapsed().as_secs();
    tell(&format!("{flavour}: killed {n_kills} times in {elapsed} s: {}", in_words(&counts)));
}

async fn kill(
    course: &Course,
    doomed: &mut ThrowawayServer,
    cut: Cut,
    counts: &mut BTreeMap<Outcome, usize>,
) {
    // It may have been killed for another course since.
    course.follow(doomed).await;
    for lane in course.lanes() {
        course.clear(lane).await;
        lane.proxy.arm(None);
    }
    let first = course.first_lane();
    first.proxy.arm(Some(cut));
    let kill = async {
        first.proxy.stalled().await;
        doomed.crash().await.expect("it starts again");
        course.follow(doomed).await;
        first.proxy.let_go();
    };
    let run = |lane| course.run(lane).into_future();
    let [a, b, c] = course.lanes() else { panic!("three lanes") };
    let ((), a_output, b_output, c_output) = join!(kill, run(a), run(b), run(c));
    for (lane, output) in [(a, a_output), (b, b_output), (c, c_output)] {
        let outcome = course.mend(lane, &output).await;
        let outcome = outcome.unwrap_or_else(|reason| panic!("{cut:?}: {reason}"));
        *counts.entry(outcome).or_default() += 1;
    }
}
