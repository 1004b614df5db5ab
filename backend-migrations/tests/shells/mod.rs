//! An interactive shell on a terminal of its own.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use rexpect::session::{Options, PtySession, spawn_with_options};

/// What the shell says when it waits for a line.
const PROMPT: &str = "READY>";
/// The same, written so that its echo is not taken for it.
const PROMPT_TYPED: &str = "'REA''DY>'";

/// A shell whose commands `name` do nothing but show their arguments, each in `<>`.
pub(crate) struct Shell {
    session: PtySession,
    name: &'static str,
}

impl Shell {
    /// Starts `bash`, `zsh` or `fish` without the user's own settings, in `dir`; `None` where it is not installed, which
    /// is told past the test harness's capture.
    pub(crate) fn start(name: &'static str, dir: &std::path::Path) -> Option<Self> {
        let (args, setup): (&[&str], &[&str]) = match name {
            "bash" => (
                &["--norc", "--noprofile", "-i"],
                &["bind 'set enable-bracketed-paste off'; bind 'set page-completions off'"],
            ),
            "zsh" => (&["-f", "-i"], &["autoload -U compinit; compinit -u -D"]),
            "fish" => (&["--no-config", "--interactive"], &["stty rows 50 columns 160"]),
            other => panic!("no such shell: {other}"),
        };
        if Command::new(name).arg("--version").stdout(Stdio::null()).status().is_err() {
            writeln!(std::io::stderr(), "NOT TESTED: completions in {name}, which is not installed").ok();
            return None;
        }
        let mut command = Command::new(name);
        // On a dumb terminal, or one without a size, fish lists nothing.
        let terminal = if name == "fish" { "xterm" } else { "dumb" };
        command.args(args).current_dir(dir).env("TERM", terminal).env("HOME", dir).env("LC_ALL", "C.UTF-8");
        for variable in ["BASH_ENV", "CARGO_TARGET_DIR", "COMPLETE", "INPUTRC", "PROMPT_COMMAND", "ZDOTDIR"] {
            command.env_remove(variable);
        }
        let options = Options::new().timeout_ms(Some(20_000)).strip_ansi_escape_codes(true);
        let mut shell = Self { session: spawn_with_options(command, options).unwrap(), name };
        // An interactive shell takes no notice of SIGTERM.
        shell.session.process_mut().set_kill_timeout(Some(100));
        let prompt = match name {
            "fish" => format!("function fish_prompt; echo {PROMPT_TYPED}; end"),
            _ => format!("PS1={PROMPT_TYPED}"),
        };
        shell.session.send_line(&prompt).unwrap();
        shell.session.exp_string(PROMPT).unwrap();
        for line in setup {
            shell.line(line);
        }
        Some(shell)
    }

    /// Lets the shell execute a line and gives what was on the screen from its echo to the next prompt.
    pub(crate) fn line(&mut self, line: &str) -> String {
        self.session.send_line(line).unwrap();
        self.session.exp_string(PROMPT).unwrap()
    }

    /// Makes `command` show its arguments instead of running.
    pub(crate) fn show_arguments_of(&mut self, command: &str) {
        match self.name {
            "fish" => {
                self.line(&format!("function {command}; printf ARGS; printf '<%s>' $argv; echo .; end"))
            }
            _ => self.line(&format!("{command}() {{ printf ARGS; printf '<%s>' \"$@\"; echo .; }}")),
        };
    }

    /// The arguments that `typed`, which may hold tabs, became; `listed` must be on the screen before the line is
    /// entered.
    #[track_caller]
    pub(crate) fn expect(&mut self, typed: &str, arguments: &str, listed: &[&str]) {
        self.session.send(typed).unwrap();
        self.session.flush().unwrap();
        let mut screen = String::new();
        while let Some(missing) = listed.iter().find(|candidate| !screen.contains(**candidate)) {
            match self.session.exp_string(missing) {
                Ok(before) => screen.extend([before.as_str(), missing]),
                Err(error) => panic!("{}: {typed:?} lists no {missing}: {error}", self.name),
            }
        }
        self.session.send_line("").unwrap();
        match self.session.exp_regex(r"ARGS(<[^>]*>)*\.") {
            Ok((_, shown)) => assert_eq!(shown, format!("ARGS{arguments}."), "{}: {typed:?}", self.name),
            Err(error) => panic!("{}: {typed:?}: {error}", self.name),
        }
        self.session.exp_string(PROMPT).unwrap();
    }
}
