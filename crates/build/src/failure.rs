//! What the engine's last words mean.

use crate::docker::{BuildError, EngineError};
use crate::vertices::FailedStep;

/// Words of messages that are about the Dockerfile as a text.
const DOCKERFILE: [&str; 5] = [
    "dockerfile parse error",
    "failed to parse dockerfile",
    "Dockerfile parse error",
    "target stage ",
    "should not be blank",
];

/// The error of a build, from what the engine said at its end and the step that failed, if one did.
pub(crate) fn build_error(message: &str, failed: Option<FailedStep>) -> BuildError {
    let message = shortened(message);
    // First, for the message holds the step's own command, which may hold any words.
    if let (Some(step), Some(exit_code)) = (&failed, exit_code(&message)) {
        return BuildError::Step { step: step.clone(), exit_code };
    }
    if message.contains("unsupported frontend capability") && message.contains("contexts") {
        let message =
            "the engine's BuildKit is too old for `contexts`; Docker 23.0 and newer know them";
        return EngineError::Unfit(message.into()).into();
    }
    if let Some((_, word)) = message.split_once("Build error: Unknown instruction: ") {
        let word = word.split(" &imagebuilder").next().unwrap_or(word);
        return BuildError::Dockerfile(format!("unknown instruction {word}"));
    }
    if DOCKERFILE.iter().any(|words| message.contains(words)) {
        return BuildError::Dockerfile(message);
    }
    if let Some((image, message)) = base_image_of_podman(&message) {
        return BuildError::BaseImage { image: image.into(), message: message.into() };
    }
    let Some(step) = failed else { return BuildError::Engine(message) };
    if let Some(image) = base_image(&step.name) {
        return BuildError::BaseImage { image: image.into(), message };
    }
    let message = match missing_source(&message) {
        Some(path) if step.name.contains("from=") => {
            format!("`/{path}` is not in the stage or image that it is taken from")
        }
        Some(path) => {
            format!("`{path}` is not in the build context, or `.dockerignore` leaves it out")
        }
        None => message,
    };
    BuildError::OtherStep { step, message }
}

/// The image that a step of BuildKit's own asks a registry for.
fn base_image(step: &str) -> Option<&str> {
    step.strip_prefix("[internal] load metadata for ").or_else(|| step.strip_prefix("FROM "))
}

/// The image that Podman asks a registry for, and what came of it.
fn base_image_of_podman(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("initializing source docker://")?;
    rest.split_once(": ")
}

/// BuildKit and the classic builder tell the exit code only at the end of their message.
pub(crate) fn exit_code(message: &str) -> Option<i64> {
    const WORDS: [&str; 3] =
        ["exit code: ", "returned a non-zero code: ", "while running runtime: exit status "];
    let (_, code) = WORDS.iter().find_map(|words| message.rsplit_once(words))?;
    code.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// The path that a COPY names, or a folder on the way to it, that the engine did not find.
fn missing_source(message: &str) -> Option<&str> {
    if let Some((_, rest)) = message.split_once("failed to walk ") {
        let (path, _) = rest.split_once(": lstat ")?;
        // Where the engine has mounted what is copied from.
        let (_, path) = path.split_once("/buildkit-mount")?;
        return path.split_once('/').map(|(_, path)| path);
    }
    if let Some((_, rest)) = message.split_once("copier: stat: \"/") {
        return rest.strip_suffix("\": no such file or directory");
    }
    let (_, rest) = message
        .split_once("failed to compute cache key: ")
        .or_else(|| message.split_once("failed to calculate checksum of ref "))?;
    let (before, _) = rest.rsplit_once("not found")?;
    let (_, quoted) = before.split_once('"')?;
    quoted.split('"').next().map(|path| path.trim_start_matches('/'))
}

/// The message without the words that every one begins with.
pub(crate) fn shortened(message: &str) -> String {
    const PREFIXES: [&str; 4] = [
        "Docker stream error: ",
        "failed to solve with frontend dockerfile.v0: ",
        "failed to create LLB definition: ",
        "failed to solve: ",
    ];
    const CODES: [(&str, &str); 2] =
        [("rpc error: code = ", " desc = "), ("Docker responded with status code ", ": ")];
    let mut rest = message.trim();
    loop {
        let shorter = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix));
        let coded = CODES.iter().find_map(|(start, end)| rest.strip_prefix(start)?.split_once(end));
        match shorter.or(coded.map(|(_, rest)| rest)) {
            Some(shorter) => rest = shorter,
            None => return rest.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_found_in_all_wordings() {
        assert_eq!(exit_code("executor failed running [/bin/sh -c x]: exit code: 3"), Some(3));
        assert_eq!(
            exit_code("process \"x\" did not complete successfully: exit code: 127"),
            Some(127)
        );
        assert_eq!(exit_code("The command '/bin/sh -c x' returned a non-zero code: 37"), Some(37));
        assert_eq!(exit_code("while running runtime: exit status 2"), Some(2));
        assert_eq!(exit_code("failed to fetch: exit status 128"), None);
    }

    #[test]
    fn what_every_message_begins_with_is_left_out() {
        let message =
            "failed to solve: rpc error: code = NotFound desc = failed to create LLB definition: x";
        assert_eq!(shortened(message), "x");
        assert_eq!(shortened("Docker responded with status code 400: a: b"), "a: b");
    }

    #[test]
    fn what_a_command_says_is_no_error_of_the_dockerfile() {
        let step = FailedStep { name: "[2/2] RUN x".into(), lines: Vec::new(), place: None };
        let message =
            "executor failed running [/bin/sh -c echo dockerfile parse error]: exit code: 1";
        let error = build_error(message, Some(step.clone()));
        assert!(matches!(error, BuildError::Step { exit_code: 1, .. }), "{error}");
        let error = build_error("dockerfile parse error line 2: x", None);
        assert!(matches!(error, BuildError::Dockerfile(_)), "{error}");
        let name = "[internal] load metadata for r.example/a:1".into();
        let error = build_error("not found", Some(FailedStep { name, ..step }));
        assert_eq!(error.to_string(), "the base image `r.example/a:1` cannot be pulled: not found");
    }

    #[test]
    fn podman_has_words_of_its_own() {
        let base = "creating build container: initializing source docker://r.example/a:1: pinging container registry r.example: no such host";
        assert_eq!(
            build_error(base, None).to_string(),
            "the base image `r.example/a:1` cannot be pulled: pinging container registry r.example: no such host"
        );
        let unknown = "building at STEP \"RUNN \": Build error: Unknown instruction: \"RUNN\" &imagebuilder.Step{Env:[]string{}}";
        let step = FailedStep { name: "[4/5] RUNN x".into(), lines: Vec::new(), place: None };
        let error = build_error(unknown, Some(step));
        assert!(
            matches!(&error, BuildError::Dockerfile(message) if message == "unknown instruction \"RUNN\""),
            "{error}"
        );
    }

    #[test]
    fn a_missing_source_is_found_in_both_wordings() {
        let old = "failed to compute cache key: \"/none\" not found: not found";
        let new = "failed to compute cache key: failed to calculate checksum of ref 1::2: \"/a/b\": not found";
        assert_eq!(missing_source(old), Some("none"));
        assert_eq!(missing_source(new), Some("a/b"));
        let walked = "failed to walk /d/tmp/buildkit-mount12/a: lstat /d/tmp/buildkit-mount12/a: no such file";
        assert_eq!(missing_source(walked), Some("a"));
        let podman = "checking on sources under \"/var/tmp/x/build\": copier: stat: \"/a/b\": no such file or directory";
        assert_eq!(missing_source(podman), Some("a/b"));
        assert_eq!(missing_source("docker.io/library/x: not found"), None);
    }
}
