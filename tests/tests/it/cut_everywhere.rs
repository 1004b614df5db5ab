//! The connection is cut, or the client killed, at every packet of a run and inside of long statements; what follows
//! ends as if nothing had been.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use end_to_end::{
    Server, on_each_server,
    proxy::{Cut, How},
    random::{Random, quantity},
    tell,
};

use crate::course::{Course, EVERY_KIND, Outcome, in_words};

on_each_server!(a_cut_at_any_packet_loses_nothing, a_cut_inside_of_a_long_statement_loses_nothing);

const ALL: usize = usize::MAX;

/// A table with some rows, and an `ALTER` that computes long for each of them.
const LONG: &[(&str, &str)] = &[
    (
        "20260101000000_few_rows.up.sql",
        "CREATE TABLE counters (name VARCHAR(20) NOT NULL PRIMARY KEY, n INT NOT NULL);\n\
         INSERT INTO counters VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6), ('g', 7), ('h', 8);\n",
    ),
    (
        "20260102000000_long.up.sql",
        "UPDATE counters SET n = n + 1;\n\
         ALTER TABLE counters ADD COLUMN digest CHAR(128) AS (SHA2(REPEAT(name, 2000000), 512)) STORED;\n\
         UPDATE counters SET n = n + 10;\n",
    ),
    (
        "20260103000000_long_alone.up.sql",
        "ALTER TABLE counters ADD COLUMN second CHAR(128) AS (SHA2(REPEAT(n, 2000000), 512)) STORED;\n",
    ),
];

async fn a_cut_at_any_packet_loses_nothing(server: &'static Server) {
    let course = Course::new(server, "cut", EVERY_KIND).await;
    let n_packets = course.first_lane().proxy.packets().len();
    let hows = [How::BothWays, How::OnlyTheAnswer, How::Stall];
    let cuts = (1..=n_packets).flat_map(|at| hows.map(|how| Cut { at, how })).collect();
    let mut random = Random::for_test("cut at any packet");
    let cuts = random.sample(cuts, quantity(40, ALL));
    disturb(course, cuts, &format!("{n_packets} packets")).await;
}

async fn a_cut_inside_of_a_long_statement_loses_nothing(server: &'static Server) {
    let course = Course::new(server, "cutlong", LONG).await;
    // Most of the run is these two statements, so some cuts come after the end of one.
    let longest = course.elapsed;
    let packets = course.first_lane().proxy.packets();
    let long: Vec<_> =
        (1..).zip(&packets).filter(|(_, packet)| packet.asks("REPEAT")).map(|(at, _)| at).collect();
    assert_eq!(long.len(), 2);
    let mut random = Random::for_test("cut inside of a long statement");
    let cut = |_| {
        let delay = longest.mul_f64(f64::from(u16::try_from(random.below(1000)).expect("small")) / 1000.0);
        let hows = [How::OnlyTheAnswer, How::BothWaysAfter(delay), How::StallAfter(delay)];
        Cut { at: *random.one_of(&long), how: *random.one_of(&hows) }
    };
    let cuts = (0..quantity(8, 100)).map(cut).collect();
    disturb(course, cuts, "a long ALTER").await;
}

async fn disturb(course: Course, cuts: Vec<Cut>, of: &str) {
    let (n_cuts, began) = (cuts.len(), Instant::now());
    let flavour = course.flavour();
    let counts = course.each(cuts, one).await;
    let elapsed = began.elapsed().as_secs();
    tell(&format!("{flavour}: {n_cuts} cuts of {of} in {elapsed} s: {}", in_words(&counts)));
}

async fn one(course: Arc<Course>, lane: usize, cut: Cut) -> Result<Outcome, String> {
    /// A run that is past its cut without a stall has ended by itself.
    const LIMIT: Duration = Duration::from_mins(2);
    let lane = course.lane(lane);
    course.clear(lane).await;
    lane.proxy.arm(Some(cut));
    let run = course.run(lane).start().await;
    let first = tokio::time::timeout(LIMIT, run.finish_or_kill(lane.proxy.stalled())).await;
    let first = first.map_err(|_| "the run does not end".to_owned())?;
    course.mend(lane, &first).await
}
