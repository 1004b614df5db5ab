//! `migrate:restamp`: newer versions for migrations that the base branch does not have.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use super::next_version;
use crate::migration::Version;

/// A file and the name it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Its name without its folder.
    pub from: String,
    /// The same with another version.
    pub to: String,
}

/// Why nothing is renamed.
#[derive(Debug, thiserror::Error)]
pub enum RestampError {
    /// The version named belongs to no file.
    #[error("there is no migration {0}")]
    NoSuchVersion(Version),
    /// It may be applied somewhere.
    #[error(
        "`{file_name}` is on {reference}, so it may be applied somewhere, and its version may not change any more"
    )]
    OnBase {
        /// The file.
        file_name: String,
        /// The base branch.
        reference: String,
    },
    /// The greatest number is taken.
    #[error("no version is newer than the newest there, {}", i64::MAX)]
    NoneNewer,
    /// Somebody has made a file of that name meanwhile.
    #[error("`{0}` is there already; nothing of its pair was renamed")]
    Taken(String),
    /// What the system says.
    #[error("`{file_name}` cannot be renamed: {cause}")]
    Failed {
        /// The file.
        file_name: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// What there is to rename.
#[derive(Clone, Copy, Debug)]
pub struct Restamp<'a> {
    /// The names of all files here.
    pub here: &'a BTreeSet<String>,
    /// The names of all files on the base branch, as it is now and where this branch began.
    pub base: &'a BTreeSet<String>,
    /// The base branch.
    pub reference: &'a str,
    /// The migrations to rename; empty for all new ones, if one of them is out of order.
    pub named: &'a [Version],
    /// Now in UTC as `YYYYMMDDHHMMSS`.
    pub now: i64,
}

impl Restamp<'_> {
    /// The renames, oldest first, the files of a pair together. The new migrations keep their order; each gets a version
    /// newer than all on the base branch, and than those here that stay as they are.
    ///
    /// # Errors
    ///
    /// A version that is named and not there, or not new.
    pub fn plan(&self) -> Result<Vec<Rename>, RestampError> {
        let mut pairs: BTreeMap<(Version, &str), Vec<&str>> = BTreeMap::new();
        for name in self.here {
            if let Some((version, rest)) = parts(name) {
                let stem = rest.strip_suffix(".up.sql").or(rest.strip_suffix(".down.sql")).unwrap_or(rest);
                pairs.entry((version, stem)).or_default().push(name);
            }
        }
        for version in self.named {
            let of_it: Vec<_> = pairs.iter().filter(|((own, _), _)| own == version).collect();
            if of_it.is_empty() {
                return Err(RestampError::NoSuchVersion(*version));
            }
            if let Some((_, files)) = of_it.iter().find(|(_, files)| self.is_on_base(files))
                && of_it.iter().all(|(_, files)| self.is_on_base(files))
            {
                let file_name = files.first().copied().unwrap_or_default().to_owned();
                return Err(RestampError::OnBase { file_name, reference: self.reference.to_owned() });
            }
        }
        let newest_on_base =
            self.base.iter().filter_map(|name| parts(name)).map(|(version, _)| version).max();
        let is_new = |files: &[&str]| !self.is_on_base(files);
        let is_late = |version: Version| newest_on_base.is_some_and(|newest| version <= newest);
        let is_needed = pairs.iter().any(|((version, _), files)| is_new(files) && is_late(*version));
        let is_chosen = |version: Version, files: &[&str]| {
            is_new(files) && if self.named.is_empty() { is_needed } else { self.named.contains(&version) }
        };
        let staying = pairs.iter().filter(|((version, _), files)| !is_chosen(*version, files));
        let mut newest = staying.map(|((version, _), _)| *version).chain(newest_on_base).max();
        let mut renames = Vec::new();
        for ((version, _), files) in pairs.iter().filter(|((version, _), files)| is_chosen(*version, files)) {
            let next = next_version(self.now, newest).ok_or(RestampError::NoneNewer)?;
            newest = Some(next);
            renames.extend(files.iter().filter_map(|name| {
                let (_, rest) = parts(name)?;
                Some(Rename { from: (*name).to_owned(), to: format!("{next}_{rest}") })
            }));
            debug_assert!(next > *version || !is_late(*version));
        }
        Ok(renames)
    }

    fn is_on_base(&self, files: &[&str]) -> bool {
        files.iter().any(|name| self.base.contains(*name))
    }
}

/// The version and the rest of a migration's name.
fn parts(name: &str) -> Option<(Version, &str)> {
    let (prefix, rest) = name.split_once('_')?;
    rest.strip_suffix(".sql")?;
    Some((Version(prefix.parse().ok()?), rest))
}

/// Renames the files in `dir`. A name that is taken is never written over.
///
/// # Errors
///
/// The first file that could not be renamed; the ones before it are.
pub fn rename_all(dir: &Path, renames: &[Rename]) -> Result<(), RestampError> {
    for Rename { to, .. } in renames {
        if dir.join(to).symlink_metadata().is_ok() {
            return Err(RestampError::Taken(to.clone()));
        }
    }
    for Rename { from, to } in renames {
        fs::rename(dir.join(from), dir.join(to))
            .map_err(|cause| RestampError::Failed { file_name: from.clone(), cause })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 20_260_301_120_000;

    fn check(here: &[&str], base: &[&str], named: &[i64], expected: &str) {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let (here_names, base_names) = (set(here), set(base));
        let named: Vec<_> = named.iter().copied().map(Version).collect();
        let restamp = Restamp {
            here: &here_names,
            base: &base_names,
            reference: "origin/main",
            named: &named,
            now: NOW,
        };
        let told = match restamp.plan() {
            Ok(renames) => {
                renames.iter().map(|r| format!("{} > {}", r.from, r.to)).collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expected, "{here:?} {base:?} {named:?}");
    }

    #[test]
    fn new_migrations_come_after_the_base_in_their_order() {
        check(&["1_a.up.sql", "2_b.up.sql"], &["1_a.up.sql"], &[], "");
        check(
            &["1_a.up.sql", "2_b.down.sql", "2_b.up.sql", "9_c.up.sql"],
            &["1_a.up.sql", "5_d.up.sql"],
            &[],
            "2_b.down.sql > 20260301120000_b.down.sql, 2_b.up.sql > 20260301120000_b.up.sql, \
             9_c.up.sql > 20260301120001_c.up.sql",
        );
        // Two branches took one version.
        check(&["5_a.up.sql", "5_b.up.sql"], &["5_a.up.sql"], &[], "5_b.up.sql > 20260301120000_b.up.sql");
        // A clock that is ahead.
        check(&["2_b.up.sql"], &["20990101000000_a.up.sql"], &[], "2_b.up.sql > 20990101000001_b.up.sql");
    }

    #[test]
    fn the_named_ones_alone_are_renamed() {
        check(&["2_b.up.sql", "3_c.up.sql"], &["1_a.up.sql"], &[2], "2_b.up.sql > 20260301120000_b.up.sql");
        check(&["2_b.up.sql"], &["1_a.up.sql"], &[7], "there is no migration 7");
        check(
            &["1_a.up.sql"],
            &["1_a.up.sql"],
            &[1],
            "`1_a.up.sql` is on origin/main, so it may be applied somewhere, and its version may not change any more",
        );
        check(
            &["2_b.up.sql"],
            &["9223372036854775807_a.up.sql"],
            &[],
            "no version is newer than the newest there, 9223372036854775807",
        );
    }
}
