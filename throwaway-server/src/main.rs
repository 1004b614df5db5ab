//! Runs a throwaway server until standard input ends (Ctrl-D) or the process does (Ctrl-C), for trying things by hand.
//!
//! Prints the URL of `root`, and nothing else, to standard output.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use throwaway_server::Options;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
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
