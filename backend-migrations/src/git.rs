//! What git has of a folder of migrations, by the `git` program.
//!
//! Files are asked for at two commits, because "what is on the base branch" means two things. Whether a migration is
//! *new or changed* is asked of the merge base, the commit this branch began at: what the base branch got since then is
//! neither changed nor missing here. Whether a version is *newer than all others* is asked of the base branch as it is
//! now, since that is what the branch will be merged into.

mod error;
mod run;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

pub use self::error::GitError;
use self::run::git;
use crate::migration::{MigrationSet, Script, Version};

/// Files by their names without the folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What the base branch has of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// The reference as it was given, such as `origin/main`.
    pub reference: String,
    /// The folder's files at the merge base of the reference and `HEAD`.
    pub forked: Files,
    /// The folder's files at the reference itself.
    pub tip: Files,
}

impl Base {
    /// Reads both from the repository that `folder` is in; no files where the folder is not there at a commit.
    ///
    /// # Errors
    ///
    /// [`GitError`] if there is no git, no repository, no such reference, or no merge base.
    pub fn read(folder: &Path, reference: &str) -> Result<Self, GitError> {
        let tip = commit(folder, reference)?;
        let forked = merge_base(folder, reference, &tip)?;
        let at_tip = files(folder, &tip)?;
        let at_fork = if forked == tip { at_tip.clone() } else { files(folder, &forked)? };
        Ok(Self { reference: reference.to_owned(), forked: at_fork, tip: at_tip })
    }

    /// The versions of `set` with a file that the base branch does not have, byte for byte: the new and the changed.
    pub fn changed(&self, set: &MigrationSet) -> BTreeSet<Version> {
        let has = |script: &Script| {
            let bytes = script.source.as_bytes();
            [&self.forked, &self.tip]
                .iter()
                .any(|files| files.get(&script.file_name).is_some_and(|known| known == bytes))
        };
        set.iter()
            .filter(|m| !has(&m.up) || m.down.as_ref().is_some_and(|down| !has(down)))
            .map(|m| m.version)
            .collect()
    }
}

/// Where `folder` is, seen from the root of its repository, with `/` between the parts and at the end; empty for the root.
///
/// # Errors
///
/// [`GitError`] if there is no git or no repository.
pub fn prefix(folder: &Path) -> Result<String, GitError> {
    let output = git(folder, &["rev-parse", "--show-prefix"], Vec::new())?;
    Ok(String::from_utf8_lossy(&output).trim_end_matches('\n').to_owned())
}

fn commit(folder: &Path, reference: &str) -> Result<String, GitError> {
    let object = format!("{reference}^{{commit}}");
    let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &object];
    match git(folder, &arguments, Vec::new()) {
        Ok(output) => Ok(String::from_utf8_lossy(&output).trim().to_owned()),
        // Quiet, and still failed: everything was well but the reference.
        Err(GitError::Failed { message, .. }) if message.is_empty() => {
            Err(GitError::NoSuchReference { reference: reference.to_owned() })
        }
        Err(error) => Err(error),
    }
}

fn merge_base(folder: &Path, reference: &str, tip: &str) -> Result<String, GitError> {
    match git(folder, &["merge-base", "HEAD", tip], Vec::new()) {
        Ok(output) => Ok(String::from_utf8_lossy(&output).trim().to_owned()),
        Err(GitError::Failed { message, .. }) if message.is_empty() => {
            Err(GitError::NoMergeBase { reference: reference.to_owned() })
        }
        Err(error) => Err(error),
    }
}

/// The regular files of `folder` itself at `commit`.
fn files(folder: &Path, commit: &str) -> Result<Files, GitError> {
    // In a folder, `ls-tree` lists what the commit has of that folder.
    let listed = git(folder, &["ls-tree", "-z", commit], Vec::new())?;
    let mut names = Vec::new();
    let mut asked = Vec::new();
    for entry in listed.split(|&byte| byte == 0).filter(|entry| !entry.is_empty()) {
        let text = String::from_utf8_lossy(entry);
        let Some((meta, name)) = text.split_once('\t') else { continue };
        let mut meta = meta.split(' ');
        // 120000 is a symbolic link, whose contents would be a path.
        if let (Some("100644" | "100755"), Some("blob"), Some(object)) =
            (meta.next(), meta.next(), meta.next())
        {
            names.push(name.to_owned());
            asked.extend_from_slice(object.as_bytes());
            asked.push(b'\n');
        }
    }
    if names.is_empty() {
        return Ok(Files::new());
    }
    let output = git(folder, &["cat-file", "--batch"], asked)?;
    contents(names, &output).ok_or_else(|| GitError::Unreadable { folder: PathBuf::from(folder) })
}

/// Takes `cat-file --batch` apart: `<object> blob <size>`, a line feed, the bytes, a line feed.
fn contents(names: Vec<String>, mut output: &[u8]) -> Option<Files> {
    let mut files = Files::new();
    for name in names {
        let end = output.iter().position(|&byte| byte == b'\n')?;
        let size: usize = str::from_utf8(&output[..end]).ok()?.rsplit(' ').next()?.parse().ok()?;
        let bytes = output.get(end + 1..end + 1 + size)?;
        files.insert(name, bytes.to_vec());
        output = output.get(end + 1 + size + 1..)?;
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::contents;

    #[test]
    fn a_batch_is_taken_apart_whatever_the_bytes_are() {
        let names = || vec!["a.sql".to_owned(), "b.sql".to_owned()];
        let files = contents(names(), b"0a blob 3\nx\ny\n0b blob 0\n\n").expect("it is whole");
        assert_eq!(files["a.sql"], b"x\ny");
        assert_eq!(files["b.sql"], b"");
        assert_eq!(contents(names(), b"0a blob 3\nx\ny\n0b missing\n"), None);
        assert_eq!(contents(names(), b"0a blob 3\nx\n"), None);
    }
}
