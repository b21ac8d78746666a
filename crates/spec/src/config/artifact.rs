//! Artifacts in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;

use super::check::CheckConfig;
use super::raw::{RawArtifact, RawArtifactMap, RawDefinitions, RawDialect};
use super::text::{RawText, Text, keep, named_texts, texts};
use super::tree::Tree;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::nearest::nearest;
use crate::source::{Source, Span};

/// An artifact to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactConfig {
    /// Where it is written, from the project's folder on.
    pub path: Text,
    /// What it is made from.
    pub content: ArtifactContent,
    /// Secret parameters that may stand in it.
    pub allow_secrets: Vec<String>,
    /// Findings of `check` that are not told of it.
    pub check: CheckConfig,
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
            check: CheckConfig::default(),
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
    /// Terraform's templates.
    Terraform,
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

/// Reads what one artifact is made from.
pub(super) struct ArtifactReader<'a> {
    pub(super) source: &'a Arc<Source>,
    /// The names of the images that the file has.
    pub(super) images: &'a [&'a str],
    /// Where the artifact's path is written.
    pub(super) key: Span,
    pub(super) found: &'a mut Diagnostics,
}

impl ArtifactReader<'_> {
    pub(super) fn read(mut self, path: Text, raw: &RawArtifact) -> Option<ArtifactConfig> {
        let map = match raw {
            RawArtifact::Path(template) => {
                let template = self.text(template)?;
                let content = ArtifactContent::Template(TemplateConfig::new(template));
                return Some(ArtifactConfig::new(path, content));
            }
            RawArtifact::Map(map) => map,
        };
        let content = self.content(map)?;
        if !matches!(content, ArtifactContent::Template(_)) {
            self.refuse_keys_of_templates(map);
        }
        self.refuse_empty_lists(map);
        Some(ArtifactConfig {
            path,
            content,
            allow_secrets: words(&map.allow_secrets),
            check: CheckConfig::from_raw(&map.check, self.source),
            variables: named_texts(&map.variables, self.source, self.found),
            matrix: map
                .matrix
                .iter()
                .map(|(name, values)| (name.clone(), texts(values, self.source, self.found)))
                .collect(),
            when: map.when.as_ref().and_then(|text| self.text(text)),
        })
    }

    /// What says how a template is read says nothing about another kind of artifact.
    fn refuse_keys_of_templates(&mut self, map: &RawArtifactMap) {
        let keys = [
            ("only", map.only.is_some()),
            ("placeholders", !map.placeholders.is_empty()),
            ("dialect", map.dialect.is_some()),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_said)| *is_said) {
            let message = format!("`{key}` is for a `template`, and this artifact has none");
            self.found.push(Diagnostic::at(self.key.clone(), message));
        }
    }

    /// A matrix with an empty list has no combination: nothing would be made, and nothing said.
    fn refuse_empty_lists(&mut self, map: &RawArtifactMap) {
        for (name, _) in map.matrix.iter().filter(|(_, values)| values.is_empty()) {
            let message = format!("`{name}` of the matrix has no values, so nothing would be made");
            let diagnostic = Diagnostic::at(self.key.clone(), message);
            self.found.push(diagnostic.with_hint("to make an artifact or not, say `when:`"));
        }
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
                RawDialect::Terraform => TemplateDialect::Terraform,
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
