//! The checks inside of a run: before anything is built, and again on what was filled.

use shipspec_check::codes::Severity;
use shipspec_check::read::Format;
use shipspec_check::{Allowed, File, Finding, Surroundings, check};
use shipspec_render::artifact::Artifact;
use shipspec_spec::config::Config;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::source::Source;

use super::Look;
use crate::context::Context;
use crate::project::Project;

/// Tells what `shipspec check` warns of.
///
/// # Errors
///
/// What it says is wrong.
pub(crate) fn before_run(context: &Context<'_>, project: &Project) -> Result<(), Diagnostics> {
    let look = Look::at_values(context, project);
    for finding in look.findings.iter().filter(|it| it.severity() == Severity::Warning) {
        context.console.note(format_args!(
            "warning: {}: {} ({})",
            finding.span, finding.message, finding.code
        ));
    }
    errors(look.findings)
}

/// Looks at the artifacts once more, now that every value is in them.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn of_rendered(config: &Config, artifacts: &[Artifact]) -> Result<(), Diagnostics> {
    // What has a secret in it was looked at before, with signs for its secrets: a finding shows what is
    // around it.
    let shown = artifacts.iter().filter(|artifact| artifact.secrets.is_empty());
    let files: Vec<_> = shown.filter_map(file).collect();
    let allowed = Allowed::everywhere(config.check.codes());
    let surroundings =
        Surroundings { outputs: Vec::new(), published: Vec::new(), has_file: &|_| false };
    errors(check(&files, &surroundings, &allowed))
}

fn errors(findings: Vec<Finding>) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::default();
    for finding in findings.into_iter().filter(|it| it.severity() == Severity::Error) {
        found.push(finding.into_diagnostic());
    }
    found.or(())
}

fn file(artifact: &Artifact) -> Option<File> {
    let path = artifact.path.to_string_lossy();
    let format = match artifact.path.extension()?.to_str()? {
        "json" => Format::Json,
        "yaml" | "yml" => Format::Yaml,
        _ => return None,
    };
    let source = Source::new(&*path, artifact.content.text()?);
    Some(File::artifact(&path, &source, format, &[]).allowing(&artifact.allow))
}
