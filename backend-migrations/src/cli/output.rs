//! Temporary.
use super::settings::Settings;
use crate::{event::Event, summary::Summary};
pub(super) struct Reporter;
impl Reporter {
    pub(super) fn new(_: &Settings) -> Self {
        Self
    }
    pub(super) fn report(&mut self, event: &Event) -> std::io::Result<()> {
        use std::io::Write;
        writeln!(std::io::stdout(), "{event:?}")
    }
    pub(super) fn finish(&mut self, summary: &Summary) -> std::io::Result<()> {
        use std::io::Write;
        writeln!(std::io::stdout(), "{summary:#?}")
    }
}
