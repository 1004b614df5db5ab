//! A database's definitions as the server tells them, for comparing what two tools made.

use std::collections::BTreeMap;

use sqlx::MySqlConnection;

use crate::query;

/// Tables of the tool's own, which sqlx knows nothing of.
const OURS: [&str; 2] = ["_backend_migrations_journal", "_backend_migrations_statements"];

/// Every definition in `database`, by kind and name: what `SHOW CREATE` answers, with the `sql_mode`, character set and
/// collation that the object was made under. `names` are replaced: database and account are not part of a definition.
pub async fn definitions(
    connection: &mut MySqlConnection,
    database: &str,
    names: &[(&str, &str)],
) -> BTreeMap<String, Vec<String>> {
    let mut definitions = BTreeMap::new();
    let lists = [
        (
            "TABLE",
            format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}' AND table_type = 'BASE TABLE'"
            ),
        ),
        (
            "VIEW",
            format!("SELECT table_name FROM information_schema.views WHERE table_schema = '{database}'"),
        ),
        (
            "TRIGGER",
            format!(
                "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '{database}'"
            ),
        ),
        (
            "PROCEDURE",
            format!(
                "SELECT routine_name FROM information_schema.routines WHERE routine_schema = '{database}' AND routine_type = 'PROCEDURE'"
            ),
        ),
        (
            "FUNCTION",
            format!(
                "SELECT routine_name FROM information_schema.routines WHERE routine_schema = '{database}' AND routine_type = 'FUNCTION'"
            ),
        ),
        (
            "EVENT",
            format!("SELECT event_name FROM information_schema.events WHERE event_schema = '{database}'"),
        ),
    ];
    for (kind, list) in lists {
        for name in
            query::column(connection, &list).await.into_iter().filter(|name| !OURS.contains(&name.as_str()))
        {
            let show = format!("SHOW CREATE {kind} `{database}`.`{name}`");
            let mut parts = query::rows(connection, &show).await.remove(0);
            if kind == "TRIGGER" {
                // The moment it was made.
                parts.truncate(6);
            }
            for part in &mut parts {
                for (from, to) in names {
                    *part = part.replace(from, to);
                }
                *part = without_terminator(part);
            }
            definitions.insert(format!("{kind} {name}"), parts);
        }
    }
    definitions
}

/// MySQL keeps the `;` after a body of one statement if the packet goes on behind it, as it does in the one packet that
/// sqlx makes of a file; sent alone, the statement has none (seen on MySQL 9.7.4; MariaDB never keeps it). A body that is
/// a block ends in `END` either way. Nothing but that one `;` is taken away.
fn without_terminator(definition: &str) -> String {
    let body = definition.strip_suffix(';').filter(|_| !definition.ends_with("END;"));
    body.unwrap_or(definition).to_owned()
}
