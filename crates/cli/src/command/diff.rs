//! `shipspec diff`: what a deployment would change in what ECS runs.

use clap::Args as ClapArgs;

use crate::arguments::{self, Output, OutputFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::differences::{Comparison, compare_all};
use crate::project::Project;
use crate::running::Target;
use crate::{failure, filling, pipeline};

/// Compare the task definitions that would be deployed with what ECS runs
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
    /// The reference of an image, so that no registry is asked for it; once for each
    #[arg(long = "image", value_name = "NAME=REFERENCE", value_parser = arguments::pair)]
    images: Vec<(String, String)>,
    /// Compare with the revision that this service runs [default: `service:` of shipspec.yml, else the newest
    /// revision of the family]
    #[arg(long, value_name = "CLUSTER/SERVICE", value_parser = service)]
    service: Option<(String, String)>,
    /// What ends with exit code 6; what could not be compared ends with 3 then
    #[arg(long, value_name = "WHAT")]
    fail_on: Option<FailOn>,
}

/// What is not to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Something that runs now would be gone
    Loss,
    /// Something would be another
    Change,
}

fn service(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((cluster, service)) if !cluster.is_empty() && !service.is_empty() => {
            Ok((cluster.to_owned(), service.to_owned()))
        }
        _ => Err("it has the form CLUSTER/SERVICE".into()),
    }
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::load(context, &args.project, &args.render).await?;
    project.fetch_bases(context).await?;
    filling::give_images(&mut project, &args.images)?;
    let filled = filling::fill(context, &mut project, &args.images).await?;
    let service = args.service.as_ref().map(|(cluster, name)| Target::named(cluster, name));
    let comparisons = compare_all(context, &filled, service.as_ref()).await;
    if comparisons.is_empty() {
        let hint = "a task definition has `containerDefinitions`; for `image_definitions`, name the service";
        return Err(failure::input("no artifact is a task definition", Some(hint)));
    }
    for comparison in &comparisons {
        comparison.note(context.console);
    }
    let mut report = pipeline::report("diff", &project, &[]);
    report.comparisons = comparisons.iter().map(|one| one.report(context.console)).collect();
    if let Some(error) = args.fail_on.and_then(|fail_on| judge(fail_on, comparisons.as_slice())) {
        if args.output.output == Output::Text {
            context.console.data(&report.differences())?;
        }
        return Err(failure::unfinished(report, error));
    }
    Ok(context.console.data(&match args.output.output {
        Output::Json => report.json(),
        Output::Text => report.differences(),
    })?)
}

/// What must not pass. What could not be compared may hold anything.
fn judge(fail_on: FailOn, comparisons: &[Comparison]) -> Option<anyhow::Error> {
    let unknown = comparisons.iter().find_map(|comparison| comparison.outcome.as_ref().err());
    if let Some(error) = unknown {
        return Some(error.clone().into());
    }
    let found = comparisons.iter().filter_map(|comparison| {
        let (_, difference) = comparison.outcome.as_ref().ok()?;
        let count = match fail_on {
            FailOn::Loss => difference.lost.len(),
            FailOn::Change => {
                difference.lost.len() + difference.changed.len() + difference.added.len()
            }
        };
        let what = if fail_on == FailOn::Loss { "lost" } else { "not as it runs" };
        (count > 0).then(|| format!("`{}`: {count} {what}", comparison.artifact))
    });
    let found: Vec<_> = found.collect();
    (!found.is_empty()).then(|| failure::findings(found.join(", ")))
}
