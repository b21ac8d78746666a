//! What is copied to another place: from which reference, to which repository, under which tags.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use shipspec_spec::config::{Config, PromotionConfig};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::image::Repository;
use shipspec_spec::place::Role;
use shipspec_spec::scope::{DigestState, ImageNames, Scope};

use super::PlannedTag;
use super::fill::{Filler, place, put_in_order};

/// All that is copied to one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The role to assume there.
    pub role: Option<Role>,
    /// The images.
    pub images: Vec<PromotionPlan>,
}

/// An image to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionPlan {
    /// Its name in shipspec.yml.
    pub name: String,
    /// Where it is: by its tag, or by its digest where that is known.
    pub source: ImageNames,
    /// Where it is copied to.
    pub repository: Repository,
    /// Its tags there, in the order in which they are put: first those that belong to the source
    /// version, then those that move, `latest` last.
    pub tags: Vec<PlannedTag>,
}

/// What is copied to a place. `given` are images whose source is known; the others are where this run's
/// tag says. Of an image itself only its repository and its tags count.
///
/// # Errors
///
/// Everything that has no value, or not one of the right form.
pub fn plan_promotion(
    config: &Config,
    scope: &Scope,
    target: &PromotionConfig,
    given: &IndexMap<String, ImageNames>,
    only: &BTreeSet<String>,
) -> Result<Promotion, Diagnostics> {
    let mut found = Diagnostics::default();
    let mut images = Vec::new();
    for (name, repository) in &target.repositories {
        if !only.is_empty() && !only.contains(name) {
            continue;
        }
        let own = scope.of_image(name);
        let mut filler = Filler { scope: &own, found: &mut found };
        let repository: Option<Repository> = filler.parsed(repository);
        let mut tags = match &target.tags {
            Some(tags) => filler.planned_tags(tags),
            None => filler.planned_tags(&config.images[name].tags),
        };
        put_in_order(&mut tags);
        let source = given.get(name).cloned().or_else(|| source(config, scope, name, &mut found));
        if let (Some(repository), Some(source)) = (repository, source) {
            images.push(PromotionPlan { name: name.clone(), source, repository, tags });
        }
    }
    check_shared_tags(target, &images, &mut found);
    let role = Filler { scope, found: &mut found }.role(target.role.as_ref());
    found.or(Promotion { role, images })
}

/// Where a run of this commit leaves the image.
fn source(
    config: &Config,
    scope: &Scope,
    name: &str,
    found: &mut Diagnostics,
) -> Option<ImageNames> {
    match place(name, &config.images[name], scope) {
        Ok(place) if place.is_keyed => {
            let message = format!("`{name}` is named by its content, which nobody knows here");
            let hint = format!("say where it is: `--image {name}=REFERENCE`");
            let span = config.images[name].repository.span().clone();
            found.push(Diagnostic::at(span, message).with_hint(hint));
            None
        }
        Ok(place) => Some(ImageNames {
            repository: place.repository,
            tag: Some(place.main_tag),
            digest: DigestState::Later,
            is_keyed: false,
            written: None,
        }),
        Err(errors) => {
            found.extend(errors);
            None
        }
    }
}

/// Two images under one reference would be one image: the one that is tagged last.
fn check_shared_tags(target: &PromotionConfig, images: &[PromotionPlan], found: &mut Diagnostics) {
    let mut seen: IndexMap<String, &str> = IndexMap::new();
    for image in images {
        for planned in &image.tags {
            let reference = image.repository.tagged(&planned.tag);
            if let Some(other) = seen.insert(reference.clone(), &image.name) {
                let span = target.repositories[&image.name].span().clone();
                let message = format!(
                    "the images `{other}` and `{}` would both be `{reference}`",
                    image.name
                );
                found.push(
                    Diagnostic::at(span, message)
                        .with_hint("give them repositories or tags of their own"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shipspec_spec::source::Source;
    use shipspec_spec::tag::Commit;

    use super::*;

    fn planned(promote: &str, given: &[(&str, &str)]) -> Result<String, String> {
        let text = format!(
            "version: 1\ntag: \"1234567\"\nimages:\n  app: {{ repository: dev.example/web, tags: [latest, \"${{IMAGE_TAG}}\"] }}\n  job: {{ repository: \"${{UNSET}}\" }}\npromote:\n  production: {{ {promote} }}\n"
        );
        let config = Config::parse(&Source::new("shipspec.yml", text)).unwrap();
        let environment = BTreeMap::from([("PROD".to_owned(), "prod.example".to_owned())]);
        let scope =
            Scope::new(&config, environment, Ok(Commit::parse(&"0123456789".repeat(4)).unwrap()));
        let given = given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), ImageNames::parse(text).unwrap()))
            .collect();
        let target = &config.promote["production"];
        let plan = plan_promotion(&config, &scope, target, &given, &BTreeSet::new());
        let plan = plan.map_err(|errors| errors.to_string())?;
        let line = |image: &PromotionPlan| {
            let tags: Vec<_> = image.tags.iter().map(|planned| planned.tag.as_str()).collect();
            let tag = image.source.tag.as_ref().map_or("-", |tag| tag.as_str());
            format!("{}:{tag} -> {}:{}", image.source.repository, image.repository, tags.join(","))
        };
        Ok(plan.images.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn an_image_is_taken_from_where_this_commit_left_it() {
        assert_eq!(
            planned("repositories: { app: \"${PROD}/web\" }", &[]).unwrap(),
            "dev.example/web:1234567 -> prod.example/web:1234567,latest"
        );
        assert_eq!(
            planned("repositories: { app: \"${PROD}/web\" }, tags: [stable]", &[]).unwrap(),
            "dev.example/web:1234567 -> prod.example/web:stable"
        );
    }

    #[test]
    fn a_source_that_is_given_needs_no_repository_in_the_file() {
        assert_eq!(
            planned("repositories: { job: \"${PROD}/job\" }", &[("job", "other.example/j:2")])
                .unwrap(),
            "other.example/j:2 -> prod.example/job:1234567"
        );
        assert!(
            planned("repositories: { job: \"${PROD}/job\" }", &[]).unwrap_err().contains("UNSET")
        );
    }

    #[test]
    fn two_images_cannot_be_one() {
        let error = planned(
            "repositories: { app: prod.example/web, job: prod.example/web }, tags: [stable]",
            &[("job", "other.example/j:2")],
        );
        assert!(error.unwrap_err().contains("would both be `prod.example/web:stable`"));
    }
}
