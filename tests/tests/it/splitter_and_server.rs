//! The splitter and the servers agree where a statement ends: what a server takes as one script it takes as our pieces,
//! and the same comes of it.

use std::collections::BTreeMap;

use backend_migrations::sql::{ScriptErrorKind, parse_script};
use end_to_end::{
    Server, on_each_server, query,
    random::{Random, quantity},
    schema, tell,
};
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, raw_sql};

on_each_server!(what_a_server_takes_whole_it_takes_in_pieces);

async fn what_a_server_takes_whole_it_takes_in_pieces(server: &'static Server) {
    let mut random = Random::for_test("scripts whole and in pieces");
    let [whole, pieces] = ["splitter_whole", "splitter_pieces"];
    let mut root = server.connect("").await;
    let (n_scripts, mut n_taken, mut n_refused) = (quantity(200, 2000), 0, 0);
    for _ in 0..n_scripts {
        let script = Writer::new(&mut random).script();
        empty(&mut root, whole).await;
        if root.execute(raw_sql(AssertSqlSafe(script.clone()))).await.is_err() {
            // A whole that a server does not take proves nothing.
            continue;
        }
        let parsed = match parse_script("1_x.up.sql", script.as_bytes()) {
            Ok(parsed) => parsed,
            Err(error) => {
                // To refuse is safe, whatever the server thinks of it; but these scripts give only some reasons to.
                assert!(is_a_reason(&error.kind) && script.contains("/*"), "{error}\n{script}");
                n_refused += 1;
                continue;
            }
        };
        let expected = state(&mut root, whole).await;
        empty(&mut root, pieces).await;
        for statement in &parsed.statements {
            let result = root.execute(raw_sql(AssertSqlSafe(statement.text.clone()))).await;
            result.unwrap_or_else(|error| panic!("{error}\n{}\n-- of\n{script}", statement.text));
        }
        assert_eq!(state(&mut root, pieces).await, expected, "{script}");
        n_taken += 1;
    }
    for database in [whole, pieces] {
        query::run(&mut root, &format!("DROP DATABASE {database}")).await;
    }
    // A generator of nonsense alone would prove nothing either.
    assert!(n_taken * 3 > n_scripts, "only {n_taken} of {n_scripts} scripts were taken");
    assert!(n_refused * 20 <= n_scripts, "{n_refused} of {n_scripts} scripts were refused");
    let flavour = server.flavour();
    tell(&format!(
        "{flavour}: {n_taken} of {n_scripts} scripts are the same whole and in pieces; {n_refused} are refused"
    ));
}

/// Why a script that a server takes may be refused: in a version comment that this server passes over, another one would
/// find something that is never closed, or a `;`.
fn is_a_reason(kind: &ScriptErrorKind) -> bool {
    matches!(
        kind,
        ScriptErrorKind::UnclosedText
            | ScriptErrorKind::UnclosedIdentifier
            | ScriptErrorKind::UnclosedComment
            | ScriptErrorKind::UnclosedBlock { .. }
            | ScriptErrorKind::TerminatorInComment
    )
}

async fn empty(root: &mut MySqlConnection, database: &str) {
    let sql = format!(
        "DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4; USE {database}"
    );
    query::run(root, &sql).await;
}

async fn state(root: &mut MySqlConnection, database: &str) -> BTreeMap<String, Vec<String>> {
    let mut state = schema::definitions(root, database, &[(database, "DATABASE")]).await;
    let tables: Vec<_> =
        state.keys().filter_map(|key| key.strip_prefix("TABLE ")).map(str::to_owned).collect();
    for table in tables {
        let name = table.replace('`', "``");
        let mut rows: Vec<_> = query::rows(root, &format!("SELECT * FROM `{name}`")).await.concat();
        rows.sort();
        state.insert(format!("ROWS {table}"), rows);
    }
    for part in state.values_mut().flatten().filter(|part| part.starts_with("CREATE ")) {
        *part = without_last_comment(part);
    }
    state
}

/// A routine keeps the comment between its last word and the `;`, which the splitter leaves out: no other difference is
/// meant to be.
fn without_last_comment(definition: &str) -> String {
    let script = parse_script("1_x.up.sql", definition.as_bytes()).expect("a server writes it so");
    let [statement] = script.statements.as_slice() else { panic!("one statement and no more: {definition}") };
    statement.text.clone()
}

/// Between statements, and wherever a server takes white space.
const GAPS: [&str; 8] =
    ["\n", " ", "\t\r\n", " -- it's; one\n", "# two;\n", "/* 'three; */", "\n--\n", " /**/ "];

/// What strings hold.
const STRINGS: [&str; 8] = [
    "'a;b'",
    "'it''s;'",
    r"'it\'s;'",
    r"'\\'",
    "\"x;'y\"",
    "'-- no; comment'",
    "'/* nor; this'",
    "'é;\u{1f980}'",
];

/// What is put in somewhere to see whether both sides read it in the same way.
const SHARDS: [&str; 18] = [
    ";",
    "'",
    "\"",
    "`",
    "-- ",
    "--",
    "#",
    "/*",
    "*/",
    "/*!50003 ",
    "/*!99999 ",
    "/*M!100000 ",
    "\\",
    "\n",
    "END",
    " BEGIN ",
    "IF ",
    "CASE ",
];

/// Writes scripts of everything that has a `;` where none ends a statement.
struct Writer<'r> {
    random: &'r mut Random,
    n_labels: usize,
}

impl<'r> Writer<'r> {
    fn new(random: &'r mut Random) -> Self {
        Self { random, n_labels: 0 }
    }

    fn script(&mut self) -> String {
        // No statement below writes into `quiet`, so that no trigger runs: a loop may have lost its end.
        let mut script = format!(
            "{}CREATE TABLE t0 (id INT, word VARCHAR(60) DEFAULT {});{}CREATE TABLE quiet (id INT)",
            self.gap(),
            self.string(),
            self.gap()
        );
        for number in 1..=1 + self.random.below(5) {
            let statement = self.statement(number);
            script = format!("{script}{};{}{statement}", self.space(), self.gap());
        }
        script.push_str(self.random.one_of(&["", ";", ";\n", "\n", "; -- the end", "/* the end; */;"]));
        for _ in 0..[0, 0, 1, 2][self.random.below(4)] {
            script = self.mutated(&script);
        }
        script
    }

    fn mutated(&mut self, script: &str) -> String {
        let places: Vec<_> = script.char_indices().map(|(place, _)| place).collect();
        let (left, right) = script.split_at(self.random.one_of(&places));
        if self.random.below(3) == 0 {
            let mut right = right.chars();
            right.next();
            return format!("{left}{}", right.as_str());
        }
        format!("{left}{}{right}", self.random.one_of(&SHARDS))
    }

    fn gap(&mut self) -> &'static str {
        self.random.one_of(&GAPS)
    }

    /// As [`Self::gap`], and mostly nothing.
    fn space(&mut self) -> &'static str {
        if self.random.below(3) == 0 { self.gap() } else { "" }
    }

    fn string(&mut self) -> &'static str {
        self.random.one_of(&STRINGS)
    }

    fn statement(&mut self, number: usize) -> String {
        let (gap, string) = (self.gap(), self.string());
        match self.random.below(13) {
            0 => format!("CREATE TABLE `t;{number}`{gap}(`if` INT COMMENT {string}, `end;` INT)"),
            1 => format!("INSERT INTO t0{gap}VALUES ({number}, {string}),{gap}({number}, 'x')"),
            2 => format!(
                "UPDATE t0 SET{gap}word = CONCAT({string}, IF(id > 1, 'END;', CASE id WHEN 1 THEN ';' ELSE 'x' END))"
            ),
            3 => format!(
                "CREATE VIEW v{number} AS SELECT{gap}CASE WHEN id > 1 THEN {string} ELSE ';' END AS `case` FROM t0"
            ),
            4 => format!("/*!50003 CREATE TABLE v{number} (id INT) */{gap}COMMENT {string}"),
            5 => format!(
                "ALTER TABLE t0 ADD COLUMN c{number} INT{gap}/*!80023 INVISIBLE */ /*M!100303 INVISIBLE */"
            ),
            6 => format!(
                "CREATE EVENT e{number} ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DO{gap}{}",
                self.body()
            ),
            7 => format!(
                "CREATE FUNCTION f{number}(n INT){gap}RETURNS INT DETERMINISTIC RETURN{gap}n + IF(n > 1, 2, 3)"
            ),
            8 => format!(
                "CREATE FUNCTION f{number}(n INT) RETURNS INT DETERMINISTIC{gap}BEGIN {} RETURN n; END",
                self.statements(2)
            ),
            9 | 10 => format!("CREATE PROCEDURE p{number}(IN `begin` INT){gap}{}", self.body()),
            _ => format!("CREATE TRIGGER r{number} BEFORE INSERT ON quiet FOR EACH ROW{gap}{}", self.body()),
        }
    }

    /// What a routine does: one statement, or a block of them.
    fn body(&mut self) -> String {
        match self.random.below(4) {
            0 => format!("SET @x = {}", self.string()),
            1 => format!("IF @x THEN{}{} END IF", self.gap(), self.statements(1)),
            2 => format!(
                "BEGIN DECLARE d INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND BEGIN{} END; {} END",
                self.gap(),
                self.statements(2)
            ),
            _ => format!("BEGIN{}{} END", self.gap(), self.statements(3)),
        }
    }

    /// Statements in a block, at least one, each with its `;`.
    fn statements(&mut self, depth: usize) -> String {
        let n = 1 + self.random.below(3);
        (0..n).map(|_| self.inner(depth) + self.space() + ";" + self.gap()).collect()
    }

    fn inner(&mut self, depth: usize) -> String {
        if depth == 0 {
            let (gap, string) = (self.gap(), self.string());
            return match self.random.below(4) {
                0 => format!("SET @x ={gap}{string}"),
                1 => format!("SET @`end` = CASE{gap}WHEN TRUE THEN IF(1, 2, 3) ELSE {string} END"),
                2 => format!("UPDATE t0 SET word ={gap}{string} WHERE id = REPEAT('1', 2)"),
                _ => format!("INSERT INTO t0 (id, word) VALUES (1,{gap}{string})"),
            };
        }
        self.n_labels += 1;
        let (label, gap) = (format!("l{}", self.n_labels), self.gap());
        let (first, second) = (self.statements(depth - 1), self.statements(depth - 1));
        match self.random.below(7) {
            0 => format!("IF @x{gap}THEN {first} ELSEIF @y THEN {second} END IF"),
            1 => format!("CASE @x WHEN 1 THEN{gap}{first} ELSE {second} END CASE"),
            2 => format!("{label}: LOOP{gap}{first} LEAVE {label}; END LOOP {label}"),
            3 => format!("WHILE FALSE DO{gap}{first} END WHILE"),
            4 => format!("REPEAT{gap}{first} UNTIL TRUE END REPEAT"),
            5 => format!("{label}: BEGIN{gap}{first} END {label}"),
            _ => format!("BEGIN{gap}{first}{second} END"),
        }
    }
}
