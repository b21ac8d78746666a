//! Findings as JUnit's XML, which CodeBuild shows as a report ([reports]).
//!
//! [reports]: https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html

use std::fmt::Write as _;

use super::json::Report;
use crate::codes::Severity;
use crate::finding::Finding;

/// The findings as test cases, a suite for each file. Those that are `failing` or worse have failed,
/// the others were skipped; a file without any has one case, which passed.
#[must_use]
pub fn junit(report: Report<'_>, failing: Severity) -> String {
    let mut names: Vec<_> = report.files.iter().map(String::as_str).collect();
    names.extend(report.findings.iter().map(|finding| finding.span.source.name.as_str()));
    names.sort_unstable();
    names.dedup();
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"shipspec check\">\n",
    );
    for name in names {
        let of_file = |finding: &&Finding| finding.span.source.name == name;
        let findings: Vec<_> = report.findings.iter().filter(of_file).collect();
        suite(&mut text, name, &findings, failing);
    }
    if !report.not_checked.is_empty() {
        let count = report.not_checked.len();
        let _ = writeln!(
            text,
            "  <testsuite name=\"not checked\" tests=\"{count}\" failures=\"0\" skipped=\"{count}\">"
        );
        for reason in report.not_checked {
            let reason = escaped(reason);
            let _ = writeln!(
                text,
                "    <testcase classname=\"not checked\" name=\"{reason}\"><skipped message=\"{reason}\"/></testcase>"
            );
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(text: &mut String, name: &str, findings: &[&Finding], failing: Severity) {
    let failed = findings.iter().filter(|finding| finding.severity() >= failing).count();
    let skipped = findings.len() - failed;
    let tests = findings.len().max(1);
    let name = escaped(name);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" skipped=\"{skipped}\">"
    );
    if findings.is_empty() {
        let _ = writeln!(text, "    <testcase classname=\"{name}\" name=\"no findings\"/>");
    }
    for finding in findings {
        let place = escaped(&finding.span.to_string());
        let message = escaped(&finding.message);
        let fix = finding.fix.as_deref().map(escaped).unwrap_or_default();
        let _ = write!(
            text,
            "    <testcase classname=\"{name}\" name=\"{} at {place}\">",
            finding.code
        );
        if finding.severity() >= failing {
            let _ = write!(
                text,
                "<failure type=\"{}\" message=\"{message}\">{place}: {message}\n{fix}</failure>",
                finding.severity().word()
            );
        } else {
            let _ = write!(text, "<skipped message=\"{}: {message}\"/>", finding.severity().word());
        }
        text.push_str("</testcase>\n");
    }
    text.push_str("  </testsuite>\n");
}

/// Text in XML; signs that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            sign if sign.is_control() => {}
            sign => escaped.push(sign),
        }
    }
    escaped
}
