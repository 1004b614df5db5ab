//! The exit codes: documented here and in `docs/cli.md`, never reused.

use std::process::ExitCode;

use crate::summary::Verdict;

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: everything asked for was done, or there was nothing to do.
    Success,
    /// 1: at least one tenant failed, and the summary names each; or a finding of lint or verify is an error.
    Failed,
    /// 2: the command line is wrong, as clap has it.
    Usage,
    /// 3: stopped before the end by a signal, an output that is closed or cannot be written, or the failure budget, and no
    /// tenant failed; or all was done and what it came to could not be written.
    Stopped,
    /// 4: refused before anything was changed: settings, files, the central database.
    Refused,
    /// 5: `migrate:status --exit-code` found something that a run would do or refuse.
    Unsettled,
    /// 70: a fault of this program (`EX_SOFTWARE` of sysexits.h).
    Internal,
    /// 130: ended at once by a third signal.
    Abandoned,
}

impl ExitStatus {
    /// All of them. The last one must stay the last for the length to be right.
    pub const ALL: [Self; Self::Abandoned as usize + 1] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Stopped,
        Self::Refused,
        Self::Unsettled,
        Self::Internal,
        Self::Abandoned,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Stopped => 3,
            Self::Refused => 4,
            Self::Unsettled => 5,
            Self::Internal => 70,
            Self::Abandoned => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

impl From<Verdict> for ExitStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Succeeded => Self::Success,
            Verdict::Failed => Self::Failed,
            Verdict::Stopped => Self::Stopped,
        }
    }
}
