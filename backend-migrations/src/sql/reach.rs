//! What a statement does beyond the database that it runs in.
//!
//! A migration is replayed in a database of its own beside tenants in use, perhaps with an account that may do
//! everything. What is said here to stay in its database may run there; what is not known to stay does not.
//!
//! Only what the migrations' texts hold is looked at. A function that was loaded into a server (`CREATE FUNCTION … SONAME`)
//! is taken for a stored one, except for those that are known to start programs.

use super::{
    change::{Change, DatabaseVerb, ObjectKind, Scope, Verb},
    compound,
    lex::{TokenKind, lex},
    read,
    words::Words,
};
use crate::migration::Statement;

/// Engines whose tables are in the database's own files or in memory.
const OWN_ENGINES: [&str; 9] =
    ["INNODB", "MYISAM", "MRG_MYISAM", "ARIA", "MEMORY", "HEAP", "ARCHIVE", "CSV", "BLACKHOLE"];

/// Functions that take or release locks of the whole server, read its files or start programs on it.
const SERVER_FUNCTIONS: [&str; 7] =
    ["GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "LOAD_FILE", "SYS_EXEC", "SYS_EVAL", "SYS_SET"];

/// What stands before the name of a table or a routine, and never before that of a column.
const BEFORE_A_TABLE: [&str; 9] =
    ["INTO", "JOIN", "UPDATE", "TABLE", "REFERENCES", "CALL", "VIEW", "TRUNCATE", "REPLACE"];

/// First words of statements about the whole server, as a stored program may have them.
const SERVER_VERBS: [&str; 10] =
    ["GRANT", "REVOKE", "FLUSH", "RESET", "KILL", "PURGE", "SHUTDOWN", "RESTART", "INSTALL", "UNINSTALL"];

/// Why what `statement` does may go beyond the database that it runs in, in words that follow "statement 3"; `None` where
/// it stays there.
pub fn reaches_out(statement: &Statement) -> Option<String> {
    let words = Words::new(&statement.text, &lex(&statement.text).tokens);
    of_change(&read(statement).change).or_else(|| of_words(&words))
}

fn of_change(change: &Change) -> Option<String> {
    let foreign = |database: &Option<String>| {
        database.as_deref().filter(|name| !name.eq_ignore_ascii_case("information_schema")).map(names)
    };
    match change {
        Change::Unknown => Some("is not understood".to_owned()),
        Change::Server(words) => Some(format!("is about the whole server (`{words}`)")),
        Change::Database { verb: DatabaseVerb::Alter, name: None, .. } => None,
        Change::Database { .. } => Some("makes, changes or drops a database".to_owned()),
        Change::Create(object) | Change::Alter(object) if object.kind == ObjectKind::Event => {
            Some("makes an event, which runs by itself".to_owned())
        }
        Change::Prepared(verb, _) if verb != "DEALLOCATE" => {
            Some(format!("runs a text that is put together when it runs (`{verb}`)"))
        }
        Change::Set(assignments) => {
            let global = assignments.iter().find(|assignment| assignment.scope == Scope::Server)?;
            Some(format!("sets `{}` for the whole server", global.name))
        }
        Change::Rows(rows) if rows.verb == Verb::Load => Some("reads a file of the server".to_owned()),
        Change::Call(name) => foreign(&name.database),
        change => change.names().into_iter().find_map(|name| foreign(&name.database)),
    }
}

fn names(database: &str) -> String {
    format!("names the database `{database}`")
}

fn of_words(words: &Words<'_>) -> Option<String> {
    let has_body = compound::has_body(words, 0);
    (0..words.len()).find_map(|at| {
        qualifier(words, at)
            .map(|database| names(&database))
            .or_else(|| of_file_or_engine(words, at))
            .or_else(|| of_function(words, at))
            .or_else(|| if has_body { of_body(words, at) } else { None })
    })
}

/// The database that a qualified name at `at` names, if it does not begin with a table of the statement or its alias.
fn qualifier(words: &Words<'_>, at: usize) -> Option<String> {
    let is_first = at == 0 || !words.is_symbol(at - 1, ".");
    let name = name(words, at).filter(|_| is_first && words.is_symbol(at + 1, "."))?;
    if name.bytes().all(|byte| byte.is_ascii_digit()) || name.eq_ignore_ascii_case("information_schema") {
        return None;
    }
    let is_transition = ["NEW", "OLD"].iter().any(|row| words.is(at, row));
    let has_three_parts = words.is_symbol(at + 3, ".");
    let before = if at == 0 { String::new() } else { words.keyword(at - 1) };
    let is_table = BEFORE_A_TABLE.contains(&&*before)
        || before == "FROM" && at > 1 && words.is(at - 2, "DELETE")
        || before == "EXISTS" && at > 1 && ["IF", "NOT"].iter().any(|word| words.is(at - 2, word));
    let is_named = || {
        (0..words.len()).any(|place| {
            let is_alone =
                !words.is_symbol(place + 1, ".") && (place == 0 || !words.is_symbol(place - 1, "."));
            is_alone && self::name(words, place).is_some_and(|other| other.eq_ignore_ascii_case(&name))
        })
    };
    let is_database = has_three_parts || is_table || !(is_transition || is_named());
    is_database.then_some(name)
}

/// The name there, without its quotes.
fn name(words: &Words<'_>, at: usize) -> Option<String> {
    match words.kind(at)? {
        TokenKind::Word => Some(words.text(at).to_owned()),
        TokenKind::Identifier => Some(words.text(at).trim_matches('`').replace("``", "`")),
        _ => None,
    }
}

fn of_file_or_engine(words: &Words<'_>, at: usize) -> Option<String> {
    let keyword = words.keyword(at);
    match keyword.as_str() {
        "OUTFILE" | "DUMPFILE" => Some("writes a file of the server".to_owned()),
        "DIRECTORY" if at > 0 && ["DATA", "INDEX"].iter().any(|word| words.is(at - 1, word)) => {
            Some("names a directory of the server".to_owned())
        }
        "TABLESPACE" if !["DISCARD", "IMPORT"].iter().any(|word| at > 0 && words.is(at - 1, word)) => {
            Some("names a tablespace, which databases share".to_owned())
        }
        "ENGINE" => {
            let value = if words.is_symbol(at + 1, "=") { at + 2 } else { at + 1 };
            let engine = words.text(value).trim_matches(['\'', '"', '`']).to_ascii_uppercase();
            let is_option = words.is_symbol(at + 1, "=")
                || words.kind(value) == Some(TokenKind::Word) && at > 0 && !words.is_symbol(at - 1, ",");
            (is_option && !engine.is_empty() && !OWN_ENGINES.contains(&&*engine))
                .then(|| format!("has a table of the engine {engine}, which may be somewhere else"))
        }
        _ => None,
    }
}

fn of_function(words: &Words<'_>, at: usize) -> Option<String> {
    let keyword = words.keyword(at);
    (words.is_symbol(at + 1, "(") && SERVER_FUNCTIONS.contains(&&*keyword))
        .then(|| format!("calls {keyword}, which is about the whole server"))
}

/// What a stored program does, it does when it is called, or when a row is written.
fn of_body(words: &Words<'_>, at: usize) -> Option<String> {
    let program = |what: &str| Some(format!("has a program that {what}"));
    let keyword = words.keyword(at);
    let any = |words_after: &[&str]| words_after.iter().any(|word| words.is(at + 1, word));
    match keyword.as_str() {
        "PREPARE" | "EXECUTE" => program("runs a text that is put together when it runs"),
        "GLOBAL" | "PERSIST" | "PERSIST_ONLY" => program("sets a variable of the whole server"),
        "LOAD" if any(&["DATA", "XML"]) => program("reads a file of the server"),
        "CHANGE" if any(&["MASTER", "REPLICATION"]) => program("is about the whole server"),
        "START" | "STOP" if any(&["SLAVE", "REPLICA", "ALL", "GROUP_REPLICATION"]) => {
            program("is about the whole server")
        }
        "SET" if any(&["PASSWORD", "ROLE", "RESOURCE"]) => program("is about the whole server"),
        verb if SERVER_VERBS.contains(&verb) => program(&format!("is about the whole server (`{verb}`)")),
        "CREATE" | "ALTER" | "DROP" | "RENAME" => {
            let of = words.skip_definer(words.skip(at + 1, &["OR", "REPLACE"]));
            let further = ["USER", "ROLE", "DATABASE", "SCHEMA", "SERVER", "TABLESPACE", "EVENT", "INSTANCE"];
            further
                .iter()
                .find(|word| words.is(of, word))
                .and_then(|word| program(&format!("is about more than its database (`{keyword} {word}`)")))
        }
        _ if words.kind(at) == Some(TokenKind::Variable) => {
            let text = words.text(at).to_ascii_lowercase();
            let is_global = ["@@global.", "@@persist"].iter().any(|scope| text.starts_with(scope));
            if is_global { program("names a variable of the whole server") } else { None }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::reaches_out;
    use crate::sql::parse_script;

    fn reach(text: &str) -> Option<String> {
        let script =
            parse_script("1_x.up.sql", text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let [statement] = &script.statements[..] else { panic!("one statement: {text}") };
        reaches_out(statement)
    }

    #[test]
    fn what_stays_in_its_database() {
        for text in [
            "CREATE TABLE t (id INT PRIMARY KEY, engine VARCHAR(9), event INT, a DECIMAL(4, 2) DEFAULT 1.5)",
            "CREATE TABLE t (id INT) ENGINE=InnoDB DATA_FREE=1",
            "CREATE TABLE t (id INT) ENGINE MyISAM",
            "CREATE TABLE t LIKE u",
            "CREATE TABLE t AS SELECT u.id FROM u",
            "CREATE TABLE t (a INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id))",
            "ALTER TABLE t ADD COLUMN n INT, ADD KEY (n)",
            "ALTER TABLE t CHANGE a b INT",
            "DROP TABLE IF EXISTS a, b",
            "RENAME TABLE a TO b",
            "TRUNCATE t",
            "CREATE VIEW v AS SELECT t.id, x.n FROM t JOIN users x ON x.id = t.id",
            "CREATE PROCEDURE p() BEGIN UPDATE t SET n = 1; DELETE FROM u WHERE u.id = 1; START TRANSACTION; END",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.event = OLD.n",
            "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW INSERT INTO log (event, id) VALUES ('x', NEW.id)",
            "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN (SELECT COUNT(*) FROM t)",
            "DROP EVENT IF EXISTS e",
            "INSERT INTO t VALUES (1, 'GRANT ALL ON other.t', 2.5)",
            "INSERT INTO t SELECT u.a FROM u",
            "INSERT INTO t (n) SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
            "UPDATE tasks t JOIN apps a ON a.id = t.app_id SET t.a = a.b",
            "UPDATE t SET y = EXTRACT(YEAR FROM t.created)",
            "DELETE t.* FROM t JOIN u ON u.id = t.id",
            "SELECT 1",
            "DO SLEEP(0)",
            "SET foreign_key_checks = 0",
            "SET NAMES utf8mb4",
            "SET @n = 5, SESSION sort_buffer_size = 1000000",
            "CALL p(1)",
            "DEALLOCATE PREPARE s",
            "ANALYZE TABLE t",
            "ALTER DATABASE CHARACTER SET utf8mb4",
            "CREATE INDEX i ON t (n)",
            "CREATE TEMPORARY TABLE x (id INT)",
        ] {
            assert_eq!(reach(text), None, "{text}");
        }
    }

    #[test]
    fn what_goes_further() {
        let body = |statement: &str| format!("CREATE PROCEDURE p() BEGIN {statement}; END");
        let rows = [
            ("INSERT INTO other.t VALUES (1)", "names the database `other`"),
            ("INSERT INTO `other`.`t` VALUES (1)", "names the database `other`"),
            ("INSERT INTO t SELECT a FROM other.u", "names the database `other`"),
            ("UPDATE other.t SET n = 1", "names the database `other`"),
            ("UPDATE t, other.u SET u.n = 1", "names the database `other`"),
            ("UPDATE t x JOIN other.u y ON y.id = x.id SET y.n = 1", "names the database `other`"),
            ("DELETE FROM other.t", "names the database `other`"),
            ("DELETE FROM mysql.user", "names the database `mysql`"),
            ("CREATE TABLE other.t (id INT)", "names the database `other`"),
            ("CREATE TABLE t LIKE other.u", "names the database `other`"),
            ("CREATE TABLE t AS SELECT * FROM other.u", "names the database `other`"),
            ("CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES other.u (id))", "names the database `other`"),
            ("ALTER TABLE other.t ADD n INT", "names the database `other`"),
            ("ALTER TABLE t RENAME TO other.t", "names the database `other`"),
            ("RENAME TABLE t TO other.t", "names the database `other`"),
            ("DROP TABLE IF EXISTS other.t", "names the database `other`"),
            ("TRUNCATE other.t", "names the database `other`"),
            ("CREATE VIEW v AS SELECT a FROM other.t", "names the database `other`"),
            (
                "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW INSERT INTO other.log VALUES (1)",
                "database `other`",
            ),
            ("CREATE TRIGGER g AFTER INSERT ON other.t FOR EACH ROW SET @a = 1", "database `other`"),
            ("CALL sys.ps_setup_reset_to_default(TRUE)", "names the database `sys`"),
            ("SELECT other.f(1)", "names the database `other`"),
            ("SET GLOBAL max_connections = 10", "sets `max_connections` for the whole server"),
            ("SET @@global.max_connections = 10", "sets `max_connections` for the whole server"),
            ("SET PERSIST max_connections = 10", "sets `max_connections` for the whole server"),
            ("SET PASSWORD = 'x'", "about the whole server"),
            ("GRANT SELECT ON t TO u", "about the whole server (`GRANT`)"),
            ("REVOKE SELECT ON t FROM u", "about the whole server (`REVOKE`)"),
            ("CREATE USER u IDENTIFIED BY 'x'", "about the whole server (`CREATE USER`)"),
            ("DROP USER u", "about the whole server (`DROP USER`)"),
            ("FLUSH TABLES", "about the whole server (`FLUSH`)"),
            ("KILL 7", "about the whole server (`KILL`)"),
            ("RESET MASTER", "about the whole server (`RESET`)"),
            ("CREATE DATABASE d", "a database"),
            ("DROP DATABASE d", "a database"),
            ("ALTER DATABASE d CHARACTER SET utf8mb4", "a database"),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", "an event"),
            ("ALTER EVENT e ENABLE", "an event"),
            ("SELECT * FROM t INTO OUTFILE '/tmp/x'", "writes a file"),
            ("SELECT a INTO DUMPFILE '/tmp/x' FROM t", "writes a file"),
            ("LOAD DATA INFILE '/tmp/x' INTO TABLE t", "reads a file"),
            ("INSERT INTO t VALUES (LOAD_FILE('/etc/passwd'))", "calls LOAD_FILE"),
            ("DO GET_LOCK('a', 1)", "calls GET_LOCK"),
            ("PREPARE s FROM 'SELECT 1'", "put together when it runs (`PREPARE`)"),
            ("EXECUTE s", "put together when it runs (`EXECUTE`)"),
            ("CREATE TABLE t (id INT) ENGINE=FEDERATED CONNECTION='mysql://u@h/d/t'", "engine FEDERATED"),
            ("CREATE TABLE t (id INT) ENGINE=CONNECT", "engine CONNECT"),
            ("CREATE TABLE t (id INT) DATA DIRECTORY='/data'", "a directory"),
            ("CREATE TABLE t (id INT) TABLESPACE ts", "a tablespace"),
            ("HANDLER t OPEN", "not understood"),
            ("BEGIN NOT ATOMIC UPDATE t SET n = 1; END", "not understood"),
        ];
        for (text, expected) in rows {
            let said = reach(text);
            assert!(said.as_deref().is_some_and(|said| said.contains(expected)), "{text}: {said:?}");
        }
        let bodies = [
            ("INSERT INTO other.t VALUES (1)", "database `other`"),
            ("DELETE FROM other.t", "database `other`"),
            ("SET GLOBAL max_connections = 1", "variable of the whole server"),
            ("SET @@global.max_connections = 1", "variable of the whole server"),
            ("GRANT ALL ON t TO u", "`GRANT`"),
            ("PREPARE s FROM @text", "put together"),
            ("EXECUTE IMMEDIATE 'DROP TABLE t'", "put together"),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "`CREATE EVENT`"),
            ("DROP DATABASE d", "`DROP DATABASE`"),
            ("CREATE USER u", "`CREATE USER`"),
            ("KILL 7", "`KILL`"),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", "writes a file"),
        ];
        for (statement, expected) in bodies {
            let text = body(statement);
            let said = reach(&text);
            assert!(said.as_deref().is_some_and(|said| said.contains(expected)), "{text}: {said:?}");
        }
    }
}
