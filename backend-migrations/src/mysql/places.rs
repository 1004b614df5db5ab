//! How many tenants there is room for: each one's connections are open files of this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Besides tenants: the standard streams, the runtime's own, the central database's connection, the fleet's lock and its watch.
const N_OTHER_FILES: u64 = 24;

/// A session's connection and the one that watches it: for each a TCP connection, both ends of the local socket before it
/// and, while it is opened, that one's listener; and what a name look-up opens.
const N_FILES_PER_TENANT: u64 = 8;

/// Raises the limit on this process's open files as far as the system lets it. That it stays is no error: then fewer
/// tenants are worked on at once.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    }
}

/// How many tenants can be worked on at once, one at least, and the limit on open files that this comes from; `None`
/// where there is no limit.
pub(crate) fn n_tenants_max() -> Option<(usize, u64)> {
    let limit = getrlimit(Resource::Nofile).current?;
    Some((n_tenants_within(limit), limit))
}

fn n_tenants_within(n_files: u64) -> usize {
    let n = n_files.saturating_sub(N_OTHER_FILES) / N_FILES_PER_TENANT;
    usize::try_from(n).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::n_tenants_within;

    #[test]
    fn there_is_room_for_one_at_least() {
        assert_eq!(n_tenants_within(0), 1);
        assert_eq!(n_tenants_within(32), 1);
        assert_eq!(n_tenants_within(64), 5);
        assert_eq!(n_tenants_within(1024), 125);
        assert!(n_tenants_within(u64::MAX) > 1 << 40);
    }
}
