//! What a column can hold.

use crate::schema::Column;

/// A column's type, as far as a value for it depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `TINYINT` to `BIGINT`.
    Integer { bits: u32, is_unsigned: bool },
    /// `TINYINT(1)`, which is what `BOOLEAN` becomes.
    Bool,
    /// `DECIMAL`; `FLOAT` and `DOUBLE` too, with digits that they keep exactly.
    Decimal { precision: u32, scale: u32, is_unsigned: bool },
    /// `BIT(n)`.
    Bit { n_bits: u32 },
    /// Text of so many characters at most.
    Text { max: usize },
    /// Text of so many bytes at most.
    TextBytes { max: usize },
    /// `BINARY`, which fills itself up with zeroes, `VARBINARY` and the `BLOB`s.
    Binary { max: usize, is_fixed: bool },
    /// One of these words.
    Enum(Vec<String>),
    /// Any of these words.
    Set(Vec<String>),
    /// A day.
    Date,
    /// `DATETIME` (years 1000 to 9999).
    DateTime { n_fraction: usize },
    /// `TIMESTAMP` (years 1970 to 2038).
    Timestamp { n_fraction: usize },
    /// A duration, which may be negative.
    Time { n_fraction: usize },
    /// `YEAR`.
    Year,
    /// JSON, by type (MySQL) or by a CHECK (MariaDB).
    Json,
    /// A geometry of this type.
    Geometry(String),
    /// So many floating point numbers.
    Vector { n_dimensions: usize },
    /// MariaDB's `UUID`.
    Uuid,
    /// MariaDB's `INET4`.
    Inet4,
    /// MariaDB's `INET6`.
    Inet6,
    /// A type of a plugin, of which we know nothing.
    Unknown,
}

/// More than this no text is made long: a page is long enough to be cut off.
const LONG: usize = 5_000;
/// Longer than any `TEXT` or `BLOB`, for the types that can be.
const LONGER: usize = 66_000;

impl Kind {
    /// Reads `information_schema.columns.column_type`.
    pub(super) fn of(column: &Column) -> Self {
        let text = column.column_type.as_str();
        let n_word = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (word, rest) = text.split_at(n_word);
        let (arguments, attributes) = arguments(rest);
        let is_unsigned = attributes.to_ascii_lowercase().contains("unsigned");
        let number = |at: usize| arguments.get(at).and_then(|argument| argument.parse::<u32>().ok());
        let size = |default: usize| number(0).map_or(default, |n| n as usize);
        let n_fraction = size(0).min(6);
        let integer = |bits| Self::Integer { bits, is_unsigned };
        match word.to_ascii_lowercase().as_str() {
            "tinyint" if number(0) == Some(1) && !is_unsigned => Self::Bool,
            "tinyint" => integer(8),
            "smallint" => integer(16),
            "mediumint" => integer(24),
            "int" | "integer" => integer(32),
            "bigint" => integer(64),
            "decimal" | "numeric" => Self::Decimal {
                precision: number(0).unwrap_or(10),
                scale: number(1).unwrap_or(0),
                is_unsigned,
            },
            // Six digits are what a FLOAT keeps, fifteen what a DOUBLE keeps.
            "float" => Self::floating(number(0), number(1), 6, is_unsigned),
            "double" | "real" => Self::floating(number(0), number(1), 15, is_unsigned),
            "bit" => Self::Bit { n_bits: number(0).unwrap_or(1) },
            "char" | "varchar" => Self::Text { max: size(1).min(LONG) },
            "tinytext" => Self::TextBytes { max: 255 },
            "text" => Self::TextBytes { max: LONG },
            "mediumtext" | "longtext" => Self::TextBytes { max: LONGER },
            "binary" => Self::Binary { max: size(1), is_fixed: true },
            "varbinary" => Self::Binary { max: size(1).min(LONG), is_fixed: false },
            "tinyblob" => Self::Binary { max: 255, is_fixed: false },
            "blob" => Self::Binary { max: LONG, is_fixed: false },
            "mediumblob" | "longblob" => Self::Binary { max: LONGER, is_fixed: false },
            "enum" => Self::Enum(arguments),
            "set" => Self::Set(arguments),
            "date" => Self::Date,
            "datetime" => Self::DateTime { n_fraction },
            "timestamp" => Self::Timestamp { n_fraction },
            "time" => Self::Time { n_fraction },
            "year" => Self::Year,
            "json" => Self::Json,
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" => {
                Self::Geometry(word.to_ascii_lowercase())
            }
            "vector" => Self::Vector { n_dimensions: size(1) },
            "uuid" => Self::Uuid,
            "inet4" => Self::Inet4,
            "inet6" => Self::Inet6,
            _ => Self::Unknown,
        }
    }

    fn floating(total: Option<u32>, scale: Option<u32>, n_digits: u32, is_unsigned: bool) -> Self {
        let scale = scale.unwrap_or(2).min(n_digits / 2);
        Self::Decimal { precision: total.unwrap_or(n_digits).min(n_digits), scale, is_unsigned }
    }

    /// How many words it consists of, where it is one of a few.
    pub(super) fn n_members(&self) -> usize {
        match self {
            Self::Bool => 2,
            Self::Enum(members) | Self::Set(members) => members.len(),
            _ => 0,
        }
    }
}

/// What stands in parentheses, each argument without its quotes, and what follows them.
fn arguments(rest: &str) -> (Vec<String>, &str) {
    let Some(inner) = rest.strip_prefix('(') else { return (Vec::new(), rest) };
    let mut arguments = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            // A quote within a word is doubled.
            '\'' if is_quoted && chars.next_if(|&(_, next)| next == '\'').is_some() => {
                push(&mut arguments, '\'');
            }
            '\'' => is_quoted = !is_quoted,
            ')' if !is_quoted => return (arguments, &inner[at + 1..]),
            ',' if !is_quoted => arguments.push(String::new()),
            c => push(&mut arguments, c),
        }
    }
    (arguments, "")
}

fn push(arguments: &mut [String], c: char) {
    if let Some(last) = arguments.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(column_type: &str, kind: &Kind) {
        let column = Column {
            name: "c".into(),
            column_type: column_type.into(),
            character_set: None,
            collation: None,
            is_nullable: true,
            has_default: false,
            is_generated: false,
            is_auto_increment: false,
        };
        assert_eq!(&Kind::of(&column), kind, "{column_type}");
    }

    #[test]
    fn types_as_both_servers_print_them() {
        check("int", &Kind::Integer { bits: 32, is_unsigned: false });
        check("int(10) unsigned zerofill", &Kind::Integer { bits: 32, is_unsigned: true });
        check("tinyint(1)", &Kind::Bool);
        check("tinyint(4)", &Kind::Integer { bits: 8, is_unsigned: false });
        check("tinyint unsigned", &Kind::Integer { bits: 8, is_unsigned: true });
        check("decimal(10,2)", &Kind::Decimal { precision: 10, scale: 2, is_unsigned: false });
        check("decimal(8,0) unsigned", &Kind::Decimal { precision: 8, scale: 0, is_unsigned: true });
        check("float", &Kind::Decimal { precision: 6, scale: 2, is_unsigned: false });
        check("double(20,10)", &Kind::Decimal { precision: 15, scale: 7, is_unsigned: false });
        check("bit(64)", &Kind::Bit { n_bits: 64 });
        check("varchar(50)", &Kind::Text { max: 50 });
        check("varchar(16000)", &Kind::Text { max: LONG });
        check("tinytext", &Kind::TextBytes { max: 255 });
        check("binary(16)", &Kind::Binary { max: 16, is_fixed: true });
        check("longblob", &Kind::Binary { max: LONGER, is_fixed: false });
        check("datetime(6)", &Kind::DateTime { n_fraction: 6 });
        check("timestamp", &Kind::Timestamp { n_fraction: 0 });
        check("year(4)", &Kind::Year);
        check("geomcollection", &Kind::Geometry("geomcollection".into()));
        check("vector(3)", &Kind::Vector { n_dimensions: 3 });
        check("inet6", &Kind::Inet6);
        check("xmltype", &Kind::Unknown);
    }

    #[test]
    fn words_of_enums_and_sets() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        check("enum('a','b')", &Kind::Enum(words(&["a", "b"])));
        check("enum('it''s','a,b','(x)','')", &Kind::Enum(words(&["it's", "a,b", "(x)", ""])));
        check("set('r','w')", &Kind::Set(words(&["r", "w"])));
    }
}
