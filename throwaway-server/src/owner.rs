//! Which process a container belongs to, so that those of dead processes can be swept.

use std::{fs, process};

/// The mark of this process: the machine's boot, the process namespace, the process and when it began. `None` where
/// `/proc` does not tell (macOS): what has no mark is never swept.
pub(crate) fn mark() -> Option<String> {
    Some(format!("{}/{}/{}", place()?, process::id(), began(process::id())?))
}

/// Whether the mark is of a process that could be seen from here if it were alive, and is not. An engine may serve
/// several machines or containers, whose processes are not ours to judge.
pub(crate) fn is_dead(mark: &str) -> bool {
    let Some((rest, then)) = mark.rsplit_once('/') else { return false };
    let Some((owners_place, id)) = rest.rsplit_once('/') else { return false };
    let Ok(id) = id.parse() else { return false };
    place().is_some_and(|place| place == owners_place) && began(id).as_deref() != Some(then)
}

fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// When a process began, in clock ticks since boot: with it, a number used again is not taken for the old process.
/// (`proc_pid_stat(5)`: field 22; field 2 is a name in parentheses that may hold anything.)
fn began(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_ascii_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn only_a_dead_process_of_this_place_is_dead() {
        let own = mark().expect("Linux has /proc");
        assert!(!is_dead(&own));

        let mut child = process::Command::new("/bin/sh").args(["-c", "read line"]).spawn().expect("a shell");
        let id = child.id();
        let place = place().expect("Linux has /proc");
        let childs = format!("{place}/{id}/{}", began(id).expect("it runs"));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert!(is_dead(&childs));

        assert!(!is_dead("another-boot/pid:[1]/1/1"), "a process elsewhere is not ours to judge");
        assert!(is_dead(&format!("{place}/{}/1", process::id())), "the number alone is not the process");
        assert!(!is_dead("nonsense"));
    }
}
