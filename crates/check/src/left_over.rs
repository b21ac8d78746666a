//! Placeholders that nobody has filled.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use shipspec_spec::escape::JsonPlace;

use crate::codes::name as code;
use crate::file::{File, Kind, Role};
use crate::finding::Sink;
use crate::read::{Format, Slot};
use crate::task::is_placeholder;
use crate::value::{Data, Value};

/// What looks like a placeholder of some tool: envsubst, sed, Jinja, Go, Terraform, ecspresso.
static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\$\{[^}\n]*\}|\$[A-Za-z_][A-Za-z0-9_]*|\{\{.*?\}\}|\{%.*?%\}|<[A-Za-z][A-Za-z0-9_ -]*>|%[A-Za-z_]{2,}%|__[A-Za-z][A-Za-z0-9_]*?__|@@[A-Za-z_]+@@|#\{[^}\n]*\}#?|\b[A-Z]+_(?:PLACEHOLDER|TO_REPLACE)\b|\b(?:REPLACE|CHANGE|INSERT)_?[A-Z_]+\b",
    )
    .ok()
});

/// As they stay in what shipspec has filled.
static UNFILLED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\$\{[^}\n]*\}|\{\{.*?\}\}|\{%.*?%\}").ok());

/// Placeholders in a file that another tool may fill: none of them is known. CodePipeline's own,
/// `<TASK_DEFINITION>` and `<IMAGE1_NAME>`, are text where text can stand.
pub(crate) fn loose_slots(text: &str, format: Format) -> Vec<Slot> {
    let Some(pattern) = &*PLACEHOLDER else { return Vec::new() };
    let is_own = |text: &str| text == "<TASK_DEFINITION>" || is_image(text);
    let (mut slots, mut place, mut at) = (Vec::new(), JsonPlace::default(), 0);
    for found in pattern.find_iter(text) {
        place.pass(&text[at..found.start()]);
        at = found.start();
        let is_text = format == Format::Yaml || place.is_in_string();
        if !(is_text && is_own(found.as_str())) {
            slots.push(Slot { range: found.range(), value: None });
            at = found.end();
        }
    }
    slots
}

/// `<IMAGE1_NAME>` and its like.
fn is_image(text: &str) -> bool {
    is_placeholder(text) && text.to_uppercase().contains("IMAGE")
}

/// Keys whose value somebody else may fill, or that is taken as it is.
const FREE: [&str; 14] = [
    "command",
    "entryPoint",
    "environment",
    "healthCheck",
    "options",
    "dockerLabels",
    "Hooks",
    "workingDirectory",
    "user",
    "hostname",
    "expression",
    "driverOpts",
    "labels",
    "properties",
];

/// Tells placeholders in an artifact, and values that were made from nothing.
pub(crate) fn check(file: &File, sink: &mut Sink<'_>) {
    let is_ours = matches!(
        file.kind,
        Kind::TaskDefinition | Kind::AppSpec | Kind::ImageDefinitions | Kind::ImageDetail
    );
    if let (Some(root), true, Role::Artifact) = (file.value(), is_ours, file.role) {
        walk(root, sink);
    }
}

fn walk(value: &Value, sink: &mut Sink<'_>) {
    match &value.data {
        Data::Map(entries) => {
            for entry in entries.iter().filter(|entry| !FREE.contains(&&*entry.key)) {
                walk(&entry.value, sink);
            }
        }
        Data::List(items) => items.iter().for_each(|item| walk(item, sink)),
        Data::Text(text) => tell(text, &value.range, sink),
        _ => {}
    }
}

fn tell(text: &str, range: &Range<usize>, sink: &mut Sink<'_>) {
    let found = UNFILLED.as_ref().and_then(|pattern| pattern.find(text));
    if let Some(found) = found {
        let message = format!("the placeholder `{}` is left over", found.as_str());
        let fix = "fill it, or say what it stands for under `placeholders:`";
        sink.tell(code::LEFT_OVER, range, message, fix);
    }
    if text == "None" || text.ends_with("/None") || text.contains(":None:") {
        let message = format!("`{text}` was made from a value that was not there");
        let fix = "`None` is what the AWS CLI prints for nothing: find out which value is missing";
        sink.tell(code::LEFT_OVER_NONE, range, message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_many_tools_are_found_and_those_of_codepipeline_are_not() {
        let text = "$A ${B:-x} {{ c }} <ROLE_ARN> %DD% __E__ @@F@@ <TASK_DEFINITION> <IMAGE1_NAME> 5% __ a<b";
        let found: Vec<_> =
            loose_slots(text, Format::Yaml).into_iter().map(|slot| &text[slot.range]).collect();
        assert_eq!(found, ["$A", "${B:-x}", "{{ c }}", "<ROLE_ARN>", "%DD%", "__E__", "@@F@@"]);
    }
}
