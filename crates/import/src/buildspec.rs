//! The buildspec of an import: what was there, with the lines of shipspec in place of what they replace.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use shipspec_check::buildspec::Command;
use shipspec_check::value::{Data, Entry, Value};

use crate::items;
use crate::place::Line;
use crate::walk::{Walk, What};
use crate::yaml::scalar;

/// How the binary comes into a build whose image has it not.
const INSTALL: [&str; 2] = [
    "aws s3 cp \"s3://$TOOLS_BUCKET/shipspec\" /usr/local/bin/shipspec",
    "chmod +x /usr/local/bin/shipspec",
];

/// The commands of a list of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) phase: String,
    pub(crate) key: &'static str,
    pub(crate) items: Vec<Item>,
}

/// A command, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) text: String,
    /// As it stands in the buildspec, if it is one of its commands as a whole.
    written: Option<String>,
}

/// The commands that the new buildspec has.
pub(crate) fn lists(
    walk: &Walk<'_>,
    source: &str,
    lines: &[Line],
    exports: &[String],
) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    let mut export = (!exports.is_empty()).then(|| format!("export {}", exports.join(" ")));
    for (index, command) in walk.commands.iter().enumerate() {
        if !lists.iter().any(|list| list.phase == command.phase && list.key == command.list) {
            lists.push(List {
                phase: command.phase.to_owned(),
                key: command.list,
                items: Vec::new(),
            });
        }
        let items = if items::is_untouched(walk, index, lines) {
            vec![untouched(command, source)]
        } else {
            items::items(walk, index, lines, &mut export)
        };
        if let Some(list) =
            lists.iter_mut().find(|list| list.phase == command.phase && list.key == command.list)
        {
            list.items.extend(items);
        }
    }
    install(&mut lists);
    lists
}

impl Item {
    pub(crate) fn new(text: String) -> Self {
        Self { text, written: None }
    }
}

/// A command as it was.
fn untouched(command: &Command<'_>, source: &str) -> Item {
    let written = source.get(command.value.range.clone()).unwrap_or_default();
    let line = command.text.trim_end();
    // One line is one line, however it was written.
    if command.text.ends_with('\n') && !line.contains('\n') {
        return Item::new(line.to_owned());
    }
    Item { text: command.text.into(), written: Some(written.into()) }
}

/// The command, with the file where the folder is another one.
pub(crate) fn shipspec(walk: &Walk<'_>, line: &Line) -> String {
    let goes = walk
        .steps
        .iter()
        .any(|step| step.what == What::Kept("commands that stay run there".into()));
    let is_elsewhere = goes && walk.steps[line.step].folder.as_deref() != Some("");
    match (line.command, is_elsewhere) {
        ("daemon ensure", _) | (_, false) => format!("shipspec {}", line.command),
        (command, true) => format!("shipspec {command} --file \"$CODEBUILD_SRC_DIR/shipspec.yml\""),
    }
}

/// Puts the installation before the first use, in `install` if that is not later.
fn install(lists: &mut Vec<List>) {
    let lines = INSTALL.map(|line| Item::new(line.to_owned()));
    match lists.iter_mut().find(|list| list.phase == "install" && list.key == "commands") {
        Some(list) => {
            let use_of = list.items.iter().position(|item| item.text.contains("shipspec "));
            let at = use_of.unwrap_or(list.items.len());
            list.items.splice(at..at, lines);
        }
        None => lists
            .insert(0, List { phase: "install".into(), key: "commands", items: lines.to_vec() }),
    }
}

/// Writes the buildspec. `moved` are the entries of `env:` that are in shipspec.yml now.
pub(crate) fn write(
    root: &Value,
    source: &str,
    lists: &[List],
    moved: &BTreeSet<String>,
) -> String {
    let entries = root.entries();
    let is_block = source.get(root.range.clone()).is_some_and(|it| !it.starts_with('{'));
    // Where an entry begins, with the comments in front of it, and where its own line does.
    let begin = |entry: &Entry| line_start(source, entry.key_range.start);
    let starts: Vec<_> =
        entries.iter().map(|it| (with_comments(source, begin(it)), begin(it))).collect();
    let margin = entries.first().zip(starts.first());
    let margin = margin.and_then(|(entry, (_, line))| source.get(*line..entry.key_range.start));
    let margin = margin.filter(|margin| margin.trim().is_empty()).unwrap_or_default();
    let mut text = String::new();
    if let (true, Some((start, _))) = (is_block, starts.first()) {
        text.push_str(source.get(..*start).unwrap_or_default());
    }
    for (index, (entry, (start, line))) in entries.iter().zip(&starts).enumerate() {
        let end = starts.get(index + 1).map_or(source.len(), |(next, _)| *next);
        if is_block {
            text.push_str(source.get(*start..*line).unwrap_or_default());
        }
        let is_new = match &*entry.key {
            "phases" => {
                let _ = writeln!(text, "{margin}phases:");
                write_phases(entry, source, lists, margin, &mut text);
                true
            }
            "env" if !moved.is_empty() => {
                write_env(entry, source, moved, margin, &mut text);
                true
            }
            _ if is_block => {
                text.push_str(source.get(*line..end).unwrap_or_default());
                false
            }
            _ => {
                write_entry(entry, source, margin, &mut text);
                false
            }
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if is_new && is_block && index + 1 < entries.len() && !text.ends_with("\n\n") {
            text.push('\n');
        }
    }
    text
}

fn line_start(source: &str, at: usize) -> usize {
    source.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// Where the comments begin that stand directly before a line.
fn with_comments(source: &str, mut start: usize) -> usize {
    while start > 0 {
        let line = line_start(source, start - 1);
        if !source.get(line..start).is_some_and(|it| it.trim_start().starts_with('#')) {
            break;
        }
        start = line;
    }
    start
}

fn write_phases(phases: &Entry, source: &str, lists: &[List], margin: &str, text: &mut String) {
    let order = ["install", "pre_build", "build", "post_build"];
    let known = |name: &str| phases.value.entries().iter().find(|entry| entry.key == name);
    let others =
        phases.value.entries().iter().map(|entry| &*entry.key).filter(|key| !order.contains(key));
    for name in order.into_iter().chain(others) {
        let of_phase: Vec<_> =
            lists.iter().filter(|list| list.phase == name && !list.items.is_empty()).collect();
        let rest = known(name).map(|entry| entry.value.entries()).unwrap_or_default();
        let rest: Vec<_> =
            rest.iter().filter(|entry| !matches!(&*entry.key, "commands" | "finally")).collect();
        let has_versions = rest.iter().any(|entry| entry.key == "runtime-versions");
        if of_phase.is_empty() && !has_versions {
            continue;
        }
        let _ = writeln!(text, "{margin}  {name}:");
        for entry in rest {
            write_entry(entry, source, &format!("{margin}    "), text);
        }
        for list in of_phase {
            let _ = writeln!(text, "{margin}    {}:", list.key);
            for item in &list.items {
                if item.text == INSTALL[0] {
                    let _ = writeln!(
                        text,
                        "{margin}      # The bucket that holds the binary; not needed where the build image has it."
                    );
                }
                write_item(item, &format!("{margin}      "), text);
            }
        }
    }
}

fn write_item(item: &Item, margin: &str, text: &mut String) {
    let written = item
        .written
        .as_deref()
        .filter(|written| !written.contains('\n') && !written.starts_with(['|', '>']));
    match written {
        Some(written) => {
            let _ = writeln!(text, "{margin}- {}", written.trim_end());
        }
        None if item.text.contains('\n') => {
            write_block(&item.text, &format!("{margin}- "), margin, text);
        }
        None => {
            let _ = writeln!(text, "{margin}- {}", command_scalar(&item.text));
        }
    }
}

/// A command is written plainly where YAML reads it as it is.
fn command_scalar(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':');
    if is_plain { text.to_owned() } else { scalar(text, false) }
}

fn write_block(content: &str, head: &str, margin: &str, text: &mut String) {
    let keeps = match content.len() - content.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let indent = if content.starts_with([' ', '\n']) { "2" } else { "" };
    let _ = writeln!(text, "{head}|{indent}{keeps}");
    for line in content.trim_end_matches('\n').split('\n') {
        text.push_str(if line.is_empty() { "" } else { margin });
        text.push_str(if line.is_empty() { "" } else { "  " });
        text.push_str(line);
        text.push('\n');
    }
    let more = content.len() - content.trim_end_matches('\n').len();
    text.push_str(&"\n".repeat(more.saturating_sub(1)));
}

fn write_env(env: &Entry, source: &str, moved: &BTreeSet<String>, margin: &str, text: &mut String) {
    let mut lines = String::new();
    for entry in env.value.entries() {
        if !matches!(&*entry.key, "variables" | "parameter-store" | "secrets-manager") {
            write_entry(entry, source, &format!("{margin}  "), &mut lines);
            continue;
        }
        let stays: Vec<_> =
            entry.value.entries().iter().filter(|one| !moved.contains(&one.key)).collect();
        if !stays.is_empty() {
            let _ = writeln!(lines, "{margin}  {}:", entry.key);
            for one in stays {
                write_entry(one, source, &format!("{margin}    "), &mut lines);
            }
        }
    }
    if !lines.is_empty() {
        let _ = write!(text, "{margin}env:\n{lines}");
    }
}

/// An entry of a map, anew.
fn write_entry(entry: &Entry, source: &str, margin: &str, text: &mut String) {
    let key = scalar(&entry.key, false);
    match &entry.value.data {
        Data::Map(entries) if !entries.is_empty() => {
            let _ = writeln!(text, "{margin}{key}:");
            for entry in entries {
                write_entry(entry, source, &format!("{margin}  "), text);
            }
        }
        Data::List(items) if !items.is_empty() => {
            let _ = writeln!(text, "{margin}{key}:");
            for item in items {
                write_list_item(item, source, margin, text);
            }
        }
        Data::Text(content) if content.contains('\n') => {
            write_block(content, &format!("{margin}{key}: "), margin, text);
        }
        _ => {
            let written = one_line(&entry.value, source);
            text.push_str(format!("{margin}{key}: {written}").trim_end());
            text.push('\n');
        }
    }
}

fn write_list_item(item: &Value, source: &str, margin: &str, text: &mut String) {
    match &item.data {
        Data::Map(entries) if !entries.is_empty() => {
            let mut inner = String::new();
            for entry in entries {
                write_entry(entry, source, &format!("{margin}    "), &mut inner);
            }
            let _ = write!(text, "{margin}  - {}", inner.trim_start());
        }
        Data::Text(content) if content.contains('\n') => {
            write_block(content, &format!("{margin}  - "), &format!("{margin}  "), text);
        }
        _ => {
            let _ = writeln!(text, "{margin}  - {}", one_line(item, source));
        }
    }
}

/// A scalar as it was written.
fn one_line(value: &Value, source: &str) -> String {
    let written = source.get(value.range.clone()).unwrap_or_default().trim();
    match &value.data {
        Data::Null => String::new(),
        Data::Text(text) if written.contains('\n') || written.starts_with(['|', '>', '&', '*']) => {
            scalar(text, false)
        }
        Data::List(_) => "[]".into(),
        Data::Map(_) => "{}".into(),
        _ => written.to_owned(),
    }
}
