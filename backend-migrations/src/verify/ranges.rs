//! Where one change is split over several files, a step alone may not come back although the whole does.

use super::{
    findings::{self, Found},
    tenant::Kind,
};
use crate::{
    finding::{Finding, Severity},
    migration::Version,
};

/// Says at the steps of `ranges`, which come back together, what came of each alone.
pub(super) fn excuse(ranges: &[(Version, Version)], found: &mut [Found]) {
    for found in found.iter_mut().filter(|found| is_a_step(found)) {
        let Some(version) = found.finding.version else { continue };
        let Some((first, last)) = ranges.iter().find(|(first, last)| (*first..=*last).contains(&version))
        else {
            continue;
        };
        found.finding.severity = Severity::Warning;
        found.finding.notes.push(format!(
            "the step alone does not come back; {first} to {last}, applied and undone together, do"
        ));
    }
}

/// Whether it is an error about what one step's `down` leaves: on a tenant that lags behind, all are undone together anyway.
fn is_a_step(found: &Found) -> bool {
    let Finding { code, severity, .. } = &found.finding;
    let is_about_undoing = [findings::DOWN_RUNS, findings::COMES_BACK].contains(code);
    is_about_undoing && *severity == Severity::Error && found.on != Some(Kind::Lagging)
}
