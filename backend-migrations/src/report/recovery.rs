//! What was left half done, statement by statement with the evidence, and the ways on.

use std::sync::Arc;

use super::{
    closing::{push_failures, push_left_out, push_stopping},
    failure::{push_failure, push_failure_briefly},
    lines::push_warning,
    style::{Page, Tone},
    text::{columns, counted, names, padded, title, title_and_database, visible, visible_lines},
};
use crate::{
    diagnosis::{Diagnosis, ObjectName, Offer, Position, Presence, Way},
    event::{Event, Outcome, Scope, Settled},
    migration::Direction,
    sql::excerpt,
    summary::Summary,
    tenant::{Label, SharedLabel, TenantStatus},
};

const N_EXCERPT_CHARS_MAX: usize = 48;
const N_NAMES_MAX: usize = 10;

/// The lines of a recovery.
pub(super) struct Recovery {
    scope: Scope,
    is_dry_run: bool,
    /// What was found in a fleet, the same with several tenants only once.
    cases: Vec<Case>,
}

/// What one or more tenants have of a migration.
struct Case {
    tenants: Vec<SharedLabel>,
    diagnosis: Arc<Diagnosis>,
    offers: Vec<Offer>,
    asked: Option<Way>,
    /// All of it in words, without the names in which tenants differ.
    words: String,
}

impl Recovery {
    pub(super) fn new(scope: Scope, is_dry_run: bool) -> Self {
        Self { scope, is_dry_run, cases: Vec::new() }
    }

    /// Appends what `event` has to say.
    pub(super) fn observe(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::RolloutStarted { n_tenants, coverage, .. } if self.scope == Scope::Fleet => {
                let is_active = matches!(coverage.statuses.as_slice(), [] | [TenantStatus::Active]);
                let tenants = counted(*n_tenants, if is_active { "active tenant" } else { "tenant" });
                let line = format!("🩺 Looking for half-done migrations in {tenants}...");
                page.toned(Tone::Strong, line);
                page.blank();
            }
            Event::MigrationDiagnosed { tenant, diagnosis, offers, asked } => {
                let known = if self.scope == Scope::Fleet {
                    self.sort(tenant, diagnosis, offers, *asked)
                } else {
                    None
                };
                match known {
                    // Told at the end, with all whom it is said of.
                    _ if self.is_of_many() => {}
                    Some(first) => {
                        let line = format_args!(
                            "🩺 {}: {} is as with {}",
                            title_and_database(tenant),
                            diagnosis.version,
                            title(&first)
                        );
                        page.toned(Tone::Strong, line);
                        page.blank();
                    }
                    None => {
                        push_diagnosis(page, &title_and_database(tenant), diagnosis, offers);
                        self.push_choice(page, &whose(tenant), diagnosis, offers, *asked);
                        page.blank();
                    }
                }
            }
            Event::Waiting { tenant, for_what, .. } => {
                page.toned(Tone::Quiet, format_args!("   ⏳ {}: {}", title(tenant), visible(for_what)));
            }
            Event::StatementStarted { at, .. } => {
                let (file, line) = (visible(&at.file_name), at.line);
                let line = format!("   🔄 {file}:{line}, statement {} of {}", at.statement, at.n_statements);
                page.toned(Tone::Quiet, line);
            }
            Event::MigrationSettled { tenant, settled } => push_settled(page, tenant, settled),
            Event::Warning { tenant, message } => push_warning(page, tenant.as_deref(), message),
            Event::Stopping { reason } => push_stopping(page, *reason),
            Event::TenantFinished { tenant, outcome, .. } => self.push_outcome(page, tenant, outcome),
            _ => {}
        }
    }

    /// Appends what the run came to.
    pub(super) fn close(&self, summary: &Summary, page: &mut Page) {
        if self.scope != Scope::Fleet {
            return;
        }
        if self.is_of_many() {
            for case in &self.cases {
                let (tenants, whose) = match &*case.tenants {
                    [only] => (title_and_database(only), whose(only)),
                    many => {
                        let tenants = counted(many.len(), "tenant");
                        (format!("{tenants} ({})", names(many, N_NAMES_MAX)), "--all-tenants".to_owned())
                    }
                };
                push_diagnosis(page, &tenants, &case.diagnosis, &case.offers);
                self.push_choice(page, &whose, &case.diagnosis, &case.offers, case.asked);
                page.blank();
            }
        }
        push_failures(page, summary);
        let counts = [
            (summary.n_up_to_date, "with nothing half done"),
            (summary.n_migrated, "settled"),
            (summary.n_unsettled, "still half done"),
            (summary.failed.len(), "failed"),
        ];
        let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        page.toned(Tone::Strong, format_args!("📊 {}: {counts}", counted(summary.n_tenants, "tenant")));
        push_left_out(page, summary);
        let not_looked_at: Vec<_> = summary.stopped.iter().chain(&summary.not_started).cloned().collect();
        if !not_looked_at.is_empty() {
            let names = names(&not_looked_at, N_NAMES_MAX);
            page.toned(Tone::Caution, format_args!("💤 Not settled: {} ({names})", not_looked_at.len()));
        }
    }

    /// Whether what is found is told at the end: nobody is asked meanwhile.
    fn is_of_many(&self) -> bool {
        self.scope == Scope::Fleet && self.is_dry_run
    }

    /// Puts a finding with those that are the same; gives the first tenant it was found with, if another has it already.
    fn sort(
        &mut self,
        tenant: &SharedLabel,
        diagnosis: &Arc<Diagnosis>,
        offers: &[Offer],
        asked: Option<Way>,
    ) -> Option<SharedLabel> {
        // Servers name databases in their errors.
        let words = format!("{diagnosis:?}{offers:?}").replace(&*tenant.database, "the database");
        if let Some(case) = self.cases.iter_mut().find(|case| case.words == words) {
            case.tenants.push(tenant.clone());
            return case.tenants.first().cloned();
        }
        let (tenants, diagnosis, offers) = (vec![tenant.clone()], Arc::clone(diagnosis), offers.to_vec());
        self.cases.push(Case { tenants, diagnosis, offers, asked, words });
        None
    }

    fn push_outcome(&self, page: &mut Page, label: &Label, outcome: &Outcome) {
        let title = title(label);
        match outcome {
            Outcome::UpToDate if self.scope == Scope::Fleet => return,
            Outcome::UpToDate => page.toned(Tone::Good, format_args!("✅ {title}: Nothing is half done")),
            Outcome::Diagnosed { .. } if self.is_of_many() => return,
            Outcome::Diagnosed { n_dirty, settled } => {
                let are = if *n_dirty == 1 { "is" } else { "are" };
                let migrations = counted(*n_dirty, "migration");
                let changed = if settled.is_empty() { "; nothing was changed" } else { "" };
                let line = format!("🩺 {title}: {migrations} {are} still half done{changed}");
                page.toned(Tone::Caution, line);
            }
            Outcome::SameDatabase { why } => {
                page.toned(Tone::Caution, format_args!("⏭️  {title}: Not looked at again: {}", visible(why)));
            }
            Outcome::Failed { done, failure } if self.scope == Scope::Fleet => {
                push_failure_briefly(page, &title, failure, done);
            }
            Outcome::Failed { done, failure } => push_failure(page, &title, failure, done),
            Outcome::Stopped { .. } => {
                page.toned(Tone::Caution, format_args!("🛑 {title}: Stopped before anything was changed"));
            }
            Outcome::Recovered { .. }
            | Outcome::Migrated { .. }
            | Outcome::Planned { .. }
            | Outcome::Inspected { .. } => return,
        }
        page.blank();
    }

    /// Appends what a run that changes nothing would do, or what has to be chosen.
    fn push_choice(
        &self,
        page: &mut Page,
        whose: &str,
        diagnosis: &Diagnosis,
        offers: &[Offer],
        asked: Option<Way>,
    ) {
        let is_open = |offer: &&Offer| offer.objection.is_none();
        let open: Vec<_> = offers.iter().filter(is_open).map(|offer| offer.way.as_str()).collect();
        let hint = match (asked, &*open) {
            (Some(way), _) if self.is_dry_run => {
                // What stands against it is the tenant's failure.
                let is_asked = |offer: &&Offer| offer.way == way && offer.objection.is_none();
                if !offers.iter().any(|offer| is_asked(&offer)) {
                    return;
                }
                format!("--{} is what would be done; this run changes nothing", way.as_str())
            }
            (Some(_), _) | (None, []) => return,
            (None, [first, others @ ..]) => {
                let command = format!("`migrate:recover {whose} {} --{first}`", diagnosis.version);
                match others {
                    [] => format!("{command} goes the one that is open"),
                    others => {
                        format!("one has to be chosen: {command}, or with `--{}`", others.join("`, `--"))
                    }
                }
            }
        };
        push_indented(page, Tone::Caution, "hint: ", &hint);
    }
}

fn push_settled(page: &mut Page, label: &Label, settled: &Settled) {
    let did = match settled.way {
        Way::Resume => "the rest was run",
        Way::Undo => "what was there is undone",
        Way::MarkApplied | Way::MarkNotApplied => "declared",
    };
    let now = if settled.is_applied { "it is applied" } else { "it is not applied" };
    let (title, version, description) = (title(label), settled.version, visible(&settled.description));
    page.toned(Tone::Good, format_args!("✅ {title}: {version} ({description}): {did}; {now}"));
    page.blank();
}

/// How a command line names a database.
fn whose(label: &Label) -> String {
    match label.id {
        Some(_) => visible(&label.slug).into_owned(),
        None => "--central".to_owned(),
    }
}

fn push_diagnosis(page: &mut Page, whose: &str, diagnosis: &Diagnosis, offers: &[Offer]) {
    let (version, description) = (diagnosis.version, visible(&diagnosis.description));
    let half = match diagnosis.direction {
        Direction::Up => "half applied",
        Direction::Down => "half undone: a revert of it failed",
    };
    page.toned(Tone::Strong, format_args!("🩺 {whose}: {version} ({description}) is {half}"));
    page.line(format_args!("   {}: {}", visible(&diagnosis.file_name), position(diagnosis)));
    page.blank();
    push_statements(page, diagnosis);
    let doubts = diagnosis.doubts.iter().chain(&diagnosis.contradiction).map(|doubt| ("doubt", doubt));
    let remarks: Vec<_> = doubts.chain(diagnosis.notes.iter().map(|note| ("note", note))).collect();
    for (sign, sentence) in &remarks {
        push_indented(page, Tone::Caution, &format!("{sign}: "), sentence);
    }
    if let Some(difference) = &diagnosis.difference {
        page.line("   how the schema (`+`) differs from the nearest of the states (`-`):");
        for line in visible_lines(difference) {
            let tone = match line.chars().next() {
                Some('-') => Tone::Bad,
                Some('+') => Tone::Good,
                _ => Tone::Quiet,
            };
            page.line(format_args!("   | {}", page.paint.paint(tone, line)));
        }
    }
    if diagnosis.difference.is_some() || !remarks.is_empty() {
        page.blank();
    }
    page.line("   The ways on:");
    for offer in offers {
        push_offer(page, diagnosis, offer);
    }
    if let Some(hint) = diagnosis.hint() {
        push_indented(page, Tone::Caution, "hint: ", &hint);
    }
}

fn position(diagnosis: &Diagnosis) -> String {
    let n = diagnosis.statements.len();
    match &diagnosis.position {
        Position::After(0) => format!("nothing of its {} is in the database", counted(n, "statement")),
        Position::After(finished) if *finished == n => match n {
            1 => "its one statement is in the database".to_owned(),
            _ => format!("all of its {n} statements are in the database"),
        },
        Position::After(finished) => {
            let are = if *finished == 1 { "is" } else { "are" };
            format!("{finished} of {} {are} in the database", counted(n, "statement"))
        }
        Position::Partly { statement, done, missing } => {
            let objects = |of: &[ObjectName]| {
                let names = of.iter().map(|(kind, name)| format!("{kind} `{}`", visible(name)));
                names.collect::<Vec<_>>().join(", ")
            };
            let rest = match &**missing {
                [] => String::new(),
                missing => format!(", not of {}", objects(missing)),
            };
            format!("statement {} of {n} is there in part: of {}{rest}", statement + 1, objects(done))
        }
        Position::OneOf(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(usize::to_string).collect();
            let statements = counted(n, "statement");
            format!("of its {statements} {} may be in the database", numbers.join(" or "))
        }
        Position::Unlike { nearest } => {
            let statements = counted(n, "statement");
            format!(
                "the schema is as after none of its {statements}; it is nearest to what it is after {nearest}"
            )
        }
    }
}

fn push_statements(page: &mut Page, diagnosis: &Diagnosis) {
    let rows: Vec<_> = diagnosis.statements.iter().enumerate().collect();
    let texts: Vec<_> = rows.iter().map(|(_, judged)| excerpt(&judged.text, N_EXCERPT_CHARS_MAX)).collect();
    let text_width = texts.iter().map(|text| columns(text)).max().unwrap_or_default().max("STATEMENT".len());
    let push =
        |page: &mut Page, number: &str, line: &str, presence: &str, tone, text: &str, evidence: &str| {
            let presence = page.paint.paint(tone, padded(presence, 8));
            let text = padded(text, text_width);
            page.line(format_args!("   {number:>3}  {line:>5}  {presence}  {text}  {evidence}"));
        };
    push(page, "#", "LINE", "THERE?", Tone::Quiet, "STATEMENT", "HOW THAT IS KNOWN");
    for ((index, judged), text) in rows.into_iter().zip(&texts) {
        let tone = match judged.presence {
            Presence::Yes => Tone::Good,
            Presence::No | Presence::Nothing => Tone::Quiet,
            Presence::Partly | Presence::Unclear => Tone::Caution,
        };
        let word = if judged.presence == Presence::Nothing { "-" } else { judged.presence.as_str() };
        let (number, line) = ((index + 1).to_string(), judged.line.to_string());
        push(page, &number, &line, word, tone, text, &judged.evidence.to_string());
    }
    page.blank();
}

fn push_offer(page: &mut Page, diagnosis: &Diagnosis, offer: &Offer) {
    let what = match (offer.way, diagnosis.direction) {
        (Way::Resume, Direction::Up) => "run the rest",
        (Way::Resume, Direction::Down) => "run the rest of the revert",
        (Way::Undo, Direction::Up) => "undo what is there",
        (Way::Undo, Direction::Down) => "apply again what the revert has undone",
        (Way::MarkApplied, _) => "declare it applied",
        (Way::MarkNotApplied, _) => "declare it not applied",
    };
    let flag = offer.way.as_str();
    match &offer.objection {
        Some(objection) => {
            let force = if offer.may_be_forced { " (`--force` does it all the same)" } else { "" };
            let doubt = diagnosis.doubts.first().or(diagnosis.contradiction.as_ref());
            let objection =
                if doubt == Some(objection) { "the doubt above stands against it" } else { objection };
            push_indented(
                page,
                Tone::Quiet,
                &format!("✗ --{flag}, {what}: "),
                &format!("{objection}{force}"),
            );
        }
        None => page.toned(Tone::Good, format_args!("   ✓ --{flag}, {what}")),
    }
    for sql in &offer.sql {
        for line in visible_lines(&format!("{sql};")) {
            page.toned(Tone::Quiet, format_args!("     | {line}"));
        }
    }
}

/// Appends a sentence that may have several lines, the later ones further in.
fn push_indented(page: &mut Page, tone: Tone, head: &str, sentence: &str) {
    for (index, line) in visible_lines(sentence).enumerate() {
        let head = if index == 0 { format!("   {head}") } else { "     ".to_owned() };
        page.toned(tone, format_args!("{head}{line}"));
    }
}
