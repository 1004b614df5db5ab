//! The tables, in Markdown.

use std::{collections::BTreeMap, fmt::Write as _};

use throwaway_server::ThrowawayServer;

use super::{BenchArgs, Scenario, arm::Arm, timing::Timing};

/// What was measured on what.
pub(super) fn heading(server: &ThrowawayServer, args: &BenchArgs) -> String {
    let n_cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "## {}\n\n{} tenants, {} rounds in shuffled order, client and server on {n_cores} cores.",
        server.description(),
        args.tenants,
        args.rounds
    )
}

/// The runs of one scenario.
pub(super) fn of_runs(
    scenario: Scenario,
    n_tenants: usize,
    arms: &[Arm],
    timings: &BTreeMap<&str, Vec<Timing>>,
) -> String {
    let wall = |arm: &Arm| -> Vec<f64> {
        timings.get(arm.name.as_str()).into_iter().flatten().map(|timing| timing.wall_s).collect()
    };
    let best_floor =
        arms.iter().filter(|arm| arm.is_floor()).map(|arm| median(&wall(arm))).fold(f64::INFINITY, f64::min);
    let knex = arms.iter().find(|arm| arm.is_knex()).map(|arm| median(&wall(arm)));
    let mut table = format!(
        "### {}\n\n| | seconds (min–max) | ms a tenant | × the best floor | × faster than knex | client CPU s | RSS MiB \
         |\n|---|--:|--:|--:|--:|--:|--:|\n",
        scenario.title()
    );
    for arm in arms {
        let Some(all) = timings.get(arm.name.as_str()) else { continue };
        let wall = wall(arm);
        let of = |what: fn(&Timing) -> f64| median(&all.iter().map(what).collect::<Vec<_>>());
        let faster = knex.map_or("–".to_owned(), |knex| format!("{:.2}", knex / median(&wall)));
        writeln!(
            table,
            "| {} | {:.3} ({:.3}–{:.3}) | {:.2} | {:.2} | {faster} | {:.2} | {:.0} |",
            arm.name,
            median(&wall),
            wall.iter().copied().fold(f64::INFINITY, f64::min),
            wall.iter().copied().fold(0.0, f64::max),
            median(&wall) * 1e3 / f64::from(u32::try_from(n_tenants).unwrap_or(u32::MAX)),
            median(&wall) / best_floor,
            of(|timing| timing.cpu_s),
            of(|timing| timing.rss_mib),
        )
        .ok();
    }
    table.push('\n');
    table
}

/// Logins: each way's times in milliseconds, the floor's first.
pub(super) fn of_logins(rows: &[(&str, Vec<f64>)]) -> String {
    let floor = rows.first().map_or(f64::NAN, |(_, times)| median(times));
    let mut table =
        "### a login over TLS\n\n| | ms, median (10 %–90 %) | × the floor |\n|---|--:|--:|\n".to_owned();
    for (name, times) in rows {
        let (median, low, high) = (median(times), quantile(times, 0.1), quantile(times, 0.9));
        writeln!(table, "| {name} | {median:.2} ({low:.2}–{high:.2}) | {:.2} |", median / floor).ok();
    }
    table.push('\n');
    table
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Between the two nearest values, as spreadsheets do.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a short list"
)]
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_between_the_two_in_the_middle() {
        let is = |value: f64, expected: f64| (value - expected).abs() < 1e-9;
        assert!(is(median(&[4.0, 1.0, 3.0, 2.0]), 2.5));
        assert!(is(median(&[3.0, 1.0, 2.0]), 2.0));
        assert!(is(quantile(&[0.0, 10.0], 0.1), 1.0));
        assert!(median(&[]).is_nan());
    }
}
