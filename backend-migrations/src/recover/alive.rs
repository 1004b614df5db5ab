//! A migration that is still running looks half done, and is not.

use std::time::Duration;

use super::{Consent, StillRunning, Turn, read};
use crate::{
    event::{Event, Failure, FailureCode},
    history::History,
    migration::{Direction, Script},
    mysql::Monitor,
    session::{Activity, TenantSession as _},
};

/// How long a connection that is being ended may take for it.
const KILL_LIMIT: Duration = Duration::from_mins(1);

impl<C: Consent> Turn<'_, C> {
    /// Sees to it that nobody is at work on what looks half done; gives the history as it is then.
    pub(super) async fn quiet(&mut self, history: History) -> Result<History, Box<Failure>> {
        let connector = self.recover.connector;
        let connected = Monitor::connect(connector, &self.target).await;
        let mut monitor =
            connected.map_err(|error| Box::new(Failure::no_connection(&error, &self.tenant)))?;
        let result = self.quieten(&history, &mut monitor).await;
        monitor.close().await;
        if result? { self.session.history().await.map_err(read) } else { Ok(history) }
    }

    /// Whether somebody was at work, and is no longer.
    async fn quieten(&self, history: &History, monitor: &mut Monitor) -> Result<bool, Box<Failure>> {
        let mut was_at_work = false;
        let scripts = self.scripts(history);
        loop {
            let at_work = monitor.at_work().await.map_err(read)?;
            let Some(activity) = at_work.into_iter().find(|a| a.holds_lock || is_of(a, &scripts)) else {
                return Ok(was_at_work);
            };
            let id = activity.connection_id;
            let limit = match self.recover.options.still_running {
                StillRunning::Refuse => return Err(Box::new(still_running(&activity))),
                StillRunning::Wait(limit) => {
                    self.warn(format!("waiting for what is still running: {activity}")).await;
                    limit
                }
                StillRunning::Kill => {
                    self.warn(format!("ended what was still running: {activity}")).await;
                    monitor.kill(id).await.map_err(read)?;
                    KILL_LIMIT
                }
            };
            if !monitor.wait_until_gone(id, limit).await.map_err(read)? {
                return Err(Box::new(still_running(&activity)));
            }
            was_at_work = true;
        }
    }

    /// The scripts that look half done.
    fn scripts(&self, history: &History) -> Vec<&Script> {
        let dirty = history.rows.iter().filter(|row| !row.success);
        let scripts = dirty.flat_map(|row| {
            let revert = history.may_be_a_revert(row).then_some(Direction::Down);
            let directions = std::iter::once(history.direction(row)).chain(revert);
            directions.filter_map(|direction| self.recover.set.get(row.version)?.script(direction))
        });
        scripts.collect()
    }

    async fn warn(&self, message: String) {
        self.events.tell(Event::Warning { tenant: Some(self.tenant.clone()), message }).await;
    }
}

/// Whether the statement that a connection runs is one of these scripts': sqlx-cli takes no lock, and the server goes on
/// with a file after its client is gone.
fn is_of(activity: &Activity, scripts: &[&Script]) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(running) = activity.statement.as_deref().map(squeeze) else { return false };
    let statements = scripts.iter().flat_map(|script| &script.statements);
    // The server lists a comment before a statement as a part of it.
    statements
        .map(|statement| squeeze(&statement.text))
        .any(|text| running.trim_end_matches(';').ends_with(&text))
}

fn still_running(activity: &Activity) -> Failure {
    Failure {
        code: FailureCode::LockHeld,
        message: format!("still running, so not half done: {activity}"),
        at: None,
        excerpt: None,
        state: Some("nothing was changed".to_owned()),
        hint: Some("`--wait` waits for it; `--kill` ends it, if nobody needs it any more".to_owned()),
    }
}
