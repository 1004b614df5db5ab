//! What the progress shows, as a function of what happened and of the time.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    finding::Progress,
    report::{
        pace::{bar, remaining},
        style::{Paint, Tone},
        text::{counted, visible, waited},
    },
};

/// So many lanes are shown, those that wait longest.
const N_LANES_MAX: usize = 6;
/// What is over sooner than this needs no progress; drawing it would only flicker.
const QUIET: Duration = Duration::from_millis(250);

/// The state of a verify, as far as a person watches it.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    paint: Paint,
    n_steps: usize,
    n_finished: usize,
    n_findings: usize,
    /// What each lane that is at work does, and since when.
    lanes: BTreeMap<String, (String, Duration)>,
}

impl Picture {
    pub(super) fn new(paint: Paint) -> Self {
        Self { paint, n_steps: 0, n_finished: 0, n_findings: 0, lanes: BTreeMap::new() }
    }

    /// Takes `progress` into account, which happened `at` so long after the start.
    pub(super) fn observe(&mut self, progress: &Progress, at: Duration) {
        match progress {
            Progress::Announced { n_steps } => self.n_steps += n_steps,
            Progress::StepStarted { lane, subject } => {
                self.lanes.insert(lane.clone(), (subject.clone(), at));
            }
            Progress::StepFinished { lane, n_findings } => {
                self.lanes.remove(lane);
                self.n_finished += 1;
                self.n_findings += n_findings;
            }
        }
    }

    /// The lines to show at the time `now` on a terminal of so many columns; empty while there is nothing worth it.
    pub(super) fn text(&self, now: Duration, columns: usize) -> String {
        if now < QUIET || self.n_steps == 0 {
            return String::new();
        }
        let mut lines = vec![self.head(now)];
        let mut running: Vec<_> =
            self.lanes.iter().map(|(lane, (subject, since))| (since, lane, subject)).collect();
        running.sort();
        for (since, lane, subject) in running.iter().take(N_LANES_MAX) {
            // The time stands before what may be cut off at the terminal's edge.
            let span = match now.saturating_sub(**since).as_secs() {
                0 => String::new(),
                s => format!(" · {}", waited(s)),
            };
            let subject = self.paint.paint(Tone::Quiet, visible(subject));
            lines.push(format!("   🔬 {}{span} · {subject}", visible(lane)));
        }
        if running.len() > N_LANES_MAX {
            let line = format!("   … and {} more", running.len() - N_LANES_MAX);
            lines.push(self.paint.paint(Tone::Quiet, line));
        }
        // A line that fills the last column makes some terminals begin another one.
        let width = columns.saturating_sub(1).max(20);
        let cut: Vec<_> = lines.iter().map(|line| console::truncate_str(line, width, "…")).collect();
        cut.join("\n")
    }

    fn head(&self, elapsed: Duration) -> String {
        let (n, all) = (self.n_finished, self.n_steps);
        let mut parts = vec![format!("{} {n} of {}", bar(n, all), counted(all, "proof"))];
        if let Some(rest) = remaining(n, all, elapsed) {
            parts.push(format!("{} to go", waited(rest.as_secs())));
        }
        if self.n_findings > 0 {
            parts.push(self.paint.paint(Tone::Bad, counted(self.n_findings, "finding")));
        }
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn begin(picture: &mut Picture, lane: &str, subject: &str, at_s: u64) {
        let (lane, subject) = (lane.to_owned(), subject.to_owned());
        picture.observe(&Progress::StepStarted { lane, subject }, Duration::from_secs(at_s));
    }

    fn end(picture: &mut Picture, lane: &str, n_findings: usize) {
        picture.observe(&Progress::StepFinished { lane: lane.to_owned(), n_findings }, Duration::ZERO);
    }

    /// A quarter is done.
    fn begun(color: bool) -> Picture {
        let mut picture = Picture::new(Paint { color });
        picture.observe(&Progress::Announced { n_steps: 6 }, Duration::ZERO);
        picture.observe(&Progress::Announced { n_steps: 6 }, Duration::ZERO);
        for (lane, n_findings) in
            [("MySQL 8.4.6, empty", 2), ("MariaDB 10.11.14, empty", 0), ("MySQL 8.4.6, empty", 1)]
        {
            begin(&mut picture, lane, "20250127120000_add_priority_to_tasks", 0);
            end(&mut picture, lane, n_findings);
        }
        begin(&mut picture, "MySQL 8.4.6, with rows", "20250203090000_create_labels", 4);
        begin(&mut picture, "MariaDB 10.11.14, with rows", "20250127120000_add_priority_to_tasks", 1);
        picture
    }

    fn at(picture: &Picture, s: u64) -> String {
        picture.text(Duration::from_secs(s), 100)
    }

    #[test]
    fn a_quarter_done() {
        assert_snapshot!(at(&begun(false), 4), @r"
        ██████░░░░░░░░░░░░░░░░░░ 3 of 12 proofs · 12 s to go · 3 findings
           🔬 MariaDB 10.11.14, with rows · 3 s · 20250127120000_add_priority_to_tasks
           🔬 MySQL 8.4.6, with rows · 20250203090000_create_labels
        ");
    }

    #[test]
    fn colours_change_no_word() {
        let text = at(&begun(true), 4);
        assert_ne!(text, at(&begun(false), 4));
        assert_eq!(console::strip_ansi_codes(&text), at(&begun(false), 4));
    }

    #[test]
    fn no_estimate_before_there_is_a_pace_nor_after_the_last_step() {
        let mut picture = begun(false);
        assert!(!at(&picture, 1).contains("to go"));
        for _ in 0..8 {
            end(&mut picture, "MySQL 8.4.6, with rows", 0);
        }
        end(&mut picture, "MariaDB 10.11.14, with rows", 0);
        assert_snapshot!(at(&picture, 9), @"████████████████████████ 12 of 12 proofs · 3 findings");
    }

    #[test]
    fn many_lanes_show_the_longest_waits() {
        let mut picture = begun(false);
        (0..9).for_each(|i| begin(&mut picture, &format!("lane {i}"), "x", 20 - i));
        let text = at(&picture, 30);
        assert_eq!(text.lines().count(), 1 + N_LANES_MAX + 1, "{text}");
        assert!(text.contains("MariaDB 10.11.14, with rows · 29 s"), "{text}");
        assert!(text.ends_with("… and 5 more"), "{text}");
    }

    #[test]
    fn hostile_names_stay_in_their_line_and_lines_on_the_terminal() {
        let mut picture = begun(false);
        begin(&mut picture, "MySQL \u{1b}[2J", "a\nb", 0);
        let text = at(&picture, 1);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(!text.contains('\u{1b}'));
        let text = picture.text(Duration::from_secs(4), 40);
        assert!(text.lines().all(|line| console::measure_text_width(line) < 40), "{text}");
    }

    #[test]
    fn nothing_is_drawn_before_it_is_worth_it() {
        assert_eq!(begun(false).text(Duration::from_millis(200), 100), "");
        assert_eq!(at(&Picture::new(Paint { color: false }), 9), "");
    }
}
