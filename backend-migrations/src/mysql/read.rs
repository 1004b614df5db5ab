//! The rows of the books' queries, made into what they say.

use sqlx::{Row as _, mysql::MySqlRow};

use super::{
    books::{JournalRow, StatementRow, progress},
    server_error::session_error,
};
use crate::{
    history::{Glance, GlanceRow, History, HistoryRow, Untransacted},
    migration::Version,
    session::{SessionError, number::NO_SUCH_TABLE},
};

/// Each row, read by `parse`.
fn each<T>(
    rows: &[MySqlRow],
    parse: impl Fn(&MySqlRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, SessionError> {
    rows.iter().map(parse).collect::<Result<_, _>>().map_err(|error| session_error(&error))
}

/// Of [`super::books::SELECT_GLANCE`].
pub(super) fn glance(rows: &[MySqlRow]) -> Result<Glance, SessionError> {
    let rows = each(rows, |row| {
        Ok(GlanceRow {
            version: Version(row.try_get(0)?),
            success: row.try_get::<i64, _>(1)? != 0,
            checksum: row.try_get(2)?,
        })
    })?;
    Ok(Glance { rows })
}

/// Of [`super::books::SELECT_HISTORY`].
pub(super) fn history_rows(rows: &[MySqlRow]) -> Result<Vec<HistoryRow>, SessionError> {
    each(rows, |row| {
        Ok(HistoryRow {
            version: Version(row.try_get(0)?),
            description: row.try_get(1)?,
            success: row.try_get::<i64, _>(2)? != 0,
            checksum: row.try_get(3)?,
            execution_time_ns: row.try_get(4)?,
            installed_on_s: row.try_get::<Option<i64>, _>(5)?.unwrap_or_default(),
        })
    })
}

/// Of [`super::books::SELECT_JOURNAL`], which ended with `result`.
pub(super) fn journal(
    history: &mut History,
    sets: &[Vec<MySqlRow>],
    result: Result<(), SessionError>,
) -> Result<(), SessionError> {
    history.has_journal = match result {
        Err(SessionError::Server { number: NO_SUCH_TABLE, .. }) => false,
        result => result.map(|()| true)?,
    };
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    let scripts = each(sets.first().map_or(&[], Vec::as_slice), |row| {
        Ok(JournalRow {
            version: Version(row.try_get(0)?),
            direction: row.try_get(1)?,
            n_statements: count(row.try_get(2)?),
            finished: row.try_get(3)?,
            running: row.try_get::<Option<i64>, _>(4)?.map(count),
            error: row.try_get(5)?,
        })
    })?;
    let statements = each(sets.get(1).map_or(&[], Vec::as_slice), |row| {
        Ok(StatementRow {
            version: Version(row.try_get(0)?),
            direction: row.try_get(1)?,
            statement: count(row.try_get(2)?),
            digest: row.try_get(3)?,
        })
    })?;
    history.progress = progress(&scripts, &statements);
    Ok(())
}

/// Of [`super::books::SELECT_UNTRANSACTED`].
pub(super) fn untransacted(rows: &[MySqlRow]) -> Result<Untransacted, SessionError> {
    let rows = each(rows, |row| Ok((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?)))?;
    let is_default = rows.iter().any(|(what, _)| what == "default");
    let mut found = Untransacted { is_default, ..Untransacted::default() };
    if rows.iter().any(|(what, _)| what == "table") {
        found.names = rows.into_iter().filter(|(what, _)| what != "default").map(|(_, name)| name).collect();
    }
    Ok(found)
}
