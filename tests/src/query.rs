//! What a test asks a server.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _, mysql::MySqlRow, raw_sql};

use crate::Server;

/// Runs statements whose rows nobody wants.
pub async fn run(connection: &mut MySqlConnection, sql: &str) {
    let done = connection.execute(raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

/// Every row of a query, every value as the text the server sends for it, or `NULL`.
pub async fn rows(connection: &mut MySqlConnection, sql: &str) -> Vec<Vec<String>> {
    let rows = connection.fetch_all(raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    rows.unwrap_or_else(|error| panic!("{error}\n{sql}")).iter().map(row).collect()
}

/// The first column of every row.
pub async fn column(connection: &mut MySqlConnection, sql: &str) -> Vec<String> {
    rows(connection, sql).await.into_iter().map(|row| row.into_iter().next().expect("a column")).collect()
}

/// The one value of a query.
pub async fn value(connection: &mut MySqlConnection, sql: &str) -> String {
    let column = column(connection, sql).await;
    let [value] = <[String; 1]>::try_from(column).unwrap_or_else(|rows| panic!("{rows:?}\n{sql}"));
    value
}

fn row(row: &MySqlRow) -> Vec<String> {
    let value = |index| {
        // These are results of the text protocol: bytes that are text, but for binary columns.
        let bytes: Option<Vec<u8>> = row.get_unchecked(index);
        match bytes.map(String::from_utf8) {
            None => "NULL".to_owned(),
            Some(Ok(text)) => text,
            Some(Err(error)) => format!("{:02x?}", error.as_bytes()),
        }
    };
    (0..row.columns().len()).map(value).collect()
}

/// Waits until a query has a row, and gives all of them; fails where it has none for a long time.
pub async fn rows_once_there(connection: &mut MySqlConnection, sql: &str) -> Vec<Vec<String>> {
    let began = Instant::now();
    loop {
        match connection.fetch_all(raw_sql(AssertSqlSafe(sql.to_owned()))).await {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => return rows.iter().map(row).collect(),
            // Another connection's statement has bytes in it that MySQL's list of connections cannot show.
            Err(sqlx::Error::Database(error)) if error.message().contains("Cannot convert string") => {}
            Err(error) => panic!("{error}\n{sql}"),
        }
        assert!(began.elapsed() < Duration::from_mins(1), "never a row: {sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a query has no row any more; fails where it has one for a long time.
pub async fn rows_once_gone(connection: &mut MySqlConnection, sql: &str) {
    let began = Instant::now();
    while !rows(connection, sql).await.is_empty() {
        assert!(began.elapsed() < Duration::from_mins(1), "still a row: {sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The query for the connections of an account that run a statement with this text in it.
pub fn running(account: &str, text: &str) -> String {
    format!(
        "SELECT id FROM information_schema.processlist WHERE user LIKE '{account}' AND info LIKE '%{text}%' \
         AND id <> CONNECTION_ID()"
    )
}

/// What an account has asked the server, connection by connection, each line `Connect`, `Query: …` or `Quit` (general
/// log). Every connection must be about to end: the server may note that later than the client that left.
pub async fn log_of(server: &Server, account: &str) -> Vec<Vec<String>> {
    const LIMIT: Duration = Duration::from_secs(10);
    let mut root = server.connect("mysql").await;
    let started = Instant::now();
    loop {
        let connections = read_log(&mut root, account).await;
        let has_ended = |lines: &Vec<String>| lines.last().is_some_and(|line| line == "Quit");
        if connections.iter().all(has_ended) {
            return connections;
        }
        assert!(started.elapsed() < LIMIT, "a connection of {account} does not end: {connections:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn read_log(root: &mut MySqlConnection, account: &str) -> Vec<Vec<String>> {
    let sql = format!(
        "SELECT thread_id, command_type, CONVERT(argument USING utf8mb4) FROM general_log \
         WHERE user_host LIKE '%[{account}]%'"
    );
    let mut connections: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for line in rows(root, &sql).await {
        let [id, command, argument] = <[String; 3]>::try_from(line).expect("three columns");
        let line = if command == "Query" { format!("Query: {argument}") } else { command };
        connections.entry(id.parse().expect("a number")).or_default().push(line);
    }
    connections.into_values().collect()
}
