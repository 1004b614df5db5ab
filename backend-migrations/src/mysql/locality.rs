//! Where a lock reaches: `GET_LOCK` is a node's own.

use sqlx::{Row as _, mysql::MySqlRow};

use crate::tenant::ServerId;

/// Asks whether the server is one of a group. Each of the variables is unknown to the other flavour, and MySQL's to a server
/// without the plugin: to ask for a value would be an error, to list what there is never is.
pub(super) const QUESTION: &str =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'group_replication_group_name')";

/// What to tell where the server is one of a group; takes the rows that answer [`QUESTION`].
///
/// MariaDB's "Galera Cluster - Known Limitations" and MySQL's "Group Replication Limitations" say that locks of
/// `GET_LOCK` are not replicated.
pub(super) fn caveat(rows: &[MySqlRow], server: &ServerId) -> Option<String> {
    let answers = rows.iter().filter_map(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?)));
    words(answers, server)
}

fn words(answers: impl Iterator<Item = (String, String)>, server: &ServerId) -> Option<String> {
    let kind = answers.into_iter().find_map(|(name, value)| match (name.as_str(), value.as_str()) {
        ("wsrep_on", "ON" | "1") => Some("a Galera cluster"),
        ("group_replication_group_name", name) if !name.is_empty() => Some("a replication group"),
        _ => None,
    })?;
    Some(format!(
        "{server} is a node of {kind}, where the lock that keeps two runs apart is the node's own: let every run connect to \
         the same node"
    ))
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::tenant::ServerId;

    #[test]
    fn a_node_of_a_group_is_told() {
        let server = ServerId { host: "db1".into(), port: 3306 };
        let check = |name: &str, value: &str, expected: Option<&str>| {
            let told = words([(name.to_owned(), value.to_owned())].into_iter(), &server);
            assert_eq!(told.is_some(), expected.is_some(), "{name} = {value}: {told:?}");
            assert!(told.is_none_or(|told| told.contains(expected.unwrap_or_default())), "{name} = {value}");
        };
        check("wsrep_on", "OFF", None);
        check("wsrep_on", "ON", Some("db1:3306 is a node of a Galera cluster"));
        check("group_replication_group_name", "", None);
        check("group_replication_group_name", "0b7a4fd0", Some("a replication group"));
    }
}
