//! For programs: one JSON object a line. `docs/events.md` is its reference.

mod ending;
mod pieces;
mod recovery;
mod wire;
mod words;

use std::{
    collections::HashSet,
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use self::wire::{Body, ErrorBody, Line};
use super::{Reporter, log::Pulse, text::is_hidden};
use crate::{
    event::{Event, Outcome, Scope},
    migration::{Direction, Version},
    summary::Summary,
};

/// The version of the format. It grows when a field or an event is removed or changes its meaning; what is only added
/// leaves it.
pub const SCHEMA: u32 = 1;

/// One event a line.
pub struct Json<W> {
    out: W,
    scope: Scope,
    /// The scripts whose statements were told: once each, not once a tenant.
    told: HashSet<(Version, Direction)>,
    last_at: Duration,
    elapsed: Option<Duration>,
    pulse: Pulse,
}

impl<W: Write> Json<W> {
    /// Writes to `out`; each `progress_interval` what is at work.
    pub fn new(out: W, progress_interval: Duration) -> Self {
        Self {
            out,
            scope: Scope::Fleet,
            told: HashSet::new(),
            last_at: Duration::ZERO,
            elapsed: None,
            pulse: Pulse::new(progress_interval),
        }
    }

    fn write(&mut self, at: Duration, body: Body<'_>) -> io::Result<()> {
        let line = Line { schema: SCHEMA, at_ms: at.as_millis(), body };
        self.out.write_all(to_line(&line).as_bytes())?;
        self.out.flush()
    }

    fn tell_scripts(&mut self, outcome: &Outcome, at: Duration) -> io::Result<()> {
        let Outcome::Planned { steps } = outcome else { return Ok(()) };
        for step in steps {
            if let Some(script) = step.migration.script(step.direction)
                && self.told.insert((step.migration.version, step.direction))
            {
                self.write(at, Body::script(step, script))?;
            }
        }
        Ok(())
    }
}

impl<W: Write> Reporter for Json<W> {
    fn report(&mut self, event: &Event, at: Duration) -> io::Result<()> {
        self.last_at = at;
        self.pulse.picture.observe(event, at);
        match event {
            Event::RolloutStarted { scope, .. } => self.scope = *scope,
            Event::TenantFinished { outcome, .. } => self.tell_scripts(outcome, at)?,
            Event::RolloutFinished { elapsed, .. } => self.elapsed = Some(*elapsed),
            _ => {}
        }
        match Body::of(event, self.scope) {
            Some(body) => self.write(at, body),
            // The last event is told with the summary.
            None => Ok(()),
        }
    }

    fn tick(&mut self, at: Duration) -> io::Result<()> {
        if !self.pulse.is_due(at) {
            return Ok(());
        }
        match self.pulse.picture.at_work(at) {
            Some((n_tenants, n_finished, n_running, longest)) => {
                self.write(at, Body::progress(n_tenants, n_finished, n_running, &longest))
            }
            None => Ok(()),
        }
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let elapsed = self.elapsed.unwrap_or(self.last_at);
        self.write(self.last_at, Body::summary(summary, elapsed))
    }
}

/// The line that tells why a run did not begin, with its line end.
pub fn error_line(code: &str, message: &str, hint: Option<&str>) -> String {
    let error = ErrorBody { code, message, hint };
    to_line(&wire::ErrorLine { schema: SCHEMA, event: "error", error })
}

/// The one line of a command that is no run, with its line end: its `event`, and `fields` beside it.
pub fn document_line(event: &str, fields: &impl Serialize) -> String {
    to_line(&wire::DocumentLine { schema: SCHEMA, event, fields })
}

/// JSON leaves some characters as they are that a terminal would obey; as `\u009b` they are the same to a program.
pub(super) fn to_line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("the wire's structs have string keys only");
    let mut line = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            line.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}
