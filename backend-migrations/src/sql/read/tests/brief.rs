//! A reading in one line; `?` is what was not understood.

use std::fmt::Write as _;

use crate::sql::change::{
    Change, Check, Clause, Column, Condition, CreateTable, Default, ForeignKey, Generated, Index, Name,
    Object, Part, Passing, Place, Reading, TableOptions,
};

pub(super) fn brief(reading: &Reading) -> String {
    let mut text = change(&reading.change);
    for dialect in &reading.dialects {
        write!(text, " [{}: {}]", dialect.only.as_str(), dialect.what).expect("a string takes all");
    }
    text
}

fn name(name: &Name) -> String {
    match &name.database {
        Some(database) => format!("{database}.{}", name.name),
        None => name.name.clone(),
    }
}

fn joined<T>(items: &[T], one: impl Fn(&T) -> String, separator: &str) -> String {
    items.iter().map(one).collect::<Vec<_>>().join(separator)
}

fn flag(is_set: bool, word: &str) -> String {
    if is_set { format!(" {word}") } else { String::new() }
}

fn condition(condition: &Condition) -> String {
    let passing = |passing: &Passing| match passing {
        Passing::NotNull(column) => format!(" {column}-is-there"),
        Passing::Counted(column) => format!(" {column}-is-counted"),
    };
    match condition {
        Condition::None => String::new(),
        Condition::Always(all) => format!(" always{}", joined(all, passing, "")),
        Condition::Other => " where".into(),
    }
}

fn change(change: &Change) -> String {
    match change {
        Change::CreateTable(table) => create_table(table),
        Change::AlterTable(alter) => {
            let clauses = joined(&alter.clauses, |at| clause(&at.clause), "; ");
            format!("alter {}{}: {clauses}", name(&alter.name), flag(alter.if_exists, "if-exists"))
        }
        Change::DropTables { names, if_exists, temporary } => format!(
            "drop-table {}{}{}",
            joined(names, name, ", "),
            flag(*if_exists, "if-exists"),
            flag(*temporary, "temporary")
        ),
        Change::RenameTables(pairs) => {
            format!("rename {}", joined(pairs, |(old, new)| format!("{} to {}", name(old), name(new)), ", "))
        }
        Change::Truncate(table) => format!("truncate {}", name(table)),
        Change::Create(it) => format!("create {}", object(it)),
        Change::Alter(it) => format!("alter {}", object(it)),
        Change::Drop { kind, names, if_exists } => {
            format!("drop {} {}{}", kind.as_str(), joined(names, name, ", "), flag(*if_exists, "if-exists"))
        }
        Change::Database { verb, name: it, .. } => {
            format!("database {verb:?} {}", it.as_ref().map_or_else(|| "-".into(), name))
        }
        Change::Rows(rows) => format!(
            "{} {}{}{}{}{}{}{}{}",
            rows.verb.as_str(),
            joined(&rows.tables, name, ", "),
            joined(&rows.assigned, |column| format!(" {column}="), ""),
            flag(rows.ignore.is_some(), "ignore"),
            condition(&rows.condition),
            flag(rows.has_join, "join"),
            flag(rows.has_limit, "limit"),
            flag(rows.has_query, "from-query"),
            joined(&rows.sources, |source| format!(" <{}", name(source)), "")
        ),
        Change::Query { into } => format!("query{}", flag(*into, "into")),
        Change::Set(assignments) => {
            format!(
                "set {}",
                joined(assignments, |a| format!("{:?} {} = {}", a.scope, a.name, a.value), "; ")
            )
        }
        Change::Prepared(verb, it) => format!("prepared {verb} {}", name(it)),
        Change::Call(it) => format!("call {}", name(it)),
        Change::Server(words) => format!("server {words}"),
        Change::Maintenance(word) => format!("maintenance {word}"),
        Change::Unknown => "?".into(),
    }
}

fn object(it: &Object) -> String {
    let definer =
        it.definer.as_ref().map(|(_, is_current)| if *is_current { " definer-self" } else { " definer" });
    let columns = it.columns.as_ref().map(|columns| format!(" ({})", columns.join(", ")));
    let table = it.table.as_ref().map(|table| format!(" on {}", name(table)));
    format!(
        "{} {}{}{}{}{}{}",
        it.kind.as_str(),
        name(&it.name),
        flag(it.or_replace, "or-replace"),
        flag(it.if_not_exists, "if-not-exists"),
        definer.unwrap_or_default(),
        table.unwrap_or_default(),
        columns.unwrap_or_default()
    )
}

fn create_table(table: &CreateTable) -> String {
    let mut parts = vec![joined(&table.columns, column, ", ")];
    parts.push(joined(&table.indexes, index, ", "));
    parts.push(joined(&table.foreign_keys, foreign_key, ", "));
    parts.push(joined(&table.checks, check, ", "));
    parts.retain(|part| !part.is_empty());
    let mut text = format!(
        "table {}{}{}{} ({}){}",
        name(&table.name),
        flag(table.temporary, "temporary"),
        flag(table.or_replace, "or-replace"),
        flag(table.if_not_exists, "if-not-exists"),
        parts.join(", "),
        options(&table.options)
    );
    if let Some(like) = &table.like {
        write!(text, " like {}", name(like)).expect("a string takes all");
    }
    text + &flag(table.has_query, "from-query")
        + &flag(table.is_partitioned, "partitioned")
        + &flag(!table.is_whole, "?")
}

fn options(options: &TableOptions) -> String {
    let said = |word: &str, value: &Option<String>| {
        value.as_ref().map_or_else(String::new, |value| format!(" {word}={value}"))
    };
    said("engine", &options.engine)
        + &said("charset", &options.charset)
        + &said("collate", &options.collation)
        + &said("row-format", &options.row_format)
        + &flag(options.auto_increment, "auto-increment")
        + &options.others.iter().fold(String::new(), |text, word| text + " " + word)
}

fn column(it: &Column) -> String {
    let mut text = format!("{} {}", it.name, it.data_type.name);
    if !it.data_type.arguments.is_empty() {
        write!(text, "({})", it.data_type.arguments.join(",")).expect("a string takes all");
    }
    text += &flag(it.data_type.is_unsigned, "unsigned");
    text += &flag(it.data_type.is_zerofill, "zerofill");
    text += match it.null {
        Some(true) => " null",
        Some(false) => " not-null",
        None => "",
    };
    text += &it.default.as_ref().map_or_else(String::new, |it| format!(" default {}", default(it)));
    text += &flag(it.on_update, "on-update");
    text += &flag(it.auto_increment, "auto-increment");
    text += &it.charset.as_ref().map_or_else(String::new, |it| format!(" charset={it}"));
    text += &it.collation.as_ref().map_or_else(String::new, |it| format!(" collate={it}"));
    text += &flag(it.comment.is_some(), "comment");
    text += match it.generated {
        Some(Generated::Virtual) => " virtual",
        Some(Generated::Stored) => " stored",
        None => "",
    };
    text += &flag(it.is_primary, "primary");
    text += &flag(it.is_unique, "unique");
    text += &it.references.as_ref().map_or_else(String::new, |(_, table)| format!(" references {table}"));
    text += match it.check {
        Some((_, true)) => " named-check",
        Some((_, false)) => " check",
        None => "",
    };
    text += &flag(it.is_invisible, "invisible");
    text + &flag(!it.is_whole, "?")
}

fn default(it: &Default) -> String {
    match it {
        Default::Null => "null".into(),
        Default::Literal(text) => text.clone(),
        Default::Now => "now".into(),
        Default::Expression(_) => "(…)".into(),
    }
}

fn part(it: &Part) -> String {
    let column = it.column.as_deref().unwrap_or("(…)");
    let length = it.length.map(|length| format!("({length})")).unwrap_or_default();
    format!("{column}{length}{}", flag(it.is_descending, "desc"))
}

fn index(it: &Index) -> String {
    format!("{:?} {} [{}]", it.kind, it.name.as_deref().unwrap_or("-"), joined(&it.parts, part, ", "))
}

fn foreign_key(it: &ForeignKey) -> String {
    format!(
        "fk {} [{}] to {} [{}]{}",
        it.name.as_deref().unwrap_or("-"),
        it.columns.join(", "),
        name(&it.parent),
        it.parent_columns.join(", "),
        it.on_delete.as_ref().map_or_else(String::new, |action| format!(" on-delete {action}"))
    )
}

fn check(it: &Check) -> String {
    format!("check {}{}", it.name.as_deref().unwrap_or("-"), flag(!it.is_enforced, "not-enforced"))
}

fn place(place: Option<&Place>) -> String {
    match place {
        None => String::new(),
        Some(Place::First) => " first".into(),
        Some(Place::After(name)) => format!(" after {name}"),
    }
}

fn clause(it: &Clause) -> String {
    match it {
        Clause::AddColumn { column: it, place: at, if_not_exists } => {
            format!("+{}{}{}", column(it), place(at.as_ref()), flag(*if_not_exists, "if-not-exists"))
        }
        Clause::ModifyColumn { column: it, place: at, if_exists } => {
            format!("~{}{}{}", column(it), place(at.as_ref()), flag(*if_exists, "if-exists"))
        }
        Clause::ChangeColumn { old, column: it, place: at, if_exists } => {
            format!("{old} ~ {}{}{}", column(it), place(at.as_ref()), flag(*if_exists, "if-exists"))
        }
        Clause::RenameColumn { old, new } => format!("column {old} to {new}"),
        Clause::DropColumn { name, if_exists } => format!("-{name}{}", flag(*if_exists, "if-exists")),
        Clause::SetDefault { column, default: it } => format!("{column} default {}", default(it)),
        Clause::DropDefault { column } => format!("{column} no default"),
        Clause::ColumnOption { column } => format!("{column} option"),
        Clause::AddIndex { index: it, if_not_exists } => {
            format!("+{}{}", index(it), flag(*if_not_exists, "if-not-exists"))
        }
        Clause::DropIndex { name, if_exists } => format!("-index {name}{}", flag(*if_exists, "if-exists")),
        Clause::DropPrimaryKey => "-primary".into(),
        Clause::RenameIndex { old, new } => format!("index {old} to {new}"),
        Clause::IndexVisibility { name } => format!("index {name} visibility"),
        Clause::AddForeignKey(it) => format!("+{}", foreign_key(it)),
        Clause::DropForeignKey { name, if_exists } => format!("-fk {name}{}", flag(*if_exists, "if-exists")),
        Clause::AddCheck(it) => format!("+{}", check(it)),
        Clause::DropConstraint { name, if_exists } => {
            format!("-constraint {name}{}", flag(*if_exists, "if-exists"))
        }
        Clause::AlterConstraint { name } => format!("constraint {name} altered"),
        Clause::RenameTo(it) => format!("rename to {}", name(it)),
        Clause::Convert { charset, collation } => format!(
            "convert to {} {}",
            charset.as_deref().unwrap_or("-"),
            collation.as_deref().unwrap_or("-")
        ),
        Clause::Options(it) => format!("options{}", options(it)),
        Clause::Algorithm(word) => format!("algorithm {word}"),
        Clause::Lock(word) => format!("lock {word}"),
        Clause::DropPartitions(names) => format!("-partitions {}", names.join(", ")),
        Clause::TruncatePartitions(names) => format!("truncate partitions {}", names.join(", ")),
        Clause::Partitions(verb) => format!("partitions {verb}"),
        Clause::Unknown => "?".into(),
        other => format!("{other:?}"),
    }
}
