//! The variables of a container.

use crate::codes::name as code;
use crate::finding::Sink;
use crate::secret_name::is_of_secret;
use crate::value::{UNKNOWN, Value};

pub(super) fn check(container: &Value, sink: &mut Sink<'_>) {
    for variable in container.list("environment") {
        let (Some(name), Some(value)) = (variable.text_of("name"), variable.get("value")) else {
            continue;
        };
        if is_of_secret(name) && value.text().is_some_and(looks_secret) {
            let message = format!(
                "`{name}` is a secret in plain text: everybody who can read the file or the task definition can read it"
            );
            let fix = "keep it in SSM or Secrets Manager, and name it under `secrets`";
            sink.tell(code::ENVIRONMENT_SECRET, &value.range, message, fix);
        }
    }
    for file in container.list("environmentFiles") {
        let Some(value) = file.get("value") else { continue };
        let Some(text) = value.text() else { continue };
        let is_object = text.starts_with("arn:") && text.contains(":s3:::") && text.contains('/');
        if !is_object || text.rsplit('.').next() != Some("env") {
            let message = format!("`{text}` is no file of variables");
            let fix = "it has the form `arn:aws:s3:::bucket/path/name.env`";
            sink.tell(code::ENVIRONMENT_FILE, &value.range, message, fix);
        }
    }
}

/// The text may be the secret itself, and not a switch, a path or the name of the place that has it.
fn looks_secret(text: &str) -> bool {
    const LEAST: usize = 4;
    let is_elsewhere = text.starts_with("arn:") || text.starts_with('/') || text.contains("://");
    let is_word = matches!(&*text.to_lowercase(), "true" | "false" | "none" | "null" | "redacted");
    let is_number = text.parse::<f64>().is_ok() && text.len() < 8;
    let is_placeholder = text.contains(UNKNOWN) || text.starts_with(['<', '$', '{', '%']);
    text.len() >= LEAST && !is_elsewhere && !is_word && !is_number && !is_placeholder
}
