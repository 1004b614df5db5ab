//! Why nothing was proven, in words, with the next step.

use std::{error::Error, fmt, io, process::ExitCode};

use backend_migrations::{
    cli::{self, Format},
    directive::SideFileError,
    mysql::UrlError,
    scratch::ScratchError,
    session::{ConnectError, Whose},
};

/// What the command line asks for and cannot have.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) hint: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Refusal {}

/// Tells it as the library's commands tell theirs, and gives the exit code.
pub(super) fn tell(error: &anyhow::Error, format: Format) -> ExitCode {
    cli::refuse("verify", &format!("{error:#}"), error.chain().find_map(hint), format)
}

/// What to do next; some errors have it in their text.
fn hint(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(refusal) = cause.downcast_ref::<Refusal>() {
        return Some(refusal.hint.clone());
    }
    if let Some(error) = cause.downcast_ref::<ConnectError>() {
        // The account is one of a URL, as the central database's is.
        return error.hint(Whose::Central);
    }
    if let Some(error) = cause.downcast_ref::<ScratchError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<UrlError>() {
        return Some(error.hint().to_owned());
    }
    if let Some(error) = cause.downcast_ref::<SideFileError>() {
        return Some(error.hint.clone());
    }
    if cause.is::<io::Error>() {
        return Some("give a path in a folder that is there and may be written".to_owned());
    }
    None
}
