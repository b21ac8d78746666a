//! An error to its lines on stderr and its exit code.

use std::process::ExitCode;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use shipspec_build::daemon::DaemonError;
use shipspec_build::docker::{BuildError, EngineError};
use shipspec_build::publish::PublishError;
use shipspec_build::test::TestError;
use shipspec_destination::error::PublicationError;
use shipspec_ecs::error::EcsError;
use shipspec_parameters::error::FetchError;
use shipspec_registry::access::AccessError;
use shipspec_registry::ecr::EcrError;
use shipspec_registry::error::RegistryError;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::hint::Hint;
use shipspec_spec::source::Span;

use crate::console::Console;
use crate::report::{ErrorReport, FindingReport, Report};
use crate::signal::{Interrupted, Signal};

/// How a run can end other than well. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Exit {
    /// A fault of ours, or of the machine that we run on.
    Fault = 1,
    /// What the user wrote is wrong.
    Input = 2,
    /// Credentials, or a service of AWS other than ECR.
    Service = 3,
    /// An engine, a repository or an image.
    Image = 4,
    /// A step of the user's own Dockerfile, or their test.
    Step = 5,
    /// `check` or `diff` has found something.
    Findings = 6,
    /// SIGINT.
    Interrupted = Signal::Interrupt.exit_code(),
    /// SIGTERM.
    Terminated = Signal::Terminate.exit_code(),
}

/// Every exit code and what it means.
#[cfg(test)]
pub(crate) const EXIT_CODES: [(u8, &str); 9] = [
    (0, "done"),
    (
        Exit::Fault as u8,
        "a fault of shipspec's own, or of the machine that it runs on: a full disk",
    ),
    (
        Exit::Input as u8,
        "the input is wrong: shipspec.yml, a template, a flag, the Dockerfile, a build that has failed before",
    ),
    (Exit::Service as u8, "credentials, or a service of AWS other than ECR"),
    (
        Exit::Image as u8,
        "whatever concerns an engine, a repository or an image, ECR's API included",
    ),
    (Exit::Step as u8, "a step of the user's own Dockerfile failed, or a test"),
    (Exit::Findings as u8, "`shipspec check` or `diff` found what `--fail-on` names, or worse"),
    (Exit::Interrupted as u8, "interrupted by SIGINT (Ctrl-C)"),
    (Exit::Terminated as u8, "ended by SIGTERM"),
];

/// The exit code of an error, and what can be done.
#[cfg(test)]
pub(crate) fn explain(error: &anyhow::Error) -> (u8, Option<String>) {
    let (exit, hint) = judge(error);
    (exit as u8, hint)
}

/// The input is wrong, in a way that has no place in a file.
pub(crate) fn input(message: impl Into<String>, hint: Option<&str>) -> anyhow::Error {
    let diagnostic = Diagnostic::new(message);
    let diagnostic = match hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    };
    Diagnostics::from(diagnostic).into()
}

/// The engine cannot do what is needed.
pub(crate) fn engine(message: impl Into<String>) -> anyhow::Error {
    EngineError::Unfit(message.into()).into()
}

/// What `check` has found, in a few words: all of it was shown.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Findings(String);

/// `check` or `diff` has found something.
pub(crate) fn findings(summary: String) -> anyhow::Error {
    Findings(summary).into()
}

/// Errors that have nothing to do with each other, found in one look.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(|error| format!("{error:#}")).collect::<Vec<_>>().join("\n"))]
pub(crate) struct Several(Vec<anyhow::Error>);

impl Several {
    /// One error for all; none for none.
    pub(crate) fn join(mut errors: Vec<anyhow::Error>) -> Option<anyhow::Error> {
        if errors.len() > 1 { Some(Self(errors).into()) } else { errors.pop() }
    }
}

/// Shows an error, and tells how the run ends.
pub(crate) fn show(console: &Console, error: &anyhow::Error) -> ExitCode {
    ExitCode::from(show_all(console, error) as u8)
}

/// A command that failed half-way: what it had done by then, for the report.
#[derive(Debug, thiserror::Error)]
#[error("{error:#}")]
struct Unfinished {
    report: Report,
    error: anyhow::Error,
}

/// An error with what was done before it.
pub(crate) fn unfinished(report: Report, error: anyhow::Error) -> anyhow::Error {
    Unfinished { report, error }.into()
}

/// As [`show`]; where the result is wanted as JSON, the error stands in that too.
pub(crate) fn report(
    console: &Console,
    error: anyhow::Error,
    json: Option<&'static str>,
) -> ExitCode {
    let (done, error) = match error.downcast::<Unfinished>() {
        Ok(Unfinished { report, error }) => (Some(report), error),
        Err(error) => (None, error),
    };
    let exit = show_all(console, &error) as u8;
    if let Some(command) = json {
        let mut findings = parts(&error);
        for finding in &mut findings {
            finding.message = console.masked(std::mem::take(&mut finding.message));
            finding.hint = finding.hint.take().map(|hint| console.masked(hint));
        }
        let error = Some(ErrorReport { exit_code: exit, findings });
        let done = done.unwrap_or_else(|| Report::new(command));
        // stderr has the error already; more cannot be done where stdout is closed.
        let _ = console.data(&Report { error, ..done }.json());
    }
    ExitCode::from(exit)
}

/// Every single thing that an error is about.
fn parts(error: &anyhow::Error) -> Vec<FindingReport> {
    if let Some(Several(errors)) = error.downcast_ref() {
        return errors.iter().flat_map(parts).collect();
    }
    let Some(diagnostics) = error.downcast_ref::<Diagnostics>() else {
        let (message, hint) = (format!("{error:#}"), judge(error).1);
        return vec![FindingReport { message, place: None, hint }];
    };
    let finding = |diagnostic: &Diagnostic| FindingReport {
        message: diagnostic.message.clone(),
        place: diagnostic.span.as_ref().map(ToString::to_string),
        hint: diagnostic.hint.clone(),
    };
    diagnostics.as_slice().iter().map(finding).collect()
}

/// Shows every error; of several exit codes, the smallest counts.
fn show_all(console: &Console, error: &anyhow::Error) -> Exit {
    if let Some(Several(errors)) = error.downcast_ref() {
        let exits = errors.iter().map(|error| show_all(console, error));
        return exits.min().unwrap_or(Exit::Fault);
    }
    match error.downcast_ref::<Diagnostics>() {
        Some(diagnostics) => show_diagnostics(console, diagnostics),
        None => show_chain(console, error),
    }
    judge(error).0
}

fn show_chain(console: &Console, error: &anyhow::Error) {
    console.note(format_args!("error: {error}"));
    let mut told = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // A transparent error repeats the words of its cause.
        if !told.contains(&text) {
            console.note(format_args!("  caused by: {text}"));
            told.push_str(&text);
        }
    }
    for line in last_lines(error) {
        console.note(format_args!("  | {line}"));
    }
    if let Some(hint) = judge(error).1 {
        console.note(format_args!("  hint: {hint}"));
    }
}

/// Each finding with the line that it is about. The text shown is what the user wrote, never a
/// value that was put in.
fn show_diagnostics(console: &Console, diagnostics: &Diagnostics) {
    let renderer = if console.is_terminal() { Renderer::styled() } else { Renderer::plain() };
    for diagnostic in diagnostics.as_slice() {
        let title = Level::ERROR.primary_title(&*diagnostic.message);
        let mut group = Group::with_title(title);
        if let Some(span) = &diagnostic.span {
            group = group.element(snippet(span));
        }
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.with_name("hint").message(&**hint));
        }
        console.note(renderer.render(&[group]));
    }
}

/// The lines of a place, and only those: of a large file there may be thousands.
pub(crate) fn snippet(span: &Span) -> Snippet<'_, Annotation<'_>> {
    let text = &*span.source.text;
    let start = text.floor_char_boundary(span.range.start.min(text.len()));
    let end = text.ceil_char_boundary(span.range.end.min(text.len())).max(start);
    let first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let last = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
    Snippet::source(&text[first..last])
        .path(&*span.source.name)
        .line_start(span.source.position(start).line)
        .annotation(AnnotationKind::Primary.span(start - first..end - first))
}

/// The end of what a failed step said, or a dockerd that did not start.
fn last_lines(error: &anyhow::Error) -> &[String] {
    if let Some(error) = find::<DaemonError>(error) {
        return error.last_lines();
    }
    match find::<BuildError>(error) {
        Some(BuildError::Step { step, .. } | BuildError::OtherStep { step, .. }) => &step.lines,
        _ => find::<TestError>(error).map_or(&[], TestError::lines),
    }
}

fn find<T: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&T> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// How the run ends, and what can be done, by the outermost cause that knows.
fn judge(error: &anyhow::Error) -> (Exit, Option<String>) {
    error.chain().find_map(judge_cause).unwrap_or((Exit::Fault, None))
}

fn judge_cause(cause: &(dyn std::error::Error + 'static)) -> Option<(Exit, Option<String>)> {
    if let Some(error) = cause.downcast_ref::<Diagnostics>() {
        return Some((Exit::Input, error.hint()));
    }
    if cause.is::<Findings>() {
        return Some((Exit::Findings, None));
    }
    if let Some(error) = cause.downcast_ref::<Interrupted>() {
        let exit = match error.signal {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate => Exit::Terminated,
        };
        return Some((exit, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<FetchError>() {
        return Some((Exit::Service, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<PublicationError>() {
        return Some((Exit::Service, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<EcsError>() {
        return Some((Exit::Service, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<BuildError>() {
        let exit = match error {
            BuildError::Access(source) => return judge_cause(source.as_ref()),
            BuildError::Context(_) | BuildError::Dockerfile(_) => Exit::Input,
            BuildError::Step { .. } => Exit::Step,
            _ => Exit::Image,
        };
        return Some((exit, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<TestError>() {
        let exit = match error {
            TestError::Failed { .. } | TestError::Timeout { .. } => Exit::Step,
            TestError::Engine(_) | TestError::Report { .. } => Exit::Image,
        };
        return Some((exit, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<AccessError>() {
        return Some((exit_of_registry(cause), error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<DaemonError>() {
        return Some((Exit::Image, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<EngineError>() {
        return Some((Exit::Image, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<PublishError>() {
        return Some((exit_of_registry(cause), error.hint()));
    }
    cause.downcast_ref::<RegistryError>().map(|error| (exit_of_registry(cause), error.hint()))
}

/// A registry, or the credentials to speak to it with.
fn exit_of_registry(cause: &(dyn std::error::Error + 'static)) -> Exit {
    let causes = std::iter::successors(Some(cause), |cause| cause.source());
    let mut refusals = causes.filter_map(|cause| cause.downcast_ref::<EcrError>());
    let is_service =
        |error: &EcrError| matches!(error, EcrError::Credentials { .. } | EcrError::Role { .. });
    if refusals.any(is_service) { Exit::Service } else { Exit::Image }
}
