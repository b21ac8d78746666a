//! `shipspec promote`: an image that has passed goes to another account or region as it is.

use std::collections::BTreeSet;

use clap::Args as ClapArgs;
use indexmap::IndexMap;
use shipspec_build::plan::{Promotion, PromotionPlan, plan_promotion};
use shipspec_spec::config::PromotionConfig;
use shipspec_spec::image::Repository;
use shipspec_spec::nearest::nearest;
use shipspec_spec::place::Role;
use shipspec_spec::scope::ImageNames;
use shipspec_spec::tag::Tag;

use crate::arguments::{self, Output, OutputFlags, ProjectFlags, RenderFlags, ValueFlags};
use crate::context::Context;
use crate::project::{Project, refuse_after_failure};
use crate::promotion::{self, Courier};
use crate::{failure, pipeline, users};

/// Copy images by digest to another account or region, without building and without Docker; prints
/// each by digest
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Where to copy the images, by its name under `promote` in shipspec.yml
    #[arg(value_name = "TARGET", required_unless_present = "from")]
    place: Option<String>,
    /// Without a target: the image to copy, by its digest or its tag
    #[arg(long, value_name = "REFERENCE", requires = "to", conflicts_with_all = ["place", "only", "images"])]
    from: Option<String>,
    /// The repository to copy it to, and its tag there [default: that of --from]
    #[arg(long, value_name = "REPOSITORY[:TAG]", requires = "from")]
    to: Option<String>,
    /// The ARN of a role to assume for the registry of --to
    #[arg(long, value_name = "ARN", requires = "to")]
    to_role: Option<String>,
    /// The external id that this role asks for
    #[arg(long, value_name = "ID", requires = "to_role")]
    to_external_id: Option<String>,
    /// Only this image; once for each
    #[arg(long = "only", value_name = "IMAGE")]
    only: Vec<String>,
    /// Where an image is, in place of its repository in shipspec.yml and this run's tag; once for each
    #[arg(long = "image", value_name = "NAME=REFERENCE", value_parser = arguments::pair)]
    images: Vec<(String, String)>,
    #[command(flatten)]
    values: ValueFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    refuse_after_failure(context)?;
    let flags = ProjectFlags { values: args.values.clone(), ..ProjectFlags::default() };
    let mut project = Project::read(context, &flags, &RenderFlags::default())?;
    let plan = match (&args.from, &args.to) {
        (Some(from), Some(to)) => direct(args, from, to)?,
        _ => named(args, context, &mut project).await?,
    };
    let mut report = pipeline::report("promote", &project, &[]);
    let courier = Courier::new(context, &project.users, &plan).await;
    if let Err(error) = courier.promote(&plan, &mut report).await {
        return Err(failure::unfinished(report, error));
    }
    if args.output.output == Output::Json {
        return Ok(context.console.data(&report.json())?);
    }
    for pinned in report.images.iter().filter_map(|image| image.pinned.as_ref()) {
        context.console.data(&format!("{pinned}\n"))?;
    }
    context.console.note(format_args!("\n{}", promotion::table(&report).trim_end()));
    Ok(())
}

/// What shipspec.yml says of a target.
async fn named(
    args: &Args,
    context: &Context<'_>,
    project: &mut Project,
) -> anyhow::Result<Promotion> {
    let name = args.place.as_deref().unwrap_or_default();
    let target = find_target(project, name)?;
    let known: Vec<_> = target.repositories.keys().map(String::as_str).collect();
    for image in args.only.iter().chain(args.images.iter().map(|(image, _)| image)) {
        if !known.contains(&&**image) {
            let message = format!("`{name}` has no repository for an image `{image}`");
            let hint = match nearest(image, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its `repositories:` has: {}", known.join(", ")),
            };
            return Err(failure::input(message, Some(&hint)));
        }
    }
    let mut given = IndexMap::new();
    for (image, reference) in &args.images {
        let names = ImageNames::parse(reference).map_err(|why| failure::input(why, None))?;
        given.insert(image.clone(), names);
    }
    promotion::limit_parameters(project, &target, &given);
    project.fetch_parameters(context).await?;
    project.users = users::of_config(&project.config, &project.scope)?;
    project.hide_secrets(context, &[]);
    let only: BTreeSet<_> = args.only.iter().cloned().collect();
    let plan = plan_promotion(&project.config, &project.scope, &target, &given, &only)?;
    note_references(context, project, &plan);
    Ok(plan)
}

/// Says which private images of others the target has to be able to pull from where they are.
fn note_references(context: &Context<'_>, project: &Project, plan: &Promotion) {
    let account = |repository: &Repository| repository.registry.ecr().map(|host| host.account);
    let targets: BTreeSet<_> =
        plan.images.iter().filter_map(|image| account(&image.repository)).collect();
    for (name, image) in &project.config.foreign {
        let Ok((reference, _)) = image.reference.evaluate_text(&project.scope) else { continue };
        let Ok(names) = ImageNames::foreign(&reference) else { continue };
        let owner = account(&names.repository);
        if owner.is_some_and(|owner| targets.iter().any(|target| *target != owner)) {
            context.console.note(format_args!(
                "note: `{name}` is not copied: whoever runs the copies there pulls {reference}"
            ));
        }
    }
}

/// What shipspec.yml says under that name.
pub(super) fn find_target(project: &Project, name: &str) -> anyhow::Result<PromotionConfig> {
    if let Some(target) = project.config.promote.get(name) {
        return Ok(target.clone());
    }
    let known: Vec<_> = project.config.promote.keys().map(String::as_str).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => {
            "write it under `promote:` in shipspec.yml, or use `--from` and `--to`".into()
        }
        None => format!("`promote:` has: {}", known.join(", ")),
    };
    Err(failure::input(format!("`promote:` has no `{name}`"), Some(&hint)))
}

/// What flags alone say: one image.
fn direct(args: &Args, from: &str, to: &str) -> anyhow::Result<Promotion> {
    let wrong = |why: String| failure::input(why, None);
    let source = ImageNames::parse(from).map_err(wrong)?;
    let (repository, tag) = split_tag(to);
    let repository = repository
        .parse()
        .map_err(|error: shipspec_spec::image::RepositoryError| wrong(error.to_string()))?;
    let tag: Option<Tag> = match tag {
        Some(tag) => Some(
            tag.parse().map_err(|error: shipspec_spec::tag::TagError| wrong(error.to_string()))?,
        ),
        None => source.tag.clone(),
    };
    let Some(tag) = tag else {
        let hint = "write one behind the repository of `--to`: without, the registry's lifecycle rules may remove it";
        return Err(failure::input("the copy would have no tag", Some(hint)));
    };
    let role = args.to_role.clone().map(|arn| {
        let external_id = args.to_external_id.clone();
        Role { arn, external_id }
    });
    let tags = vec![shipspec_build::plan::PlannedTag { tag, moving: false }];
    let image = PromotionPlan { name: "image".into(), source, repository, tags };
    Ok(Promotion { role, images: vec![image] })
}

/// A colon before the last slash belongs to the port of the registry.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    let name = text.rfind('/').map_or(0, |slash| slash + 1);
    match text[name..].find(':') {
        Some(colon) => (&text[..name + colon], Some(&text[name + colon + 1..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(split_tag("localhost:5000/web"), ("localhost:5000/web", None));
        assert_eq!(split_tag("localhost:5000/a/web:1"), ("localhost:5000/a/web", Some("1")));
        assert_eq!(split_tag("https://r.example/web"), ("https://r.example/web", None));
    }
}
