//! `docs/cli.md`: written by hand up to the commands, which speak for themselves there. A stale file is written anew, and
//! fails the test, so that the change is seen.

use std::{fmt::Write as _, fs, path::Path, process::Command, time::Duration};

use backend_migrations::{
    cli::{Command as Commands, ExitStatus},
    session::Limits,
};
use clap::Subcommand as _;

const PREFACE: &str = "\
# The command line

`backend-migrations <command>` and, in a checkout of this repository, `cargo xtask <command>` are the same commands. This
page is written by `backend-migrations/tests/cli_reference.rs`.

## Settings

A flag wins over the environment, the environment over the file `.env` in the current folder, of which only these variables are
looked at. They are read as Node's dotenv reads them; what other readers of such files take for something else (a `#` or a `$`
outside of single quotes, a `\\` in double ones) is refused with its line. An empty variable is as good as none. A variable that ends in `_FILE` names a file that holds the value, as Docker and Kubernetes hand in secrets; it
counts where the variable without `_FILE` is not set.

| variable | flag | default | what it is |
|---|---|---|---|
| `CENTRAL_DATABASE_URL` | | | the central database: `mysql://USER:PASSWORD@HOST:PORT/DATABASE`. Needed by all commands but `migrate:make`, `migrate:lint`, `migrate:restamp`, `tenant:seal-password` and `completions` |
| `CENTRAL_DATABASE_URL_FILE` | | | file with the same |
| `DB_ENCRYPTION_KEY` | | | the key that tenants' passwords are sealed with: 32 bytes as they are, not hex or base64. Needed by all commands about tenants |
| `DB_ENCRYPTION_KEY_FILE` | | | file with the same |
| `TENANT_ADMIN_URL` | | `CENTRAL_DATABASE_URL` | the server that `tenant:provision` makes tenants on, with an account that may make databases and accounts and may read `mysql.user`; where it is set, it is also used to look who holds a lock on that server |
| `TENANT_ADMIN_URL_FILE` | | | file with the same |
| `TENANT_SSL_MODE` | | `PREFERRED` | encryption of connections to tenants: `DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY` |
| `TENANT_SSL_CA` | | Mozilla's, built in | PEM file with the authorities that the last two modes trust |
| `SCRATCH_URL` | `--scratch-url` | the tenant's own server, with its account or with `TENANT_ADMIN_URL`'s; else, with `cargo xtask`, a throwaway one | the server on which `migrate:recover` makes scratch databases: `mysql://USER:PASSWORD@HOST:PORT`, of the tenants' flavour and version |
| `SCRATCH_URL_FILE` | | | file with the same |
| `MIGRATIONS_DIR` | `--migrations` | see below | folder that holds `central/` and `tenant/` |
";

const AFTER_SETTINGS: &str = "\
| `PROGRESS_INTERVAL` | `--progress-interval` | 30s | where standard error is no terminal: time between two lines of what is at work |
| `NO_COLOR` | | | any value: no colours ([no-color.org](https://no-color.org)) |
| `CLICOLOR_FORCE` | | | any value but `0`: colours, also where it is no terminal ([bixense.com/clicolors](https://bixense.com/clicolors)) |
| `CLICOLOR` | | | `0`: no colours |
| `TERM` | | | `dumb`: no colours, and no line that is drawn anew |

Where no folder is named, `cargo xtask` takes `migrations` in the checkout. `backend-migrations` takes the migrations that
were built into it (feature `embed`), else the folder `migrations` in the current one.

A duration is a number with its unit, `500ms`, `10s`, `5m`, `1h`, or several: `1h30m`, `1h 30m`. A number alone is seconds.
It is longer than nothing and at most 30 days: nothing waits for ever.

## Exit codes

| code | means |
|---|---|
";

const AFTER_EXIT_CODES: &str = "
SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT mean the same. The first asks to stop: migrations in flight are finished and
recorded, no tenant is begun. The second ends every wait within two seconds and kills the statements in flight on their
servers. The third ends the program at once. Two of the same kind count as one where the kernel has not delivered the first
when the second is sent; SIGHUP is ignored under `nohup`. Before a run begins, and killed by another signal, the exit code is
the shell's: 128 and the signal's number.

## Standard output and standard error

Standard output has what the command was asked for: the report of the run, the names of the files made, the sealed password,
the script. Standard error has why a command did nothing, or why it could not go on: `error: …`, and a `hint: …` where there
is a next step; and, while a run lasts, its progress: drawn on a terminal, else a line for each tenant whose turn takes longer
than a thirtieth of `--progress-interval` (a second), and one each `--progress-interval`. What is not read for a while (a pager, Ctrl-S) holds up no work. With `--format json` standard output has one object a line and nothing else, errors included, so that a
program need not read standard error; what is wrong with the command line itself (exit code 2, from the parser) is always
text on standard error. Passwords and keys are on neither.

# Commands

";

fn meaning(status: ExitStatus) -> &'static str {
    match status {
        ExitStatus::Success => "everything asked for was done, or there was nothing to do",
        ExitStatus::Failed => {
            "at least one tenant failed; the summary names each. Of `migrate:recover`: something is still half done. Of `migrate:lint`: a finding is an error"
        }
        ExitStatus::Usage => "the command line is wrong; nothing was done",
        ExitStatus::Stopped => {
            "stopped before the end by a signal, an output that is closed or cannot be written, or the failure budget, and no tenant failed; or all was done, and what it came to could not be written (a full disk) or was never read before a signal came"
        }
        ExitStatus::Refused => {
            "refused before anything was changed: a setting, a migration file, the central database"
        }
        ExitStatus::Unsettled => {
            "`migrate:status --exit-code` found something pending, running, dirty, modified, missing or ahead"
        }
        ExitStatus::Internal => "a fault of this program or of the machine",
        ExitStatus::Abandoned => {
            "ended at once by a third signal: statements may still run on servers, and `migrate:status` shows where each tenant stands"
        }
    }
}

/// The limits as variables, flags and values.
fn limits() -> [(&'static str, &'static str, String, &'static str); 6] {
    let Limits { connect, lock, lock_wait, statement, connect_retries, lock_wait_retries } = Limits::DEFAULT;
    [
        ("CONNECT_TIMEOUT", "--connect-timeout", words(connect), "time to connect and log in"),
        (
            "CONNECT_RETRIES",
            "--connect-retries",
            connect_retries.to_string(),
            "times to try again where a server refuses, is full or is starting; not after a time-out",
        ),
        (
            "LOCK_TIMEOUT",
            "--lock-timeout",
            words(lock),
            "time to wait for another run to let go of a database, or of the fleet",
        ),
        (
            "LOCK_WAIT",
            "--lock-wait",
            words(lock_wait),
            "time a statement may wait for a table or row that others hold",
        ),
        (
            "LOCK_WAIT_RETRIES",
            "--lock-wait-retries",
            lock_wait_retries.to_string(),
            "times to try a statement again that waited in vain or was in a deadlock",
        ),
        (
            "STATEMENT_TIMEOUT",
            "--statement-timeout",
            words(statement),
            "time a statement may take before it is killed",
        ),
    ]
}

fn words(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds => format!("{seconds}s"),
    }
}

fn help(args: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_backend-migrations")).args(args).env_clear().output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

fn commands() -> Vec<String> {
    let command = Commands::augment_subcommands(clap::Command::new("any"));
    command.get_subcommands().map(|it| it.get_name().to_owned()).collect()
}

fn reference() -> String {
    let mut text = PREFACE.to_owned();
    for (variable, flag, default, what) in limits() {
        writeln!(text, "| `{variable}` | `{flag}` | {default} | {what} |").unwrap();
    }
    text.push_str(AFTER_SETTINGS);
    for status in ExitStatus::ALL {
        writeln!(text, "| {} | {} |", status.code(), meaning(status)).unwrap();
    }
    text.push_str(AFTER_EXIT_CODES);
    write!(text, "```text\n{}```\n", help(&["--help"])).unwrap();
    for command in commands() {
        write!(text, "\n## {command}\n\n```text\n{}```\n", help(&[&command, "--help"])).unwrap();
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the reference is a file of the repository")]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let fresh = reference();
    if fs::read_to_string(&path).unwrap_or_default() != fresh {
        fs::write(&path, fresh).unwrap();
        panic!("docs/cli.md was stale and has been written anew: read the difference, and commit it");
    }
}

#[test]
fn every_command_has_an_example() {
    for command in commands() {
        let text = help(&[&command, "--help"]);
        let example = format!("\n  backend-migrations {command}");
        let (_, examples) = text.split_once("\nExamples:\n").unwrap_or_default();
        assert!(format!("\n{examples}").contains(&example), "no example in the help of {command}:\n{text}");
    }
}

/// What is written by hand in the help texts is true.
#[test]
fn the_defaults_in_the_help_are_the_defaults() {
    let text = help(&["--help"]).split_whitespace().collect::<Vec<_>>().join(" ");
    for (variable, flag, default, _) in limits() {
        let (_, rest) = text.split_once(flag).unwrap();
        let (_, rest) = rest.split_once(&format!("[env: {variable}] ")).unwrap();
        assert!(rest.starts_with(&format!("[default: {default}]")), "{flag}: {rest}");
    }
}

#[test]
fn one_line_helps_end_without_a_full_stop() {
    let command = Commands::augment_subcommands(clap::Command::new("any"));
    for command in command.get_subcommands() {
        let helps = command.get_arguments().filter_map(|arg| arg.get_help()).chain(command.get_about());
        for help in helps.map(ToString::to_string) {
            assert!(!help.ends_with('.') && !help.contains('\n'), "{}: {help:?}", command.get_name());
        }
    }
}
