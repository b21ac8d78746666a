//! The commands of a buildspec, and where they stand.

use std::ops::Range;

use shipspec_shell::{Simple, simple_commands};

use crate::value::Value;

/// A command of a phase, and the programs that it runs.
#[derive(Debug)]
pub struct Command<'a> {
    /// `install`, `pre_build`, `build` or `post_build`.
    pub phase: &'a str,
    /// `commands` or `finally`.
    pub list: &'static str,
    /// It, with its place.
    pub value: &'a Value,
    /// Its text.
    pub text: &'a str,
    /// The programs that it runs.
    pub simple: Vec<Simple>,
}

/// The commands of all phases, as they stand in the file. What is no text is left out.
#[must_use]
pub fn commands(root: &Value) -> Vec<Command<'_>> {
    let mut commands = Vec::new();
    for phase in root.get("phases").into_iter().flat_map(Value::entries) {
        for list in ["commands", "finally"] {
            let Some(written) = phase.value.get(list) else { continue };
            let is_list = !written.items().is_empty();
            let values = if is_list { written.items() } else { std::slice::from_ref(written) };
            for value in values {
                let Some(text) = value.written() else { continue };
                let simple = simple_commands(text);
                commands.push(Command { phase: &phase.key, list, value, text, simple });
            }
        }
    }
    commands
}

impl Command<'_> {
    /// The bytes of the file that a part of the command takes. A command of several lines is indented
    /// there, so the part is looked for.
    #[must_use]
    pub fn place(&self, file: &str, part: &Range<usize>) -> Range<usize> {
        let whole = self.value.range.clone();
        let Some(written) = file.get(whole.clone()) else { return whole };
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
