//! Databases that are made for a proof and gone after it.
//!
//! They may be on any server on which an account may make databases: a throwaway one, or the tenants' own. Their names
//! begin as nobody else's do, and what a killed run leaves is removed by the next.

use std::{collections::BTreeSet, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    apply::{self, Applied, ApplyError, Work},
    entropy::{self, EntropyError},
    event::{Events, MigrationDone},
    migration::MigrationSet,
    mysql::{Inspector, MySqlConnector, MySqlSession, SCRATCH_PREFIX},
    plan::{Goal, PlanOptions},
    schema::{ServerVersion, Snapshot},
    session::{Connect as _, ConnectError, SessionError, TenantSession, number},
    tenant::{Label, SharedLabel, Target},
};

/// Why a scratch database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// There is no connection.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// It is not there.
    #[error("the scratch database cannot be made: {0}")]
    Unmade(#[source] SessionError),
    /// A session on it is not as it must be.
    #[error("the scratch database cannot be set up: {0}")]
    NotSetUp(#[source] SessionError),
    /// Its schema or rows were not read.
    #[error("the scratch database cannot be looked at: {0}")]
    Unseen(#[source] SessionError),
    /// It has not the rows that it was to have.
    #[error("the scratch database cannot be filled: {0}")]
    Unfilled(#[source] SessionError),
    /// It has not forgotten what was applied to it.
    #[error("the scratch database cannot be emptied: {0}")]
    Unemptied(#[source] SessionError),
    /// It has not the schema that it was to have again.
    #[error("the scratch database cannot be put in order: {0}")]
    Unrepaired(#[source] SessionError),
    /// It may still be there.
    #[error("the scratch database cannot be removed: {0}")]
    Unremoved(#[source] SessionError),
    /// There is no name for it.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Migrations could not be applied to it or undone in it.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl ScratchError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unmade(source)
            | Self::NotSetUp(source)
            | Self::Unseen(source)
            | Self::Unfilled(source)
            | Self::Unemptied(source)
            | Self::Unrepaired(source)
            | Self::Unremoved(source) => match source {
                SessionError::Server { number, .. } if number::is_database_denied(*number) => {
                    Some("the account needs the right to make databases whose names begin with `_backend_migrations_scratch_`".into())
                }
                source => source.hint(),
            },
            Self::Connect(_) | Self::Entropy(_) | Self::Apply(_) => None,
        }
    }
}

/// A run that makes scratch databases: a word that the names of all of them share, so that they are found wherever it
/// stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run(u64);

impl Run {
    /// One that no other is.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where the operating system gives no random bytes.
    pub fn new() -> Result<Self, EntropyError> {
        Ok(Self(half(entropy::random_iv()?)))
    }

    /// How the names of its databases begin.
    fn prefix(self) -> String {
        format!("{SCRATCH_PREFIX}{:016x}", self.0)
    }
}

/// Half of some random bytes is random enough for a name.
fn half(bytes: [u8; 16]) -> u64 {
    let [first, ..] = bytes.as_chunks::<8>().0 else { return 0 };
    u64::from_be_bytes(*first)
}

/// Removes all that `run` has on `server`, and kills what is at work in it: for a run that was given up in the middle,
/// whose futures are dropped. Gives how many databases that was.
///
/// # Errors
///
/// [`ScratchError::Connect`] and [`ScratchError::Unremoved`]; what is left then, [`sweep`] finds later.
pub async fn abandon(connector: &MySqlConnector, server: &Target, run: Run) -> Result<usize, ScratchError> {
    let mut inspector = connector.inspect(&in_database(server, "")).await?;
    let result = inspector.abandon_databases(&run.prefix()).await;
    inspector.close().await;
    result.map_err(ScratchError::Unremoved)
}

/// A database of its own. [`Scratch::remove`] it on every path; what cannot be removed, [`sweep`] finds.
#[derive(Debug)]
pub struct Scratch {
    connector: MySqlConnector,
    target: Target,
    server: ServerVersion,
    names_have_case: bool,
    inspector: Inspector,
}

/// Removes what killed runs have left on `server`; gives how many databases that was.
///
/// # Errors
///
/// [`ScratchError::Connect`] and [`ScratchError::Unremoved`].
pub async fn sweep(connector: &MySqlConnector, server: &Target) -> Result<usize, ScratchError> {
    let mut inspector = connector.inspect(&in_database(server, "")).await?;
    let result = inspector.sweep_databases().await;
    inspector.close().await;
    result.map_err(ScratchError::Unremoved)
}

impl Scratch {
    /// Makes one for `run` with the account of `server`, whose own database does not matter. `options` is a
    /// [`Snapshot::options`]; `None` stands for what a provisioned tenant's database has.
    ///
    /// # Errors
    ///
    /// Each variant of [`ScratchError`] but the last.
    pub async fn create(
        connector: &MySqlConnector,
        server: &Target,
        run: Run,
        options: Option<&str>,
    ) -> Result<Self, ScratchError> {
        let name = format!("{}{:016x}", run.prefix(), half(entropy::random_iv()?));
        let mut inspector = connector.inspect(&in_database(server, "")).await?;
        match inspector.make_database(&name, options).await {
            Ok((version, names_have_case)) => {
                let (connector, target) = (connector.clone(), in_database(server, &name));
                Ok(Self { connector, target, server: version, names_have_case, inspector })
            }
            Err(source) => {
                inspector.close().await;
                Err(ScratchError::Unmade(source))
            }
        }
    }

    /// How it is called in events and messages.
    pub fn label(&self) -> &SharedLabel {
        &self.target.label
    }

    /// What its server says it is.
    pub fn server(&self) -> ServerVersion {
        self.server
    }

    /// Whether `users` and `Users` are two tables there (`lower_case_table_names`).
    pub fn names_have_case(&self) -> bool {
        self.names_have_case
    }

    /// A session of its own in this database, as a migration has one.
    ///
    /// # Errors
    ///
    /// Those of logging in.
    pub async fn session(&self) -> Result<MySqlSession, ConnectError> {
        self.connector.connect(self.target.clone()).await
    }

    /// Another connection that looks at it.
    ///
    /// # Errors
    ///
    /// Those of logging in.
    pub async fn inspect(&self) -> Result<Inspector, ConnectError> {
        self.connector.inspect(&self.target).await
    }

    /// Brings it to `goal` by the one executor, on a session of its own; gives what was done.
    ///
    /// # Errors
    ///
    /// [`ScratchError::Connect`] and [`ScratchError::Apply`].
    pub async fn apply_to(&self, set: &MigrationSet, goal: Goal) -> Result<Vec<MigrationDone>, ScratchError> {
        let mut session = self.session().await?;
        let result = self.apply_on(&mut session, set, goal).await;
        session.close().await;
        Ok(result?)
    }

    /// As [`Self::apply_to`], on a session that is given: one that [`Self::session`] gave, or something around it.
    ///
    /// # Errors
    ///
    /// What the executor says.
    pub async fn apply_on<S: TenantSession>(
        &self,
        session: &mut S,
        set: &MigrationSet,
        goal: Goal,
    ) -> Result<Vec<MigrationDone>, ApplyError> {
        // Nobody listens.
        let (events, _) = Events::channel();
        let options = PlanOptions { goal, allow_out_of_order: false, allow_existing_tables: true };
        let stop = CancellationToken::new();
        let work = Work { set, options: &options, tenant: self.label(), events: &events, stop: &stop };
        let mut done = Vec::new();
        match Box::pin(apply::apply(session, work, &mut done)).await? {
            Applied::Complete => Ok(done),
            Applied::Stopped { .. } => unreachable!("nobody else has the token that stops it"),
        }
    }

    /// Runs one statement as a migration's session would; gives the number of rows it touched.
    ///
    /// # Errors
    ///
    /// What the server or the connection said.
    pub async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        self.inspector.execute(statement).await
    }

    /// Its schema as it is now.
    ///
    /// # Errors
    ///
    /// [`ScratchError::Unseen`].
    pub async fn snapshot(&mut self) -> Result<Snapshot, ScratchError> {
        self.inspector.snapshot().await.map_err(ScratchError::Unseen)
    }

    /// As [`Self::snapshot`], where no more than the tables and views of these names can have changed since
    /// `before`.
    ///
    /// # Errors
    ///
    /// [`ScratchError::Unseen`].
    pub async fn snapshot_after(
        &mut self,
        before: &Snapshot,
        changed: &BTreeSet<String>,
    ) -> Result<Snapshot, ScratchError> {
        let snapshot = self.inspector.snapshot_after(before, changed).await;
        snapshot.map_err(ScratchError::Unseen)
    }

    /// The connection that looks at it, for what is not said here.
    pub fn inspector(&mut self) -> &mut Inspector {
        &mut self.inspector
    }

    /// Makes it forget which migrations were applied to it, and keeps all else: what comes next is the first.
    ///
    /// # Errors
    ///
    /// [`ScratchError::Unemptied`].
    pub async fn forget_history(&mut self) -> Result<(), ScratchError> {
        self.inspector.forget_history().await.map_err(ScratchError::Unemptied)
    }

    /// Removes it.
    ///
    /// # Errors
    ///
    /// [`ScratchError::Unremoved`]; what is left then, [`sweep`] finds later.
    pub async fn remove(mut self) -> Result<(), ScratchError> {
        let result = self.inspector.drop_database(&self.target.label.database).await;
        self.inspector.close().await;
        result.map_err(ScratchError::Unremoved)
    }
}

/// What a server said, without the names of scratch databases and of the tables that it makes for a while: they mean
/// nothing to anybody, and are others each time.
pub fn without_names(message: &str) -> String {
    let mut result = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(SCRATCH_PREFIX) {
        let before = &rest[..at];
        let after = rest[at + SCRATCH_PREFIX.len()..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
        // Before another name it goes with its point and quotes; alone it is called something.
        let qualifier = after.strip_prefix('.').map(|after| (before, after));
        let quoted = after.strip_prefix("`.").and_then(|after| Some((before.strip_suffix('`')?, after)));
        let is_alone = quoted.or(qualifier).is_none();
        let (before, after) = quoted.or(qualifier).unwrap_or((before, after));
        result.push_str(before);
        if is_alone {
            result.push_str("the database");
        }
        rest = after;
    }
    without_temporary_tables(&(result + rest))
}

/// The copy that an `ALTER` works on is called `#sql-alter-…`, `#sql2-…` and the like.
fn without_temporary_tables(message: &str) -> String {
    let mut result = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("`#sql") {
        result.push_str(&rest[..at]);
        result.push_str("the table");
        rest = rest[at + 1..].split_once('`').map_or("", |(_, after)| after);
    }
    result + rest
}

fn in_database(server: &Target, database: &str) -> Target {
    let label = Label { database: database.to_owned(), ..(*server.label).clone() };
    Target { label: Arc::new(label), ..server.clone() }
}

#[cfg(test)]
mod tests {
    use super::{SCRATCH_PREFIX, without_names};

    #[test]
    fn messages_do_not_name_scratch_databases() {
        let check = |message: &str, expected: &str| {
            let name = format!("{SCRATCH_PREFIX}0123456789abcdef0123456789abcdef");
            assert_eq!(without_names(&message.replace("NAME", &name)), expected);
        };
        check("Unknown table 'NAME.t'", "Unknown table 't'");
        check("(`NAME`.`b`, CONSTRAINT `fk`) and `NAME`.`c`", "(`b`, CONSTRAINT `fk`) and `c`");
        check("Can't use NAME", "Can't use the database");
        check("fails (`NAME`.`#sql-alter-55-1e`, CONSTRAINT `fk`)", "fails (the table, CONSTRAINT `fk`)");
        check("nothing of the kind", "nothing of the kind");
    }
}
