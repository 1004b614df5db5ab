//! Views, triggers, routines, events, sequences.

use super::{
    super::change::{Object, ObjectKind},
    cursor::Cursor,
};
use crate::tenant::Flavour;

/// The word for one of them.
pub(super) fn kind(cursor: &mut Cursor<'_>) -> Option<ObjectKind> {
    let start = cursor.place();
    let (_, kind) = ObjectKind::ALL.into_iter().find(|(word, _)| cursor.eat(&[word]))?;
    if kind == ObjectKind::Sequence {
        cursor.only(Flavour::MariaDb, "SEQUENCE", start);
    }
    Some(kind)
}

/// What stands after `CREATE [OR REPLACE]` or `ALTER`.
pub(super) fn create(cursor: &mut Cursor<'_>, or_replace: bool) -> Option<Object> {
    if cursor.eat(&["ALGORITHM"]) {
        cursor.eat_symbol("=");
        cursor.skip();
    }
    let definer = cursor.definer();
    if cursor.eat(&["SQL", "SECURITY"]) {
        cursor.skip();
    }
    cursor.eat(&["AGGREGATE"]);
    let kind = kind(cursor)?;
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name()?;
    let mut object = Object { kind, name, or_replace, if_not_exists, definer, table: None, columns: None };
    match kind {
        ObjectKind::Trigger if cursor.find_any(&["ON"]) => {
            cursor.skip();
            object.table = cursor.name();
        }
        ObjectKind::View => object.columns = view_columns(cursor),
        _ => {}
    }
    cursor.skip_rest();
    Some(object)
}

/// The columns of `[(names)] AS SELECT …`, in lower case; `None` where the text does not name each.
fn view_columns(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    if let Some(mut group) = cursor.group() {
        let names: Option<Vec<_>> = group.items().iter_mut().map(Cursor::identifier).collect();
        return names.map(|names| names.iter().map(|name| name.to_lowercase()).collect());
    }
    cursor.eat(&["AS"]).then_some(())?;
    cursor.eat(&["SELECT"]).then_some(())?;
    while cursor.eat_any(&["DISTINCT", "ALL", "STRAIGHT_JOIN", "SQL_NO_CACHE", "HIGH_PRIORITY"]) {}
    let mut selected = cursor.clone();
    let mut rest = cursor.clone();
    let selected = if rest.find_any(&["FROM", "UNION", "EXCEPT", "INTERSECT"]) {
        selected.up_to(&rest).items()
    } else {
        selected.items()
    };
    selected.into_iter().map(|mut item| selected_name(&mut item)).collect()
}

fn selected_name(item: &mut Cursor<'_>) -> Option<String> {
    let mut last = None;
    let mut is_alias = false;
    let mut n_words = 0_usize;
    let mut has_other = false;
    while !item.is_done() {
        if item.is("AS") {
            item.skip();
            is_alias = true;
        } else if item.group().is_some() {
            has_other = true;
        } else if item.is_symbol(".") {
            item.skip();
        } else if let Some(name) = item.identifier() {
            n_words += 1;
            last = Some(name);
        } else {
            has_other = true;
            item.skip();
        }
    }
    // `t.c`, or anything with `AS name`; an expression without a name is named by the server.
    (is_alias || !has_other && n_words <= 3).then_some(last?.to_lowercase())
}
