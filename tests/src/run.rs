//! Running programs, and what came of it.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    future::{Future, IntoFuture},
    path::PathBuf,
    pin::{Pin, pin},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    select,
    time::timeout,
};

use crate::{Program, Terminal, canary};

/// No test waits for ever, either.
const LIMIT: Duration = Duration::from_mins(3);

/// What a program may know of the developer's shell. None of it is a setting of ours, so nothing leaks into a test.
const INHERITED: [&str; 7] =
    ["CARGO_HOME", "DOCKER_HOST", "HOME", "LLVM_PROFILE_FILE", "PATH", "RUSTUP_HOME", "TMPDIR"];

/// A program about to be run. Await it for its [`Output`], or [`start`](Self::start) it.
#[derive(Clone, Debug)]
#[must_use = "it runs when it is awaited"]
pub struct Invocation {
    program: Program,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    stdin: Vec<u8>,
    /// Where standard output goes, if not to the test.
    stdout: Option<PathBuf>,
    /// The program that runs it.
    wrapper: Option<&'static str>,
    n_files_max: Option<u32>,
    /// Where passwords are made while it runs, and under which key.
    central: Option<(String, String)>,
}

impl Invocation {
    /// Takes the arguments as one would type them, apart from quotes: an argument with a space is an [`Self::arg`].
    pub fn new(program: Program, args: &str) -> Self {
        Self {
            program,
            args: args.split_whitespace().map(Into::into).collect(),
            env: Vec::new(),
            folder: None,
            stdin: Vec::new(),
            stdout: None,
            wrapper: None,
            n_files_max: None,
            central: None,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Sets an environment variable; an empty value counts as not set.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs it in this folder; a fresh, empty one where nothing is said.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// What it reads from standard input; nothing where nothing is said.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Sends its standard output into this file, which is there, such as `/dev/full`; its [`Output`] then has none.
    pub fn stdout(mut self, file: impl Into<PathBuf>) -> Self {
        self.stdout = Some(file.into());
        self
    }

    /// Starts it by another program, which becomes it: `nohup`.
    pub fn under(mut self, wrapper: &'static str) -> Self {
        self.wrapper = Some(wrapper);
        self
    }

    /// Lets it have no more than `n` files open.
    pub fn open_files(mut self, n: u32) -> Self {
        self.n_files_max = Some(n);
        self
    }

    pub(crate) fn central(mut self, url: String, key: &str) -> Self {
        self.central = Some((url, key.to_owned()));
        self
    }

    /// What is run, for messages.
    pub(crate) fn what(&self) -> String {
        format!("{} {}", self.program.name(), self.args.join(OsStr::new(" ")).to_string_lossy())
    }

    /// The command, and an empty folder for as long as it runs.
    pub(crate) async fn command(&self) -> (std::process::Command, tempfile::TempDir) {
        let program = self.program;
        let path = tokio::task::spawn_blocking(move || program.path()).await.expect("it is built");
        let empty = tempfile::tempdir().expect("a folder");
        let mut command = match (self.wrapper, self.n_files_max) {
            (Some(wrapper), _) => std::process::Command::new(wrapper),
            (None, Some(n)) => {
                let mut shell = std::process::Command::new("sh");
                shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\""]).arg(n.to_string()).arg(path);
                shell
            }
            // Whoever runs the tests may have been started by `nohup`, and what they start would heed no SIGHUP then.
            (None, None) if cfg!(target_os = "linux") => {
                let mut env = std::process::Command::new("/usr/bin/env");
                env.arg("--default-signal=HUP").arg(path);
                env
            }
            (None, None) => std::process::Command::new(path),
        };
        command
            .args(self.wrapper.map(|_| path))
            .args(&self.args)
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            // How long a turn takes depends on the machine, and so would the lines about it.
            .env("PROGRESS_INTERVAL", "1h")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.as_deref().unwrap_or(empty.path()));
        (command, empty)
    }

    /// Starts it on a terminal.
    pub async fn on_a_terminal(self) -> Terminal {
        Terminal::start(self, true).await
    }

    /// As [`Self::on_a_terminal`], with all that the terminal is sent: colours, and where the cursor is to go.
    pub async fn on_a_raw_terminal(self) -> Terminal {
        Terminal::start(self, false).await
    }

    /// Starts it.
    pub async fn start(self) -> Started {
        let (command, empty) = self.command().await;
        let mut command = Command::from(command);
        let stdout = match &self.stdout {
            Some(file) => std::fs::OpenOptions::new().write(true).open(file).expect("a file").into(),
            None => Stdio::piped(),
        };
        command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        if let Some(mut stdin) = child.stdin.take() {
            // A program that reads nothing may be gone before it is all written.
            stdin.write_all(&self.stdin).await.ok();
        }
        let began = Instant::now();
        Started { child, began, what: self.what(), central: self.central, read: None, _empty: empty }
    }
}

impl IntoFuture for Invocation {
    type Output = Output;
    type IntoFuture = Pin<Box<dyn Future<Output = Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.start().await.finish().await })
    }
}

/// A program that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Started {
    child: Child,
    began: Instant,
    what: String,
    central: Option<(String, String)>,
    /// Its standard output, where a test has begun to read it.
    read: Option<BufReader<ChildStdout>>,
    _empty: tempfile::TempDir,
}

impl Started {
    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it still runs")
    }

    /// Sends it a signal: `INT`, `TERM`, `KILL`.
    pub async fn signal(&self, name: &str) {
        self.signals(&[name]).await;
    }

    /// Sends it signals, one right after the other.
    pub async fn signals(&self, names: &[&str]) {
        let status = Command::new("sh").arg("-c").arg(kill(self.id(), names)).status().await;
        assert!(status.expect("a shell can be run").success(), "no signal to {}", self.what);
    }

    /// The next line of its standard output.
    pub async fn line(&mut self) -> String {
        let stdout = self.read.get_or_insert_with(|| {
            BufReader::new(self.child.stdout.take().expect("standard output is open"))
        });
        let mut line = String::new();
        let read = timeout(LIMIT, stdout.read_line(&mut line)).await;
        read.unwrap_or_else(|_| panic!("{} says nothing", self.what)).expect("UTF-8");
        line
    }

    /// Closes the pipe that its standard output goes into, as `| head` does; its [`Output`] then has none.
    pub fn close_stdout(&mut self) {
        (self.read, self.child.stdout) = (None, None);
    }

    /// As [`Self::finish`], but kills it (SIGKILL) when `when` comes before its end.
    pub async fn finish_or_kill(self, when: impl Future<Output = ()>) -> Output {
        self.finish_or_signal(&["KILL"], when).await
    }

    /// As [`Self::finish`], but sends it these signals, one right after the other, when `when` comes before its end.
    pub async fn finish_or_signal(self, names: &[&str], when: impl Future<Output = ()>) -> Output {
        let script = kill(self.id(), names);
        let mut finish = pin!(self.finish());
        select! {
            output = &mut finish => return output,
            () = when => {}
        }
        // One that has ended in this very moment needs no signal any more.
        Command::new("sh").arg("-c").arg(script).status().await.expect("a shell can be run");
        finish.await
    }

    /// As [`Self::finish`], of one whose standard output nobody reads: its [`Output`] has none.
    pub async fn wait_unread(mut self) -> Output {
        let code = timeout(LIMIT, self.child.wait()).await;
        let code =
            code.unwrap_or_else(|_| panic!("{} does not end", self.what)).expect("it can be waited for");
        self.close_stdout();
        Output { code: code.code(), ..self.finish().await }
    }

    /// Waits for its end. Fails if it does not come, or if there is a secret in what it wrote. Of a standard output that was read
    /// line by line the [`Output`] has the rest.
    pub async fn finish(self) -> Output {
        let Self { child, began, what, central, mut read, _empty } = self;
        // What a test has not read of a stream that it has begun to read.
        let mut rest = Vec::new();
        let rest_of_it = async {
            match &mut read {
                Some(stdout) => stdout.read_to_end(&mut rest).await,
                None => Ok(0),
            }
        };
        let (output, is_read) = timeout(LIMIT, async { tokio::join!(child.wait_with_output(), rest_of_it) })
            .await
            .unwrap_or_else(|_| panic!("{what} does not end"));
        let took = began.elapsed();
        let mut output = output.expect("its output can be read");
        is_read.expect("the rest of it can be read");
        output.stdout.extend(rest);
        let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|_| panic!("{what} wrote no UTF-8"));
        let output = Output {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            took,
            what: what.clone(),
        };
        if let Some((url, key)) = central {
            canary::learn_passwords(&url, &key).await;
        }
        canary::check(&what, &output.to_string());
        output
    }
}

/// A shell's script that sends signals to a process. Its own `kill` takes microseconds, where a program of that name takes a
/// millisecond to start.
fn kill(pid: u32, names: &[&str]) -> String {
    let commands: Vec<_> = names.iter().map(|name| format!("kill -s {name} {pid}")).collect();
    commands.join(" && ")
}

/// What a program came to. Shown, it is everything of it that a caller can see.
#[derive(Clone, Debug)]
#[must_use = "it may have failed"]
pub struct Output {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// How long it ran, from its own start: it may have had to be built before.
    pub took: Duration,
    what: String,
}

impl Output {
    /// Fails unless this was the exit code.
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}\n{self}", self.what);
        self
    }

    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails unless one of the streams has this text.
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.text().contains(text), "{} does not say {text:?}\n{self}", self.what);
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit code: {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "----- {name} -----\n{}", text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn no_run_gets_past_the_canary() {
        canary::learn("canary-that-clap-repeats");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = || {
            let invocation = Invocation::new(Program::Sqlx, "").arg("canary-that-clap-repeats");
            runtime.block_on(invocation.into_future())
        };
        let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("the secret is in the error");
        let message = panic.downcast::<String>().unwrap();
        assert!(message.contains("<THE SECRET>") && !message.contains("canary-that"), "{message}");
    }
}
