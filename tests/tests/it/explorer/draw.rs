//! A scenario for every seed.

use std::time::Duration;

use end_to_end::random::Random;

use super::{
    scenario::{Backup, Command, Fault, N_TENANTS, Scenario, Setting, Signal, What, When},
    script::{File, Kind},
};

/// What may be set for a whole server, to a value that is hard on whoever assumes another. `None`: on both flavours.
const SETTINGS: [(Option<IsMySql>, &str, &str); 37] = [
    (None, "autocommit", "0"),
    (None, "sql_select_limit", "2"),
    (None, "sql_mode", "''"),
    (None, "sql_mode", "'ANSI_QUOTES'"),
    (None, "sql_mode", "'NO_BACKSLASH_ESCAPES'"),
    (None, "sql_mode", "'TRADITIONAL,ANSI'"),
    (None, "sql_mode", "'PIPES_AS_CONCAT,IGNORE_SPACE,NO_AUTO_VALUE_ON_ZERO'"),
    (None, "completion_type", "'CHAIN'"),
    (None, "completion_type", "'RELEASE'"),
    (None, "max_join_size", "1"),
    (None, "sql_safe_updates", "1"),
    (None, "lock_wait_timeout", "1"),
    (None, "innodb_lock_wait_timeout", "1"),
    (None, "wait_timeout", "1"),
    (None, "net_read_timeout", "1"),
    (None, "net_write_timeout", "1"),
    (None, "character_set_server", "latin1"),
    (None, "collation_connection", "latin1_swedish_ci"),
    (None, "character_set_client", "latin1"),
    (None, "time_zone", "'+05:00'"),
    (None, "group_concat_max_len", "4"),
    (None, "max_error_count", "0"),
    (None, "sql_notes", "0"),
    (None, "foreign_key_checks", "0"),
    (None, "unique_checks", "0"),
    (None, "default_storage_engine", "MyISAM"),
    (None, "low_priority_updates", "1"),
    (None, "event_scheduler", "ON"),
    (Some(IsMySql(true)), "max_execution_time", "1"),
    (Some(IsMySql(true)), "transaction_isolation", "'SERIALIZABLE'"),
    (Some(IsMySql(true)), "transaction_read_only", "1"),
    (Some(IsMySql(true)), "sql_require_primary_key", "1"),
    (Some(IsMySql(true)), "sql_generate_invisible_primary_key", "1"),
    (Some(IsMySql(false)), "tx_isolation", "'READ-UNCOMMITTED'"),
    (Some(IsMySql(false)), "tx_read_only", "1"),
    (Some(IsMySql(false)), "max_statement_time", "0.2"),
    (Some(IsMySql(false)), "idle_transaction_timeout", "1"),
];

/// Whether a setting is MySQL's; else it is MariaDB's.
#[derive(Clone, Copy)]
struct IsMySql(bool);

/// The scenario of this seed.
pub(super) fn scenario(seed: u64, is_mysql: bool) -> Scenario {
    // Neighbouring seeds are to have nothing in common.
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ seed.rotate_left(32));
    let random = &mut random;
    let files: Vec<_> = (0..=random.below(4)).map(|_| file(random)).collect();
    let n_tenants = [1, 1, 1, 2, N_TENANTS][random.below(5)];
    let n_applied = match random.below(8) {
        0 => 0,
        1..=4 => 1,
        _ => 1 + random.below(files.len() + 1),
    };
    let settings = if random.below(5) == 0 { vec![setting(random, is_mysql)] } else { Vec::new() };
    let n_clients = [1, 1, 1, 1, 1, 2, 2, 2, 3, 4][random.below(10)];
    let clients: Vec<Vec<_>> = (0..n_clients)
        .map(|_| (0..=random.below(2)).map(|_| command(random, n_tenants, files.len())).collect())
        .collect();
    let n_faults = [0, 1, 1, 1, 1, 1, 2, 2, 2, 3][random.below(10)];
    let mut scenario = Scenario { seed, files, n_tenants, n_applied, settings, clients, faults: Vec::new() };
    scenario.faults = (0..n_faults).map(|_| fault(random, &scenario, is_mysql)).collect();
    scenario
}

fn file(random: &mut Random) -> File {
    let mut kinds = Vec::new();
    let n = if random.below(12) == 0 { 10 } else { 1 + random.below(4) };
    let sort = random.below(10);
    for _ in 0..n {
        let pool: &[Kind] = match sort {
            0 | 1 => &Kind::DEFINITIONS,
            2 | 3 => &Kind::ROWS,
            4 => &Kind::UNTRANSACTED,
            5 if random.below(2) == 0 => &Kind::HARD,
            6 if random.below(2) == 0 => &Kind::UNTRANSACTED,
            _ if random.below(2) == 0 => &Kind::DEFINITIONS,
            _ => &Kind::ROWS,
        };
        kinds.push(random.one_of(pool));
    }
    File { kinds, has_down: random.below(5) > 0 }
}

fn setting(random: &mut Random, is_mysql: bool) -> Setting {
    loop {
        let (flavour, name, value) = random.one_of(&SETTINGS);
        if flavour.is_none_or(|IsMySql(its)| its == is_mysql) {
            return Setting { name: name.into(), value: value.into() };
        }
    }
}

fn command(random: &mut Random, n_tenants: usize, n_files: usize) -> Command {
    let tenant = random.below(n_tenants);
    let place = random.below(n_files + 1);
    match random.below(22) {
        0..=8 => Command::Up { tenant },
        9..=11 => Command::All,
        12 => Command::UpTo { tenant, place },
        13..=15 => Command::Rollback { tenant, steps: 1 + random.below(2) },
        16 => Command::RollbackTo { tenant, place },
        17 => Command::RollbackAll { place },
        18 => Command::Resume { tenant },
        19 => Command::Undo { tenant },
        20 => Command::Status,
        _ => Command::Provision,
    }
}

/// What happens between the clients and the central database.
fn central_fault(random: &mut Random) -> Fault {
    let ms = [200, 1400, 3500][random.below(3)];
    let what = match random.below(10) {
        0 | 1 => What::Cut,
        2 => What::CutAnswer,
        3 => What::CutAfter { ms },
        4 => What::Stall { ms },
        5 => What::Silence { ms: 500 },
        6 => What::Slow { ms: 10, n_bytes: [1, 3, 100_000][random.below(3)] },
        7 => What::KillConnections,
        _ => What::LockAccount { ms },
    };
    Fault { when: When::Central { at: 1 + random.below(80) }, what }
}

fn fault(random: &mut Random, scenario: &Scenario, is_mysql: bool) -> Fault {
    if random.below(9) == 0 {
        return central_fault(random);
    }
    let tenant = random.below(scenario.n_tenants);
    let n_statements: usize = scenario.files.iter().map(|file| file.kinds.len()).sum();
    // What passes for a statement and its record; and for a login, the lock and the first look.
    let per_statement = 15;
    let at = 1 + random.below(60 + n_statements * per_statement);
    let when = if random.below(6) == 0 {
        When::After { ms: u64::try_from(random.below(900)).expect("small") }
    } else {
        When::Packet { tenant, at }
    };
    // Shorter than a statement waits, a little longer, and longer than it waits with all its tries.
    let ms = [200, 1400, 1400, 3500][random.below(4)];
    let short = u64::try_from(random.below(400)).expect("small");
    let client = random.below(scenario.clients.len());
    let signals = match random.below(6) {
        0 | 1 => vec![Signal::Kill],
        2 => vec![Signal::Int],
        3 => vec![Signal::Term],
        4 => vec![Signal::Int, Signal::Int],
        _ => vec![Signal::Hup],
    };
    let by = [Backup::ReadLock, Backup::BlockDdl, Backup::BlockCommit][random.below(3)];
    let what = match random.below(31) {
        0 | 1 => What::Cut,
        2..=4 => What::CutAnswer,
        5 => What::CutAfter { ms: short },
        6 => What::Stall { ms },
        7 => What::Silence { ms: 500 },
        8 => What::Slow { ms: 1 + short / 20, n_bytes: [1, 3, 100_000][random.below(3)] },
        9..=12 => What::Signal { client, signals },
        13 => What::KillConnections,
        14 => What::KillQueries,
        15 if random.below(2) == 0 => What::Crash,
        16 => What::Failover { behind: [0, 1, 1, 2][random.below(4)] },
        15..=19 => What::Backup { by, ms },
        20 | 21 => What::ReadOnly { ms },
        22 => What::Limit { n: 1 + random.below(2), ms },
        23 | 24 => What::LockTable { ms },
        25 => What::LockRows { ms },
        26 | 27 => What::LockAccount { ms },
        28 if random.below(2) == 0 => What::DiskFull { ms },
        _ => What::Set(setting(random, is_mysql)),
    };
    Fault { when, what }
}

impl What {
    /// How long it lasts, which the clients may have to wait for.
    pub(super) fn lasts(&self) -> Duration {
        let ms = match self {
            Self::CutAfter { ms }
            | Self::Stall { ms }
            | Self::Silence { ms }
            | Self::Backup { ms, .. }
            | Self::ReadOnly { ms }
            | Self::Limit { ms, .. }
            | Self::LockTable { ms }
            | Self::LockRows { ms }
            | Self::LockAccount { ms } => *ms,
            // A table without transactions waits for room, and looks each minute.
            Self::DiskFull { ms } => *ms + 70_000,
            // Every packet of a run: a few hundred.
            Self::Slow { ms, .. } => ms * 500,
            Self::Crash => 10_000,
            Self::Cut
            | Self::CutAnswer
            | Self::Signal { .. }
            | Self::KillConnections
            | Self::KillQueries
            | Self::Failover { .. }
            | Self::Set(_) => 0,
        };
        Duration::from_millis(ms)
    }
}
