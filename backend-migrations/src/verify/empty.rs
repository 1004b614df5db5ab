//! The empty tenant. Where there is much to prove its life is cut in two segments, lived side by side; the first begins
//! with what the tenant that lags behind leaves.
//!
//! The second segment begins where a tenant is after all migrations before it, which takes one statement for each of
//! theirs, and not the nine or more of their proofs. How a set is cut depends on nothing but the set, so a run can be
//! repeated anywhere.

use std::{ops::Range, sync::Arc};

use tokio::join;

use super::{
    Job,
    lagging::{self, Whole},
    lane::{Lane, Lived},
    tenant::{Kind, Tenant},
};
use crate::{migration::Migration, plan::Goal, scratch::ScratchError};

/// Fewer proofs are over before a second tenant is where it begins.
const N_WORTH_A_CUT: usize = 40;

/// What the empty tenant's life gives, and that of the tenant that lags behind.
///
/// Where everything is to be proven they share a database: once all is undone there, it is an empty tenant's, whose life
/// takes it up again. That is one time less for each statement than if each had its own.
pub(super) async fn prove(
    job: Job<'_>,
    migrations: &[Arc<Migration>],
) -> Result<(Lived, Whole), ScratchError> {
    let selected = job.places(migrations);
    let (first, second) = segments(&selected);
    let first = async {
        if selected.len() < migrations.len() {
            let lane = Lane::prove_all(job, migrations, Kind::Empty, first, None);
            let (lived, whole) = join!(Box::pin(lane), Box::pin(lagging::prove(job, false)));
            return Ok::<_, ScratchError>((lived?, whole?));
        }
        let mut whole = Box::pin(lagging::prove(job, true)).await?;
        let heir = whole.undone.take();
        let is_heir = heir.is_some();
        let lived = Box::pin(Lane::prove_all(job, migrations, Kind::Empty, first, heir)).await?;
        match &lived.newest {
            Some(schema) => whole.again(schema),
            // It was lost on the way, where a proof had failed; a new tenant is as empty.
            None if is_heir => {
                let mut tenant = Tenant::create(job).await?;
                if tenant.goes(job.set, Goal::Latest).await? {
                    whole.again(&tenant.snapshot().await?);
                }
                tenant.remove().await?;
            }
            None => {}
        }
        Ok((lived, whole))
    };
    let second = async {
        match second {
            Some(second) => {
                Box::pin(Lane::prove_all(job, migrations, Kind::Empty, second, None)).await.map(Some)
            }
            None => Ok(None),
        }
    };
    // Both end, whatever becomes of one: each removes its databases.
    let (first, second) = join!(first, second);
    let (mut lived, whole) = first?;
    if let Some(second) = second? {
        lived.found.extend(second.found);
        lived.skipped.extend(second.skipped);
        lived.elapsed.extend(second.elapsed);
    }
    Ok((lived, whole))
}

/// Which migrations are lived through together, by the places of those that are to be proven.
fn segments(selected: &[usize]) -> (Range<usize>, Option<Range<usize>>) {
    let first = selected.first().copied().unwrap_or_default();
    let end = selected.last().map_or(0, |last| last + 1);
    let middle = selected.get(selected.len() / 2).filter(|_| selected.len() >= N_WORTH_A_CUT);
    let second = middle.map(|&middle| middle..end);
    (first..middle.map_or(end, |&middle| middle), second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sets_are_cut() {
        let check = |selected: Vec<usize>, expected: &[(usize, usize)]| {
            let (first, second) = segments(&selected);
            let found: Vec<_> =
                [first].into_iter().chain(second).map(|segment| (segment.start, segment.end)).collect();
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
