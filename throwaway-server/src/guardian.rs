//! The process that outlives ours and cleans up.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

/// Guards a server program: starts it, and kills it and removes its folder once we are gone.
const PROGRAM_GUARDIAN: &str = include_str!("guardian.sh");

/// Guards a container by its name. The container may still be on its way when its owner dies, hence the tries.
const CONTAINER_GUARDIAN: &str = r#"
docker=$1 name=$2
PATH=${PATH:-}:/usr/bin:/bin
trap '' HUP INT TERM
cd / || exit 1
exec >/dev/null 2>&1
while read -r word; do
  case $word in leave) exit 0 ;; esac
done
for try in 1 2 3 4 5 6 7 8 9 10; do
  "$docker" container inspect "$name" && "$docker" rm -f -v "$name" && exit 0
  sleep 1
done
"#;

/// How long the end of a guardian is waited for; what it removes is memory or a container.
const END_LIMIT: Duration = Duration::from_secs(15);

/// Dropping it closes the pipe, on which the guardian cleans up, and waits until it has.
pub(crate) struct Guardian {
    /// Absent once let go.
    child: Option<Child>,
    words: Option<ChildStdin>,
    ended: watch::Receiver<bool>,
}

impl Guardian {
    /// Starts `launch` (a program and its arguments) with `input` as standard input, output going to `folder/log`.
    pub(crate) fn of_program<S: AsRef<OsStr>>(
        folder: &Path,
        input: &Path,
        launch: impl IntoIterator<Item = S>,
    ) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", PROGRAM_GUARDIAN, "guardian"]).arg(folder).arg(input).args(launch);
        Self::spawn(shell)
    }

    /// Guards a container that is about to be started.
    pub(crate) fn of_container(docker: &Path, name: &str) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", CONTAINER_GUARDIAN, "guardian"]).arg(docker).arg(name);
        Self::spawn(shell)
    }

    fn spawn(mut shell: Command) -> io::Result<Self> {
        let mut child = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that Ctrl-C at a terminal reaches us but not the guardian.
            .process_group(0)
            .spawn()?;
        let words = child.stdin.take();
        let (tell, ended) = watch::channel(false);
        if let Some(mut pipe) = child.stdout.take() {
            // A thread and not a task: the server may be kept while runtimes come and go.
            thread::Builder::new().name("throwaway-server".into()).spawn(move || {
                let _ = pipe.read_to_end(&mut Vec::new());
                let _ = tell.send(true);
            })?;
        }
        Ok(Self { child: Some(child), words, ended })
    }

    /// Waits until the guarded program has ended by itself.
    pub(crate) async fn program_end(&self) {
        let mut ended = self.ended.clone();
        // An error means that the thread is gone, which it only is at the program's end.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Ends the guardian without cleaning up. For a program, waits for its end and gives its exit status.
    pub(crate) fn leave(mut self) -> io::Result<ExitStatus> {
        self.say("leave");
        self.words = None;
        match self.child.take() {
            Some(mut child) => child.wait(),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Lets the guardian and what it guards outlive us.
    pub(crate) fn detach(mut self) {
        self.say("detach");
        self.child = None;
    }

    fn say(&mut self, word: &str) {
        if let Some(pipe) = &mut self.words {
            // A guardian that is gone reads nothing and needs to be told nothing.
            let _ = writeln!(pipe, "{word}");
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.words = None;
        let Some(child) = &mut self.child else { return };
        let began = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && began.elapsed() < END_LIMIT {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The last lines of a server's log, for an error's text.
pub(crate) fn log_tail(folder: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(folder.join("log")) {
        let _ = file.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
