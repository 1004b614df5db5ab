//! The list of commands, in groups.
//!
//! clap has no groups for subcommands (clap-rs/clap#1553), so the list is written here from the commands themselves and
//! put where clap would have its own.

use clap::{
    Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Commands that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What they have in common.
    pub heading: &'static str,
    /// Their names, in order.
    pub commands: &'static [&'static str],
}

/// The groups of this library's commands.
const GROUPS: [Group; 4] = [
    Group { heading: "Write migrations", commands: &["migrate:make", "migrate:lint", "migrate:restamp"] },
    Group {
        heading: "Apply migrations",
        commands: &[
            "migrate:tenant",
            "migrate:all-tenants",
            "migrate:latest",
            "migrate:rollback",
            "migrate:status",
            "migrate:recover",
        ],
    },
    Group { heading: "Tenants", commands: &["tenant:provision", "tenant:seal-password"] },
    Group { heading: "Shell", commands: &["completions"] },
];

/// Gives `command` a help text with its subcommands in groups, the library's and then `more`, and lets the examples of
/// each subcommand begin with what people type before it.
pub fn grouped(command: Command, more: &[Group]) -> Command {
    let groups: Vec<_> = GROUPS.iter().chain(more).collect();
    debug_assert_eq!(
        sorted(groups.iter().flat_map(|group| group.commands).copied()),
        sorted(command.get_subcommands().map(Command::get_name)),
        "every command must be in exactly one group"
    );
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
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}Global options:\n{{options}}\n\n\
         `<COMMAND> --help` has examples. Settings, exit codes and what goes where: docs/cli.md.\n"
    );
    let program = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    command.help_template(template).mut_subcommands(|subcommand| with_program(subcommand, &program))
}

/// Puts `program` before the examples of `command`, the indented lines below its help that begin with its name; what an
/// example is for goes from beside it to above it, for there is no room beside it any more.
fn with_program(command: Command, program: &str) -> Command {
    let Some(text) = command.get_after_help().map(ToString::to_string) else { return command };
    let mut lines = Vec::new();
    for line in text.lines() {
        let example =
            line.strip_prefix("  ").filter(|line| line.split(' ').next() == Some(command.get_name()));
        let Some(example) = example else {
            lines.push(line.to_owned());
            continue;
        };
        let (example, purpose) = example.split_once("   ").unwrap_or((example, ""));
        if !purpose.is_empty() {
            lines.push(format!("  # {}", purpose.trim_start()));
        }
        lines.push(format!("  {program} {example}"));
    }
    command.after_help(lines.join("\n"))
}

/// Leaves the nearest of the commands that clap proposes for one that is not there: it takes all that begin with
/// `migrate:` for similar, and says so of each. And says how a tenant is named where that is not the first word.
pub fn with_nearest(mut error: Error) -> Error {
    /// More slips than these are another word.
    const SLIPS: usize = 3;
    /// The commands that take no tenant as a word of its own, and what does.
    const TENANT: [(&str, &str); 3] = [
        ("migrate:all-tenants", "one tenant alone is 'migrate:tenant"),
        ("migrate:rollback", "a tenant is named with '--tenant"),
        ("migrate:status", "a tenant is named with '--tenant"),
    ];
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg)
        && let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage)
        && !word.starts_with('-')
        && let Some((_, tip)) = TENANT.iter().find(|(name, _)| usage.to_string().contains(name))
    {
        let tip = format!("{tip} {word}'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand)
        && let Some(ContextValue::Strings(proposed)) = error.get(ContextKind::SuggestedSubcommand)
    {
        let slips = |name: &String| strsim::osa_distance(typed, name);
        let nearest = proposed.iter().map(slips).min().unwrap_or(usize::MAX);
        if nearest <= SLIPS {
            let names = proposed.iter().filter(|name| slips(name) == nearest).cloned().collect();
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(names));
        }
    }
    error
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}
