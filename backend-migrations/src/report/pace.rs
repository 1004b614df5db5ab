//! How far a run is, and how long the rest takes.

use std::time::Duration;

/// Before this an estimate says more about the connection's first round trip than about the rest.
const ESTIMATE_AFTER: Duration = Duration::from_secs(2);
const BAR_COLUMNS: usize = 24;

/// `n` of `all`, drawn.
pub(super) fn bar(n: usize, all: usize) -> String {
    let filled = (n * BAR_COLUMNS).checked_div(all).unwrap_or(0).min(BAR_COLUMNS);
    format!("{}{}", "█".repeat(filled), "░".repeat(BAR_COLUMNS - filled))
}

/// How long the rest takes at the pace so far; nothing while that cannot be known, and where there is no rest.
pub(super) fn remaining(n: usize, all: usize, elapsed: Duration) -> Option<Duration> {
    let (n, rest) = (u32::try_from(n).ok()?, u32::try_from(all.checked_sub(n)?).ok()?);
    if n == 0 || rest == 0 || elapsed < ESTIMATE_AFTER {
        return None;
    }
    let rest = elapsed.checked_mul(rest)? / n;
    Some(rest.max(Duration::from_secs(1)))
}
