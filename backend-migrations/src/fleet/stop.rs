//! How a run is told to stop.

use tokio_util::sync::CancellationToken;

/// How a run is told to stop.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Begin no more tenants, finish the migrations in flight.
    pub soft: CancellationToken,
    /// Kill the statements in flight on the server. Implies [`Stop::soft`].
    pub hard: CancellationToken,
    /// Begin no more tenants: the lock on the fleet is lost, and another rollout may have begun.
    pub lost: CancellationToken,
    /// Begin no more tenants: what happens can no longer be told.
    pub unheard: CancellationToken,
}

impl Default for Stop {
    fn default() -> Self {
        let hard = CancellationToken::new();
        Self {
            soft: hard.child_token(),
            hard,
            lost: CancellationToken::new(),
            unheard: CancellationToken::new(),
        }
    }
}
