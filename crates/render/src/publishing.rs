//! What an artifact must be to go where it is published.

use std::collections::BTreeMap;

use shipspec_spec::config::ArtifactConfig;
use shipspec_spec::destination::{Destination, LARGEST_PARAMETER, Publication};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::place::Role;
use shipspec_spec::source::{Source, Span};
use shipspec_spec::value::UNKNOWN;

use crate::artifact::Artifact;
use crate::draft::{DraftContent, DraftSlot};
use crate::plan::{ArtifactPlan, Content};

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
pub(crate) fn refuse_shared_places(
    plans: &[ArtifactPlan],
    names: &dyn Names,
    found: &mut Diagnostics,
) {
    let of_run = region_of_run(names);
    let mut takers = BTreeMap::new();
    for plan in plans {
        for publication in &plan.publish {
            let (path, to) = (&*plan.path, &publication.destination);
            if takers.insert((to, address(publication, of_run.as_deref())), path).is_some() {
                let message = format!("`{path}` is published to `{to}`, and so is another");
                found.push(Diagnostic::at(plan.place.clone(), message));
            }
        }
    }
}

/// The region of the run, from the variables that AWS's own tools read it from, in their order.
fn region_of_run(names: &dyn Names) -> Option<String> {
    let region = |name: &str| names.resolve(name).ok()?.text().filter(|text| !text.is_empty());
    ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(region)
}

/// What tells one place from another of its name: of parameters the region, and the role, which may be
/// another account's. A bucket's name is one in all of AWS.
fn address<'a>(
    Publication { destination, place, .. }: &'a Publication,
    of_run: Option<&'a str>,
) -> Option<(Option<&'a str>, Option<&'a Role>)> {
    match destination {
        Destination::Object { .. } => None,
        Destination::Parameter(_) => {
            Some((place.region.as_deref().or(of_run), place.role.as_ref()))
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
    problems.extend(match artifact.content.text() {
        None => Some(of_zip()),
        Some(text) => of_text(text),
    });
    problems
}

/// What a service would refuse of an artifact whatever its values come to.
pub(crate) fn check_draft(plan: &ArtifactPlan, content: &DraftContent) -> Option<Diagnostic> {
    let is_parameter =
        |place: &&Publication| matches!(place.destination, Destination::Parameter(_));
    let place = plan.publish.iter().find(is_parameter)?;
    let (problem, hint) = match (&plan.content, content) {
        (Content::Zip(_), _) => of_zip(),
        (_, DraftContent::Template { source, slots, .. }) => of_text(&with_signs(source, slots))?,
        (_, DraftContent::Made { text, .. }) => of_text(text)?,
        (_, DraftContent::Unclear(_)) => return None,
    };
    let message =
        format!("`{}` cannot be published to `{}`: {problem}", plan.path, place.destination);
    Some(Diagnostic::at(plan.place.clone(), message).with_hint(hint))
}

fn of_zip() -> (String, &'static str) {
    ("a parameter holds text, and this is a zip".into(), "publish it to `s3://bucket/key`")
}

/// What a parameter would not take. In a draft, what stands for unknown values may be empty.
fn of_text(text: &str) -> Option<(String, &'static str)> {
    let size = text.len() - text.matches(UNKNOWN).map(str::len).sum::<usize>();
    if text.is_empty() {
        let hint = "leave `publish` out, or say `when:`";
        Some(("it is empty, and a parameter is not".into(), hint))
    } else if size > LARGEST_PARAMETER {
        let problem = format!("it has {size} bytes, and a parameter holds {LARGEST_PARAMETER}");
        Some((problem, "publish it to `s3://bucket/key`"))
    } else if text.contains("{{") {
        let problem = "it holds `{{`, by which a parameter would refer to another";
        Some((problem.into(), "publish it to `s3://bucket/key`"))
    } else {
        None
    }
}

/// A template with the values that are known, and a sign for each other.
fn with_signs(source: &Source, slots: &[DraftSlot]) -> String {
    let (mut text, mut end) = (String::new(), 0);
    for slot in slots {
        text.push_str(&source.text[end..slot.range.start]);
        match &slot.value {
            Some((value, _)) => text.push_str(value),
            None => text.push(UNKNOWN),
        }
        end = slot.range.end;
    }
    text.push_str(&source.text[end..]);
    text
}
