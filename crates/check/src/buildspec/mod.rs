//! A buildspec of CodeBuild ([reference]).
//!
//! [reference]: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html

mod artifacts;
mod commands;
mod form;
mod pushes;
mod secrets;
mod variables;

pub use commands::{Command, commands};
pub use variables::{set_in, used_in};

use crate::check::Surroundings;
use crate::finding::Sink;
use crate::value::Value;

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

impl Buildspec<'_> {
    /// A word stands anywhere in its commands.
    fn mentions(&self, word: &str) -> bool {
        self.commands.iter().any(|command| command.text.contains(word))
    }
}
