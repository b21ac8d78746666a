//! Looks a name up, source by source, and fills the texts that it is made from.

use std::cell::Cell;
use std::path::Path;

use super::{OF_ONE_IMAGE, SHORT_COMMIT, Scope, is_content};
use crate::config::Text;
use crate::expression::{EvaluationError, NameError, Names};
use crate::tag::{Commit, short};
use crate::value::Value;

/// Names whose texts may be filled inside one another.
const DEEPEST: usize = 100;

/// Texts that may be filled for one name; a name that needs more is a knot, not a name.
pub(super) const MOST_TEXTS: u32 = 10_000;

/// The scope as it is seen from inside a name whose text is being filled.
pub(super) struct Frame<'a> {
    pub(super) scope: &'a Scope,
    /// How many more texts may be filled for the name that was asked for.
    pub(super) budget: &'a Cell<u32>,
    pub(super) inside: Option<(Key<'a>, &'a Frame<'a>)>,
}

/// A name whose text is being filled, and where that text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a> {
    layer: Layer,
    name: &'a str,
}

/// Sources that are texts, from the one that wins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Local,
    File,
    Made,
}

impl Names for Frame<'_> {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        let scope = self.scope;
        if let Some(name) = reference.strip_prefix("arn(").and_then(|name| name.strip_suffix(')')) {
            return self.arn(reference, name);
        }
        let name = reference.split('.').next().unwrap_or(reference);
        if let Some(value) = scope.given.get(name).or_else(|| scope.matrix.get(name)) {
            return Ok(value.clone());
        }
        // Inside a text its own name means the next source down.
        let own = self.inside.map(|(key, _)| key);
        for (layer, texts) in [(Layer::Local, &scope.local), (Layer::File, &*scope.variables)] {
            let is_own = own.is_some_and(|own| own.name == name && own.layer >= layer);
            if let Some((name, text)) = texts.get_key_value(name)
                && !is_own
            {
                let key = Key { layer, name };
                return self.fill(key, text).map_err(|error| inside(name, error));
            }
        }
        match scope.parameters.get(name) {
            Some(Some(value)) => return Ok(value.clone()),
            Some(None) => {
                let stage = "the parameters are fetched";
                return Err(NameError::Later { name: name.into(), stage });
            }
            None => {}
        }
        let is_own_tag = own.is_some_and(|own| own.name == name && own.layer == Layer::Made);
        let made = if is_own_tag { Ok(None) } else { self.tool_made(reference) };
        let never = match made {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error @ NameError::Never { .. }) => Some(error),
            Err(error) => return Err(error),
        };
        let value = scope.environment.get(name).cloned();
        value.ok_or_else(|| never.unwrap_or_else(|| NameError::Unset(name.into())))
    }

    fn known(&self) -> Vec<String> {
        self.scope.known()
    }

    fn folder(&self) -> Option<&Path> {
        self.scope.folder()
    }
}

/// A name that shipspec makes from a text of `tag:`.
fn made(name: &'static str) -> Key<'static> {
    Key { layer: Layer::Made, name }
}

fn inside(name: &str, error: EvaluationError) -> NameError {
    match error {
        EvaluationError::Name(error @ (NameError::Cycle(_) | NameError::Later { .. })) => error,
        inner => NameError::Inside { name: name.into(), inner: Box::new(inner) },
    }
}

impl Frame<'_> {
    fn fill(&self, key: Key<'_>, text: &Text) -> Result<Value, EvaluationError> {
        let open = self.open_keys();
        if let Some(start) = open.iter().position(|open| *open == key) {
            let names = open[start..].iter().chain([&key]).map(|key| key.name.to_owned());
            return Err(NameError::Cycle(names.collect()).into());
        }
        let left = self.budget.get();
        if open.len() >= DEEPEST || left == 0 {
            let reason = "it is made from too many other names".into();
            return Err(NameError::Never { name: key.name.into(), reason }.into());
        }
        self.budget.set(left - 1);
        text.value(&Frame { scope: self.scope, budget: self.budget, inside: Some((key, self)) })
    }

    /// The names whose texts are being filled, the outermost first.
    fn open_keys(&self) -> Vec<Key<'_>> {
        let mut keys = Vec::new();
        let mut frame = self;
        while let Some((key, outer)) = frame.inside {
            keys.push(key);
            frame = outer;
        }
        keys.reverse();
        keys
    }

    /// The value of a name that shipspec makes itself; `None` if it makes none of that name.
    pub(super) fn tool_made(&self, reference: &str) -> Result<Option<Value>, NameError> {
        let name = reference.split('.').next().unwrap_or(reference);
        match name {
            "COMMIT" => self.commit(name).map(|commit| Some(Value::tool_made(commit.as_str()))),
            "COMMIT_HASH" => self.commit_hash().map(Some),
            "IMAGE_TAG" => self.run_tag().map(Some),
            "images" => self.images(reference).map(Some),
            _ if OF_ONE_IMAGE.contains(&name) => self.of_one_image(name),
            _ => Ok(None),
        }
    }

    /// The ARN of a parameter.
    fn arn(&self, reference: &str, name: &str) -> Result<Value, NameError> {
        let never = |reason: String| NameError::Never { name: reference.to_owned(), reason };
        match self.scope.arns.get(name) {
            Some(Ok(arn)) => Ok(Value::tool_made(&**arn)),
            Some(Err(reason)) => Err(never(reason.clone())),
            None if self.scope.parameters.contains_key(name.split('.').next().unwrap_or(name)) => {
                Err(NameError::Later {
                    name: reference.to_owned(),
                    stage: "the parameters are fetched",
                })
            }
            None => Err(never(format!("no parameter has the name `{name}`"))),
        }
    }

    fn commit(&self, name: &str) -> Result<&Commit, NameError> {
        let reason =
            |reason: &String| NameError::Never { name: name.into(), reason: reason.clone() };
        self.scope.commit.get().map_err(reason)
    }

    fn commit_hash(&self) -> Result<Value, NameError> {
        let is_made_from_it =
            |entry: &&Text| self.scope.names(entry.references()).contains("COMMIT");
        for entry in self.scope.tag.iter().filter(is_made_from_it) {
            match self.fill(made("COMMIT_HASH"), entry) {
                Ok(value) => return Ok(value.into_tool_made()),
                // The next entry is tried, as for the run's tag.
                Err(EvaluationError::Name(NameError::Unset(_) | NameError::Never { .. })) => {}
                Err(error) => return Err(inside("tag", error)),
            }
        }
        self.short_commit("COMMIT_HASH")
    }

    /// The first digits of what `COMMIT` stands for, whoever says so.
    fn short_commit(&self, name: &str) -> Result<Value, NameError> {
        let commit = self.resolve("COMMIT").map_err(|error| match error {
            NameError::Never { reason, .. } => NameError::Never { name: name.into(), reason },
            error => error,
        })?;
        let text = commit.text().unwrap_or_default();
        Ok(Value::made_from(short(&text, SHORT_COMMIT).into(), [&commit]).into_tool_made())
    }

    /// The first entry of `tag:` that has a value and is not empty.
    fn run_tag(&self) -> Result<Value, NameError> {
        let never = |reason: String| NameError::Never { name: "IMAGE_TAG".into(), reason };
        if self.scope.tag.is_empty() {
            return self.short_commit("IMAGE_TAG");
        }
        for entry in &self.scope.tag {
            if is_content(entry) {
                return self.scope.content("IMAGE_TAG").map(Value::tool_made);
            }
            match self.fill(made("IMAGE_TAG"), entry) {
                Ok(value) => match value.text() {
                    Some(text) if !text.is_empty() => {
                        return Ok(Value::made_from(text.into(), [&value]).into_tool_made());
                    }
                    _ => {}
                },
                Err(EvaluationError::Name(NameError::Unset(_) | NameError::Never { .. })) => {}
                Err(error) => return Err(inside("tag", error)),
            }
        }
        Err(never("no entry of `tag:` has one".into()))
    }

    fn images(&self, reference: &str) -> Result<Value, NameError> {
        let mut parts = reference.split('.').skip(1);
        let asked = (parts.next(), parts.next());
        let mut all = serde_json::Map::new();
        for (name, known) in &self.scope.images {
            let is_asked = asked.0 == Some(name);
            let Some(known) = known else {
                if is_asked {
                    let stage = "the images are planned";
                    return Err(NameError::Later { name: reference.into(), stage });
                }
                continue;
            };
            if is_asked && matches!(asked.1, Some("digest" | "pinned")) {
                known.digest(reference)?;
            }
            let tag = self.scope.require_tag(name, known, reference);
            if is_asked && matches!(asked.1, None | Some("uri" | "tag")) {
                tag.clone()?;
            }
            all.insert(name.clone(), known.values(tag.is_ok()));
        }
        Ok(Value::tool_made(all))
    }

    fn of_one_image(&self, name: &str) -> Result<Option<Value>, NameError> {
        let mut images = self.scope.built_images();
        let (Some((own, image)), None) = (images.next(), images.next()) else { return Ok(None) };
        let Some(image) = image else {
            // Where the image goes is still being found out, maybe by the very name.
            if self.scope.environment.contains_key(name) {
                return Ok(None);
            }
            let stage = "the images are planned";
            return Err(NameError::Later { name: name.into(), stage });
        };
        let text = match name {
            "IMAGE_DIGEST" => image.digest(name)?.to_string(),
            "REPOSITORY_URI" => image.repository.to_string(),
            "IMAGE_LATEST" => format!("{}:latest", image.repository),
            _ => {
                self.scope.require_tag(own, image, name)?;
                image.uri()
            }
        };
        Ok(Some(Value::tool_made(text)))
    }
}
