//! Artifacts in shipspec.yml.

mod app_spec;
mod edits;
mod kinds;
mod number;

pub use app_spec::{AppSpecConfig, CapacityProviderConfig, TaskNetworkConfig};
pub use edits::{ContainerChange, ContainerEditConfig, LogConfig, TaskDefinitionEdits};
pub use kinds::{CloudFormationConfig, DotenvConfig, Quotes};
pub use number::WholeNumber;

pub(super) use app_spec::RawAppSpec;
pub(super) use edits::{RawLog, RawSize};
pub(super) use kinds::{RawCloudFormation, RawQuotes};
pub(super) use number::RawScalar;

use std::ops::RangeInclusive;
use std::sync::Arc;

use indexmap::IndexMap;

use super::ReferenceForm;
use super::base::BaseConfig;
use super::check::CheckConfig;
use super::publish::PublishConfig;
use super::raw::{RawArtifact, RawArtifactMap, RawDefinitions, RawDialect};
use super::service::ServiceConfig;
use super::text::{RawText, Text, keep, named_texts, texts};
use super::tree::Tree;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Node;
use crate::expression::name_length;
use crate::nearest::nearest;
use crate::source::{Source, Span};

/// An artifact to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactConfig {
    /// Where it is written, from the project's folder on.
    pub path: Text,
    /// What it is made from.
    pub content: ArtifactContent,
    /// The service that it is for, if it is not that of the file.
    pub service: Option<ServiceConfig>,
    /// Changes to the task definition that it is.
    pub edits: TaskDefinitionEdits,
    /// What it names an image by, if not by what the file says.
    pub reference: Option<ReferenceForm>,
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
    /// Where its content is put as well.
    pub publish: Vec<PublishConfig>,
}

impl ArtifactConfig {
    /// The task definition that it begins from, if it does.
    #[must_use]
    pub fn base(&self) -> Option<&BaseConfig> {
        match &self.content {
            ArtifactContent::Base(base) => Some(base),
            _ => None,
        }
    }

    /// An artifact of which only path and content are said.
    #[must_use]
    pub fn new(path: Text, content: ArtifactContent) -> Self {
        Self {
            path,
            content,
            service: None,
            edits: TaskDefinitionEdits::default(),
            reference: None,
            allow_secrets: Vec::new(),
            check: CheckConfig::default(),
            variables: IndexMap::new(),
            matrix: IndexMap::new(),
            when: None,
            publish: Vec::new(),
        }
    }

    /// Every text but those of its content: whether it is made, how often, where, from which files, for what,
    /// and where it is put as well.
    pub fn outer_texts(&self) -> impl Iterator<Item = &Text> {
        let template = match &self.content {
            ArtifactContent::Template(template) => Some(&template.path),
            _ => None,
        };
        let members = match &self.content {
            ArtifactContent::Zip(paths) => &**paths,
            _ => &[],
        };
        std::iter::once(&self.path)
            .chain(&self.when)
            .chain(self.matrix.values().flatten())
            .chain(template)
            .chain(members)
            .chain(self.base().into_iter().flat_map(BaseConfig::texts))
            .chain(self.service.iter().flat_map(ServiceConfig::texts))
            .chain(self.publish.iter().flat_map(PublishConfig::texts))
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
    /// The task definition that ECS has.
    Base(Box<BaseConfig>),
    /// `imageDetail.json` of an image.
    ImageDetail(String),
    /// `imagedefinitions.json`: containers and their images.
    ImageDefinitions(Vec<(Text, String)>),
    /// An AppSpec for ECS.
    AppSpec(Box<AppSpecConfig>),
    /// A template configuration file for CloudFormation.
    CloudFormation(CloudFormationConfig),
    /// Terraform variables.
    Tfvars(IndexMap<String, Tree>),
    /// Environment variables.
    Dotenv(DotenvConfig),
    /// Free JSON.
    Json(Tree),
    /// Free YAML.
    Yaml(Tree),
    /// A text.
    Text(Text),
    /// A zip archive of artifacts and files, by their paths.
    Zip(Vec<Text>),
}

impl ArtifactContent {
    /// The texts that are filled in it; none of a template, which is a file of its own.
    #[must_use]
    pub fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Template(_) | Self::Base(_) | Self::ImageDetail(_) => Vec::new(),
            Self::ImageDefinitions(pairs) => pairs.iter().map(|(container, _)| container).collect(),
            Self::AppSpec(config) => config.texts().collect(),
            Self::CloudFormation(config) => config.texts().collect(),
            Self::Tfvars(trees) => trees.values().flat_map(Tree::texts).collect(),
            Self::Dotenv(config) => config.variables.values().collect(),
            Self::Json(tree) | Self::Yaml(tree) => tree.texts().collect(),
            Self::Text(text) => vec![text],
            Self::Zip(paths) => paths.iter().collect(),
        }
    }

    /// The images that it names.
    #[must_use]
    pub fn images(&self) -> Vec<&str> {
        match self {
            Self::ImageDetail(image) => vec![image],
            Self::ImageDefinitions(pairs) => pairs.iter().map(|(_, image)| &**image).collect(),
            _ => Vec::new(),
        }
    }
}

/// Reads what one artifact is made from.
pub(super) struct ArtifactReader<'a> {
    pub(super) source: &'a Arc<Source>,
    /// The names of the images that the file has.
    pub(super) images: &'a [&'a str],
    /// The names of its parameters.
    pub(super) parameters: &'a [&'a str],
    /// Where the artifact's path is written.
    pub(super) key: Span,
    /// What stands under it, as written.
    pub(super) node: Option<&'a Node>,
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
        // Every mistake is told, so nothing is left before everything was read.
        let content = self.content(map);
        if let Some(content) = &content {
            self.refuse_keys_of_others(map, content);
        }
        self.refuse_empty_lists(map);
        let service = map.service.as_ref();
        let service = service.and_then(|raw| ServiceConfig::from_raw(raw, self.source, self.found));
        let edits = self.edits(map);
        let when = map.when.as_ref().and_then(|text| self.text(text));
        let matrix = map.matrix.iter();
        let matrix = matrix
            .map(|(name, values)| (name.clone(), texts(values, self.source, self.found)))
            .collect();
        let variables = named_texts(&map.variables, self.source, self.found);
        let publish = PublishConfig::from_raw(map.publish.as_ref(), self.source, self.found);
        Some(ArtifactConfig {
            path,
            content: content?,
            service,
            edits,
            reference: map.reference.map(ReferenceForm::from),
            allow_secrets: words(&map.allow_secrets),
            check: CheckConfig::from_raw(&map.check, self.source),
            variables,
            matrix,
            when,
            publish,
        })
    }

    /// What says how one kind of artifact is made says nothing about another.
    fn refuse_keys_of_others(&mut self, map: &RawArtifactMap, content: &ArtifactContent) {
        let of_template = ("a `template`", matches!(content, ArtifactContent::Template(_)));
        let has_images = !content.images().is_empty() || map.images.is_some();
        let of_images = ("`image_detail`, `image_definitions` and `images`", has_images);
        let of_dotenv = ("`dotenv`", matches!(content, ArtifactContent::Dotenv(_)));
        if !of_template.1 && !matches!(content, ArtifactContent::Base(_)) {
            for key in edits::said(map) {
                let message = format!(
                    "`{key}` changes a task definition, and this artifact has no `template` or `base` of one"
                );
                self.found.push(Diagnostic::at(self.place(&[key]), message));
            }
        }
        let keys = [
            ("only", map.only.is_some(), of_template),
            ("placeholders", !map.placeholders.is_empty(), of_template),
            ("dialect", map.dialect.is_some(), of_template),
            ("reference", map.reference.is_some(), of_images),
            ("quotes", map.quotes.is_some(), of_dotenv),
        ];
        for (key, is_said, (owner, is_its)) in keys {
            if is_said && !is_its {
                let message = format!("`{key}` is for {owner}, and this artifact has none");
                self.found.push(Diagnostic::at(self.place(&[key]), message));
            }
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

    /// The number, judged as far as it can be now.
    fn number(
        &mut self,
        raw: &RawScalar,
        name: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<WholeNumber> {
        WholeNumber::from_raw(raw, name, range, self.source, self.found)
    }

    /// Where a key below the artifact is written; where that cannot be told, the artifact's own.
    fn place(&self, path: &[&str]) -> Span {
        let key = self.node.and_then(|node| node.at(path)).map(|(key, _)| key.range.clone());
        key.map_or_else(|| self.key.clone(), |range| Span::new(self.source, range))
    }

    fn content(&mut self, map: &RawArtifactMap) -> Option<ArtifactContent> {
        let kinds = [
            ("template", map.template.is_some()),
            ("base", map.base.is_some()),
            ("image_detail", map.image_detail.is_some()),
            ("image_definitions", map.image_definitions.is_some()),
            ("appspec", map.appspec.is_some()),
            ("cloudformation", map.cloudformation.is_some()),
            ("tfvars", map.tfvars.is_some()),
            ("dotenv", map.dotenv.is_some()),
            ("json", map.json.is_some()),
            ("yaml", map.yaml.is_some()),
            ("text", map.text.is_some()),
            ("zip", map.zip.is_some()),
        ];
        let said: Vec<_> = kinds.iter().filter(|(_, is_said)| *is_said).collect();
        if said.len() != 1 {
            let [all @ .., last] = kinds.map(|(kind, _)| format!("`{kind}`"));
            let all = all.join(", ");
            let message = format!("an artifact is made from exactly one of {all} and {last}");
            self.found.push(Diagnostic::at(self.key.clone(), message));
            return None;
        }
        self.content_of_one(map)
    }

    /// The content, of the only kind that is said.
    fn content_of_one(&mut self, map: &RawArtifactMap) -> Option<ArtifactContent> {
        if let Some(path) = &map.template {
            return self.template(path, map);
        }
        if let Some(raw) = &map.base {
            let base = BaseConfig::from_raw(raw, &self.key, self.source, self.found)?;
            return Some(ArtifactContent::Base(Box::new(base)));
        }
        if let Some(list) = &map.image_definitions {
            return Some(self.definitions(list));
        }
        if let Some(image) = &map.image_detail {
            return self.image(image).map(ArtifactContent::ImageDetail);
        }
        if let Some(raw) = &map.appspec {
            return Some(ArtifactContent::AppSpec(Box::new(self.app_spec(raw)?)));
        }
        if let Some(raw) = &map.cloudformation {
            return Some(ArtifactContent::CloudFormation(self.cloudformation(raw)));
        }
        if let Some(raw) = &map.tfvars {
            return Some(ArtifactContent::Tfvars(self.tfvars(raw)));
        }
        if let Some(raw) = &map.dotenv {
            return Some(ArtifactContent::Dotenv(self.dotenv(raw, map.quotes)));
        }
        if let Some(text) = &map.text {
            return self.text(text).map(ArtifactContent::Text);
        }
        if let Some(members) = &map.zip {
            return self.zip(members);
        }
        let mut tree = |raw| Tree::from_raw(raw, self.source, self.found);
        match (&map.json, &map.yaml) {
            (Some(raw), _) => tree(raw).map(ArtifactContent::Json),
            (None, Some(raw)) => tree(raw).map(ArtifactContent::Yaml),
            (None, None) => None,
        }
    }

    fn template(&mut self, path: &RawText, map: &RawArtifactMap) -> Option<ArtifactContent> {
        if map.placeholders.contains_key("") {
            let place = self.place(&["placeholders", ""]);
            self.found.push(Diagnostic::at(place, "a placeholder is empty"));
        }
        Some(ArtifactContent::Template(TemplateConfig {
            path: self.text(path)?,
            only: map.only.as_deref().map(|names| self.names(names)),
            placeholders: named_texts(&map.placeholders, self.source, self.found),
            dialect: map.dialect.map(|dialect| match dialect {
                RawDialect::Shell => TemplateDialect::Shell,
                RawDialect::Jinja => TemplateDialect::Jinja,
                RawDialect::Terraform => TemplateDialect::Terraform,
            }),
        }))
    }

    /// The names that are filled; another list would fill nothing, and not say so.
    fn names(&mut self, raw: &[RawText]) -> Vec<String> {
        let is_name = |text: &str| !text.is_empty() && name_length(text) == text.len();
        for text in raw.iter().filter(|text| !is_name(text.as_str())) {
            let written = text.as_str();
            let message = format!("`{written}` is no name");
            let root = written.trim_start_matches(['$', '{']);
            let root = &root[..name_length(root)];
            let diagnostic = Diagnostic::at(text.span(self.source), message);
            self.found.push(match root {
                "" => diagnostic,
                root => diagnostic.with_hint(format!("write `{root}`")),
            });
        }
        words(raw)
    }

    /// An empty archive is one that S3 would take and no action could read.
    fn zip(&mut self, members: &[RawText]) -> Option<ArtifactContent> {
        if members.is_empty() {
            self.found.push(Diagnostic::at(self.key.clone(), "`zip` names no file"));
            return None;
        }
        Some(ArtifactContent::Zip(texts(members, self.source, self.found)))
    }

    fn definitions(&mut self, raw: &RawDefinitions) -> ArtifactContent {
        let pairs: Vec<_> = match raw {
            RawDefinitions::Same(list) => {
                list.iter().filter_map(|name| Some((self.text(name)?, self.image(name)?))).collect()
            }
            RawDefinitions::Named(map) => map
                .iter()
                .filter_map(|(container, image)| {
                    let place = self.place(&["image_definitions", container]);
                    let container = keep(Text::at_key(container, place), self.found);
                    Some((container?, self.image(image)?))
                })
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
