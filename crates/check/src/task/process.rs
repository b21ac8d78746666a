//! What runs in a container.

use super::called;
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::{UNKNOWN, Value};

pub(super) fn check(container: &Value, sink: &mut Sink<'_>) {
    check_health(container, sink);
    check_words(container, sink);
    for limit in container.list("ulimits") {
        let (Some(soft), Some(hard)) = (limit.get("softLimit"), limit.integer_of("hardLimit"))
        else {
            continue;
        };
        // -1 is no limit at all.
        let is_over = |soft: i64| hard >= 0 && (soft > hard || soft < 0);
        if soft.integer().is_some_and(is_over) {
            let message = "the soft limit is above the hard limit";
            let fix = format!("write {hard} at most");
            sink.tell(code::ULIMIT_ORDER, &soft.range, message, fix);
        }
    }
}

/// The first word says how the others are run ([HealthCheck]).
///
/// [HealthCheck]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
fn check_health(container: &Value, sink: &mut Sink<'_>) {
    let Some(health) = container.get("healthCheck") else { return };
    let mut words = health.list("command");
    let Some(first) = words.next() else { return };
    let Some(text) = first.text() else { return };
    let has_more = words.next().is_some();
    let (message, fix) = match text {
        "NONE" => return,
        "CMD" | "CMD-SHELL" if has_more => return,
        "CMD" | "CMD-SHELL" => (
            format!("behind `{text}` there is no command"),
            format!("write `[\"{text}\", \"curl -f http://localhost/\"]`"),
        ),
        _ => (
            format!(
                "the health check of {} does not begin with `CMD` or `CMD-SHELL`",
                called(container)
            ),
            "write `[\"CMD-SHELL\", \"curl -f http://localhost/ || exit 1\"]`: two texts"
                .to_owned(),
        ),
    };
    sink.tell(code::HEALTH_CHECK, &first.range, message, fix);
}

/// A command is a list of words: one text with spaces is the name of one program.
fn check_words(container: &Value, sink: &mut Sink<'_>) {
    let has_entry_point = container.get("entryPoint").is_some_and(Value::says_something);
    let keys: &[&str] = if has_entry_point { &["entryPoint"] } else { &["entryPoint", "command"] };
    for key in keys {
        let Some(list) = container.get(key) else { continue };
        let [only] = list.items() else { continue };
        let Some(text) = only.text() else { continue };
        let is_words = text.split_whitespace().count() > 1 && !text.contains(UNKNOWN);
        if is_words && !text.contains([';', '&', '|', '"', '\'', '\n']) {
            let words: Vec<_> = text.split_whitespace().map(|word| format!("\"{word}\"")).collect();
            let message = format!("`{key}` has one word, `{text}`; no program has that name");
            let fix = format!(
                "write `[{}]`, unless the image's entry point is a shell",
                words.join(", ")
            );
            sink.tell(code::COMMAND_WORDS, &only.range, message, fix);
        }
    }
}
