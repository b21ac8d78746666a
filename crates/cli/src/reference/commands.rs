//! The page of commands and flags.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::arguments::Arguments;

/// Every command with its flags.
pub(super) fn page() -> String {
    let mut all = Arguments::command();
    all.build();
    let mut text = String::from("# Commands\n\n");
    let _ = writeln!(text, "{}\n", all.get_about().map(ToString::to_string).unwrap_or_default());
    let commands: Vec<_> =
        all.get_subcommands().filter(|command| command.get_name() != "help").collect();
    text.push_str("| command | does |\n| --- | --- |\n");
    for command in &commands {
        let _ = writeln!(text, "| [`{0}`](#{0}) | {1} |", command.get_name(), about(command));
    }
    for command in commands {
        sections(&mut text, command, "");
    }
    text
}

/// The command, and those below it.
fn sections(text: &mut String, command: &Command, above: &str) {
    let name = format!("{above}{}", command.get_name());
    section(text, command, &name);
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        sections(text, below, &format!("{name} "));
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn section(text: &mut String, command: &Command, title: &str) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(text, "\n## {title}\n\n{}\n\n```text\n{usage}\n```\n", about(command));
    let arguments: Vec<_> =
        command.get_arguments().filter(|argument| argument.get_id() != "help").collect();
    if arguments.is_empty() {
        return;
    }
    text.push_str("\n| flag | meaning |\n| --- | --- |\n");
    for argument in arguments {
        let _ = writeln!(text, "| `{}` | {} |", name(argument), meaning(argument));
    }
}

fn name(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let value = values.first().filter(|_| takes_value).map(ToString::to_string).unwrap_or_default();
    match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long} {value}").trim_end().into(),
        (None, Some(long)) => format!("--{long} {value}").trim_end().into(),
        _ if argument.is_last_set() => format!("-- <{value}>…"),
        _ => format!("<{value}>"),
    }
}

fn meaning(argument: &Arg) -> String {
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        let _ = write!(meaning, " [default: {}]", defaults.join(", "));
    }
    let values: Vec<_> = argument
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() && argument.get_action().takes_values() {
        let _ = write!(meaning, " ({})", values.join(", "));
    }
    meaning
}
