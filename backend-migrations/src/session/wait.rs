//! What a statement waits for, seen from a connection beside its own.

use std::{fmt, future::Future};

use super::Activity;

/// How many connections are named; one is enough to go on with.
const N_NAMED_MAX: usize = 3;

/// What a look at a running statement shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It waits for no lock, as far as can be seen.
    Runs,
    /// It waits for a lock.
    Waits(Blockage),
    /// Whether it waits cannot be seen: the look itself failed, or the account lacks a privilege.
    Unseen {
        /// The privilege.
        missing: Option<&'static str>,
    },
}

/// Who holds the lock that a statement waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blockage {
    /// The connections that hold it, the one that has been at it longest first.
    pub blockers: Vec<Activity>,
    /// Whether the server says that they hold it; else they are those that may.
    pub is_certain: bool,
    /// What the account lacks to see more.
    pub missing: Option<&'static str>,
}

impl fmt::Display for Blockage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lock")?;
        if self.blockers.is_empty() {
            return match self.missing {
                Some(missing) => write!(f, "; who holds it, an account without {missing} may not see"),
                None => f.write_str("; who holds it could not be found"),
            };
        }
        f.write_str(if self.is_certain { ", held by " } else { ", probably held by " })?;
        for (at, blocker) in self.blockers.iter().take(N_NAMED_MAX).enumerate() {
            let between = if at == 0 { "" } else { "; " };
            write!(f, "{between}{blocker}")?;
        }
        match self.blockers.len().saturating_sub(N_NAMED_MAX) {
            0 => Ok(()),
            n => write!(f, "; and {n} more"),
        }
    }
}

/// Looks at a connection from beside it.
pub trait Watch: Send {
    /// Looks once whether the statement that runs there waits, and for whom.
    fn look(&mut self) -> impl Future<Output = Sight> + Send;

    /// Lets go of whatever it looked with.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Sees nothing.
#[derive(Clone, Copy, Debug)]
pub struct Blind;

impl Watch for Blind {
    async fn look(&mut self) -> Sight {
        Sight::Unseen { missing: None }
    }

    async fn close(self) {}
}
