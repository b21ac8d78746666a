//! Logins and pushes.

use super::{Buildspec, Command};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::Value;

pub(super) fn check(buildspec: &Buildspec<'_>, sink: &mut Sink<'_>) {
    check_guard(buildspec, sink);
    for command in &buildspec.commands {
        check_login(command, sink);
        check_fallback(command, sink);
    }
}

/// `post_build` runs after a `build` that failed ([transitions]).
///
/// [transitions]: https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
fn check_guard(buildspec: &Buildspec<'_>, sink: &mut Sink<'_>) {
    let build = buildspec.root.get("phases").and_then(|phases| phases.get("build"));
    let builds = build.and_then(|build| build.get("commands")).is_some_and(Value::says_something);
    let aborts = build.and_then(|build| build.text_of("on-failure")) == Some("ABORT");
    if !builds || aborts || buildspec.mentions("CODEBUILD_BUILD_SUCCEEDING") {
        return;
    }
    let is_late = |command: &&Command<'_>| command.phase == "post_build";
    for command in buildspec.commands.iter().filter(is_late) {
        let push = command.simple.iter().find(|simple| {
            let is_build =
                simple.is(&["docker", "buildx", "build"]) || simple.is(&["docker", "build"]);
            let is_compose =
                simple.is(&["docker", "compose", "push"]) || simple.is(&["docker-compose", "push"]);
            simple.is(&["docker", "push"])
                || simple.is(&["docker", "image", "push"])
                || is_compose
                || is_build && simple.words.iter().any(|word| word.text == "--push")
        });
        if let Some(push) = push {
            let place = command.place(sink.file().text(), &push.range());
            let message = "`post_build` runs even if `build` failed, so that this pushes what is broken or old";
            let fix = "push in `build`, or set `on-failure: ABORT` there; `shipspec run` publishes nothing after a failure";
            return sink.tell(code::BUILDSPEC_PUSH, &place, message, fix);
        }
    }
}

fn check_login(command: &Command<'_>, sink: &mut Sink<'_>) {
    for simple in &command.simple {
        if simple.is(&["aws", "ecr", "get-login"]) {
            let place = command.place(sink.file().text(), &simple.range());
            let message = "`aws ecr get-login` is gone since version 2 of the AWS CLI";
            let fix = "`aws ecr get-login-password | docker login --username AWS --password-stdin REGISTRY`; shipspec needs no login";
            sink.tell(code::BUILDSPEC_GET_LOGIN, &place, message, fix);
        }
    }
}

/// `${COMMIT_HASH:=latest}` hides that there is no commit, and moves `latest`.
fn check_fallback(command: &Command<'_>, sink: &mut Sink<'_>) {
    for form in [":=latest}", ":-latest}", "=latest}", "-latest}"] {
        let Some(end) = command.text.find(form) else { continue };
        let before = command.text.get(..end).unwrap_or_default();
        let Some(start) =
            before.rfind("${").filter(|start| shipspec_shell::is_name(&before[start + 2..]))
        else {
            continue;
        };
        let place = command.place(sink.file().text(), &(start..end + form.len()));
        let name = &before[start + 2..];
        let message =
            format!("without a value of `{name}`, `latest` is overwritten and nobody is told");
        let fix = "let the build fail there: `${NAME:?is not set}`";
        return sink.tell(code::BUILDSPEC_LATEST, &place, message, fix);
    }
}
