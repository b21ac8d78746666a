//! Images on their way into the engine and to a staging tag: in the order in which they are made from
//! each other, and side by side where they are not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shipspec_build::docker::{BuildInputs, BuildSecret, Built, Engine, LocalImage};
use shipspec_build::plan::{ImagePlan, with_content};
use shipspec_build::progress::{Event, Reporter as _};
use shipspec_build::publish::{Staged, stage};
use shipspec_build::reuse::{BaseDigests, keep};
use shipspec_registry::access::Access;
use shipspec_registry::client::Client;
use shipspec_spec::config::ImageConfig;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Digest;
use shipspec_spec::scope::Scope;
use shipspec_spec::tag::Tag;

use crate::context::Context;
use crate::keys::Key;
use crate::project::Project;
use crate::report::Report;
use crate::reuse::{Looked, Memory, no_content};
use crate::tagging::Holding;

/// An image that is made.
pub(crate) struct Made {
    /// What it was made from.
    pub(crate) plan: ImagePlan,
    /// Where it is in the engine; nothing if the engine was not asked for it.
    pub(crate) image: Option<LocalImage>,
    /// Where it is in the registry; nothing if it was not brought there.
    pub(crate) staged: Option<Staged>,
    /// The further repositories that hold it.
    pub(crate) mirrors: Vec<Client>,
    /// What it is known by, if it can be found again.
    pub(crate) key: Option<Key>,
    /// The tag that its content gives it, if it has such a tag.
    content: Option<Tag>,
    /// It was in the registry before.
    pub(crate) is_reused: bool,
    build_seconds: Option<f64>,
}

/// Knows the tags of an image from its content on.
struct Tagger {
    image: ImageConfig,
    scope: Scope,
}

impl Tagger {
    /// For an image that has such tags.
    fn new(project: &Project, plan: &ImagePlan) -> Option<Self> {
        let image = plan.has_content.then(|| project.config.images.get(&plan.name))??;
        Some(Self { image: image.clone(), scope: project.scope.clone() })
    }

    fn tag(&self, plan: ImagePlan, content: &Tag) -> Result<ImagePlan, Diagnostics> {
        with_content(&self.image, &self.scope, plan, content)
    }
}

/// Makes images.
#[derive(Clone, Copy)]
pub(crate) struct Maker<'a> {
    pub(crate) context: &'a Context<'a>,
    /// Nothing if there is nothing to build.
    pub(crate) engine: Option<&'a Engine>,
    pub(crate) access: &'a Access,
    /// They are brought to their registries, under tags that nobody deploys.
    pub(crate) stages: bool,
    /// Who knows what the registries hold; nothing if nobody asks.
    pub(crate) memory: Option<&'a Memory<'a>>,
}

impl<'a> Maker<'a> {
    fn engine(self) -> anyhow::Result<&'a Engine> {
        self.engine.context("no engine was connected to")
    }

    /// Makes all images, at most `jobs` at a time. The first that fails ends the others. Those that
    /// were `looked` for and found are there already. Digests that are told on the way are known to
    /// `project` afterwards.
    pub(crate) async fn make_all(
        self,
        project: &mut Project,
        plans: &[ImagePlan],
        mut looked: BTreeMap<String, Looked>,
        jobs: usize,
        report: &mut Report,
    ) -> anyhow::Result<Vec<Made>> {
        let mut waiting: Vec<_> = plans.iter().collect();
        let mut open: BTreeSet<_> = plans.iter().map(|plan| plan.name.clone()).collect();
        let mut running = FuturesUnordered::new();
        let mut made = BTreeMap::new();
        loop {
            while running.len() < jobs
                && let Some(ready) =
                    waiting.iter().position(|plan| plan.depends_on.is_disjoint(&open))
            {
                let plan = waiting.remove(ready);
                let plan = match looked.get(&plan.name) {
                    Some(looked) => looked.plan.clone(),
                    None if self.stages => project.plan_now(self.context, plan)?,
                    None => plan.clone(),
                };
                let secrets = project.build_secrets(&plan);
                let versions = project.secret_versions(&plan);
                let tagger = Tagger::new(project, &plan);
                let looked = looked.remove(&plan.name);
                running.push(self.make(looked, plan, tagger, secrets, versions));
            }
            let Some(done) = running.next().await else { break };
            let done: Made = done?;
            if let Some(content) = &done.content {
                project.set_content(&done.plan, content);
            }
            if let Some(staged) = &done.staged {
                project.set_digest(&done.plan.name, staged.published().digest.clone());
            }
            open.remove(&done.plan.name);
            made.insert(done.plan.name.clone(), done);
        }
        let made: Vec<_> = plans.iter().filter_map(|plan| made.remove(&plan.name)).collect();
        for made in &made {
            made.tell(report);
        }
        Ok(made)
    }

    async fn make(
        self,
        looked: Option<Looked>,
        plan: ImagePlan,
        tagger: Option<Tagger>,
        secrets: BTreeMap<String, BuildSecret>,
        versions: BTreeMap<String, String>,
    ) -> anyhow::Result<Made> {
        let mut looked = match (looked, self.memory) {
            (Some(looked), _) => looked,
            (None, Some(memory)) => memory.look_up(plan, versions).await?,
            (None, None) => Looked::unknown(plan, ""),
        };
        if let (Some(content), Some(tagger)) = (&looked.content, &tagger) {
            looked.plan = tagger.tag(looked.plan, content)?;
        }
        if let Some(held) = looked.held.take() {
            if let Some(memory) = self.memory {
                memory.tell_reused(&looked.plan, &held);
            }
            let Looked { plan, key, content, .. } = looked;
            let made = Made::new(plan, key, content);
            return self.mirror(Made { staged: Some(held), is_reused: true, ..made }).await;
        }
        self.make_new(looked, tagger.as_ref(), secrets).await
    }

    async fn make_new(
        self,
        looked: Looked,
        tagger: Option<&Tagger>,
        secrets: BTreeMap<String, BuildSecret>,
    ) -> anyhow::Result<Made> {
        let start = Instant::now();
        let plan = &looked.plan;
        let reference = plan.repository.tagged(plan.main_tag());
        let bases = looked.key.as_ref().map(|key| &key.bases);
        let built = self.build(&looked.to_build(), &reference, &secrets, bases).await?;
        let duration = start.elapsed();
        self.context.console.report(Event::Built { image: &plan.name, duration });
        let doubt = self.doubt(&built, looked.key.as_ref()).await;
        self.test(plan, &reference, &secrets, bases).await?;
        let Looked { plan, key, replaced, content, is_kept, .. } = looked;
        let mut key = key.filter(|_| is_kept);
        if let Some(doubt) = doubt {
            if content.is_some() {
                return Err(no_content(&plan, &doubt));
            }
            let name = &plan.name;
            self.context
                .console
                .note(format_args!("note: `{name}` cannot be reused later: {doubt}"));
            key = None;
        }
        let build_seconds = Some(duration.as_secs_f64());
        let image = Some(built.image);
        let made = Made { image, build_seconds, ..Made::new(plan, key, content) };
        if !self.stages {
            return Ok(made);
        }
        self.mirror(self.stage(made, replaced.as_ref(), tagger).await?).await
    }

    /// Why the image may not be what its key says.
    async fn doubt(self, built: &Built, key: Option<&Key>) -> Option<String> {
        let (key, memory) = (key?, self.memory?);
        match doubt(built, key) {
            None => memory.doubt(key, &built.untold_bases).await,
            doubt => doubt,
        }
    }

    /// Runs the test of an image, in a stage of its own if it says so.
    async fn test(
        self,
        plan: &ImagePlan,
        reference: &str,
        secrets: &BTreeMap<String, BuildSecret>,
        bases: Option<&BaseDigests>,
    ) -> anyhow::Result<()> {
        let Some(test) = &plan.test else { return Ok(()) };
        let console = self.context.console;
        let engine = self.engine()?;
        let (name, explain) = (&plan.name, || format!("failed to test the image `{}`", plan.name));
        if test.target.is_none() {
            let tested = engine.test(name, reference, test, console).await;
            return tested.with_context(explain);
        }
        // A name that no other run has, and that is not left behind.
        let passing = format!("shipspec-test:{}-{:08x}", plan.main_tag(), rand::random::<u32>());
        let mut stage = ImagePlan { target: test.target.clone(), ..plan.clone() };
        // What is kept for later builds is that of the image.
        stage.options.cache_to = None;
        let _passing = engine.passing(&passing);
        self.build(&stage, &passing, secrets, bases).await?;
        let tested = engine.test(name, &passing, test, console).await;
        tested.with_context(explain)
    }

    async fn build(
        self,
        plan: &ImagePlan,
        tag: &str,
        secrets: &BTreeMap<String, BuildSecret>,
        bases: Option<&BaseDigests>,
    ) -> anyhow::Result<Built> {
        let image = &*plan.name;
        self.context.console.report(Event::BuildStarted { image });
        let inputs = BuildInputs { plan, tag, access: self.access, secrets, bases };
        let built = self.engine()?.build(&inputs, self.context.console).await;
        let built = built.with_context(|| format!("failed to build the image `{image}`"))?;
        self.note_build(image, &built);
        Ok(built)
    }

    /// Says what is not as one would expect.
    fn note_build(self, image: &str, built: &Built) {
        if built.is_classic {
            self.context.console.note(format_args!(
                "note: the engine has no BuildKit; its classic builder built `{image}`"
            ));
        }
        for id in &built.unknown_secrets {
            self.context.console.note(format_args!(
                "note: a step of `{image}` asked for the secret `{id}`, which was not given, and ran without it"
            ));
        }
        for id in &built.unknown_agents {
            self.context.console.note(format_args!(
                "note: a step of `{image}` asked for the ssh agent `{id}`, which is not under `ssh`, and ran without it"
            ));
        }
    }

    /// Brings an image of the engine to its registry: under its key, where it can be found again.
    async fn stage(
        self,
        made: Made,
        replaced: Option<&Digest>,
        tagger: Option<&Tagger>,
    ) -> anyhow::Result<Made> {
        let Some(image) = &made.image else { return Ok(made) };
        let (plan, console, access) = (&made.plan, self.context.console, self.access);
        let engine = self.engine()?;
        let Some(key) = &made.key else {
            let staged = stage(engine, plan, image, access, console).await?;
            return Ok(Made { staged: Some(staged), ..made });
        };
        let wanted = (&key.id, replaced);
        let kept = keep(engine, plan, image, wanted, access, console).await?;
        if kept.is_adopted {
            console.note(format_args!(
                "note: another run was faster: `{}` is the image that it made from the same",
                plan.name
            ));
        } else if let Some(memory) = self.memory {
            memory.note_doubts(plan, key);
        }
        let content = made.content.as_ref().map(|_| Tag::of_content(key.id, kept.number));
        let made = Made { staged: Some(kept.staged), ..made };
        let (Some(content), Some(tagger)) = (content, tagger) else { return Ok(made) };
        // Only now it is known which of several images of one content it is.
        let plan = tagger.tag(made.plan, &content)?;
        Ok(Made { plan, content: Some(content), ..made })
    }

    /// Brings images to their registries that are in the engine already, and gives them all of their
    /// tags there.
    pub(crate) async fn stage_all(
        self,
        images: Vec<(ImagePlan, LocalImage)>,
        report: &mut Report,
    ) -> anyhow::Result<Vec<Made>> {
        let mut all = Vec::new();
        for (plan, image) in images {
            let made = Made { image: Some(image), ..Made::new(plan, None, None) };
            let made = self.mirror(self.stage(made, None, None).await?).await?;
            made.tell(report);
            all.push(made);
        }
        Ok(all)
    }

    /// Gives images in the engine all of their tags there.
    pub(crate) async fn tag_locally(self, images: &[Made]) -> anyhow::Result<()> {
        for Made { plan, image, .. } in images {
            let Some(image) = image else { continue };
            for planned in &plan.tags {
                self.engine()?.tag(image.id.as_str(), &plan.repository, &planned.tag).await?;
            }
        }
        Ok(())
    }
}

impl Made {
    /// Neither in the engine nor in a registry.
    fn new(plan: ImagePlan, key: Option<Key>, content: Option<Tag>) -> Self {
        Self {
            plan,
            image: None,
            staged: None,
            mirrors: Vec::new(),
            key,
            content,
            is_reused: false,
            build_seconds: None,
        }
    }

    /// Its tags that move with each release.
    pub(crate) fn moving_tags(&self) -> impl Iterator<Item = &Tag> {
        self.plan.tags.iter().filter(|planned| planned.moving).map(|planned| &planned.tag)
    }

    /// It and its tags, in each repository that holds it.
    pub(crate) fn holdings(&self) -> impl Iterator<Item = Holding<'_>> {
        let Self { plan, mirrors, staged, .. } = self;
        staged.iter().flat_map(move |staged| {
            let clients = std::iter::once(staged.client()).chain(mirrors);
            let manifest = staged.manifest();
            clients.map(move |client| Holding {
                image: &plan.name,
                client,
                manifest,
                tags: &plan.tags,
            })
        })
    }

    fn tell(&self, report: &mut Report) {
        let told = report.image(&self.plan);
        told.build_seconds = self.build_seconds;
        told.key = self.key.as_ref().map(|key| key.id.to_string());
        told.reused = self.is_reused;
        if let Some(staged) = &self.staged {
            told.set_published(staged.published());
        }
    }
}

/// Why an image may be another one than its key says; nothing if all is as it was.
fn doubt(built: &Built, key: &Key) -> Option<String> {
    if built.is_classic && !key.bases.is_empty() {
        return Some("the classic builder does not tell which base images it takes".into());
    }
    if let Some(base) = built.unknown_bases.first() {
        return Some(format!("it is made from `{base}`, which its Dockerfile does not name"));
    }
    key.changed()
}
