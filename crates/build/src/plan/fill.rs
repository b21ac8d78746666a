//! The texts of one image, filled.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use shipspec_registry::repository::RepositorySettings;
use shipspec_spec::age::Age;
use shipspec_spec::config::{
    Encryption, ImageConfig, RepositoryConfig, ReuseConfig, RoleConfig, TestConfig, Text, describe,
};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::EvaluationError;
use shipspec_spec::image::Repository;
use shipspec_spec::place::Role;
use shipspec_spec::platform::Platform;
use shipspec_spec::scope::{Scope, is_content};
use shipspec_spec::secret::Secret;
use shipspec_spec::tag::Tag;
use shipspec_spec::value::Value;

use super::{ImagePlan, PlannedSecret, PlannedTag, SecretArgument, TestPlan};
use crate::reuse::Reuse;

/// How long a test may take where nothing else is said.
const TEST_LIMIT: Duration = Duration::from_hours(1);

/// Where an image goes.
pub(super) struct Place {
    pub(super) repository: Repository,
    pub(super) main_tag: Tag,
    pub(super) tags: Vec<PlannedTag>,
    /// A tag is made from the image's content key.
    pub(super) has_content: bool,
    /// The main tag is.
    pub(super) is_keyed: bool,
}

/// Where an image goes: what the names of other images can be made from.
///
/// Stand-ins are in the tags for a content that is not known yet.
pub(super) fn place(name: &str, image: &ImageConfig, scope: &Scope) -> Result<Place, Diagnostics> {
    let mut found = Diagnostics::default();
    let own = scope.of_image(name);
    let repository: Option<Repository> =
        Filler { scope: &own, found: &mut found }.parsed(&image.repository);
    let mut tags = Filler { scope: &own.with_content_stand_ins(), found: &mut found }.tags(image);
    let main_tag = main(&tags).cloned();
    put_in_order(&mut tags);
    let (has_content, is_keyed) = uses_content(image, &own);
    match (repository, main_tag, found.is_empty()) {
        (Some(repository), Some(main_tag), true) => {
            Ok(Place { repository, main_tag, tags, has_content, is_keyed })
        }
        _ => Err(found),
    }
}

/// The tag that names an image, of tags in the order of shipspec.yml.
fn main(tags: &[PlannedTag]) -> Option<&Tag> {
    tags.iter().find(|tag| !tag.moving).or(tags.first()).map(|tag| &tag.tag)
}

/// Any tag of the image is made from its content key, and the main one is: such tags are others with
/// another content.
fn uses_content(image: &ImageConfig, scope: &Scope) -> (bool, bool) {
    if !scope.may_use_content() && !image.tags.iter().any(is_content) {
        return (false, false);
    }
    let tags = |kind: u8| {
        let mut found = Diagnostics::default();
        let scope = scope.with_contents_of_kind(kind);
        Filler { scope: &scope, found: &mut found }.planned_tags(&image.tags)
    };
    let (one, other) = (tags(1), tags(2));
    (one != other, main(&one) != main(&other))
}

/// Tags that move come after those that do not, and `latest` is the last.
pub(super) fn put_in_order(tags: &mut [PlannedTag]) {
    tags.sort_by_key(|planned| (planned.moving, planned.tag.as_str() == "latest"));
}

/// Fills texts and collects what is wrong with them.
pub(crate) struct Filler<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) found: &'a mut Diagnostics,
}

impl Filler<'_> {
    pub(super) fn image(
        &mut self,
        name: &str,
        image: &ImageConfig,
        folder: &Path,
        place: Place,
    ) -> Option<ImagePlan> {
        let before = self.found.as_slice().len();
        let (build_args, secret_args) = self.build_args(image);
        let exposed = secret_args.values().flat_map(|argument| argument.secrets.clone()).collect();
        let context = self.optional(image.context.as_ref()).unwrap_or_else(|| ".".into());
        let dockerfile = self.optional(image.dockerfile.as_ref());
        let plan = ImagePlan {
            name: name.into(),
            context: folder.join(context),
            dockerfile: dockerfile.unwrap_or_else(|| "Dockerfile".into()).into(),
            target: self.target(image.target.as_ref()),
            platform: match &image.platform {
                Some(text) => self.parsed(text)?,
                None => Platform::host(),
            },
            mirrors: image.mirrors.iter().filter_map(|mirror| self.parsed(mirror)).collect(),
            role: self.role(image.role.as_ref()),
            insecure: image.insecure,
            create_repository: match &image.create_repository {
                Some(settings) => Some(self.repository(settings, &image.repository)?),
                None => None,
            },
            repository: place.repository,
            main_tag: place.main_tag,
            tags: place.tags,
            has_content: place.has_content,
            build_args,
            labels: self.pairs(&image.labels),
            secrets: self.secrets(&image.secrets),
            exposed,
            secret_args,
            test: image.test.as_ref().and_then(|test| self.test(test, folder)),
            depends_on: BTreeSet::new(),
            is_provisional: false,
            options: self.options(&image.options, folder),
            reuse: match &image.reuse {
                ReuseConfig::Default => Reuse::Default,
                ReuseConfig::Always => Reuse::Always,
                ReuseConfig::Never => Reuse::Never,
                ReuseConfig::For(age) => Reuse::For(self.parsed::<Age>(age)?.0),
            },
        };
        (self.found.as_slice().len() == before).then_some(plan)
    }

    /// The arguments, and those among them whose secrets stay in the image because shipspec.yml says so.
    fn build_args(
        &mut self,
        image: &ImageConfig,
    ) -> (IndexMap<String, String>, IndexMap<String, SecretArgument>) {
        let (mut filled, mut exposed) = (IndexMap::new(), IndexMap::new());
        for (name, text) in &image.build_args {
            match text.evaluate_text(self.scope) {
                Ok((text, value)) if value.secrets().is_empty() => {
                    filled.insert(name.clone(), text);
                }
                Ok((_, value)) => self.refuse_argument(name, text, &value),
                Err(errors) => self.found.extend(errors),
            }
        }
        for (name, text) in &image.insecure_build_args {
            if filled.contains_key(name) {
                let message = format!("`{name}` stands in `build_args` too");
                self.found.push(Diagnostic::at(text.span().clone(), message));
            }
            match text.evaluate_text(self.scope) {
                Ok((filled_text, value)) => {
                    filled.insert(name.clone(), filled_text);
                    if !value.secrets().is_empty() {
                        exposed.insert(name.clone(), self.secret_argument(text, &value));
                    }
                }
                Err(errors) => self.found.extend(errors),
            }
        }
        self.date(&mut filled);
        (filled, exposed)
    }

    fn secret_argument(&self, text: &Text, value: &Value) -> SecretArgument {
        let shown = text.evaluate_text(&self.scope.without_secrets());
        let without_secrets = shown.ok().map(|(text, _)| text);
        SecretArgument { secrets: value.secrets().clone(), without_secrets }
    }

    /// An argument stays in the image's history, where everybody who can pull it reads it.
    fn refuse_argument(&mut self, argument: &str, text: &Text, value: &Value) {
        let Some(secret) = value.secrets().first() else { return };
        let id = argument.to_lowercase();
        let message = format!("`{secret}` is secret and would be stored in the image");
        let hint = format!(
            "write `secrets: {{ {id}: {secret} }}` for this image, and in the Dockerfile \
             `RUN --mount=type=secret,id={id} …`, where /run/secrets/{id} has the value; \
             `insecure_build_args` allows it all the same"
        );
        self.found.push(Diagnostic::at(text.span().clone(), message).with_hint(hint));
    }

    fn secrets(&mut self, names: &IndexMap<String, Text>) -> IndexMap<String, PlannedSecret> {
        let mut planned = IndexMap::new();
        for (id, text) in names {
            match text.evaluate_text(self.scope) {
                Ok((filled, _)) => {
                    let name = text.references().into_iter().next().unwrap_or_default();
                    let value = Secret::new(filled);
                    planned.insert(id.clone(), PlannedSecret { name, value });
                }
                Err(errors) => self.found.extend(errors),
            }
        }
        planned
    }

    fn test(&mut self, test: &TestConfig, folder: &Path) -> Option<TestPlan> {
        let timeout = match &test.timeout {
            Some(limit) => self.parsed::<Age>(limit)?.0,
            None => TEST_LIMIT,
        };
        let reports = self.pairs(&test.reports);
        let command: Vec<_> = test.command.iter().filter_map(|word| self.text(word)).collect();
        // A test that does nothing always passes.
        let is_nothing = match &*command {
            [_, flag, line] if flag == "-c" => line.trim().is_empty(),
            [program, ..] => program.trim().is_empty(),
            [] => false,
        };
        if let (true, Some(text)) = (is_nothing, test.command.last()) {
            self.refuse(text, "the command of the test comes to nothing".into());
        }
        Some(TestPlan {
            target: self.target(test.target.as_ref()),
            command,
            env: self.pairs(&test.env),
            secrets: self.secrets(&test.secrets),
            timeout,
            reports: reports.into_iter().map(|(path, to)| (path, folder.join(to))).collect(),
        })
    }

    pub(super) fn role(&mut self, role: Option<&RoleConfig>) -> Option<Role> {
        let role = role?;
        let external_id = self.optional(role.external_id.as_ref());
        self.text(&role.arn).map(|arn| Role { arn, external_id })
    }

    /// `repository` is where mistakes are told that no text of the settings has.
    fn repository(
        &mut self,
        settings: &RepositoryConfig,
        repository: &Text,
    ) -> Option<RepositorySettings> {
        let lifecycle = self.optional(settings.lifecycle.as_ref());
        if let (Some(policy), Some(text)) = (&lifecycle, &settings.lifecycle)
            && let Err(error) = serde_json::from_str::<serde_json::Value>(policy)
        {
            self.refuse(text, format!("the lifecycle policy is no JSON: {error}"));
            return None;
        }
        let contradiction = match settings {
            RepositoryConfig { immutable: false, mutable_tags, .. } if !mutable_tags.is_empty() => {
                "`mutable_tags` says nothing without `immutable: true`"
            }
            // The most that ECR takes.
            RepositoryConfig { mutable_tags, .. } if mutable_tags.len() > 5 => {
                "`mutable_tags` can have five entries"
            }
            RepositoryConfig { encryption: Some(Encryption::Aes256), kms_key: Some(_), .. } => {
                "`kms_key` says nothing with `encryption: AES256`"
            }
            _ => "",
        };
        if !contradiction.is_empty() {
            self.refuse(repository, contradiction.into());
        }
        Some(RepositorySettings {
            scan_on_push: settings.scan_on_push,
            immutable: settings.immutable,
            mutable_tags: settings.mutable_tags.iter().filter_map(|tag| self.text(tag)).collect(),
            encryption: settings.encryption,
            kms_key: self.optional(settings.kms_key.as_ref()),
            lifecycle,
            tags: self.pairs(&settings.tags),
        })
    }

    fn tags(&mut self, image: &ImageConfig) -> Vec<PlannedTag> {
        if image.tags.is_empty() {
            let message = "`tags` is empty; an image needs a tag";
            self.found.push(Diagnostic::at(image.repository.span().clone(), message));
        }
        self.planned_tags(&image.tags)
    }

    /// The tags in the order in which they are written, each once.
    pub(super) fn planned_tags(&mut self, texts: &[Text]) -> Vec<PlannedTag> {
        let mut tags: Vec<PlannedTag> = Vec::new();
        for text in texts {
            let Some(tag) = self.tag(text) else { continue };
            let moving = !self.scope.is_steady(text);
            match tags.iter_mut().find(|planned| planned.tag == tag) {
                Some(planned) => planned.moving &= moving,
                None => tags.push(PlannedTag { tag, moving }),
            }
        }
        tags
    }

    fn tag(&mut self, text: &Text) -> Option<Tag> {
        if !is_content(text) {
            return self.parsed(text);
        }
        match self.scope.content("content") {
            Ok(content) => content.parse().ok(),
            Err(error) => {
                let error = EvaluationError::Name(error);
                self.found.push(describe(text.span().clone(), &error, self.scope));
                None
            }
        }
    }

    /// The text with its slots filled. It goes where everybody can read it, so no secret may be in it.
    pub(crate) fn text(&mut self, text: &Text) -> Option<String> {
        match text.evaluate_text(self.scope) {
            Ok((filled, value)) if value.secrets().is_empty() => Some(filled),
            Ok((_, value)) => {
                let names: Vec<_> =
                    value.secrets().iter().map(|name| format!("`{name}`")).collect();
                let message =
                    format!("{} is secret and would be stored in the image", names.join(", "));
                self.found.push(Diagnostic::at(text.span().clone(), message));
                None
            }
            Err(errors) => {
                self.found.extend(errors);
                None
            }
        }
    }

    pub(crate) fn refuse(&mut self, text: &Text, message: String) {
        self.found.push(Diagnostic::at(text.span().clone(), message));
    }

    pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        text: &Text,
    ) -> Option<T> {
        let filled = self.text(text)?;
        match filled.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let error: T::Err = error;
                self.found.push(Diagnostic::at(text.span().clone(), error.to_string()));
                None
            }
        }
    }

    /// A stage; an empty text names none, as for the engine.
    fn target(&mut self, text: Option<&Text>) -> Option<String> {
        self.optional(text).filter(|target| !target.is_empty())
    }

    pub(super) fn optional(&mut self, text: Option<&Text>) -> Option<String> {
        self.text(text?)
    }

    fn pairs(&mut self, pairs: &IndexMap<String, Text>) -> IndexMap<String, String> {
        pairs.iter().filter_map(|(name, text)| Some((name.clone(), self.text(text)?))).collect()
    }
}
