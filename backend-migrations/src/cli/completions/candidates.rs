//! Candidates for values that are not a closed list of the command line's own.
//!
//! A candidate is what can be known at every tab: files and words, nothing that a server would have to be asked for.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::{
    disk::{self, FileName},
    lint,
};

/// The versions of the migrations there are, newest first.
pub fn versions() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = folder().map(|folder| {
            ["central", "tenant"].into_iter().flat_map(move |kind| disk::names(&folder.join(kind)))
        });
        let files = names.into_iter().flatten().filter_map(|name| FileName::parse(&name).ok().flatten());
        let files: BTreeMap<_, _> = files.map(|file| (file.version, file.description)).collect();
        let candidate = |(at, (version, description)): (usize, (_, String))| {
            let candidate = CompletionCandidate::new(format!("{version}")).help(Some(description.into()));
            candidate.display_order(Some(at))
        };
        files.into_iter().rev().enumerate().map(candidate).collect()
    })
}

/// The codes of the lint's rules.
pub fn rules() -> ArgValueCandidates {
    let candidate = |rule: &lint::Rule| CompletionCandidate::new(rule.code.0).help(Some(rule.name.into()));
    ArgValueCandidates::new(move || lint::rules().iter().map(|rule| candidate(rule)).collect())
}

/// These words.
pub fn words(words: &'static [&'static str]) -> ArgValueCandidates {
    ArgValueCandidates::new(|| words.iter().map(CompletionCandidate::new).collect())
}

/// The folder with `central/` and `tenant/`: that of the environment, else the nearest `migrations` above.
#[expect(clippy::disallowed_methods, reason = "a shell asks before there are settings")]
fn folder() -> Option<PathBuf> {
    if let Some(named) = env::var_os("MIGRATIONS_DIR") {
        return Some(named.into());
    }
    let here = env::current_dir().ok()?;
    here.ancestors().map(|above: &Path| above.join("migrations")).find(|folder| folder.is_dir())
}
