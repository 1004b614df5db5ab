//! One call of the `git` program, with a limit on its time.

use std::{
    io::{self, Read, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::GitError;

/// Far more than reading some thousand files takes, even from a cold disk.
const LIMIT: Duration = Duration::from_mins(1);

/// Runs git in `folder` with `input` on its standard input; gives its standard output.
pub(super) fn git(folder: &Path, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>, GitError> {
    let command = arguments.first().copied().unwrap_or_default().to_owned();
    let mut child = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        // Its messages are read here, and a question would wait for ever.
        .envs([("LC_ALL", "C"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(GitError::NoProgram)?;
    let output = talk(&mut child, input);
    let Ok(output) = output.recv_timeout(LIMIT) else {
        child.kill().ok();
        child.wait().ok();
        return Err(GitError::TooSlow { command, limit: LIMIT });
    };
    let status = child.wait().map_err(GitError::NoProgram)?;
    let Output { stdout, stderr } = output.map_err(GitError::NoProgram)?;
    if status.success() {
        return Ok(stdout);
    }
    let message = String::from_utf8_lossy(&stderr).lines().collect::<Vec<_>>().join("; ");
    if message.contains("not a git repository") {
        return Err(GitError::NoRepository { folder: folder.to_owned() });
    }
    let message = message.trim_start_matches("fatal: ").to_owned();
    Err(GitError::Failed { command, message })
}

struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Writes and reads at once: each side may wait for the other's pipe to be emptied.
fn talk(child: &mut Child, input: Vec<u8>) -> mpsc::Receiver<io::Result<Output>> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (sender, receiver) = mpsc::channel();
    // One that stops reading has its reason on standard error.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input).ok()));
    let said = thread::spawn(move || read(stderr));
    thread::spawn(move || {
        let stdout = read(stdout);
        let stderr = said.join().unwrap_or_else(|_| Ok(Vec::new()));
        let output = stdout.and_then(|stdout| Ok(Output { stdout, stderr: stderr? }));
        sender.send(output).ok();
    });
    receiver
}

fn read(from: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        from.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
