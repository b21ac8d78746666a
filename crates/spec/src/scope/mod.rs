//! What every name stands for, and from when on.
//!
//! Sources, the first that has the name wins: `--set` and `--values`, an artifact's `matrix:` and its
//! own `variables:`, `variables:`, `parameters:`, names that shipspec makes itself, the process
//! environment.

mod commit;
mod content;
mod image;
mod resolve;
mod secrets;
mod steady;

pub use commit::CommitSource;
pub use content::{content_stand_in, is_content};
pub use image::{DigestState, ImageNames};
pub use secrets::{KnownSecret, sounds_secret};

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::config::{Base, Config, Text};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{NameError, Names};
use crate::image::Digest;
use crate::source::Span;
use crate::value::Value;
use resolve::Frame;

/// Digits of a commit in the run's tag where shipspec.yml says nothing else.
const SHORT_COMMIT: usize = 7;

/// Names whose text makes a tag that belongs to one source version, and does not move.
const STEADY: [&str; 3] = ["COMMIT", "COMMIT_HASH", "IMAGE_TAG"];

/// Of these bytes is the digest that stands for one which the push will tell.
pub const STAND_IN: u8 = 0;

/// As [`STAND_IN`], for a digest that the registry of an image of others has not been asked for.
pub const FOREIGN_STAND_IN: u8 = 1;

/// Names that are made for a run that builds exactly one image.
const OF_ONE_IMAGE: [&str; 5] =
    ["IMAGE_URI", "IMAGE_DIGEST", "REPOSITORY_URI", "IMAGE_CURRENT", "IMAGE_LATEST"];

/// What names stand for, as far as the run has come.
#[derive(Debug, Clone)]
pub struct Scope {
    folder: PathBuf,
    /// Files that values were read from.
    files: Arc<Vec<PathBuf>>,
    given: Arc<BTreeMap<String, Value>>,
    matrix: BTreeMap<String, Value>,
    local: IndexMap<String, Text>,
    tag: Vec<Text>,
    variables: Arc<IndexMap<String, Text>>,
    parameters: Arc<BTreeMap<String, Option<Value>>>,
    arns: Arc<BTreeMap<String, Result<String, String>>>,
    bases: Arc<BTreeMap<Base, Json>>,
    commit: CommitSource,
    images: IndexMap<String, Option<ImageNames>>,
    /// Those among them that others build.
    foreign: Arc<BTreeSet<String>>,
    /// The tags that are made from the keys of images, as far as these have one.
    contents: Arc<BTreeMap<String, String>>,
    /// What stands for others.
    unkeyed: content::Unkeyed,
    /// The image that texts are about, if it is one.
    subject: Option<String>,
    /// The image whose key is made from texts.
    making: Option<String>,
    environment: Arc<BTreeMap<String, Value>>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `--set` or `--values`.
    Given,
    /// The artifact's place in its matrix.
    Matrix,
    /// `variables:` of shipspec.yml, at this place.
    Variable(Span),
    /// `parameters:` of shipspec.yml.
    Parameter,
    /// shipspec made it.
    ToolMade,
    /// The process environment.
    Environment,
}

/// What texts need to know of images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageNeeds {
    /// At least where they are.
    pub names: bool,
    /// The images whose digest must be known.
    pub digests: BTreeSet<String>,
}

impl Scope {
    /// What is known before anything was asked or done.
    #[must_use]
    pub fn new(
        config: &Config,
        environment: BTreeMap<String, String>,
        commit: impl Into<CommitSource>,
    ) -> Self {
        let parameters = config.parameters.keys().map(|name| (name.clone(), None));
        let environment = environment.into_iter().map(|(name, text)| (name, Value::plain(text)));
        Self {
            folder: PathBuf::new(),
            files: Arc::default(),
            given: Arc::default(),
            matrix: BTreeMap::new(),
            local: IndexMap::new(),
            tag: config.tag.clone(),
            variables: Arc::new(config.variables.clone()),
            parameters: Arc::new(parameters.collect()),
            arns: Arc::default(),
            bases: Arc::default(),
            commit: commit.into(),
            images: config
                .images
                .keys()
                .chain(config.foreign.keys())
                .map(|name| (name.clone(), None))
                .collect(),
            foreign: Arc::new(config.foreign.keys().cloned().collect()),
            contents: Arc::default(),
            unkeyed: content::Unkeyed::default(),
            subject: None,
            making: None,
            environment: Arc::new(environment.collect()),
        }
    }

    /// The same scope, in which `--set` and `--values` win over everything, and expressions may read
    /// the files of `folder`.
    #[must_use]
    pub fn with_given(mut self, given: BTreeMap<String, Value>, folder: PathBuf) -> Self {
        self.given = Arc::new(given);
        self.folder = folder;
        self
    }

    /// The same scope, whose values were read from these files.
    #[must_use]
    pub fn with_files(mut self, files: Vec<PathBuf>) -> Self {
        self.files = Arc::new(files);
        self
    }

    /// Files that values were read from.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The scope of one artifact: its place in the matrix, and its own variables.
    #[must_use]
    pub fn of_artifact(
        &self,
        matrix: BTreeMap<String, Value>,
        variables: &IndexMap<String, Text>,
    ) -> Self {
        Self { matrix, local: variables.clone(), ..self.clone() }
    }

    /// Variables that need themselves, each told once, with its place.
    #[must_use]
    pub fn cycles(&self) -> Diagnostics {
        let mut found = Diagnostics::default();
        let mut told = BTreeSet::new();
        for (name, text) in &*self.variables {
            let Err(NameError::Cycle(cycle)) = self.resolve(name) else { continue };
            if told.insert(BTreeSet::from_iter(cycle.clone())) {
                let error = NameError::Cycle(cycle);
                found.push(Diagnostic::at(text.span().clone(), error.to_string()));
            }
        }
        found
    }

    /// The parameters whose values nobody was asked for yet.
    pub fn unfetched(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| &**name)
    }

    /// One of these references leads to a parameter whose value nobody was asked for yet.
    #[must_use]
    pub fn lacks_parameter(&self, references: BTreeSet<String>) -> bool {
        let names = self.closure(references);
        let mut roots = names.iter().map(|name| name.split('.').next().unwrap_or(name));
        roots.any(|root| matches!(self.parameters.get(root), Some(None)))
    }

    /// Takes the values of parameters, by the names that shipspec.yml gives them.
    pub fn set_parameters(&mut self, values: BTreeMap<String, Value>) {
        let parameters = Arc::make_mut(&mut self.parameters);
        parameters.extend(values.into_iter().map(|(name, value)| (name, Some(value))));
    }

    /// Takes the ARNs of parameters, or why one has none, by the names that shipspec.yml gives them.
    pub fn set_arns(&mut self, arns: BTreeMap<String, Result<String, String>>) {
        self.arns = Arc::new(arns);
    }

    /// Takes the task definitions that artifacts begin from.
    pub fn set_bases(&mut self, bases: BTreeMap<Base, Json>) {
        self.bases = Arc::new(bases);
    }

    /// A task definition that artifacts begin from; nothing if ECS was not asked for it.
    #[must_use]
    pub fn base(&self, base: &Base) -> Option<&Json> {
        self.bases.get(base)
    }

    /// Takes what is known of an image.
    pub fn set_image(&mut self, name: &str, known: ImageNames) {
        self.images.insert(name.to_owned(), Some(known));
    }

    /// What is known of an image.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&ImageNames> {
        self.images.get(name)?.as_ref()
    }

    /// The image is one that others build.
    #[must_use]
    pub fn is_foreign(&self, name: &str) -> bool {
        self.foreign.contains(name)
    }

    /// The images that are built here.
    fn built_names(&self) -> impl Iterator<Item = String> {
        self.images.keys().filter(|name| !self.is_foreign(name)).cloned()
    }

    /// What is known of the images that are built here.
    fn built_images(&self) -> impl Iterator<Item = (&String, &Option<ImageNames>)> {
        self.images.iter().filter(|(name, _)| !self.is_foreign(name))
    }

    /// The same scope with [`STAND_IN`] or [`FOREIGN_STAND_IN`] where a registry has still to tell a digest:
    /// and for tags that are made from keys: for looking whether everything has a value, before anything is built.
    #[must_use]
    pub fn with_stand_ins(&self) -> Self {
        let mut scope = self.with_content_stand_ins();
        for known in scope.images.values_mut().flatten() {
            if known.digest == DigestState::Later {
                let byte = if known.written.is_some() { FOREIGN_STAND_IN } else { STAND_IN };
                known.digest = DigestState::Known(Digest::from_sha256([byte; 32]));
            }
        }
        scope
    }

    /// The images that `references` name in any way.
    #[must_use]
    pub fn images_of(&self, references: BTreeSet<String>) -> BTreeSet<String> {
        let mut images = BTreeSet::new();
        for name in self.closure(references) {
            let mut parts = name.split('.');
            match (parts.next().unwrap_or_default(), parts.next()) {
                ("images", Some(image)) => drop(images.insert(image.to_owned())),
                ("images", None) => images.extend(self.images.keys().cloned()),
                (name, _) if self.names_one_image(name) => images.extend(self.built_names()),
                _ => {}
            }
        }
        images
    }

    /// The tag is made from the source version, so that it names one image for good; any other tag
    /// is moving.
    #[must_use]
    pub fn is_steady(&self, tag: &Text) -> bool {
        is_content(tag)
            || self.closure(tag.references()).iter().any(|name| STEADY.contains(&&**name))
    }

    /// What `references` need to know of images.
    #[must_use]
    pub fn image_needs(&self, references: BTreeSet<String>) -> ImageNeeds {
        let mut needs = ImageNeeds::default();
        for name in self.closure(references) {
            let mut parts = name.split('.');
            let asked = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            needs.names |= asked.0 == "images" || self.names_one_image(asked.0);
            match asked {
                ("images", Some(image), None | Some("digest" | "pinned")) => {
                    needs.digests.insert(image.to_owned());
                }
                ("images", None, _) => needs.digests.extend(self.images.keys().cloned()),
                ("IMAGE_DIGEST", ..) if self.names_one_image("IMAGE_DIGEST") => {
                    needs.digests.extend(self.built_names());
                }
                _ => {}
            }
        }
        needs
    }

    /// The name is made for the only image, and nobody else has one of that name.
    fn names_one_image(&self, name: &str) -> bool {
        OF_ONE_IMAGE.contains(&name)
            && self.built_images().count() == 1
            && !self.given.contains_key(name)
            && !self.local.contains_key(name)
            && !self.variables.contains_key(name)
            && !self.parameters.contains_key(name)
    }

    /// The names, and all that the texts of variables among them name in their turn. What is left
    /// are names of other sources, except that a variable may stand for itself.
    fn closure(&self, references: BTreeSet<String>) -> BTreeSet<String> {
        let (mut seen, mut open) = (BTreeSet::new(), Vec::from_iter(references));
        while let Some(name) = open.pop() {
            let root = name.split('.').next().unwrap_or(&name);
            let text = self.local.get(root).or_else(|| self.variables.get(root));
            if seen.insert(name.clone()) {
                open.extend(text.into_iter().flat_map(Text::references));
            }
        }
        seen
    }

    /// Every source that has a value for a name, the one that wins first.
    #[must_use]
    pub fn origins(&self, name: &str) -> Vec<Origin> {
        let budget = Cell::new(resolve::MOST_TEXTS);
        let frame = Frame { scope: self, budget: &budget, inside: None };
        let is_made = matches!(frame.tool_made(name), Ok(Some(_)) | Err(NameError::Later { .. }));
        let variable = |texts: &IndexMap<String, Text>| {
            texts.get(name).map(|text| Origin::Variable(text.span().clone()))
        };
        let origins = [
            self.given.contains_key(name).then_some(Origin::Given),
            self.matrix.contains_key(name).then_some(Origin::Matrix),
            variable(&self.local),
            variable(&self.variables),
            self.parameters.contains_key(name).then_some(Origin::Parameter),
            is_made.then_some(Origin::ToolMade),
            self.environment.contains_key(name).then_some(Origin::Environment),
        ];
        origins.into_iter().flatten().collect()
    }

    /// Every name that `references` lead to, those inside of variables included.
    #[must_use]
    pub fn names(&self, references: BTreeSet<String>) -> BTreeSet<String> {
        self.closure(references)
    }

    /// Names of the environment that shipspec makes itself, with another value: its own is used.
    #[must_use]
    pub fn overruled(&self) -> Vec<String> {
        let made = STEADY.iter().chain(&OF_ONE_IMAGE).map(|name| (*name).to_owned());
        let differs = |name: &String| {
            let Some(other) = self.environment.get(name).and_then(Value::text) else {
                return false;
            };
            let budget = Cell::new(resolve::MOST_TEXTS);
            let frame = Frame { scope: self, budget: &budget, inside: None };
            let value = frame.tool_made(name).ok().flatten().and_then(|value| value.text());
            value.is_some_and(|value| other != value)
        };
        made.filter(differs).collect()
    }
}

impl Names for Scope {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        let budget = Cell::new(resolve::MOST_TEXTS);
        Frame { scope: self, budget: &budget, inside: None }.resolve(reference)
    }

    fn known(&self) -> Vec<String> {
        let given = self.given.keys().chain(self.matrix.keys()).chain(self.local.keys());
        let keys = given.chain(self.variables.keys()).chain(self.parameters.keys());
        let keys = keys.chain(self.environment.keys()).cloned();
        let made = STEADY.iter().chain(&OF_ONE_IMAGE).map(|name| (*name).to_owned());
        let names: BTreeSet<_> = keys.chain(made).chain(["images".to_owned()]).collect();
        names.into_iter().filter(|name| self.resolve(name).is_ok()).collect()
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.folder)
    }
}

#[cfg(test)]
mod tests;
