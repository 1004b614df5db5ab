//! Migration sets in a small language: a line is a statement, its first word says what kind.

use backend_migrations::migration::{
    Checksum, Migration, MigrationSet, Opacity, Script, Statement, StatementKind, Version,
};

/// `ddl …` commits and is all or nothing, `dml …` joins the transaction, `set …` touches the session only; of the two
/// that are opaque to the executor, `call …` joins the transaction and `drop …` commits and can be left half done. With
/// `isam` in it, a `dml …` writes into a table without transactions.
pub(crate) fn kind(statement: &str) -> StatementKind {
    match statement.split(' ').next() {
        Some("ddl") => StatementKind::Ddl,
        Some("dml") => StatementKind::Dml,
        Some("set") => StatementKind::Session,
        Some("call") => StatementKind::Opaque(Opacity::Program),
        Some("drop") => StatementKind::Opaque(Opacity::Several),
        word => panic!("no such kind of statement: {word:?}"),
    }
}

/// A file; lines that begin with `--` are comments.
pub(crate) fn script(file_name: String, text: &str) -> Script {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with("--"));
    let statement = |(index, line): (usize, &str)| Statement {
        text: line.to_owned(),
        line: index + 1,
        offset: line.as_ptr().addr() - text.as_ptr().addr(),
        kind: kind(line),
    };
    let statements = lines.map(statement).collect();
    Script { file_name, source: text.into(), checksum: Checksum::of(text.as_bytes()), statements }
}

/// A migration called `m<version>`.
pub(crate) fn migration(version: i64, up: &str, down: Option<&str>) -> Migration {
    let name = format!("m{version}");
    Migration {
        version: Version(version),
        up: script(format!("{version}_{name}.up.sql"), up),
        down: down.map(|down| script(format!("{version}_{name}.down.sql"), down)),
        description: name,
    }
}

/// Migrations 1, 2 … with these up scripts, each with a down script of as many statements of the same kinds.
pub(crate) fn reversible(ups: &[&str]) -> MigrationSet {
    let migrations = (1..).zip(ups).map(|(version, up)| {
        let undo = |line: &str| line.replacen(' ', " undo ", 1);
        let down: Vec<_> =
            up.lines().map(|line| if line.starts_with("--") { line.into() } else { undo(line) }).collect();
        migration(version, up, Some(&down.join("\n")))
    });
    set(migrations.collect())
}

/// A set of `migrations`.
pub(crate) fn set(migrations: Vec<Migration>) -> MigrationSet {
    MigrationSet::new(migrations).expect("each version once")
}

/// Every shape of script that the executor treats differently.
pub(crate) fn every_shape() -> MigrationSet {
    reversible(&[
        "ddl one",
        "dml a\ndml b\ndml c",
        "ddl two\nddl three\nddl four",
        "set x\ndml d uses x\nddl five\nset y\ndml e uses x\ndml f uses y\nddl six",
        "-- nothing to do",
        "call p\ncall q\ndrop t u\ndml g",
        "call r",
        "set z\nddl seven uses z",
        "ddl eight\ncall s",
        "drop v w",
        "dml h",
        "dml isam i",
        "ddl nine\ndml isam j\ndml k",
        "dml l\ndml isam m",
    ])
}
