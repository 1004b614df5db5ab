//! Whether a server answers, found out by asking it.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, MySqlConnection};

use crate::settings::Flavour;

/// What a server says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    pub(crate) flavour: Flavour,
    /// The number alone: `10.11.14` of `10.11.14-MariaDB-0+deb12u2`.
    pub(crate) version: String,
}

impl Greeting {
    fn of(version: &str) -> Self {
        let flavour = if version.contains("MariaDB") { Flavour::MariaDb } else { Flavour::MySql };
        let number = version.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or(version);
        Self { flavour, version: number.to_owned() }
    }
}

async fn greet(url: &str) -> Result<Greeting, sqlx::Error> {
    let mut connection = MySqlConnection::connect(url).await?;
    let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(Greeting::of(&version))
}

/// One try with a limit, for a server that should be there.
pub(crate) async fn greet_patiently(url: &str) -> Result<Greeting, String> {
    match tokio::time::timeout(Duration::from_secs(10), greet(url)).await {
        Ok(greeting) => greeting.map_err(|error| error.to_string()),
        Err(_) => Err("no answer within 10 s".into()),
    }
}

/// Whether it answers at once.
pub(crate) async fn greets_within(url: &str, limit: Duration) -> bool {
    matches!(tokio::time::timeout(limit, greet(url)).await, Ok(Ok(_)))
}

/// Tries until the server answers; the last error once `limit` is over.
pub(crate) async fn wait_until_ready(url: &str, limit: Duration) -> Result<Greeting, String> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        let error = match tokio::time::timeout(Duration::from_secs(5), greet(url)).await {
            Ok(Ok(greeting)) => return Ok(greeting),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer within 5 s".into(),
        };
        if began.elapsed() > limit {
            return Err(format!("not ready after {} s: {error}", limit.as_secs()));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(250));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_versions_servers_give() {
        for (text, flavour, version) in [
            ("10.11.14-MariaDB-0+deb12u2", Flavour::MariaDb, "10.11.14"),
            ("9.7.4-2", Flavour::MySql, "9.7.4"),
            ("8.0.43-0ubuntu0.24.04.1", Flavour::MySql, "8.0.43"),
            ("8.4.6", Flavour::MySql, "8.4.6"),
        ] {
            let greeting = Greeting::of(text);
            assert_eq!((greeting.flavour, greeting.version.as_str()), (flavour, version));
        }
    }
}
