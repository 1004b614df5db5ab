//! What `SHOW CREATE` answers, without what is no part of the schema.
//!
//! * The next value of `AUTO_INCREMENT`.
//! * The moment at which an event without `STARTS` was made.
//! * The `;` that MySQL keeps after a body of one statement when its packet went on behind it (seen on 9.7.4): sqlx sends
//!   a whole file as one packet, and this tool a statement.
//! * The name of the database, which servers write into views whether or not their author did.
//! * The account that made it, where it is the one that looks: a `DEFINER` that was written out stays. So a tenant's
//!   database, looked at by the tenant's account, compares with a scratch database made and looked at by another.
//!
//! Settings that an object was made under (`sql_mode`, character set, collation, time zone) are part of what it does.
//! They are noted before its definition where they are not those of a migration's session.

use super::{Value, structure::text};
use crate::{schema::ObjectKind, sql::unqualify};

/// What a definition is read against.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) database: String,
    /// `user@host`, as `CURRENT_USER()` has it.
    pub(super) account: String,
    pub(super) sql_mode: String,
    pub(super) character_set_client: String,
    pub(super) collation_connection: String,
    pub(super) time_zone: String,
    pub(super) database_collation: String,
}

/// What the server says of one object.
#[derive(Debug)]
pub(super) struct Definition<'a> {
    pub(super) kind: ObjectKind,
    /// A trigger's place among its like; the `STARTS` of an event that has it from the moment of its birth.
    pub(super) note: Option<&'a str>,
    /// The row of its `SHOW CREATE`.
    pub(super) row: &'a [Value],
}

impl Definition<'_> {
    /// The columns of `SHOW CREATE` for its SQL, and for each setting: its name, its column, its default.
    fn columns<'d>(&self, defaults: &'d Defaults) -> (usize, Vec<(&'static str, usize, &'d str)>) {
        let Defaults { sql_mode, character_set_client, collation_connection, database_collation, .. } =
            defaults;
        let spoken = |first| {
            [
                ("character_set_client", first, character_set_client.as_str()),
                ("collation_connection", first + 1, collation_connection),
            ]
        };
        let stored = |first: usize| {
            let database = ("collation_database", first + 2, database_collation.as_str());
            [("sql_mode", 1, sql_mode.as_str())].into_iter().chain(spoken(first)).chain([database])
        };
        match self.kind {
            ObjectKind::Database | ObjectKind::Table | ObjectKind::Sequence => (1, Vec::new()),
            ObjectKind::View => (1, spoken(2).to_vec()),
            ObjectKind::Trigger
            | ObjectKind::Function
            | ObjectKind::Procedure
            | ObjectKind::Package
            | ObjectKind::PackageBody => (2, stored(3).collect()),
            ObjectKind::Event => {
                let time_zone = ("time_zone", 2, defaults.time_zone.as_str());
                (3, stored(4).chain([time_zone]).collect())
            }
        }
    }

    /// Its SQL, normalised; `is_object` knows the names of the database's objects.
    pub(super) fn normalised(&self, defaults: &Defaults, is_object: impl Fn(&str) -> bool) -> String {
        let (column, settings) = self.columns(defaults);
        if self.row.get(column).is_none_or(Option::is_none) {
            // The server shows the row without it (MySQL 8.4 manual, "SHOW CREATE PROCEDURE").
            return "-- this account may not see the definition".to_owned();
        }
        let sql = text(self.row, column);
        let sql = match self.kind {
            ObjectKind::Table => unqualify(&without_counter(&sql), &defaults.database, is_object),
            ObjectKind::View => {
                unqualify(&without_definer(&sql, &defaults.account), &defaults.database, is_object)
            }
            ObjectKind::Database | ObjectKind::Sequence => sql,
            ObjectKind::Event => {
                let sql = without_definer(&without_terminator(&sql), &defaults.account);
                self.note.map_or(sql.clone(), |starts| sql.replacen(&format!(" STARTS '{starts}'"), "", 1))
            }
            ObjectKind::Trigger
            | ObjectKind::Function
            | ObjectKind::Procedure
            | ObjectKind::Package
            | ObjectKind::PackageBody => without_definer(&without_terminator(&sql), &defaults.account),
        };
        let order = self.note.filter(|_| self.kind == ObjectKind::Trigger).map(|note| format!("-- {note}\n"));
        let others = settings.into_iter().filter_map(|(name, column, default)| {
            let value = text(self.row, column);
            (value != default).then(|| format!("-- {name} = '{value}'\n"))
        });
        order.into_iter().chain(others).chain([sql]).collect()
    }
}

/// What stands behind the name in `SHOW CREATE DATABASE`.
pub(super) fn options(row: &[Value]) -> String {
    let name = super::identifier(&text(row, 0));
    let sql = text(row, 1);
    sql.split_once(&name).map_or(sql.as_str(), |(_, options)| options.trim()).to_owned()
}

/// Without the table option `AUTO_INCREMENT=n`, which stands in the line of `ENGINE` before anything that people write.
fn without_counter(sql: &str) -> String {
    const OPTION: &str = " AUTO_INCREMENT=";
    let Some(options) = sql.rfind("\n) ENGINE=") else { return sql.to_owned() };
    let end = sql[options + 1..].find(['\n', '\'']).map_or(sql.len(), |end| options + 1 + end);
    let Some(at) = sql[options..end].find(OPTION).map(|at| options + at) else { return sql.to_owned() };
    let rest = sql[at + OPTION.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{}{rest}", &sql[..at])
}

/// Without `DEFINER`, if that is `account`.
fn without_definer(sql: &str, account: &str) -> String {
    let Some((user, host)) = account.rsplit_once('@') else { return sql.to_owned() };
    let definer = format!("DEFINER={}@{} ", super::identifier(user), super::identifier(host));
    // It comes before the object's name, so before anything that people write.
    sql.replacen(&definer, "", 1)
}

fn without_terminator(sql: &str) -> String {
    sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Defaults {
        Defaults {
            database: "app".into(),
            account: "root@%".into(),
            sql_mode: "STRICT".into(),
            character_set_client: "utf8mb4".into(),
            collation_connection: "utf8mb4_ci".into(),
            time_zone: "+00:00".into(),
            database_collation: "utf8mb4_ci".into(),
        }
    }

    fn row(values: &[&str]) -> Vec<Value> {
        values.iter().map(|value| Some(value.as_bytes().to_vec())).collect()
    }

    fn check(kind: ObjectKind, note: Option<&str>, values: &[&str], expected: &str) {
        let row = row(values);
        let definition = Definition { kind, note, row: &row };
        assert_eq!(definition.normalised(&defaults(), |name| name == "t"), expected);
    }

    #[test]
    fn a_tables_counter_goes() {
        let check = |sql: &str, expected: &str| check(ObjectKind::Table, None, &["t", sql], expected);
        check(
            "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4",
            "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        );
        check(
            "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB AUTO_INCREMENT=5\n/*!50100 PARTITION BY HASH (`a`) */",
            "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`a`) */",
        );
        // Words of people stay.
        let comment = "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=1'\n) ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=2'";
        check(comment, comment);
        check(
            "CREATE TABLE `t` (\n  `a` int DEFAULT nextval(`app`.`t`)\n) ENGINE=InnoDB",
            "CREATE TABLE `t` (\n  `a` int DEFAULT nextval(`t`)\n) ENGINE=InnoDB",
        );
    }

    #[test]
    fn a_view_names_neither_its_database_nor_its_maker() {
        let check = |sql: &str, expected: &str| {
            check(ObjectKind::View, None, &["v", sql, "utf8mb4", "utf8mb4_ci"], expected);
        };
        check(
            "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`%` SQL SECURITY INVOKER VIEW `v` AS select 1 from `app`.`t`",
            "CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `v` AS select 1 from `t`",
        );
        let foreign =
            "CREATE ALGORITHM=UNDEFINED DEFINER=`boss`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1";
        check(foreign, foreign);
    }

    #[test]
    fn a_routine_says_what_it_was_made_under() {
        let check = |sql_mode: &str, sql: &str, expected: &str| {
            let values = ["f", sql_mode, sql, "utf8mb4", "utf8mb4_ci", "utf8mb4_ci"];
            check(ObjectKind::Function, None, &values, expected);
        };
        check(
            "STRICT",
            "CREATE DEFINER=`root`@`%` FUNCTION `f`() RETURNS int\nRETURN 1;",
            "CREATE FUNCTION `f`() RETURNS int\nRETURN 1",
        );
        check(
            "",
            "CREATE FUNCTION `f`() RETURNS int\nRETURN 1",
            "-- sql_mode = ''\nCREATE FUNCTION `f`() RETURNS int\nRETURN 1",
        );
    }

    #[test]
    fn a_trigger_says_its_place() {
        let values = ["g", "STRICT", "CREATE TRIGGER g", "latin1", "utf8mb4_ci", "utf8mb4_ci", "2026-01-01"];
        let expected = "-- fires as number 2\n-- character_set_client = 'latin1'\nCREATE TRIGGER g";
        check(ObjectKind::Trigger, Some("fires as number 2"), &values, expected);
    }

    #[test]
    fn an_event_forgets_when_it_was_born() {
        let sql = "CREATE DEFINER=`root`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM t";
        let values = ["e", "STRICT", "+00:00", sql, "utf8mb4", "utf8mb4_ci", "utf8mb4_ci"];
        check(
            ObjectKind::Event,
            Some("2026-01-01 00:00:00"),
            &values,
            "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM t",
        );
        let kept = sql.replace("DEFINER=`root`@`%` ", "");
        check(ObjectKind::Event, None, &values, &kept);
    }

    #[test]
    fn what_may_not_be_seen_is_said() {
        let row = vec![Some(b"p".to_vec()), Some(b"STRICT".to_vec()), None];
        let definition = Definition { kind: ObjectKind::Procedure, note: None, row: &row };
        assert_eq!(
            definition.normalised(&defaults(), |_| false),
            "-- this account may not see the definition"
        );
    }

    #[test]
    fn a_databases_options_stand_behind_its_name() {
        let shown = row(&["a`b", "CREATE DATABASE `a``b` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"]);
        assert_eq!(options(&shown), "/*!40100 DEFAULT CHARACTER SET utf8mb4 */");
    }
}
