//! Variables that nobody sets, where another one is so like them that it is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Buildspec, Command};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::Value;
use shipspec_shell::is_name;

static USE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)").ok());

/// Sets a variable in the middle of a word, or with a program of the shell.
static SET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\$\{([A-Za-z_][A-Za-z0-9_]*):?=|\bread\s+(?:-\S+\s+)*([A-Za-z_][A-Za-z0-9_]*)|\bfor\s+([A-Za-z_][A-Za-z0-9_]*)\s+in\b|printf\s+-v\s+([A-Za-z_][A-Za-z0-9_]*)|(?:^|[\s;&|('\x22])([A-Za-z_][A-Za-z0-9_]*)=").ok()
});

/// The names that a text asks for, and where.
#[must_use]
pub fn used_in(text: &str) -> Vec<(&str, Range<usize>)> {
    let Some(pattern) = &*USE else { return Vec::new() };
    let found =
        pattern.captures_iter(text).filter_map(|found| Some((found.get(0)?, found.get(1)?)));
    // `$$NAME` and `\$NAME` are for somebody else.
    let is_ours = |start: usize| !text[..start].ends_with(['$', '\\']);
    found
        .filter(|(whole, _)| is_ours(whole.start()))
        .map(|(whole, name)| (name.as_str(), whole.start()..name.end()))
        .collect()
}

pub(super) fn check(buildspec: &Buildspec<'_>, sink: &mut Sink<'_>) {
    let set = set_names(buildspec);
    let mut used: BTreeMap<&str, (&Command<'_>, Range<usize>)> = BTreeMap::new();
    for command in &buildspec.commands {
        for (name, range) in used_in(command.text) {
            used.entry(name).or_insert((command, range));
        }
    }
    for (name, (command, range)) in &used {
        if set.contains(name) || is_of_codebuild(name) {
            continue;
        }
        // A namesake that is used too has a purpose of its own.
        let near = set.iter().find(|other| !used.contains_key(**other) && is_namesake(name, other));
        if let Some(near) = near {
            let place = command.place(sink.file().text(), range);
            let message = format!("nothing here sets `{name}`, and nothing uses `{near}`");
            let fix = format!(
                "did you mean `{near}`? If the project's environment sets `{name}`, all is well"
            );
            sink.tell(code::BUILDSPEC_VARIABLE, &place, message, fix);
        }
    }
}

/// Names that the buildspec gives a value.
fn set_names<'a>(buildspec: &'a Buildspec<'_>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let env = buildspec.root.get("env");
    for key in ["variables", "parameter-store", "secrets-manager"] {
        let entries = env.and_then(|env| env.get(key)).into_iter().flat_map(Value::entries);
        names.extend(entries.map(|entry| entry.key.as_str()));
    }
    names.extend(buildspec.commands.iter().flat_map(|command| set_in(command.text)));
    names.retain(|name| is_name(name));
    names
}

/// The names that a text of a shell could give a value.
#[must_use]
pub fn set_in(text: &str) -> Vec<&str> {
    let Some(pattern) = &*SET else { return Vec::new() };
    let found = pattern.captures_iter(text);
    found
        .flat_map(|found| found.iter().skip(1).flatten().collect::<Vec<_>>())
        .map(|name| name.as_str())
        .collect()
}

/// CodeBuild or the system sets it.
fn is_of_codebuild(name: &str) -> bool {
    let is_prefix =
        ["CODEBUILD_", "AWS_", "DOCKER_", "LC_"].iter().any(|prefix| name.starts_with(prefix));
    is_prefix
        || matches!(
            name,
            "HOME" | "PATH" | "PWD" | "USER" | "HOSTNAME" | "SHELL" | "LANG" | "RANDOM" | "SECONDS"
        )
}

/// One is the other with a slip of the fingers; names that count (`SUBNET_1`, `SUBNET_2`) are not.
fn is_namesake(name: &str, other: &str) -> bool {
    let without_digits = |name: &str| name.replace(|sign: char| sign.is_ascii_digit(), "");
    let is_counted = name != other && without_digits(name) == without_digits(other);
    let is_alike = crate::nearest::slip(name, [other]).is_some();
    is_alike && !is_counted && name.len() > 4
}
