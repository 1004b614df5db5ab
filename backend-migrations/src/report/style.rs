//! Lines and their colours, where they are wanted. Every text must be understood without them.

use std::fmt::{Display, Write};

use anstyle::{AnsiColor, Style};

/// What a colour is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Failed.
    Bad,
    /// Needs an eye.
    Caution,
    /// Only for those who look for it.
    Quiet,
    /// A heading.
    Strong,
}

/// Whether colours are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    /// `text` in the colour of `tone`.
    pub(super) fn paint(self, tone: Tone, text: impl Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Caution => AnsiColor::Yellow.on_default(),
            Tone::Quiet => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// Lines on their way to a writer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) paint: Paint,
}

impl Page {
    pub(super) fn new(paint: Paint) -> Self {
        Self { text: String::new(), paint }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, line: impl Display) {
        writeln!(self.text, "{line}").expect("a String takes everything");
    }

    /// A line in the colour of `tone`.
    pub(super) fn toned(&mut self, tone: Tone, line: impl Display) {
        let line = self.paint.paint(tone, line);
        self.line(line);
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }
}
