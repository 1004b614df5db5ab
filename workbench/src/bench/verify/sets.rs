//! The sets of migrations that `migrate:verify` is timed with.

use std::{fmt, fs, path::Path};

const N_TABLES: usize = 30;

/// A made-up set, of so many migrations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Set {
    /// One or two statements a file, each `down` right.
    Sound(usize),
    /// As a product's grow over the years: 1 to 75 statements a file, some 50 tables, two thirds of the `down` files wrong
    /// or failing.
    Grown(usize),
}

impl Set {
    pub(super) fn is_sound(self) -> bool {
        matches!(self, Self::Sound(_))
    }

    /// Its folder.
    pub(super) fn name(self) -> String {
        match self {
            Self::Sound(n) => format!("sound{n}"),
            Self::Grown(n) => format!("grown{n}"),
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound(n) => write!(f, "{n} sound ones"),
            Self::Grown(n) => write!(f, "{n}, two thirds of the `down` files broken"),
        }
    }
}

/// Writes the set's files into a folder of its own; gives how many statements the `up` files have.
pub(super) fn write(folder: &Path, set: Set) -> anyhow::Result<usize> {
    fs::create_dir(folder)?;
    let (Set::Sound(n) | Set::Grown(n)) = set;
    let mut n_statements = 0;
    for i in 0..n {
        let (up, down) = match set {
            Set::Sound(_) => sound(i),
            Set::Grown(_) => grown(i),
        };
        n_statements += up.matches(";\n").count();
        let version = 20_260_101_000_000 + i;
        fs::write(folder.join(format!("{version}_m{i}.up.sql")), up)?;
        fs::write(folder.join(format!("{version}_m{i}.down.sql")), down)?;
    }
    Ok(n_statements)
}

/// A pair of a set like those that products have.
fn grown(i: usize) -> (String, String) {
    let n_statements = match i {
        _ if i % 65 == 64 => 75,
        _ if i % 20 == 19 => 20,
        _ if i % 4 == 3 => 5,
        _ => 1 + i % 2,
    };
    // Every sixth makes a table, some 50 in all; the others change one of those that are there.
    let n_tables = i / 6 + 1;
    let mut steps: Vec<(String, String)> = Vec::new();
    if i.is_multiple_of(6) {
        let t = i / 6;
        let key = if t == 0 {
            String::new()
        } else {
            format!(
                ", CONSTRAINT fk_t{t} FOREIGN KEY (parent_id) REFERENCES t{} (id) ON DELETE CASCADE",
                t / 2
            )
        };
        steps.push((
            format!(
                "CREATE TABLE t{t} (id CHAR(36) NOT NULL PRIMARY KEY, parent_id CHAR(36) NOT NULL, \
                 kind VARCHAR(32) NOT NULL DEFAULT 'x', created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP{key});\n"
            ),
            format!("DROP TABLE t{t};\n"),
        ));
    }
    while steps.len() < n_statements {
        let k = steps.len();
        let t = (i * 7 + k / 4 * 3) % n_tables;
        steps.push(match k % 4 {
            0 => (
                format!("ALTER TABLE t{t} ADD COLUMN c{i}_{k} VARCHAR(20) NULL;\n"),
                format!("ALTER TABLE t{t} DROP COLUMN c{i}_{k};\n"),
            ),
            1 => (
                format!("CREATE INDEX i{i}_{k} ON t{t} (kind, created_at);\n"),
                format!("DROP INDEX i{i}_{k} ON t{t};\n"),
            ),
            2 => (format!("UPDATE t{t} SET kind = 'y{k}' WHERE kind = '{i}';\n"), String::new()),
            _ => (
                format!("ALTER TABLE t{t} ADD COLUMN d{i}_{k} INT NOT NULL DEFAULT 0;\n"),
                format!("ALTER TABLE t{t} DROP COLUMN d{i}_{k};\n"),
            ),
        });
    }
    let up = steps.iter().map(|(up, _)| up.as_str()).collect();
    let mut downs: Vec<_> =
        steps.iter().rev().map(|(_, down)| down.clone()).filter(|down| !down.is_empty()).collect();
    match i % 3 {
        0 => {}
        // Forgets what was made first.
        1 => {
            downs.pop();
            if downs.is_empty() {
                downs.push("ALTER TABLE t0 ALTER COLUMN kind SET DEFAULT 'left';\n".to_owned());
            }
        }
        // Fails in the middle.
        _ => downs.insert(downs.len() / 2, format!("ALTER TABLE t0 DROP COLUMN nowhere{i};\n")),
    }
    (up, downs.concat())
}

/// A sound pair over [`N_TABLES`] tables: create, add a column, an index, two statements in a file, a default, a view.
fn sound(i: usize) -> (String, String) {
    let (round, t) = (i / N_TABLES, i % N_TABLES);
    // The default that the migration five rounds before has set.
    let before = i.saturating_sub(5 * N_TABLES);
    match round % 5 {
        0 if round == 0 => {
            let parent = t.saturating_sub(1);
            let key = if t % 3 == 1 {
                format!(
                    ",\n  parent_id BIGINT UNSIGNED NULL,\n  INDEX idx_t{t}_parent_id (parent_id),\n  \
                     CONSTRAINT fk_t{t}_parent_id FOREIGN KEY (parent_id) REFERENCES t{parent} (id)"
                )
            } else {
                String::new()
            };
            (
                format!(
                    "CREATE TABLE t{t} (\n  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  \
                     name VARCHAR(100) NOT NULL,\n  n INT NOT NULL DEFAULT 0,\n  at DATETIME NULL{key}\n);\n"
                ),
                format!("DROP TABLE t{t};\n"),
            )
        }
        0 => (format!("CREATE VIEW v{i} AS SELECT id, name FROM t{t};\n"), format!("DROP VIEW v{i};\n")),
        1 => (
            format!("ALTER TABLE t{t} ADD COLUMN c{i} INT NULL;\n"),
            format!("ALTER TABLE t{t} DROP COLUMN c{i};\n"),
        ),
        2 => (format!("CREATE INDEX idx_{i} ON t{t} (n, at);\n"), format!("DROP INDEX idx_{i} ON t{t};\n")),
        3 => (
            format!(
                "ALTER TABLE t{t} ADD COLUMN d{i} VARCHAR(50) NULL;\nCREATE INDEX idx_d{i} ON t{t} (d{i});\n"
            ),
            format!("DROP INDEX idx_d{i} ON t{t};\nALTER TABLE t{t} DROP COLUMN d{i};\n"),
        ),
        _ => (
            format!("ALTER TABLE t{t} ALTER COLUMN n SET DEFAULT {i};\n"),
            format!("ALTER TABLE t{t} ALTER COLUMN n SET DEFAULT {before};\n"),
        ),
    }
}
