//! `tenant:seal-password`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::{Format, error::CliError, exit::ExitStatus, settings::Settings};
use crate::{entropy, report::document_line, seal, secret::Secret};

pub(super) const EXAMPLES: &str = "\
Examples:
  tenant:seal-password                        asks for the password without showing it
  tenant:seal-password < password.txt         reads the first line of standard input

The password is never an argument: arguments are in the shell's history and in the list of processes.";

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Caught so that the parser does not repeat it.
    #[arg(hide = true, allow_hyphen_values = true, trailing_var_arg = true)]
    misplaced: Vec<std::ffi::OsString>,
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    if !args.misplaced.is_empty() {
        return Err(CliError::usage(
            "the password is not taken from an argument",
            "type it when asked, or send it on standard input; one that was typed here is in the shell's history now",
        ));
    }
    let key = settings.key()?;
    let password = read()
        .map_err(|error| CliError::refused("input", format!("the password cannot be read: {error}"), None))?;
    if password.expose().is_empty() {
        return Err(CliError::refused(
            "input",
            "the password is empty",
            Some("type it, or send it on standard input".into()),
        ));
    }
    let iv = entropy::random_iv().map_err(|error| CliError::internal(&error))?;
    let sealed = seal::seal(password.expose(), &key, iv);
    let mut stdout = io::stdout().lock();
    let result = match settings.format {
        Format::Human | Format::Github => writeln!(stdout, "{sealed}"),
        Format::Json => {
            let fields = serde_json::json!({ "db_password": sealed });
            stdout.write_all(document_line("password-sealed", &fields).as_bytes())
        }
    };
    result.map_err(|error| CliError::internal(&error))?;
    Ok(ExitStatus::Success)
}

fn read() -> io::Result<Secret<String>> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").map(Secret::new);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    while line.ends_with(['\r', '\n']) {
        line.pop();
    }
    Ok(Secret::new(line))
}
