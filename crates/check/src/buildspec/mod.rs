//! A buildspec of CodeBuild ([reference]).
//!
//! [reference]: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html

mod artifacts;
mod form;
mod pushes;
mod secrets;
mod shell;
mod variables;

use std::ops::Range;

use crate::check::Surroundings;
use crate::file::File;
use crate::finding::Sink;
use crate::value::Value;
use shell::Simple;

/// A command of a phase, and the simple commands that it is made of.
struct Command<'a> {
    phase: &'a str,
    value: &'a Value,
    text: &'a str,
    simple: Vec<Simple>,
}

/// A buildspec with its commands read.
struct Buildspec<'a> {
    root: &'a Value,
    commands: Vec<Command<'a>>,
}

/// Everything that is wrong in a buildspec.
pub(crate) fn check(root: &Value, surroundings: &Surroundings<'_>, sink: &mut Sink<'_>) {
    form::check(root, sink);
    let buildspec = Buildspec { root, commands: commands(root) };
    pushes::check(&buildspec, sink);
    secrets::check(&buildspec, sink);
    variables::check(&buildspec, sink);
    artifacts::check(&buildspec, surroundings, sink);
}

fn commands(root: &Value) -> Vec<Command<'_>> {
    let mut commands = Vec::new();
    for phase in root.get("phases").into_iter().flat_map(Value::entries) {
        for key in ["commands", "finally"] {
            let Some(list) = phase.value.get(key) else { continue };
            let is_list = !list.items().is_empty();
            let values = if is_list { list.items() } else { std::slice::from_ref(list) };
            for value in values {
                let Some(text) = value.written() else { continue };
                commands.push(Command {
                    phase: &phase.key,
                    value,
                    text,
                    simple: shell::parse(text),
                });
            }
        }
    }
    commands
}

impl Command<'_> {
    /// The bytes of the file that a part of the command takes. A command of several lines is indented
    /// there, so the part is looked for.
    fn place(&self, file: &File, part: &Range<usize>) -> Range<usize> {
        let whole = self.value.range.clone();
        let Some(written) = file.text().get(whole.clone()) else { return whole };
        let Some(part_text) = self.text.get(part.clone()) else { return whole };
        let wanted = part_text.lines().next().unwrap_or_default().trim_end();
        let before = self.text.get(..part.start).unwrap_or_default();
        let skip = before.matches(wanted).count();
        match written.match_indices(wanted).nth(skip) {
            Some((start, _)) if !wanted.is_empty() => {
                let start = whole.start + start;
                start..start + wanted.len()
            }
            _ => whole.start..whole.start + written.lines().next().unwrap_or_default().len(),
        }
    }
}

impl Buildspec<'_> {
    /// A word stands anywhere in its commands.
    fn mentions(&self, word: &str) -> bool {
        self.commands.iter().any(|command| command.text.contains(word))
    }
}
