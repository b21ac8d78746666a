//! What the registries hold already: each image is looked for by its content key, before an engine is
//! asked for anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use shipspec_build::plan::ImagePlan;
use shipspec_build::publish::Staged;
use shipspec_build::reuse::{BUILT_LABEL, Held, Reuse, built_now, find};
use shipspec_registry::access::Access;
use shipspec_spec::aws::causes;
use shipspec_spec::config::NoCache;
use shipspec_spec::image::{Digest, ImageReference};
use shipspec_spec::tag::Tag;

use crate::console::Bytes;
use crate::context::Context;
use crate::failure;
use crate::keys::{Key, Keys};
use crate::project::Project;

/// Why an image has to be in the engine.
const BY_TAG: &str = "another image of this run is made from it by its tag; `….pinned` in place of `….uri` names it for good";

/// Why an image has no key.
const ON_TAG: &str = "it is made from another image of this run by its tag, which is put at the end; `….pinned` in place of `….uri` names it for good";

/// The images that are built whatever the registries hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Rebuild {
    #[default]
    None,
    All,
    Only(BTreeSet<String>),
}

/// An image that was looked for.
pub(crate) struct Looked {
    pub(crate) plan: ImagePlan,
    /// What it is made from; nothing if that is not known, or nobody asked.
    pub(crate) key: Option<Key>,
    /// It is found by that key later.
    pub(crate) is_kept: bool,
    /// What its registry holds, if that is taken.
    pub(crate) held: Option<Staged>,
    /// What its registry holds, if that is not wanted any more.
    pub(crate) replaced: Option<Digest>,
    /// Why it is built.
    pub(crate) reason: String,
    /// The tag that its content gives it, of an image that has such a tag.
    pub(crate) content: Option<Tag>,
}

/// An image cannot have the tag that its content would give it.
pub(crate) fn no_content(plan: &ImagePlan, reason: &str) -> anyhow::Error {
    let message = format!("the tag `content` of the image `{}` is not known: {reason}", plan.name);
    failure::input(message, Some("give the image another tag, or remove the reason"))
}

/// Looks for images.
pub(crate) struct Memory<'a> {
    context: &'a Context<'a>,
    access: Access,
    keys: Keys,
    rebuild: Rebuild,
    /// Images that others are made from by a tag: only the engine can give them to a build.
    by_tag: BTreeSet<ImageReference>,
    /// The images that are made from these.
    on_tags: BTreeSet<String>,
    /// Registries are not asked for images: keys are made for the tags that need them.
    is_blind: bool,
    /// What is not said yet: it is not known whether anything will come of the run.
    unsaid: Mutex<Option<Vec<String>>>,
}

impl Rebuild {
    pub(crate) fn new(names: Option<&[String]>, project: &Project) -> anyhow::Result<Self> {
        match names {
            None => Ok(Self::None),
            Some([]) => Ok(Self::All),
            Some(names) => {
                project.require_known(names)?;
                Ok(Self::Only(names.iter().cloned().collect()))
            }
        }
    }

    fn has(&self, image: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.contains(image),
        }
    }
}

impl Looked {
    /// An image that has no key.
    pub(crate) fn unknown(plan: ImagePlan, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { plan, key: None, is_kept: false, held: None, replaced: None, reason, content: None }
    }

    /// What the engine is to build. Of an image that is built again although it could be had, every step
    /// is made anew: that is what it is built again for.
    pub(crate) fn to_build(&self) -> ImagePlan {
        let mut plan = self.plan.clone();
        if self.replaced.is_some() {
            plan.options.no_cache = NoCache::Always;
        }
        if self.is_kept && matches!(plan.reuse, Reuse::For(_)) {
            plan.labels.insert(BUILT_LABEL.into(), built_now());
        }
        plan
    }
}

impl<'a> Memory<'a> {
    /// Nothing is asked yet.
    pub(crate) fn new(
        context: &'a Context<'a>,
        access: &Access,
        plans: &[ImagePlan],
        rebuild: Rebuild,
    ) -> Self {
        let keys = Keys::new(access.clone(), plans);
        let bases: Vec<_> = plans.iter().map(|plan| (plan, keys.own_bases(plan))).collect();
        let on_tags = bases.iter().filter(|(_, bases)| !bases.is_empty());
        let on_tags = on_tags.map(|(plan, _)| plan.name.clone()).collect();
        let by_tag = bases.into_iter().flat_map(|(_, bases)| bases).collect();
        let (access, is_blind, unsaid) = (access.clone(), false, Mutex::default());
        Self { context, access, keys, rebuild, by_tag, on_tags, is_blind, unsaid }
    }

    /// The same, which says nothing before [`Memory::speak`].
    pub(crate) fn silent(self) -> Self {
        Self { unsaid: Mutex::new(Some(Vec::new())), ..self }
    }

    /// Says what was not said yet, and all else as it comes.
    pub(crate) fn speak(&self) {
        let unsaid = self.unsaid.lock().ok().and_then(|mut unsaid| unsaid.take());
        for note in unsaid.into_iter().flatten() {
            self.context.console.note(note);
        }
    }

    fn note_built(&self, plan: &ImagePlan, reason: &str) {
        let note = format!("note: `{}` is built: {reason}", plan.name);
        match self.unsaid.lock().ok().as_mut().and_then(|unsaid| unsaid.as_mut()) {
            Some(unsaid) => unsaid.push(note),
            None => self.context.console.note(note),
        }
    }

    /// The same, which asks no registry for images: only what the keys of tags are made from.
    pub(crate) fn blind(self) -> Self {
        Self { is_blind: true, ..self }
    }

    /// As [`Keys::doubt`].
    pub(crate) async fn doubt(
        &self,
        key: &Key,
        untold: &BTreeSet<ImageReference>,
    ) -> Option<String> {
        self.keys.doubt(key, untold).await
    }

    /// Looks for every image that can have a key yet: one that is made from another by its digest has
    /// to wait until that one is found or built. What is found is known to `project` afterwards.
    pub(crate) async fn look_up_all(
        &self,
        project: &mut Project,
        plans: &[ImagePlan],
    ) -> anyhow::Result<BTreeMap<String, Looked>> {
        let mut looked: BTreeMap<String, Looked> = BTreeMap::new();
        loop {
            let is_found = |name: &String| {
                let is_known = |it: &Looked| it.held.is_some() || self.is_blind;
                looked.get(name).is_some_and(is_known)
            };
            let is_ready = |plan: &&ImagePlan| {
                let is_known = !plan.is_provisional || plan.depends_on.iter().all(is_found);
                !looked.contains_key(&plan.name) && is_known
            };
            let mut lookups = Vec::new();
            for plan in plans.iter().filter(is_ready) {
                let plan = project.plan_now(self.context, plan)?;
                let versions = project.secret_versions(&plan);
                lookups.push(self.look_up(plan, versions));
            }
            if lookups.is_empty() {
                return Ok(looked);
            }
            for found in futures_util::future::join_all(lookups).await {
                let mut found: Looked = found?;
                if let Some(content) = found.content.clone() {
                    found.plan = project.with_content(found.plan, &content)?;
                    project.set_content(&found.plan, &content);
                }
                if let Some(held) = &found.held {
                    project.set_digest(&found.plan.name, held.published().digest.clone());
                }
                looked.insert(found.plan.name.clone(), found);
            }
        }
    }

    /// Looks for one image.
    pub(crate) async fn look_up(
        &self,
        plan: ImagePlan,
        versions: BTreeMap<String, String>,
    ) -> anyhow::Result<Looked> {
        let excuse = self.excuse(&plan);
        if let Some(excuse) = excuse.filter(|_| !plan.has_content) {
            if excuse == BY_TAG {
                self.note_built(&plan, excuse);
            }
            return Ok(Looked::unknown(plan, excuse));
        }
        let key = match self.keys.make(&plan, &versions).await {
            Ok(_) if self.on_tags.contains(&plan.name) => Err(ON_TAG.to_owned()),
            key => key,
        };
        match (key, excuse) {
            (Ok(key), None) => self.judge(plan, key).await,
            // It has the tag that its content gives it, and is not looked for by it.
            (Ok(key), Some(excuse)) => {
                let content = Some(Tag::of_content(key.id, 1));
                Ok(Looked { key: Some(key), content, ..Looked::unknown(plan, excuse) })
            }
            (Err(reason), _) if plan.has_content => Err(no_content(&plan, &reason)),
            (Err(reason), _) => {
                self.note_built(&plan, &reason);
                Ok(Looked::unknown(plan, reason))
            }
        }
    }

    /// Why an image is not looked for, whatever its key is.
    fn excuse(&self, plan: &ImagePlan) -> Option<&'static str> {
        match plan.reuse {
            _ if self.is_blind => Some(""),
            Reuse::Never => Some("`reuse` is false"),
            _ if self.is_by_tag(plan) => Some(BY_TAG),
            _ => None,
        }
    }

    fn is_by_tag(&self, plan: &ImagePlan) -> bool {
        self.by_tag.iter().any(|reference| {
            let mut tags = plan.tags.iter().map(|planned| planned.tag.as_str());
            reference.repository == plan.repository && tags.any(|tag| tag == reference.tag)
        })
    }

    async fn judge(&self, plan: ImagePlan, key: Key) -> anyhow::Result<Looked> {
        let held = find(&self.access, &plan, &key.id).await?;
        let refusal = self.refusal(&plan, &held).await;
        let digest = held.digest().cloned();
        let content = plan.has_content.then(|| Tag::of_content(key.id, held.number()));
        let (held, replaced, reason) = match (digest, refusal) {
            (None, _) => (None, None, "its registry holds none that is made from the same".into()),
            (Some(_), None) => (held.take(&plan), None, String::new()),
            (Some(digest), Some(refusal)) => (None, Some(digest), refusal),
        };
        let (key, is_kept) = (Some(key), true);
        Ok(Looked { plan, key, is_kept, held, replaced, reason, content })
    }

    /// Why what a registry holds is not taken.
    async fn refusal(&self, plan: &ImagePlan, held: &Held) -> Option<String> {
        held.digest()?;
        if self.rebuild.has(&plan.name) {
            return Some("`--rebuild` says so".into());
        }
        let Reuse::For(limit) = plan.reuse else { return None };
        let reason = match held.age().await {
            Ok(Some(age)) if age <= limit => return None,
            Ok(Some(age)) => format!(
                "what its registry holds was built {} ago, and `reuse` says {}",
                Age(age),
                Age(limit)
            ),
            Ok(None) => "what its registry holds does not say when it was built".into(),
            Err(error) => {
                format!(
                    "when it was built is not known of what its registry holds: {}",
                    causes(&error)
                )
            }
        };
        self.note_built(plan, &reason);
        Some(reason)
    }

    /// Says that an image is not built.
    pub(crate) fn tell_reused(&self, plan: &ImagePlan, held: &Staged) {
        let (name, published) = (&plan.name, held.published());
        self.context.console.note(format_args!(
            "{name}: reused, the registry holds {} ({})",
            published.digest,
            Bytes(published.size)
        ));
    }

    /// Says what speaks against taking an image again that was built and has a key.
    pub(crate) fn note_doubts(&self, plan: &ImagePlan, key: &Key) {
        let name = &plan.name;
        for secret in key.parts.unversioned() {
            self.context.console.note(format_args!(
                "note: the secret `{secret}` of `{name}` has no version: another value of it is no reason to build `{name}` again"
            ));
        }
        if plan.reuse == Reuse::Default && !key.online.is_empty() {
            let lines: Vec<_> = key.online.iter().map(|step| step.line.to_string()).collect();
            let word = if lines.len() == 1 { "line" } else { "lines" };
            self.context.console.note(format_args!(
                "note: `{name}` is reused from now on while its sources are the same, but its Dockerfile may use the network ({word} {}): `reuse: 7d` builds it again after a week, `reuse: true` ends this note",
                lines.join(", ")
            ));
        }
    }
}

/// A length of time in the largest unit that it has one of.
struct Age(Duration);

impl std::fmt::Display for Age {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        let units = [("d", 86_400), ("h", 3_600), ("m", 60)];
        let (unit, length) =
            units.into_iter().find(|(_, length)| seconds >= *length).unwrap_or(("s", 1));
        write!(formatter, "{}{unit}", seconds / length)
    }
}
