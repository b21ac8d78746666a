//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};

use crate::command::Command;

/// Build, push and render for CodePipeline and ECS, from one file.
#[derive(Debug, Parser)]
#[command(name = "shipspec", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// The configuration [default: shipspec.yml, if there is one]
    #[arg(long, short, global = true, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What flags say about the image. Without a shipspec.yml they are enough for one image; with one,
/// they change its only image.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ImageFlags {
    /// The repository to push to: registry/name, with or without https:// in front
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) repository: Option<String>,

    /// A tag, such as latest; once for each [default: the first 7 digits of the commit]
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// The folder of the build context
    #[arg(long, value_name = "FOLDER")]
    pub(crate) context: Option<PathBuf>,

    /// The Dockerfile's path from the context's folder on; it may be outside of it
    #[arg(long, value_name = "PATH")]
    pub(crate) dockerfile: Option<String>,

    /// The stage to build
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,

    /// The platform to build for, such as linux/arm64
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,

    /// A value for an ARG of the Dockerfile; once for each
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) build_args: Vec<(String, String)>,

    /// A label for the image; once for each
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) labels: Vec<(String, String)>,
}

/// What flags say about the project, whatever the command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ProjectFlags {
    #[command(flatten)]
    pub(crate) image: ImageFlags,
    #[command(flatten)]
    pub(crate) values: ValueFlags,
}

/// What flags say about names and their values.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ValueFlags {
    /// Give a name a value, over all other sources; once for each
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,

    /// Give names the values of a file (.env, .json, .yaml), over all sources but --set
    #[arg(long = "values", value_name = "PATH")]
    pub(crate) values: Vec<PathBuf>,

    /// Take parameters from a file (.env, .json, .yaml, or what `aws ssm get-parameters` prints)
    /// instead of asking AWS
    #[arg(long = "parameters", value_name = "PATH")]
    pub(crate) parameters: Option<PathBuf>,
}

/// Artifacts that flags ask for, besides those of shipspec.yml.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RenderFlags {
    /// Fill a template and write the artifact; once for each
    #[arg(long = "render", value_name = "TEMPLATE=ARTIFACT", value_parser = pair)]
    pub(crate) templates: Vec<(String, String)>,
}

/// How the Docker engine is spoken to.
#[derive(Debug, Clone, Args)]
pub(crate) struct EngineFlags {
    /// How many seconds to wait for a Docker engine that does not answer yet
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub(crate) docker_wait: Duration,
}

/// What is built.
#[derive(Debug, Clone, Args)]
pub(crate) struct BuildFlags {
    /// Only this image, those that it is made from, and the artifacts that name no others; once for
    /// each
    #[arg(long = "only", value_name = "IMAGE")]
    pub(crate) only: Vec<String>,

    /// How many images are built at the same time
    #[arg(long, value_name = "COUNT", default_value = "4", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) jobs: u8,
}

/// How results are told.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputFlags {
    /// The form of the result: words, or one JSON document on stdout
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: Output,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// Words for people
    Text,
    /// One JSON document on stdout
    Json,
}

/// `NAME=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("no name stands before the `=`".into()),
        Some((name, value)) => Ok((name.into(), value.into())),
        None => Err("there is no `=` in it".into()),
    }
}

/// `NAME=VALUE` for a name that expressions can ask for.
fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = pair(text)?;
    match name.split_once('.') {
        Some((root, _)) => {
            Err(format!("`{name}` is a part of `{root}`; set `{root}` to JSON that has it"))
        }
        None => Ok((name, value)),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "it is no length of time".to_owned())
}
