//! Why git could not answer.

use std::{path::PathBuf, time::Duration};

/// Why git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program cannot be run.
    #[error("`git` cannot be run: {0}\n  hint: install git, or leave out what needs it (`--since`)")]
    NoProgram(std::io::Error),
    /// The folder is in no repository.
    #[error("`{}` is in no git repository\n  hint: what was there before cannot be known then; run this in a checkout", .folder.display())]
    NoRepository {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no such branch, tag or commit.
    #[error(
        "there is no `{reference}` in this repository\n  hint: fetch it first, for example `git fetch origin main`; in GitHub's \
         actions/checkout set `fetch-depth: 0`"
    )]
    NoSuchReference {
        /// The reference as it was given.
        reference: String,
    },
    /// The two have no commit in common, or it was not fetched.
    #[error(
        "`{reference}` and HEAD have no commit in common here\n  hint: the checkout may be too shallow: \
         `git fetch --unshallow`; in GitHub's actions/checkout set `fetch-depth: 0`"
    )]
    NoMergeBase {
        /// The reference as it was given.
        reference: String,
    },
    /// What git said is not what it says.
    #[error("git does not have all files of `{}` that its tree names\n  hint: the repository may be damaged: `git fsck`", .folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
    },
    /// It took too long.
    #[error("`git {command}` did not end within {} s and was stopped", .limit.as_secs())]
    TooSlow {
        /// Its first argument.
        command: String,
        /// How long it was given.
        limit: Duration,
    },
    /// Anything else; in git's words.
    #[error("`git {command}` failed: {message}")]
    Failed {
        /// Its first argument.
        command: String,
        /// What git said, in one line; empty if it said nothing.
        message: String,
    },
}
