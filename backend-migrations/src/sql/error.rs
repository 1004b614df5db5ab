//! Why a file is no script.

use super::{excerpt::excerpt, refuse::Refusal};

/// A file that cannot be run, or must not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {kind}", excerpt(.file_name, 120))]
pub struct ScriptError {
    /// The file's name without its folder.
    pub file_name: String,
    /// The line it is about, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: ScriptErrorKind,
}

impl ScriptError {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        self.kind.hint()
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptErrorKind {
    /// sqlx refuses such a file as well.
    #[error("byte {at} of the file is not UTF-8")]
    NotUtf8 {
        /// The offset of the first byte that is not, from 0.
        at: usize,
    },
    /// The server answers a byte order mark with error 1064.
    #[error("the file begins with a byte order mark")]
    ByteOrderMark,
    /// Legal within a string, but a sign of UTF-16 everywhere else.
    #[error("byte {at} of the file is zero")]
    ZeroByte {
        /// Its offset, from 0.
        at: usize,
    },
    /// The line ends of old Macs, or a separator that only some editors know: the server sees a comment go on.
    #[error("a comment goes on after what looks like the end of its line")]
    HiddenLineEnd,
    /// Neither a statement nor a comment; the server answers it with error 1065, *Query was empty*.
    #[error("the file holds neither a statement nor a comment")]
    Empty,
    /// A `'` or `"` without its twin.
    #[error("a string begins here and never ends")]
    UnclosedText,
    /// A backtick without its twin.
    #[error("an identifier in backticks begins here and never ends")]
    UnclosedIdentifier,
    /// `/*` without `*/`.
    #[error("a comment begins here and never ends")]
    UnclosedComment,
    /// `/*! SELECT 1; */`: the server ends the statement there and then answers error 1064 to the rest, ` */`.
    #[error("a `;` stands within a version comment")]
    TerminatorInComment,
    /// `BEGIN`, `IF`, `LOOP` … without its `END`.
    #[error("`{word}` begins here and never meets its END")]
    UnclosedBlock {
        /// The block's first word as it is written.
        word: String,
    },
    /// `DELIMITER` is read by the mysql client; the server does not know it.
    #[error("DELIMITER is a command of the mysql client, not SQL")]
    Delimiter,
    /// `source`, `\.`, `\G` and the like.
    #[error("`{command}` is a command of the mysql client, not SQL")]
    ClientCommand {
        /// The command as it is written.
        command: String,
    },
    /// SQL that would pull the rug from under the run.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

impl ScriptErrorKind {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => {
                "save the file as UTF-8; its checksum changes with that, so do it before it is applied anywhere"
            }
            Self::ByteOrderMark => {
                "save the file as UTF-8 without a byte order mark, which the server would answer with error 1064; a migration \
                 that is applied has its checksum back with that"
            }
            Self::ZeroByte { .. } => {
                "if every second byte is zero the file is UTF-16: save it as UTF-8; in a string write `\\0`"
            }
            Self::HiddenLineEnd => {
                "end the line with a line feed: to the server a carriage return alone, U+2028 and U+2029 end no comment, so it \
                 sees nothing of what follows; a migration that is applied was applied without it"
            }
            Self::Empty => "write its statements; where one is meant to do nothing, say so: `DO 0;`",
            Self::UnclosedText => {
                "close it with the quote it begins with; inside, write that quote twice or with a backslash before it"
            }
            Self::UnclosedIdentifier => "close it with a backtick; inside, write a backtick twice",
            Self::UnclosedComment => {
                "close it with `*/`; a `*/` within a string or a `--` comment does not count"
            }
            Self::TerminatorInComment => {
                "put the `;` after the `*/`: the server would run the first part and fail at the rest"
            }
            Self::UnclosedBlock { .. } => {
                "close it with its END and a `;`: `END;`, `END IF;`, `END CASE;`, `END LOOP;`, `END WHILE;`"
            }
            Self::Delimiter => {
                "remove the DELIMITER lines and end each body with `END;`: where a body ends is found without them"
            }
            Self::ClientCommand { .. } => {
                "write the SQL itself into the file, and end its statements with `;`"
            }
            Self::Refused(refusal) => refusal.hint(),
        }
    }
}
