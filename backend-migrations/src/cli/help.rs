//! The list of commands, in groups.
//!
//! clap has no groups for subcommands (clap-rs/clap#1553), so the list is written here from the commands themselves and
//! put where clap would have its own.

use clap::Command;

/// Commands that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What they have in common.
    pub heading: &'static str,
    /// Their names, in order.
    pub commands: &'static [&'static str],
}

/// The groups of this library's commands.
const GROUPS: [Group; 3] = [
    Group { heading: "Write migrations", commands: &["migrate:make"] },
    Group {
        heading: "Apply migrations",
        commands: &[
            "migrate:tenant",
            "migrate:all-tenants",
            "migrate:latest",
            "migrate:rollback",
            "migrate:status",
        ],
    },
    Group { heading: "Tenants", commands: &["tenant:provision", "tenant:seal-password"] },
];

/// Gives `command` a help text with its subcommands in groups: the library's, then `more`.
pub fn grouped(command: Command, more: &[Group]) -> Command {
    let groups: Vec<_> = GROUPS.iter().chain(more).collect();
    let width = groups.iter().flat_map(|group| group.commands).map(|name| name.len()).max().unwrap_or(0);
    let mut list = String::new();
    for group in groups {
        list.push_str(group.heading);
        list.push_str(":\n");
        for name in group.commands {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            list.extend(["  ", &format!("{name:width$}"), "  ", &about, "\n"]);
        }
        list.push('\n');
    }
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}Options:\n{{options}}\n\
         `<COMMAND> --help` has examples.\n"
    );
    command.help_template(template)
}
