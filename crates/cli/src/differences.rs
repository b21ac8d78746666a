//! Rendered task definitions beside those that run.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use shipspec_ecs::compare::{Difference, compare};
use shipspec_ecs::error::EcsError;
use shipspec_ecs::running::{Running, Which, containers};
use shipspec_spec::hint::Hint as _;
use shipspec_spec::nearest::nearest;

use crate::console::Console;
use crate::context::Context;
use crate::filling::Filled;
use crate::report::{ComparisonReport, DifferenceReport};
use crate::running::Target;

/// An artifact, and what it would change.
pub(crate) struct Comparison {
    /// Its path.
    pub(crate) artifact: String,
    /// What it was to be compared with.
    target: Target,
    /// The revision that it was compared with and what would be other than it; no revision for a first
    /// deployment.
    pub(crate) outcome: Result<(Option<String>, Difference), EcsError>,
    /// What could not be compared besides.
    notes: Vec<String>,
}

/// Compares every artifact that ECS gets. `service` is what flags say.
pub(crate) async fn compare_all(
    context: &Context<'_>,
    filled: &Filled,
    service: Option<&Target>,
) -> Vec<Comparison> {
    let details: Vec<_> =
        filled.artifacts.iter().filter_map(|it| detail(it.content.text()?)).collect();
    let (mut comparisons, mut known) = (Vec::new(), BTreeMap::new());
    for (artifact, of_file) in filled.artifacts.iter().zip(filled.plans.services()) {
        let of_service = service.cloned().or_else(|| of_file.map(Target::of_service));
        let Some(rendered) = artifact.content.text().and_then(Rendered::parse) else { continue };
        let target = match (of_service, &rendered) {
            (Some(target), _) => target,
            (None, Rendered::TaskDefinition(task)) => {
                Target::family(task["family"].as_str().unwrap_or_default())
            }
            (None, Rendered::ImageDefinitions(_)) => continue,
        };
        if !known.contains_key(&target) {
            known.insert(target.clone(), target.fetch(context).await);
        }
        let mut notes = Vec::new();
        let outcome = match &known[&target] {
            Ok(running) => rendered.against(running, &details, &mut notes),
            Err(EcsError::NoFamily { .. }) if matches!(target.which, Which::Family(_)) => {
                Ok((None, rendered.alone(&details)))
            }
            Err(error) => Err(error.clone()),
        };
        let artifact = artifact.path.display().to_string();
        comparisons.push(Comparison { artifact, target, outcome, notes });
    }
    comparisons
}

/// What ECS gets of an artifact.
pub(crate) enum Rendered {
    TaskDefinition(Json),
    /// Containers and their images, for the rolling action.
    ImageDefinitions(Vec<Json>),
}

impl Rendered {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match serde_json::from_str(text).ok()? {
            Json::Array(items) if items.first().is_some_and(|it| it["imageUri"].is_string()) => {
                Some(Self::ImageDefinitions(items))
            }
            task if task["containerDefinitions"].is_array() => Some(Self::TaskDefinition(task)),
            _ => None,
        }
    }

    fn against(
        self,
        running: &Running,
        details: &[String],
        notes: &mut Vec<String>,
    ) -> Result<(Option<String>, Difference), EcsError> {
        let before = &running.task_definition;
        let difference = match self {
            Self::TaskDefinition(mut task) => {
                let open = fill_placeholders(&mut task, details);
                let mut difference = compare(before, &task);
                for (container, placeholder) in open {
                    difference.forget(&format!("containerDefinitions[{container}].image"));
                    notes.push(format!(
                        "the image of `{container}`: the pipeline fills `{placeholder}`"
                    ));
                }
                difference
            }
            Self::ImageDefinitions(items) => compare(before, &with_images(running, &items)?),
        };
        Ok((Some(running.name().to_owned()), difference))
    }

    /// All of it is new.
    fn alone(self, details: &[String]) -> Difference {
        match self {
            Self::TaskDefinition(mut task) => {
                fill_placeholders(&mut task, details);
                compare(&json!({}), &task)
            }
            Self::ImageDefinitions(_) => Difference::default(),
        }
    }
}

/// The image of an `imageDetail.json`.
pub(crate) fn detail(text: &str) -> Option<String> {
    let value: Json = serde_json::from_str(text).ok()?;
    value["ImageURI"].as_str().map(str::to_owned)
}

/// Puts the image in place of the placeholder, as the blue/green action does, where there is one of each.
/// What stays open is told: container and placeholder.
pub(crate) fn fill_placeholders(task: &mut Json, details: &[String]) -> Vec<(String, String)> {
    let is_placeholder = |text: &str| text.starts_with('<') && text.ends_with('>');
    let open: Vec<_> = containers(task)
        .filter_map(|container| {
            let image = container["image"].as_str().filter(|image| is_placeholder(image))?;
            Some((container["name"].as_str().unwrap_or_default().to_owned(), image.to_owned()))
        })
        .collect();
    let is_one = open.iter().all(|(_, image)| *image == open[0].1);
    let ([image], true) = (details, is_one) else { return open };
    for container in task["containerDefinitions"].as_array_mut().into_iter().flatten() {
        if container["image"].as_str().is_some_and(is_placeholder) {
            container["image"] = image.clone().into();
        }
    }
    Vec::new()
}

/// The task definition with other images.
fn with_images(running: &Running, items: &[Json]) -> Result<Json, EcsError> {
    let mut task = running.task_definition.clone();
    for item in items {
        let name = item["name"].as_str().unwrap_or_default();
        let mut all = task["containerDefinitions"].as_array_mut().into_iter().flatten();
        match all.find(|container| container["name"] == *name) {
            Some(container) => container["image"] = item["imageUri"].clone(),
            None => {
                return Err(EcsError::NoContainer {
                    container: name.to_owned(),
                    revision: running.name().to_owned(),
                    near: nearest(name, running.containers()).map(str::to_owned),
                });
            }
        }
    }
    Ok(task)
}

impl Comparison {
    /// Says what could not be compared.
    pub(crate) fn note(&self, console: &Console) {
        for note in &self.notes {
            console.note(format_args!("not compared: {}: {note}", self.artifact));
        }
        if let Some(reason) = self.reason() {
            console.note(format_args!("not compared: {}: {reason}", self.artifact));
        }
    }

    fn reason(&self) -> Option<String> {
        let error = self.outcome.as_ref().err()?;
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        Some(format!("{error}{hint}"))
    }

    pub(crate) fn report(&self, console: &Console) -> ComparisonReport {
        let nothing = Difference::default();
        let (revision, difference) = match &self.outcome {
            Ok((revision, difference)) => (revision.clone(), difference),
            Err(_) => (None, &nothing),
        };
        let told = |entries: &[shipspec_ecs::compare::Entry]| {
            entries.iter().map(|entry| DifferenceReport::new(entry, console)).collect()
        };
        ComparisonReport {
            artifact: self.artifact.clone(),
            against: self.target.which.to_string(),
            revision,
            compared: self.outcome.is_ok(),
            reason: self.reason(),
            not_compared: self.notes.clone(),
            lost: told(&difference.lost),
            changed: told(&difference.changed),
            added: told(&difference.added),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(images: &[&str]) -> Json {
        let named = images.iter().enumerate();
        let containers: Vec<_> = named
            .map(|(index, image)| json!({"name": index.to_string(), "image": image}))
            .collect();
        json!({ "containerDefinitions": containers })
    }

    #[test]
    fn the_one_image_stands_in_place_of_the_one_placeholder() {
        let mut one = task(&["<IMAGE1_NAME>", "log:1", "<IMAGE1_NAME>"]);
        assert!(fill_placeholders(&mut one, &["web:2".into()]).is_empty());
        assert_eq!(one, task(&["web:2", "log:1", "web:2"]));

        let mut several = task(&["<IMAGE1_NAME>", "<IMAGE2_NAME>"]);
        let open = fill_placeholders(&mut several, &["web:2".into(), "log:2".into()]);
        assert_eq!(open.len(), 2);
        assert_eq!(several, task(&["<IMAGE1_NAME>", "<IMAGE2_NAME>"]));
    }
}
