//! Findings for people.

use std::fmt::Write as _;

use annotate_snippets::{Group, Level, Renderer};
use shipspec_check::Finding;
use shipspec_check::codes::Severity;

use super::Look;
use crate::console::Console;
use crate::failure::snippet;

/// Shows every finding with its line, and what could not be looked at.
pub(crate) fn show(console: &Console, look: &Look) {
    let renderer = if console.is_terminal() { Renderer::styled() } else { Renderer::plain() };
    for finding in &look.findings {
        console.note(renderer.render(&[group(finding)]));
    }
    for reason in &look.not_checked {
        console.note(format_args!("not checked: {reason}"));
    }
}

fn group(finding: &Finding) -> Group<'_> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&*finding.message).id(finding.code.as_str());
    let span = &finding.span;
    let mut group = Group::with_title(title);
    if !span.source.text.is_empty() {
        group = group.element(snippet(span));
    }
    match &finding.fix {
        Some(fix) => group.element(Level::HELP.with_name("fix").message(&**fix)),
        None => group,
    }
}

/// How many findings there are in how many files.
pub(crate) fn summary(look: &Look) -> String {
    let mut text = String::new();
    for (severity, one, many) in [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ] {
        let count = look.findings.iter().filter(|it| it.severity() == severity).count();
        if count > 0 {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{count} {}", if count == 1 { one } else { many });
        }
    }
    if text.is_empty() {
        text.push_str("nothing found");
    }
    let count = look.files.len();
    let _ = write!(text, " in {count} {}", if count == 1 { "file" } else { "files" });
    text
}
