//! What flags say, put over what the file says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use shipspec_spec::config::{
    ArtifactConfig, ArtifactContent, Config, ImageConfig, TemplateConfig, Text,
};
use shipspec_spec::value::Value;

use crate::arguments::{ImageFlags, ProjectFlags, RenderFlags, ValueFlags};
use crate::context::Context;
use crate::{failure, values};

impl ImageFlags {
    /// Puts the flags over the only image of the file, or makes one where there is none.
    pub(crate) fn apply(&self, config: &mut Config, context: &Context<'_>) -> anyhow::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let name = self.image_name(config)?;
        let image = &mut config.images[&name];
        if let Some(repository) = &self.repository {
            image.repository = Text::parse("--repository", repository)?;
        }
        if let Some(folder) = &self.context {
            let folder = context.current.join(folder);
            image.context = Some(Text::literal("--context", &folder.to_string_lossy()));
        }
        for (flag, value, place) in [
            ("--dockerfile", &self.dockerfile, &mut image.dockerfile),
            ("--target", &self.target, &mut image.target),
            ("--platform", &self.platform, &mut image.platform),
        ] {
            if let Some(value) = value {
                *place = Some(Text::parse(flag, value)?);
            }
        }
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| Text::parse("--tag", tag));
            image.tags = tags.collect::<Result<_, _>>()?;
        }
        for (name, value) in &self.build_args {
            image.build_args.insert(name.clone(), Text::parse("--build-arg", value)?);
        }
        for (name, value) in &self.labels {
            image.labels.insert(name.clone(), Text::parse("--label", value)?);
        }
        Ok(())
    }

    /// The image that the flags are about.
    fn image_name(&self, config: &mut Config) -> anyhow::Result<String> {
        let mut names = config.images.keys();
        match (names.next().cloned(), names.next(), &self.repository) {
            (Some(name), None, _) => Ok(name),
            (None, _, Some(repository)) => {
                let repository = Text::parse("--repository", repository)?;
                config.images.insert("app".into(), ImageConfig::new(repository));
                Ok("app".into())
            }
            (None, _, None) => {
                let hint = "name the repository with `--repository`, or write a shipspec.yml";
                Err(failure::input("no image is configured", Some(hint)))
            }
            (Some(_), Some(_), _) => {
                let message = "flags about an image cannot tell which of several they mean";
                let hint = "write it in shipspec.yml, under the image that it is for";
                Err(failure::input(message, Some(hint)))
            }
        }
    }

    fn is_empty(&self) -> bool {
        let single = [&self.repository, &self.dockerfile, &self.target, &self.platform];
        single.iter().all(|flag| flag.is_none())
            && self.context.is_none()
            && self.tags.is_empty()
            && self.build_args.is_empty()
            && self.labels.is_empty()
    }
}

impl ProjectFlags {
    /// The values that `--values` and `--set` give, the later ones over the earlier.
    pub(crate) fn given(&self, context: &Context<'_>) -> anyhow::Result<BTreeMap<String, Value>> {
        let mut given = BTreeMap::new();
        for path in &self.values.values {
            given.extend(values::read(&context.current, path)?);
        }
        given.extend(
            self.values.set.iter().map(|(name, text)| (name.clone(), Value::plain(&**text))),
        );
        Ok(given)
    }
}

impl ValueFlags {
    /// The files that values are read from.
    pub(crate) fn files(&self, context: &Context<'_>) -> Vec<PathBuf> {
        let files = self.values.iter().chain(&self.parameters);
        files.map(|file| context.current.join(file)).collect()
    }
}

impl ProjectFlags {
    /// What `--parameters` answers instead of AWS.
    pub(crate) fn parameters(
        &self,
        context: &Context<'_>,
    ) -> anyhow::Result<Option<BTreeMap<String, Value>>> {
        self.values.parameters.as_ref().map(|path| values::read(&context.current, path)).transpose()
    }
}

impl RenderFlags {
    /// Adds the artifacts that flags ask for.
    pub(crate) fn apply(&self, config: &mut Config) -> anyhow::Result<()> {
        for (template, artifact) in &self.templates {
            let template = TemplateConfig::new(Text::parse("--render", template)?);
            let content = ArtifactContent::Template(template);
            let path = Text::parse("--render", artifact)?;
            config.artifacts.push(ArtifactConfig::new(path, content));
        }
        Ok(())
    }
}
