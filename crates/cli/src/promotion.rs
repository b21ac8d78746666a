//! Images on their way from one registry to another: looked for, copied, confirmed, then tagged.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use futures_util::future::join_all;
use indexmap::IndexMap;
use shipspec_build::plan::{Promotion, PromotionPlan};
use shipspec_registry::access::{Access, AccessError};
use shipspec_registry::client::Client;
use shipspec_registry::ecr::EcrError;
use shipspec_registry::error::{ImmutableTag, RegistryError};
use shipspec_registry::observer::{Event as Moving, Observer, Way};
use shipspec_registry::tagging::{TagChange, refuse_immutable};
use shipspec_registry::transfer::{self, Amount, Copied};
use shipspec_spec::config::{PromotionConfig, SignInConfig, Text};
use shipspec_spec::hint::Hint as _;
use shipspec_spec::image::Digest;
use shipspec_spec::scope::{DigestState, ImageNames};

use crate::access;
use crate::console::Bytes;
use crate::context::Context;
use crate::failure::Several;
use crate::project::Project;
use crate::report::{AmountReport, CopyReport, ImageReport, Report, TagReport, columns, word};
use crate::tagging::{self, Holding, Newer};
use crate::users::{self, Users};

/// Brings images from one place to another.
pub(crate) struct Courier<'a> {
    context: &'a Context<'a>,
    source: Access,
    target: Access,
}

/// An image of which both ends are known.
struct Passage<'a> {
    plan: &'a PromotionPlan,
    digest: Digest,
    from: Client,
    to: Client,
}

/// An image that the target holds.
struct Arrived<'a> {
    passage: Passage<'a>,
    copied: Copied,
}

impl<'a> Courier<'a> {
    /// Nobody is asked yet.
    pub(crate) async fn new(context: &'a Context<'a>, users: &Users, plan: &Promotion) -> Self {
        let sources = plan.images.iter().map(|image| &image.source.repository.registry);
        let source = access::of_sources(context, users, sources).await;
        let targets: Vec<_> = plan.images.iter().map(|image| &image.repository.registry).collect();
        let target = access::of_targets(context, users, &targets, plan.role.as_ref()).await;
        Self { context, source, target }
    }

    /// Every image is in its repository, by digest, before the first tag is put.
    pub(crate) async fn promote(
        &self,
        plan: &Promotion,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let passages = join_all(plan.images.iter().map(|plan| self.look(plan))).await;
        let passages = all(passages)?;
        let checks = join_all(passages.iter().map(|passage| self.check_tags(passage))).await;
        report.not_checked.extend(all(checks)?.into_iter().flatten());
        let mut arrived = Vec::new();
        for passage in passages {
            let image = self.copy(passage).await?;
            report.images.push(image.report());
            arrived.push(image);
        }
        let holdings: Vec<_> = arrived.iter().map(Arrived::holding).collect();
        let newer = async { ((), Newer::default()) };
        tagging::tag_all(self.context, &holdings, newer, report).await?;
        Ok(())
    }

    /// Finds the digest, and opens both ends.
    async fn look<'p>(&self, plan: &'p PromotionPlan) -> anyhow::Result<Passage<'p>> {
        let from = self.source.client(&plan.source.repository)?;
        let to = self.target.client(&plan.repository)?;
        let digest = match &plan.source {
            ImageNames { digest: DigestState::Known(digest), .. } => digest.clone(),
            ImageNames { tag, repository, .. } => {
                let tag = tag.as_ref().map(ToString::to_string).unwrap_or_default();
                let found = from.manifest(&tag).await?;
                let found = found.ok_or_else(|| RegistryError::NoManifest {
                    repository: repository.clone(),
                    reference: tag,
                })?;
                found.digest
            }
        };
        // Asked now, a repository that is missing is told before anything is copied.
        to.manifest(digest.as_str()).await?;
        Ok(Passage { plan, digest, from, to })
    }

    /// A tag that cannot be put is told before anything is copied. Gives what could not be checked.
    async fn check_tags(&self, passage: &Passage<'_>) -> anyhow::Result<Vec<String>> {
        let (plan, digest) = (passage.plan, &passage.digest);
        let mutability = match self.target.mutability(&plan.repository).await {
            Ok(Some(mutability)) => mutability,
            Ok(None) => return Ok(Vec::new()),
            Err(error) if is_final(&error) => return Err(error.into()),
            Err(error) => {
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                let what = format!("tag mutability of {}: {error}{hint}", plan.repository);
                self.context.console.note(format_args!("not checked: {what}"));
                return Ok(vec![what]);
            }
        };
        for planned in &plan.tags {
            let tag = &planned.tag;
            if mutability.allows_moving(tag.as_str()) {
                continue;
            }
            let there = passage.to.manifest(tag.as_str()).await?.map(|manifest| manifest.digest);
            let Some(there) = there.filter(|there| there != digest) else { continue };
            let (repository, tag) = (plan.repository.clone(), tag.clone());
            return Err(if planned.moving {
                RegistryError::Pinned { repository, tag, there }.into()
            } else {
                let (wanted, there) = (digest.clone(), Some(there));
                let (wanted_pushed, there_pushed) = (None, None);
                let refused =
                    ImmutableTag { repository, tag, wanted, wanted_pushed, there, there_pushed };
                refuse_immutable(&passage.to, refused).await.into()
            });
        }
        Ok(Vec::new())
    }

    async fn copy<'p>(&self, passage: Passage<'p>) -> anyhow::Result<Arrived<'p>> {
        let (plan, console) = (passage.plan, self.context.console);
        let pinned = plan.source.repository.pinned(&passage.digest);
        console.note(format_args!("{}: copying {pinned} to {}", plan.name, plan.repository));
        let watch = Watch { context: self.context, image: &plan.name, sent: AtomicU64::new(0) };
        let copied = transfer::copy(&passage.from, &passage.to, &passage.digest, &watch).await;
        console.end(&plan.name);
        let copied = copied.with_context(|| {
            format!("failed to copy the image `{}` to `{}`", plan.name, plan.repository)
        })?;
        console.note(format_args!(
            "{}: {} holds {} ({})",
            plan.name,
            plan.repository,
            copied.manifest.digest,
            summary(&copied)
        ));
        Ok(Arrived { passage, copied })
    }
}

/// The error will not be another one when images are copied.
fn is_final(error: &AccessError) -> bool {
    match error {
        AccessError::Registry(_) | AccessError::Docker(_) => true,
        AccessError::Ecr { source, .. } => {
            matches!(source, EcrError::Credentials { .. } | EcrError::Role { .. })
        }
    }
}

/// Every result, or every error.
fn all<T>(results: Vec<anyhow::Result<T>>) -> anyhow::Result<Vec<T>> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => found.push(value),
            Err(error) => errors.push(error),
        }
    }
    match Several::join(errors) {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// Only what a promotion asks for is fetched: where it runs, the build's parameters may be out of
/// reach.
pub(crate) fn limit_parameters(
    project: &mut Project,
    target: &PromotionConfig,
    given: &IndexMap<String, ImageNames>,
) {
    users::retain_of(&mut project.config, &project.scope, target);
    let users = project.config.registries.values().flat_map(SignInConfig::texts);
    let mut names: BTreeSet<_> = target.texts().chain(users).flat_map(Text::references).collect();
    for (name, image) in &project.config.images {
        if !target.repositories.contains_key(name) {
            continue;
        }
        if !given.contains_key(name) {
            names.extend(image.repository.references());
        }
        if !given.contains_key(name) || target.tags.is_none() {
            names.extend(image.tags.iter().flat_map(Text::references));
        }
    }
    let names = project.scope.names(names);
    let asked: BTreeSet<_> =
        names.iter().map(|name| name.split('.').next().unwrap_or(name)).collect();
    project.requests.retain(|name, _| asked.contains(&**name));
}

/// Shows how a copy goes on.
struct Watch<'a> {
    context: &'a Context<'a>,
    image: &'a str,
    sent: AtomicU64,
}

impl Observer for Watch<'_> {
    fn observe(&self, event: Moving<'_>) {
        let (console, image) = (self.context.console, self.image);
        match event {
            Moving::Moved { bytes, .. } => {
                let sent = self.sent.fetch_add(bytes, Ordering::Relaxed) + bytes;
                console.say(image, format!("copying, {} sent", Bytes(sent)));
            }
            Moving::Done { digest, size, way } => {
                let way = match way {
                    Way::Copied => "sent",
                    Way::Mounted => "mounted",
                    Way::Skipped => "is there already",
                };
                let short: String = digest.as_str().chars().take(19).collect();
                console.note(format_args!("{image}: {short} ({}) {way}", Bytes(size)));
            }
        }
    }
}

impl Arrived<'_> {
    fn holding(&self) -> Holding<'_> {
        let Passage { plan, to, .. } = &self.passage;
        Holding { image: &plan.name, client: to, manifest: &self.copied.manifest, tags: &plan.tags }
    }

    fn report(&self) -> ImageReport {
        let (plan, copied) = (self.passage.plan, &self.copied);
        let tag = |planned: &shipspec_build::plan::PlannedTag| TagReport {
            tag: planned.tag.to_string(),
            moving: planned.moving,
            change: None,
            moved: None,
            reason: None,
        };
        let pinned = plan.repository.pinned(&copied.manifest.digest);
        let uri = plan.tags.first().map(|planned| plan.repository.tagged(&planned.tag));
        ImageReport {
            key: None,
            changed: None,
            reused: false,
            reason: None,
            name: plan.name.clone(),
            repository: plan.repository.to_string(),
            platform: None,
            tags: plan.tags.iter().map(tag).collect(),
            uri: uri.unwrap_or_else(|| pinned.clone()),
            digest: Some(copied.manifest.digest.to_string()),
            pinned: Some(pinned),
            media_type: Some(copied.manifest.media_type.clone()),
            size: Some(copied.size),
            exposed: Vec::new(),
            build_seconds: None,
            copied: Some(CopyReport {
                source: plan.source.repository.pinned(&self.passage.digest),
                sent: amount(copied.copied),
                mounted: amount(copied.mounted),
                skipped: amount(copied.skipped),
            }),
        }
    }
}

fn amount(Amount { count, bytes }: Amount) -> AmountReport {
    AmountReport { count, bytes }
}

fn summary(copied: &Copied) -> String {
    let kinds = [("sent", copied.copied), ("mounted", copied.mounted), ("skipped", copied.skipped)];
    let told: Vec<_> = kinds
        .iter()
        .filter(|(_, amount)| amount.count > 0)
        .map(|(word, Amount { count, bytes })| format!("{count} {word}, {}", Bytes(*bytes)))
        .collect();
    if told.is_empty() { "it was there".into() } else { told.join("; ") }
}

/// The images in columns.
pub(crate) fn table(report: &Report) -> String {
    let mut rows =
        vec![["image", "repository", "tag", "digest", "size", "sent"].map(str::to_owned)];
    for image in &report.images {
        let tag = |tag: &TagReport| match tag.change {
            Some(change) if change != word(TagChange::New) => {
                format!("{} ({change})", tag.tag)
            }
            _ => tag.tag.clone(),
        };
        let tags: Vec<_> = image.tags.iter().map(tag).collect();
        let digest = image.digest.as_deref().and_then(|digest| digest.get(..19)).unwrap_or("-");
        let sent = image.copied.as_ref().map_or(0, |copied| copied.sent.bytes);
        rows.push([
            image.name.clone(),
            image.repository.clone(),
            tags.join(", "),
            digest.into(),
            Bytes(image.size.unwrap_or(0)).to_string(),
            Bytes(sent).to_string(),
        ]);
    }
    columns(&rows)
}
