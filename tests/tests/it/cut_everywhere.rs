//! The connection is cut, or the client killed, at every packet of a run and inside of long statements; what follows
//! ends as if nothing had been.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use end_to_end::{
    Server, on_each_server,
    proxy::{Cut, How},
    random::{Random, quantity},
    tell,
};

use crate::course::{Course, EVERY_KIND, LONG, Outcome, in_words, untransacted};

on_each_server!(
    a_cut_at_any_packet_loses_nothing,
    a_cut_at_any_packet_of_a_rollback_loses_nothing,
    a_cut_inside_of_a_long_statement_loses_nothing,
    two_signals_at_any_packet_that_stalls_lose_nothing,
    a_cut_loses_nothing_of_tables_without_transactions,
);

const ALL: usize = usize::MAX;

async fn a_cut_at_any_packet_loses_nothing(server: &'static Server) {
    let course = Course::new(server, "cut", EVERY_KIND).await;
    cut_at_packets(course, quantity(40, ALL), "a run").await;
}

async fn a_cut_at_any_packet_of_a_rollback_loses_nothing(server: &'static Server) {
    let course = Course::back(server, "cutback", EVERY_KIND).await;
    cut_at_packets(course, quantity(20, ALL), "a rollback").await;
}

/// As the three above. What a schema does not tell, somebody who looks does.
async fn a_cut_loses_nothing_of_tables_without_transactions(server: &'static Server) {
    for engine in untransacted(server.flavour()) {
        let word = |what: &str| format!("{what}{}", engine.to_ascii_lowercase()).leak();
        let course = Course::new(server, word("cut"), EVERY_KIND.with_engine(engine)).await;
        cut_at_packets(course, quantity(4, ALL), &format!("a run with {engine}")).await;
        let course = Course::back(server, word("cutback"), EVERY_KIND.with_engine(engine)).await;
        cut_at_packets(course, quantity(2, ALL), &format!("a rollback with {engine}")).await;
        let course = Course::new(server, word("cutlong"), LONG.with_engine(engine)).await;
        cut_in_long_statements(course, quantity(1, 100), &format!("a long ALTER with {engine}")).await;
    }
}

async fn cut_at_packets(course: Course, n_cuts: usize, of: &str) {
    let n_packets = course.first_lane().proxy.packets().len();
    let hows = [How::BothWays, How::OnlyTheAnswer, How::Stall];
    let cuts = (1..=n_packets).flat_map(|at| hows.map(|how| Cut { at, how })).collect();
    let mut random = Random::for_test(&format!("cut at any packet of {of}"));
    let cuts = random.sample(cuts, n_cuts);
    disturb(course, cuts, &format!("{of}, {n_packets} packets")).await;
}

async fn a_cut_inside_of_a_long_statement_loses_nothing(server: &'static Server) {
    let course = Course::new(server, "cutlong", LONG).await;
    cut_in_long_statements(course, quantity(8, 100), "a long ALTER").await;
}

async fn cut_in_long_statements(course: Course, n_cuts: usize, of: &str) {
    let mut random = Random::for_test(&format!("cut inside of {of}"));
    let cut = |_| {
        let (at, delay) = course.inside_of_a_long_statement(&mut random);
        let hows = [How::OnlyTheAnswer, How::BothWaysAfter(delay), How::StallAfter(delay)];
        Cut { at, how: random.one_of(&hows) }
    };
    let cuts = (0..n_cuts).map(cut).collect();
    disturb(course, cuts, of).await;
}

/// Whatever is waited for, the second signal ends it: the answer to a look, to a record, to a statement.
async fn two_signals_at_any_packet_that_stalls_lose_nothing(server: &'static Server) {
    let course = Course::new(server, "cutsignal", EVERY_KIND).await;
    let n_packets = course.first_lane().proxy.packets().len();
    let cuts = (1..=n_packets).map(|at| Cut { at, how: How::Stall }).collect();
    let mut random = Random::for_test("two signals at any packet that stalls");
    let (cuts, flavour) = (random.sample(cuts, quantity(6, ALL)), course.flavour());
    let counts = course.each(cuts, stopped_twice).await;
    tell(&format!("{flavour}: stopped twice at packets of {n_packets} that stalled: {}", in_words(&counts)));
}

async fn stopped_twice(course: Arc<Course>, lane: usize, cut: Cut) -> Result<Outcome, String> {
    /// A statement that is killed may take half a minute to let go, and its connection as long; our own limits are longer.
    const LIMIT: Duration = Duration::from_secs(75);
    let lane = course.lane(lane);
    course.clear(lane).await;
    lane.proxy.arm(Some(cut));
    let run = course.run(lane).start().await;
    let signalled = OnceLock::new();
    let when = async {
        lane.proxy.stalled().await;
        signalled.set(Instant::now()).ok();
    };
    let first = run.finish_or_signal(&["TERM", "INT"], when).await;
    if let Some(took) = signalled.get().map(Instant::elapsed).filter(|took| *took > LIMIT) {
        return Err(format!("it went on for {} s after the second signal\n{first}", took.as_secs()));
    }
    course.mend(lane, &first).await
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
