//! Where one change is split over several files, a step alone may not come back although the whole does.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use super::{Job, copy::Remaker, findings::Found, lane::is_about_undoing, tenant::Kind};
use crate::{
    finding::Severity,
    migration::{Migration, MigrationSet, Version},
    plan::Goal,
    scratch::ScratchError,
};

/// Proves the ranges of neighbouring steps that do not come back, and says at these what came of it.
pub(super) async fn prove(
    job: Job<'_>,
    migrations: &[Arc<Migration>],
    skipped: &BTreeSet<Version>,
    found: &mut [Found],
) -> Result<(), ScratchError> {
    let failing: BTreeSet<_> = found
        .iter()
        .filter(|found| is_a_step(found))
        .filter_map(|found| migrations.iter().position(|m| Some(m.version) == found.finding.version))
        .collect();
    let mut remaker = Remaker::new(job, migrations);
    for range in groups(&failing) {
        // With a sound neighbour nothing is proven: below a `CREATE TABLE` whatever became of the table goes with it.
        if range.len() < 2 || !comes_back(&mut remaker, migrations, skipped, range.clone()).await? {
            continue;
        }
        let (first, last) = (migrations[range.start].version, migrations[range.end - 1].version);
        for found in &mut *found {
            let is_in = found.finding.version.is_some_and(|v| (first..=last).contains(&v));
            if is_in && is_a_step(found) {
                found.finding.notes.push(format!(
                    "the step alone does not come back; {first} to {last}, applied and undone together, do"
                ));
                found.finding.severity = Severity::Warning;
            }
        }
    }
    remaker.close().await
}

/// Whether it is about one step: on a tenant that lags behind, all are undone together anyway.
fn is_a_step(found: &Found) -> bool {
    is_about_undoing(&found.finding) && found.on != Some(Kind::Lagging)
}

/// Neighbours as ranges.
fn groups(failing: &BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for &at in failing {
        match groups.last_mut() {
            Some(group) if group.end == at => group.end += 1,
            _ => groups.push(at..at + 1),
        }
    }
    groups
}

/// Whether all of `range`, applied and then undone, gives back the schema before.
async fn comes_back(
    remaker: &mut Remaker<'_>,
    migrations: &[Arc<Migration>],
    skipped: &BTreeSet<Version>,
    range: Range<usize>,
) -> Result<bool, ScratchError> {
    let Ok((mut tenant, _)) = remaker.tenant_at(range.start, skipped).await? else { return Ok(false) };
    let before = tenant.snapshot().await?;
    let chosen = migrations[range].iter().filter(|m| !skipped.contains(&m.version));
    let chosen = chosen.map(|migration| (**migration).clone()).collect();
    let set = MigrationSet::new(chosen).expect("each version is there once");
    let mut is_back = true;
    for goal in [Goal::Latest, Goal::DownTo(Version(0))] {
        is_back = is_back && tenant.goes(&set, goal).await?;
    }
    let is_back = is_back && before.diff(&tenant.snapshot().await?).is_empty();
    tenant.remove().await?;
    Ok(is_back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_group() {
        let check = |failing: &[usize], expected: &[Range<usize>]| {
            assert_eq!(groups(&failing.iter().copied().collect()), expected);
        };
        check(&[], &[]);
        check(&[3, 5], &[3..4, 5..6]);
        check(&[1, 2, 3, 7, 9, 10], &[1..4, 7..8, 9..11]);
    }
}
