//! What CodeBuild takes.

use crate::codes::name as code;
use crate::finding::Sink;
use crate::nearest::slip;
use crate::value::{Data, Value};

const KEYS: [&str; 9] =
    ["version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"];

const PHASES: [&str; 4] = ["install", "pre_build", "build", "post_build"];

const OF_PHASE: [&str; 5] = ["run-as", "on-failure", "commands", "finally", "runtime-versions"];

const OF_ENV: [&str; 6] = [
    "shell",
    "variables",
    "parameter-store",
    "secrets-manager",
    "exported-variables",
    "git-credential-helper",
];

const OF_ARTIFACTS: [&str; 8] = [
    "files",
    "name",
    "discard-paths",
    "base-directory",
    "exclude-paths",
    "enable-symlinks",
    "s3-prefix",
    "secondary-artifacts",
];

pub(super) fn check(root: &Value, sink: &mut Sink<'_>) {
    check_keys(root, &KEYS, sink);
    let start = root.range.start..root.range.start + 1;
    match root.get("version") {
        None if !has(root, "version") => {
            sink.tell(
                code::BUILDSPEC_FORM,
                &start,
                "the buildspec has no `version`",
                "write `version: 0.2`",
            );
        }
        Some(Value { data: Data::Number(text) | Data::Text(text), range })
            if !matches!(text.as_str(), "0.1" | "0.2") =>
        {
            let message = format!("there is no version {text} of the buildspec");
            sink.tell(code::BUILDSPEC_FORM, range, message, "write `version: 0.2`");
        }
        _ => {}
    }
    match root.get("phases") {
        Some(phases) => check_phases(phases, sink),
        // A batch build has its phases in the buildspecs that it names.
        None if has(root, "phases") || root.get("batch").is_some() => {}
        None => sink.tell(
            code::BUILDSPEC_FORM,
            &start,
            "the buildspec has no `phases`",
            "add `phases:`",
        ),
    }
    if let Some(env) = root.get("env") {
        check_keys(env, &OF_ENV, sink);
        check_exported(env, sink);
    }
    if let Some(artifacts) = root.get("artifacts") {
        check_keys(artifacts, &OF_ARTIFACTS, sink);
        let names_files = ["files", "secondary-artifacts"].iter().any(|key| has(artifacts, key));
        if !names_files && matches!(artifacts.data, Data::Map(_)) {
            let message = "`artifacts` names no `files`";
            sink.tell(
                code::BUILDSPEC_FORM,
                &(artifacts.range.start..artifacts.range.start + 1),
                message,
                "add `files:`",
            );
        }
    }
}

fn has(map: &Value, key: &str) -> bool {
    map.entries().iter().any(|entry| entry.key == key || slip(&entry.key, [key]).is_some())
}

fn check_keys(map: &Value, known: &[&str], sink: &mut Sink<'_>) {
    for entry in map.entries().iter().filter(|entry| !known.contains(&&*entry.key)) {
        if let Some(near) = slip(&entry.key, known.iter().copied()) {
            let message = format!("CodeBuild knows no `{}` here", entry.key);
            sink.tell(code::BUILDSPEC_KEY, &entry.key_range, message, format!("write `{near}`"));
        }
    }
}

fn check_phases(phases: &Value, sink: &mut Sink<'_>) {
    check_keys(phases, &PHASES, sink);
    for phase in phases.entries() {
        check_keys(&phase.value, &OF_PHASE, sink);
        for key in ["commands", "finally"] {
            for command in phase.value.list(key) {
                // `echo a: b` without quotes is a map to YAML.
                if matches!(command.data, Data::Map(_) | Data::List(_)) {
                    let message = format!(
                        "this command of `{}` is no text: its `: ` makes it a map",
                        phase.key
                    );
                    let fix = "put the whole command in single quotes";
                    sink.tell(code::BUILDSPEC_FORM, &first_line(command, sink), message, fix);
                }
            }
        }
    }
}

fn first_line(value: &Value, sink: &Sink<'_>) -> std::ops::Range<usize> {
    let text = sink.file().text().get(value.range.clone()).unwrap_or_default();
    value.range.start..value.range.start + text.lines().next().unwrap_or_default().len()
}

/// What may not be exported ([exported-variables]).
///
/// [exported-variables]: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.exported-variables
fn check_exported(env: &Value, sink: &mut Sink<'_>) {
    for value in env.list("exported-variables") {
        let Some(name) = value.text() else { continue };
        let kept = ["parameter-store", "secrets-manager"];
        let is_secret =
            kept.iter().any(|key| env.get(key).is_some_and(|it| it.entry(name).is_some()));
        if name.starts_with("AWS_") || is_secret {
            let reason = if is_secret {
                "it comes from a store of secrets"
            } else {
                "names with `AWS_` are reserved"
            };
            let message = format!("CodeBuild does not export `{name}`: {reason}");
            sink.tell(
                code::BUILDSPEC_EXPORTED,
                &value.range,
                message,
                "export a variable of another name",
            );
        }
    }
}
