//! shipspec.yml as it is written. The doc comments are the published schema's descriptions.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::artifact::{RawAppSpec, RawCloudFormation, RawLog, RawQuotes, RawScalar, RawSize};
use super::base::RawBase;
use super::options::{Network, RawCacheTo, RawNoCache};
use super::place::RawPlace;
use super::publish::RawPublish;
use super::repository::RawCreateRepository;
use super::reuse::RawReuse;
use super::service::RawService;
use super::text::RawText;
use super::tree::RawTree;

/// What to build, where to push it, and which artifacts to write.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "shipspec.yml")]
pub(super) struct RawConfig {
    /// The version of this file's format.
    #[expect(dead_code, reason = "the schema checks it")]
    version: Version,
    /// The name of the pipeline, by which its releases are compared: each with the one before. Without
    /// it, that of the branch, or the one that `CodePipeline` knows it by.
    #[serde(default)]
    pub(super) name: Option<RawText>,
    /// The run's tag, `IMAGE_TAG`: the first entry that has a value and is not empty. Without it,
    /// the first seven digits of the commit. `content` stands for the first 16 digits of an image's content
    /// key, which are each image's own.
    #[serde(default)]
    pub(super) tag: Option<OneOrMany>,
    /// What generated artifacts name an image by.
    #[serde(default)]
    pub(super) reference: RawReference,
    /// Values that are fetched before anything is built, by the name that they get:
    /// `DB_HOST: ssm:/app/db_host`. A slash at the end (`ssm:/app/`) gives a dictionary of all that is
    /// below.
    #[serde(default)]
    pub(super) parameters: IndexMap<String, RawParameter>,
    /// Names of your own. Inside one, its own name means the next source down: `STAGE: ${STAGE:-dev}`.
    #[serde(default)]
    pub(super) variables: IndexMap<String, RawText>,
    /// The images to build and push, and those of others that this file names, by the name that it uses
    /// for them.
    #[serde(default)]
    pub(super) images: IndexMap<String, RawImage>,
    /// The files to write, by their path: the path of a template, or what to make.
    #[serde(default)]
    pub(super) artifacts: IndexMap<String, RawArtifact>,
    /// How `shipspec check` judges.
    #[serde(default)]
    pub(super) check: RawCheck,
    /// The service of ECS that a deployment changes: `doctor` and `diff` look at what it runs.
    #[serde(default)]
    pub(super) service: Option<RawService>,
    /// Other accounts or regions that `shipspec promote NAME` copies the images to, by their names:
    /// `production`.
    #[serde(default)]
    pub(super) promote: IndexMap<String, RawPromotion>,
    /// Who speaks to registries that are none of ECR's, by their hosts: `docker.io`. It wins over what
    /// `docker login` left.
    #[serde(default)]
    pub(super) registries: IndexMap<String, RawSignIn>,
}

/// A user of a registry, and where the password comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SignIn")]
pub(super) struct RawSignIn {
    /// The user.
    pub(super) username: RawText,
    /// The name that has the password or token: that of a parameter, without `$`. It is sent to the
    /// registry, and is hidden in every line of output.
    pub(super) password: RawText,
}

/// How `shipspec check` judges.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Check")]
pub(super) struct RawCheck {
    /// Findings that are not told, by their codes.
    #[serde(default)]
    pub(super) allow: Vec<RawText>,
}

/// The only version there is.
#[derive(Debug, Clone, Deserialize)]
enum Version {
    #[serde(rename = "1")]
    One,
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "integer", "const": 1 })
    }
}

/// One text or several.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(super) enum OneOrMany {
    Many(Vec<RawText>),
    One(RawText),
}

impl OneOrMany {
    pub(super) fn texts(&self) -> &[RawText] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// How an image is named.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ReferenceForm")]
pub(super) enum RawReference {
    /// `registry/repository:tag`
    #[default]
    Tag,
    /// `registry/repository@sha256:…`
    Digest,
}

/// An image to build, which has a `repository`; or one that others build, which has a `reference`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    rename = "Image",
    extend("oneOf" = [{ "required": ["repository"] }, { "required": ["reference"] }])
)]
pub(super) struct RawImage {
    /// The repository that it is pushed to: `registry/name`, with or without `https://` in front.
    #[serde(default)]
    pub(super) repository: Option<RawText>,
    /// An image that is not built here: `registry/name:tag`, or by its digest. Only `role`, `external_id` and
    /// `insecure` may stand beside it.
    #[serde(default)]
    pub(super) reference: Option<RawText>,
    /// Further repositories that get the image, with all its tags: in the same registry or another one.
    /// Its layers are sent by the engine once; from there they are mounted or copied.
    #[serde(default)]
    pub(super) mirrors: Vec<RawText>,
    /// The ARN of a role to assume for the registry of `repository` or `reference`.
    #[serde(default)]
    pub(super) role: Option<RawText>,
    /// The external id that the role asks for.
    #[serde(default)]
    pub(super) external_id: Option<RawText>,
    /// Speak plain HTTP with the registry of `repository` or `reference`. The engine has to be told the same, in its
    /// `insecure-registries`.
    #[serde(default)]
    pub(super) insecure: bool,
    /// Make the repository where there is none: `true`, or how. One that is there is left as it is,
    /// but for a lifecycle policy where it has none.
    #[serde(default)]
    pub(super) create_repository: Option<RawCreateRepository>,
    /// The folder of the build context, relative to shipspec.yml. Without it, the folder of
    /// shipspec.yml.
    #[serde(default)]
    pub(super) context: Option<RawText>,
    /// The path of the Dockerfile, from the context's folder on; it may lead out of it. Without it,
    /// `Dockerfile`.
    #[serde(default)]
    pub(super) dockerfile: Option<RawText>,
    /// The stage of the Dockerfile to build. Without it, the last one.
    #[serde(default)]
    pub(super) target: Option<RawText>,
    /// The platform to build for, such as `linux/arm64`. Without it, Linux on the architecture that
    /// shipspec runs on.
    #[serde(default)]
    pub(super) platform: Option<RawText>,
    /// The whole list of tags. Without it, the run's tag. `content` stands for the first 16 digits of the
    /// image's content key.
    #[serde(default)]
    pub(super) tags: Option<Vec<RawText>>,
    /// Values for the Dockerfile's `ARG`s. They stay in the image's history, so that no secret may
    /// be among them.
    #[serde(default)]
    pub(super) build_args: IndexMap<String, RawText>,
    /// As `build_args`, and secrets may be among them: everybody who can pull the image can read
    /// them. A secret belongs into `secrets`.
    #[serde(default)]
    pub(super) insecure_build_args: IndexMap<String, RawText>,
    /// Secrets for `RUN --mount=type=secret`: the id that the Dockerfile asks for, and the name that
    /// has the value. They are in memory for the time of that step, and stay nowhere.
    #[serde(default)]
    pub(super) secrets: IndexMap<String, RawText>,
    /// Labels to put on the image.
    #[serde(default)]
    pub(super) labels: IndexMap<String, RawText>,
    /// The network of the Dockerfile's steps: `default`, `none`, or `host`, that of the engine's
    /// machine.
    #[serde(default)]
    pub(super) network: Network,
    /// Names of hosts that the Dockerfile's steps know, and their addresses.
    #[serde(default)]
    pub(super) extra_hosts: IndexMap<String, RawText>,
    /// What is built anew, whatever the engine has: `true` for all, or stages.
    #[serde(default)]
    pub(super) no_cache: Option<RawNoCache>,
    /// Ask the registry for base images again, even if the engine has them.
    #[serde(default)]
    pub(super) pull: bool,
    /// References of images, or of caches in a registry, whose steps need not be made again. One that
    /// is not there is ignored.
    #[serde(default)]
    pub(super) cache_from: Vec<RawText>,
    /// Where the steps are kept for later builds: `inline`, in the image itself, or a registry, which
    /// only an engine with the containerd image store can.
    #[serde(default)]
    pub(super) cache_to: Option<RawCacheTo>,
    /// Names that the Dockerfile uses as if they were stages (`FROM name`, `COPY --from=name`): a
    /// folder, relative to shipspec.yml, or `docker-image://reference`. It needs Docker 23.0 or newer.
    #[serde(default)]
    pub(super) contexts: IndexMap<String, RawText>,
    /// ssh agents for `RUN --mount=type=ssh`: `default` for the one of `SSH_AUTH_SOCK`, or `id=path`
    /// with the path of its socket. Keys are not read: the agent has them.
    #[serde(default)]
    pub(super) ssh: Vec<RawText>,
    /// What has to succeed in the image before it is pushed.
    #[serde(default)]
    pub(super) test: Option<RawTest>,
    /// Whether an image is taken as it is that the registry holds already, made from the same sources:
    /// `true`, `false`, or an age such as `7d`, after which it is built again. Without it, `true`.
    #[serde(default)]
    pub(super) reuse: Option<RawReuse>,
}

/// Where images are copied to once they have passed: with the same digest, and without an engine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Promotion")]
pub(super) struct RawPromotion {
    /// The repository that each image is copied to, by the image's name: `app: registry/name`.
    /// Images that are not here are not copied.
    pub(super) repositories: IndexMap<String, RawText>,
    /// The ARN of a role to assume for the registries of these repositories. Without it, they are
    /// spoken to as the run itself.
    #[serde(default)]
    pub(super) role: Option<RawText>,
    /// The external id that the role asks for.
    #[serde(default)]
    pub(super) external_id: Option<RawText>,
    /// The whole list of tags that each image gets there. Without it, the tags of the image.
    #[serde(default)]
    pub(super) tags: Option<Vec<RawText>>,
}

/// A command that runs in a container of the image before it is pushed. Where it ends with another
/// exit code than 0, nothing is published.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Test")]
pub(super) struct RawTest {
    /// The stage of the Dockerfile to run it in. Without it, the image itself.
    #[serde(default)]
    pub(super) target: Option<RawText>,
    /// The command: a list of words, or a line for `/bin/sh -c`. Without it, the image's own.
    #[serde(default)]
    pub(super) command: Option<OneOrMany>,
    /// Variables for it.
    #[serde(default)]
    pub(super) env: IndexMap<String, RawText>,
    /// Variables for it that are secret: the variable, and the name that has the value.
    #[serde(default)]
    pub(super) secrets: IndexMap<String, RawText>,
    /// How long it may take, such as `10m`. Without it, an hour.
    #[serde(default)]
    pub(super) timeout: Option<RawText>,
    /// Files to take out of the container when it has ended, such as those of `JUnit`: a path in it,
    /// and the folder to put them into. They are written even if the test fails.
    #[serde(default)]
    pub(super) reports: IndexMap<String, RawText>,
}

/// A parameter: where it is kept, or a map that says more.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Parameter")]
pub(super) enum RawParameter {
    From(RawText),
    Map(Box<RawParameterMap>),
}

/// Where a parameter is kept, and how it is read.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ParameterSource")]
pub(super) struct RawParameterMap {
    /// Where it is kept: `ssm:/name`, `ssm:/name:3`, `ssm:/path/`, `secretsmanager:id:json-key`, or
    /// an ARN, whose region is asked if none is said.
    pub(super) from: RawText,
    /// The value where there is no such parameter. Without it, that is an error.
    #[schemars(default)]
    pub(super) default: Option<RawText>,
    #[schemars(flatten)]
    pub(super) place: RawPlace,
    /// It must not be shown, even though it is no `SecureString`.
    #[schemars(default)]
    pub(super) secret: bool,
    /// What its text is. Without it, a `StringList` is a list and anything else text.
    #[schemars(default)]
    pub(super) r#type: Option<RawParameterType>,
}

/// What the text of a parameter is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ParameterType")]
pub(super) enum RawParameterType {
    /// Text, as it is.
    String,
    /// JSON: a dictionary, a list or a single value.
    Json,
    /// A list of texts with commas between them.
    List,
}

/// An artifact: the path of a template, or a map that says what to make.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Artifact")]
pub(super) enum RawArtifact {
    Path(RawText),
    Map(Box<RawArtifactMap>),
}

/// What an artifact is made from: exactly one of `template`, `base`, `image_detail`,
/// `image_definitions`, `appspec`, `cloudformation`, `tfvars`, `dotenv`, `json`, `yaml`, `text` and
/// `zip`.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ArtifactSource")]
pub(super) struct RawArtifactMap {
    /// The path of a template to fill.
    #[schemars(default)]
    pub(super) template: Option<RawText>,
    /// The task definition that ECS has, as it can be registered again.
    #[schemars(default)]
    pub(super) base: Option<Box<RawBase>>,
    /// `imageDetail.json` for the blue/green action: the name of an image.
    #[schemars(default)]
    pub(super) image_detail: Option<RawText>,
    /// `imagedefinitions.json` for the rolling action: images whose containers have the same name,
    /// or a map from container to image.
    #[schemars(default)]
    pub(super) image_definitions: Option<RawDefinitions>,
    /// An `AppSpec` for the blue/green action, in YAML or, where the path ends in `.json`, in JSON.
    #[schemars(default)]
    pub(super) appspec: Option<Box<RawAppSpec>>,
    /// A template configuration file for the `CloudFormation` action.
    #[schemars(default)]
    pub(super) cloudformation: Option<RawCloudFormation>,
    /// Terraform variables: JSON where the path ends in `.tfvars.json`, HCL where it ends in `.tfvars`.
    #[schemars(default)]
    pub(super) tfvars: Option<IndexMap<String, RawTree>>,
    /// Environment variables, `NAME=value` on each line: for `docker run --env-file`, the
    /// `environmentFiles` of ECS, or a shell.
    #[schemars(default)]
    pub(super) dotenv: Option<IndexMap<String, RawScalar>>,
    /// A JSON file with this content.
    #[schemars(default)]
    pub(super) json: Option<RawTree>,
    /// A zip archive of these artifacts and files, by their paths from shipspec.yml on. The same
    /// content gives the same bytes.
    #[schemars(default)]
    pub(super) zip: Option<Vec<RawText>>,
    /// A YAML file with this content.
    #[schemars(default)]
    pub(super) yaml: Option<RawTree>,
    /// A file with this text, its `${…}` filled.
    #[schemars(default)]
    pub(super) text: Option<RawText>,
    /// For `image_detail`, `image_definitions` and `images`: what they name an image by. Without it,
    /// what the file says.
    #[schemars(default)]
    pub(super) reference: Option<RawReference>,
    /// For `dotenv`: how values are quoted. Without it, only values are taken that need no quotes
    /// anywhere.
    #[schemars(default)]
    pub(super) quotes: Option<RawQuotes>,
    /// For a task definition: images of this file for its containers, a list where the names are the
    /// same, else a map from container to image. In this map and in those below, `*` is every
    /// container.
    #[schemars(default)]
    pub(super) images: Option<RawDefinitions>,
    /// For a task definition: variables, by container.
    #[schemars(default)]
    pub(super) environment: Option<IndexMap<String, IndexMap<String, RawScalar>>>,
    /// For a task definition: variables whose values ECS fetches, by container: the name of a
    /// parameter of this file, which stands for its ARN, or a `valueFrom`.
    #[schemars(default)]
    pub(super) secrets: Option<IndexMap<String, IndexMap<String, RawText>>>,
    /// For a task definition: labels, by container.
    #[schemars(default)]
    pub(super) docker_labels: Option<IndexMap<String, IndexMap<String, RawScalar>>>,
    /// For a task definition: commands, by container.
    #[schemars(default)]
    pub(super) command: Option<IndexMap<String, Vec<RawScalar>>>,
    /// For a task definition: where the log goes, by container.
    #[schemars(default)]
    pub(super) log: Option<IndexMap<String, RawLog>>,
    /// For a task definition: CPU units of the task, or a map of them by container.
    #[schemars(default)]
    pub(super) cpu: Option<RawSize>,
    /// For a task definition: memory of the task, or a map of its limits in MiB by container.
    #[schemars(default)]
    pub(super) memory: Option<RawSize>,
    /// Where its content is put as well, once everything else is done: `ssm:/name` or
    /// `s3://bucket/key`, a map that says more, or a list of them.
    #[schemars(default)]
    pub(super) publish: Option<RawPublish>,
    /// The service that this artifact is for, if it is not that of the file.
    #[schemars(default)]
    pub(super) service: Option<RawService>,
    /// Secret parameters that may stand in this artifact in plain text.
    #[schemars(default)]
    pub(super) allow_secrets: Vec<RawText>,
    /// How `shipspec check` judges this artifact.
    #[schemars(default)]
    pub(super) check: RawCheck,
    /// Names for this artifact alone; they win over those of the file.
    #[schemars(default)]
    pub(super) variables: IndexMap<String, RawText>,
    /// Names with several values: one artifact is made for each combination. The artifact's path
    /// must tell them apart.
    #[schemars(default)]
    pub(super) matrix: IndexMap<String, Vec<RawText>>,
    /// The artifact is made only if this comes to something else than nothing, `false`, `0`, `no` or
    /// `off`.
    #[schemars(default)]
    pub(super) when: Option<RawText>,
    /// For a template: the only names that are filled; all other `$` are text.
    #[schemars(default)]
    pub(super) only: Option<Vec<RawText>>,
    /// For a template: what stands for placeholders of other tools, such as `<CONTAINER>` or `%TAG%`.
    #[schemars(default)]
    pub(super) placeholders: IndexMap<String, RawText>,
    /// For a template: its language. Without it, `jinja` for `*.j2`, `terraform` for `*.tpl` and
    /// `*.tftpl`, else `shell`.
    #[schemars(default)]
    pub(super) dialect: Option<RawDialect>,
}

/// The language of a template.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Dialect")]
pub(super) enum RawDialect {
    /// `$NAME`, `${NAME}` and expressions.
    Shell,
    /// minijinja: `{{ NAME }}`, `{% if %}`.
    Jinja,
    /// Terraform's templates: `${name}`, `%{ if }`, `%{ for }`.
    Terraform,
}

/// Containers and their images.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "ImageDefinitions")]
pub(super) enum RawDefinitions {
    Same(Vec<RawText>),
    Named(IndexMap<String, RawText>),
}
