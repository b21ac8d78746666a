//! The action `CodeDeployToECS`.

use serde_json::Value;

use super::action::{Configuration, artifact, count, too_large};
use super::{Artifact, Ecs, Refusal, appspec};

/// Of each input artifact's zip: 3 MB.
const LARGEST_ARTIFACT: usize = 3 * 1024 * 1024;

/// What the placeholder of the revision looks like in the AppSpec.
const TASK_DEFINITION: &str = "<TASK_DEFINITION>";

const REQUIRED: [&str; 4] = [
    "ApplicationName",
    "DeploymentGroupName",
    "TaskDefinitionTemplateArtifact",
    "AppSpecTemplateArtifact",
];

const OPTIONAL: [&str; 10] = [
    "TaskDefinitionTemplatePath",
    "AppSpecTemplatePath",
    "Image1ArtifactName",
    "Image1ContainerName",
    "Image2ArtifactName",
    "Image2ContainerName",
    "Image3ArtifactName",
    "Image3ContainerName",
    "Image4ArtifactName",
    "Image4ContainerName",
];

/// What the action has taken from its artifacts, before anything is registered.
#[derive(Debug)]
pub struct Templates {
    /// With the images in place of their placeholders.
    pub task_definition: Value,
    /// As it stands in its artifact.
    pub appspec: String,
}

/// What the action hands to CodeDeploy.
#[derive(Debug)]
pub struct BlueGreen {
    /// The revision that it has registered, as ECS answers it.
    pub revision: Value,
    /// The AppSpec with the revision's ARN in it.
    pub appspec: Value,
}

/// Reads both templates and the images, registers the revision, and fills the AppSpec.
///
/// # Errors
///
/// What the action, ECS or CodeDeploy would refuse. Nothing is registered where the artifacts or
/// the configuration are wrong.
pub fn blue_green(
    ecs: &Ecs<'_>,
    artifacts: &[Artifact],
    configuration: &Value,
) -> Result<BlueGreen, Refusal> {
    let templates = Templates::read(artifacts, configuration)?;
    let revision = ecs.register(&templates.task_definition)?;
    let arn = revision["taskDefinitionArn"].as_str().unwrap_or_default();
    let appspec = appspec::check(&templates.appspec.replace(TASK_DEFINITION, arn), &revision)?;
    Ok(BlueGreen { revision, appspec })
}

impl Templates {
    /// What the action does before it asks anybody.
    ///
    /// # Errors
    ///
    /// As for [`blue_green`].
    pub fn read(artifacts: &[Artifact], configuration: &Value) -> Result<Self, Refusal> {
        let configuration = Configuration::new(configuration, &REQUIRED, &OPTIONAL)?;
        count(artifacts, 1, 5)?;
        let mut definition = task_definition(artifacts, &configuration)?;
        let appspec = appspec_text(artifacts, &configuration)?;
        for number in 1..=4 {
            replace_image(&mut definition, artifacts, &configuration, number)?;
        }
        let task_definition = serde_json::from_str(&definition)
            .map_err(|error| Refusal::TaskDefinition(format!("no JSON: {error}")))?;
        Ok(Self { task_definition, appspec })
    }
}

fn task_definition(
    artifacts: &[Artifact],
    configuration: &Configuration<'_>,
) -> Result<String, Refusal> {
    let name = configuration.required("TaskDefinitionTemplateArtifact");
    let path = configuration.or("TaskDefinitionTemplatePath", "taskdef.json");
    let text = text_of(artifact(artifacts, name)?, path);
    text.map_err(|why| Refusal::TaskDefinitionArtifact { artifact: name.to_owned(), why })
}

fn appspec_text(
    artifacts: &[Artifact],
    configuration: &Configuration<'_>,
) -> Result<String, Refusal> {
    let name = configuration.required("AppSpecTemplateArtifact");
    let path = configuration.or("AppSpecTemplatePath", "appspec.yaml");
    let text = text_of(artifact(artifacts, name)?, path);
    text.map_err(|why| Refusal::AppSpecArtifact { artifact: name.to_owned(), why })
}

/// Puts the image of one `Image<N>…` pair where its placeholder stands.
fn replace_image(
    definition: &mut String,
    artifacts: &[Artifact],
    configuration: &Configuration<'_>,
    number: usize,
) -> Result<(), Refusal> {
    let keys = [format!("Image{number}ArtifactName"), format!("Image{number}ContainerName")];
    let (name, placeholder) = match keys.each_ref().map(|key| configuration.get(key)) {
        [Some(name), Some(placeholder)] => (name, format!("<{placeholder}>")),
        [None, None] => return Ok(()),
        [Some(_), None] => return Err(Refusal::Configuration(format!("no `{}`", keys[1]))),
        [None, Some(_)] => return Err(Refusal::Configuration(format!("no `{}`", keys[0]))),
    };
    let image = image_of(artifact(artifacts, name)?)
        .map_err(|why| Refusal::ImageArtifact { artifact: name.to_owned(), why })?;
    if !definition.contains(&placeholder) {
        let why = format!("the task definition has no `{placeholder}`");
        return Err(Refusal::Configuration(why));
    }
    *definition = definition.replace(&placeholder, &image);
    Ok(())
}

/// The `ImageURI` of the `imageDetail.json` at an artifact's root.
fn image_of(artifact: &Artifact) -> Result<String, String> {
    let text = text_of(artifact, "imageDetail.json")?;
    let detail: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    match detail["ImageURI"].as_str() {
        Some(image) if !image.is_empty() => Ok(image.to_owned()),
        _ => Err("`ImageURI` is no text".to_owned()),
    }
}

fn text_of(artifact: &Artifact, path: &str) -> Result<String, String> {
    if let Some(why) = too_large(artifact, LARGEST_ARTIFACT) {
        return Err(why);
    }
    let bytes = artifact.read(path).ok_or_else(|| format!("it has no `{path}`"))?;
    String::from_utf8(bytes).map_err(|_not_text| format!("`{path}` is not UTF-8"))
}

#[cfg(test)]
mod tests;
