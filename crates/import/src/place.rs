//! Where the commands of shipspec go: one line where that says the same, else one for each step that has
//! something between it and the next.

use std::collections::BTreeSet;

use crate::walk::{Step, Walk, What};

/// A line of shipspec in place of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The step in whose place it stands.
    pub(crate) step: usize,
    /// `run`, `build`, `push`, `render`, `daemon ensure`.
    pub(crate) command: &'static str,
}

/// The lines, in their order. `read` are the names that shipspec.yml asks the environment for.
pub(crate) fn lines(walk: &Walk<'_>, read: &BTreeSet<String>) -> Vec<Line> {
    let last = |is: &dyn Fn(&What) -> bool| walk.steps.iter().rposition(|step| is(&step.what));
    let Some(build) = last(&|what| matches!(what, What::Builds(_))) else { return Vec::new() };
    let push = last(&|what| matches!(what, What::Pushes(_))).unwrap_or(build).max(build);
    let write = last(&|what| matches!(what, What::Writes(_))).unwrap_or(build);
    let end = push.max(write);
    let weighty: Vec<_> =
        (build + 1..end).filter(|index| is_weighty(walk, &walk.steps[*index])).collect();
    let uses_engine =
        walk.steps[build..].iter().any(|step| step.is_kept() && uses_engine(walk, step, push));
    let given = |names: &BTreeSet<String>| {
        let steps = walk.shell_names(names).into_iter().map(|(_, step)| step);
        steps.filter(|step| *step < end).max().unwrap_or(build).max(build)
    };
    let fed = given(read);
    // A build looks at repositories and tags, too, and not at files.
    let build_at = given(&walk.names_of_images());
    let is_fed_late = fed > build;
    let is_between = (build + 1..end).any(|index| writes_before_us(walk, index));
    let mut lines = match (uses_engine || is_between, weighty.first()) {
        (false, None) if is_fed_late => vec![(end, "run")],
        (false, None) => vec![(build, "run")],
        (false, Some(first)) if *first > push && fed <= push => vec![(fed, "run")],
        _ if write > push => vec![(build_at, "build"), (push, "push"), (write, "render")],
        _ if walk.files.is_empty() => vec![(build_at, "build"), (push, "push")],
        _ => vec![(build_at, "build"), (push, "push"), (push, "render")],
    };
    let daemon = walk.steps.iter().position(|step| step.what == What::Daemon);
    if let Some(step) = daemon {
        lines.insert(0, (step, "daemon ensure"));
    }
    lines.into_iter().map(|(step, command)| Line { step, command }).collect()
}

/// It stays, and writes a file that shipspec writes after it.
fn writes_before_us(walk: &Walk<'_>, index: usize) -> bool {
    let text = walk.text_of(&walk.steps[index]);
    let is_later =
        |number: usize| walk.steps[index..].iter().any(|step| step.what == What::Writes(number));
    let names = walk.files.iter().enumerate().filter(|(number, _)| is_later(*number));
    let mut names = names.map(|(_, file)| file.path.rsplit('/').next().unwrap_or(&file.path));
    walk.steps[index].is_kept() && names.any(|name| text.contains(name))
}

/// It stays, and is more than a look or a value.
pub(crate) fn is_weighty(walk: &Walk<'_>, step: &Step) -> bool {
    let is_value = || {
        let simple = shipspec_shell::parse(walk.text_of(step));
        simple.statements.iter().all(|statement| {
            statement.command().is_some_and(|command| {
                let (values, words) = command.split();
                !values.is_empty() && words.is_empty()
                    || matches!(words.first().map(|word| &*word.text), Some("export" | "mkdir"))
            })
        })
    };
    step.is_kept() && !walk.is_quiet(step) && !is_value()
}

/// It needs the image under its name in the engine, and not in the registry.
fn uses_engine(walk: &Walk<'_>, step: &Step, push: usize) -> bool {
    if step.names.is_empty() {
        return false;
    }
    let index = walk.steps.iter().position(|other| std::ptr::eq(other, step));
    let is_early = index.is_some_and(|index| index < push);
    let is_docker = shipspec_shell::simple_commands(walk.text_of(step))
        .iter()
        .any(|simple| simple.is(&["docker"]));
    is_early || is_docker
}
