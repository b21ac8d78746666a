//! From configuration and values to what is to be built. Nothing is asked or touched here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use shipspec_spec::age::Age;
use shipspec_spec::config::{Config, ImageConfig, TestConfig, Text};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::image::Repository;
use shipspec_spec::platform::Platform;
use shipspec_spec::scope::{DigestState, ImageNames, Scope};
use shipspec_spec::secret::Secret;
use shipspec_spec::tag::Tag;
use shipspec_spec::value::Value;

use crate::options::BuildOptions;

/// An image to build, every text filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePlan {
    /// Its name in shipspec.yml.
    pub name: String,
    /// The folder of the build context.
    pub context: PathBuf,
    /// The Dockerfile's path, from the context's folder; it may lead out of it.
    pub dockerfile: PathBuf,
    /// The stage to build; without it, the last.
    pub target: Option<String>,
    /// The platform to build for.
    pub platform: Platform,
    /// Where it is pushed to.
    pub repository: Repository,
    /// Its tags, never none, in the order in which they are put: first those that belong to the
    /// source version, then those that move, `latest` last.
    pub tags: Vec<PlannedTag>,
    /// The tag that names it: the first in shipspec.yml that does not move, else the first.
    pub main_tag: Tag,
    /// Values for the Dockerfile's `ARG`s.
    pub build_args: IndexMap<String, String>,
    /// Labels to put on it.
    pub labels: IndexMap<String, String>,
    /// What `RUN --mount=type=secret` may mount, by id.
    pub secrets: IndexMap<String, PlannedSecret>,
    /// The secrets that stay in the image, because shipspec.yml says so.
    pub exposed: BTreeSet<String>,
    /// What has to succeed before it is pushed.
    pub test: Option<TestPlan>,
    /// How it is built.
    pub options: BuildOptions,
    /// The images that are built before it, because it is made from them.
    pub depends_on: BTreeSet<String>,
    /// A digest of zeros stands in it for one that only the push of another image will tell: it has
    /// to be planned once more by then.
    pub is_provisional: bool,
}

/// A command in a container of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestPlan {
    /// The stage to run it in; without it, the image itself.
    pub target: Option<String>,
    /// The words of the command; none for the image's own.
    pub command: Vec<String>,
    /// Variables for it.
    pub env: IndexMap<String, String>,
    /// Variables for it that are secret.
    pub secrets: IndexMap<String, PlannedSecret>,
    /// How long it may take.
    pub timeout: Duration,
    /// Folders for what is taken out of the container, by the paths in it.
    pub reports: IndexMap<String, PathBuf>,
}

/// A value for a step that mounts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSecret {
    /// The name that it is known by.
    pub name: String,
    /// The value.
    pub value: Secret,
}

/// A tag to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTag {
    /// The tag.
    pub tag: Tag,
    /// It names another image with each release.
    pub moving: bool,
}

impl ImagePlan {
    /// The tag that names this image.
    #[must_use]
    pub fn main_tag(&self) -> &Tag {
        &self.main_tag
    }
}

/// How long a test may take where nothing else is said.
const TEST_LIMIT: Duration = Duration::from_hours(1);

/// Where an image goes.
struct Place {
    repository: Repository,
    main_tag: Tag,
    tags: Vec<PlannedTag>,
}

/// What is to be built. The names of the images are known in `scope` from here on; `digest` is what
/// is known of digests: [`DigestState::Later`] for a run that pushes.
///
/// # Errors
///
/// Everything that has no value, or not one of the right form, in all images.
pub fn plan(
    config: &Config,
    scope: &mut Scope,
    folder: &Path,
    digest: &DigestState,
) -> Result<Vec<ImagePlan>, Diagnostics> {
    let mut found = Diagnostics::default();
    let mut places = IndexMap::new();
    for (name, image) in &config.images {
        match place(image, scope) {
            Ok(place) => drop(places.insert(name, place)),
            Err(errors) => found.extend(errors),
        }
    }
    for (name, place) in &places {
        let names = ImageNames {
            repository: place.repository.clone(),
            tag: Some(place.main_tag.clone()),
            digest: digest.clone(),
        };
        scope.set_image(name, names);
    }
    check_shared_tags(config, &places, &mut found);
    found.extend(cycles(config, scope));
    let mut plans = Vec::new();
    for (name, place) in places {
        plans.extend(fill(config, scope, folder, name, place, &mut found));
    }
    found.or(plans)
}

/// One image once more, when the digests of the images that it is made from are known.
///
/// # Errors
///
/// As [`plan`], for this image.
pub fn plan_again(
    config: &Config,
    scope: &Scope,
    folder: &Path,
    name: &str,
) -> Result<ImagePlan, Diagnostics> {
    let mut found = Diagnostics::default();
    let place = place(&config.images[name], scope)?;
    match fill(config, scope, folder, name, place, &mut found) {
        Some(plan) if found.is_empty() => Ok(plan),
        _ => Err(found),
    }
}

fn fill(
    config: &Config,
    scope: &Scope,
    folder: &Path,
    name: &str,
    place: Place,
    found: &mut Diagnostics,
) -> Option<ImagePlan> {
    let image = &config.images[name];
    let digests = scope.image_needs(references(image)).digests;
    let is_later =
        |image: &String| scope.image(image).is_some_and(|known| known.digest == DigestState::Later);
    let is_provisional = digests.iter().any(is_later);
    let scope = scope.with_stand_ins();
    let plan = Filler { scope: &scope, found }.image(name, image, folder, place)?;
    let depends_on = scope.images_of(references(image)).into_iter().filter(|other| other != name);
    Some(ImagePlan { depends_on: depends_on.collect(), is_provisional, ..plan })
}

/// Every name that an image is made from; where it goes is not among them.
fn references(image: &ImageConfig) -> BTreeSet<String> {
    let is_place = |text: &Text| *text == image.repository || image.tags.contains(text);
    image.texts().filter(|text| !is_place(text)).flat_map(Text::references).collect()
}

/// Images that would have to be built before themselves, each told once.
fn cycles(config: &Config, scope: &Scope) -> Diagnostics {
    let (mut found, mut told) = (Diagnostics::default(), BTreeSet::new());
    for (name, image) in &config.images {
        let Some(path) = path_back(config, scope, &[name], &mut BTreeSet::new()) else { continue };
        if !path.iter().any(|image| told.contains(image)) {
            let message = format!("the image `{name}` is made from itself: {}", path.join(" → "));
            found.push(Diagnostic::at(image.repository.span().clone(), message));
            told.extend(path);
        }
    }
    found
}

/// The way from the first image of `path` back to it, over the images that each is made from; `seen`
/// are those from which there is none.
fn path_back(
    config: &Config,
    scope: &Scope,
    path: &[&str],
    seen: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    let name = *path.last()?;
    let references = references(config.images.get(name)?);
    let needs_itself = scope.image_needs(references.clone()).digests.contains(name);
    // Its own repository and tag are known before; only the digest comes afterwards.
    let others = scope.images_of(references).into_iter();
    for next in others.filter(|next| next != name || needs_itself) {
        let path: Vec<_> = path.iter().copied().chain([&*next]).collect();
        if next == path[0] {
            return Some(path.into_iter().map(str::to_owned).collect());
        }
        if seen.insert(next.clone())
            && let Some(found) = path_back(config, scope, &path, seen)
        {
            return Some(found);
        }
    }
    None
}

/// Two images under one reference would be one image: the one that is tagged last.
fn check_shared_tags(config: &Config, places: &IndexMap<&String, Place>, found: &mut Diagnostics) {
    let mut seen: IndexMap<String, &String> = IndexMap::new();
    for (name, place) in places {
        for planned in &place.tags {
            let reference = place.repository.tagged(&planned.tag);
            if let Some(other) = seen.get(&reference) {
                let message =
                    format!("the images `{other}` and `{name}` would both be `{reference}`");
                let span = config.images[*name].repository.span().clone();
                found.push(
                    Diagnostic::at(span, message)
                        .with_hint("give them repositories or tags of their own"),
                );
            }
            seen.insert(reference, name);
        }
    }
}

/// Where an image goes: what the names of other images can be made from.
fn place(image: &ImageConfig, scope: &Scope) -> Result<Place, Diagnostics> {
    let mut found = Diagnostics::default();
    let mut filler = Filler { scope, found: &mut found };
    let repository: Option<Repository> = filler.parsed(&image.repository);
    let mut tags = filler.tags(image);
    let main_tag = tags.iter().find(|tag| !tag.moving).or(tags.first()).map(|tag| tag.tag.clone());
    tags.sort_by_key(|planned| (planned.moving, planned.tag.as_str() == "latest"));
    match (repository, main_tag, found.is_empty()) {
        (Some(repository), Some(main_tag), true) => Ok(Place { repository, main_tag, tags }),
        _ => Err(found),
    }
}

/// Fills texts and collects what is wrong with them.
pub(crate) struct Filler<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) found: &'a mut Diagnostics,
}

impl Filler<'_> {
    fn image(
        &mut self,
        name: &str,
        image: &ImageConfig,
        folder: &Path,
        place: Place,
    ) -> Option<ImagePlan> {
        let before = self.found.as_slice().len();
        let context = self.optional(image.context.as_ref()).unwrap_or_else(|| ".".into());
        let dockerfile = self.optional(image.dockerfile.as_ref());
        let plan = ImagePlan {
            name: name.into(),
            context: folder.join(context),
            dockerfile: dockerfile.unwrap_or_else(|| "Dockerfile".into()).into(),
            target: self.optional(image.target.as_ref()),
            platform: match &image.platform {
                Some(text) => self.parsed(text)?,
                None => Platform::host(),
            },
            repository: place.repository,
            main_tag: place.main_tag,
            tags: place.tags,
            build_args: self.build_args(image),
            labels: self.pairs(&image.labels),
            secrets: self.secrets(&image.secrets),
            exposed: self.exposed(&image.insecure_build_args),
            test: image.test.as_ref().and_then(|test| self.test(test, folder)),
            depends_on: BTreeSet::new(),
            is_provisional: false,
            options: self.options(&image.options, folder),
        };
        (self.found.as_slice().len() == before).then_some(plan)
    }

    fn build_args(&mut self, image: &ImageConfig) -> IndexMap<String, String> {
        let mut filled = IndexMap::new();
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
                Ok((text, _)) => drop(filled.insert(name.clone(), text)),
                Err(errors) => self.found.extend(errors),
            }
        }
        self.date(&mut filled);
        filled
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
        Some(TestPlan {
            target: self.optional(test.target.as_ref()),
            command: test.command.iter().filter_map(|word| self.text(word)).collect(),
            env: self.pairs(&test.env),
            secrets: self.secrets(&test.secrets),
            timeout,
            reports: reports.into_iter().map(|(path, to)| (path, folder.join(to))).collect(),
        })
    }

    /// The secrets that stay in the image because shipspec.yml says so.
    fn exposed(&mut self, arguments: &IndexMap<String, Text>) -> BTreeSet<String> {
        let values = arguments.values().filter_map(|text| text.evaluate(self.scope).ok());
        values.flat_map(|value| value.secrets().clone()).collect()
    }

    fn tags(&mut self, image: &ImageConfig) -> Vec<PlannedTag> {
        if image.tags.is_empty() {
            let message = "`tags` is empty; an image needs a tag";
            self.found.push(Diagnostic::at(image.repository.span().clone(), message));
        }
        let mut tags: Vec<PlannedTag> = Vec::new();
        for text in &image.tags {
            let Some(tag) = self.parsed(text) else { continue };
            let moving = !self.scope.is_steady(text);
            match tags.iter_mut().find(|planned| planned.tag == tag) {
                Some(planned) => planned.moving &= moving,
                None => tags.push(PlannedTag { tag, moving }),
            }
        }
        tags
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

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, text: &Text) -> Option<T> {
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

    fn optional(&mut self, text: Option<&Text>) -> Option<String> {
        self.text(text?)
    }

    fn pairs(&mut self, pairs: &IndexMap<String, Text>) -> IndexMap<String, String> {
        pairs.iter().filter_map(|(name, text)| Some((name.clone(), self.text(text)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shipspec_spec::source::Source;
    use shipspec_spec::tag::Commit;

    use super::*;
    use crate::options::NamedContext;

    const EPOCH: &str = "SOURCE_DATE_EPOCH";

    fn plan_of(text: &str, environment: &[(&str, &str)]) -> Result<Vec<ImagePlan>, String> {
        let source = Source::new("shipspec.yml", format!("version: 1\n{text}"));
        let config = Config::parse(&source).map_err(|errors| errors.to_string())?;
        let environment: BTreeMap<_, _> =
            environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let commit = Ok(Commit::parse(&"0123456789".repeat(4)).unwrap());
        let mut scope = Scope::new(&config, environment, commit);
        plan(&config, &mut scope, Path::new("/project"), &DigestState::Later)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn an_image_needs_only_a_repository() {
        let plans = plan_of("images: { app: { repository: r.example/app } }", &[]).unwrap();
        assert_eq!(plans[0].context, Path::new("/project/."));
        assert_eq!(plans[0].dockerfile, Path::new("Dockerfile"));
        assert_eq!(plans[0].main_tag().as_str(), "0123456");
        assert!(!plans[0].tags[0].moving);
    }

    #[test]
    fn tags_that_move_come_last_and_latest_at_the_very_end() {
        let text = "images:\n  app:\n    repository: r.example/app\n    tags: [latest, dev, \"${COMMIT_HASH}\", dev]\n";
        let plans = plan_of(text, &[]).unwrap();
        let tags: Vec<_> = plans[0].tags.iter().map(|tag| (tag.tag.as_str(), tag.moving)).collect();
        assert_eq!(tags, [("0123456", false), ("dev", true), ("latest", true)]);
    }

    #[test]
    fn an_image_is_named_by_its_first_tag_that_does_not_move() {
        let main = |tags: &str| {
            let text =
                format!("images:\n  app:\n    repository: r.example/app\n    tags: [{tags}]\n");
            plan_of(&text, &[]).unwrap()[0].main_tag().to_string()
        };
        assert_eq!(main("latest, \"${COMMIT_HASH}\", dev"), "0123456");
        assert_eq!(main("latest, dev"), "latest");
    }

    #[test]
    fn two_images_under_one_reference_are_refused() {
        let text = "images:\n  a: { repository: r.example/x }\n  b: { repository: r.example/x, context: b }\n";
        assert_eq!(
            plan_of(text, &[]).unwrap_err(),
            "shipspec.yml:4:20: the images `a` and `b` would both be `r.example/x:0123456`"
        );
    }

    #[test]
    fn build_arguments_may_name_other_images_but_no_digest() {
        let text = "images:\n  base: { repository: r.example/base }\n  app:\n    repository: r.example/app\n    build_args: { BASE: \"${images.base.uri}\" }\n";
        assert_eq!(plan_of(text, &[]).unwrap()[1].build_args["BASE"], "r.example/base:0123456");
    }

    #[test]
    fn options_are_filled_and_judged() {
        let text = "images:\n  app:\n    repository: r.example/app\n    extra_hosts: { db: \"${IP}\" }\n    contexts: { shared: ../shared, base: \"docker-image://a:1\" }\n    ssh: [default]\n";
        let environment = [("IP", "10.0.0.1"), ("SSH_AUTH_SOCK", "/agent"), (EPOCH, "1700000000")];
        let plan = plan_of(text, &environment).unwrap().remove(0);
        assert_eq!(plan.options.extra_hosts["db"].to_string(), "10.0.0.1");
        let folder = NamedContext::Folder("/project/../shared".into());
        assert_eq!(plan.options.contexts["shared"], folder);
        assert_eq!(plan.options.contexts["base"], NamedContext::Image("a:1".into()));
        assert_eq!(plan.options.ssh["default"], Path::new("/agent"));
        assert_eq!(plan.build_args[EPOCH], "1700000000");

        let text = text.replace("docker-image", "https");
        assert_eq!(
            plan_of(&text, &[("IP", "host-gateway"), (EPOCH, "today")]).unwrap_err(),
            "`SOURCE_DATE_EPOCH` must be a number of seconds, not `today`\n\
             shipspec.yml:5:24: `host-gateway` is no IP address\n\
             shipspec.yml:6:42: `https://a:1` is no folder, and does not begin with `docker-image://`\n\
             shipspec.yml:7:11: `SSH_AUTH_SOCK` has no value"
        );
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let text = "images:\n  app:\n    repository: ${REPO}\n    tags: [\"a b\"]\n    platform: linux\n  other: { repository: \"\" }\n";
        assert_eq!(
            plan_of(text, &[]).unwrap_err(),
            "shipspec.yml:4:17: `REPO` has no value\n\
             shipspec.yml:5:12: `a b` cannot be a tag: ' ' is not allowed there\n\
             shipspec.yml:7:24: the repository is empty"
        );
    }
}
