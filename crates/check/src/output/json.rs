//! Findings as one JSON document.

use serde::Serialize;
use shipspec_spec::source::Position;

use crate::finding::Finding;

/// What a look at the files came to.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The files that were looked at.
    pub files: &'a [String],
    /// What was found.
    pub findings: &'a [Finding],
    /// What could not be looked at, and why.
    pub not_checked: &'a [String],
}

#[derive(Serialize)]
struct Document<'a> {
    /// The version of this document's form.
    version: u32,
    command: &'static str,
    files: &'a [String],
    findings: Vec<Entry<'a>>,
    not_checked: &'a [String],
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
    page: String,
}

/// The findings as one JSON document.
#[must_use]
pub fn json(report: Report<'_>) -> String {
    let document = Document {
        version: 1,
        command: "check",
        files: report.files,
        findings: report.findings.iter().map(entry).collect(),
        not_checked: report.not_checked,
    };
    // Texts and numbers always have a form in JSON.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    format!("{text}\n")
}

/// Where a finding begins and ends.
pub(super) fn places(finding: &Finding) -> (Position, Position) {
    let span = &finding.span;
    (span.position(), Position::of(&span.source.text, span.range.end))
}

/// The page that explains a finding, in the repository.
pub(super) fn page(finding: &Finding) -> String {
    format!("docs/reference/checks/{}.md", finding.code)
}

fn entry(finding: &Finding) -> Entry<'_> {
    let (start, end) = places(finding);
    Entry {
        code: finding.code.as_str(),
        severity: finding.severity().word(),
        file: &finding.span.source.name,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: &finding.message,
        fix: finding.fix.as_deref(),
        page: page(finding),
    }
}
