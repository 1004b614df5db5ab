//! Who waits for a turn, and whose server has a free place.

use std::collections::{HashMap, VecDeque};

use crate::tenant::{SealedTarget, ServerId, SharedLabel, Target};

/// A database that a run is over.
#[derive(Clone, Debug)]
pub enum Candidate {
    /// A tenant's: its password is opened when its turn comes, so that few are in memory at once.
    Sealed(SealedTarget),
    /// One whose password is known: the central database.
    Open(Target),
}

impl Candidate {
    /// How it is called.
    pub fn label(&self) -> &SharedLabel {
        match self {
            Self::Sealed(target) => &target.label,
            Self::Open(target) => &target.label,
        }
    }
}

/// The tenants that wait, by server.
///
/// Servers take turns, so that a fleet on several keeps all of them busy. Groups that are full or empty are passed over
/// at the cost of one look each.
pub(super) struct Queue {
    groups: VecDeque<Group>,
    per_server: usize,
}

struct Group {
    server: ServerId,
    waiting: VecDeque<Candidate>,
    n_running: usize,
}

impl Queue {
    pub(super) fn new(candidates: Vec<Candidate>, per_server: usize) -> Self {
        let mut places = HashMap::new();
        let mut groups: VecDeque<Group> = VecDeque::new();
        for candidate in candidates {
            let server = candidate.label().server.clone();
            let at = *places.entry(server.clone()).or_insert_with(|| {
                groups.push_back(Group { server, waiting: VecDeque::new(), n_running: 0 });
                groups.len() - 1
            });
            groups[at].waiting.push_back(candidate);
        }
        Self { groups, per_server }
    }

    /// How many tenants its servers take at once.
    pub(super) fn width(&self) -> usize {
        self.groups.iter().map(|group| group.waiting.len().min(self.per_server)).sum()
    }

    /// The next tenant whose server has a free place.
    pub(super) fn admit(&mut self) -> Option<(ServerId, Candidate)> {
        for _ in 0..self.groups.len() {
            self.groups.rotate_left(1);
            let group = self.groups.back_mut()?;
            if group.n_running < self.per_server
                && let Some(candidate) = group.waiting.pop_front()
            {
                group.n_running += 1;
                return Some((group.server.clone(), candidate));
            }
        }
        None
    }

    pub(super) fn release(&mut self, server: &ServerId) {
        let Some(at) = self.groups.iter().position(|group| group.server == *server) else { return };
        self.groups[at].n_running -= 1;
        if self.groups[at].n_running == 0 && self.groups[at].waiting.is_empty() {
            self.groups.remove(at);
        }
    }

    pub(super) fn into_remaining(self) -> impl Iterator<Item = Candidate> {
        self.groups.into_iter().flat_map(|group| group.waiting)
    }
}
