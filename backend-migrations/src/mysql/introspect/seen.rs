//! Structures that were asked for already.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::schema::{Flavour, Table};

/// So many definitions are kept in memory.
const N_MAX: usize = 1_000;

/// The structure of tables by what `SHOW CREATE TABLE` said of them: it says all of it, and most tables are the same from
/// one look to the next, and in one database and its neighbours.
#[derive(Clone, Debug, Default)]
pub(in crate::mysql) struct Seen(Arc<Mutex<HashMap<(Flavour, String), Table>>>);

impl Seen {
    pub(super) fn get(&self, flavour: Flavour, definition: &str) -> Option<Table> {
        self.lock().get(&(flavour, definition.to_owned())).cloned()
    }

    pub(super) fn insert(&self, flavour: Flavour, definition: String, table: Table) {
        let mut seen = self.lock();
        // What was seen long ago is not what comes next.
        if seen.len() >= N_MAX {
            seen.clear();
        }
        seen.insert((flavour, definition), table);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Flavour, String), Table>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
