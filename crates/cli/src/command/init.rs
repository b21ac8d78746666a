//! `shipspec init`: the files of a new pipeline.

use std::io;

use clap::Args as ClapArgs;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};

use crate::context::Context;
use crate::failure;
use crate::init::{Answer, Answers, Pipeline, Terminal, complete};
use crate::newcomers::Newcomers;

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
    let (pipeline, answers) = answers(args).await?;
    let mut files = Newcomers::default();
    for (name, text) in pipeline.files(&answers) {
        files.add(name, &text);
    }
    files.write(context.console, &context.current, args.force)?;
    for path in pipeline.needed(&answers) {
        if !context.current.join(&path).exists() {
            context.console.note(format_args!("still needed: {path}"));
        }
    }
    context.console.note("next: `shipspec check`, then `shipspec plan`");
    Ok(())
}

/// What the flags say, and then whoever sits there.
async fn answers(args: &Args) -> anyhow::Result<(Pipeline, Answers)> {
    let (given, mut found) = (args.given(), Diagnostics::default());
    let mut answers = Answers::default();
    for (answer, text) in given {
        if let Err(why) = answer.check(text) {
            found.push(Diagnostic::new(format!("{}: {why}", answer.flag())));
        }
        answers.set(answer, text);
    }
    if let (Some(pipeline), None) = (args.pipeline, Terminal::find()) {
        for answer in pipeline.questions().iter().filter(|it| answers.get(**it).is_none()) {
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
            asked.await?.map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    failure::input("there was no answer; nothing is written", None)
                }
                _ => error.into(),
            })
        }
    }
}

impl Args {
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
