//! `CREATE TABLE`, and a table's options.

use super::{
    super::change::{CreateTable, TableOptions},
    column,
    cursor::Cursor,
    key::{self, Key},
};
use crate::tenant::Flavour;

/// What stands after `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub(super) fn create(cursor: &mut Cursor<'_>, or_replace: bool, temporary: bool) -> Option<CreateTable> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name()?;
    let mut table = CreateTable {
        name,
        temporary,
        or_replace,
        if_not_exists,
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        options: TableOptions::default(),
        like: None,
        has_query: false,
        is_partitioned: false,
        is_whole: true,
    };
    if cursor.eat(&["LIKE"]) {
        table.like = Some(cursor.name()?);
        return Some(table);
    }
    if let Some(mut group) = cursor.group() {
        if group.eat(&["LIKE"]) {
            table.like = Some(group.name()?);
            return Some(table);
        }
        if group.is_any(&["SELECT", "WITH", "VALUES", "TABLE"]) {
            table.has_query = true;
        } else {
            for mut item in group.items() {
                if element(&mut item, &mut table).is_none() {
                    table.is_whole = false;
                }
            }
        }
    }
    while !cursor.is_done() {
        if cursor.is_any(&["SELECT", "AS", "IGNORE", "REPLACE", "WITH", "VALUES", "TABLE"])
            && !is_versioning(cursor)
            || cursor.is_symbol("(")
        {
            table.has_query = true;
            cursor.skip_rest();
        } else if cursor.are(&["PARTITION", "BY"]) {
            table.is_partitioned = true;
            // A query may follow the partitions.
            table.has_query |= cursor.has_any(&["SELECT"]);
            cursor.skip_rest();
        } else if !cursor.eat_symbol(",") && option(cursor, &mut table.options).is_none() {
            table.is_whole = false;
            table.has_query |= cursor.has_any(&["SELECT"]);
            cursor.skip_rest();
        }
    }
    Some(table)
}

fn is_versioning(cursor: &Cursor<'_>) -> bool {
    cursor.are(&["WITH", "SYSTEM", "VERSIONING"])
}

fn element(item: &mut Cursor<'_>, table: &mut CreateTable) -> Option<()> {
    if key::is_key(item) {
        match key::key(item)? {
            Key::Index { index, .. } => table.indexes.push(index),
            Key::ForeignKey(foreign_key) => table.foreign_keys.push(foreign_key),
            Key::Check(check) => table.checks.push(check),
            Key::Other => {}
        }
        return item.is_done().then_some(());
    }
    let (column, _) = column::column(item)?;
    table.columns.push(column);
    Some(())
}

/// Options that take one word or number.
const WITH_VALUE: [&str; 31] = [
    "AUTOEXTEND_SIZE",
    "AVG_ROW_LENGTH",
    "CHECKSUM",
    "COMMENT",
    "COMPRESSION",
    "CONNECTION",
    "DELAY_KEY_WRITE",
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE_ATTRIBUTE",
    "IETF_QUOTES",
    "INSERT_METHOD",
    "KEY_BLOCK_SIZE",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "PAGE_CHECKSUM",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "PASSWORD",
    "SECONDARY_ENGINE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "SEQUENCE",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "STORAGE",
    "TABLE_CHECKSUM",
    "TRANSACTIONAL",
    "TYPE",
];

/// One option of a table; `None` if it is none that is known.
pub(super) fn option(cursor: &mut Cursor<'_>, options: &mut TableOptions) -> Option<()> {
    let start = cursor.place();
    if cursor.eat(&["ENGINE"]) {
        options.engine = Some(column::word(cursor)?);
    } else if cursor.eat(&["ROW_FORMAT"]) {
        options.row_format = Some(column::word(cursor)?);
    } else if cursor.eat(&["AUTO_INCREMENT"]) {
        column::word(cursor)?;
        options.auto_increment = true;
    } else if cursor.eat(&["WITH", "SYSTEM", "VERSIONING"]) {
        cursor.only(Flavour::MariaDb, "system versioning", start);
        options.others.push("SYSTEM VERSIONING".to_owned());
    } else if cursor.eat(&["START", "TRANSACTION"]) {
        options.others.push("START TRANSACTION".to_owned());
    } else if cursor.eat(&["UNION"]) {
        cursor.eat_symbol("=");
        cursor.group()?;
        options.others.push("UNION".to_owned());
    } else if cursor.eat_any(&["DATA", "INDEX"]) {
        cursor.eat(&["DIRECTORY"]).then_some(())?;
        column::word(cursor)?;
        options.others.push("DIRECTORY".to_owned());
    } else if cursor.eat(&["TABLESPACE"]) {
        column::word(cursor)?;
        if cursor.eat(&["STORAGE"]) {
            cursor.skip();
        }
        options.others.push("TABLESPACE".to_owned());
    } else if let Some(name) = WITH_VALUE.into_iter().find(|name| cursor.eat(&[name])) {
        if name == "COMMENT" {
            cursor.eat_symbol("=");
            cursor.string()?;
        } else {
            column::word(cursor)?;
        }
        options.others.push(name.to_owned());
    } else {
        cursor.eat(&["DEFAULT"]);
        if cursor.eat(&["COLLATE"]) {
            options.collation = Some(column::word(cursor)?);
        } else {
            options.charset = Some(column::charset(cursor)?);
        }
    }
    Some(())
}
