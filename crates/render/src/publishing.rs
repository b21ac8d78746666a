//! What an artifact must be to go where it is published.

use std::collections::BTreeMap;

use shipspec_spec::config::ArtifactConfig;
use shipspec_spec::destination::{Destination, LARGEST_PARAMETER, Publication};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::source::Span;

use crate::artifact::Artifact;
use crate::draft::DraftContent;
use crate::plan::ArtifactPlan;

/// The places of an artifact, with every name in them filled.
pub(crate) fn read(
    artifact: &ArtifactConfig,
    names: &dyn Names,
) -> Result<Vec<Publication>, Diagnostics> {
    let (mut places, mut found) = (Vec::new(), Diagnostics::default());
    for place in &artifact.publish {
        match place.evaluate(names) {
            Ok(publication) => places.push(publication),
            Err(errors) => found.extend(errors),
        }
    }
    found.or(places)
}

/// A place holds one thing: of two artifacts the second would be what stays.
pub(crate) fn refuse_shared_places(plans: &[ArtifactPlan], found: &mut Diagnostics) {
    let mut takers = BTreeMap::new();
    for plan in plans {
        for Publication { destination, region, role, .. } in &plan.publish {
            let path = &*plan.path;
            if takers.insert((destination, region, role), path).is_some() {
                let message =
                    format!("`{path}` is published to `{destination}`, and so is another");
                found.push(Diagnostic::at(plan.place.clone(), message));
            }
        }
    }
}

/// What a service would refuse, and what would show a secret.
pub(crate) fn check(artifact: &Artifact, place: &Span) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::default();
    for publication in &artifact.publish {
        for (problem, hint) in problems(artifact, publication) {
            let (path, to) = (artifact.path.display(), &publication.destination);
            let message = format!("`{path}` cannot be published to `{to}`: {problem}");
            found.push(Diagnostic::at(place.clone(), message).with_hint(hint));
        }
    }
    found.or(())
}

/// The value of a parameter is text of 1 byte to 8 KB, and may not refer to another ([`PutParameter`]).
///
/// [`PutParameter`]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
fn problems(artifact: &Artifact, publication: &Publication) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    if !artifact.secrets.is_empty() && !publication.is_secret {
        let names: Vec<_> = artifact.secrets.iter().map(|name| format!("`{name}`")).collect();
        problems.push((
            format!("{} is secret and would stand there in plain text", names.join(", ")),
            "a parameter can be a `SecureString`: `publish: { to: …, secret: true }`",
        ));
    }
    if let Destination::Object { .. } = publication.destination {
        return problems;
    }
    match artifact.content.text() {
        None => problems.push((
            "a parameter holds text, and this is a zip".into(),
            "publish it to `s3://bucket/key`",
        )),
        Some("") => problems.push((
            "it is empty, and a parameter is not".into(),
            "leave `publish` out, or say `when:`",
        )),
        Some(text) if text.len() > LARGEST_PARAMETER => {
            problems.push((too_large(text.len()), "publish it to `s3://bucket/key`"));
        }
        Some(text) if text.contains("{{") => problems.push((
            "it holds `{{`, by which a parameter would refer to another".into(),
            "publish it to `s3://bucket/key`",
        )),
        Some(_) => {}
    }
    problems
}

fn too_large(size: usize) -> String {
    format!("it has {size} bytes, and a parameter holds {LARGEST_PARAMETER}")
}

/// An artifact that is too large for its parameter, whatever its values come to.
pub(crate) fn too_large_at_least(
    plan: &ArtifactPlan,
    content: &DraftContent,
) -> Option<Diagnostic> {
    let is_parameter =
        |place: &&Publication| matches!(place.destination, Destination::Parameter(_));
    let place = plan.publish.iter().find(is_parameter)?;
    let size = smallest(content);
    (size > LARGEST_PARAMETER).then(|| {
        let (path, to, problem) = (&plan.path, &place.destination, too_large(size));
        let message = format!("`{path}` cannot be published to `{to}`: {problem}");
        Diagnostic::at(plan.place.clone(), message).with_hint("publish it to `s3://bucket/key`")
    })
}

/// The bytes that an artifact has at least: what is not known may be empty.
fn smallest(content: &DraftContent) -> usize {
    match content {
        DraftContent::Template { source, slots, .. } => {
            let open: usize = slots.iter().map(|slot| slot.range.len()).sum();
            let known = slots.iter().filter_map(|slot| slot.value.as_ref());
            source.text.len() - open + known.map(|(text, _)| text.len()).sum::<usize>()
        }
        DraftContent::Made { text, .. } => text.len(),
        DraftContent::Unclear(_) => 0,
    }
}
