//! What images must not have in common, and what they must, where they share a place.

use indexmap::IndexMap;
use shipspec_registry::repository::RepositorySettings;
use shipspec_spec::config::Config;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::image::{Registry, Repository};
use shipspec_spec::place::Role;

use super::{ImagePlan, Plans};

/// Looks at what several images share.
pub(super) fn check(plans: &Plans, config: &Config, found: &mut Diagnostics) {
    let mut sharing = Sharing { plans: &plans.images, config, found };
    sharing.check_tags();
    sharing.check_creation();
    sharing.check_roles(plans);
}

struct Sharing<'a> {
    plans: &'a [ImagePlan],
    config: &'a Config,
    found: &'a mut Diagnostics,
}

impl Sharing<'_> {
    /// Two images under one reference would be one image: the one that is tagged last.
    fn check_tags(&mut self) {
        let mut seen: IndexMap<String, &str> = IndexMap::new();
        for plan in self.plans {
            for repository in plan.repositories() {
                for planned in &plan.tags {
                    let reference = repository.tagged(&planned.tag);
                    let other = seen.insert(reference.clone(), &plan.name);
                    let message = match other {
                        None => continue,
                        Some(other) if other == plan.name => {
                            format!("`{other}` would be pushed to `{repository}` twice")
                        }
                        Some(other) => format!(
                            "the images `{other}` and `{}` would both be `{reference}`",
                            plan.name
                        ),
                    };
                    self.tell(plan, message, "give them repositories or tags of their own");
                }
            }
        }
    }

    /// A repository is made once, so it can be made in one way only.
    fn check_creation(&mut self) {
        let mut seen: IndexMap<&Repository, (&str, &RepositorySettings)> = IndexMap::new();
        for plan in self.plans {
            let Some(settings) = &plan.create_repository else { continue };
            for repository in plan.repositories() {
                let (other, first) = *seen.entry(repository).or_insert((&plan.name, settings));
                if repository.registry.ecr().is_none() {
                    let message = format!("`create_repository` cannot make `{repository}`");
                    self.tell(plan, message, "it makes private repositories of ECR");
                } else if first != settings {
                    let name = &plan.name;
                    let message = format!(
                        "the images `{other}` and `{name}` would make `{repository}` in two ways"
                    );
                    self.tell(plan, message, "say the same `create_repository` for both");
                }
            }
        }
    }

    /// A registry is spoken to by one caller.
    fn check_roles(&mut self, plans: &Plans) {
        let mut seen: IndexMap<&Registry, (&str, Option<&Role>)> = IndexMap::new();
        let built = plans.images.iter().map(|plan| (&plan.name, &plan.repository, &plan.role));
        // One of others without a role is asked for by whoever speaks to its registry anyway.
        let foreign = plans.foreign.iter().filter(|plan| plan.role.is_some());
        let foreign = foreign.map(|plan| (&plan.name, &plan.repository, &plan.role));
        for (name, Repository { registry, .. }, role) in built.chain(foreign) {
            let role = role.as_ref();
            let (other, first) = *seen.entry(registry).or_insert((name, role));
            if role.is_some() && registry.ecr().is_none() {
                let message = format!("no `role` is assumed for `{registry}`");
                self.tell_of(name, message, "roles are for private registries of ECR");
            } else if first != role {
                let message = format!(
                    "the images `{other}` and `{name}` would speak to `{registry}` by two roles"
                );
                self.tell_of(
                    name,
                    message,
                    "say the same `role` for both, or run them apart with `--only`",
                );
            }
        }
    }

    fn tell(&mut self, plan: &ImagePlan, message: String, hint: &str) {
        self.tell_of(&plan.name, message, hint);
    }

    fn tell_of(&mut self, image: &str, message: String, hint: &str) {
        let span = match self.config.foreign.get(image) {
            Some(foreign) => foreign.reference.span().clone(),
            None => self.config.images[image].repository.span().clone(),
        };
        self.found.push(Diagnostic::at(span, message).with_hint(hint));
    }
}
