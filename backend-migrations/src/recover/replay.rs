//! A script, statement by statement, on a scratch database that is as the tenant's was before it.

use tokio::sync::OnceCell;

use super::ServerSource;
use crate::{
    diagnosis::{Refused, Replay},
    event::{Event, Events},
    migration::{MigrationSet, Script, Statement, StatementKind},
    mysql::{MySqlConnector, MySqlSession},
    plan::Goal,
    schema::Snapshot,
    scratch::{Run, Scratch, ScratchError},
    session::{Reads, SessionError, TenantSession as _, number},
    tenant::Target,
};

/// The ground on which a script is replayed.
pub(super) struct Stage<'a> {
    pub(super) connector: &'a MySqlConnector,
    /// The real database.
    pub(super) tenant: &'a Target,
    /// Servers on which a scratch database may be made, the first one first.
    pub(super) places: Vec<Target>,
    /// Why none of the tenants' servers is among them: what is run would change more than a scratch database.
    pub(super) reach: Option<String>,
    /// Who has another server, should one be made on none of these.
    pub(super) servers: Option<&'a dyn ServerSource>,
    /// That server, once it was asked for.
    pub(super) lent: &'a OnceCell<Target>,
    pub(super) events: &'a Events,
    /// What ran before the script.
    pub(super) base: MigrationSet,
}

/// The schema of `target`'s database.
pub(super) async fn snapshot(connector: &MySqlConnector, target: &Target) -> Result<Snapshot, SessionError> {
    let inspected = connector.inspect(target).await;
    let mut inspector = inspected.map_err(|error| SessionError::Unseen { message: error.to_string() })?;
    let snapshot = inspector.snapshot().await;
    inspector.close().await;
    snapshot
}

impl Stage<'_> {
    /// Runs `script` statement by statement; an error says in words why it could not be.
    pub(super) async fn replay(&self, script: &Script) -> Result<Replay, String> {
        let real = snapshot(self.connector, self.tenant).await.map_err(|error| error.to_string())?;
        let n = script.statements.len();
        let statements = if n == 1 { "statement" } else { "statements" };
        let purpose = format!("replaying the {n} {statements} of {}", script.file_name);
        let mut scratch = self.scratch(&real, &purpose).await?;
        let result = self.run(&mut scratch, script, real).await;
        scratch.remove().await.ok();
        result.map_err(|error| error.to_string())
    }

    /// Finds the statement of `back` from which on it returns to `goal` from where `script` is after `n` statements, and
    /// proves it. The statements before that one undo what is not there, and fail.
    pub(super) async fn prove(
        &self,
        script: &Script,
        n: usize,
        back: &Script,
        goal: &Snapshot,
    ) -> Result<usize, String> {
        let purpose = format!("proving that {} leads back", back.file_name);
        let mut scratch = self.scratch(goal, &purpose).await?;
        let result = self.go_back(&mut scratch, script, n, back, goal).await;
        scratch.remove().await.ok();
        result
    }

    /// A scratch database with all that ran before, on the first server that takes one.
    async fn scratch(&self, like: &Snapshot, purpose: &str) -> Result<Scratch, String> {
        let mut why_not = match &self.reach {
            Some(reach) => format!(
                "{reach}, so it is replayed only on a server that holds nothing else: `SCRATCH_URL` names one"
            ),
            None => "there is no server for one".to_owned(),
        };
        for place in &self.places {
            match self.scratch_on(place, like, purpose).await {
                Ok(scratch) => return Ok(scratch),
                Err(reason) => why_not = reason,
            }
        }
        let Some(servers) = self.servers else { return Err(why_not) };
        let lent = self.lent.get_or_try_init(|| async {
            let why = self.reach.as_ref().filter(|_| self.places.is_empty()).unwrap_or(&why_not);
            let message = format!("{why}: the scratch database is made on a throwaway server");
            let tenant = Some(self.tenant.label.clone());
            self.events.tell(Event::Warning { tenant, message }).await;
            servers.server(like.server).await
        });
        let place = lent.await.map_err(|reason| format!("{why_not}, and {reason}"))?;
        self.scratch_on(place, like, purpose).await
    }

    async fn scratch_on(&self, place: &Target, like: &Snapshot, purpose: &str) -> Result<Scratch, String> {
        let run = Run::new().map_err(|error| error.to_string())?;
        let created = Scratch::create(self.connector, place, run, Some(&like.options)).await;
        let mut scratch = created.map_err(|error| match error {
            ScratchError::Unmade(SessionError::Server { number, .. })
                if number::is_database_denied(number) =>
            {
                format!("`{}` may make no database on {}", place.user, place.label.server)
            }
            error => error.to_string(),
        })?;
        let after = match self.base.iter().len() {
            0 => String::new(),
            1 => ", after the migration before it".to_owned(),
            n => format!(", after the {n} migrations before it"),
        };
        let for_what = format!("{purpose} on a scratch database on {}{after}", place.label.server);
        let tenant = self.tenant.label.clone();
        self.events.tell(Event::Waiting { tenant, at: None, for_what }).await;
        match self.furnish(&mut scratch, like).await {
            Ok(()) => Ok(scratch),
            Err(reason) => {
                scratch.remove().await.ok();
                Err(reason)
            }
        }
    }

    async fn furnish(&self, scratch: &mut Scratch, like: &Snapshot) -> Result<(), String> {
        let server = scratch.snapshot().await.map_err(|error| error.to_string())?.server;
        if server.flavour != like.server.flavour {
            return Err(format!("the scratch server is {server}, the tenant's {}", like.server));
        }
        let applied = scratch.apply_to(&self.base, Goal::Latest).await;
        applied.map(|_| ()).map_err(|error| format!("what ran before does not run on it: {error}"))
    }

    async fn run(
        &self,
        scratch: &mut Scratch,
        script: &Script,
        real: Snapshot,
    ) -> Result<Replay, ScratchError> {
        let mut session = session(scratch).await?;
        let mut replay =
            Replay { states: vec![scratch.snapshot().await?], refused: None, rows_refused: Vec::new(), real };
        for (index, statement) in script.statements.iter().enumerate() {
            let result = session.execute(&statement.text).await;
            match result {
                Ok(_) => {}
                Err(error) if has_rows(statement) => replay.rows_refused.push((index, error.to_string())),
                Err(error) => {
                    let left = scratch.snapshot().await?;
                    // The server names the database it was in.
                    let (own, real) = (&scratch.label().database, &self.tenant.label.database);
                    replay.refused = Some(Refused { error: error.to_string().replace(own, real), left });
                    break;
                }
            }
            replay.states.push(scratch.snapshot().await?);
        }
        session.close().await;
        Ok(replay)
    }

    async fn go_back(
        &self,
        scratch: &mut Scratch,
        script: &Script,
        n: usize,
        back: &Script,
        goal: &Snapshot,
    ) -> Result<usize, String> {
        let mut session = session(scratch).await.map_err(|error| error.to_string())?;
        for statement in script.statements.iter().take(n) {
            let result = session.execute(&statement.text).await;
            if let Err(error) = result.or_else(|error| if has_rows(statement) { Ok(0) } else { Err(error) }) {
                return Err(error.to_string());
            }
        }
        let mut from = None;
        for (index, statement) in back.statements.iter().enumerate() {
            match session.execute(&statement.text).await {
                Ok(_) if statement.kind == StatementKind::Session => {}
                Ok(_) => from = from.or(Some(index)),
                // Nothing of it is there to be undone, and a definition that fails leaves nothing.
                Err(SessionError::Server { .. })
                    if from.is_none() && statement.kind == StatementKind::Ddl => {}
                Err(error) => {
                    let (file, number, line) = (&back.file_name, index + 1, statement.line);
                    return Err(format!(
                        "statement {number} of {file} (line {line}) fails from there: {error}"
                    ));
                }
            }
        }
        session.close().await;
        let reached = scratch.snapshot().await.map_err(|error| error.to_string())?;
        let differences = goal.diff(&reached);
        let Some(first) = differences.first() else { return Ok(from.unwrap_or(back.statements.len())) };
        let (kind, name, file) = (first.object, &first.name, &back.file_name);
        Err(format!(
            "{file} does not return to what was before: {kind} `{name}` is otherwise\n{}",
            first.diff
        ))
    }
}

/// A session that is set up as a migration's is.
async fn session(scratch: &Scratch) -> Result<MySqlSession, ScratchError> {
    let mut session = scratch.session().await?;
    let locked = session.lock(Reads::Books).await;
    locked.map_err(ScratchError::Unseen)?;
    Ok(session)
}

fn has_rows(statement: &Statement) -> bool {
    statement.kind == StatementKind::Dml
}
