//! Images are built for what they run on.

use serde_json::Value as Json;
use shipspec_build::plan::ImagePlan;
use shipspec_ecs::running::containers;
use shipspec_render::artifact::Artifact;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::platform::Platform;
use shipspec_spec::scope::Scope;

/// Every container of a task definition whose image is built for another platform than it runs on.
pub(super) fn check_platforms(
    plans: &[ImagePlan],
    artifacts: &ArtifactPlans,
    scope: &Scope,
) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::default();
    let filled: Vec<_> = artifacts.fill_each(&scope.with_stand_ins());
    let texts = || filled.iter().map(|artifact| text(artifact.as_ref().ok()));
    let details: Vec<_> = texts().filter_map(image_of_detail).collect();
    for (text, place) in texts().zip(artifacts.places()) {
        let task: Json = serde_json::from_str(text).unwrap_or_default();
        let runtime = Runtime::of(&task);
        for container in containers(&task) {
            let Some(image) = container["image"].as_str() else { continue };
            // The blue/green action puts the one image in place of the placeholder.
            let image = match (details.as_slice(), image.starts_with('<')) {
                ([detail], true) => detail,
                _ => image,
            };
            if let Some(plan) = plan_of(image, plans).filter(|plan| !runtime.runs(&plan.platform)) {
                let name = container["name"].as_str().unwrap_or_default();
                found.push(mismatch(plan, name, &runtime, place));
            }
        }
    }
    found.or(())
}

/// The text of an artifact that could be filled; an empty one for what is no text.
fn text(artifact: Option<&Artifact>) -> &str {
    artifact.and_then(|artifact| artifact.content.text()).unwrap_or_default()
}

/// What the tasks of a task definition run on ([runtime platform]).
///
/// [runtime platform]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
struct Runtime {
    system: String,
    processor: String,
}

impl Runtime {
    fn of(task: &Json) -> Self {
        let word = |key: &str, default: &str| {
            task["runtimePlatform"][key].as_str().unwrap_or(default).to_uppercase()
        };
        Self {
            system: word("operatingSystemFamily", "LINUX"),
            processor: word("cpuArchitecture", "X86_64"),
        }
    }

    /// A word that is not known here says nothing against an image.
    fn runs(&self, platform: &Platform) -> bool {
        let system = match self.system.as_str() {
            "LINUX" => Some("linux"),
            system if system.starts_with("WINDOWS") => Some("windows"),
            _ => None,
        };
        let processor = match self.processor.as_str() {
            "X86_64" => Some("amd64"),
            "ARM64" => Some("arm64"),
            _ => None,
        };
        system.is_none_or(|system| system == platform.os)
            && processor.is_none_or(|processor| processor == platform.architecture)
    }
}

fn image_of_detail(text: &str) -> Option<String> {
    let value: Json = serde_json::from_str(text).ok()?;
    value["ImageURI"].as_str().map(str::to_owned)
}

/// The image of this run that a reference names. Of several in one repository, the tag tells; without one,
/// the first stands for all only if they are built for the same.
fn plan_of<'a>(image: &str, plans: &'a [ImagePlan]) -> Option<&'a ImagePlan> {
    let is_in = |plan: &&ImagePlan| {
        plan.repositories().any(|repository| {
            let rest = image.strip_prefix(&repository.to_string());
            rest.is_some_and(|rest| rest.starts_with([':', '@']) || rest.is_empty())
        })
    };
    let candidates: Vec<_> = plans.iter().filter(is_in).collect();
    let tag = image.rsplit_once('/').and_then(|(_, last)| last.split('@').next()?.split_once(':'));
    let has_tag = |plan: &&ImagePlan| {
        tag.is_some_and(|(_, tag)| plan.tags.iter().any(|it| it.tag.as_str() == tag))
    };
    if let Some(plan) = candidates.iter().copied().find(has_tag) {
        return Some(plan);
    }
    let first = *candidates.first()?;
    candidates.iter().all(|plan| plan.platform == first.platform).then_some(first)
}

fn mismatch(
    plan: &ImagePlan,
    container: &str,
    runtime: &Runtime,
    place: &shipspec_spec::source::Span,
) -> Diagnostic {
    let Runtime { system, processor } = runtime;
    let message = format!(
        "the container `{container}` runs on {system}/{processor}, and its image `{}` is built for {}",
        plan.name, plan.platform
    );
    let platform = match (system.as_str(), processor.as_str()) {
        (system, _) if system.starts_with("WINDOWS") => "windows/amd64",
        (_, "ARM64") => "linux/arm64",
        _ => "linux/amd64",
    };
    let hint = format!(
        "say `platform: {platform}` for the image, or `runtimePlatform` in the task definition; without it ECS takes LINUX and X86_64"
    );
    Diagnostic::at(place.clone(), message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_definition_that_says_nothing_runs_on_linux_and_x86_64() {
        let runs = |task: Json, platform: &str| Runtime::of(&task).runs(&platform.parse().unwrap());
        let arm = json!({"runtimePlatform": {"cpuArchitecture": "ARM64"}});
        let windows =
            json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}});
        assert!(runs(json!({}), "linux/amd64") && !runs(json!({}), "linux/arm64"));
        assert!(runs(arm.clone(), "linux/arm64/v8") && !runs(arm, "linux/amd64"));
        assert!(!runs(windows, "linux/amd64"));
        let newer = json!({"runtimePlatform": {"cpuArchitecture": "RISCV64"}});
        assert!(runs(newer, "linux/riscv64"));
    }
}
