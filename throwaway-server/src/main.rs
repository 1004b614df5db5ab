//! Runs a throwaway server until standard input ends (Ctrl-D) or the process does (Ctrl-C), for trying things by hand.
//!
//! Prints the URL of `root`, and nothing else, to standard output.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use throwaway_server::Options;

const HELP: &str = "\
Run a private MySQL or MariaDB server until standard input ends (Ctrl-D) or the program does (Ctrl-C).

Usage: throwaway-server

The URL of `root` goes to standard output, everything else to standard error. It is the first server that can be had: at
THROWAWAY_SERVER_URL, in Docker, a server program of this machine, or packages unpacked below target/. Nothing is left of
it afterwards.

It takes no arguments, but heeds these environment variables:
  THROWAWAY_SERVER_URL     a running server, mysql://root:password@host:port; it is left alone
  THROWAWAY_SERVER         url, docker, local or packages: only this one
  THROWAWAY_FLAVOUR        mysql or mariadb [default: either, MySQL first]
  THROWAWAY_VERSION        8.4 or 10.11, say: Docker is asked for the image with this tag first
  THROWAWAY_MYSQL_IMAGE    image for MySQL in Docker [default: mysql:8.4]
  THROWAWAY_MARIADB_IMAGE  image for MariaDB in Docker [default: mariadb:11.8]
  THROWAWAY_SERVER_PATH    folders, separated by `:`, to look for mysqld and mariadbd in
  THROWAWAY_CACHE          folder for unpacked packages [default: target/throwaway-server]
  DOCKER_HOST              as for Docker itself

Examples:
  throwaway-server
  THROWAWAY_FLAVOUR=mariadb throwaway-server
";

/// As other programs have it for a command line that they cannot understand.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        return if io::stdout().write_all(HELP.as_bytes()).is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    if let Some(word) = words.first() {
        let word = word.to_string_lossy();
        tell(&format!(
            "error: unexpected argument {word:?}\n\nhint: it takes none; `--help` lists the environment variables it heeds"
        ));
        return MISUSED.into();
    }
    serve()
}

#[tokio::main(flavor = "current_thread")]
async fn serve() -> ExitCode {
    let options = Options { progress: Some(tell), ..Options::default() };
    let server = match throwaway_server::start(&options).await {
        Ok(server) => server,
        Err(error) => {
            tell(&format!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    for skipped in server.skipped() {
        tell(&format!("skipped {skipped}"));
    }
    tell(&server.description());
    // Whoever wanted the URL may be gone; the server then goes the same way.
    let listened = writeln!(io::stdout(), "{}", server.root_url());
    let waited = listened.and_then(|()| io::copy(&mut io::stdin(), &mut io::sink()));
    server.stop().await;
    if waited.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(line: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(io::stderr(), "{line}");
}
