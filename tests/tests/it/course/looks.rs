//! What somebody sees who looks how far a half-done migration has got: where no schema tells, `migrate:recover` asks for it.

use std::collections::BTreeMap;

use backend_migrations::{migration::Direction, sql::parse_script};
use end_to_end::query;
use sqlx::MySqlConnection;

use super::{Course, Files, Lane, State, objects};

/// The rows and tables after so many statements of each migration: the first is before it.
pub(super) type Looks = BTreeMap<String, Vec<State>>;

impl Course {
    /// Runs the files statement by statement, as no tool does, and looks after each.
    pub(super) async fn look(&self, lane: &Lane, files: Files) -> Looks {
        let ends_in = match self.direction {
            Direction::Up => ".up.sql",
            Direction::Down => ".down.sql",
        };
        let mut texts: Vec<_> = files.texts().filter(|(name, _)| name.ends_with(ends_in)).collect();
        if self.direction == Direction::Down {
            texts.reverse();
        }
        self.clear(lane).await;
        let mut looks = Looks::new();
        for (name, text) in texts {
            let mut connection = self.connect_as_tenant(lane).await;
            let mut states = vec![self.seen(lane).await];
            for statement in parse_script(name, text.as_bytes()).expect("it can be read").statements {
                query::run(&mut connection, &statement.text).await;
                states.push(self.seen(lane).await);
            }
            looks.insert(name[..14].to_owned(), states);
        }
        looks
    }

    /// How many statements of the half-done migration are in the database; `None` where it looks like none of them, or like several.
    pub(super) async fn n_seen(&self, lane: &Lane) -> Option<usize> {
        const HALF_DONE: &str = "SELECT version FROM _sqlx_migrations WHERE NOT success \
             UNION SELECT version FROM _backend_migrations_journal";
        let mut connection = self.connect(&self.fleet.database(&lane.tenant)).await;
        let versions = query::column(&mut connection, HALF_DONE).await;
        let [version] = versions.as_slice() else { return None };
        let seen = self.seen(lane).await;
        // What leaves nothing, as `SET` does, goes with what comes after it.
        self.looks.get(version)?.iter().position(|state| *state == seen)
    }

    async fn seen(&self, lane: &Lane) -> State {
        let (database, account) = (self.fleet.database(&lane.tenant), self.fleet.account(&lane.tenant));
        let mut connection: MySqlConnection = self.connect(&database).await;
        let mut seen = objects(&mut connection, &database, &account).await;
        seen.remove("TABLE _sqlx_migrations");
        for (name, parts) in &mut seen {
            // With the settings of the session that made it, which is not ours here.
            if !name.starts_with("TABLE ") && !name.starts_with("ROWS ") {
                parts.clear();
            }
        }
        seen
    }
}
