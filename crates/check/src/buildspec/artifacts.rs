//! The files that CodeBuild hands on, and those that are written.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;

use super::Buildspec;
use crate::check::Surroundings;
use crate::codes::name as code;
use crate::file::kind_of_name;
use crate::finding::Sink;
use crate::value::{Data, Value};

/// One list of files: the primary artifact, or a secondary one.
struct Section<'a> {
    /// The patterns, and where they are written.
    files: Vec<(&'a str, &'a Range<usize>)>,
    base: Option<&'a str>,
    discards_paths: bool,
    range: &'a Range<usize>,
}

pub(super) fn check(
    buildspec: &Buildspec<'_>,
    surroundings: &Surroundings<'_>,
    sink: &mut Sink<'_>,
) {
    let Some(artifacts) = buildspec.root.get("artifacts") else { return };
    let sections = sections(artifacts);
    for section in &sections {
        check_unknown(buildspec, section, surroundings, sink);
        check_discarded(section, surroundings, sink);
    }
    let runs = buildspec.commands.iter().flat_map(|command| &command.simple);
    if runs
        .into_iter()
        .any(|simple| simple.is(&["shipspec", "run"]) || simple.is(&["shipspec", "render"]))
    {
        check_left_out(buildspec, &sections, surroundings, sink);
    }
}

fn sections(artifacts: &Value) -> Vec<Section<'_>> {
    let secondary = artifacts.get("secondary-artifacts").into_iter().flat_map(Value::entries);
    let all = std::iter::once(artifacts).chain(secondary.map(|entry| &entry.value));
    all.filter_map(section).collect()
}

fn section(value: &Value) -> Option<Section<'_>> {
    let files = value.get("files")?;
    let list = match &files.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(files),
    };
    let discards = value.get("discard-paths");
    Some(Section {
        files: list.iter().filter_map(|item| Some((item.text()?, &item.range))).collect(),
        base: value.text_of("base-directory"),
        discards_paths: discards.is_some_and(|it| it.is_true() || it.text() == Some("yes")),
        range: &files.range,
    })
}

impl Section<'_> {
    /// A path of the source, as a pattern here would name it.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.base.map(|base| base.trim_start_matches("./").trim_end_matches('/')) {
            None | Some("" | ".") => Some(path),
            Some(base) if base.contains(['*', '$']) => Some(path),
            Some(base) => path.strip_prefix(base)?.strip_prefix('/'),
        }
    }

    fn takes(&self, path: &str) -> bool {
        let Some(path) = self.inner(path) else { return false };
        self.files.iter().any(|(pattern, _)| matches(pattern, path))
    }

    fn outer(&self, file: &str) -> String {
        let file = file.trim_start_matches("./");
        match self.base {
            Some(base) => format!("{}/{file}", base.trim_start_matches("./").trim_end_matches('/')),
            None => file.to_owned(),
        }
    }
}

/// `**` is any number of folders, `*` a part of one name; a variable may be anything.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches("./");
    if pattern.contains('$') || pattern == path {
        return true;
    }
    if !pattern.contains(['*', '?']) {
        return false;
    }
    let escaped = regex::escape(pattern);
    let form = escaped.replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*");
    let form = form.replace(r"\*", "[^/]*").replace(r"\?", "[^/]");
    Regex::new(&format!("^{form}$")).is_ok_and(|form| form.is_match(path))
}

/// A file for a deploy action that is not in the source, not written by shipspec, and not named by any
/// command.
fn check_unknown(
    buildspec: &Buildspec<'_>,
    section: &Section<'_>,
    surroundings: &Surroundings<'_>,
    sink: &mut Sink<'_>,
) {
    for (file, range) in &section.files {
        let is_pattern = file.contains(['*', '?', '$']);
        let path = section.outer(file);
        let name = file.rsplit('/').next().unwrap_or(file);
        let is_there = surroundings.outputs.contains(&path) || (surroundings.has_file)(&path);
        // A folder that the build makes may hold anything.
        let is_made = section.base.is_some_and(|base| !(surroundings.has_file)(base));
        if is_pattern
            || is_there
            || is_made
            || kind_of_name(&name.to_lowercase()).is_none()
            || buildspec.mentions(name)
        {
            continue;
        }
        let message = format!("nothing here writes `{file}`, and it is not in the source");
        let written = buildspec.commands.iter().flat_map(|command| &command.simple);
        let names = written.flat_map(|simple| &simple.words).map(shipspec_shell::Word::bare);
        let near = crate::nearest::slip(
            name,
            surroundings.outputs.iter().map(String::as_str).chain(names),
        );
        let fix = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it, or take it out of the list".into(),
        };
        sink.tell(code::BUILDSPEC_ARTIFACT_UNKNOWN, range, message, fix);
    }
}

/// Without their folders, files of one name are one file.
fn check_discarded(section: &Section<'_>, surroundings: &Surroundings<'_>, sink: &mut Sink<'_>) {
    if !section.discards_paths {
        return;
    }
    let literal = section.files.iter().filter(|(file, _)| !file.contains(['*', '?', '$']));
    let mut paths: Vec<_> = literal.map(|(file, _)| section.outer(file)).collect();
    paths.extend(surroundings.outputs.iter().filter(|path| section.takes(path)).cloned());
    paths.sort();
    paths.dedup();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for path in &paths {
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some(other) = names.insert(name, path) {
            let message = format!("without their folders, `{other}` and `{path}` are one file");
            let fix = "take `discard-paths` away, or give each file an artifact of its own";
            sink.tell(code::BUILDSPEC_DISCARD_PATHS, section.range, message, fix);
        }
    }
}

/// A file that no artifact has, that is not published, and that no command takes.
fn check_left_out(
    buildspec: &Buildspec<'_>,
    sections: &[Section<'_>],
    surroundings: &Surroundings<'_>,
    sink: &mut Sink<'_>,
) {
    let Some(first) = sections.first() else { return };
    let is_left_out = |path: &&String| {
        !sections.iter().any(|section| section.takes(path))
            && !surroundings.published.contains(path)
            && !buildspec.mentions(path)
    };
    for path in surroundings.outputs.iter().filter(is_left_out) {
        let message = format!("shipspec writes `{path}`, and no artifact takes it along");
        let under = match first.base {
            Some(base) if first.inner(path).is_none() => format!("; it is not under `{base}`"),
            _ => String::new(),
        };
        let fix = format!("add it to `files`{under}");
        sink.tell(code::BUILDSPEC_ARTIFACT_LEFT_OUT, first.range, message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_those_of_codebuild() {
        assert!(matches("**/*", "a/b.json") && matches("**/*", "b.json"));
        assert!(matches("out/*", "out/a") && !matches("out/*", "out/b/a"));
        assert!(matches("./taskdef.json", "taskdef.json") && matches("$NAME.json", "x.json"));
        assert!(!matches("taskdef.json", "out/taskdef.json"));
    }
}
