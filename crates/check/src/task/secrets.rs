//! Secrets of a container: where they are kept ([Systems Manager], [Secrets Manager]).
//!
//! [Systems Manager]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
//! [Secrets Manager]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html

use std::collections::BTreeMap;

use super::roles::{ACCOUNT, account_problem};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::{UNKNOWN, Value};

pub(super) fn check(container: &Value, sink: &mut Sink<'_>) {
    let options =
        container.get("logConfiguration").into_iter().flat_map(|it| it.list("secretOptions"));
    for secret in container.list("secrets").chain(options) {
        let Some(value) = secret.get("valueFrom") else { continue };
        let Some(text) = value.written() else { continue };
        if let Some((message, fix)) = problem(text, sink) {
            sink.tell(code::SECRET_REFERENCE, &value.range, message, fix);
        }
    }
    check_names(container, sink);
}

/// What is wrong with a `valueFrom`, and what to write.
fn problem(text: &str, sink: &Sink<'_>) -> Option<(String, &'static str)> {
    if text.is_empty() {
        return Some(("`valueFrom` is empty".into(), "name a parameter or the ARN of a secret"));
    }
    if !text.starts_with("arn:") {
        // The name of a parameter, of which some parts may not be known.
        let is_good =
            |sign: char| sign.is_alphanumeric() || "_.-/:".contains(sign) || sign == UNKNOWN;
        let sign = text.chars().find(|sign| !is_good(*sign))?;
        let message = format!("`{sign}` cannot stand in the name of a parameter");
        return Some((message, "a name has letters, digits and `_.-/`"));
    }
    if let Some(message) = account_problem(text, sink) {
        return Some((format!("{message} in `valueFrom`"), ACCOUNT));
    }
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts.as_slice() else {
        // A value that is not known may hold colons.
        let fix = "it has the form `arn:aws:ssm:region:account:parameter/name`";
        return (!text.contains(UNKNOWN)).then(|| ("`valueFrom` is no whole ARN".into(), fix));
    };
    match *service {
        "ssm" => parameter(resource),
        "secretsmanager" => secret(resource),
        other if other.contains(UNKNOWN) => None,
        other => {
            let message = format!("ECS reads no secrets from `{other}`");
            Some((message, "name a parameter of SSM or a secret of Secrets Manager"))
        }
    }
}

fn parameter(resource: &str) -> Option<(String, &'static str)> {
    let is_open = |text: &str| text.starts_with(UNKNOWN);
    match resource.strip_prefix("parameter") {
        Some(name) if name.starts_with("//") => Some((
            "the ARN has `parameter//`".into(),
            "the `/` of the name is not doubled: `parameter/app/name`",
        )),
        Some(name) if name.len() > 1 && name.starts_with('/') || is_open(name) => None,
        None if is_open(resource) => None,
        _ => Some((
            format!("`{resource}` is no parameter"),
            "it has the form `arn:aws:ssm:region:account:parameter/name`",
        )),
    }
}

fn secret(resource: &str) -> Option<(String, &'static str)> {
    let form = "it has the form `arn:aws:secretsmanager:region:account:secret:name-AbCdEf`";
    let Some(name) = resource.strip_prefix("secret:") else {
        let is_open = resource.starts_with(UNKNOWN);
        return (!is_open).then(|| (format!("`{resource}` is no secret"), form));
    };
    let parts: Vec<_> = name.split(':').collect();
    let has_unknown = name.contains(UNKNOWN);
    match parts.as_slice() {
        [""] => Some(("the ARN names no secret".into(), form)),
        [_, _, stage, version] if !stage.is_empty() && !version.is_empty() => Some((
            "a secret is asked for by stage and by version at once".into(),
            "name one of them: `…:key:stage:` or `…:key::version`",
        )),
        [_] | [_, _, _, _] => None,
        _ if has_unknown => None,
        _ => Some((
            format!("behind the secret there are {} colons, and not three", parts.len() - 1),
            "key, stage and version have their colons even if they are empty: `…:key::`",
        )),
    }
}

/// A variable comes from one place.
fn check_names(container: &Value, sink: &mut Sink<'_>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, word) in [("environment", "a plain value"), ("secrets", "a secret")] {
        for item in container.list(key) {
            let Some(name) = item.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            match seen.insert(text, key) {
                None => {}
                Some(before) if before == key && key == "environment" => {
                    let message = format!("`{text}` is there twice; the last one counts");
                    sink.tell(code::ENVIRONMENT_TWICE, &name.range, message, "keep one of them");
                }
                Some(before) => {
                    let other = if before == key { word } else { "a plain value" };
                    let message = format!("`{text}` is {word} here, and {other} before");
                    sink.tell(code::SECRET_TWICE, &name.range, message, "keep one of them");
                }
            }
        }
    }
}
