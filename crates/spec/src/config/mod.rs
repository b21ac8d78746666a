//! shipspec.yml: what it may say, and what it says.

mod artifact;
mod base;
mod check;
mod foreign;
mod image;
mod options;
mod parameter;
mod place;
mod promotion;
mod publish;
mod raw;
mod repository;
mod reuse;
mod service;
mod shapes;
mod sign_in;
mod test;
mod text;
mod tree;

pub use artifact::{
    AppSpecConfig, ArtifactConfig, ArtifactContent, CapacityProviderConfig, CloudFormationConfig,
    ContainerChange, ContainerEditConfig, DotenvConfig, LogConfig, Quotes, TaskDefinitionEdits,
    TaskNetworkConfig, TemplateConfig, TemplateDialect, WholeNumber,
};
pub use base::{Base, BaseConfig};
pub use check::CheckConfig;
pub use foreign::ForeignImage;
pub use image::ImageConfig;
pub use options::{BuildOptionsConfig, CacheTo, Network, NoCache};
pub use parameter::{ParameterConfig, ParameterKind};
pub use place::{PlaceConfig, RoleConfig};
pub use promotion::PromotionConfig;
pub use publish::PublishConfig;
pub use repository::{Encryption, RepositoryConfig};
pub use reuse::ReuseConfig;
pub use service::{Service, ServiceConfig};
pub use sign_in::SignInConfig;
pub use test::TestConfig;
pub use text::{Text, describe};
pub use tree::Tree;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Node;
use crate::image::Registry;
use crate::schema;
use crate::source::{Source, Span};
use artifact::ArtifactReader;
use promotion::PromotionReader;
use raw::{RawConfig, RawReference};
use text::{keep, named_texts, texts};

/// What is to be done, as shipspec.yml or flags say it. Texts are read, but not yet filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The name of the pipeline.
    pub name: Option<Text>,
    /// Entries of the run's tag, in the order in which they are tried; empty for the default.
    pub tag: Vec<Text>,
    /// What generated artifacts name an image by.
    pub reference: ReferenceForm,
    /// The parameters, by the names that they get.
    pub parameters: IndexMap<String, ParameterConfig>,
    /// The user's own names.
    pub variables: IndexMap<String, Text>,
    /// The images to build, by name.
    pub images: IndexMap<String, ImageConfig>,
    /// The images that others build, by name: none of those above.
    pub foreign: IndexMap<String, ForeignImage>,
    /// The artifacts to write.
    pub artifacts: Vec<ArtifactConfig>,
    /// Findings of `check` that are not told.
    pub check: CheckConfig,
    /// The service that a deployment changes.
    pub service: Option<ServiceConfig>,
    /// Where images are copied to, by the names of these places.
    pub promote: IndexMap<String, PromotionConfig>,
    /// Who speaks to registries that are none of ECR's.
    pub registries: IndexMap<Registry, SignInConfig>,
}

/// How generated artifacts name an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReferenceForm {
    /// `registry/repository:tag`
    #[default]
    Tag,
    /// `registry/repository@sha256:…`
    Digest,
}

impl From<RawReference> for ReferenceForm {
    fn from(raw: RawReference) -> Self {
        match raw {
            RawReference::Tag => Self::Tag,
            RawReference::Digest => Self::Digest,
        }
    }
}

impl Config {
    /// Every name that anything but a template could ask for.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        let texts = self.images.values().flat_map(ImageConfig::texts);
        let texts = texts
            .chain(self.foreign.values().flat_map(ForeignImage::texts))
            .chain(&self.tag)
            .chain(&self.name)
            .chain(self.parameters.values().flat_map(ParameterConfig::texts));
        texts
            .chain(self.artifacts.iter().flat_map(ArtifactConfig::outer_texts))
            .chain(self.service.iter().flat_map(ServiceConfig::texts))
            .chain(self.promote.values().flat_map(PromotionConfig::texts))
            .chain(self.registries.values().flat_map(SignInConfig::texts))
            .flat_map(Text::references)
            .collect()
    }

    /// Every service that the file names.
    pub fn services(&self) -> impl Iterator<Item = &ServiceConfig> {
        self.service.iter().chain(self.artifacts.iter().filter_map(|it| it.service.as_ref()))
    }

    /// Reads shipspec.yml.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in it, as far as it can be told without any value.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let root = Node::parse(source)?;
        schema::validate(&root, &Self::schema(), source).or(())?;
        let raw: RawConfig = serde_saphyr::from_str(&source.text).map_err(|error| {
            let location = error.location();
            let offset = location.and_then(|location| location.span().byte_offset()).unwrap_or(0);
            let offset = usize::try_from(offset).unwrap_or(0);
            let error = error.without_snippet();
            let message = match error {
                serde_saphyr::Error::MultipleDocuments { .. } => {
                    "a second YAML document begins here, and shipspec.yml is one".to_owned()
                }
                error => error.to_string().lines().next().unwrap_or_default().to_owned(),
            };
            Diagnostic::at(Span::new(source, offset..offset), message)
        })?;
        Self::from_raw(&raw, &root, source)
    }

    /// The JSON schema of shipspec.yml, for editors; its descriptions are the reference.
    #[must_use]
    pub fn schema() -> Json {
        let mut schema = schemars::schema_for!(RawConfig).to_value();
        refuse_nulls(&mut schema);
        schema
    }

    fn from_raw(raw: &RawConfig, root: &Node, source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::default();
        let (mut images, mut foreign) = (IndexMap::new(), IndexMap::new());
        for (name, image) in &raw.images {
            if let Some(reference) = &image.reference {
                let map = root.at(&["images", name]).map(|(_, map)| map);
                let read = ForeignImage::from_raw(image, reference, map, source, &mut found);
                foreign.extend(read.map(|read| (name.clone(), read)));
            } else {
                let read = ImageConfig::from_raw(image, source, &mut found);
                images.extend(read.map(|read| (name.clone(), read)));
            }
        }
        let mut parameters = IndexMap::new();
        for (name, parameter) in &raw.parameters {
            if let Some(parameter) = ParameterConfig::from_raw(parameter, source, &mut found) {
                parameters.insert(name.clone(), parameter);
            }
        }
        let names: Vec<_> = raw.images.keys().map(String::as_str).collect();
        let parameter_names: Vec<_> = raw.parameters.keys().map(String::as_str).collect();
        let mut artifacts = Vec::new();
        let keys: HashMap<_, _> = root
            .at(&["artifacts"])
            .into_iter()
            .flat_map(|(_, artifacts)| artifacts.entries())
            .filter_map(|(key, value)| Some((key.text()?, (&key.range, value))))
            .collect();
        for (path, artifact) in &raw.artifacts {
            let (key, node) = keys.get(&**path).copied().unzip();
            let key = Span::new(source, key.cloned().unwrap_or(0..0));
            let path = keep(Text::at_key(path, key.clone()), &mut found);
            let (images, parameters) = (&*names, &*parameter_names);
            let read = ArtifactReader { source, images, parameters, key, node, found: &mut found };
            artifacts.extend(path.and_then(|path| read.read(path, artifact)));
        }
        let (elsewhere, built): (Vec<_>, Vec<_>) =
            names.iter().partition(|name| raw.images[**name].reference.is_some());
        let mut promote = IndexMap::new();
        for (name, promotion) in &raw.promote {
            let keys = root.at(&["promote", name]);
            let (images, foreign) = (&*built, &*elsewhere);
            let read = PromotionReader { source, images, foreign, keys, found: &mut found };
            promote.insert(name.clone(), read.read(promotion));
        }
        let config = Self {
            name: raw.name.as_ref().and_then(|name| keep(Text::from_raw(name, source), &mut found)),
            tag: raw
                .tag
                .as_ref()
                .map(|tag| texts(tag.texts(), source, &mut found))
                .unwrap_or_default(),
            reference: raw.reference.into(),
            parameters,
            variables: named_texts(&raw.variables, source, &mut found),
            images,
            foreign,
            artifacts,
            check: CheckConfig::from_raw(&raw.check, source),
            service: raw
                .service
                .as_ref()
                .and_then(|service| ServiceConfig::from_raw(service, source, &mut found)),
            promote,
            registries: sign_in::sign_ins(&raw.registries, root, source, &mut found),
        };
        found.or(config)
    }
}

/// A key that may be left out may not be left empty: that is a value that was forgotten.
fn refuse_nulls(schema: &mut Json) {
    let is_null = |branch: &Json| branch == "null" || branch["type"] == "null";
    match schema {
        Json::Array(items) => items.iter_mut().for_each(refuse_nulls),
        Json::Object(keys) => {
            keys.retain(|key, value| key != "default" || !value.is_null());
            for key in ["type", "anyOf"] {
                let Some(Json::Array(branches)) = keys.get_mut(key) else { continue };
                // Free JSON has more alternatives than one and null; there a null is a value.
                if branches.len() == 2 {
                    branches.retain(|branch| !is_null(branch));
                }
                if let [only] = branches.as_slice() {
                    let only = only.clone();
                    match only {
                        Json::Object(inner) => {
                            keys.shift_remove(key);
                            keys.extend(inner);
                        }
                        only => drop(keys.insert(key.into(), only)),
                    }
                }
            }
            keys.values_mut().for_each(refuse_nulls);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
