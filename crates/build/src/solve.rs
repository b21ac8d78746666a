//! One build by BuildKit: it is asked over the engine's `/grpc`, and asks back in a session.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::pin::pin;
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{SolveRequest, StatusRequest};
use hyper::Uri;
use shipspec_registry::access::{Access, AccessError};
use shipspec_spec::aws::causes;
use tokio::sync::mpsc;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::connection::{Address, UpgradeError};
use crate::context::Context;
use crate::docker::{BuildError, BuildInputs};
use crate::dockerfile::line_of_step;
use crate::dockerfile_folder::DockerfileFolder;
use crate::failure::{build_error, exit_code};
use crate::plan::ImagePlan;
use crate::progress::Reporter;
use crate::session::{Folders, Given, Question, Session};
use crate::vertices::{FailedStep, Vertices};

/// How long a build may take: something is wrong by then.
const BUILD_LIMIT: Duration = Duration::from_hours(8);

/// How long the last news of steps are waited for, once the build has ended.
const NEWS_LIMIT: Duration = Duration::from_secs(3);

/// Between two questions for news, while the engine has not begun.
const NEWS_INTERVAL: Duration = Duration::from_millis(100);

/// Bytes of one message of the engine. Reports of steps can be large.
const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// BuildKit, as it is asked for builds.
pub(crate) struct BuildKit {
    control: ControlClient<Channel>,
    address: Address,
}

/// What came of a build, beside the image.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Ids of secrets that steps asked for and that were not given.
    pub(crate) unknown_secrets: BTreeSet<String>,
    /// Ids of ssh agents, likewise.
    pub(crate) unknown_agents: BTreeSet<String>,
    /// The base images, with their digests.
    pub(crate) bases: BTreeSet<String>,
}

impl BuildKit {
    /// Connects to BuildKit behind the engine; nothing where the engine has none.
    pub(crate) async fn connect(address: &Address) -> Result<Option<Self>, UpgradeError> {
        let stream = match address.upgrade("/grpc", &[]).await {
            Ok(stream) => stream,
            Err(UpgradeError::NotOffered { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // A build ends with its connection, so there is never a second one.
        let mut stream = Some(stream);
        let connector = tower::service_fn(move |_: Uri| {
            let stream = stream.take();
            async { stream.ok_or_else(|| io::Error::other("the connection to BuildKit has ended")) }
        });
        let endpoint = Endpoint::from_static("http://buildkit");
        let channel = endpoint.connect_with_connector(connector).await.map_err(io::Error::other)?;
        let control = ControlClient::new(channel).max_decoding_message_size(MESSAGE_LIMIT);
        Ok(Some(Self { control, address: address.clone() }))
    }

    /// Builds an image and leaves it in the engine.
    pub(crate) async fn build(
        mut self,
        inputs: &BuildInputs<'_>,
        context: &Context,
        reporter: &dyn Reporter,
    ) -> Result<Outcome, BuildError> {
        let dockerfile = DockerfileFolder::new(context, inputs.secrets)?;
        let folders = Folders {
            context: context.folder().to_owned(),
            dockerfile: dockerfile.path().to_owned(),
            named: inputs.plan.options.folders(),
        };
        let secrets = inputs.secrets.iter();
        let given = Given {
            folders,
            secrets: secrets.map(|(id, secret)| (id.clone(), secret.value.clone())).collect(),
            agents: inputs.plan.options.ssh.clone(),
        };
        let session = Session::open(&self.address, given).await;
        let mut session = session.map_err(|error| BuildError::Engine(causes(&error)))?;
        let request = request(inputs, context, &session.id);
        let mut vertices = Vertices::new(&inputs.plan.name, reporter);
        let (answer, refusal) = {
            let mut refusal = None;
            let news = follow(self.control.clone(), request.r#ref.clone(), &mut vertices);
            let questions = answer(&mut session.questions, inputs.access, &mut refusal);
            let solve = self.control.solve(request);
            let answer = with_news(solve, news, questions).await;
            (answer, refusal)
        };
        let Some(answer) = answer else {
            return Err(BuildError::Engine("it did not come to an end within 8 hours".into()));
        };
        match answer {
            Ok(_) => Ok(Outcome {
                unknown_secrets: session.notes.unknown_secrets(),
                unknown_agents: session.notes.unknown_agents(),
                bases: vertices.bases(),
            }),
            Err(status) => Err(match (session.notes.take_failure(), refusal) {
                (Some(error), _) => error.into(),
                (None, Some(error)) if exit_code(status.message()).is_none() => error.into(),
                _ => lost(&status).unwrap_or_else(|| {
                    build_error(status.message(), placed(vertices.failed(), inputs.plan, context))
                }),
            }),
        }
    }
}

/// The error of a connection that has ended. What the engine itself says has no cause on this side.
fn lost(status: &Status) -> Option<BuildError> {
    std::error::Error::source(status).map(|source| BuildError::Lost(causes(source)))
}

/// The step with its place in the Dockerfile, if that can be told.
fn placed(step: Option<FailedStep>, plan: &ImagePlan, context: &Context) -> Option<FailedStep> {
    let step = step?;
    let text = std::fs::read_to_string(context.dockerfile()).unwrap_or_default();
    let line = line_of_step(&text, &step.name);
    let place = line.map(|line| format!("{}:{line}", plan.dockerfile.display()));
    Some(FailedStep { place, ..step })
}

/// Waits for a build, while news are followed and questions answered; nothing if it takes too long.
async fn with_news<T>(
    solve: impl Future<Output = T>,
    news: impl Future<Output = ()>,
    questions: impl Future<Output = ()>,
) -> Option<T> {
    let (mut solve, mut news, mut questions) = (pin!(solve), pin!(news), pin!(questions));
    let mut limit = pin!(tokio::time::sleep(BUILD_LIMIT));
    let (mut has_news, mut has_questions) = (true, true);
    let answer = loop {
        tokio::select! {
            answer = &mut solve => break answer,
            () = &mut news, if has_news => has_news = false,
            () = &mut questions, if has_questions => has_questions = false,
            () = &mut limit => return None,
        }
    };
    if has_news {
        // The answer counts, with the last news or without.
        let _ = tokio::time::timeout(NEWS_LIMIT, news).await;
    }
    Some(answer)
}

/// Takes the news of a build until there are no more.
async fn follow(mut control: ControlClient<Channel>, build: String, vertices: &mut Vertices<'_>) {
    loop {
        let request = StatusRequest { r#ref: build.clone() };
        if let Ok(answer) = control.status(request).await {
            let mut messages = answer.into_inner();
            while let Ok(Some(status)) = messages.message().await {
                vertices.take(&status);
            }
            return;
        }
        tokio::time::sleep(NEWS_INTERVAL).await;
    }
}

/// Answers questions for credentials, and keeps the first reason why there were none.
async fn answer(
    questions: &mut mpsc::Receiver<Question>,
    access: &Access,
    refusal: &mut Option<AccessError>,
) {
    while let Some(question) = questions.recv().await {
        let known = access.credentials(&question.registry).await.unwrap_or_else(|error| {
            refusal.get_or_insert(error);
            None
        });
        // Nobody waits for it when the build has ended.
        let _ = question.answer.send(known);
    }
}

fn request(inputs: &BuildInputs<'_>, context: &Context, session: &str) -> SolveRequest {
    SolveRequest {
        r#ref: format!("shipspec-{:032x}", rand::random::<u128>()),
        session: session.to_owned(),
        frontend: "dockerfile.v0".into(),
        frontend_attrs: attributes(inputs, context),
        // Every engine understands these two; only newer ones their successor.
        exporter_deprecated: "moby".into(),
        exporter_attrs_deprecated: HashMap::from([("name".into(), inputs.tag.to_owned())]),
        cache: inputs.plan.options.cache(),
        entitlements: inputs.plan.options.entitlements(),
        ..SolveRequest::default()
    }
}

fn attributes(inputs: &BuildInputs<'_>, context: &Context) -> HashMap<String, String> {
    let plan = inputs.plan;
    let file = context.dockerfile().file_name().unwrap_or_default();
    let mut attributes = HashMap::from([
        ("filename".to_owned(), file.to_string_lossy().into_owned()),
        ("platform".to_owned(), plan.platform.to_string()),
    ]);
    attributes.extend(plan.target.clone().map(|target| ("target".to_owned(), target)));
    for (kind, pairs) in [("build-arg", &plan.build_args), ("label", &plan.labels)] {
        let named = |(name, value): (&String, &String)| (format!("{kind}:{name}"), value.clone());
        attributes.extend(pairs.iter().map(named));
    }
    attributes.extend(plan.options.attributes());
    if inputs.bases.is_some_and(|bases| !bases.is_empty()) {
        attributes.insert("image-resolve-mode".into(), "pull".into());
    }
    attributes
}
