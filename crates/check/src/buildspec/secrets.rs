//! Secrets where others can read them.

use super::variables::used_in;
use super::{Buildspec, Command};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::secret_name::is_of_secret;
use crate::value::Value;
use shipspec_shell::Simple;

pub(super) fn check(buildspec: &Buildspec<'_>, sink: &mut Sink<'_>) {
    let env = buildspec.root.get("env");
    let kept = env.and_then(|env| env.get("secrets-manager"));
    let kept: Vec<_> =
        kept.into_iter().flat_map(Value::entries).map(|entry| entry.key.as_str()).collect();
    let is_secret = |name: &str| is_of_secret(name) || kept.contains(&name);
    for command in &buildspec.commands {
        for simple in &command.simple {
            check_shown(command, simple, &is_secret, sink);
            check_argument(command, simple, sink);
        }
    }
    let variables = env.and_then(|env| env.get("variables"));
    for entry in variables.into_iter().flat_map(Value::entries) {
        let text = entry.value.text().unwrap_or_default();
        let is_literal = text.len() >= 4
            && !text.contains('$')
            && !text.starts_with(['/', '<'])
            && !text.starts_with("arn:");
        if is_of_secret(&entry.key) && is_literal {
            let message = format!(
                "`{}` is a secret in plain text, in the repository and in every log of the build's settings",
                entry.key
            );
            let fix = "keep it in SSM or Secrets Manager: `parameter-store:` or `secrets-manager:`";
            sink.tell(code::BUILDSPEC_SECRET_PLAIN, &entry.value.range, message, fix);
        }
    }
}

/// What is printed stands in the log.
fn check_shown(
    command: &Command<'_>,
    simple: &Simple,
    is_secret: &dyn Fn(&str) -> bool,
    sink: &mut Sink<'_>,
) {
    if simple.is_redirected || !(simple.is(&["echo"]) || simple.is(&["printf"])) {
        return;
    }
    for word in simple.program() {
        if word.text.starts_with('\'') {
            continue;
        }
        if let Some((name, _)) = used_in(&word.text).into_iter().find(|(name, _)| is_secret(name)) {
            let place = command.place(sink.file().text(), &simple.range());
            let message = format!("`{name}` is written into the log");
            let fix =
                "take it away: CodeBuild hides only what it fetched itself, and only as it is";
            return sink.tell(code::BUILDSPEC_SECRET_SHOWN, &place, message, fix);
        }
    }
}

/// What stands on a command line, every process of the machine can read; a build argument stays in the
/// image.
fn check_argument(command: &Command<'_>, simple: &Simple, sink: &mut Sink<'_>) {
    let words = simple.program();
    let next =
        |index: usize| words.get(index + 1).map(shipspec_shell::Word::bare).unwrap_or_default();
    let is_login = simple.is(&["docker", "login"]);
    for (index, word) in words.iter().enumerate() {
        let text = word.bare();
        let (what, fix) = if is_login && matches!(text, "-p" | "--password")
            || text.starts_with("--password=") && text.contains('$')
        {
            ("a password", "hand it over on standard input: `--password-stdin`")
        } else if let Some(name) =
            build_argument(text, next(index)).filter(|name| is_of_secret(name))
        {
            let message =
                format!("the build argument `{name}` stays in the image, for all who can pull it");
            let fix = "mount it: `RUN --mount=type=secret,id=…`, and `secrets:` in shipspec.yml";
            let place = command.place(sink.file().text(), &word.range);
            sink.tell(code::BUILDSPEC_SECRET_ARGUMENT, &place, message, fix);
            continue;
        } else {
            continue;
        };
        let place = command.place(sink.file().text(), &word.range);
        let message = format!("{what} stands on the command line, where every process can read it");
        sink.tell(code::BUILDSPEC_SECRET_ARGUMENT, &place, message, fix);
    }
}

/// The name of a build argument.
fn build_argument<'a>(word: &'a str, next: &'a str) -> Option<&'a str> {
    let pair = match word {
        "--build-arg" => next,
        word => word.strip_prefix("--build-arg=")?,
    };
    Some(pair.split('=').next().unwrap_or(pair).trim_matches(['"', '\'']))
}
