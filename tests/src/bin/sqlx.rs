//! sqlx-cli 0.9 as its own `sqlx` is, built from its library.

use clap::Parser as _;
use sqlx_cli::Opt;

/// `main` of sqlx-cli's `src/bin/sqlx.rs`, without `.env`: errors go to standard output, and the exit code is 1.
#[tokio::main]
#[expect(clippy::print_stdout, reason = "it does as the original does")]
async fn main() {
    sqlx::any::install_default_drivers();
    let opt = Opt::parse();
    if let Err(error) = sqlx_cli::run(opt).await {
        println!("error: {error}");
        std::process::exit(1);
    }
}
