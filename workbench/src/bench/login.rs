//! What a login over TLS costs: through sqlx as it is, through the tool's connector, and through a driver whose socket has
//! `TCP_NODELAY`.

use std::time::Instant;

use anyhow::Context as _;
use backend_migrations::{
    mysql::{MySqlConnector, parse_url},
    session::{Connect as _, Limits, TenantSession as _},
    tenant::TlsMode,
};
use mysql_async::{Conn, Opts, OptsBuilder};
use sqlx::{
    Connection as _, MySqlConnection,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};
use tokio_util::sync::CancellationToken;

use super::{fleet::Fleet, floor, table};

const N_LOGINS: usize = 40;

/// Whether the server offers TLS.
pub(super) async fn has_tls(url: &str) -> bool {
    let Ok(options) = sqlx_options(url) else { return false };
    match MySqlConnection::connect_with(&options).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}

fn sqlx_options(url: &str) -> anyhow::Result<MySqlConnectOptions> {
    let options: MySqlConnectOptions = url.parse()?;
    Ok(options
        .ssl_mode(MySqlSslMode::Required)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Sqlx,
    Ours,
    Floor,
}

impl Way {
    const ALL: [Self; 3] = [Self::Floor, Self::Ours, Self::Sqlx];

    fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor (mysql_async, rustls, `TCP_NODELAY`)",
            Self::Ours => "backend-migrations",
            Self::Sqlx => "sqlx 0.9 as it is",
        }
    }
}

/// The table of this scenario.
pub(super) async fn measure(fleet: &Fleet, rounds: usize) -> anyhow::Result<String> {
    if !fleet.has_tls {
        return Ok("### a login over TLS\n\nThis server offers no TLS.\n\n".to_owned());
    }
    let url = fleet.central_url.clone();
    // One thread, as the tool itself has.
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(log_in(&url, rounds))
    };
    tokio::task::spawn_blocking(work).await?
}

async fn log_in(url: &str, rounds: usize) -> anyhow::Result<String> {
    let mut target = parse_url(url, "central")?;
    target.tls.mode = TlsMode::Required;
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let sqlx = sqlx_options(url)?;
    let opts = Opts::from_url(url)?;
    let mut times: Vec<(Way, Vec<f64>)> = Way::ALL.map(|way| (way, Vec::new())).into();
    // The first login of each is not counted.
    for n in 0..=rounds * N_LOGINS {
        // Its TLS configuration lives as long as its options, and with them sessions would be resumed: no tenant of a
        // fleet has that, for each has options of its own.
        let opts = floor::options(OptsBuilder::from_opts(opts.clone()), true);
        fastrand::shuffle(&mut times);
        for (way, times) in &mut times {
            let started = Instant::now();
            // The end of the connection is not timed.
            let elapsed = match way {
                Way::Sqlx => {
                    let connection = MySqlConnection::connect_with(&sqlx).await?;
                    let elapsed = started.elapsed();
                    connection.close().await?;
                    elapsed
                }
                Way::Ours => {
                    let session = connector.connect(target.clone()).await.context("no login")?;
                    let elapsed = started.elapsed();
                    session.close().await;
                    elapsed
                }
                Way::Floor => {
                    let connection = Conn::new(opts.clone()).await?;
                    let elapsed = started.elapsed();
                    connection.disconnect().await?;
                    elapsed
                }
            };
            if n > 0 {
                times.push(elapsed.as_secs_f64() * 1e3);
            }
        }
    }
    let rows = Way::ALL.map(|way| {
        let found = times.iter().find(|(other, _)| *other == way);
        (way.name(), found.map(|(_, times)| times.clone()).unwrap_or_default())
    });
    Ok(table::of_logins(&rows))
}
