//! The action `CloudFormation`: which parameters a stack gets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::action::{Configuration, artifact, count, too_large};
use super::{Artifact, Refusal};

/// Of each input artifact's zip: 256 MB.
const LARGEST_ARTIFACT: usize = 256 * 1024 * 1024;

/// Of `ParameterOverrides`, in bytes; its characters are limited as every value's.
const LARGEST_OVERRIDES: usize = 1024;

const REQUIRED: [&str; 3] = ["ActionMode", "StackName", "TemplatePath"];

const OPTIONAL: [&str; 5] =
    ["ParameterOverrides", "TemplateConfiguration", "ChangeSetName", "RoleArn", "Capabilities"];

/// What the action hands to CloudFormation.
#[derive(Debug)]
pub struct StackUpdate {
    /// The template's text.
    pub template: String,
    /// Every parameter of the template with its value.
    pub parameters: BTreeMap<String, String>,
}

/// A template, as far as its parameters go.
#[derive(Deserialize)]
struct Template {
    #[serde(rename = "Parameters", default)]
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "Default")]
    default: Option<Value>,
}

/// Reads the template and resolves its parameters: from `ParameterOverrides`, else from the template
/// configuration, else its default.
///
/// # Errors
///
/// What the action or CloudFormation would refuse: a parameter that the template does not have, one
/// without a value, a file, key or artifact that is not there, a text that is too long.
pub fn cloud_formation(
    artifacts: &[Artifact],
    configuration: &Value,
) -> Result<StackUpdate, Refusal> {
    let configuration = Configuration::new(configuration, &REQUIRED, &OPTIONAL)?;
    count(artifacts, 0, 10)?;
    let template = text_at(artifacts, configuration.required("TemplatePath"))?;
    let known: Template = serde_saphyr::from_str(&template)
        .map_err(|error| Refusal::Parameters(format!("the template: {error}")))?;
    let mut given = BTreeMap::new();
    if let Some(place) = configuration.get("TemplateConfiguration") {
        let file = json_object(&text_at(artifacts, place)?, place)?;
        for (name, value) in file.get("Parameters").and_then(Value::as_object).into_iter().flatten()
        {
            given.insert(name.clone(), text_of(name, value)?);
        }
    }
    for (name, value) in overrides(&configuration)? {
        let value = resolve(artifacts, &name, &value)?;
        given.insert(name, value);
    }
    let parameters = assign(&known, given)?;
    Ok(StackUpdate { template, parameters })
}

fn overrides(configuration: &Configuration<'_>) -> Result<Map<String, Value>, Refusal> {
    let text = configuration.or("ParameterOverrides", "{}");
    if text.len() > LARGEST_OVERRIDES {
        let why =
            format!("`ParameterOverrides` has {} bytes; {LARGEST_OVERRIDES} are taken", text.len());
        return Err(Refusal::Configuration(why));
    }
    json_object(text, "ParameterOverrides")
}

/// A text as it stands, or what `Fn::GetParam` finds.
fn resolve(artifacts: &[Artifact], name: &str, value: &Value) -> Result<String, Refusal> {
    let Some(function) = value.as_object() else { return text_of(name, value) };
    let arguments = function.get("Fn::GetParam").filter(|_| function.len() == 1);
    let arguments = arguments.and_then(Value::as_array).map(Vec::as_slice);
    let Some([Value::String(artifact), Value::String(file), Value::String(key)]) = arguments else {
        let why = format!("`{name}`: {value} is no `Fn::GetParam` of artifact, file and key");
        return Err(Refusal::Parameters(why));
    };
    let place = format!("{artifact}::{file}");
    let object = json_object(&text_at(artifacts, &place)?, &place)?;
    match object.get(key) {
        Some(value) => text_of(&format!("{place}::{key}"), value),
        None => Err(Refusal::Parameters(format!("`{name}`: `{place}` has no key `{key}`"))),
    }
}

/// Every parameter of the template gets its value, and there are no others.
fn assign(
    template: &Template,
    mut given: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let names = template.parameters.keys();
    if let Some(name) = given.keys().find(|name| !template.parameters.contains_key(*name)) {
        let known = names.cloned().collect::<Vec<_>>().join(", ");
        let why = format!("the template has no parameter `{name}`, only: {known}");
        return Err(Refusal::Parameters(why));
    }
    for (name, parameter) in &template.parameters {
        match (&parameter.default, given.contains_key(name)) {
            (_, true) => {}
            (Some(default), false) => {
                given.insert(name.clone(), scalar(default));
            }
            (None, false) => {
                return Err(Refusal::Parameters(format!("Parameters: [{name}] must have values")));
            }
        }
    }
    Ok(given)
}

/// A file in an artifact, `<artifact>::<file>`.
fn text_at(artifacts: &[Artifact], place: &str) -> Result<String, Refusal> {
    let Some((name, path)) = place.split_once("::") else {
        return Err(Refusal::Configuration(format!("`{place}` is no `<artifact>::<file>`")));
    };
    let artifact = artifact(artifacts, name)?;
    if let Some(why) = too_large(artifact, LARGEST_ARTIFACT) {
        return Err(Refusal::Configuration(format!("`{name}`: {why}")));
    }
    let bytes = artifact.read(path);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Refusal::Configuration(format!("`{name}` has no text `{path}`")))
}

fn json_object(text: &str, what: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(text)
        .map_err(|error| Refusal::Parameters(format!("`{what}` is no JSON object: {error}")))
}

fn text_of(name: &str, value: &Value) -> Result<String, Refusal> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Refusal::Parameters(format!("`{name}` is {value}, which is no text")))
}

/// A default may be written as a number.
fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
