//! Images on their way into the engine and to a staging tag: in the order in which they are made from
//! each other, and side by side where they are not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shipspec_build::docker::{BuildInputs, BuildSecret, Built, Engine, LocalImage};
use shipspec_build::plan::ImagePlan;
use shipspec_build::progress::{Event, Reporter as _};
use shipspec_build::publish::{Staged, stage};
use shipspec_registry::access::Access;
use shipspec_registry::client::Client;
use shipspec_registry::observer::Unwatched;
use shipspec_registry::transfer::{self, Amount};

use crate::console::Bytes;
use crate::context::Context;
use crate::project::Project;
use crate::report::Report;
use crate::tagging::Holding;

/// An image that is made.
pub(crate) struct Made {
    /// What it was made from.
    pub(crate) plan: ImagePlan,
    /// Where it is in the engine.
    pub(crate) image: LocalImage,
    /// Where it is in the registry; nothing if it was not brought there.
    pub(crate) staged: Option<Staged>,
    /// The further repositories that hold it.
    mirrors: Vec<Client>,
    build_seconds: Option<f64>,
}

/// Makes images.
#[derive(Clone, Copy)]
pub(crate) struct Maker<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) engine: &'a Engine,
    pub(crate) access: &'a Access,
    /// They are brought to their registries, under tags that nobody deploys.
    pub(crate) stages: bool,
}

impl Maker<'_> {
    /// Makes all images, at most `jobs` at a time. The first that fails ends the others. Digests that
    /// are told on the way are known to `project` afterwards.
    pub(crate) async fn make_all(
        self,
        project: &mut Project,
        plans: &[ImagePlan],
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
                let plan = if plan.is_provisional && self.stages {
                    project.plan_again(self.context, &plan.name)?
                } else {
                    plan.clone()
                };
                let secrets = project.build_secrets(&plan);
                running.push(self.make(plan, secrets));
            }
            let Some(done) = running.next().await else { break };
            let done: Made = done?;
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
        plan: ImagePlan,
        secrets: BTreeMap<String, BuildSecret>,
    ) -> anyhow::Result<Made> {
        let start = Instant::now();
        let reference = plan.repository.tagged(plan.main_tag());
        let image = self.build(&plan, &reference, &secrets).await?;
        let duration = start.elapsed();
        self.context.console.report(Event::Built { image: &plan.name, duration });
        let build_seconds = Some(duration.as_secs_f64());
        self.test(&plan, &reference, &secrets).await?;
        let made = Made { plan, image, staged: None, mirrors: Vec::new(), build_seconds };
        if self.stages { self.stage(made).await } else { Ok(made) }
    }

    /// Runs the test of an image, in a stage of its own if it says so.
    async fn test(
        self,
        plan: &ImagePlan,
        reference: &str,
        secrets: &BTreeMap<String, BuildSecret>,
    ) -> anyhow::Result<()> {
        let Some(test) = &plan.test else { return Ok(()) };
        let console = self.context.console;
        let (name, explain) = (&plan.name, || format!("failed to test the image `{}`", plan.name));
        if test.target.is_none() {
            let tested = self.engine.test(name, reference, test, console).await;
            return tested.with_context(explain);
        }
        // A name that no other run has, and that is not left behind.
        let passing = format!("shipspec-test:{}-{:08x}", plan.main_tag(), rand::random::<u32>());
        let mut stage = ImagePlan { target: test.target.clone(), ..plan.clone() };
        // What is kept for later builds is that of the image.
        stage.options.cache_to = None;
        let _passing = self.engine.passing(&passing);
        self.build(&stage, &passing, secrets).await?;
        let tested = self.engine.test(name, &passing, test, console).await;
        tested.with_context(explain)
    }

    async fn build(
        self,
        plan: &ImagePlan,
        tag: &str,
        secrets: &BTreeMap<String, BuildSecret>,
    ) -> anyhow::Result<LocalImage> {
        let image = &*plan.name;
        self.context.console.report(Event::BuildStarted { image });
        let inputs = BuildInputs { plan, tag, access: self.access, secrets };
        let built = self.engine.build(&inputs, self.context.console).await;
        let built = built.with_context(|| format!("failed to build the image `{image}`"))?;
        self.note_build(image, &built);
        Ok(built.image)
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

    /// Brings an image of the engine to its registry.
    async fn stage(self, made: Made) -> anyhow::Result<Made> {
        let plan = &made.plan;
        let console = self.context.console;
        let staged = stage(self.engine, plan, &made.image, self.access, console).await?;
        let mirrors = self.mirror(plan, &staged).await?;
        Ok(Made { staged: Some(staged), mirrors, ..made })
    }

    /// Brings an image from its registry to the further repositories that get it, by digest.
    async fn mirror(self, plan: &ImagePlan, staged: &Staged) -> anyhow::Result<Vec<Client>> {
        let mut mirrors = Vec::new();
        for repository in &plan.mirrors {
            let client = self.access.client(repository)?;
            let digest = &staged.published().digest;
            let copied = transfer::copy(staged.client(), &client, digest, &Unwatched).await;
            let copied = copied.with_context(|| {
                format!("failed to copy the image `{}` to `{repository}`", plan.name)
            })?;
            let Amount { count, bytes } = copied.copied;
            self.context.console.note(format_args!(
                "{}: {repository} holds it too ({count} layers sent, {})",
                plan.name,
                Bytes(bytes)
            ));
            mirrors.push(client);
        }
        Ok(mirrors)
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
            let made = Made { plan, image, staged: None, mirrors: Vec::new(), build_seconds: None };
            let made = self.stage(made).await?;
            made.tell(report);
            all.push(made);
        }
        Ok(all)
    }

    /// Gives images in the engine all of their tags there.
    pub(crate) async fn tag_locally(self, images: &[Made]) -> anyhow::Result<()> {
        for Made { plan, image, .. } in images {
            for planned in &plan.tags {
                self.engine.tag(image.id.as_str(), &plan.repository, &planned.tag).await?;
            }
        }
        Ok(())
    }
}

impl Made {
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
        if let Some(staged) = &self.staged {
            told.set_published(staged.published());
        }
    }
}
