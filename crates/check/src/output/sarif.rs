//! Findings as SARIF, which GitHub and editors read ([SARIF]).
//!
//! [SARIF]: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

use serde_json::{Value as Json, json};

use super::json::{Report, page, places};
use crate::codes::{self, Code};
use crate::finding::Finding;

/// The findings as SARIF 2.1.0.
#[must_use]
pub fn sarif(report: Report<'_>, version: &str) -> String {
    let rules: Vec<_> = codes::all().map(rule).collect();
    let results: Vec<_> = report.findings.iter().map(result).collect();
    let notifications: Vec<_> = report
        .not_checked
        .iter()
        .map(|reason| json!({ "level": "note", "message": { "text": format!("not checked: {reason}") } }))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "shipspec", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications }],
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(code: Code) -> Json {
    let page = code.page();
    json!({
        "id": page.code,
        "shortDescription": { "text": page.title },
        "fullDescription": { "text": page.text },
        "defaultConfiguration": { "level": page.severity.word() },
    })
}

fn result(finding: &Finding) -> Json {
    let (start, end) = places(finding);
    let fix = finding.fix.as_ref().map(|fix| format!(". {fix}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "level": finding.severity().word(),
        "message": { "text": format!("{}{fix}", finding.message) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&finding.span.source.name) },
                "region": {
                    "startLine": start.line,
                    "startColumn": start.column,
                    "endLine": end.line,
                    "endColumn": end.column,
                },
            },
        }],
        "properties": { "page": page(finding) },
    });
    let index = codes::all().position(|code| code == finding.code);
    if let (Some(index), Some(map)) = (index, result.as_object_mut()) {
        map.insert("ruleIndex".into(), index.into());
    }
    result
}

/// A path as a relative URI: what is no part of one is written by its bytes.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
