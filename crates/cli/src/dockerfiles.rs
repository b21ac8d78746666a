//! What the Dockerfiles of a run ask for, looked at before anything is built.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

use shipspec_build::dockerfile::{Dockerfile, Needs, SecretMount, TargetError};
use shipspec_build::key::bases_of;
use shipspec_build::plan::ImagePlan;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::image::{ImageReference, Registry};
use shipspec_spec::nearest::nearest;
use shipspec_spec::source::{Source, Span};

use crate::context::Context;
use crate::failure;
use crate::preflight::{Check, bad, not_checked};

/// The registries that base images come from, and what will go wrong.
pub(crate) fn check(
    context: &Context<'_>,
    plans: &[ImagePlan],
) -> (BTreeSet<Registry>, Vec<Check>) {
    let (mut registries, mut checks) = (BTreeSet::new(), Vec::new());
    for plan in plans {
        let subject = format!("Dockerfile of {}", plan.name);
        let path = plan.context.join(&plan.dockerfile);
        let name = path.strip_prefix(&context.folder).unwrap_or(&path).display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                checks.push(bad(subject, failure::input(unreadable(&name, &error), None)));
                continue;
            }
        };
        // A frontend of its own may read more than the parser here does; the engine judges.
        let dockerfile = match Dockerfile::parse(&text) {
            Ok(dockerfile) => dockerfile,
            Err(error) => {
                checks.push(not_checked(subject, error));
                continue;
            }
        };
        match needs(&dockerfile, plan) {
            Ok(needs) => {
                registries.extend(needs.iter().flat_map(Needs::registries));
                registries.extend(others(&dockerfile, plan));
                let mounts: Vec<_> = needs.iter().flat_map(|needs| &needs.secrets).collect();
                let given: Vec<_> = plan.secrets.keys().map(String::as_str).collect();
                let source = Source::new(name, text);
                let mounts_asked = mounts.iter().copied();
                let found = secrets_nobody_gives(&plan.name, &given, mounts_asked, &source);
                checks.extend(found.or(()).err().map(|errors| bad(subject, errors)));
                note_unused(context, plan, &mounts);
            }
            Err(error) => checks.push(bad(subject, failure::input(error.to_string(), None))),
        }
    }
    (registries, checks)
}

/// The registries of contexts that are images, and of the frontend.
fn others(dockerfile: &Dockerfile, plan: &ImagePlan) -> Vec<Registry> {
    let bases = bases_of(dockerfile, plan).unwrap_or_default();
    let references = bases.to_resolve.iter().filter_map(|base| base.parse().ok());
    references.map(|reference: ImageReference| reference.repository.registry).collect()
}

/// What the image is made from, and what its test is.
fn needs(dockerfile: &Dockerfile, plan: &ImagePlan) -> Result<Vec<Needs>, TargetError> {
    let test = plan.test.as_ref().and_then(|test| test.target.as_deref());
    let targets = [plan.target.as_deref()].into_iter().chain(test.map(Some));
    let contexts = plan.options.contexts.keys().map(String::as_str).collect();
    targets
        .map(|target| dockerfile.needs_with(target, &plan.build_args, &plan.platform, &contexts))
        .collect()
}

fn unreadable(name: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("there is no Dockerfile at `{name}`"),
        _ => format!("the Dockerfile `{name}` cannot be read: {error}"),
    }
}

/// Secrets that steps ask for and nobody gives: engines run such a step with an empty file.
pub(crate) fn secrets_nobody_gives<'a>(
    image: &str,
    given: &[&str],
    mounts: impl IntoIterator<Item = &'a SecretMount>,
    source: &Arc<Source>,
) -> Diagnostics {
    let mut found = Diagnostics::default();
    let mut seen = BTreeSet::new();
    for mount in mounts {
        let id = &mount.id;
        // What a variable makes of it is not known here.
        let is_new = seen.insert((mount.line, id));
        // The step says that it runs without, or the engine says what is missing.
        let is_settled = mount.required == Some(false) || id.is_empty();
        if given.contains(&&**id) || id.contains('$') || !is_new || is_settled {
            continue;
        }
        let message = format!("this step mounts the secret `{id}`, which nobody gives");
        let hint = match nearest(id, given.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("say `secrets: {{ {id}: NAME }}` for `{image}` in shipspec.yml"),
        };
        found.push(Diagnostic::at(line(source, mount.line), message).with_hint(hint));
    }
    found
}

fn note_unused(context: &Context<'_>, plan: &ImagePlan, mounts: &[&SecretMount]) {
    for id in plan.secrets.keys() {
        let is_asked = mounts.iter().any(|mount| mount.id == *id || mount.id.contains('$'));
        if !is_asked {
            let image = &plan.name;
            context
                .console
                .note(format_args!("note: no step of `{image}` mounts the secret `{id}`"));
        }
    }
}

/// The line with this number, from 1, without the spaces around it.
fn line(source: &Arc<Source>, number: usize) -> Span {
    let before: usize = source.text.split_inclusive('\n').take(number - 1).map(str::len).sum();
    let length = source.text[before..].lines().next().map_or(0, |line| line.trim_end().len());
    Span::new(source, before..before + length)
}
