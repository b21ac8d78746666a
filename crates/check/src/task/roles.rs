//! Roles: the form of their ARNs, and where ECS cannot do without one.

use std::sync::LazyLock;

use regex::Regex;

use super::{Task, called, image};
use crate::codes::name as code;
use crate::file::{Role, is_capital_word};
use crate::finding::Sink;
use crate::value::{Data, UNKNOWN, Value};

/// `arn:partition:service:region:account:resource`; what is not known fits anywhere ([ARNs]).
///
/// [ARNs]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new("^arn:[a-z\u{e000}-]+:iam::[^:]+:role/[\\w+=,.@/\u{e000}-]+$").ok()
});

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    for key in ["taskRoleArn", "executionRoleArn"] {
        if let Some(value) = task.root.get(key) {
            check_arn(value, key, sink);
        }
    }
    check_need(task, sink);
}

/// A role may also be told by its name alone; then there is nothing to say about its form.
fn check_arn(value: &Value, key: &str, sink: &mut Sink<'_>) {
    if is_empty(value) {
        let message = format!("`{key}` is empty: a variable was not set");
        let fix = "set it, or leave the key out where no role is needed";
        return sink.tell(code::LEFT_OVER_NONE, &value.range, message, fix);
    }
    let Some(text) = value.written().filter(|text| text.starts_with("arn:")) else { return };
    if let Some(message) = account_problem(text, sink) {
        return sink.tell(code::ARN_FORM, &value.range, format!("{message} in `{key}`"), ACCOUNT);
    }
    // With a part that is not known, the colons may be in it.
    let is_role =
        text.contains(UNKNOWN) || ROLE.as_ref().is_none_or(|pattern| pattern.is_match(text));
    if !is_role {
        let message = format!("`{key}` is no ARN of a role");
        let fix = "it has the form `arn:aws:iam::123456789012:role/name`";
        sink.tell(code::ARN_FORM, &value.range, message, fix);
    }
}

fn is_empty(value: &Value) -> bool {
    value.text().is_some_and(|text| text.trim().is_empty())
}

/// What an account is.
pub(super) const ACCOUNT: &str = "an account has 12 digits";

/// What is wrong with the account of an ARN, if all of it is known.
pub(super) fn account_problem(arn: &str, sink: &Sink<'_>) -> Option<String> {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [_, partition, service, region, account, _] = parts.as_slice() else { return None };
    let is_known = ![partition, service, region, account].iter().any(|part| part.contains(UNKNOWN));
    // Another tool may put the account there.
    let is_known = is_known && !(sink.file().role == Role::Source && is_capital_word(account));
    let is_wrong = account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit());
    (is_known && is_wrong && !account.is_empty()).then(|| format!("`{account}` is no account"))
}

/// What the agent does before the container runs, it does with the execution role ([role]).
///
/// [role]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
fn check_need(task: &Task<'_>, sink: &mut Sink<'_>) {
    if task.root.get("executionRoleArn").is_some_and(|role| !is_empty(role)) {
        return;
    }
    let Some(reason) =
        task.containers.iter().find_map(|container| need(container, task.is_fargate))
    else {
        return;
    };
    let (range, reason) = reason;
    let message = format!("without an `executionRoleArn` {reason}");
    let fix = "add `executionRoleArn`, a role with `AmazonECSTaskExecutionRolePolicy`";
    sink.tell(code::EXECUTION_ROLE, &range, message, fix);
}

fn need(container: &Value, is_fargate: bool) -> Option<(std::ops::Range<usize>, String)> {
    let name = called(container);
    let logs = container.get("logConfiguration");
    let secret = logs.and_then(|logs| logs.entry("secretOptions")).into_iter();
    let mut secret = container.entry("secrets").into_iter().chain(secret);
    if let Some(entry) = secret.find(|entry| entry.value.says_something()) {
        return Some((entry.key_range.clone(), format!("nobody may read the secrets of {name}")));
    }
    if let Some(entry) = container.entry("repositoryCredentials")
        && entry.value.data != Data::Null
    {
        let reason = format!("nobody may read the credentials for the image of {name}");
        return Some((entry.key_range.clone(), reason));
    }
    if !is_fargate {
        return None;
    }
    let image = container.get("image");
    if let Some(value) = image.filter(|value| value.written().is_some_and(image::is_private_ecr)) {
        return Some((value.range.clone(), format!("Fargate cannot pull the image of {name}")));
    }
    let driver = logs.and_then(|logs| logs.get("logDriver"));
    let driver = driver.filter(|driver| driver.text() == Some("awslogs"))?;
    Some((driver.range.clone(), format!("Fargate cannot write the logs of {name}")))
}
