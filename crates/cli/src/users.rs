//! Users of registries that are none of ECR's, with their passwords.

use std::collections::{BTreeMap, BTreeSet};

use shipspec_registry::credentials::Credentials;
use shipspec_spec::config::{Config, PromotionConfig, Text};
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::{Registry, Repository};
use shipspec_spec::scope::Scope;
use shipspec_spec::secret::Secret;

/// The users of the registries that shipspec.yml names.
pub(crate) type Users = BTreeMap<Registry, Credentials>;

/// Users and passwords, by their registries. One whose password is a parameter that nobody was asked for
/// is left out: then nobody speaks to its registry either.
pub(crate) fn of_config(config: &Config, scope: &Scope) -> Result<Users, Diagnostics> {
    let (mut users, mut found) = (Users::new(), Diagnostics::default());
    for (registry, user) in &config.registries {
        match (user.username.evaluate_text(scope), user.password.evaluate_text(scope)) {
            (Ok((username, _)), Ok((password, _))) => {
                let password = Secret::new(password);
                users.insert(registry.clone(), Credentials { username, password });
            }
            (username, password) => {
                let mut errors = username.err().unwrap_or_default();
                errors.extend(password.err().unwrap_or_default());
                let references = user.texts().flat_map(Text::references).collect();
                let is_open = scope.lacks_parameter(references);
                found.extend(if is_open { errors.without_premature() } else { errors });
            }
        }
    }
    found.or(users)
}

/// Leaves only the users of registries that a promotion writes to or reads from: the passwords of others
/// may be out of reach where it runs. While a repository is not known, it may be of any registry.
pub(crate) fn retain_of(config: &mut Config, scope: &Scope, target: &PromotionConfig) {
    let images = &config.images;
    let sources =
        target.repositories.keys().filter_map(|name| Some((name, &images.get(name)?.repository)));
    let filled = sources.chain(&target.repositories).map(|(name, text)| {
        let (text, _) = text.evaluate_text(&scope.of_image(name)).ok()?;
        text.parse::<Repository>().ok().map(|repository| repository.registry)
    });
    let used: Option<BTreeSet<_>> = filled.collect();
    if let Some(used) = used {
        config.registries.retain(|registry, _| used.contains(registry));
    }
}
