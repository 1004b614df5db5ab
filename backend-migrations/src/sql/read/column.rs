//! Definitions of columns (MySQL 8.4 manual, "CREATE TABLE Statement", the grammar of a column; MariaDB's "CREATE TABLE").

use super::{
    super::{
        change::{Column, DataType, Default, Generated, Place},
        lex::TokenKind,
    },
    cursor::Cursor,
    key,
};
use crate::tenant::Flavour;

/// `name type attributes [FIRST | AFTER name]`, and nothing after it.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Option<(Column, Option<Place>)> {
    let start = cursor.place();
    let name = cursor.identifier()?;
    let name_span = cursor.span_from(start);
    let data_type = data_type(cursor)?;
    let is_serial = data_type.name == "SERIAL";
    let mut column = Column {
        name,
        name_span,
        span: cursor.span_from(start),
        data_type,
        null: is_serial.then_some(false),
        default: None,
        on_update: false,
        auto_increment: is_serial,
        charset: None,
        collation: None,
        comment: None,
        generated: None,
        is_primary: false,
        is_unique: is_serial,
        references: None,
        check: None,
        is_invisible: false,
        is_whole: true,
    };
    if is_serial {
        "BIGINT".clone_into(&mut column.data_type.name);
        column.data_type.is_unsigned = true;
    }
    let mut place = None;
    while !cursor.is_done() {
        let before = cursor.place();
        if cursor.eat(&["FIRST"]) {
            place = Some(Place::First);
            break;
        }
        if cursor.eat(&["AFTER"]) {
            place = Some(Place::After(cursor.identifier()?));
            break;
        }
        if attribute(cursor, &mut column).is_none() || cursor.place() == before {
            column.is_whole = false;
            cursor.skip_rest();
            break;
        }
        column.span = cursor.span_from(start);
    }
    column.is_whole &= cursor.is_done();
    Some((column, place))
}

/// The types that have one name, or whose other names are read below.
const TYPES: [&str; 44] = [
    "BIGINT",
    "BINARY",
    "BIT",
    "BLOB",
    "CHAR",
    "DATE",
    "DATETIME",
    "DECIMAL",
    "ENUM",
    "FLOAT",
    "GEOMCOLLECTION",
    "GEOMETRY",
    "GEOMETRYCOLLECTION",
    "INET4",
    "INET6",
    "INT",
    "JSON",
    "LINESTRING",
    "LONGBLOB",
    "LONGTEXT",
    "MEDIUMBLOB",
    "MEDIUMINT",
    "MEDIUMTEXT",
    "MULTILINESTRING",
    "MULTIPOINT",
    "MULTIPOLYGON",
    "NUMBER",
    "POINT",
    "POLYGON",
    "SERIAL",
    "SET",
    "SMALLINT",
    "TEXT",
    "TIME",
    "TIMESTAMP",
    "TINYBLOB",
    "TINYINT",
    "TINYTEXT",
    "UUID",
    "VARBINARY",
    "VARCHAR",
    "VECTOR",
    "XMLTYPE",
    "YEAR",
];

fn data_type(cursor: &mut Cursor<'_>) -> Option<DataType> {
    let start = cursor.place();
    if cursor.kind()? != TokenKind::Word {
        return None;
    }
    let first = cursor.keyword();
    cursor.skip();
    if first == "NATIONAL" {
        cursor.eat(&["VARCHAR"]);
    }
    let name = match first.as_str() {
        "INTEGER" | "INT4" => "INT",
        "INT1" | "BOOL" | "BOOLEAN" => "TINYINT",
        "INT2" => "SMALLINT",
        "INT3" | "MIDDLEINT" => "MEDIUMINT",
        "INT8" => "BIGINT",
        "DEC" | "NUMERIC" | "FIXED" => "DECIMAL",
        "FLOAT4" => "FLOAT",
        "FLOAT8" | "REAL" => "DOUBLE",
        "DOUBLE" => {
            cursor.eat(&["PRECISION"]);
            "DOUBLE"
        }
        "CHARACTER" | "CHAR" | "NCHAR" if cursor.eat_any(&["VARYING", "VARCHAR"]) => "VARCHAR",
        "CHARACTER" | "NCHAR" => "CHAR",
        "VARCHARACTER" | "NVARCHAR" | "VARCHAR2" | "NATIONAL" => "VARCHAR",
        "LONG" => {
            let is_binary = cursor.eat(&["VARBINARY"]);
            cursor.eat_any(&["VARCHAR", "VARCHARACTER"]);
            if is_binary { "MEDIUMBLOB" } else { "MEDIUMTEXT" }
        }
        known if TYPES.contains(&known) => known,
        _ => return None,
    };
    let mut arguments = Vec::new();
    if let Some(mut group) = cursor.group() {
        for mut item in group.items() {
            let text = item.string().map_or_else(|| item.text().to_owned(), unquoted);
            arguments.push(text);
        }
    }
    if matches!(first.as_str(), "BOOL" | "BOOLEAN") {
        arguments = vec!["1".to_owned()];
    }
    let mut data_type = DataType {
        name: name.to_owned(),
        arguments,
        is_unsigned: false,
        is_zerofill: false,
        span: cursor.span_from(start),
    };
    loop {
        if cursor.eat(&["UNSIGNED"]) {
            data_type.is_unsigned = true;
        } else if cursor.eat(&["ZEROFILL"]) {
            // The servers make such a column UNSIGNED by themselves.
            data_type.is_zerofill = true;
            data_type.is_unsigned = true;
        } else if !cursor.eat(&["SIGNED"]) {
            break;
        }
        data_type.span = cursor.span_from(start);
    }
    if matches!(name, "UUID" | "INET4" | "INET6") {
        cursor.only(Flavour::MariaDb, "this type", start);
    }
    Some(data_type)
}

/// A string's value as far as rules compare it: quotes doubled or behind a backslash become one.
fn unquoted(text: &str) -> String {
    let quote = &text[..1];
    let inside = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    inside.replace(&quote.repeat(2), quote).replace(&format!("\\{quote}"), quote)
}

/// Takes one attribute; `None` if it is none that is known.
fn attribute(cursor: &mut Cursor<'_>, column: &mut Column) -> Option<()> {
    let start = cursor.place();
    if cursor.eat(&["NOT", "NULL"]) {
        column.null = Some(false);
    } else if cursor.eat(&["NULL"]) {
        column.null = Some(true);
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(default(cursor)?);
    } else if cursor.eat(&["ON", "UPDATE"]) {
        column.on_update = true;
        cursor.skip();
        cursor.group();
    } else if cursor.eat(&["AUTO_INCREMENT"]) {
        column.auto_increment = true;
    } else if cursor.eat(&["UNIQUE"]) {
        cursor.eat(&["KEY"]);
        column.is_unique = true;
    } else if cursor.eat(&["PRIMARY", "KEY"]) || cursor.eat(&["PRIMARY"]) || cursor.eat(&["KEY"]) {
        column.is_primary = true;
    } else if cursor.eat(&["COMMENT"]) {
        column.comment = Some(cursor.string()?.to_owned());
    } else if let Some(charset) = charset(cursor) {
        column.charset = Some(charset);
    } else if cursor.eat(&["COLLATE"]) {
        column.collation = Some(word(cursor)?);
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS", "ROW"]) {
        cursor.eat_any(&["START", "END"]).then_some(())?;
        cursor.only(Flavour::MariaDb, "system versioning", start);
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat(&["AS"]) {
        cursor.group()?;
        let is_stored = cursor.eat_any(&["STORED", "PERSISTENT"]);
        cursor.eat(&["VIRTUAL"]);
        column.generated = Some(if is_stored { Generated::Stored } else { Generated::Virtual });
    } else if cursor.is_any(&["CONSTRAINT", "CHECK"]) {
        let name = key::constraint_name(cursor);
        cursor.eat(&["CHECK"]).then_some(())?;
        cursor.group()?;
        key::enforced(cursor);
        column.check = Some((cursor.span_from(start), name.is_some()));
    } else if cursor.is("REFERENCES") {
        let references = key::references(cursor)?;
        column.references = Some((cursor.span_from(start), references.parent.name));
    } else if cursor.eat(&["INVISIBLE"]) {
        column.is_invisible = true;
    } else if cursor.eat_any(&["VISIBLE", "BINARY", "ASCII", "UNICODE", "BYTE"])
        || cursor.eat(&["NOT", "SECONDARY"])
    {
    } else if cursor.eat_any(&["COLUMN_FORMAT", "STORAGE", "SRID"]) {
        cursor.skip();
    } else if cursor.eat_any(&["ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "REF_SYSTEM_ID"]) {
        cursor.eat_symbol("=");
        cursor.skip();
    } else if cursor.eat(&["COMPRESSED"]) {
        if cursor.eat_symbol("=") {
            cursor.skip();
        }
    } else if cursor.eat_any(&["WITH", "WITHOUT"]) {
        cursor.eat(&["SYSTEM", "VERSIONING"]).then_some(())?;
        cursor.only(Flavour::MariaDb, "system versioning", start);
    } else {
        return None;
    }
    Some(())
}

/// `CHARACTER SET x` or `CHARSET x`, with or without a `=`, in lower case.
pub(super) fn charset(cursor: &mut Cursor<'_>) -> Option<String> {
    let is_said =
        cursor.eat(&["CHARACTER", "SET"]) || cursor.eat(&["CHAR", "SET"]) || cursor.eat(&["CHARSET"]);
    is_said.then(|| word(cursor)).flatten()
}

/// A word in lower case, with or without a `=` before it, with or without quotes.
pub(super) fn word(cursor: &mut Cursor<'_>) -> Option<String> {
    cursor.eat_symbol("=");
    let text = match cursor.string() {
        Some(text) => unquoted(text),
        None => cursor.identifier()?,
    };
    Some(text.to_ascii_lowercase())
}

/// What stands after `DEFAULT`.
pub(super) fn default(cursor: &mut Cursor<'_>) -> Option<Default> {
    let start = cursor.place();
    if cursor.group().is_some() {
        return Some(Default::Expression(cursor.span_from(start)));
    }
    let is_signed = cursor.eat_symbol("-") || cursor.eat_symbol("+");
    let sign = if is_signed { "-" } else { "" };
    if let Some(text) = cursor.string() {
        return Some(Default::Literal(text.to_owned()));
    }
    (cursor.kind()? == TokenKind::Word).then_some(())?;
    let keyword = cursor.keyword();
    let text = cursor.text();
    cursor.skip();
    if cursor.kind() == Some(TokenKind::Text) && (keyword.starts_with('_') || keyword.len() == 1) {
        // b'0', x'00', _utf8mb4'text'
        let value = cursor.string()?;
        return Some(Default::Literal(format!("{text}{value}")));
    }
    let is_called = cursor.group().is_some();
    match keyword.as_str() {
        "NULL" => Some(Default::Null),
        "CURRENT_TIMESTAMP" | "NOW" | "LOCALTIME" | "LOCALTIMESTAMP" => Some(Default::Now),
        "TRUE" | "FALSE" => Some(Default::Literal(keyword)),
        _ if is_called || keyword.starts_with(|c: char| !c.is_ascii_digit()) => {
            // MariaDB takes an expression without parentheses around it; where it ends is not always clear.
            cursor.only(Flavour::MariaDb, "an expression as a default without parentheses around it", start);
            (is_called && !is_operator(cursor)).then(|| Default::Expression(cursor.span_from(start)))
        }
        _ if is_operator(cursor) => None,
        _ => Some(Default::Literal(format!("{sign}{text}"))),
    }
}

fn is_operator(cursor: &Cursor<'_>) -> bool {
    matches!(cursor.kind(), Some(TokenKind::Symbol)) && !cursor.is_symbol(",")
}
