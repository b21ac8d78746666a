//! From configuration and values to what is to be built. Nothing is asked or touched here.

mod fill;
mod foreign;
mod order;
mod promotion;
mod shared;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use shipspec_registry::repository::RepositorySettings;
use shipspec_spec::config::{Config, ImageConfig};
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Repository;
use shipspec_spec::place::Role;
use shipspec_spec::platform::Platform;
use shipspec_spec::scope::{DigestState, ImageNames, Scope};
use shipspec_spec::secret::Secret;
use shipspec_spec::tag::Tag;

use crate::options::BuildOptions;
use crate::reuse::Reuse;
pub(crate) use fill::Filler;
use fill::{Place, place};
pub use foreign::ForeignPlan;
use foreign::plan_foreign;
use order::{cycles, references};
pub use promotion::{Promotion, PromotionPlan, plan_promotion};

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
    /// Further repositories that get it.
    pub mirrors: Vec<Repository>,
    /// The role to assume for the registry of the first one.
    pub role: Option<Role>,
    /// Plain HTTP is spoken with that registry.
    pub insecure: bool,
    /// How that is made where there is none, if it is to be.
    pub create_repository: Option<RepositorySettings>,
    /// Its tags, never none, in the order in which they are put: first those that belong to the
    /// source version, then those that move, `latest` last.
    pub tags: Vec<PlannedTag>,
    /// One of its tags is made from its content key, and stands in for it until that is known.
    pub has_content: bool,
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
    /// Where each build argument that holds secrets comes from, by its name.
    pub secret_args: IndexMap<String, SecretArgument>,
    /// What has to succeed before it is pushed.
    pub test: Option<TestPlan>,
    /// How it is built.
    pub options: BuildOptions,
    /// Whether it is built if the registry holds it already.
    pub reuse: Reuse,
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

/// What a build argument is made from that holds secrets: together with their versions this tells its
/// value without telling it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretArgument {
    /// The secrets in it.
    pub secrets: BTreeSet<String>,
    /// Its text with the name of each secret in place of the secret; nothing if the text cannot be made
    /// without knowing what they hold.
    pub without_secrets: Option<String>,
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
    /// The repositories that it goes to; the first is the one that it is named by.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        std::iter::once(&self.repository).chain(&self.mirrors)
    }

    /// The tag that names this image.
    #[must_use]
    pub fn main_tag(&self) -> &Tag {
        &self.main_tag
    }
}

/// What shipspec.yml says of images, every text filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plans {
    /// Those that are built.
    pub images: Vec<ImagePlan>,
    /// Those that others build.
    pub foreign: Vec<ForeignPlan>,
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
) -> Result<Plans, Diagnostics> {
    let mut found = Diagnostics::default();
    let foreign = plan_foreign(config, scope, &mut found);
    let has_all = found.is_empty();
    let mut places = IndexMap::new();
    for (name, image) in &config.images {
        match place(name, image, scope) {
            Ok(place) => drop(places.insert(name, place)),
            Err(errors) => found.extend(errors),
        }
    }
    for (name, place) in &places {
        let names = ImageNames {
            repository: place.repository.clone(),
            tag: Some(place.main_tag.clone()),
            is_keyed: place.is_keyed,
            digest: digest.clone(),
            written: None,
        };
        scope.set_image(name, names);
    }
    found.extend(cycles(config, scope));
    let mut images = Vec::new();
    for (name, place) in places {
        images.extend(fill(config, scope, folder, name, place, &mut found));
    }
    let plans = Plans { images, foreign };
    shared::check(&plans, config, &mut found);
    // What is not known because another mistake is in the way is no second mistake.
    let found = if has_all { found } else { found.without_premature() };
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
    let place = place(name, &config.images[name], scope)?;
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
    let is_provisional = digests.iter().any(is_later) || awaits_tags(scope, name, image);
    let scope = scope.with_stand_ins().for_content_of(name);
    let plan = Filler { scope: &scope, found }.image(name, image, folder, place)?;
    let mut depends_on = scope.images_of(references(image));
    depends_on.retain(|other| other != name && !scope.is_foreign(other));
    Some(ImagePlan { depends_on, is_provisional, ..plan })
}

/// It is made from another image whose tag is not known before that has its key.
fn awaits_tags(scope: &Scope, name: &str, image: &ImageConfig) -> bool {
    let others = scope.images_of(references(image));
    let awaits = |other: &String| {
        let names = scope.image(other).filter(|_| other != name);
        names.is_some_and(|names| names.is_keyed) && !scope.has_content(other)
    };
    others.iter().any(awaits)
}

/// The tags of an image, now that its content is known.
///
/// # Errors
///
/// As [`plan`], for these tags.
pub fn with_content(
    image: &ImageConfig,
    scope: &Scope,
    plan: ImagePlan,
    content: &Tag,
) -> Result<ImagePlan, Diagnostics> {
    let mut scope = scope.clone();
    scope.set_content(&plan.name, content, content);
    let Place { tags, main_tag, .. } = place(&plan.name, image, &scope)?;
    Ok(ImagePlan { tags, main_tag, ..plan })
}

#[cfg(test)]
mod tests;
