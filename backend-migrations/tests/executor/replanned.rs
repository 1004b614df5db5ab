//! What holds for every set and every history.

use std::collections::BTreeSet;

use backend_migrations::{
    history::{History, HistoryRow},
    migration::{Direction, MigrationSet, Version},
    plan::{Goal, Plan, PlanOptions, plan},
};
use proptest::prelude::*;

use crate::cases::files;

fn planned(set: &MigrationSet, history: &History, goal: Goal) -> Plan {
    plan(set, history, &PlanOptions { goal, allow_out_of_order: true, allow_existing_tables: false })
        .expect("files and history fit")
}

/// A history as it is after the first `n` steps of a plan.
fn after(history: &History, plan: &Plan, n: usize) -> History {
    let mut history = history.clone();
    for step in &plan.steps[..n] {
        history.rows.retain(|row| row.version != step.migration.version);
        if step.direction == Direction::Up {
            history.rows.push(HistoryRow {
                version: step.migration.version,
                description: step.migration.description.clone(),
                success: true,
                checksum: step.migration.up.checksum.0.to_vec(),
                execution_time_ns: 1,
                installed_on_s: 0,
            });
        }
        history.rows.sort_by_key(|row| row.version);
    }
    history
}

fn versions(history: &History) -> Vec<Version> {
    history.rows.iter().map(|row| row.version).collect()
}

prop_compose! {
    /// Files, and a history of some of them.
    fn database()(all in prop::collection::btree_set(1_i64..40, 0..12))
        (applied in prop::sample::subsequence(all.iter().copied().collect::<Vec<_>>(), 0..=all.len()), all in Just(all))
        -> (MigrationSet, History) {
        let words = |versions: &mut dyn Iterator<Item = i64>| versions.map(|v| v.to_string()).collect::<Vec<_>>().join(" ");
        (files(&words(&mut all.into_iter())), crate::cases::history(&words(&mut applied.into_iter())))
    }
}

fn goal() -> impl Strategy<Value = Goal> {
    prop_oneof![Just(Goal::Latest), Just(Goal::DownTo(Version(0)))]
}

proptest! {
    #[test]
    fn the_rest_is_planned_after_any_part((set, history) in database(), goal in goal(), part in 0.0..=1.0) {
        let whole = planned(&set, &history, goal.clone());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part of it")]
        let n = (whole.steps.len() as f64 * part) as usize;
        let rest = planned(&set, &after(&history, &whole, n), goal);
        prop_assert_eq!(&rest.steps[..], &whole.steps[n..]);
    }

    #[test]
    fn nothing_is_done_twice((set, history) in database()) {
        let applied: BTreeSet<_> = versions(&history).into_iter().collect();
        let up = planned(&set, &history, Goal::Latest);
        prop_assert!(up.steps.iter().all(|step| !applied.contains(&step.migration.version)));
        let down = planned(&set, &history, Goal::DownTo(Version(0)));
        prop_assert!(down.steps.iter().all(|step| applied.contains(&step.migration.version)));
        prop_assert!(up.steps.is_sorted_by_key(|step| step.migration.version));
        prop_assert!(down.steps.iter().rev().is_sorted_by_key(|step| step.migration.version));
        prop_assert_eq!(up.steps.len() + down.steps.len(), set.len());
    }

    #[test]
    fn down_and_up_again_is_where_it_began((set, _) in database(), steps in 0_usize..14) {
        let all = planned(&set, &History::default(), Goal::Latest);
        let full = after(&History::default(), &all, all.steps.len());
        let down = planned(&set, &full, Goal::Down { steps });
        prop_assert_eq!(down.steps.len(), steps.min(set.len()));
        let lower = after(&full, &down, down.steps.len());
        let up = planned(&set, &lower, Goal::Latest);
        prop_assert_eq!(versions(&after(&lower, &up, up.steps.len())), versions(&full));
    }

    #[test]
    fn steps_and_version_agree((set, history) in database(), steps in 0_usize..14) {
        let down = planned(&set, &history, Goal::Down { steps });
        let left = after(&history, &down, down.steps.len());
        let target = left.newest().unwrap_or(Version(0));
        prop_assert_eq!(planned(&set, &history, Goal::DownTo(target)), down);
    }

    /// An out-of-order migration is refused unless allowed, and then it is all that is different.
    #[test]
    fn order_is_kept_unless_waived((set, history) in database()) {
        let strict = plan(&set, &history, &PlanOptions { goal: Goal::Latest, allow_out_of_order: false, allow_existing_tables: false });
        let newest = history.newest().unwrap_or(Version(0));
        let late = planned(&set, &history, Goal::Latest).steps.iter().filter(|s| s.migration.version < newest).count();
        prop_assert_eq!(strict.map_or_else(|error| error.problems.len(), |_| 0), late);
    }
}
