//! What a new pair of files holds: filled in where the name says what it does, else the rules to write it by.

use super::{
    identifier::{key_name, quoted},
    intent::{Intent, KeyKind},
    name::MigrationName,
};
use crate::directive::{COLUMN_TO_WRITE, PARENT_TO_WRITE, TABLE_TO_WRITE};

/// The texts of a new pair of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skeleton {
    /// For `.up.sql`.
    pub up: String,
    /// For `.down.sql`.
    pub down: String,
    /// Whether both run as they stand. Where not, one of them says what it wants: as long as it is not written, it holds
    /// comments only or a statement that every server refuses, never one that does something else.
    pub is_filled: bool,
}

/// The skeleton for a name.
///
/// The SQL is one DDL statement a file and runs alike on MySQL 8.0 and later and MariaDB 10.5.2 and later
/// (`RENAME COLUMN`).
pub fn skeleton(name: &MigrationName) -> Skeleton {
    match Intent::of(name.as_str()) {
        Some(Intent::AddColumns { table, columns }) => add_columns(table, &columns),
        Some(Intent::DropColumns { table, columns }) => drop_columns(table, &columns),
        Some(Intent::RenameColumn { table, from, to }) => {
            let sql = |from, to| {
                format!("ALTER TABLE {} RENAME COLUMN {} TO {};\n", quoted(table), quoted(from), quoted(to))
            };
            let up = "-- Code that still reads or writes the old name fails from this moment on.\n";
            filled(up.to_owned() + &sql(from, to), sql(to, from))
        }
        Some(Intent::CreateTable { table }) => create_table(table),
        Some(Intent::DropTable { table }) => drop_table(table),
        Some(Intent::RenameTable { from, to }) => {
            let sql = |from, to| format!("RENAME TABLE {} TO {};\n", quoted(from), quoted(to));
            let up = "-- Code that still uses the old name fails from this moment on, and so do views and triggers that do.\n";
            filled(up.to_owned() + &sql(from, to), sql(to, from))
        }
        Some(Intent::AddKey { kind: KeyKind::Foreign, table, columns }) => add_foreign_key(table, columns[0]),
        Some(Intent::DropKey { kind: KeyKind::Foreign, table, columns }) => drop_foreign_key(table, columns[0]),
        Some(Intent::AddKey { kind, table, columns }) => {
            let why = if kind == KeyKind::Unique {
                "-- Fails, and changes nothing, where rows already share a value.\n"
            } else {
                ""
            };
            filled(why.to_owned() + &add_index(kind, table, &columns), drop_index(kind, table, &columns))
        }
        Some(Intent::DropKey { kind, table, columns }) => filled(
            "-- The index's name is the one `migrate:make` gives; see SHOW CREATE TABLE for what it is here.\n".to_owned()
                + &drop_index(kind, table, &columns),
            add_index(kind, table, &columns),
        ),
        None => commented(name),
    }
}

fn filled(up: String, down: String) -> Skeleton {
    Skeleton { up, down, is_filled: true }
}

fn add_columns(table: &str, columns: &[&str]) -> Skeleton {
    let up = columns.iter().map(|column| format!("ADD COLUMN {} {}", quoted(column), type_guess(column)));
    let down = columns.iter().map(|column| format!("DROP COLUMN {}", quoted(column)));
    filled(
        format!(
            "-- The type is a guess from the name. A NOT NULL column needs a DEFAULT for the rows there are.\n{}",
            alter(table, up)
        ),
        format!(
            "-- What the new column{} held is lost.\n{}",
            if columns.len() == 1 { "" } else { "s" },
            alter(table, down)
        ),
    )
}

fn drop_columns(table: &str, columns: &[&str]) -> Skeleton {
    let up = columns.iter().map(|column| format!("DROP COLUMN {}", quoted(column)));
    let down = columns.iter().map(|column| format!("ADD COLUMN {} {COLUMN_TO_WRITE}", quoted(column)));
    Skeleton {
        up: format!(
            "-- Code that still reads or writes this fails from this moment on.\n{}",
            alter(table, up)
        ),
        down: format!(
            "-- A name cannot tell the type: write it in place of the comment (SHOW CREATE TABLE {table}, before the up).\n\
             -- Until then the server refuses this statement. The values are lost either way.\n{}",
            alter(table, down)
        ),
        is_filled: false,
    }
}

fn create_table(table: &str) -> Skeleton {
    let name = quoted(table);
    filled(
        format!(
            "CREATE TABLE {name} (\n    \
                 id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,\n    \
                 created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    \
                 updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n    \
                 PRIMARY KEY (id)\n\
             ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;\n"
        ),
        format!("-- All rows are lost.\nDROP TABLE {name};\n"),
    )
}

fn drop_table(table: &str) -> Skeleton {
    let name = quoted(table);
    Skeleton {
        up: format!("-- All rows are lost, for good.\nDROP TABLE {name};\n"),
        down: format!(
            "-- A name cannot tell the columns: write them in place of the comment (SHOW CREATE TABLE {table}, before the up).\n\
             -- Until then the server refuses this statement. The rows are lost either way.\n\
             CREATE TABLE {name} (\n    {TABLE_TO_WRITE}\n\
             ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;\n"
        ),
        is_filled: false,
    }
}

fn index_name(kind: KeyKind, table: &str, columns: &[&str]) -> String {
    let prefix = match kind {
        KeyKind::Index => "idx",
        KeyKind::Unique => "uq",
        KeyKind::Foreign => "fk",
    };
    key_name(prefix, table, columns)
}

fn add_index(kind: KeyKind, table: &str, columns: &[&str]) -> String {
    let key = if kind == KeyKind::Unique { "UNIQUE INDEX" } else { "INDEX" };
    let list = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    alter(table, [format!("ADD {key} {} ({list})", index_name(kind, table, columns))])
}

fn drop_index(kind: KeyKind, table: &str, columns: &[&str]) -> String {
    alter(table, [format!("DROP INDEX {}", index_name(kind, table, columns))])
}

fn add_foreign_key(table: &str, column: &str) -> Skeleton {
    let index = index_name(KeyKind::Index, table, &[column]);
    let constraint = index_name(KeyKind::Foreign, table, &[column]);
    let up = [
        format!("ADD INDEX {index} ({})", quoted(column)),
        format!("ADD CONSTRAINT {}", reference(&constraint, column)),
    ];
    let down = [format!("DROP FOREIGN KEY {constraint}"), format!("DROP INDEX {index}")];
    filled(
        format!(
            "-- The index is named so that the down can drop it: one the server makes by itself would stay behind.\n\
             -- Leave it out of both files where another index begins with this column. The parent is a guess.\n{}",
            alter(table, up)
        ),
        alter(table, down),
    )
}

fn drop_foreign_key(table: &str, column: &str) -> Skeleton {
    let constraint = index_name(KeyKind::Foreign, table, &[column]);
    let down =
        format!("ADD CONSTRAINT {constraint} FOREIGN KEY ({}) REFERENCES {PARENT_TO_WRITE}", quoted(column));
    Skeleton {
        up: format!(
            "-- The key's name is the one `migrate:make` gives; see SHOW CREATE TABLE for what it is here. Its index stays.\n{}",
            alter(table, [format!("DROP FOREIGN KEY {constraint}")])
        ),
        down: format!(
            "-- A name cannot tell ON DELETE and ON UPDATE: write the reference in place of the comment (SHOW CREATE TABLE\n\
             -- {table}, before the up). Until then the server refuses this statement.\n{}",
            alter(table, [down])
        ),
        is_filled: false,
    }
}

/// `fk_tasks_app_id FOREIGN KEY (app_id) REFERENCES apps (id)`.
fn reference(constraint: &str, column: &str) -> String {
    let parent = plural(column.strip_suffix("_id").unwrap_or(column));
    format!("{constraint} FOREIGN KEY ({}) REFERENCES {} (id)", quoted(column), quoted(&parent))
}

fn plural(noun: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| noun.ends_with(ending));
    match noun.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// One ALTER: a line for a single change, one line each for several.
fn alter(table: &str, changes: impl IntoIterator<Item = String>) -> String {
    let changes: Vec<_> = changes.into_iter().collect();
    let separator = if changes.len() == 1 { " " } else { "\n    " };
    format!("ALTER TABLE {}{separator}{};\n", quoted(table), changes.join(&format!(",{separator}")))
}

/// A column type that the name suggests and that takes the rows there are: NULL or a constant default.
fn type_guess(column: &str) -> &'static str {
    let begins = |words: &[&str]| words.iter().any(|word| column.starts_with(word));
    let ends = |words: &[&str]| {
        words
            .iter()
            .any(|word| column.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_')))
    };
    if begins(&["is_", "has_", "can_"]) {
        "BOOLEAN NOT NULL DEFAULT FALSE"
    } else if ends(&["at"]) {
        "TIMESTAMP NULL DEFAULT NULL"
    } else if ends(&["on", "date"]) {
        "DATE NULL"
    } else if ends(&["id"]) {
        "BIGINT UNSIGNED NULL"
    } else if ends(&["count", "position", "quantity"]) {
        "INT NOT NULL DEFAULT 0"
    } else if ends(&["amount", "price"]) {
        "DECIMAL(19, 4) NULL"
    } else if ends(&["body", "description", "notes"]) {
        "TEXT NULL"
    } else if ends(&["json", "metadata", "settings"]) {
        "JSON NULL"
    } else {
        "VARCHAR(255) NULL"
    }
}

fn commented(name: &MigrationName) -> Skeleton {
    let title = name.as_str().replace('_', " ");
    Skeleton {
        up: format!(
            "-- {title}\n\
             --\n\
             -- One DDL statement a file: the server commits each by itself, so a file of one is done or not, never half.\n\
             -- Changes of rows (INSERT, UPDATE, DELETE) go into a file of their own, which runs as one transaction.\n\
             -- Every statement ends with `;`. No DELIMITER, not even around a trigger with BEGIN ... END.\n\
             -- The .down.sql must undo exactly this: try up, down, up before anybody else gets it.\n\
             -- Once it has run elsewhere, do not edit it: a next migration puts right what it got wrong.\n"
        ),
        down: format!(
            "-- Undoes: {title}\n--\n-- Until a statement stands here, a rollback changes nothing and says it did.\n"
        ),
        is_filled: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str) -> Skeleton {
        skeleton(&MigrationName::parse(name).unwrap())
    }

    /// The SQL without its comments, white space as single blanks.
    fn sql(text: &str) -> String {
        let lines = text.lines().filter(|line| !line.starts_with("--"));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_that_say_what_they_do_fill_both_files() {
        for (name, up, down) in [
            (
                "add_priority_to_tasks",
                "ALTER TABLE tasks ADD COLUMN priority VARCHAR(255) NULL;",
                "ALTER TABLE tasks DROP COLUMN priority;",
            ),
            (
                "add_is_urgent_and_rank_to_order",
                "ALTER TABLE `order` ADD COLUMN is_urgent BOOLEAN NOT NULL DEFAULT FALSE, ADD COLUMN `rank` VARCHAR(255) NULL;",
                "ALTER TABLE `order` DROP COLUMN is_urgent, DROP COLUMN `rank`;",
            ),
            (
                "create_projects",
                "CREATE TABLE projects ( id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, created_at TIMESTAMP NOT NULL DEFAULT \
                 CURRENT_TIMESTAMP, updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, \
                 PRIMARY KEY (id) ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;",
                "DROP TABLE projects;",
            ),
            ("rename_tasks_to_jobs", "RENAME TABLE tasks TO jobs;", "RENAME TABLE jobs TO tasks;"),
            (
                "rename_title_to_name_in_tasks",
                "ALTER TABLE tasks RENAME COLUMN title TO name;",
                "ALTER TABLE tasks RENAME COLUMN name TO title;",
            ),
            (
                "add_index_to_tasks_on_app_id_and_status",
                "ALTER TABLE tasks ADD INDEX idx_tasks_app_id_status (app_id, status);",
                "ALTER TABLE tasks DROP INDEX idx_tasks_app_id_status;",
            ),
            (
                "add_unique_index_to_users_on_email",
                "ALTER TABLE users ADD UNIQUE INDEX uq_users_email (email);",
                "ALTER TABLE users DROP INDEX uq_users_email;",
            ),
            (
                "drop_index_from_tasks_on_app_id",
                "ALTER TABLE tasks DROP INDEX idx_tasks_app_id;",
                "ALTER TABLE tasks ADD INDEX idx_tasks_app_id (app_id);",
            ),
            (
                "add_foreign_key_to_tasks_on_app_id",
                "ALTER TABLE tasks ADD INDEX idx_tasks_app_id (app_id), ADD CONSTRAINT fk_tasks_app_id FOREIGN KEY (app_id) \
                 REFERENCES apps (id);",
                "ALTER TABLE tasks DROP FOREIGN KEY fk_tasks_app_id, DROP INDEX idx_tasks_app_id;",
            ),
        ] {
            let made = made(name);
            assert_eq!((sql(&made.up).as_str(), sql(&made.down).as_str()), (up, down), "{name}");
            assert!(made.is_filled, "{name}");
        }
    }

    #[test]
    fn what_a_name_cannot_tell_is_refused_by_the_server_until_it_is_written() {
        for (name, up, down) in [
            (
                "remove_a_and_b_from_t",
                "ALTER TABLE t DROP COLUMN a, DROP COLUMN b;",
                "ALTER TABLE t ADD COLUMN a /* its type and default as they were */, ADD COLUMN b /* its type and default as \
                 they were */;",
            ),
            (
                "drop_foreign_key_from_tasks_on_app_id",
                "ALTER TABLE tasks DROP FOREIGN KEY fk_tasks_app_id;",
                "ALTER TABLE tasks ADD CONSTRAINT fk_tasks_app_id FOREIGN KEY (app_id) REFERENCES /* parent (id) ON DELETE \
                 ..., as it was */;",
            ),
            (
                "drop_projects",
                "DROP TABLE projects;",
                "CREATE TABLE projects ( /* its columns, keys and constraints as they were */ ) ENGINE = InnoDB DEFAULT \
                 CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;",
            ),
        ] {
            let made = made(name);
            assert_eq!((sql(&made.up).as_str(), sql(&made.down).as_str()), (up, down), "{name}");
            assert!(!made.is_filled, "{name}");
        }
    }

    #[test]
    fn any_other_name_gets_comments_only() {
        for name in ["backfill_priorities", "create_open_tasks_view", "add_index_to_tasks"] {
            let made = made(name);
            assert_eq!((sql(&made.up), sql(&made.down)), (String::new(), String::new()), "{name}");
            assert!(!made.is_filled, "{name}");
            assert!(made.up.starts_with(&format!("-- {}\n", name.replace('_', " "))));
            assert!(made.up.contains("No DELIMITER"));
        }
    }

    #[test]
    fn types_are_guessed_from_names() {
        for (column, expected) in [
            ("priority", "VARCHAR(255) NULL"),
            ("done_at", "TIMESTAMP NULL DEFAULT NULL"),
            ("flat", "VARCHAR(255) NULL"),
            ("due_on", "DATE NULL"),
            ("section", "VARCHAR(255) NULL"),
            ("app_id", "BIGINT UNSIGNED NULL"),
            ("paid", "VARCHAR(255) NULL"),
            ("position", "INT NOT NULL DEFAULT 0"),
            ("unit_price", "DECIMAL(19, 4) NULL"),
            ("description", "TEXT NULL"),
            ("settings", "JSON NULL"),
            ("can_edit", "BOOLEAN NOT NULL DEFAULT FALSE"),
        ] {
            assert_eq!(type_guess(column), expected, "{column}");
        }
    }

    #[test]
    fn parents_are_plural() {
        for (noun, expected) in [
            ("app", "apps"),
            ("category", "categories"),
            ("day", "days"),
            ("address", "addresses"),
            ("box", "boxes"),
        ] {
            assert_eq!(plural(noun), expected);
        }
    }
}
