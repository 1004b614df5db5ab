//! What `migrations/lint.toml` says.

use std::{collections::BTreeSet, ops::Range};

use super::Declaration;
use crate::{
    finding::{Severity, Spot},
    migration::Version,
};

/// The contents of `migrations/lint.toml`; empty where there is no such file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideFile {
    /// `[severity]`: how much the findings of a rule weigh here, with the place it is said.
    pub weights: Vec<(String, Weight, Spot)>,
    /// `[[suppress]]`.
    pub suppressions: Vec<SuppressEntry>,
    /// `[[declare]]`.
    pub declarations: Vec<DeclareEntry>,
}

impl SideFile {
    /// What of it is about which of `sets`: each entry goes to the set that it names or that alone has its migration or
    /// file, and to the first one if none has.
    ///
    /// # Errors
    ///
    /// An entry whose migration or file is in several sets and that does not say which, or that names no set.
    pub fn shares(&self, sets: &[Holder]) -> Result<Vec<Self>, SideFileError> {
        let mut shares: Vec<_> = sets.iter().map(|_| Self::default()).collect();
        for share in &mut shares {
            share.weights.clone_from(&self.weights);
        }
        for entry in &self.suppressions {
            let of = Subject {
                set: entry.set.as_deref(),
                version: entry.version,
                file: entry.file_name.as_deref(),
            };
            if let Some(at) = of.set_among(sets, &entry.at)? {
                shares[at].suppressions.push(entry.clone());
            }
        }
        for entry in &self.declarations {
            let of = Subject { set: entry.set.as_deref(), version: Some(entry.version), file: None };
            if let Some(at) = of.set_among(sets, &entry.declaration.at)? {
                shares[at].declarations.push(entry.clone());
            }
        }
        Ok(shares)
    }

    /// Its text `text` once the files of each of `sets` are called otherwise, all else letter for letter the same.
    /// `renamed` has the old and the new names, a list for each set.
    ///
    /// # Errors
    ///
    /// As [`Self::shares`].
    pub fn renamed(
        &self,
        text: &str,
        sets: &[Holder],
        renamed: &[Vec<(String, String)>],
    ) -> Result<String, SideFileError> {
        let mut edits: Vec<(&Range<usize>, String)> = Vec::new();
        for (share, renamed) in self.shares(sets)?.iter().zip(renamed) {
            let version_of = |name: &str| name.split('_').next()?.parse().ok().map(Version);
            let new_version = |version: Version| {
                let (_, new) = renamed.iter().find(|(old, _)| version_of(old) == Some(version))?;
                version_of(new).map(|version| version.to_string())
            };
            let new_name = |name: &str| {
                let (_, new) = renamed.iter().find(|(old, _)| old == name)?;
                Some(format!("\"{new}\""))
            };
            for entry in self.suppressions.iter().filter(|entry| share.suppressions.contains(entry)) {
                edits.extend(
                    entry.version.and_then(new_version).zip(entry.version_span.as_ref()).map(|(a, b)| (b, a)),
                );
                let name = entry.file_name.as_deref().and_then(new_name);
                edits.extend(name.zip(entry.file_span.as_ref()).map(|(a, b)| (b, a)));
            }
            for entry in self.declarations.iter().filter(|entry| share.declarations.contains(entry)) {
                edits.extend(new_version(entry.version).map(|new| (&entry.version_span, new)));
            }
        }
        // From the end, so that what is before stays where it is.
        edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = text.to_owned();
        for (span, new) in edits {
            text.replace_range(span.clone(), &new);
        }
        Ok(text)
    }

    /// What is declared for a migration there.
    pub fn declarations_for(&self, version: Version) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter().filter(move |entry| entry.version == version).map(|entry| &entry.declaration)
    }
}

/// A set of files that entries may be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// How entries call it: the name of its folder.
    pub name: String,
    /// Its migrations.
    pub versions: BTreeSet<Version>,
    /// Its files.
    pub file_names: BTreeSet<String>,
}

/// What an entry is about.
struct Subject<'a> {
    set: Option<&'a str>,
    version: Option<Version>,
    file: Option<&'a str>,
}

impl Subject<'_> {
    /// The set it is about; `None` where it names one that is not looked at.
    fn set_among(&self, sets: &[Holder], at: &Spot) -> Result<Option<usize>, SideFileError> {
        let error =
            |message, hint| SideFileError { file_name: at.file_name.clone(), line: at.line, message, hint };
        let names = |word: &str, sets: &[&Holder]| {
            let names: Vec<_> = sets.iter().map(|set| format!("`{}`", set.name)).collect();
            names.join(word)
        };
        if let Some(name) = self.set {
            let found = sets.iter().position(|set| set.name == name);
            // Where one folder alone is looked at, nobody knows how the others are called.
            if found.is_none() && sets.len() > 1 {
                let all: Vec<_> = sets.iter().collect();
                let hint = format!("the sets are {}", names(" and ", &all));
                return Err(error(format!("there is no set `{name}`"), hint));
            }
            return Ok(found);
        }
        let has = |set: &&Holder| {
            self.version.is_none_or(|version| set.versions.contains(&version))
                && self.file.is_none_or(|name| set.file_names.contains(name))
        };
        let having: Vec<_> = sets.iter().filter(has).collect();
        if let ([first, _, ..], true) = (&having[..], self.version.is_some() || self.file.is_some()) {
            let what = match (self.version, self.file) {
                (Some(version), None) => format!("migration {version}"),
                (_, file) => format!("`{}`", file.unwrap_or_default()),
            };
            let places = names(" and in ", &having);
            let hint = format!("say in this entry which is meant, such as `set = \"{}\"`", first.name);
            return Err(error(format!("{what} is in {places}"), hint));
        }
        Ok(Some(sets.iter().position(|set| has(&set)).unwrap_or(0)))
    }
}

/// How much the findings of a rule weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// So much.
    As(Severity),
    /// They are not told at all.
    Off,
}

/// `[[suppress]]`: findings of one rule in one migration or file are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressEntry {
    /// The rule's code.
    pub code: String,
    /// The migration, if one is named.
    pub version: Option<Version>,
    /// The file's name without its folder, if one is named.
    pub file_name: Option<String>,
    /// The set, `central` or `tenant`, if one is named.
    pub set: Option<String>,
    /// Where the migration stands, in bytes.
    pub version_span: Option<Range<usize>>,
    /// Where the file's name stands, with its quotes, in bytes.
    pub file_span: Option<Range<usize>>,
    /// Why; `None` where nothing is said, which is a finding.
    pub reason: Option<String>,
    /// Where it is said.
    pub at: Spot,
}

/// `[[declare]]`: a directive for a migration whose files may not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclareEntry {
    /// The migration.
    pub version: Version,
    /// Where it stands, in bytes.
    pub version_span: Range<usize>,
    /// The set, `central` or `tenant`, if one is named.
    pub set: Option<String>,
    /// What is declared for it, and where.
    pub declaration: Declaration,
}

/// Why `lint.toml` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file_name}:{line}: {message}")]
pub struct SideFileError {
    /// The file's name without its folder.
    pub file_name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
    /// What to do next.
    pub hint: String,
}
