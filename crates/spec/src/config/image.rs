//! Images in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;

use super::options::BuildOptionsConfig;
use super::place::RoleConfig;
use super::raw::RawImage;
use super::repository::RepositoryConfig;
use super::reuse::ReuseConfig;
use super::test::TestConfig;
use super::text::{RawText, Text, keep, named_names, named_texts, texts};
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// An image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageConfig {
    /// Where it is pushed to.
    pub repository: Text,
    /// Further repositories that get it.
    pub mirrors: Vec<Text>,
    /// The role to assume for the registry.
    pub role: Option<RoleConfig>,
    /// Plain HTTP is spoken with the registry.
    pub insecure: bool,
    /// How it is made where there is none, if it is to be.
    pub create_repository: Option<RepositoryConfig>,
    /// The folder of the build context, from the project's folder on.
    pub context: Option<Text>,
    /// The Dockerfile's path, from the context's folder on.
    pub dockerfile: Option<Text>,
    /// The stage to build.
    pub target: Option<Text>,
    /// The platform to build for.
    pub platform: Option<Text>,
    /// The whole list of tags.
    pub tags: Vec<Text>,
    /// Values for the Dockerfile's `ARG`s.
    pub build_args: IndexMap<String, Text>,
    /// Values for `ARG`s that may be secret, although they stay in the image.
    pub insecure_build_args: IndexMap<String, Text>,
    /// Names of values for `RUN --mount=type=secret`, by the ids that the Dockerfile asks for.
    pub secrets: IndexMap<String, Text>,
    /// Labels to put on it.
    pub labels: IndexMap<String, Text>,
    /// What has to succeed before it is pushed.
    pub test: Option<TestConfig>,
    /// How it is built.
    pub options: BuildOptionsConfig,
    /// Whether it is built at all where the registry holds it already.
    pub reuse: ReuseConfig,
}

impl ImageConfig {
    /// An image of which only the repository is said.
    #[must_use]
    pub fn new(repository: Text) -> Self {
        Self {
            repository,
            mirrors: Vec::new(),
            role: None,
            insecure: false,
            create_repository: None,
            context: None,
            dockerfile: None,
            target: None,
            platform: None,
            tags: vec![Text::of_name("IMAGE_TAG")],
            build_args: IndexMap::new(),
            insecure_build_args: IndexMap::new(),
            secrets: IndexMap::new(),
            labels: IndexMap::new(),
            test: None,
            options: BuildOptionsConfig::default(),
            reuse: ReuseConfig::default(),
        }
    }

    pub(super) fn from_raw(
        raw: &RawImage,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let optional = |text: &Option<RawText>, found: &mut Diagnostics| {
            text.as_ref().and_then(|text| keep(Text::from_raw(text, source), found))
        };
        Some(Self {
            mirrors: texts(&raw.mirrors, source, found),
            role: RoleConfig::from_raw(raw.role.as_ref(), raw.external_id.as_ref(), source, found),
            insecure: raw.insecure,
            create_repository: raw
                .create_repository
                .as_ref()
                .and_then(|raw| RepositoryConfig::from_raw(raw, source, found)),
            context: optional(&raw.context, found),
            dockerfile: optional(&raw.dockerfile, found),
            target: optional(&raw.target, found),
            platform: optional(&raw.platform, found),
            tags: match &raw.tags {
                Some(tags) => texts(tags, source, found),
                None => vec![Text::of_name("IMAGE_TAG")],
            },
            build_args: named_texts(&raw.build_args, source, found),
            insecure_build_args: named_texts(&raw.insecure_build_args, source, found),
            secrets: named_names(&raw.secrets, source, found),
            labels: named_texts(&raw.labels, source, found),
            test: raw.test.as_ref().map(|test| TestConfig::from_raw(test, source, found)),
            options: BuildOptionsConfig::from_raw(raw, source, found),
            reuse: ReuseConfig::from_raw(raw.reuse.as_ref(), source, found),
            repository: keep(Text::from_raw(raw.repository.as_ref()?, source), found)?,
        })
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let single = [&self.context, &self.dockerfile, &self.target, &self.platform];
        std::iter::once(&self.repository)
            .chain(single.into_iter().flatten())
            .chain(self.role.iter().flat_map(RoleConfig::texts))
            .chain(&self.mirrors)
            .chain(self.create_repository.iter().flat_map(RepositoryConfig::texts))
            .chain(&self.tags)
            .chain(self.build_args.values())
            .chain(self.insecure_build_args.values())
            .chain(self.secrets.values())
            .chain(self.labels.values())
            .chain(self.test.iter().flat_map(TestConfig::texts))
            .chain(self.options.texts())
            .chain(self.reuse.text())
    }
}
