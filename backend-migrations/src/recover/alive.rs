//! A migration that is still running looks half done, and is not.

use std::time::Duration;

use tokio::select;

use super::{Consent, Question, StillRunning, Turn, read};
use crate::{
    event::{Failure, FailureCode},
    history::History,
    mysql::Monitor,
    session::{Activity, TenantSession as _},
};

/// How long a connection that is being ended may take for it.
const KILL_LIMIT: Duration = Duration::from_mins(1);

impl<C: Consent> Turn<'_, C> {
    /// Sees to it that nobody is at work on what looks half done; gives the history as it is then, or `None` where the
    /// run was told to stop meanwhile.
    pub(super) async fn quiet(&mut self, history: History) -> Result<Option<History>, Box<Failure>> {
        let mut monitor = self.session.monitor().await.map_err(read)?;
        let result = select! {
            result = self.quieten(&history, &mut monitor) => result,
            () = self.recover.stop.soft.cancelled() => return Ok(None),
        };
        monitor.close().await;
        if result? { self.session.history().await.map(Some).map_err(read) } else { Ok(Some(history)) }
    }

    /// Whether somebody was at work, and is no longer.
    async fn quieten(&self, history: &History, monitor: &mut Monitor) -> Result<bool, Box<Failure>> {
        let mut was_at_work = false;
        loop {
            let at_work = monitor.at_work().await.map_err(read)?;
            let works = |activity: &Activity| !activity.works_on(self.recover.set, history).is_empty();
            let Some(activity) = at_work.into_iter().find(works) else { return Ok(was_at_work) };
            was_at_work = true;
            let id = activity.connection_id;
            let limit = match self.recover.options.still_running {
                StillRunning::Refuse => return Err(Box::new(still_running(&activity))),
                StillRunning::Wait(limit) => {
                    self.warn(format!("waiting for what is still running: {activity}")).await;
                    limit
                }
                StillRunning::Kill => {
                    if !self.recover.consent.ask(&self.tenant, Question::End(&activity)).await {
                        return Err(Box::new(still_running(&activity)));
                    }
                    // It may have come to its end while nobody answered.
                    if !monitor.kill(&activity).await.map_err(read)? {
                        continue;
                    }
                    KILL_LIMIT
                }
            };
            if !monitor.wait_until_gone(id, limit).await.map_err(read)? {
                return Err(Box::new(still_running(&activity)));
            }
            if self.recover.options.still_running == StillRunning::Kill {
                self.warn(format!("ended what was still running: {activity}")).await;
            }
        }
    }
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
