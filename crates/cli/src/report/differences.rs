//! What a deployment would change, in the report.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use shipspec_ecs::compare::Entry;

use super::Report;
use crate::console::Console;

/// An artifact beside what ECS runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ComparisonReport {
    /// The path of the artifact.
    pub(crate) artifact: String,
    /// What it was to be compared with: a service or a family.
    pub(crate) against: String,
    /// The revision that it was compared with, `family:number`; absent if there is none yet, so that all
    /// is new, and if it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<String>,
    /// It was compared. If not, that there is no difference below means nothing.
    pub(crate) compared: bool,
    /// Why it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Parts that could not be compared, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_compared: Vec<String>,
    /// What runs now and would be gone.
    pub(crate) lost: Vec<DifferenceReport>,
    /// What would have another value.
    pub(crate) changed: Vec<DifferenceReport>,
    /// What would be new.
    pub(crate) added: Vec<DifferenceReport>,
}

/// A part of a task definition that is not the same.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DifferenceReport {
    /// Where: `containerDefinitions[web].environment[STAGE]`.
    pub(crate) path: String,
    /// What it is now; absent if it is not there. `****` stands for what sounds secret.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub(crate) before: Json,
    /// What it becomes; absent if it goes.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub(crate) after: Json,
}

impl DifferenceReport {
    pub(crate) fn new(entry: &Entry, console: &Console) -> Self {
        Self {
            path: entry.path.clone(),
            before: masked(&entry.before, console),
            after: masked(&entry.after, console),
        }
    }
}

/// The value with the secrets of this run hidden, too.
fn masked(value: &Json, console: &Console) -> Json {
    match value {
        Json::String(text) => console.masked(text.clone()).into(),
        Json::Array(items) => items.iter().map(|item| masked(item, console)).collect(),
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), masked(value, console)));
            Json::Object(members.collect())
        }
        other => other.clone(),
    }
}

impl Report {
    /// What would be lost, changed and added, a part after the other.
    pub(crate) fn differences(&self) -> String {
        let mut text = String::new();
        for comparison in self.comparisons.iter().filter(|comparison| comparison.compared) {
            comparison.describe(&mut text);
        }
        text
    }
}

impl ComparisonReport {
    fn describe(&self, text: &mut String) {
        let Self { artifact, against, .. } = self;
        let _ = match &self.revision {
            Some(revision) => writeln!(text, "{artifact}: compared with {revision} ({against})"),
            None => writeln!(text, "{artifact}: {against} has no revision yet, so that all is new"),
        };
        let all = [("lost", &self.lost), ("changed", &self.changed), ("added", &self.added)];
        if all.iter().all(|(_, entries)| entries.is_empty()) {
            text.push_str("no difference\n");
        }
        for (word, entries) in all {
            for DifferenceReport { path, before, after } in entries {
                let _ = writeln!(text, "{word:8} {path}");
                lines(text, '-', before);
                lines(text, '+', after);
            }
        }
    }
}

/// A value, on one line if it is short.
fn lines(text: &mut String, sign: char, value: &Json) {
    const MOST: usize = 80;
    if value.is_null() {
        return;
    }
    let mut shown = value.to_string();
    if shown.len() > MOST {
        shown = serde_json::to_string_pretty(value).unwrap_or(shown);
    }
    for line in shown.lines() {
        let _ = writeln!(text, "         {sign} {line}");
    }
}
