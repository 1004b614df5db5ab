//! What is run.

use end_to_end::{Flavour, random::quantity};

/// Migrations, by the names of their files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files {
    texts: &'static [(&'static str, &'static str)],
    /// Of all their tables, where it is not the session's.
    engine: Option<&'static str>,
}

impl Files {
    const fn new(texts: &'static [(&'static str, &'static str)]) -> Self {
        Self { texts, engine: None }
    }

    /// The same with all tables of this engine.
    pub(crate) fn with_engine(self, engine: &'static str) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// Whether a statement that is broken off may leave rows.
    pub(crate) fn is_untransacted(self) -> bool {
        self.engine.is_some()
    }

    /// Names and texts.
    pub(crate) fn texts(self) -> impl DoubleEndedIterator<Item = (&'static str, String)> {
        self.texts.iter().map(move |(name, text)| (*name, self.with_its_engine(text)))
    }

    fn with_its_engine(self, text: &str) -> String {
        let Some(engine) = self.engine else { return text.to_owned() };
        let line = |line: &str| match line.strip_prefix("CREATE TABLE ").and_then(|it| it.strip_suffix(");"))
        {
            Some(table) => format!("CREATE TABLE {table}) ENGINE = {engine};\n"),
            None => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }
}

/// The engines without transactions to run a course with: one in `cargo test`, all of them at night.
pub(crate) fn untransacted(flavour: Flavour) -> &'static [&'static str] {
    let all: &[&str] = match flavour {
        Flavour::MySql => &["MyISAM", "MEMORY"],
        Flavour::MariaDb => &["Aria", "MyISAM", "MEMORY"],
    };
    &all[..quantity(1, all.len())]
}

/// Every kind of script there is, in small files. A statement that ran twice or not at all shows in the rows: there is no
/// key on `entries`, and the counters take no step twice. All but the first can be undone.
pub(crate) const EVERY_KIND: Files = Files::new(&[
    (
        "20260101000000_several_definitions.up.sql",
        "CREATE TABLE counters (name VARCHAR(20) NOT NULL PRIMARY KEY, n INT NOT NULL);\n\
         CREATE TABLE entries (id INT NOT NULL, word VARCHAR(20) NOT NULL);\n\
         CREATE INDEX idx_entries_id ON entries (id);\n",
    ),
    ("20260102000000_one_definition.up.sql", "ALTER TABLE entries ADD COLUMN seen INT NOT NULL DEFAULT 0;\n"),
    ("20260102000000_one_definition.down.sql", "ALTER TABLE entries DROP COLUMN seen;\n"),
    (
        "20260103000000_rows.up.sql",
        "INSERT INTO counters VALUES ('a', 0), ('b', 100);\nUPDATE counters SET n = n + 1;\n\
         INSERT INTO entries (id, word) VALUES (1, 'one'), (2, 'two');\n",
    ),
    ("20260103000000_rows.down.sql", "DELETE FROM entries;\nUPDATE counters SET n = n + 100;\n"),
    (
        "20260104000000_mixed.up.sql",
        "UPDATE counters SET n = n + 10;\nALTER TABLE entries ADD COLUMN length INT NULL;\n\
         UPDATE entries SET length = CHAR_LENGTH(word), seen = seen + 1;\nINSERT INTO entries (id, word) VALUES (3, 'three');\n\
         ALTER TABLE entries ADD INDEX idx_entries_word (word);\nUPDATE counters SET n = n + 1000;\n",
    ),
    (
        "20260104000000_mixed.down.sql",
        "UPDATE counters SET n = n - 1000;\nALTER TABLE entries DROP INDEX idx_entries_word;\n\
         DELETE FROM entries WHERE id = 3;\nUPDATE counters SET n = n + 5;\nALTER TABLE entries DROP COLUMN length;\n",
    ),
    (
        "20260105000000_routines.up.sql",
        "CREATE PROCEDURE bump(IN step INT)\nBEGIN\n    UPDATE counters SET n = n + step;\n    SELECT COUNT(*) FROM counters;\nEND;\n\
         CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;\n\
         CREATE TRIGGER entries_counted AFTER INSERT ON entries FOR EACH ROW\nBEGIN\n    \
         UPDATE counters SET n = n + 1 WHERE name = 'b';\nEND;\n\
         INSERT INTO entries (id, word) VALUES (4, 'four'), (5, 'five');\n",
    ),
    (
        "20260105000000_routines.down.sql",
        "DELETE FROM entries WHERE id >= 4;\nUPDATE counters SET n = n + 3;\nDROP TRIGGER entries_counted;\n\
         DROP FUNCTION twice;\nDROP PROCEDURE bump;\n",
    ),
    (
        "20260106000000_session.up.sql",
        "SET @step = 7;\nCREATE TABLE steps (n INT NOT NULL);\nINSERT INTO steps VALUES (@step);\n\
         CREATE VIEW words AS SELECT word, twice(length) AS doubled FROM entries;\nINSERT INTO steps VALUES (@step + 1);\n",
    ),
    (
        "20260106000000_session.down.sql",
        "SET @step = 7;\nUPDATE counters SET n = n + @step;\nDROP VIEW words;\nDROP TABLE steps;\n",
    ),
    (
        "20260107000000_farewell.up.sql",
        "DROP INDEX idx_entries_word ON entries;\nRENAME TABLE steps TO paces;\nUPDATE paces SET n = n * 2;\nDROP PROCEDURE bump;\n",
    ),
    (
        "20260107000000_farewell.down.sql",
        "CREATE PROCEDURE bump(IN step INT)\nBEGIN\n    UPDATE counters SET n = n + step;\n    SELECT COUNT(*) FROM counters;\nEND;\n\
         UPDATE paces SET n = n - 1;\nRENAME TABLE paces TO steps;\nCREATE INDEX idx_entries_word ON entries (word);\n",
    ),
]);

/// A table with some rows, and an `ALTER` that computes long for each of them.
pub(crate) const LONG: Files = Files::new(&[
    (
        "20260101000000_few_rows.up.sql",
        "CREATE TABLE counters (name VARCHAR(20) NOT NULL PRIMARY KEY, n INT NOT NULL);\n\
         INSERT INTO counters VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6), ('g', 7), ('h', 8);\n",
    ),
    (
        "20260102000000_long.up.sql",
        "UPDATE counters SET n = n + 1;\n\
         ALTER TABLE counters ADD COLUMN digest CHAR(128) AS (SHA2(REPEAT(name, 2000000), 512)) STORED;\n\
         UPDATE counters SET n = n + 10;\n",
    ),
    (
        "20260103000000_long_alone.up.sql",
        "ALTER TABLE counters ADD COLUMN second CHAR(128) AS (SHA2(REPEAT(n, 2000000), 512)) STORED;\n",
    ),
]);
