//! What all actions have in common: their configuration, and the artifacts that they are given.

use serde_json::{Map, Value};

use super::{Artifact, Refusal};

/// Characters of a configuration's value, as it is written.
const LONGEST_VALUE: usize = 1000;

/// An action's configuration: texts by name.
pub(super) struct Configuration<'a> {
    values: &'a Map<String, Value>,
}

impl<'a> Configuration<'a> {
    /// The configuration, if it has only keys that are known and every one that is required.
    pub(super) fn new(
        configuration: &'a Value,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self, Refusal> {
        let Some(values) = configuration.as_object() else {
            return Err(Refusal::Configuration("it is no object".to_owned()));
        };
        for (key, value) in values {
            if !required.contains(&key.as_str()) && !optional.contains(&key.as_str()) {
                return Err(Refusal::Configuration(format!("unknown key `{key}`")));
            }
            let Some(text) = value.as_str() else {
                return Err(Refusal::Configuration(format!("`{key}` is no text")));
            };
            let length = text.chars().count();
            if length == 0 || length > LONGEST_VALUE {
                let why =
                    format!("`{key}` has {length} characters; 1 to {LONGEST_VALUE} are taken");
                return Err(Refusal::Configuration(why));
            }
        }
        match required.iter().find(|key| !values.contains_key(**key)) {
            Some(key) => Err(Refusal::Configuration(format!("`{key}` is missing"))),
            None => Ok(Self { values }),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.values.get(key)?.as_str()
    }

    pub(super) fn or<'d>(&self, key: &str, default: &'d str) -> &'d str
    where
        'a: 'd,
    {
        self.get(key).unwrap_or(default)
    }

    /// The value of a key that was required.
    pub(super) fn required(&self, key: &str) -> &'a str {
        self.get(key).unwrap_or_default()
    }
}

/// The artifact of this name among those that the action is given.
pub(super) fn artifact<'a>(artifacts: &'a [Artifact], name: &str) -> Result<&'a Artifact, Refusal> {
    let found = artifacts.iter().find(|artifact| artifact.name() == name);
    found.ok_or_else(|| {
        Refusal::Configuration(format!("`{name}` is no input artifact of the action"))
    })
}

/// Between the first number and the last, artifacts are given.
pub(super) fn count(artifacts: &[Artifact], least: usize, most: usize) -> Result<(), Refusal> {
    if (least..=most).contains(&artifacts.len()) {
        return Ok(());
    }
    let given = artifacts.len();
    Err(Refusal::Configuration(format!("{given} input artifacts; {least} to {most} are taken")))
}

/// The names of the artifacts that are larger than the action takes.
pub(super) fn too_large(artifact: &Artifact, limit: usize) -> Option<String> {
    let size = artifact.zip().len();
    (size > limit).then(|| format!("it has {size} bytes; {limit} are taken"))
}
