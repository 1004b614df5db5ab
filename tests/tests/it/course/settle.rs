//! A statement in doubt, settled by hand.

use std::fs;

use backend_migrations::{
    history::StatementDigest,
    migration::{Direction, Script},
    sql::parse_script,
};
use end_to_end::query;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, mysql::MySqlDatabaseError, raw_sql};

use super::{Course, Lane};

/// What a server answers to a statement that it has executed already.
const IS_THERE_ALREADY: &[u16] = &[
    1050, // ER_TABLE_EXISTS_ERROR
    1051, // ER_BAD_TABLE_ERROR
    1060, // ER_DUP_FIELDNAME
    1061, // ER_DUP_KEYNAME
    1091, // ER_CANT_DROP_FIELD_OR_KEY
    1146, // ER_NO_SUCH_TABLE
    1304, // ER_SP_ALREADY_EXISTS
    1305, // ER_SP_DOES_NOT_EXIST
    1359, // ER_TRG_ALREADY_EXISTS
    1360, // ER_TRG_DOES_NOT_EXIST
    4092, // ER_UNKNOWN_VIEW, MariaDB's
];

impl Course {
    /// Does by hand what the refusal says: makes sure that the statement in doubt is in the database, and says so in the
    /// books.
    pub(super) async fn settle(&self, lane: &Lane) -> Result<(), String> {
        let mut tenant = self.connect_as_tenant(lane).await;
        let dirty = "SELECT version FROM _sqlx_migrations WHERE success = FALSE";
        let version = query::value(&mut tenant, dirty).await;
        let has_journal = !query::rows(&mut tenant, "SHOW TABLES LIKE '\\_backend%'").await.is_empty();
        let journal = if has_journal {
            let journal =
                format!("SELECT running FROM _backend_migrations_journal WHERE version = {version}");
            query::column(&mut tenant, &journal).await
        } else {
            Vec::new()
        };
        // Without a journal, the file has one statement.
        let at = journal.first().map_or(Ok(0), |running| running.parse::<usize>());
        let at = at.map_err(|_| format!("{version} has no statement in doubt: {journal:?}"))?;
        let script = self.script(&version);
        let statement = &script.statements[at].text;
        if let Err(error) = tenant.execute(raw_sql(AssertSqlSafe(statement.clone()))).await {
            let number =
                error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
            let is_there_already = number.is_some_and(|error| IS_THERE_ALREADY.contains(&error.number()));
            if !is_there_already {
                return Err(format!("neither in the database nor possible: {error}\n{statement}"));
            }
        }
        let note = if at + 1 == script.statements.len() {
            let done = match self.direction {
                Direction::Up => format!(
                    "UPDATE _sqlx_migrations SET success = TRUE, execution_time = 0 WHERE version = {version}"
                ),
                Direction::Down => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
            };
            let forget = format!("; DELETE FROM _backend_migrations_journal WHERE version = {version}");
            if has_journal { done + &forget } else { done }
        } else {
            format!(
                "UPDATE _backend_migrations_journal SET running = NULL, \
                 finished = CONCAT_WS(',', NULLIF(finished, ''), '{:016x}') WHERE version = {version}",
                StatementDigest::of(statement).0
            )
        };
        query::run(&mut tenant, &note).await;
        tenant.close().await.ok();
        Ok(())
    }

    fn script(&self, version: &str) -> Script {
        let suffix = match self.direction {
            Direction::Up => ".up.sql",
            Direction::Down => ".down.sql",
        };
        let mut entries = fs::read_dir(self.fleet.migrations("tenant")).expect("it is there");
        let path = entries.find_map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name()?.to_str()?;
            (name.starts_with(version) && name.ends_with(suffix)).then_some(path)
        });
        let text = fs::read(path.expect("a dirty migration has a file")).expect("it can be read");
        parse_script(version, &text).expect("it has run")
    }
}
