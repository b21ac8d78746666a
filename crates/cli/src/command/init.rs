//! `shipspec init`: the files of a new pipeline.

use std::io;

use clap::{Args as ClapArgs, ValueEnum as _};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};

use crate::context::Context;
use crate::failure;
use crate::init::{Answer, Answers, Pipeline, Terminal, complete};
use crate::newcomers::Newcomers;

/// The file that names what is not part of an image.
const DOCKERIGNORE: &str = ".dockerignore";

/// Write shipspec.yml, a buildspec and what else a new pipeline needs; asks for what no flag says
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// How the image is deployed
    #[arg(long, value_name = "KIND")]
    pipeline: Option<Pipeline>,
    /// The repository to push to: registry/name, or ${NAME} for a variable of the build
    #[arg(long, value_name = "REPOSITORY")]
    repository: Option<String>,
    /// The name of the container in the task definition
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// The port that the container listens on
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// The name of the second container, and of the folder that its image is built from
    #[arg(long, value_name = "NAME")]
    sidecar: Option<String>,
    /// The repository of the second image
    #[arg(long, value_name = "REPOSITORY")]
    sidecar_repository: Option<String>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    if context.has_named_file() {
        let hint = "it writes `shipspec.yml` into the folder where it is started: go there first";
        return Err(failure::input("`--file` is not for `init`", Some(hint)));
    }
    let (pipeline, answers) = answers(args).await?;
    let mut files = Newcomers::default();
    for (name, text) in pipeline.files(&answers) {
        files.add(name, &text);
    }
    let missing = ignore(pipeline, context, &mut files)?;
    files.write(context.console, &context.current, args.force)?;
    if !missing.is_empty() {
        let names = missing.join(", ");
        context
            .console
            .note(format_args!("add to {DOCKERIGNORE}, to build only what changed: {names}"));
    }
    for path in pipeline.needed(&answers) {
        if !context.current.join(&path).exists() {
            context.console.note(format_args!("still needed: {path}"));
        }
    }
    context.console.note("next: `shipspec check`, then `shipspec plan`");
    Ok(())
}

/// Keeps what a run reads and writes out of the image, so that another run finds it unchanged. A file
/// that is there stays: what it does not name is given back.
fn ignore(
    pipeline: Pipeline,
    context: &Context<'_>,
    files: &mut Newcomers,
) -> anyhow::Result<Vec<&'static str>> {
    let ignored = pipeline.ignored();
    match std::fs::read_to_string(context.current.join(DOCKERIGNORE)) {
        Ok(there) => {
            let is_named =
                |name: &str| there.lines().any(|line| line.trim().trim_matches('/') == name);
            Ok(ignored.into_iter().filter(|name| !is_named(name)).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let reason = "# What is not part of an image: a change in it would build another one.";
            files.add(DOCKERIGNORE, &format!("{reason}\n{}\n", ignored.join("\n")));
            Ok(Vec::new())
        }
        Err(error) => {
            Err(failure::input(format!("failed to read `{DOCKERIGNORE}`: {error}"), None))
        }
    }
}

/// What the flags say, and then whoever sits there.
async fn answers(args: &Args) -> anyhow::Result<(Pipeline, Answers)> {
    let (given, mut found) = (args.given(), Diagnostics::default());
    let mut answers = Answers::default();
    for (answer, text) in given {
        if let Err(why) = answers.set(answer, text) {
            found.push(Diagnostic::new(format!("{}: {why}", answer.flag())));
        }
    }
    if let Some(pipeline) = args.pipeline {
        found.extend(surplus(pipeline, &answers));
    }
    if let (Some(pipeline), None) = (args.pipeline, Terminal::find()) {
        for answer in pipeline.questions().iter().filter(|it| !args.says(**it)) {
            found.push(Diagnostic::new(format!(
                "`{}` is needed: the {}",
                answer.flag(),
                answer.question()
            )));
        }
    }
    found.or(())?;
    match (args.pipeline, Terminal::find()) {
        (Some(pipeline), None) => Ok((pipeline, answers)),
        (None, None) => {
            let hint =
                "name one: rolling, blue-green, blue-green-sidecar, cloudformation or terraform";
            Err(failure::input("`--pipeline` is needed where nobody can be asked", Some(hint)))
        }
        (pipeline, Some(terminal)) => {
            // On a thread of its own, so that Ctrl-C is heard meanwhile.
            let asked = tokio::task::spawn_blocking(move || complete(&terminal, pipeline, answers));
            let asked = asked.await?.map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    failure::input("there was no answer; nothing is written", None)
                }
                _ => error.into(),
            });
            let (pipeline, answers) = asked?;
            Ok(surplus(pipeline, &answers).or((pipeline, answers))?)
        }
    }
}

/// Flags that the pipeline has no use for.
fn surplus(pipeline: Pipeline, answers: &Answers) -> Diagnostics {
    let name = pipeline.to_possible_value();
    let name = name.as_ref().map_or("this pipeline", |value| value.get_name());
    let mut found = Diagnostics::default();
    for flag in answers.flags_beside(pipeline.questions()) {
        found.push(Diagnostic::new(format!("`{flag}` is not for `{name}`")));
    }
    found
}

impl Args {
    /// A flag says it, rightly or not.
    fn says(&self, answer: Answer) -> bool {
        self.given().any(|(given, _)| given == answer)
    }

    /// What flags say.
    fn given(&self) -> impl Iterator<Item = (Answer, &str)> {
        let all = [
            (Answer::Repository, &self.repository),
            (Answer::Container, &self.container),
            (Answer::Port, &self.port),
            (Answer::Sidecar, &self.sidecar),
            (Answer::SidecarRepository, &self.sidecar_repository),
        ];
        all.into_iter().filter_map(|(answer, text)| Some((answer, text.as_deref()?)))
    }
}
