//! `completions`, and the answer to a shell that asks for candidates.
//!
//! The candidates come from clap's dynamic engine, which asks the program itself at every tab. Its scripts for zsh and
//! fish are taken as they are; its script for bash fails after the ':' in our names (clap-rs/clap#6280), so there is
//! one of our own.

mod candidates;

use std::io::{self, Write};

use clap::ValueEnum;
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Shells, Zsh};

pub use self::candidates::{rules, versions, words};
use super::{Face, error::CliError, exit::ExitStatus};

pub(super) const EXAMPLES: &str = "\
Examples:
  completions bash

Add the line of your shell to its startup file:
  ~/.bashrc                     source <(backend-migrations completions bash)
  ~/.zshrc, below `compinit`    source <(backend-migrations completions zsh)
  ~/.config/fish/config.fish    backend-migrations completions fish | source

bash must be 4.4 or newer; it needs no bash-completion package.";

/// What stands below the help of `completions` where people call the program through cargo.
pub const CARGO_EXAMPLES: &str = "\
Examples:
  completions bash > ~/.xtask.bash
  completions zsh > ~/.xtask.zsh
  completions fish > ~/.config/fish/conf.d/xtask.fish

Then add the line of your shell to its startup file (fish needs none):
  ~/.bashrc                     source ~/.xtask.bash
  ~/.zshrc, below `compinit`    source ~/.xtask.zsh

In a checkout of this repository `cargo xtask` is then completed by its target/debug/xtask. Everywhere else, cargo is \
completed as before. bash must be 4.4 or newer; it needs no bash-completion package.";

/// The variable by which a script asks for candidates.
const VARIABLE: &str = "COMPLETE";
const SHELLS: Shells<'static> = Shells(&[&JoiningBash, &Zsh, &Fish]);

/// What `completions` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Shell that will read the script.
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &JoiningBash,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
        }
    }
}

/// Answers a shell that asks for candidates, and ends the process; does nothing where nobody asks. To be called before
/// anything else, for the command line of such a call is the shell's and not ours.
pub fn answer(command: impl Fn() -> clap::Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).shells(SHELLS).complete();
}

pub(super) fn run(args: &Args, face: &Face) -> Result<ExitStatus, CliError> {
    let script = match face.name.strip_prefix("cargo ") {
        Some(alias) => cargo_script(args.shell, alias),
        None => program_script(args.shell, face.name),
    };
    let script = script.map_err(|error| CliError::internal(&error))?;
    io::stdout().write_all(&script).map_err(|error| CliError::internal(&error))?;
    Ok(ExitStatus::Success)
}

/// For a program on the path, or wherever it was called from just now.
fn program_script(shell: Shell, name: &str) -> io::Result<Vec<u8>> {
    let called = std::env::args_os().next().unwrap_or_default();
    let called = std::path::PathBuf::from(called);
    let program = if called.components().count() > 1 { std::path::absolute(called)? } else { called };
    let mut script = Vec::new();
    shell.completer().write_registration(VARIABLE, name, name, &program.to_string_lossy(), &mut script)?;
    Ok(script)
}

/// For a program that people call as `cargo <alias>`.
fn cargo_script(shell: Shell, alias: &str) -> io::Result<Vec<u8>> {
    let fill = |text: &str| text.replace("NAME", alias).replace("PACKAGE", env!("CARGO_PKG_NAME"));
    let (locate, cargo) = match shell {
        Shell::Bash => (include_str!("completions/locate.sh"), include_str!("completions/cargo.bash")),
        Shell::Zsh => (include_str!("completions/locate.sh"), include_str!("completions/cargo.zsh")),
        Shell::Fish => (include_str!("completions/locate.fish"), include_str!("completions/cargo.fish")),
    };
    let mut script = fill(locate).into_bytes();
    let program = format!("_{alias}_program");
    shell.completer().write_registration(VARIABLE, alias, alias, &program, &mut script)?;
    script.extend(fill(cargo).into_bytes());
    Ok(script)
}

/// clap's bash with a script that joins the words that readline broke.
struct JoiningBash;

impl EnvCompleter for JoiningBash {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        _: &str,
        _: &str,
        bin: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let quoted = format!("'{}'", completer.replace('\'', r"'\''"));
        let script = include_str!("completions/program.bash");
        out.write_all(script.replace("NAME", bin).replace("PROGRAM", &quoted).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        args: Vec<std::ffi::OsString>,
        current_dir: Option<&std::path::Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_complete(command, args, current_dir, out)
    }
}
