//! A build where the engine has no BuildKit: the context goes as an archive, and the classic builder
//! tells its steps as text.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures_util::StreamExt as _;
use shipspec_spec::aws::causes;
use shipspec_spec::config::{Network, NoCache};
use shipspec_spec::image::Registry;

use crate::context::Context;
use crate::docker::{BuildError, BuildInputs, EngineError, docker_credentials};
use crate::dockerfile::{Dockerfile, Needs};
use crate::failure::build_error;
use crate::options::BuildOptions;
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter};
use crate::vertices::{FailedStep, drawn_last, keep};

/// Builds an image and leaves it in the engine.
pub(crate) async fn build(
    docker: &Docker,
    inputs: &BuildInputs<'_>,
    context: Context,
    reporter: &dyn Reporter,
) -> Result<(), BuildError> {
    let plan = inputs.plan;
    let needs = read_needs(plan, &context)?;
    refuse_secrets(inputs, needs.as_ref())?;
    let name = context.dockerfile_inside()?.to_string_lossy().into_owned();
    let options = options(plan, inputs.tag, &name);
    let credentials = credentials(inputs, needs.as_ref()).await?;
    let body = bollard::body_try_stream(context.stream());
    let mut messages = std::pin::pin!(docker.build_image(options, Some(credentials), Some(body)));
    let mut steps = Steps::new(&plan.name, inputs.tag, reporter);
    while let Some(message) = messages.next().await {
        match message {
            Ok(info) => steps.take(info.stream.as_deref().unwrap_or_default()),
            Err(
                error @ (Error::HyperResponseError { .. }
                | Error::HyperLegacyError { .. }
                | Error::IOError { .. }),
            ) => {
                return Err(BuildError::Lost(causes(&error)));
            }
            Err(error) => return Err(build_error(&causes(&error), steps.failed())),
        }
    }
    steps.end();
    Ok(())
}

/// What the Dockerfile needs. The engine is the one to judge it: where it is not understood here,
/// nothing is known.
fn read_needs(plan: &ImagePlan, context: &Context) -> Result<Option<Needs>, BuildError> {
    let path = context.dockerfile();
    let text = std::fs::read_to_string(path)
        .map_err(|source| crate::context::ContextError::Read { path: path.into(), source })?;
    let Ok(dockerfile) = Dockerfile::parse(&text) else { return Ok(None) };
    Ok(dockerfile.needs(plan.target.as_deref(), &plan.build_args, &plan.platform).ok())
}

/// A step that mounts a secret would fail here, or run without it.
fn refuse_secrets(inputs: &BuildInputs<'_>, needs: Option<&Needs>) -> Result<(), EngineError> {
    let asked = needs.into_iter().flat_map(|needs| &needs.secrets).map(|mount| &mount.id);
    let ids: BTreeSet<_> = inputs.secrets.keys().chain(asked).map(|id| format!("`{id}`")).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids = ids.into_iter().collect::<Vec<_>>().join(", ");
    Err(EngineError::Unfit(format!("this engine has no BuildKit, which build secrets need: {ids}")))
}

async fn credentials(
    inputs: &BuildInputs<'_>,
    needs: Option<&Needs>,
) -> Result<HashMap<String, DockerCredentials>, BuildError> {
    let registries = needs.map(Needs::registries).unwrap_or_default();
    let mut credentials = HashMap::new();
    for registry in registries {
        if let Some(known) = inputs.access.credentials(&registry).await? {
            // The classic builder knows Docker Hub by the address of its first API.
            let host = match registry.as_str() {
                Registry::DOCKER_HUB => "https://index.docker.io/v1/".to_owned(),
                host => host.to_owned(),
            };
            credentials.insert(host, docker_credentials(&known));
        }
    }
    Ok(credentials)
}

fn options(plan: &ImagePlan, tag: &str, dockerfile: &str) -> BuildImageOptions {
    let pairs = |pairs: &indexmap::IndexMap<String, String>| -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let options = BuildImageOptionsBuilder::default()
        .dockerfile(dockerfile)
        .t(tag)
        .rm(true)
        .forcerm(true)
        .platform(&plan.platform.to_string())
        .buildargs(&pairs(&plan.build_args))
        .labels(&pairs(&plan.labels));
    let options = with_options(options, &plan.options);
    match &plan.target {
        Some(target) => options.target(target).build(),
        None => options.build(),
    }
}

/// The options that this builder knows; others were refused before.
fn with_options(
    mut builder: BuildImageOptionsBuilder,
    options: &BuildOptions,
) -> BuildImageOptionsBuilder {
    builder = match options.network {
        Network::Default => builder,
        Network::None => builder.networkmode("none"),
        Network::Host => builder.networkmode("host"),
    };
    if let Some((name, address)) = options.extra_hosts.first() {
        builder = builder.extrahosts(&format!("{name}:{address}"));
    }
    if options.pull {
        builder = builder.pull("true");
    }
    if !options.cache_from.is_empty() {
        builder = builder.cachefrom(&options.cache_from);
    }
    builder.nocache(options.no_cache == NoCache::Always)
}

/// The steps of one build, from the text that tells them.
struct Steps<'a> {
    image: &'a str,
    reporter: &'a dyn Reporter,
    step: Option<Step>,
    /// What was said since the last newline.
    partial: String,
    /// Podman's word that all steps are done.
    commit: String,
    is_committed: bool,
}

struct Step {
    name: String,
    is_cached: bool,
    start: Instant,
    lines: VecDeque<String>,
}

impl<'a> Steps<'a> {
    fn new(image: &'a str, tag: &str, reporter: &'a dyn Reporter) -> Self {
        let (partial, commit) = (String::new(), format!("COMMIT {tag}"));
        Self { image, reporter, step: None, partial, commit, is_committed: false }
    }

    fn take(&mut self, text: &str) {
        self.partial.push_str(text);
        while let Some(end) = self.partial.find('\n') {
            let line: String = self.partial.drain(..=end).collect();
            self.take_line(line.trim_end());
        }
    }

    fn take_line(&mut self, line: &str) {
        if let Some(name) = step_name(line) {
            self.end();
            let (start, lines) = (Instant::now(), VecDeque::new());
            self.step = Some(Step { name, is_cached: false, start, lines });
            return;
        }
        let Some(step) = &mut self.step else { return };
        // What a step writes to its stderr is in red.
        let plain = line.replace("\u{1b}[91m", "").replace("\u{1b}[0m", "");
        let line = drawn_last(&plain);
        let is_noise = is_house_keeping(line) || self.is_committed && is_of_commit(line);
        if line.trim_start().trim_start_matches('-').starts_with("> Using cache") {
            step.is_cached = true;
        } else if line == self.commit {
            self.is_committed = true;
        } else if !is_noise {
            keep(&mut step.lines, line);
            self.reporter.report(Event::StepOutput { image: self.image, step: &step.name, line });
        }
    }

    /// The step is done.
    fn end(&mut self) {
        let Some(step) = self.step.take() else { return };
        let (name, cached, duration) = (&*step.name, step.is_cached, step.start.elapsed());
        self.reporter.report(Event::StepDone { image: self.image, step: name, cached, duration });
    }

    fn failed(&mut self) -> Option<FailedStep> {
        let step = self.step.take()?;
        Some(FailedStep { name: step.name, lines: step.lines.into(), place: None })
    }
}

/// `Step 2/3 : RUN make`, or Podman's `STEP 2/3: RUN make`, as BuildKit would name it. Of several stages,
/// Podman counts the steps one by one: `[2/2] STEP 1/3: FROM scratch`.
fn step_name(line: &str) -> Option<String> {
    let (stage, line) = match line.strip_prefix('[').and_then(|rest| rest.split_once("] STEP ")) {
        Some((stage, rest)) => (format!("stage-{} ", parts(stage)?.0.checked_sub(1)?), rest),
        None => {
            let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
            (String::new(), rest)
        }
    };
    let (place, instruction) = line.split_once(':')?;
    let (number, total) = parts(place)?;
    Some(format!("[{stage}{number}/{total}] {}", instruction.trim()))
}

/// The numbers of `2/3`.
fn parts(text: &str) -> Option<(u32, u32)> {
    let (number, total) = text.trim().split_once('/')?;
    Some((number.parse().ok()?, total.parse().ok()?))
}

/// The builder speaks of images and containers that come and go.
fn is_house_keeping(line: &str) -> bool {
    const STARTS: [&str; 5] = [
        " --->",
        "-->",
        "Removing intermediate container",
        "Successfully built ",
        "Successfully tagged ",
    ];
    // Podman's log, of what it tells as an error as well.
    let is_log = line.starts_with("time=\"") && line.contains("&imagebuilder.Step{");
    is_log || line.is_empty() || STARTS.iter().any(|start| line.starts_with(start))
}

/// What Podman says after the last step: the image's ID, and arguments that it got for BuildKit's sake.
fn is_of_commit(line: &str) -> bool {
    const UNASKED: &str =
        "[Warning] one or more build args were not consumed: [TARGETARCH TARGETOS TARGETPLATFORM]";
    line == UNASKED || line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Reporter for Told {
        fn report(&self, event: Event<'_>) {
            self.0.lock().unwrap().push(match event {
                Event::StepOutput { step, line, .. } => format!("{step}: {line}"),
                Event::StepDone { step, cached, .. } => format!("{step} done, cached {cached}"),
                other => format!("{other:?}"),
            });
        }
    }

    #[test]
    fn steps_are_read_from_the_text() {
        let told = Told::default();
        let mut steps = Steps::new("app", "r.example/app:1", &told);
        steps.take("Step 1/2 : FROM scratch\n ---> \nStep 2/2 : RUN x\n ---> Using");
        steps.take(" cache\n ---> 1234\n\u{1b}[91mbroken\u{1b}[0m\n");
        let failed = steps.failed().unwrap();
        assert_eq!((&*failed.name, &failed.lines[..]), ("[2/2] RUN x", &["broken".to_owned()][..]));
        assert_eq!(
            *told.0.lock().unwrap(),
            ["[1/2] FROM scratch done, cached false", "[2/2] RUN x: broken"]
        );
        let hash = "a".repeat(64);
        steps.take(&format!("STEP 1/1: RUN x\nCOMMIT x\n{hash}\nCOMMIT r.example/app:1\n{hash}\n"));
        let failed = steps.failed().unwrap();
        assert_eq!(failed.lines, ["COMMIT x", &*hash]);
        assert_eq!(step_name("STEP 1/2: FROM x:1").as_deref(), Some("[1/2] FROM x:1"));
        assert_eq!(step_name("[2/2] STEP 3/4: RUN x").as_deref(), Some("[stage-1 3/4] RUN x"));
        assert_eq!(step_name("Step by step: x"), None);
        assert_eq!(step_name("[x] STEP 1/2: x"), None);
    }
}
