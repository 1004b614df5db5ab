//! Where every tenant stands: one line each, what needs an eye last, then how many are where.

mod list;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use super::{
    closing::{push_left_out, push_stopping},
    failure::push_failure,
    lines::push_warning,
    style::{Page, Tone},
    text::{columns, counted, names, padded, title, title_and_database, visible, visible_lines},
};
use crate::{
    event::{Event, Failure, FailureCode, Outcome, Scope},
    migration::Version,
    standing::{Standing, State},
    summary::{COUNTED_STATES, Summary},
    tenant::Label,
};

/// A longer name is cut: the column after it must stay in sight.
const NAME_COLUMNS_MAX: usize = 48;
const N_NAMES_MAX: usize = 10;

/// The standing of a fleet or of one database, told at the end of a run: only then the columns' widths are known.
pub(super) struct Status {
    scope: Scope,
    rows: Vec<Row>,
    n_by_version: BTreeMap<Option<Version>, usize>,
    n_by_state: HashMap<&'static str, usize>,
    n_by_hint: BTreeMap<String, usize>,
}

/// One tenant: a few words of it, so that ten thousand fit.
struct Row {
    attention: Attention,
    name: String,
    database: String,
    version: String,
    state: String,
}

/// How much of an eye a tenant needs: the more, the nearer to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Attention {
    Settled,
    Pending,
    Broken,
    Unreachable,
}

impl Attention {
    fn sign(self) -> &'static str {
        match self {
            Self::Settled => "✅",
            Self::Pending => "🔄",
            Self::Broken | Self::Unreachable => "❌",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Settled => Tone::Good,
            Self::Pending => Tone::Caution,
            Self::Broken | Self::Unreachable => Tone::Bad,
        }
    }
}

impl Status {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            rows: Vec::new(),
            n_by_version: BTreeMap::new(),
            n_by_state: HashMap::new(),
            n_by_hint: BTreeMap::new(),
        }
    }

    /// Takes `event` into account; appends only what cannot wait for the end.
    pub(super) fn observe(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::TenantFinished { tenant, outcome, .. } => match (self.scope, outcome) {
                (Scope::Fleet, Outcome::Failed { failure, .. }) => self.add_failed(tenant, failure),
                (Scope::Fleet, Outcome::Inspected { standing, at_work }) => {
                    self.add(tenant, standing, at_work.as_deref());
                }
                (Scope::Central | Scope::Tenant, Outcome::Failed { failure, .. }) => {
                    push_failure(page, &title_and_database(tenant), failure, &[]);
                }
                (Scope::Central | Scope::Tenant, Outcome::Inspected { standing, at_work }) => {
                    list::push_list(page, tenant, standing, at_work.as_deref());
                }
                _ => {}
            },
            Event::Warning { tenant, message } => {
                push_warning(page, tenant.as_deref(), message);
            }
            Event::Stopping { reason } => push_stopping(page, *reason),
            _ => {}
        }
    }

    /// Appends the table and what it comes to.
    pub(super) fn close(&self, summary: &Summary, page: &mut Page) {
        if self.scope != Scope::Fleet {
            return;
        }
        self.push_table(page);
        self.push_versions(page);
        self.push_totals(summary, page);
    }

    fn add(&mut self, label: &Label, standing: &Standing, at_work: Option<&str>) {
        let counts = COUNTED_STATES.map(|state| (state, standing.count(state)));
        let words: Vec<_> = counts
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|(state, n)| {
                *self.n_by_state.entry(state.as_str()).or_default() += 1;
                format!("{n} {}", state.as_str())
            })
            .collect();
        let attention = match words.len() {
            0 => Attention::Settled,
            _ if standing.versions.iter().all(|v| is_on_its_way(v.state)) => Attention::Pending,
            _ => Attention::Broken,
        };
        let mut state = if words.is_empty() { "up to date".to_owned() } else { words.join(", ") };
        if words.is_empty() {
            *self.n_by_state.entry("up to date").or_default() += 1;
        }
        if let Some(at_work) = at_work {
            state.push_str("; at work: ");
            state.push_str(&visible(at_work));
        }
        for hint in hints(standing, "migrate:tenant TENANT", "migrate:recover TENANT") {
            *self.n_by_hint.entry(hint).or_default() += 1;
        }
        let version = standing.current();
        *self.n_by_version.entry(version).or_default() += 1;
        let version = version.map_or_else(|| "-".to_owned(), |v| v.to_string());
        self.rows.push(Row { attention, version, state, ..Row::of(label) });
    }

    fn add_failed(&mut self, label: &Label, failure: &Failure) {
        let word = match failure.code {
            FailureCode::Connect | FailureCode::ConnectionLost => "unreachable",
            FailureCode::AccessDenied | FailureCode::NoDatabase => "refused",
            FailureCode::Credentials => "no password",
            _ => "unreadable",
        };
        *self.n_by_state.entry(word).or_default() += 1;
        for hint in failure.hint.iter().flat_map(|hint| visible_lines(hint)) {
            *self.n_by_hint.entry(hint.into_owned()).or_default() += 1;
        }
        let message = visible_lines(&failure.message).next().unwrap_or_default().into_owned();
        let state = format!("{word}: {message}");
        self.rows.push(Row { attention: Attention::Unreachable, state, ..Row::of(label) });
    }

    fn push_table(&self, page: &mut Page) {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|a, b| (a.attention, &a.name, &a.database).cmp(&(b.attention, &b.name, &b.database)));
        let width = |head: &str, cell: fn(&Row) -> &str| {
            let widest = self.rows.iter().map(|row| columns(cell(row))).max().unwrap_or_default();
            widest.clamp(columns(head), NAME_COLUMNS_MAX.max(64))
        };
        let name = width("TENANT", |row| &row.name).min(NAME_COLUMNS_MAX);
        let (database, version) =
            (width("DATABASE", |row| &row.database), width("VERSION", |row| &row.version));
        let push_row = |page: &mut Page, sign: &str, cells: [&str; 3], state: &str| {
            let [a, b, c] = cells;
            let cells = [padded(a, name), padded(b, database), padded(c, version)].join("  ");
            page.line(format_args!("{sign} {cells}  {state}"));
        };
        push_row(page, "  ", ["TENANT", "DATABASE", "VERSION"], "STATE");
        for row in rows {
            let state = page.paint.paint(row.attention.tone(), &row.state);
            push_row(page, row.attention.sign(), [&row.name, &row.database, &row.version], &state);
        }
        page.blank();
    }

    fn push_versions(&self, page: &mut Page) {
        if self.n_by_version.is_empty() {
            return;
        }
        let words = |version: &Option<Version>| {
            version.map_or_else(|| "(none)".to_owned(), |version| version.to_string())
        };
        let width = self.n_by_version.keys().map(|v| words(v).len()).max().unwrap_or_default();
        page.toned(Tone::Strong, "Tenants per version");
        let mut counts: Vec<_> = self.n_by_version.iter().collect();
        counts.sort_by_key(|(version, _)| Reverse(**version));
        for (version, n) in counts {
            page.line(format_args!("   {}  {n}", padded(&words(version), width)));
        }
        page.blank();
    }

    fn push_totals(&self, summary: &Summary, page: &mut Page) {
        let failed_words = ["unreachable", "refused", "no password", "unreadable"];
        let states = COUNTED_STATES.map(State::as_str);
        let words: Vec<_> = ["up to date"]
            .into_iter()
            .chain(states)
            .chain(failed_words)
            .filter_map(|word| self.n_by_state.get(word).map(|n| format!("{n} {word}")))
            .collect();
        let tenants = counted(self.rows.len(), "tenant");
        let colon = if words.is_empty() { "" } else { ": " };
        let line = format!("📊 {tenants}{colon}{}", words.join(", "));
        page.toned(Tone::Strong, line);
        push_left_out(page, summary);
        if !summary.not_started.is_empty() {
            let labels = &summary.not_started;
            let why = summary.stop_reason.map(|reason| format!(", {}", reason.as_str())).unwrap_or_default();
            let line = format!("💤 Not looked at{why}: {} ({})", labels.len(), names(labels, N_NAMES_MAX));
            page.toned(Tone::Caution, line);
        }
        for (hint, n) in &self.n_by_hint {
            let line = format!("hint for {}: {hint}", counted(*n, "tenant"));
            page.toned(Tone::Caution, line);
        }
    }
}

/// Whether a version in this state needs nobody's care.
fn is_on_its_way(state: State) -> bool {
    matches!(state, State::Applied | State::Pending | State::Running)
}

/// What to do about what needs care. `run` and `recover` are the commands for the database.
fn hints(standing: &Standing, run: &str, recover: &str) -> Vec<String> {
    let has = |state: State| standing.versions.iter().any(|version| version.state == state);
    let is_refused = |state: State| state != State::Dirty && !is_on_its_way(state);
    let running = has(State::Running).then(|| {
        "somebody is at work on what is running: look again when that connection is done".to_owned()
    });
    let dirty = has(State::Dirty).then(|| {
        format!(
            "`{recover}` says which statements of the dirty one are in the database, and shows the ways on"
        )
    });
    let refused = standing
        .versions
        .iter()
        .any(|version| is_refused(version.state))
        .then(|| format!("`{run} --dry-run` says what stands in the way, and what to do"));
    running.into_iter().chain(dirty).chain(refused).collect()
}

impl Row {
    fn of(label: &Label) -> Self {
        Self {
            attention: Attention::Settled,
            name: format!("{} [{}]", title(label), visible(&label.slug)),
            database: visible(&label.database).into_owned(),
            version: "-".to_owned(),
            state: String::new(),
        }
    }
}
