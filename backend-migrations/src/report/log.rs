//! For a log, where nobody watches: the lines of [`Human`] on standard output, and beside them, on standard error, what goes on.
//!
//! A program that is silent for as long as a statement takes is ended by some CI systems, and worries the others.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{Reporter, human::Human, picture::Picture, style::Paint};
use crate::{event::Event, summary::Summary};

/// When a line of what goes on is due, and what it is about.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) picture: Picture,
    interval: Duration,
    last_at: Duration,
}

impl Pulse {
    /// A line each `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self { picture: Picture::new(Paint { color: false }), interval, last_at: Duration::ZERO }
    }

    /// The lines of turns that take so long that their beginning is worth one: a second of half a minute's interval.
    fn newly_begun(&mut self, now: Duration) -> Vec<String> {
        self.picture.newly_begun(now, self.interval / 30)
    }

    /// Whether one is due at the time `now`; it is then taken to be told.
    pub(super) fn is_due(&mut self, now: Duration) -> bool {
        let is_due = now.saturating_sub(self.last_at) >= self.interval;
        if is_due {
            self.last_at = now;
        }
        is_due
    }
}

/// [`Human`], and on another writer what goes on.
pub struct Log<W, E> {
    human: Human<W>,
    progress: E,
    pulse: Pulse,
}

impl<W: Write, E: Write> Log<W, E> {
    /// Writes the report to `out`, with colours if `color`; to `progress` a line for each turn that takes longer than a
    /// thirtieth of `interval`, and one each `interval` of what is at work.
    pub fn new(out: W, color: bool, progress: E, interval: Duration) -> Self {
        Self { human: Human::new(out, color), progress, pulse: Pulse::new(interval) }
    }
}

impl<W: Write, E: Write> Reporter for Log<W, E> {
    fn report(&mut self, event: &Event, at: Duration) -> io::Result<()> {
        self.pulse.picture.observe(event, at);
        self.human.report(event, at)
    }

    fn tick(&mut self, at: Duration) -> io::Result<()> {
        let mut lines = self.pulse.newly_begun(at);
        if self.pulse.is_due(at) {
            lines.extend(self.pulse.picture.log_line(at));
        }
        let text: String = lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect();
        // That nobody reads of the progress is no reason to keep the report from standard output.
        self.progress.write_all(text.as_bytes()).and_then(|()| self.progress.flush()).ok();
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.human.finish(summary)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{
        event::{Scope, Task},
        migration::Direction::Up,
        report::samples::*,
    };

    /// What is on standard error after a run in which each event comes at its second, a tick each second.
    fn told(events: &[(u64, Event)], until_s: u64) -> String {
        let (mut out, mut progress) = (Vec::new(), Vec::new());
        let mut log = Log::new(&mut out, false, &mut progress, Duration::from_secs(30));
        for second in 0..=until_s {
            for (_, event) in events.iter().filter(|(at, _)| *at == second) {
                log.report(event, Duration::from_secs(second)).unwrap();
            }
            log.tick(Duration::from_secs(second)).unwrap();
        }
        String::from_utf8(progress).unwrap()
    }

    #[test]
    fn a_statement_of_minutes_is_not_silent() {
        let tenant = acme();
        let events = [
            (0, started(Task::Migrate, Scope::Fleet, 50, false)),
            (0, Event::TenantStarted { tenant: tenant.clone() }),
            (2, Event::StatementStarted { tenant: tenant.clone(), at: place() }),
            (
                40,
                Event::Waiting {
                    tenant: tenant.clone(),
                    at: Some(place()),
                    for_what: "connection 12 (app@10.0.0.7), idle in a transaction for 40 s".to_owned(),
                },
            ),
        ];
        assert_snapshot!(told(&events, 65), @r"
        ▶️  Acme Corp (acme_corp_db): begun
        ⏳ after 30 s: 0 of 50 tenants done, 1 at work; longest: Acme Corp (acme_corp_db), for 28 s: statement 2 of 3, 20250203090000_create_labels.up.sql:7
        ⏳ after 1 min 00 s: 0 of 50 tenants done, 1 at work; longest: Acme Corp (acme_corp_db), for 20 s: waits for connection 12 (app@10.0.0.7), idle in a transaction for 40 s
        ");
    }

    #[test]
    fn what_is_over_at_once_has_no_line() {
        let mut events = vec![(0, started(Task::Migrate, Scope::Fleet, 20, false))];
        for (tenant, second) in numbered(20).iter().zip(0..) {
            events.push((second, Event::TenantStarted { tenant: tenant.clone() }));
            events.push((second, finished(tenant, migrated(&[PRIORITY], Up))));
        }
        assert_eq!(told(&events, 100), "");
    }

    #[test]
    fn one_database_is_not_counted() {
        let events = [
            (0, started(Task::Rollback, Scope::Central, 1, false)),
            (0, Event::TenantStarted { tenant: central() }),
            (1, Event::StatementStarted { tenant: central(), at: place() }),
        ];
        assert_snapshot!(told(&events, 31), @r"
        ▶️  Central database (central): begun
        ⏳ after 30 s: Central database (central), for 29 s: statement 2 of 3, 20250203090000_create_labels.up.sql:7
        ");
    }
}
