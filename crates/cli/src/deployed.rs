//! Whether the services of ECS run what a run has made, if that is what the last one had made already.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use shipspec_ecs::running::{Running, containers};
use shipspec_registry::access::Access;
use shipspec_render::artifact::Artifact;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::published::Published;

use crate::context::Context;
use crate::differences::{Rendered, detail, fill_placeholders};
use crate::images::Made;
use crate::preflight::Preflight;
use crate::running::Target;

/// What services should run.
pub(crate) struct Deployed<'a> {
    access: &'a Access,
    images: &'a [Made],
    /// By service: the containers and their images.
    services: BTreeMap<Target, Vec<(String, String)>>,
}

impl<'a> Deployed<'a> {
    /// `artifacts` are those of the run, in the order of their plans.
    pub(crate) fn new(
        ready: &'a Preflight<'_>,
        images: &'a [Made],
        artifacts: &[Artifact],
    ) -> Self {
        let details: Vec<_> =
            artifacts.iter().filter_map(|it| detail(it.content.text()?)).collect();
        let mut services: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let of_files = ready.artifacts.iter().flat_map(ArtifactPlans::services);
        for (artifact, service) in artifacts.iter().zip(of_files) {
            let Some(service) = service else { continue };
            let wanted = images_of(artifact.content.text().unwrap_or_default(), &details);
            if !wanted.is_empty() {
                services.entry(Target::of_service(service)).or_default().extend(wanted);
            }
        }
        Self { access: &ready.access, images, services }
    }

    /// Why a deployment is due, although nothing is new: a service that runs something else. What could not
    /// be asked is told.
    pub(crate) async fn behind(&self, context: &Context<'_>) -> Option<String> {
        for (target, wanted) in &self.services {
            let found = match target.fetch(context).await {
                Ok(running) => self.compare(&running, wanted).await,
                Err(error) => Err(error.to_string()),
            };
            match found {
                Ok(None) => {}
                Ok(Some(container)) => {
                    return Some(format!("{} runs another image in `{container}`", target.which));
                }
                Err(reason) => context.console.note(format_args!(
                    "note: not compared with what runs: {}: {reason}",
                    target.which
                )),
            }
        }
        None
    }

    /// The first container whose image is another one, or is not there.
    async fn compare(
        &self,
        running: &Running,
        wanted: &[(String, String)],
    ) -> Result<Option<String>, String> {
        for (container, image) in wanted {
            let mut there = containers(&running.task_definition);
            let there = there.find(|it| it["name"].as_str() == Some(container));
            let there = there.and_then(|it| it["image"].as_str()).unwrap_or_default();
            if there == image {
                continue;
            }
            // Another reference may name the same image: the tag of an earlier commit.
            let Some((made, published)) = self.made(image) else {
                return Ok(Some(container.clone()));
            };
            match self.digest(made, there).await? {
                Some(digest) if digest == published.digest => {}
                _ => return Ok(Some(container.clone())),
            }
        }
        Ok(None)
    }

    /// The image of this run that a reference names.
    fn made(&self, reference: &str) -> Option<(&Made, &Published)> {
        self.images.iter().find_map(|made| {
            let published = made.staged.as_ref()?.published();
            let is_it = made.plan.repositories().any(|repository| {
                rest(reference, repository).is_some_and(|rest| {
                    rest == format!("@{}", published.digest)
                        || made.plan.tags.iter().any(|it| rest == format!(":{}", it.tag))
                })
            });
            is_it.then_some((made, published))
        })
    }

    /// The digest behind a reference; nothing if it is none of the image's repositories, or not there any
    /// more.
    async fn digest(&self, made: &Made, reference: &str) -> Result<Option<Digest>, String> {
        let found = made
            .plan
            .repositories()
            .find_map(|repository| Some((repository, rest(reference, repository)?)));
        let Some((repository, rest)) = found else { return Ok(None) };
        if let Some((_, digest)) = rest.split_once('@') {
            return Ok(digest.parse().ok());
        }
        let tag = rest.trim_start_matches(':');
        let client = self.access.client(repository).map_err(|error| error.to_string())?;
        let manifest = client.manifest(tag).await.map_err(|error| error.to_string())?;
        Ok(manifest.map(|manifest| manifest.digest))
    }
}

/// What stands behind the repository in a reference: `:tag` or `@digest`.
fn rest<'a>(reference: &'a str, repository: &Repository) -> Option<&'a str> {
    let rest = reference.strip_prefix(&repository.to_string())?;
    rest.starts_with([':', '@']).then_some(rest)
}

/// The containers of an artifact and their images; none of another kind of artifact.
fn images_of(text: &str, details: &[String]) -> Vec<(String, String)> {
    let pair = |entry: &Json, image: &str| {
        Some((entry["name"].as_str()?.to_owned(), entry[image].as_str()?.to_owned()))
    };
    match Rendered::parse(text) {
        Some(Rendered::TaskDefinition(mut task)) => {
            let open = fill_placeholders(&mut task, details);
            let images = containers(&task).filter_map(|container| pair(container, "image"));
            images.filter(|(name, _)| !open.iter().any(|(other, _)| other == name)).collect()
        }
        Some(Rendered::ImageDefinitions(items)) => {
            items.iter().filter_map(|item| pair(item, "imageUri")).collect()
        }
        None => Vec::new(),
    }
}
