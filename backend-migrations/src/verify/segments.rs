//! A tenant's life in two segments that run side by side, where there is much to prove.
//!
//! The second begins where a tenant is after all migrations before it, which takes one statement for each of theirs, and
//! not the nine or more of their proofs. How a set is cut depends on nothing but the set, so a run can be repeated
//! anywhere.

use std::{ops::Range, sync::Arc};

use futures_util::future::join_all;

use super::{
    Job,
    lane::{Lane, Lived},
    tenant::Kind,
};
use crate::{migration::Migration, scratch::ScratchError};

/// Fewer proofs are over before a second tenant is where it begins.
const N_WORTH_A_CUT: usize = 40;

/// Lives through all of `migrations`.
pub(super) async fn prove_all(
    job: Job<'_>,
    migrations: &[Arc<Migration>],
    kind: Kind,
) -> Result<Lived, ScratchError> {
    let selected: Vec<_> =
        (0..migrations.len()).filter(|at| job.is_selected(migrations[*at].version)).collect();
    let segments = segments(&selected);
    // All of them end, whatever becomes of one: each removes its databases.
    let lanes = segments.map(|segment| Box::pin(Lane::prove_all(job, migrations, kind, segment)));
    let mut whole = Lived::default();
    for result in join_all(lanes).await {
        let lived = result?;
        whole.found.extend(lived.found);
        for (table, finding) in lived.unfilled {
            whole.unfilled.entry(table).or_insert(finding);
        }
        whole.skipped.extend(lived.skipped);
        whole.elapsed.extend(lived.elapsed);
        whole.costs.extend(lived.costs);
        whole.server = lived.server;
    }
    Ok(whole)
}

/// Which migrations are lived through together, by the places of those that are to be proven.
fn segments(selected: &[usize]) -> impl Iterator<Item = Range<usize>> + use<> {
    let first = selected.first().copied().unwrap_or_default();
    let end = selected.last().map_or(0, |last| last + 1);
    let middle = selected.get(selected.len() / 2).filter(|_| selected.len() >= N_WORTH_A_CUT);
    let second = middle.map(|&middle| middle..end);
    let first = first..middle.map_or(end, |&middle| middle);
    [Some(first), second].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sets_are_cut() {
        let check = |selected: Vec<usize>, expected: &[(usize, usize)]| {
            let found: Vec<_> = segments(&selected).map(|segment| (segment.start, segment.end)).collect();
            assert_eq!(found, expected, "{selected:?}");
        };
        check(vec![], &[(0, 0)]);
        check(vec![7], &[(7, 8)]);
        check(vec![2, 5], &[(2, 6)]);
        check((0..39).collect(), &[(0, 39)]);
        check((0..40).collect(), &[(0, 20), (20, 40)]);
        check((1..41).chain([90]).collect(), &[(1, 21), (21, 91)]);
    }
}
