//! What was found.

use std::ops::Range;

use shipspec_spec::diagnostic::Diagnostic;
use shipspec_spec::source::{Source, Span};

use crate::codes::{Code, Severity, name};
use crate::file::File;

/// One thing that is wrong, or probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do, in one line.
    pub fix: Option<String>,
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.page().severity
    }

    /// The finding as a mistake of the input.
    #[must_use]
    pub fn into_diagnostic(self) -> Diagnostic {
        let message = format!("{} ({})", self.message, self.code);
        Diagnostic { hint: self.fix, ..Diagnostic::at(self.span, message) }
    }
}

/// A mistake in shipspec.yml, or in a template's own language, as a finding.
#[must_use]
pub fn configuration(diagnostic: Diagnostic) -> Finding {
    let span = diagnostic.span.unwrap_or_else(|| Span::new(&Source::new("shipspec.yml", ""), 0..0));
    Finding { code: name::SHIPSPEC_YML, message: diagnostic.message, span, fix: diagnostic.hint }
}

/// A context or a Dockerfile that is not there.
#[must_use]
pub fn dockerfile_missing(message: String, span: Span) -> Finding {
    let fix =
        "check `context` and `dockerfile`; if the build makes it before shipspec runs, all is well";
    Finding { code: name::DOCKERFILE_MISSING, message, span, fix: Some(fix.into()) }
}

/// A Dockerfile and shipspec.yml that do not agree.
#[must_use]
pub fn dockerfile_mismatch(diagnostic: Diagnostic) -> Finding {
    Finding { code: name::DOCKERFILE_MISMATCH, ..configuration(diagnostic) }
}

/// A name without a value, where another one is so like it that it is probably meant.
#[must_use]
pub fn name_without_value(name: &str, near: &str, span: Span) -> Finding {
    Finding {
        code: name::NAME_UNSET,
        message: format!("nothing here gives `{name}` a value"),
        span,
        fix: Some(format!("did you mean `{near}`? If it comes from the environment, all is well")),
    }
}

/// Takes the findings about one file.
pub(crate) struct Sink<'a> {
    file: &'a File,
    found: Vec<Finding>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(file: &'a File) -> Self {
        Self { file, found: Vec::new() }
    }

    pub(crate) fn file(&self) -> &'a File {
        self.file
    }

    /// Notes a finding, with what to do.
    pub(crate) fn tell(
        &mut self,
        code: Code,
        range: &Range<usize>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let finding = self.file.finding(code, range, message, fix);
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.found
    }
}
