//! What a migration's name says it does.
//!
//! A name that can be read in two ways is not read at all: a skeleton that has to be written costs a minute, one that is
//! wrong and looks right costs more.

use super::identifier::MAX_NAME_CHARS;

/// What the name of a migration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent<'a> {
    AddColumns { table: &'a str, columns: Vec<&'a str> },
    DropColumns { table: &'a str, columns: Vec<&'a str> },
    RenameColumn { table: &'a str, from: &'a str, to: &'a str },
    CreateTable { table: &'a str },
    DropTable { table: &'a str },
    RenameTable { from: &'a str, to: &'a str },
    AddKey { kind: KeyKind, table: &'a str, columns: Vec<&'a str> },
    DropKey { kind: KeyKind, table: &'a str, columns: Vec<&'a str> },
}

/// What kind of key, for those that are made alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Index,
    Unique,
    Foreign,
}

/// Words that cannot be the column of `add_…_to_t` or `drop_…_from_t`: they speak of something else on the table.
const NOT_COLUMNS: &[&str] = &[
    "check",
    "constraint",
    "default",
    "foreign_key",
    "fk",
    "fulltext",
    "fulltext_index",
    "index",
    "not_null",
    "partition",
    "partitions",
    "primary_key",
    "spatial_index",
    "trigger",
    "unique",
    "unique_key",
    "view",
];

/// Words that say, first or last in `create_…` and `drop_…`, that it is not about a table.
const NOT_TABLES: &[&str] = &[
    "column",
    "columns",
    "constraint",
    "database",
    "event",
    "fk",
    "function",
    "index",
    "indexes",
    "indices",
    "key",
    "keys",
    "procedure",
    "schema",
    "tables",
    "trigger",
    "triggers",
    "view",
    "views",
];

impl<'a> Intent<'a> {
    /// Reads a name; `None` where it says nothing known, or too much.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        let (verb, rest) = name.split_once('_')?;
        let intent = match verb {
            "add" => add(rest),
            "create" => create(rest),
            "drop" | "remove" => drop(verb, rest),
            "rename" => rename(rest),
            _ => None,
        }?;
        intent.has_possible_names().then_some(intent)
    }

    fn has_possible_names(&self) -> bool {
        let names: Vec<&str> = match self {
            Self::AddColumns { table, columns }
            | Self::DropColumns { table, columns }
            | Self::AddKey { table, columns, .. }
            | Self::DropKey { table, columns, .. } => {
                if (1..columns.len()).any(|n| columns[..n].contains(&columns[n])) {
                    return false;
                }
                std::iter::once(*table).chain(columns.iter().copied()).collect()
            }
            Self::RenameColumn { table, from, to } => vec![table, from, to],
            Self::CreateTable { table } | Self::DropTable { table } => vec![table],
            Self::RenameTable { from, to } => vec![from, to],
        };
        names.iter().all(|name| {
            !name.is_empty() && name.len() <= MAX_NAME_CHARS && !name.starts_with('_') && !name.ends_with('_')
        })
    }
}

fn add(rest: &str) -> Option<Intent<'_>> {
    match key(rest, "to") {
        KeyReading::Key(kind, table, columns) => return Some(Intent::AddKey { kind, table, columns }),
        KeyReading::Unclear => return None,
        KeyReading::NoKey => {}
    }
    let (columns, table) = columns_of(rest, "_to_")?;
    Some(Intent::AddColumns { table, columns })
}

fn create(rest: &str) -> Option<Intent<'_>> {
    match key(rest, "to") {
        KeyReading::Key(kind, table, columns) => return Some(Intent::AddKey { kind, table, columns }),
        KeyReading::Unclear => return None,
        KeyReading::NoKey => {}
    }
    Some(Intent::CreateTable { table: whole_table(rest)? })
}

fn drop<'a>(verb: &str, rest: &'a str) -> Option<Intent<'a>> {
    match key(rest, "from") {
        KeyReading::Key(kind, table, columns) => return Some(Intent::DropKey { kind, table, columns }),
        KeyReading::Unclear => return None,
        KeyReading::NoKey => {}
    }
    if rest.contains("_from_") {
        let (columns, table) = columns_of(rest, "_from_")?;
        return Some(Intent::DropColumns { table, columns });
    }
    // `remove_x` is what people also call a change of rows.
    if verb == "remove" && !rest.ends_with("_table") {
        return None;
    }
    Some(Intent::DropTable { table: whole_table(rest)? })
}

fn rename(rest: &str) -> Option<Intent<'_>> {
    let place = cuts(rest, "_in_").chain(cuts(rest, "_on_")).filter(|(left, _)| left.contains("_to_"));
    if let Some((names, table)) = place.max_by_key(|(left, _)| left.len()) {
        let (from, to) = only(cuts(names, "_to_"))?;
        return Some(Intent::RenameColumn { table: without_table(table), from, to });
    }
    let (from, to) = only(cuts(rest, "_to_"))?;
    Some(Intent::RenameTable { from: without_table(from), to: without_table(to) })
}

/// What a name says about an index or a foreign key.
enum KeyReading<'a> {
    NoKey,
    /// It is about one, but which cannot be told.
    Unclear,
    Key(KeyKind, &'a str, Vec<&'a str>),
}

impl<'a> KeyReading<'a> {
    fn of(kind: KeyKind, place: Option<(&'a str, Vec<&'a str>)>) -> Self {
        let Some((table, columns)) = place else { return Self::Unclear };
        // A foreign key is filled in for one column only, whose name says which table it points to.
        let is_known = kind != KeyKind::Foreign
            || (columns.len() == 1
                && columns[0].strip_suffix("_id").is_some_and(|parent| !parent.is_empty()));
        if is_known { Self::Key(kind, table, columns) } else { Self::Unclear }
    }
}

/// Reads `index_to_t_on_a_and_b`, `index_on_t_a`, `a_index_to_t` and the same for unique and foreign keys, `link` being
/// `to` or `from`.
fn key<'a>(rest: &'a str, link: &str) -> KeyReading<'a> {
    const FIRST: [(&str, KeyKind); 7] = [
        ("unique_index_", KeyKind::Unique),
        ("unique_constraint_", KeyKind::Unique),
        ("unique_key_", KeyKind::Unique),
        ("index_", KeyKind::Index),
        ("foreign_key_", KeyKind::Foreign),
        ("fk_", KeyKind::Foreign),
        ("unique_", KeyKind::Unique),
    ];
    const LAST: [(&str, KeyKind); 4] = [
        ("_unique_index", KeyKind::Unique),
        ("_index", KeyKind::Index),
        ("_foreign_key", KeyKind::Foreign),
        ("_fk", KeyKind::Foreign),
    ];
    for (prefix, kind) in FIRST {
        let Some(tail) = rest.strip_prefix(prefix) else { continue };
        let place = place(tail, link);
        // A column may well be called `unique_code`.
        if place.is_none() && prefix == "unique_" {
            continue;
        }
        return KeyReading::of(kind, place);
    }
    let Some((left, table)) = cuts(rest, &format!("_{link}_")).last() else { return KeyReading::NoKey };
    let key = LAST.into_iter().find_map(|(suffix, kind)| Some((left.strip_suffix(suffix)?, kind)));
    key.map_or(KeyReading::NoKey, |(columns, kind)| {
        KeyReading::of(kind, Some((without_table(table), columns.split("_and_").collect())))
    })
}

/// Reads `to_t_on_a_and_b`, `on_t_on_a` or `on_t_a_and_b`.
fn place<'a>(tail: &'a str, link: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (word, rest) = tail.split_once('_')?;
    if word != link && word != "on" {
        return None;
    }
    // In `t_on_due_on_and_a` only the first `_on_` divides.
    let mut on = cuts(rest, "_on_").filter(|(_, right)| !right.starts_with("and_"));
    if let Some((table, columns)) = on.next() {
        return on.next().is_none().then(|| (without_table(table), columns.split("_and_").collect()));
    }
    // Without a second `on` the table ends where the column begins, which only two words can show.
    let (first, others) =
        rest.split_once("_and_").map_or((rest, None), |(first, others)| (first, Some(others)));
    let (table, column) = only(cuts(first, "_"))?;
    (word == "on").then(|| {
        (table, std::iter::once(column).chain(others.into_iter().flat_map(|o| o.split("_and_"))).collect())
    })
}

/// Reads `a_and_b<link>t`: the table is what follows the last link, since columns are called `reply_to` too.
fn columns_of<'a>(rest: &'a str, link: &str) -> Option<(Vec<&'a str>, &'a str)> {
    let (columns, table) = cuts(rest, link).last()?;
    let table = without_table(table);
    let columns: Vec<&str> = columns.split("_and_").collect();
    let is_columns = columns.iter().all(|c| !NOT_COLUMNS.contains(c) && !c.ends_with("_constraint"));
    (is_columns && !table.contains("_on_") && !table.contains("_and_")).then_some((columns, table))
}

/// Reads `x`, `x_table` or `table_x`.
fn whole_table(rest: &str) -> Option<&str> {
    let table = without_table(rest.strip_prefix("table_").unwrap_or(rest));
    let is_table = !["_and_", "_on_", "_from_", "_to_"].iter().any(|word| table.contains(word))
        && table.split('_').next().is_none_or(|first| !NOT_TABLES.contains(&first))
        && table.rsplit('_').next().is_none_or(|last| !NOT_TABLES.contains(&last));
    is_table.then_some(table)
}

fn without_table(text: &str) -> &str {
    text.strip_suffix("_table").unwrap_or(text)
}

/// Every way to cut `text` at `link`, overlapping ones too: `a_to_to_b` has two.
fn cuts<'a>(text: &'a str, link: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.char_indices()
        .filter_map(move |(at, _)| Some((&text[..at], text[at..].strip_prefix(link)?)))
        .filter(|(left, right)| !left.is_empty() && !right.is_empty())
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let item = items.next()?;
    items.next().is_none().then_some(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The intent in a few words, to keep the table below readable.
    fn read(name: &str) -> String {
        let list = |columns: Vec<&str>| columns.join(",");
        match Intent::of(name) {
            None => "?".to_owned(),
            Some(Intent::AddColumns { table, columns }) => format!("{table} +{}", list(columns)),
            Some(Intent::DropColumns { table, columns }) => format!("{table} -{}", list(columns)),
            Some(Intent::RenameColumn { table, from, to }) => format!("{table}.{from} > {to}"),
            Some(Intent::CreateTable { table }) => format!("+{table}"),
            Some(Intent::DropTable { table }) => format!("-{table}"),
            Some(Intent::RenameTable { from, to }) => format!("{from} > {to}"),
            Some(Intent::AddKey { kind, table, columns }) => format!("{table} +{kind:?}({})", list(columns)),
            Some(Intent::DropKey { kind, table, columns }) => format!("{table} -{kind:?}({})", list(columns)),
        }
    }

    #[test]
    fn names_are_read() {
        for (name, expected) in [
            ("add_priority_to_tasks", "tasks +priority"),
            ("add_priority_to_tasks_table", "tasks +priority"),
            ("add_due_on_and_done_at_to_task_comments", "task_comments +due_on,done_at"),
            ("add_reply_to_to_messages", "messages +reply_to"),
            ("add_unique_code_to_coupons", "coupons +unique_code"),
            ("add_default_role_to_users", "users +default_role"),
            ("remove_priority_from_tasks", "tasks -priority"),
            ("drop_a_and_b_from_t", "t -a,b"),
            ("drop_valid_from_from_prices", "prices -valid_from"),
            ("create_projects", "+projects"),
            ("create_projects_table", "+projects"),
            ("create_table_projects", "+projects"),
            ("create_user_roles", "+user_roles"),
            ("drop_projects", "-projects"),
            ("drop_projects_table", "-projects"),
            ("remove_projects_table", "-projects"),
            ("rename_tasks_to_jobs", "tasks > jobs"),
            ("rename_title_to_name_in_tasks", "tasks.title > name"),
            ("rename_title_to_name_on_tasks", "tasks.title > name"),
            ("rename_due_to_due_on_in_tasks", "tasks.due > due_on"),
            ("rename_sign_ins_to_logins", "sign_ins > logins"),
            ("rename_checked_in_by_to_owner", "checked_in_by > owner"),
            ("add_index_to_tasks_on_app_id_and_status", "tasks +Index(app_id,status)"),
            ("add_index_to_task_comments_on_task_id", "task_comments +Index(task_id)"),
            ("add_index_on_task_comments_on_task_id", "task_comments +Index(task_id)"),
            ("add_index_to_tasks_on_due_on_and_status", "tasks +Index(due_on,status)"),
            ("add_index_on_tasks_status", "tasks +Index(status)"),
            ("add_index_on_tasks_status_and_app_id", "tasks +Index(status,app_id)"),
            ("create_index_on_tasks_status", "tasks +Index(status)"),
            ("add_status_index_to_tasks", "tasks +Index(status)"),
            ("add_unique_index_to_users_on_email", "users +Unique(email)"),
            ("add_unique_to_users_on_email", "users +Unique(email)"),
            ("add_unique_constraint_to_users_on_email", "users +Unique(email)"),
            ("drop_index_from_tasks_on_app_id", "tasks -Index(app_id)"),
            ("drop_index_on_tasks_status", "tasks -Index(status)"),
            ("remove_unique_index_from_users_on_email", "users -Unique(email)"),
            ("add_foreign_key_to_tasks_on_app_id", "tasks +Foreign(app_id)"),
            ("add_fk_to_tasks_on_app_id", "tasks +Foreign(app_id)"),
            ("add_app_id_fk_to_tasks", "tasks +Foreign(app_id)"),
            ("drop_foreign_key_from_tasks_on_app_id", "tasks -Foreign(app_id)"),
        ] {
            assert_eq!(read(name), expected, "{name}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for name in [
            "x",
            "add",
            "add_",
            "add_priority",
            "add__to_tasks",
            "add_a_to_",
            "add_a_and_a_to_t",
            "add_index_on_task_comments_task_id",
            "add_index_to_tasks",
            "add_index_status_to_tasks",
            "add_constraint_to_tasks",
            "add_title_check_constraint_to_tasks",
            "add_primary_key_to_tasks",
            "add_priority_to_tasks_and_projects",
            "add_foreign_key_to_tasks_on_owner",
            "add_foreign_key_to_tasks_on_app_id_and_task_id",
            "create_open_tasks_view",
            "create_trigger_for_tasks",
            "create_index",
            "create_a_and_b",
            "drop_open_tasks_view",
            "drop_index_idx_tasks_status",
            "remove_old_rows",
            "rename_a",
            "rename_reply_to_to_parent",
            "rename_a_to_b_to_c",
            "backfill_priorities",
            &format!("create_{}", "t".repeat(65)),
        ] {
            assert_eq!(read(name), "?", "{name}");
        }
    }
}
