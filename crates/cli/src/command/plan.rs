//! `shipspec plan`: what `run` would do. Nothing is changed.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use serde_json::Value as Json;
use shipspec_build::plan::ImagePlan;
use shipspec_ecs::compare::masked;
use shipspec_registry::access::Access;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Digest;
use shipspec_spec::scope::{DigestState, FOREIGN_STAND_IN, STAND_IN, content_stand_in};

use crate::arguments::{Output, OutputFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::project::{Project, require_something};
use crate::report::{ArtifactReport, ImageReport, PublicationReport, Report, UNKNOWN_CONTENT};
use crate::reuse::{Memory, Rebuild};
use crate::{access, dockerfiles, foreign, pipeline};

/// Show what `run` would build, tag and write, and change nothing
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
    /// Ask nobody: values of parameters stay unknown
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::read(context, &args.project, &args.render)?;
    require_something(&project.config)?;
    if !args.offline || project.offline.is_some() {
        project.fetch_parameters(context).await?;
    }
    if !args.offline {
        project.fetch_bases(context).await?;
    }
    let report = plan(&mut project, context, args.offline).await?;
    context.console.data(&match args.output.output {
        Output::Json => report.json(),
        Output::Text => describe(&report),
    })?;
    Ok(())
}

/// What would be done, as far as it is known; what is not known for want of a parameter is said.
async fn plan(
    project: &mut Project,
    context: &Context<'_>,
    offline: bool,
) -> anyhow::Result<Report> {
    // Only where nobody was asked is a value that is not known yet no mistake.
    let mistakes = |errors: &Diagnostics| {
        let errors = errors.clone();
        if offline { errors.without_premature() } else { errors }
    };
    let mut report = pipeline::report("plan", project, &[]);
    let mut found = Diagnostics::default();
    match project.plan_images(context, &DigestState::Later) {
        Ok(plans) => {
            report.images = plans.iter().map(ImageReport::new).collect();
            if !offline {
                ask(project, context, &plans, &mut report).await;
            }
            let tagged = plans.iter().filter(|plan| plan.has_content);
            let open = tagged.filter(|plan| !project.scope.has_content(&plan.name));
            report.not_checked.extend(open.map(|plan| {
                format!("the tag `content` of `{}`: it is known with its key", plan.name)
            }));
            report.set_references(project);
        }
        Err(errors) => {
            found.extend(mistakes(&errors));
            report.not_checked.extend(errors.as_slice().iter().map(ToString::to_string));
        }
    }
    match project.read_artifacts(context) {
        Ok(artifacts) => {
            let scope = project.scope.with_stand_ins();
            let filled = artifacts.fill_each(&scope);
            let all = artifacts.published().zip(artifacts.have_base()).zip(filled);
            for (((path, places), has_base), artifact) in all {
                let (text, reason) = match artifact {
                    Ok(artifact) if artifact.secrets.is_empty() => match artifact.content.text() {
                        Some(text) => {
                            let text = if has_base {
                                context.console.masked(of_ecs(text))
                            } else {
                                text.to_owned()
                            };
                            (Some(shown(project, &text)), None)
                        }
                        None => (None, Some("it is a zip of what is told elsewhere here".into())),
                    },
                    Ok(artifact) => {
                        let names: Vec<_> = artifact.secrets.into_iter().collect();
                        (None, Some(format!("it holds secrets: {}", names.join(", "))))
                    }
                    Err(errors) => {
                        found.extend(mistakes(&errors));
                        (None, errors.as_slice().first().map(ToString::to_string))
                    }
                };
                let published = places.iter().map(PublicationReport::new).collect();
                report.artifacts.push(ArtifactReport {
                    path: path.into(),
                    text,
                    reason,
                    published,
                });
            }
        }
        Err(errors) => {
            found.extend(mistakes(&errors));
            report.not_checked.extend(errors.as_slice().iter().map(ToString::to_string));
        }
    }
    Ok(found.or(report)?)
}

/// What the registries know: digests of images of others, and which images need not be built. Where that
/// cannot be asked, the plan is still one.
async fn ask(
    project: &mut Project,
    context: &Context<'_>,
    plans: &[ImagePlan],
    report: &mut Report,
) {
    let (bases, _) = dockerfiles::check(context, plans);
    let access = access::of_run(context, &project.users, plans, &project.foreign, &bases).await;
    let artifacts = project.read_artifacts(context).ok();
    let asked = foreign::ask(&access, project.unasked(plans, artifacts.as_ref())).await;
    project.take_digests(&asked);
    let reasons = asked.iter().filter_map(|(plan, digest)| {
        let error = digest.as_ref().err()?;
        Some(format!("the digest of `{}`: {error:#}", plan.name))
    });
    report.not_checked.extend(reasons);
    // Planned with the digests that are known now.
    let plans = match project.plan_images(context, &DigestState::Later) {
        Ok(plans) if !plans.is_empty() => plans,
        _ => return,
    };
    let open = project.unasked(&plans, None);
    if open.is_empty() {
        look_up(project, context, &access, &plans, report).await;
    } else {
        let names: Vec<_> = open.iter().map(|plan| format!("`{}`", plan.name)).collect();
        let names = names.join(", ");
        report.not_checked.push(format!("which images are reused: that depends on {names}"));
    }
}

/// Which images their registries hold already.
async fn look_up(
    project: &mut Project,
    context: &Context<'_>,
    access: &Access,
    plans: &[ImagePlan],
    report: &mut Report,
) {
    let memory = Memory::new(context, access, plans, Rebuild::None);
    let looked = match memory.look_up_all(project, plans).await {
        Ok(looked) => looked,
        Err(error) => {
            report.not_checked.push(format!("which images are reused: {error:#}"));
            return;
        }
    };
    for plan in plans {
        let told = report.image(plan);
        let Some(looked) = looked.get(&plan.name) else {
            let others: Vec<_> = plan.depends_on.iter().map(|name| format!("`{name}`")).collect();
            told.reason = Some(format!("it is made from {}", others.join(", ")));
            continue;
        };
        if looked.content.is_some() {
            *told = ImageReport::new(&looked.plan);
        }
        let key = looked.key.as_ref().filter(|_| looked.is_kept);
        told.key = key.map(|key| key.id.to_string());
        match &looked.held {
            Some(held) => {
                told.reused = true;
                told.set_published(held.published());
            }
            None => told.reason = Some(looked.reason.clone()),
        }
    }
}

/// The text with words in place of digests and tags that are not known yet.
fn shown(project: &Project, text: &str) -> String {
    let names = project.config.images.keys();
    let text = names
        .fold(text.to_owned(), |text, name| text.replace(&content_stand_in(name), UNKNOWN_CONTENT));
    let of = |byte: u8| Digest::from_sha256([byte; 32]);
    text.replace(of(STAND_IN).as_str(), "sha256:(known after the push)")
        .replace(of(FOREIGN_STAND_IN).as_str(), "sha256:(known to its registry)")
}

/// A task definition with what others wrote into ECS: that may be a secret, and is hidden as a comparison
/// hides it. The file will have it in full.
fn of_ecs(text: &str) -> String {
    let Ok(task) = serde_json::from_str::<Json>(text) else { return String::new() };
    let hidden = masked(&task);
    if hidden == task { text.to_owned() } else { format!("{hidden:#}\n") }
}

fn describe(report: &Report) -> String {
    let mut text = String::new();
    let commit = report.commit.as_deref().unwrap_or("none");
    let _ = writeln!(text, "commit {commit}, tag {}", report.tag.as_deref().unwrap_or("none"));
    for image in &report.images {
        let platform = image.platform.as_deref().unwrap_or("every platform");
        let reason = image.reason.as_ref().map(|reason| format!("; not reused, because {reason}"));
        let what = match &image.digest {
            Some(digest) => format!("reused, {digest}"),
            None => format!("build for {platform}{}", reason.unwrap_or_default()),
        };
        let _ = writeln!(text, "\nimage {}: {what}", image.name);
        for tag in &image.tags {
            let what = if tag.moving { " (moving)" } else { "" };
            let _ = writeln!(text, "  tag {}:{}{what}", image.repository, tag.tag);
        }
    }
    for image in &report.references {
        let digest = image.digest.as_ref().map(|digest| format!(", {digest}"));
        let digest = digest.unwrap_or_default();
        let _ = writeln!(text, "\nimage {}: not built, {}{digest}", image.name, image.uri);
    }
    for artifact in &report.artifacts {
        let _ = writeln!(text, "\nartifact {}", artifact.path);
        match (&artifact.text, &artifact.reason) {
            (Some(content), _) => {
                for line in content.lines() {
                    let _ = writeln!(text, "  | {line}");
                }
            }
            (None, reason) => {
                let _ = writeln!(text, "  not shown: {}", reason.as_deref().unwrap_or_default());
            }
        }
        for place in &artifact.published {
            let _ = writeln!(text, "  publish to {}", place.to);
        }
    }
    for reason in &report.not_checked {
        let _ = writeln!(text, "\nnot known: {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_ecs_are_hidden_and_nothing_else_is_changed() {
        let plain = "{ \"family\": \"web\", \"containerDefinitions\": [] }\n";
        assert_eq!(of_ecs(plain), plain);
        let text =
            r#"{"containerDefinitions":[{"name":"web","command":["serve","--token=S3cretTok"]}]}"#;
        insta::assert_snapshot!(of_ecs(text), @r#"
        {
          "containerDefinitions": [
            {
              "name": "web",
              "command": [
                "serve",
                "--token=****"
              ]
            }
          ]
        }
        "#);
    }
}
