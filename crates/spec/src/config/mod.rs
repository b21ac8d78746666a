//! shipspec.yml: what it may say, and what it says.

mod raw;
mod shapes;
mod text;
mod tree;

pub use text::{Text, describe};
pub use tree::Tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Node;
use crate::nearest::nearest;
use crate::schema;
use crate::source::{Source, Span};
use raw::{
    OneOrMany, RawArtifact, RawArtifactMap, RawConfig, RawDefinitions, RawDialect, RawImage,
    RawReference,
};
use text::RawText;

/// What is to be done, as shipspec.yml or flags say it. Texts are read, but not yet filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Entries of the run's tag, in the order in which they are tried; empty for the default.
    pub tag: Vec<Text>,
    /// What generated artifacts name an image by.
    pub reference: ReferenceForm,
    /// Where the value of each parameter is kept.
    pub parameters: IndexMap<String, Text>,
    /// The user's own names.
    pub variables: IndexMap<String, Text>,
    /// The images to build, by name.
    pub images: IndexMap<String, ImageConfig>,
    /// The artifacts to write.
    pub artifacts: Vec<ArtifactConfig>,
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

/// An image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageConfig {
    /// Where it is pushed to.
    pub repository: Text,
    /// The folder of the build context, from the project's folder on.
    pub context: Option<Text>,
    /// The Dockerfile's path in the context.
    pub dockerfile: Option<Text>,
    /// The stage to build.
    pub target: Option<Text>,
    /// The platform to build for.
    pub platform: Option<Text>,
    /// The whole list of tags.
    pub tags: Vec<Text>,
    /// Values for the Dockerfile's `ARG`s.
    pub build_args: IndexMap<String, Text>,
    /// Labels to put on it.
    pub labels: IndexMap<String, Text>,
}

impl ImageConfig {
    /// An image of which only the repository is said.
    #[must_use]
    pub fn new(repository: Text) -> Self {
        Self {
            repository,
            context: None,
            dockerfile: None,
            target: None,
            platform: None,
            tags: vec![Text::of_name("IMAGE_TAG")],
            build_args: IndexMap::new(),
            labels: IndexMap::new(),
        }
    }

    fn from_raw(raw: &RawImage, source: &Arc<Source>, found: &mut Diagnostics) -> Option<Self> {
        let optional = |text: &Option<RawText>, found: &mut Diagnostics| {
            text.as_ref().and_then(|text| keep(Text::from_raw(text, source), found))
        };
        Some(Self {
            context: optional(&raw.context, found),
            dockerfile: optional(&raw.dockerfile, found),
            target: optional(&raw.target, found),
            platform: optional(&raw.platform, found),
            tags: match &raw.tags {
                Some(tags) => texts(tags, source, found),
                None => vec![Text::of_name("IMAGE_TAG")],
            },
            build_args: named_texts(&raw.build_args, source, found),
            labels: named_texts(&raw.labels, source, found),
            repository: keep(Text::from_raw(&raw.repository, source), found)?,
        })
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let single = [&self.context, &self.dockerfile, &self.target, &self.platform];
        std::iter::once(&self.repository)
            .chain(single.into_iter().flatten())
            .chain(&self.tags)
            .chain(self.build_args.values())
            .chain(self.labels.values())
    }
}

/// An artifact to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactConfig {
    /// Where it is written, from the project's folder on.
    pub path: Text,
    /// What it is made from.
    pub content: ArtifactContent,
    /// Secret parameters that may stand in it.
    pub allow_secrets: Vec<String>,
    /// Names for it alone.
    pub variables: IndexMap<String, Text>,
    /// Names with several values; one artifact for each combination.
    pub matrix: IndexMap<String, Vec<Text>>,
    /// Whether it is made.
    pub when: Option<Text>,
}

impl ArtifactConfig {
    /// An artifact of which only path and content are said.
    #[must_use]
    pub fn new(path: Text, content: ArtifactContent) -> Self {
        Self {
            path,
            content,
            allow_secrets: Vec::new(),
            variables: IndexMap::new(),
            matrix: IndexMap::new(),
            when: None,
        }
    }
}

/// A template, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateConfig {
    /// Its path, from the project's folder on.
    pub path: Text,
    /// The only names that are filled, if not all are.
    pub only: Option<Vec<String>>,
    /// What stands for placeholders of other tools.
    pub placeholders: IndexMap<String, Text>,
    /// Its language; without it, the ending of its path tells.
    pub dialect: Option<TemplateDialect>,
}

impl TemplateConfig {
    /// A template of which only the path is said.
    #[must_use]
    pub fn new(path: Text) -> Self {
        Self { path, only: None, placeholders: IndexMap::new(), dialect: None }
    }
}

/// The language of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateDialect {
    /// `$NAME`, `${NAME}` and expressions.
    Shell,
    /// minijinja.
    Jinja,
}

/// What an artifact is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactContent {
    /// A template.
    Template(TemplateConfig),
    /// `imageDetail.json` of an image.
    ImageDetail(String),
    /// `imagedefinitions.json`: containers and their images.
    ImageDefinitions(Vec<(String, String)>),
    /// Free JSON.
    Json(Tree),
}

impl Config {
    /// Every name that anything but a template could ask for.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        let texts = self.images.values().flat_map(ImageConfig::texts);
        let texts = texts.chain(&self.tag).chain(self.parameters.values());
        texts
            .chain(self.artifacts.iter().map(|artifact| &artifact.path))
            .flat_map(Text::references)
            .collect()
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
            let error = error.without_snippet().to_string();
            let message = error.lines().next().unwrap_or_default().to_owned();
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
        let mut images = IndexMap::new();
        for (name, image) in &raw.images {
            if let Some(image) = ImageConfig::from_raw(image, source, &mut found) {
                images.insert(name.clone(), image);
            }
        }
        let names: Vec<_> = raw.images.keys().map(String::as_str).collect();
        let mut artifacts = Vec::new();
        for (path, artifact) in &raw.artifacts {
            let key = root.at(&["artifacts", path]).map_or(0..0, |(key, _)| key.range.clone());
            let key = Span::new(source, key);
            let path = keep(Text::at_key(path, key.clone()), &mut found);
            let read = ArtifactReader { source, images: &names, key, found: &mut found };
            artifacts.extend(path.and_then(|path| read.read(path, artifact)));
        }
        for text in
            raw.tag.iter().flat_map(OneOrMany::texts).filter(|text| text.as_str() == "content")
        {
            let message = "`content` is a reserved word of `tag`, and not known yet";
            found.push(Diagnostic::at(text.span(source), message));
        }
        let config = Self {
            tag: raw
                .tag
                .as_ref()
                .map(|tag| texts(tag.texts(), source, &mut found))
                .unwrap_or_default(),
            reference: match raw.reference {
                RawReference::Tag => ReferenceForm::Tag,
                RawReference::Digest => ReferenceForm::Digest,
            },
            parameters: named_texts(&raw.parameters, source, &mut found),
            variables: named_texts(&raw.variables, source, &mut found),
            images,
            artifacts,
        };
        found.or(config)
    }
}

/// Reads what one artifact is made from.
struct ArtifactReader<'a> {
    source: &'a Arc<Source>,
    images: &'a [&'a str],
    key: Span,
    found: &'a mut Diagnostics,
}

impl ArtifactReader<'_> {
    fn read(mut self, path: Text, raw: &RawArtifact) -> Option<ArtifactConfig> {
        let map = match raw {
            RawArtifact::Path(template) => {
                let template = self.text(template)?;
                let content = ArtifactContent::Template(TemplateConfig::new(template));
                return Some(ArtifactConfig::new(path, content));
            }
            RawArtifact::Map(map) => map,
        };
        let content = self.content(map)?;
        Some(ArtifactConfig {
            path,
            content,
            allow_secrets: words(&map.allow_secrets),
            variables: named_texts(&map.variables, self.source, self.found),
            matrix: map
                .matrix
                .iter()
                .map(|(name, values)| (name.clone(), texts(values, self.source, self.found)))
                .collect(),
            when: map.when.as_ref().and_then(|text| self.text(text)),
        })
    }

    fn text(&mut self, raw: &RawText) -> Option<Text> {
        keep(Text::from_raw(raw, self.source), self.found)
    }

    fn content(&mut self, map: &RawArtifactMap) -> Option<ArtifactContent> {
        match (&map.template, &map.image_detail, &map.image_definitions, &map.json) {
            (Some(path), None, None, None) => self.template(path, map),
            (None, Some(image), None, None) => {
                Some(ArtifactContent::ImageDetail(self.image(image)?))
            }
            (None, None, Some(list), None) => Some(self.definitions(list)),
            (None, None, None, Some(tree)) => {
                Some(ArtifactContent::Json(Tree::from_raw(tree, self.source, self.found)?))
            }
            _ => {
                let message = "an artifact is made from exactly one of `template`, \
                               `image_detail`, `image_definitions` and `json`";
                self.found.push(Diagnostic::at(self.key.clone(), message));
                None
            }
        }
    }

    fn template(&mut self, path: &RawText, map: &RawArtifactMap) -> Option<ArtifactContent> {
        Some(ArtifactContent::Template(TemplateConfig {
            path: self.text(path)?,
            only: map.only.as_deref().map(words),
            placeholders: named_texts(&map.placeholders, self.source, self.found),
            dialect: map.dialect.map(|dialect| match dialect {
                RawDialect::Shell => TemplateDialect::Shell,
                RawDialect::Jinja => TemplateDialect::Jinja,
            }),
        }))
    }

    fn definitions(&mut self, raw: &RawDefinitions) -> ArtifactContent {
        let pairs: Vec<_> = match raw {
            RawDefinitions::Same(list) => list
                .iter()
                .filter_map(|name| self.image(name))
                .map(|name| (name.clone(), name))
                .collect(),
            RawDefinitions::Named(map) => map
                .iter()
                .filter_map(|(container, image)| Some((container.clone(), self.image(image)?)))
                .collect(),
        };
        if pairs.is_empty() && self.found.is_empty() {
            let message = "`image_definitions` names no image";
            self.found.push(Diagnostic::at(self.key.clone(), message));
        }
        ArtifactContent::ImageDefinitions(pairs)
    }

    /// The name of an image that the file has.
    fn image(&mut self, name: &RawText) -> Option<String> {
        if self.images.contains(&name.as_str()) {
            return Some(name.as_str().to_owned());
        }
        let message = format!("no image has the name `{}`", name.as_str());
        let hint = match nearest(name.as_str(), self.images.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`images:` has: {}", self.images.join(", ")),
        };
        self.found.push(Diagnostic::at(name.span(self.source), message).with_hint(hint));
        None
    }
}

fn words(raw: &[RawText]) -> Vec<String> {
    raw.iter().map(|text| text.as_str().to_owned()).collect()
}

fn texts(raw: &[RawText], source: &Arc<Source>, found: &mut Diagnostics) -> Vec<Text> {
    raw.iter().filter_map(|text| keep(Text::from_raw(text, source), found)).collect()
}

fn named_texts(
    raw: &IndexMap<String, RawText>,
    source: &Arc<Source>,
    found: &mut Diagnostics,
) -> IndexMap<String, Text> {
    let text = |(name, text): (&String, &RawText)| {
        Some((name.clone(), keep(Text::from_raw(text, source), found)?))
    };
    raw.iter().filter_map(text).collect()
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

/// The value, or nothing after its findings were noted.
fn keep<T>(result: Result<T, Diagnostics>, found: &mut Diagnostics) -> Option<T> {
    result.map_err(|errors| found.extend(errors)).ok()
}

#[cfg(test)]
mod tests;
