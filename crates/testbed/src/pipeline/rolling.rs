//! The action `ECS`: a rolling update of a service.

use serde_json::{Value, json};

use super::action::{Configuration, count};
use super::{Artifact, Ecs, Refusal, definition_of};

/// Of the file: 100 KB.
const LARGEST_FILE: usize = 100 * 1024;

/// The images that an artifact has for a service: container and image, in the file's order.
#[derive(Debug, PartialEq, Eq)]
pub struct Images(pub Vec<(String, String)>);

/// Gives the service's revision the images of the artifact's image definitions, registers it and
/// updates the service; gives the new revision as ECS answers it.
///
/// # Errors
///
/// What the action or ECS would refuse. What CodePipeline says of a container that the revision does
/// not have is not documented; here it is refused.
pub fn rolling(
    ecs: &Ecs<'_>,
    artifacts: &[Artifact],
    configuration: &Value,
) -> Result<Value, Refusal> {
    let images = Images::read(artifacts, configuration)?;
    let (cluster, service) = (&configuration["ClusterName"], &configuration["ServiceName"]);
    let (cluster, service) =
        (cluster.as_str().unwrap_or_default(), service.as_str().unwrap_or_default());
    let definition = images.put_into(&ecs.revision_of(cluster, service)?)?;
    let revision = ecs.register(&definition)?;
    ecs.update_service(cluster, service, &revision)?;
    Ok(revision)
}

impl Images {
    /// What the action does before it asks anybody.
    ///
    /// # Errors
    ///
    /// [`Refusal::ImageDefinitions`] with its one documented text, and the reason behind it.
    pub fn read(artifacts: &[Artifact], configuration: &Value) -> Result<Self, Refusal> {
        let optional = ["FileName", "DeploymentTimeout"];
        let required = ["ClusterName", "ServiceName"];
        let configuration = Configuration::new(configuration, &required, &optional)?;
        count(artifacts, 1, 1)?;
        let file = configuration.or("FileName", "imagedefinitions.json");
        let read = || {
            let bytes = artifacts[0].read(file).ok_or("the artifact does not have it")?;
            if bytes.len() > LARGEST_FILE {
                return Err(format!("{} bytes; {LARGEST_FILE} are taken", bytes.len()));
            }
            parse(&bytes)
        };
        read().map_err(|why| Refusal::ImageDefinitions { file: file.to_owned(), why })
    }

    /// The input that registers a revision's successor.
    fn put_into(&self, revision: &Value) -> Result<Value, Refusal> {
        let mut definition = definition_of(revision);
        for (name, image) in &self.0 {
            let containers = definition["containerDefinitions"].as_array_mut();
            let container = containers.into_iter().flatten().find(|it| it["name"] == **name);
            let Some(container) = container else {
                let why = format!("the service's revision has no container `{name}`");
                return Err(Refusal::TaskDefinition(why));
            };
            container["image"] = json!(image);
        }
        Ok(definition)
    }
}

fn parse(bytes: &[u8]) -> Result<Images, String> {
    let parsed: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let list = parsed.as_array().ok_or("no list")?;
    if list.is_empty() {
        return Err("an empty list".to_owned());
    }
    let mut images = Vec::new();
    for entry in list {
        let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty());
        let (Some(name), Some(image)) = (text("name"), text("imageUri")) else {
            return Err(format!("{entry} has no `name` with an `imageUri`"));
        };
        if entry.as_object().is_none_or(|entry| entry.len() != 2) {
            return Err(format!("{entry} has other keys than `name` and `imageUri`"));
        }
        if images.iter().any(|(other, _)| other == name) {
            return Err(format!("`{name}` is there twice"));
        }
        images.push((name.to_owned(), image.to_owned()));
    }
    Ok(Images(images))
}

#[cfg(test)]
mod tests;
