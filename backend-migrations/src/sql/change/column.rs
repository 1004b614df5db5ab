//! Columns.

use std::ops::Range;

/// A column as it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the grammar that is there or not")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Where the name is.
    pub name_span: Range<usize>,
    /// The whole definition.
    pub span: Range<usize>,
    /// Its type.
    pub data_type: DataType,
    /// `NOT NULL` or `NULL`, if one of them is said.
    pub null: Option<bool>,
    /// `DEFAULT`.
    pub default: Option<Default>,
    /// `ON UPDATE CURRENT_TIMESTAMP`.
    pub on_update: bool,
    /// `AUTO_INCREMENT`.
    pub auto_increment: bool,
    /// `CHARACTER SET`, in lower case.
    pub charset: Option<String>,
    /// `COLLATE`, in lower case.
    pub collation: Option<String>,
    /// `COMMENT`, as it is written.
    pub comment: Option<String>,
    /// `GENERATED ALWAYS AS`.
    pub generated: Option<Generated>,
    /// `PRIMARY KEY`.
    pub is_primary: bool,
    /// `UNIQUE`.
    pub is_unique: bool,
    /// `REFERENCES` beside the column: where, and the table.
    pub references: Option<(Range<usize>, String)>,
    /// `CHECK` beside the column: where, and whether it has a name.
    pub check: Option<(Range<usize>, bool)>,
    /// `INVISIBLE`.
    pub is_invisible: bool,
    /// Whether all of the definition was understood.
    pub is_whole: bool,
}

impl Column {
    /// Whether it may hold NULL: said, or what both servers take where nothing is said.
    pub fn may_be_null(&self) -> bool {
        self.null.unwrap_or(!self.is_primary)
    }
}

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataType {
    /// Its one name in upper case: `INTEGER` is `INT`, `BOOL` is `TINYINT`, `CHARACTER VARYING` is `VARCHAR`.
    pub name: String,
    /// What stands in its parentheses, without quotes: a length, digits, or the values of an `ENUM` or `SET`.
    pub arguments: Vec<String>,
    /// `UNSIGNED`.
    pub is_unsigned: bool,
    /// `ZEROFILL`.
    pub is_zerofill: bool,
    /// Where it is.
    pub span: Range<usize>,
}

impl DataType {
    /// The number at this place in its parentheses.
    pub fn number(&self, at: usize) -> Option<u64> {
        self.arguments.get(at)?.parse().ok()
    }

    /// Whether it is a whole number.
    pub fn is_integer(&self) -> bool {
        self.integer_bytes().is_some()
    }

    /// How many bytes a whole number of this type has.
    pub fn integer_bytes(&self) -> Option<u8> {
        match self.name.as_str() {
            "TINYINT" => Some(1),
            "SMALLINT" => Some(2),
            "MEDIUMINT" => Some(3),
            "INT" => Some(4),
            "BIGINT" => Some(8),
            _ => None,
        }
    }

    /// Whether it is text, which has a character set.
    pub fn is_text(&self) -> bool {
        matches!(
            self.name.as_str(),
            "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET"
        )
    }
}

/// A column's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Default {
    /// `NULL`.
    Null,
    /// A constant, as it is written.
    Literal(String),
    /// `CURRENT_TIMESTAMP` and its other names.
    Now,
    /// Anything that is computed.
    Expression(Range<usize>),
}

/// How a generated column is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// Computed when it is read.
    Virtual,
    /// Kept with the row.
    Stored,
}

/// Where a column is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `FIRST`.
    First,
    /// `AFTER` this column.
    After(String),
}
