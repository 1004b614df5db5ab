//! What `.github/workflows/migrations.yml` does, as one local command.

use std::{
    ffi::OsString,
    path::Path,
    process::{self, Command, ExitCode},
};

use backend_migrations::cli::{self, ExitStatus, Format, completions, signals};
use clap::ValueEnum as _;

pub(crate) const HELP: &str = "\
Examples:
  cargo xtask ci                               all migrations, on each kind of server there is
  cargo xtask ci --since origin/main           what this branch adds or changes
  cargo xtask ci --server mysql:8.0 --server local
  cargo xtask ci --dir ../other/migrations --junit target/ci.xml

It is `migrate:lint` and then `migrate:verify`, the second one whatever the first one found. The exit code is the worse
of the two. The same on a pull request: docs/ci.md.";

/// What `--server` takes, with the images that people have most.
const SERVERS: [&str; 9] = [
    EACH_SERVER,
    "local",
    "mysql",
    "mariadb",
    "mysql:8.0",
    "mysql:8.4",
    "mysql:9.7",
    "mariadb:10.11",
    "mariadb:11.8",
];

/// The server that `migrate:verify` is asked for where none is named.
const EACH_SERVER: &str = "each";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only migrations that are new or changed against this branch, tag or commit.
    #[arg(long, value_name = "REF")]
    since: Option<OsString>,
    /// Only this version; may be given several times.
    #[arg(long, value_name = "VERSION", add = completions::versions())]
    only: Vec<OsString>,
    /// A folder of pairs, in place of the central and the tenant set.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<OsString>,
    /// A server to prove on, such as mysql:8.4, mariadb:10.11 or local; may be given several times [default: each kind
    /// that can be had].
    #[arg(long, value_name = "SERVER", add = completions::words(&SERVERS))]
    server: Vec<OsString>,
    /// The seed of the rows that tables are filled with, to repeat a run.
    #[arg(long, value_name = "N")]
    seed: Option<OsString>,
    /// Write what verify found to this file, for what shows test results.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    junit: Option<OsString>,
    /// Write what verify found to this file, for people.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    markdown: Option<OsString>,
}

impl Args {
    /// The options of both commands.
    fn shared(&self, format: Format, migrations: Option<&Path>) -> Vec<OsString> {
        let format = format.to_possible_value().map(|value| value.get_name().into());
        let migrations = migrations.map(|folder| folder.as_os_str().to_owned());
        let mut args = Vec::new();
        push(&mut args, "--format", format);
        push(&mut args, "--migrations", migrations);
        push(&mut args, "--since", self.since.clone());
        push(&mut args, "--dir", self.dir.clone());
        push(&mut args, "--only", self.only.iter().cloned());
        args
    }

    fn lint(&self, format: Format, migrations: Option<&Path>) -> Vec<OsString> {
        [vec!["migrate:lint".into()], self.shared(format, migrations)].concat()
    }

    fn verify(&self, format: Format, migrations: Option<&Path>) -> Vec<OsString> {
        let mut args = [vec!["migrate:verify".into()], self.shared(format, migrations)].concat();
        if self.server.is_empty() {
            push(&mut args, "--server", [EACH_SERVER.into()]);
        }
        push(&mut args, "--server", self.server.iter().cloned());
        push(&mut args, "--seed", self.seed.clone());
        push(&mut args, "--junit", self.junit.clone());
        push(&mut args, "--markdown", self.markdown.clone());
        args
    }
}

fn push(args: &mut Vec<OsString>, name: &str, values: impl IntoIterator<Item = OsString>) {
    args.extend(values.into_iter().flat_map(|value| [name.into(), value]));
}

/// Runs both, one after the other, on the streams of this process.
pub(crate) fn run(args: &Args, format: Format, migrations: Option<&Path>) -> ExitCode {
    let mut worst = 0;
    for args in [args.lint(format, migrations), args.verify(format, migrations)] {
        let status =
            std::env::current_exe().and_then(|program| signals::outlast(Command::new(program).args(args)));
        let code = match status {
            Ok(status) => code(status),
            Err(error) => return cli::fail(&format!("`xtask` cannot be run: {error}")),
        };
        if code == ExitStatus::Stopped.code() || code > SIGNALLED {
            return code.into();
        }
        // That something could not be found out has the higher codes, and is worse than what was found.
        worst = worst.max(code);
    }
    worst.into()
}

/// As a shell has it: a signal is this and its number.
const SIGNALLED: u8 = 128;

fn code(status: process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| i32::from(SIGNALLED) + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn check(typed: &str, lint: &str, verify: &str) {
        let args = Line::parse_from(["ci"].into_iter().chain(typed.split_whitespace())).args;
        let text = |args: Vec<OsString>| args.join(" ".as_ref()).into_string().expect("UTF-8");
        assert_eq!(
            text(args.lint(Format::Human, None)),
            format!("migrate:lint --format human{lint}"),
            "{typed}"
        );
        let verify = format!("migrate:verify --format human{verify}");
        assert_eq!(text(args.verify(Format::Human, None)), verify, "{typed}");
    }

    #[test]
    fn options_go_to_the_commands_that_have_them() {
        check("", "", " --server each");
        check("--since origin/main", " --since origin/main", " --since origin/main --server each");
        check(
            "--only 1 --only 2 --dir d",
            " --dir d --only 1 --only 2",
            " --dir d --only 1 --only 2 --server each",
        );
        check("--server local --server mysql:8.4", "", " --server local --server mysql:8.4");
        check(
            "--server local --seed 7 --junit a.xml --markdown b.md",
            "",
            " --server local --seed 7 --junit a.xml --markdown b.md",
        );
    }

    #[test]
    fn migrations_of_another_folder() {
        let args = Line::parse_from(["ci"]).args;
        let lint = args.lint(Format::Json, Some(Path::new("m")));
        assert_eq!(lint.join(" ".as_ref()), "migrate:lint --format json --migrations m");
    }
}
