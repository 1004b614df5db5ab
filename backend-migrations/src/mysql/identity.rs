//! One database under two rows: a server may have several names, and its own word for itself tells.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use sqlx::{Row as _, mysql::MySqlRow};

use crate::tenant::SharedLabel;

/// Asks who the server is, and which database this is. MySQL alone has `server_uuid`, newer MariaDB servers alone
/// `server_uid`: to ask for a value would be an error, to list what there is never is.
pub(super) const QUESTION: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
    ('server_uuid', 'server_uid', 'hostname', 'port', 'socket', 'datadir');SELECT DATABASE()";
/// How many results [`QUESTION`] has.
pub(super) const N_RESULTS: usize = 2;

/// The tenants whose databases are called the same on servers that are called otherwise, and who of them was there first.
#[derive(Debug, Default)]
pub(super) struct Doubtful {
    labels: HashSet<SharedLabel>,
    first: Mutex<HashMap<Identity, SharedLabel>>,
}

/// A database as its server sees it: what the server says of itself, and the database's name.
type Identity = (Vec<(String, String)>, String);

impl Doubtful {
    pub(super) fn new(labels: HashSet<SharedLabel>) -> Self {
        Self { labels, first: Mutex::default() }
    }

    /// Whether this tenant is one of them.
    pub(super) fn has(&self, label: &SharedLabel) -> bool {
        self.labels.contains(label)
    }

    /// Notes that `label` is on the database that gave these answers to [`QUESTION`]; gives the tenant that was there before
    /// it. Where the answers cannot be read nobody was: then the lock of the database keeps the two apart.
    pub(super) fn claim(&self, answers: &[Vec<MySqlRow>], label: &SharedLabel) -> Option<SharedLabel> {
        let [variables, database] = answers else { return None };
        let pair = |row: &MySqlRow| Some((row.try_get(0).ok()?, row.try_get(1).ok()?));
        let mut variables: Vec<(String, String)> = variables.iter().filter_map(pair).collect();
        let database: String = database.first()?.try_get(0).ok()?;
        if variables.is_empty() {
            return None;
        }
        variables.sort();
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let first = first.entry((variables, database)).or_insert_with(|| label.clone());
        (first != label).then(|| first.clone())
    }
}
