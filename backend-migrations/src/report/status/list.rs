//! Every version of one database.

use std::time::Duration;

use super::hints;
use crate::{
    report::{
        style::{Page, Tone},
        text::{columns, padded, title, took, visible},
    },
    standing::{Standing, State, VersionStanding},
    summary::COUNTED_STATES,
    tenant::Label,
};

/// Appends where each version stands, and how many are where.
pub(super) fn push_list(page: &mut Page, label: &Label, standing: &Standing, at_work: Option<&str>) {
    let (database, server) = (visible(&label.database), label.server.to_string());
    let head = match label.id {
        Some(_) => {
            format!("📋 {} [{}]: {database} on {}", title(label), visible(&label.slug), visible(&server))
        }
        None => format!("📋 {}: {database} on {}", title(label), visible(&server)),
    };
    page.toned(Tone::Strong, head);
    page.blank();
    push_versions(page, &standing.versions);
    let states = std::iter::once(State::Applied).chain(COUNTED_STATES);
    let counts = states.map(|state| (state, standing.count(state)));
    let words: Vec<_> =
        counts.filter(|(_, n)| *n > 0).map(|(state, n)| format!("{n} {}", state.as_str())).collect();
    let words = if words.is_empty() { "no migrations".to_owned() } else { words.join(", ") };
    page.line(format_args!("📊 {words}"));
    if let Some(at_work) = at_work {
        page.toned(Tone::Caution, format_args!("🔄 running: {}", visible(at_work)));
    }
    let slug = visible(&label.slug);
    let (run, recover) = match label.id {
        Some(_) => (format!("migrate:tenant {slug}"), format!("migrate:recover {slug}")),
        None => ("migrate:latest".to_owned(), "migrate:recover --central".to_owned()),
    };
    for hint in hints(standing, &run, &recover) {
        page.toned(Tone::Caution, format_args!("hint: {hint}"));
    }
}

fn push_versions(page: &mut Page, versions: &[VersionStanding]) {
    if versions.is_empty() {
        return;
    }
    let mut table = vec![["VERSION", "NAME", "STATE", "APPLIED AT (UTC)"].map(str::to_owned)];
    table.extend(versions.iter().map(|v| {
        let name = visible(&v.description).into_owned();
        [v.version.to_string(), name, v.state.as_str().to_owned(), applied_at(v.installed_on_s)]
    }));
    let widths: Vec<_> =
        (0..4).map(|i| table.iter().map(|row| columns(&row[i])).max().unwrap_or_default()).collect();
    let lasted =
        std::iter::once("TOOK".to_owned()).chain(versions.iter().map(|v| lasted(v.execution_time_ns)));
    let tones = std::iter::once(Tone::Strong).chain(versions.iter().map(|v| tone(v.state)));
    for ((row, lasted), tone) in table.iter().zip(lasted).zip(tones) {
        let cell = |i: usize| padded(&row[i], widths[i]);
        let state = page.paint.paint(tone, cell(2));
        page.line(format_args!("{}  {}  {state}  {}  {lasted}", cell(0), cell(1), cell(3)));
    }
    page.blank();
}

fn tone(state: State) -> Tone {
    match state {
        State::Applied => Tone::Good,
        State::Pending | State::Running => Tone::Caution,
        State::OutOfOrder | State::Dirty | State::Modified | State::Missing | State::Ahead => Tone::Bad,
    }
}

fn applied_at(seconds: Option<i64>) -> String {
    let time = seconds.and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn lasted(nanoseconds: Option<i64>) -> String {
    let span = nanoseconds.and_then(|ns| u64::try_from(ns).ok()).map(Duration::from_nanos);
    span.map_or_else(|| "-".to_owned(), took)
}
