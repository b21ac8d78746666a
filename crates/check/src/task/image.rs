//! The image of a container.

use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::{UNKNOWN, Value};

/// Characters of a reference by tag, and of one by digest before the `@` ([ContainerDefinition]).
///
/// [ContainerDefinition]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
const MOST: usize = 255;

pub(super) fn check(container: &Value, sink: &mut Sink<'_>) {
    if let Some(value) = container.get("image") {
        check_reference(value, sink);
    }
}

/// `<IMAGE1_NAME>`, which the blue/green action of CodePipeline replaces.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    })
}

/// The placeholders and references of images in a task definition.
pub(crate) fn references<'a>(containers: &[&'a Value]) -> impl Iterator<Item = &'a Value> {
    containers.iter().filter_map(|container| container.get("image"))
}

/// The image is in a private registry of ECR.
pub(super) fn is_private_ecr(reference: &str) -> bool {
    let host = reference.split('/').next().unwrap_or_default();
    host.contains(".dkr.ecr.") && host.contains(".amazonaws.com")
}

/// Tells what is wrong with a reference of an image, wherever it stands.
pub(crate) fn check_reference(value: &Value, sink: &mut Sink<'_>) {
    let Some(text) = value.written() else { return };
    if is_placeholder(text) {
        return;
    }
    if text.ends_with([':', '@']) || text.contains(":@") {
        let message = format!("the reference `{text}` ends with nothing behind its `:` or `@`");
        let fix = "a variable was empty: find out which, and where it should come from";
        return sink.tell(code::IMAGE_OPEN_END, &value.range, message, fix);
    }
    let known = !text.contains(UNKNOWN);
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, it)| (name, Some(it)));
    if known && let Some(problem) = problem(name, digest) {
        let fix = "it has the form `registry/repository:tag` or `registry/repository@sha256:…`";
        return sink.tell(code::CONTAINER_IMAGE, &value.range, problem, fix);
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    // No registry has such a name: it is some tool's placeholder.
    if last
        .split(':')
        .next()
        .is_some_and(|name| name.contains(|sign: char| sign.is_ascii_uppercase()))
    {
        return;
    }
    let tag = last.split_once(':').map(|(_, tag)| tag);
    if tag == Some("None") || tag == Some("null") || matches!(text, "None" | "null" | "undefined") {
        let message = format!("the reference `{text}` was made from a value that was not there");
        let fix = "`None` is what the AWS CLI prints for nothing: find out which value is missing";
        return sink.tell(code::LEFT_OVER_NONE, &value.range, message, fix);
    }
    if digest.is_none() && (tag == Some("latest") || (known && tag.is_none())) {
        let message =
            format!("`{text}` is another image with each push, so that nobody knows what runs");
        let fix = "name a tag that stays, such as that of the commit, or a digest";
        sink.tell(code::IMAGE_LATEST, &value.range, message, fix);
    }
}

fn problem(name: &str, digest: Option<&str>) -> Option<String> {
    if name.chars().count() > MOST {
        return Some(format!("the reference has more than {MOST} characters"));
    }
    if let Some(digest) = digest {
        let hex = digest.strip_prefix("sha256:");
        let is_hex = |hex: &str| {
            hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !hex.is_some_and(is_hex) {
            return Some(format!("`{digest}` is no digest"));
        }
    }
    let is_good = |sign: char| sign.is_ascii_alphanumeric() || "-_:./#".contains(sign);
    match name.chars().find(|sign| !is_good(*sign)) {
        Some(sign) => Some(format!("`{sign}` cannot stand in the reference of an image")),
        None if name.is_empty() => Some("the reference is empty".into()),
        None => None,
    }
}
