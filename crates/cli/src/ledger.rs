//! Where the releases of a pipeline are kept: as records in the repository of its first image.
//!
//! Each release has a tag with its time in it. Where tags can be moved, one more leads to the last; where
//! they cannot, or nobody knows, the newest is looked for among all tags.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::bail;
use sha2::{Digest as _, Sha256};
use shipspec_registry::access::Access;
use shipspec_registry::client::Client;
use shipspec_registry::error::RegistryError;
use shipspec_spec::codebuild::{BUILD_ID, INITIATOR, WEBHOOK_HEAD_REF};
use shipspec_spec::expression::Names as _;
use shipspec_spec::image::Digest;
use shipspec_spec::tag::Tag;

use crate::commit;
use crate::context::Context;
use crate::failure;
use crate::project::Project;
use crate::release::{Names, Release};

/// What all tags of releases begin with.
const PREFIX: &str = "shipspec-release-";

/// Characters of a pipeline's name that are in its tags.
const LONGEST_NAME: usize = 40;

/// Characters of an id that are in a tag: with the longest name and a time of thirteen digits, a tag has the
/// 128 that a registry takes.
const LONGEST_ID: usize = 128 - PREFIX.len() - LONGEST_NAME - "-0000000000000-".len();

/// Releases that are read to find one.
const MOST_READ: usize = 50;

/// Why nothing is said of what changed.
const UNREADABLE: &str = "its record is one that this version of shipspec cannot read";

/// How often a tag is looked for that no other release of the same time has.
const MOST_ATTEMPTS: u64 = 10;

/// The releases of one pipeline.
pub(crate) struct Ledger {
    client: Client,
    pipeline: String,
    pointer: Tag,
    /// The tag that leads to the last one can be moved, and so is right.
    has_pointer: bool,
    /// It is put wherever it is not known that it cannot be: another run may know more.
    puts_pointer: bool,
}

/// What stands under a tag of a release.
enum Read {
    Nothing,
    Release(Box<Release>),
    /// A record of another version of shipspec, or none at all.
    Unreadable,
}

/// A release that is not kept.
pub(crate) struct NotKept {
    pub(crate) error: anyhow::Error,
    /// Its record may be there all the same, and be found as that of the last release.
    pub(crate) may_be_found: bool,
}

/// Which release is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    Last,
    /// The one of a build of CodeBuild, or of a commit, or of its beginning.
    Of(&'a str),
}

impl Ledger {
    /// The releases of the pipeline that a run is of; nothing where it has no images.
    pub(crate) async fn open(
        context: &Context<'_>,
        project: &Project,
        access: &Access,
    ) -> anyhow::Result<Option<Self>> {
        let Some(first) = &project.first_image else { return Ok(None) };
        let pipeline = name(context, project)?;
        let pointer: Tag = format!("{PREFIX}{}", in_tag(&pipeline)).parse()?;
        let client = access.client(&first.repository)?;
        let mutability = access.mutability(&first.repository).await;
        let allowed = mutability.ok().flatten().map(|known| known.allows_moving(pointer.as_str()));
        let (has_pointer, puts_pointer) = (allowed == Some(true), allowed != Some(false));
        Ok(Some(Self { client, pipeline, pointer, has_pointer, puts_pointer }))
    }

    /// What the next release is called.
    pub(crate) fn names(&self, context: &Context<'_>, project: &Project) -> Names {
        let text = |name: &str| project.scope.resolve(name).ok().and_then(|value| value.text());
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let time = u64::try_from(time).unwrap_or_default();
        Names {
            pipeline: self.pipeline.clone(),
            build: context.variable(BUILD_ID).map(str::to_owned),
            commit: text("COMMIT"),
            tag: text("IMAGE_TAG"),
            time,
        }
    }

    /// The release, if there is one.
    pub(crate) async fn find(&self, which: Which<'_>) -> anyhow::Result<Option<Release>> {
        if self.has_pointer {
            match self.read(self.pointer.as_str()).await? {
                // Each release has put it.
                Read::Nothing => return Ok(None),
                Read::Unreadable if matches!(which, Which::Last) => bail!(UNREADABLE),
                Read::Release(last) if which.means(&last) => return Ok(Some(*last)),
                Read::Release(_) | Read::Unreadable => {}
            }
        }
        let tags = self.tags().await?;
        let (named, others): (Vec<_>, Vec<_>) =
            tags.iter().rev().partition(|(_, id)| which.names(id));
        for (tag, _) in named.into_iter().chain(others).take(MOST_READ) {
            match self.read(tag).await? {
                // An older one is not the last.
                Read::Unreadable if matches!(which, Which::Last) => bail!(UNREADABLE),
                Read::Release(release) if which.means(&release) => return Ok(Some(*release)),
                Read::Release(_) | Read::Unreadable | Read::Nothing => {}
            }
        }
        Ok(None)
    }

    /// The tags of all releases, the oldest first, and what each has for an id.
    async fn tags(&self) -> Result<Vec<(String, String)>, RegistryError> {
        let prefix = format!("{}-", self.pointer);
        let mut tags = self.client.tags().await?;
        tags.sort();
        let release = |tag: String| {
            let (time, id) = tag.strip_prefix(&prefix)?.split_once('-')?;
            let is_time = time.bytes().all(|byte| byte.is_ascii_digit());
            let id = id.to_owned();
            is_time.then_some((tag, id))
        };
        Ok(tags.into_iter().filter_map(release).collect())
    }

    async fn read(&self, tag: &str) -> Result<Read, RegistryError> {
        match self.client.record(tag).await {
            Ok(Some(text)) => Ok(match Release::parse(&text) {
                Some(release) => Read::Release(Box::new(release)),
                None => Read::Unreadable,
            }),
            Ok(None) | Err(RegistryError::NoRepository(_)) => Ok(Read::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Keeps a release. False if the registry takes no records at all.
    pub(crate) async fn keep(
        &self,
        context: &Context<'_>,
        release: &Release,
    ) -> Result<bool, NotKept> {
        let text = release.json();
        let not_kept = |error: anyhow::Error, may_be_found| {
            let repository = self.client.repository();
            let words = format!("failed to keep the record of this release in `{repository}`");
            NotKept { error: error.context(words), may_be_found }
        };
        if let Err(error) = self.keep_own(release, &text).await {
            let is_transient = match error.downcast_ref::<RegistryError>() {
                // It does not know this kind of manifest.
                Some(RegistryError::Answer { status: 400 | 404 | 405 | 415, .. }) => {
                    return Ok(false);
                }
                Some(error) => error.is_transient(),
                None => false,
            };
            return Err(not_kept(error, is_transient));
        }
        // Only now: it must not lead to a release that is not there.
        let Err(error) = self.point(&text).await else { return Ok(true) };
        if !self.has_pointer {
            // It leads nobody who knows as little, and the release is found without it.
            context.console.note(format_args!(
                "note: the tag `{}` does not lead to this release, which is found by its time: {:#}",
                self.pointer,
                anyhow::Error::from(error)
            ));
            return Ok(true);
        }
        // The request may have arrived, and only its answer not.
        match self.client.record(self.pointer.as_str()).await {
            Ok(Some(there)) if there == text => Ok(true),
            _ => Err(not_kept(error.into(), true)),
        }
    }

    async fn keep_own(&self, release: &Release, text: &str) -> anyhow::Result<()> {
        let id = release.build.as_deref().or(release.commit.as_deref()).unwrap_or("none");
        let mut later = 0;
        loop {
            let time = release.time + later;
            let tag: Tag = format!("{}-{time:013}-{}", self.pointer, id_in_tag(id)).parse()?;
            match self.client.put_record(&tag, text).await {
                // Another run of the same commit at the same time.
                Err(RegistryError::Immutable(_)) if later < MOST_ATTEMPTS => later += 1,
                other => return Ok(other?),
            }
        }
    }

    async fn point(&self, text: &str) -> Result<(), RegistryError> {
        if !self.puts_pointer {
            return Ok(());
        }
        match self.client.put_record(&self.pointer, text).await {
            // That is how it becomes known.
            Err(RegistryError::Immutable(_)) if !self.has_pointer => Ok(()),
            // Registries other than ECR have words of their own for it.
            Err(RegistryError::Answer { status: 400..429, .. } | RegistryError::Denied { .. })
                if !self.has_pointer =>
            {
                Ok(())
            }
            other => other,
        }
    }
}

impl Which<'_> {
    /// The release is it. What is no release is the last thing that was put out, and nothing else.
    fn means(self, release: &Release) -> bool {
        let Self::Of(wanted) = self else { return true };
        if release.partial {
            return false;
        }
        let build = release.build.as_deref();
        let is_build = build.is_some_and(|build| id_in_tag(build) == id_in_tag(wanted));
        let commit = release.commit.as_deref();
        is_build || commit.is_some_and(|commit| commit.starts_with(wanted))
    }

    /// The id in a tag is what is asked for.
    fn names(self, id: &str) -> bool {
        matches!(self, Self::Of(wanted) if id.starts_with(&id_in_tag(wanted)))
    }
}

/// What the pipeline is called: as shipspec.yml says, else by the branch, else as `CodePipeline` calls it.
fn name(context: &Context<'_>, project: &Project) -> anyhow::Result<String> {
    if let Some(text) = &project.config.name {
        let (name, value) = text.evaluate_text(&project.scope)?;
        if name.is_empty() || !value.secrets().is_empty() {
            let message = format!("`name` ({}) is empty or secret", text.as_written());
            return Err(failure::input(message, None));
        }
        return Ok(name);
    }
    let branch = context
        .variable(WEBHOOK_HEAD_REF)
        .map(|text| text.strip_prefix("refs/heads/").unwrap_or(text).to_owned());
    let initiator =
        || context.variable(INITIATOR)?.strip_prefix("codepipeline/").map(str::to_owned);
    let branch = branch.or_else(initiator).or_else(|| commit::branch(&context.folder));
    Ok(branch.unwrap_or_else(|| "default".into()))
}

/// A name as it can stand in a tag. What had to be changed is told apart by a hash.
fn in_tag(name: &str) -> String {
    let is_legal = |character: char| character.is_ascii_alphanumeric() || "_.".contains(character);
    let legal: String =
        name.chars().map(|character| if is_legal(character) { character } else { '_' }).collect();
    if legal == name && name.len() <= LONGEST_NAME {
        return legal;
    }
    let hash = Digest::from_sha256(Sha256::digest(name).into());
    let start: String = legal.chars().take(LONGEST_NAME - 9).collect();
    format!("{start}_{}", &hash.hex()[..8])
}

/// A build's id without its project, or a commit, as it can stand in a tag.
fn id_in_tag(id: &str) -> String {
    let id = id.rsplit(':').next().unwrap_or(id);
    let is_legal =
        |character: &char| character.is_ascii_alphanumeric() || "_.-".contains(*character);
    id.chars().filter(is_legal).take(LONGEST_ID).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pipelines_are_told_apart_in_tags() {
        assert_eq!(in_tag("main"), "main");
        assert!(in_tag("feature/x").starts_with("feature_x_"));
        assert_ne!(in_tag("feature/x"), in_tag("feature-x"));
        assert!(in_tag(&"a".repeat(200)).len() <= LONGEST_NAME);
        assert_eq!(id_in_tag("shop:0a1b-2c"), "0a1b-2c");
    }

    #[test]
    fn the_longest_names_of_a_release_are_a_tag() {
        let (name, id) = (in_tag(&"a".repeat(200)), id_in_tag(&"b".repeat(200)));
        let tag = format!("{PREFIX}{name}-{:013}-{id}", 1_700_000_000_000_u64);
        assert_eq!(tag.len(), 128);
        assert!(tag.parse::<Tag>().is_ok());
        // Commits of git and builds of CodeBuild are in it whole.
        assert_eq!(id_in_tag(&"c".repeat(40)).len(), 40);
    }
}
