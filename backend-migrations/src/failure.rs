//! Errors in words for the person at three in the morning: what failed, what is in the database now, what to do next.

use crate::{
    apply::{Aftermath, ApplyError, StatementError},
    event::{Failure, FailureCode},
    migration::Direction,
    plan::Problem,
    seal::OpenError,
    session::{Activity, ConnectError, SessionError, Whose, number},
    sql::{excerpt, without_passwords},
    tenant::Label,
};

/// What to do about a history that is none.
const FOREIGN_TABLE: &str = "`_sqlx_migrations` does not have the columns that sqlx gives it (version, description, installed_on, \
     success, checksum, execution_time): another program's table of that name has to be renamed before anything is applied here";

impl Failure {
    /// A sealed password and nothing to open it with.
    pub fn no_key() -> Self {
        Self {
            code: FailureCode::Credentials,
            message: "the tenant's password is sealed and there is no key".to_owned(),
            at: None,
            excerpt: None,
            state: Some("nothing was changed".to_owned()),
            hint: Some("set `DB_ENCRYPTION_KEY` to the backend's key".to_owned()),
        }
    }
}

impl Failure {
    /// A tenant's row lacks what is in `column`.
    pub fn no_address(column: &str) -> Self {
        Self {
            code: FailureCode::Connect,
            message: format!("the tenant's row in the central database has no usable `{column}`"),
            at: None,
            excerpt: None,
            state: Some("nothing was changed".to_owned()),
            hint: Some(format!("set `{column}` of this tenant in the table `tenants`")),
        }
    }

    /// The work on a tenant ended in a panic that said `what`.
    pub fn fault(what: &str) -> Self {
        Self {
            code: FailureCode::Fault,
            message: format!("a fault of this program ended the work on this tenant: {what}"),
            at: None,
            excerpt: None,
            state: Some(
                "what its history and journal say; a statement that ran in that moment may be there or not".to_owned(),
            ),
            hint: Some(
                "`migrate:status` says whether a migration is half done, and `migrate:recover` finds out what of it is \
                 there\nreport the fault, with the line that standard error has of it"
                    .to_owned(),
            ),
        }
    }

    /// There is no connection to the database called `label`.
    pub fn no_connection(error: &ConnectError, label: &Label) -> Self {
        let state = Some("nothing was changed".to_owned());
        let code = match error {
            ConnectError::AccessDenied { .. } => FailureCode::AccessDenied,
            ConnectError::NoDatabase { .. } => FailureCode::NoDatabase,
            ConnectError::Unreadable { .. } => FailureCode::BadAnswer,
            _ => FailureCode::Connect,
        };
        let whose = if label.id.is_some() { Whose::Tenant } else { Whose::Central };
        let (hint, message) = (error.hint(whose), error.to_string());
        Self { code, message, at: None, excerpt: None, state, hint }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self {
            code: FailureCode::Credentials,
            message: error.to_string(),
            at: None,
            excerpt: None,
            state: Some("nothing was changed".to_owned()),
            hint: Some(error.hint().to_owned()),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let message = match &error {
            // That it was seen while the history was read says nothing.
            ApplyError::Unread(source @ SessionError::SameDatabase { .. }) => source.to_string(),
            error => error.to_string(),
        };
        let untouched = Some("nothing was changed".to_owned());
        let plain =
            |code, state, hint| Self { code, message: message.clone(), at: None, excerpt: None, state, hint };
        match error {
            ApplyError::Plan(error) => {
                let has_no_down = error
                    .problems
                    .iter()
                    .any(|problem| matches!(problem, Problem::NoDown(_) | Problem::EmptyDown(_)));
                let is_changed =
                    error.problems.iter().any(|problem| matches!(problem, Problem::Changed { .. }));
                let code = match error.is_dirty() {
                    true => FailureCode::Dirty,
                    false if is_changed => FailureCode::Changed,
                    false if has_no_down => FailureCode::NoDown,
                    false => FailureCode::Refused,
                };
                plain(code, untouched, error.hint())
            }
            ApplyError::Lock(source) => plain(code(&source, FailureCode::LockHeld), untouched, source.hint()),
            ApplyError::Renew(source) => {
                let hint = match (&source, source.hint()) {
                    (SessionError::Interrupted, Some(again)) => again,
                    (_, Some(mend)) => format!("{mend}\nrun again after that"),
                    (_, None) => "run again".to_owned(),
                };
                plain(code(&source, FailureCode::History), Some(between()), Some(hint))
            }
            ApplyError::Changed => {
                let hint = "`migrate:status` shows where it stands now; run again if there is still something to be done".to_owned();
                plain(FailureCode::Refused, Some(between()), Some(hint))
            }
            ApplyError::Unread(source) => {
                let hint = if matches!(source, SessionError::Server { number: number::BAD_FIELD, .. }) {
                    Some(FOREIGN_TABLE.to_owned())
                } else {
                    source.hint()
                };
                plain(code(&source, FailureCode::History), untouched, hint)
            }
            ApplyError::Unwritten(source) => {
                let state = "no statement was run, because that could not be recorded".to_owned();
                plain(code(&source, FailureCode::History), Some(state), source.hint())
            }
            ApplyError::Statement(error) => statement_failure(*error),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(source: SessionError) -> Self {
        ApplyError::Unread(source).into()
    }
}

/// What is in the database between two migrations of a run.
fn between() -> String {
    "the migrations before this point are complete and recorded; nothing of the next one was begun".to_owned()
}

fn code(error: &SessionError, otherwise: FailureCode) -> FailureCode {
    match error {
        SessionError::Lost { .. }
        | SessionError::Gone { .. }
        | SessionError::NoAnswer { .. }
        | SessionError::Unended { .. }
        | SessionError::Unseen { .. } => FailureCode::ConnectionLost,
        SessionError::Unreadable { .. } => FailureCode::BadAnswer,
        SessionError::TimedOut { .. } | SessionError::Killed { .. } | SessionError::Interrupted => {
            FailureCode::Killed
        }
        SessionError::LockHeld { .. } | SessionError::LockLost | SessionError::LockRefused => {
            FailureCode::LockHeld
        }
        SessionError::SetUp { .. } | SessionError::Settings { .. } => FailureCode::Refused,
        SessionError::Unrenewed { .. } => FailureCode::Connect,
        SessionError::Server { .. } | SessionError::Miscounted { .. } => otherwise,
        SessionError::SameDatabase { .. } => FailureCode::SameDatabase,
    }
}

fn statement_failure(error: StatementError) -> Failure {
    let state = aftermath(&error);
    // A number of steps would count on from where the database is by then.
    let again = match error.direction {
        Direction::Up => "run again",
        Direction::Down => "roll back again with `--to`",
    };
    let hint = match error.aftermath {
        Aftermath::Unclear { .. } | Aftermath::Unrecorded { .. } | Aftermath::Remains { .. } => {
            Some(format!(
                "`migrate:recover` finds out whether statement {} is in the database, and goes on from there",
                error.at.statement
            ))
        }
        Aftermath::Recorded => Some(format!("{again}: it goes on where the database says")),
        Aftermath::Nothing | Aftermath::Partly { .. } => {
            let then = match (&error.source, error.aftermath) {
                (SessionError::Killed { .. }, Aftermath::Nothing) => again.to_owned(),
                (SessionError::Killed { .. }, _) => format!("{again}: it goes on with this statement"),
                (_, Aftermath::Nothing) => format!("{again} after that"),
                _ => format!("{again} after that: it goes on with this statement"),
            };
            Some(match (&error.source, unblock(&error).or_else(|| error.source.hint())) {
                (SessionError::Killed { .. }, _) => then,
                (_, Some(mend)) => format!("{mend}\n{then}"),
                (_, None) => {
                    format!("mend the statement in the file, or what differs in this database\n{then}")
                }
            })
        }
    };
    Failure {
        code: code(&error.source, FailureCode::Statement),
        message: message(&error),
        excerpt: Some(excerpt(&without_passwords(&error.text), 100)),
        at: Some(error.at),
        state: Some(state),
        hint,
    }
}

/// What the server said, how often, and who was in the way.
fn message(error: &StatementError) -> String {
    let tries = match error.n_tries {
        1 => String::new(),
        n => format!(" ({n} tries)"),
    };
    let blockage = error.blockage.as_ref().map(|blockage| format!("\nit waited for {blockage}"));
    format!("{}{tries}{}", error.source, blockage.unwrap_or_default())
}

/// How to get past whoever holds a lock.
fn unblock(error: &StatementError) -> Option<String> {
    let blockage = error.blockage.as_ref()?;
    let end = match blockage.blockers.first() {
        Some(Activity { connection_id, .. }) => format!(
            "wait for that transaction to end, or raise `--lock-wait`; if nobody needs it any more, `KILL {connection_id}` ends it"
        ),
        None => error.source.hint()?,
    };
    let see = blockage.missing.map(|missing| {
        format!("\nan account with {missing} in `TENANT_ADMIN_URL` is used to see who holds a lock")
    });
    Some(end + &see.unwrap_or_default())
}

fn aftermath(error: &StatementError) -> String {
    let total = error.at.n_statements;
    let verb = if error.direction == Direction::Up { "applied" } else { "undone" };
    let committed = |n: usize| match n {
        0 => "no statement of this file is committed".to_owned(),
        1 => format!("statement 1 of {total} is committed"),
        n => format!("statements 1 to {n} of {total} are committed"),
    };
    match error.aftermath {
        Aftermath::Nothing => {
            format!("nothing of this file is in the database; the migration counts as not {verb}")
        }
        Aftermath::Partly { n_finished } => {
            format!("{} and recorded; the rest is not; the migration is half {verb}", committed(n_finished))
        }
        Aftermath::Unclear { n_finished } => {
            format!("{}; whether statement {} is too is not known", committed(n_finished), error.at.statement)
        }
        Aftermath::Remains { n_finished } => {
            let next = n_finished + 1;
            let since = if next == error.at.statement {
                format!("statement {next} was rolled back")
            } else {
                format!("statements {next} to {} were rolled back", error.at.statement)
            };
            format!(
                "{}; {since}, but for what it changed in tables without transactions (MyISAM, Aria, MEMORY), and how much that \
                 is is not known",
                committed(n_finished)
            )
        }
        Aftermath::Unrecorded { n_finished } => {
            format!("{}, but that could not be recorded", committed(n_finished))
        }
        Aftermath::Recorded => {
            "this statement is committed together with its record, or neither is".to_owned()
        }
    }
}
