//! What happens in one scenario: files, tenants, clients and what disturbs them. It can be kept as JSON, and read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::script::{BASE, File, version};

/// So many tenants there can be; one more is provisioned.
pub(super) const N_TENANTS: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scenario {
    pub(super) seed: u64,
    pub(super) files: Vec<File>,
    pub(super) n_tenants: usize,
    /// How many files are applied in the beginning, the base among them; 0: the databases are empty.
    pub(super) n_applied: usize,
    /// Global variables of the server that are other than by default, from the beginning to the end.
    pub(super) settings: Vec<Setting>,
    /// Each runs its commands one after another, all at once.
    pub(super) clients: Vec<Vec<Command>>,
    pub(super) faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) name: String,
    /// As SQL.
    pub(super) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    Up {
        tenant: usize,
    },
    /// Nothing newer than the file at this place.
    UpTo {
        tenant: usize,
        place: usize,
    },
    All,
    Rollback {
        tenant: usize,
        steps: usize,
    },
    RollbackTo {
        tenant: usize,
        place: usize,
    },
    RollbackAll {
        place: usize,
    },
    Resume {
        tenant: usize,
    },
    Undo {
        tenant: usize,
    },
    Status,
    Provision,
}

impl Command {
    /// Whether it may undo something.
    pub(super) fn goes_back(self) -> bool {
        matches!(
            self,
            Self::Rollback { .. } | Self::RollbackTo { .. } | Self::RollbackAll { .. } | Self::Undo { .. }
        )
    }

    /// Whether it may change this tenant.
    pub(super) fn is_about(self, tenant: usize) -> bool {
        match self {
            Self::Up { tenant: it }
            | Self::UpTo { tenant: it, .. }
            | Self::Rollback { tenant: it, .. }
            | Self::RollbackTo { tenant: it, .. }
            | Self::Resume { tenant: it }
            | Self::Undo { tenant: it } => it == tenant,
            Self::All | Self::RollbackAll { .. } => true,
            Self::Status => false,
            Self::Provision => tenant == N_TENANTS,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    pub(super) when: When,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum When {
    /// At this packet of all that pass the tenant's proxy, which is held until what happens has begun.
    Packet { tenant: usize, at: usize },
    /// At this packet between the clients and the central database.
    Central { at: usize },
    /// So long after the clients have begun.
    After { ms: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    /// The packet goes nowhere, and both sides find the connection closed.
    Cut,
    /// The server works on; the client hears nothing.
    CutAnswer,
    /// A while after the packet.
    CutAfter {
        ms: u64,
    },
    /// Held up, then carried on.
    Stall {
        ms: u64,
    },
    /// The packet is swallowed; the connection stays open for a while.
    Silence {
        ms: u64,
    },
    /// From here on each packet takes so long, in pieces of so many bytes.
    Slow {
        ms: u64,
        n_bytes: usize,
    },
    /// To what the client runs at that moment.
    Signal {
        client: usize,
        signals: Vec<Signal>,
    },
    /// By an administrator, all of the tenant's.
    KillConnections,
    KillQueries,
    /// The server, which starts again on its data.
    Crash,
    /// Another server takes over, whose data is as in the beginning; or it fell behind, and lacks so many of the files that were
    /// applied then.
    Failover {
        behind: usize,
    },
    /// The disk that the server's data is on has no room left.
    DiskFull {
        ms: u64,
    },
    /// An administrator locks the account and ends its connections.
    LockAccount {
        ms: u64,
    },
    Backup {
        by: Backup,
        ms: u64,
    },
    ReadOnly {
        ms: u64,
    },
    /// Accounts may have so many connections.
    Limit {
        n: usize,
        ms: u64,
    },
    /// Another connection has `LOCK TABLES trace WRITE`, or rows of it in a transaction.
    LockTable {
        ms: u64,
    },
    LockRows {
        ms: u64,
    },
    /// A global variable changes.
    Set(Setting),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Signal {
    Int,
    Term,
    Hup,
    Kill,
}

impl Signal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::Term => "TERM",
            Self::Hup => "HUP",
            Self::Kill => "KILL",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Backup {
    ReadLock,
    /// MariaDB's; on MySQL `LOCK INSTANCE FOR BACKUP`.
    BlockDdl,
    /// MariaDB's; on MySQL `FLUSH TABLES WITH READ LOCK`.
    BlockCommit,
}

impl Scenario {
    /// How far behind the other server is, if another takes over.
    pub(super) fn behind(&self) -> Option<usize> {
        self.faults.iter().find_map(|fault| match fault.what {
            What::Failover { behind } => Some(behind),
            _ => None,
        })
    }

    /// Whether the server's disk is to be full.
    pub(super) fn is_cramped(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.what, What::DiskFull { .. }))
    }

    /// Names and texts of the files of this scenario, in order; each with its `down`, if it has one.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let mut texts = vec![(format!("{}_base.up.sql", version(0)), BASE.to_owned())];
        for (index, file) in self.files.iter().enumerate() {
            let place = index + 1;
            let stem = format!("{}_f{place}", version(place));
            texts.push((format!("{stem}.up.sql"), file.up(place)));
            texts.extend(file.down(place).map(|down| (format!("{stem}.down.sql"), down)));
        }
        texts
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in self.texts().iter().skip(1) {
            writeln!(f, "-- {name}\n{}", text.trim_end())?;
        }
        let n_files = self.n_applied;
        writeln!(f, "tenants: {}; files applied in the beginning: {n_files}", self.n_tenants)?;
        for Setting { name, value } in &self.settings {
            writeln!(f, "SET GLOBAL {name} = {value}")?;
        }
        for (client, commands) in self.clients.iter().enumerate() {
            writeln!(f, "client {client}: {commands:?}")?;
        }
        for Fault { when, what } in &self.faults {
            writeln!(f, "{when:?}: {what:?}")?;
        }
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{json}")
    }
}
