//! Values for columns: ordinary ones, and those at the edges of a type, so that a change that narrows it fails or loses
//! something where everybody sees it.

use std::fmt::Write as _;

use super::kind::Kind;
use crate::schema::Flavour;

/// A value in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// NULL.
    Null,
    /// What the column's own default gives.
    Default,
    /// A number, as it is written.
    Number(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An expression.
    Sql(String),
    /// The column of a row of another table, or of this one, the row counted from 0 in the order of `order_by`.
    Parent {
        table: String,
        column: String,
        order_by: Vec<String>,
        /// Columns whose values are given, because another foreign key shares them.
        given: Vec<(String, Value)>,
        offset: u64,
    },
}

impl Value {
    /// As SQL, in a session whose `sql_mode` knows backslashes.
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Null => "NULL".into(),
            Self::Default => "DEFAULT".into(),
            Self::Number(sql) | Self::Sql(sql) => sql.clone(),
            Self::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Self::Bytes(bytes) if bytes.is_empty() => "''".into(),
            Self::Bytes(bytes) => bytes.iter().fold("0x".to_owned(), |mut sql, byte| {
                let _ = write!(sql, "{byte:02x}");
                sql
            }),
            Self::Parent { table, column, order_by, given, offset } => {
                let order: Vec<_> = order_by.iter().map(|column| quote(column)).collect();
                let mut sql = format!("SELECT {} FROM {}", quote(column), quote(table));
                for (n, (column, value)) in given.iter().enumerate() {
                    let word = if n == 0 { "WHERE" } else { "AND" };
                    let _ = write!(sql, " {word} {}={}", quote(column), value.sql());
                }
                // A table may not be read in the statement that changes it (error 1093), but a derived table may.
                format!(
                    "(SELECT * FROM ({sql} ORDER BY {} LIMIT 1 OFFSET {offset}) AS parent)",
                    order.join(",")
                )
            }
        }
    }
}

/// An identifier in backticks.
pub(super) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Which value of its type a row gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Near the type's upper end; the longest text.
    High,
    /// Near its lower end; the empty text.
    Low,
    /// What an application would store.
    Plain,
}

/// What a value depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) kind: &'a Kind,
    pub(super) character_set: Option<&'a str>,
    pub(super) style: Style,
    /// Two different numbers give two different values, as far as the type has that many.
    pub(super) n: u64,
    /// How many characters or bytes are left to be different in, if a key looks at so many only.
    pub(super) prefix: Option<u32>,
    /// Whether the column is called `id` or `…_id`, or a foreign key uses it later. Such columns count from one and have nothing of the seed, so that a
    /// foreign key that a later migration adds finds its rows.
    pub(super) is_id: bool,
    pub(super) flavour: Flavour,
    /// The spatial reference system of geometries, which MySQL holds them to.
    pub(super) srid: u32,
}

/// The value.
pub(super) fn value(wish: Wish<'_>) -> Value {
    let Wish { kind, style, n, .. } = wish;
    match kind {
        Kind::Integer { bits, is_unsigned } => integer(wish, *bits, *is_unsigned),
        Kind::Bool => Value::Number((n % 2).to_string()),
        Kind::Decimal { precision, scale, is_unsigned } => decimal(wish, *precision, *scale, *is_unsigned),
        Kind::Bit { n_bits } => {
            let all = if *n_bits >= 64 { u64::MAX } else { (1 << n_bits) - 1 };
            let bits = if style == Style::High { all - n % all.max(1) } else { n & all };
            Value::Number(format!("b'{bits:b}'"))
        }
        Kind::Text { max } => Value::Text(text(wish, *max, |c| usize::from(c != '\0'))),
        Kind::TextBytes { max } => Value::Text(text(wish, *max, char::len_utf8)),
        Kind::Binary { max, is_fixed } => Value::Bytes(bytes(wish, *max, *is_fixed)),
        Kind::Enum(members) => member(members, n).map_or(Value::Null, |word| Value::Text(word.clone())),
        Kind::Set(members) => {
            let chosen: Vec<_> = match style {
                Style::High => members.clone(),
                Style::Low => Vec::new(),
                Style::Plain => member(members, n).into_iter().cloned().collect(),
            };
            Value::Text(chosen.join(","))
        }
        Kind::Date => Value::Text(day(style, n, (1000, 9000))),
        Kind::DateTime { n_fraction } => moment(style, n, (1000, 9000), *n_fraction),
        Kind::Timestamp { n_fraction } => moment(style, n, (1971, 2036), *n_fraction),
        Kind::Time { n_fraction } => {
            let hours = match style {
                Style::High => "800",
                Style::Low => "-800",
                Style::Plain => "12",
            };
            Value::Text(format!("{hours}:{:02}:{:02}{}", n / 60 % 60, n % 60, fraction(*n_fraction)))
        }
        Kind::Year => Value::Number(match style {
            Style::High => (2155 - n % 100).to_string(),
            Style::Low => (1901 + n % 90).to_string(),
            Style::Plain => (2000 + n % 50).to_string(),
        }),
        Kind::Json => Value::Text(match style {
            Style::High => format!(r#"{{"n": {n}, "text": "Grüße", "list": [1, 2.5, null, true]}}"#),
            Style::Low => format!("[{n}]"),
            Style::Plain => format!(r#"{{"n": {n}}}"#),
        }),
        Kind::Geometry(name) => Value::Sql(format!("ST_GeomFromText('{}',{})", geometry(name, n), wish.srid)),
        Kind::Vector { n_dimensions } => {
            let numbers: Vec<_> =
                (0..*n_dimensions as u64).map(|at| format!("{}.5", (n + at) % 100)).collect();
            let function = match wish.flavour {
                Flavour::MySql => "STRING_TO_VECTOR",
                Flavour::MariaDb => "VEC_FromText",
            };
            Value::Sql(format!("{function}('[{}]')", numbers.join(",")))
        }
        Kind::Uuid => Value::Text(uuid(n)),
        Kind::Inet4 => Value::Text(format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255)),
        Kind::Inet6 => Value::Text(format!("2001:db8::{:x}", n & 0xffff)),
        Kind::Unknown => Value::Default,
    }
}

fn member(members: &[String], n: u64) -> Option<&String> {
    usize::try_from(n).ok().and_then(|n| members.get(n % members.len().max(1)))
}

/// Edges keep an eighth of the range free: `SET n = n + 1` must not overflow, `INT` made `SMALLINT` must.
fn integer(wish: Wish<'_>, bits: u32, is_unsigned: bool) -> Value {
    let n = i128::from(wish.n);
    let (low, high) = if is_unsigned {
        (0, (1_i128 << bits) - 1)
    } else {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    };
    // Ordinary numbers have the middle of the range for themselves.
    let edge = high / 8;
    let number = match wish.style {
        _ if wish.is_id => 1 + n % high,
        Style::High => high - edge - n % edge.max(1),
        Style::Low if is_unsigned => n % edge.max(1),
        Style::Low => low + edge + n % edge.max(1),
        Style::Plain => 1 + n % (high - 2 * edge).max(1),
    };
    Value::Number(number.to_string())
}

fn decimal(wish: Wish<'_>, precision: u32, scale: u32, is_unsigned: bool) -> Value {
    let (precision, scale) = (precision.clamp(1, 38), scale.min(38));
    let n = i128::from(wish.n);
    let (all, one) = (10_i128.pow(precision), 10_i128.pow(scale.min(precision)));
    let edge = (all / 8 * 7 - 1).max(1);
    let unscaled = match wish.style {
        _ if wish.is_id => (n + 1) * one % all,
        Style::High => edge - n % edge,
        Style::Low if is_unsigned => n % edge,
        Style::Low => -(edge - n % edge),
        Style::Plain => ((n + 1) * one + one / 4) % all,
    };
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale as usize + 1);
    let (whole, part) = digits.split_at(digits.len() - scale as usize);
    let sign = if unscaled < 0 { "-" } else { "" };
    Value::Number(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

/// A text of at most `max`, of which each character takes as much as `size` says. The number comes first, so that a key
/// that looks at a prefix tells two texts apart.
fn text(wish: Wish<'_>, max: usize, size: fn(char) -> usize) -> String {
    let Wish { style, n, prefix, is_id, .. } = wish;
    let room = prefix.map_or(max, |prefix| max.min(prefix as usize));
    // With little room, all of it is the number.
    if room <= 4 {
        return format!("{:0>room$}", base36(n % 36_u64.pow(u32::try_from(room).unwrap_or(4))));
    }
    if is_id {
        return if room >= 36 { uuid(n) } else { base36(n + 1) };
    }
    // The empty text once: every other text differs.
    if style == Style::Low && n < 3 && prefix.is_none() {
        return String::new();
    }
    let mut text = base36(n);
    text.push('-');
    let mut n_used = text.len();
    let filler = match style {
        Style::High => "x".repeat(max),
        Style::Low => String::new(),
        Style::Plain => "it's \\ text".into(),
    };
    for c in letters(wish.character_set).chars().chain(filler.chars()) {
        if n_used + size(c) > max {
            break;
        }
        n_used += size(c);
        text.push(c);
    }
    // CHAR forgets spaces at its end, and many collations do.
    text.truncate(text.trim_end().len());
    text
}

/// What goes beyond ASCII and the character set has. `utf8mb4` has a letter that the narrower `utf8mb3` has not.
fn letters(character_set: Option<&str>) -> &'static str {
    match character_set {
        Some("utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030") => "ß漢🦀",
        Some("utf8" | "utf8mb3" | "ucs2") => "ß漢",
        Some("latin1" | "latin2" | "cp1250" | "latin5") => "ß",
        _ => "",
    }
}

fn bytes(wish: Wish<'_>, max: usize, is_fixed: bool) -> Vec<u8> {
    let number = (wish.n + 1).to_be_bytes();
    let room = wish.prefix.map_or(max, |prefix| max.min(prefix as usize));
    let head = &number[number.len().saturating_sub(room)..];
    if wish.is_id {
        // As UUIDs are: all of it, the number at the end.
        let n_zeroes = if is_fixed { room.saturating_sub(head.len()) } else { 0 };
        return [vec![0; n_zeroes], head.to_vec()].concat();
    }
    let mut bytes = head.to_vec();
    match wish.style {
        Style::High => bytes.resize(max.max(head.len()), 0xff),
        Style::Plain => bytes.extend([0, b'\'', b'\\', 0xfe].iter().take(max - head.len().min(max))),
        Style::Low => {}
    }
    bytes
}

fn day(style: Style, n: u64, (low, high): (u64, u64)) -> String {
    let first_year = match style {
        Style::Low => low,
        Style::Plain => 2024,
        Style::High => high,
    };
    // 28 days a month are enough, and there is none that does not exist.
    format!("{:04}-{:02}-{:02}", first_year + n / 336 % 2, 1 + n / 28 % 12, 1 + n % 28)
}

/// At noon, which no change of clocks leaves out.
fn moment(style: Style, n: u64, years: (u64, u64), n_fraction: usize) -> Value {
    let seconds = n / 672 % 60;
    Value::Text(format!("{} 12:34:{seconds:02}{}", day(style, n, years), fraction(n_fraction)))
}

fn fraction(n_digits: usize) -> String {
    if n_digits == 0 { String::new() } else { format!(".{}", &"654321"[..n_digits.min(6)]) }
}

fn uuid(n: u64) -> String {
    format!("00000000-0000-4000-8000-{:012x}", (n + 1) & 0xffff_ffff_ffff)
}

fn base36(mut n: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(u32::try_from(n % 36).unwrap_or_default(), 36).unwrap_or('0'));
        n /= 36;
        if n == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

fn geometry(name: &str, n: u64) -> String {
    let (x, y) = (n % 80, n / 80 % 80);
    let (right, top) = (x + 1, y + 1);
    let line = format!("{x} {y},{right} {top}");
    let ring = format!("(({x} {y},{right} {y},{right} {top},{x} {y}))");
    match name {
        "linestring" => format!("LINESTRING({line})"),
        "polygon" => format!("POLYGON{ring}"),
        "multipoint" => format!("MULTIPOINT({line})"),
        "multilinestring" => format!("MULTILINESTRING(({line}))"),
        "multipolygon" => format!("MULTIPOLYGON({ring})"),
        "geometrycollection" | "geomcollection" => format!("GEOMETRYCOLLECTION(POINT({x} {y}))"),
        _ => format!("POINT({x} {y})"),
    }
}
