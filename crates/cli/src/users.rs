//! Users of registries that are none of ECR's, with their passwords.

use std::collections::BTreeMap;

use shipspec_registry::credentials::Credentials;
use shipspec_spec::config::{Config, ImageConfig, PromotionConfig};
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Registry;
use shipspec_spec::scope::Scope;
use shipspec_spec::secret::Secret;

/// The users of the registries that shipspec.yml names.
pub(crate) type Users = BTreeMap<Registry, Credentials>;

/// Users and passwords, by their registries.
pub(crate) fn of_config(config: &Config, scope: &Scope) -> Result<Users, Diagnostics> {
    let (mut users, mut found) = (Users::new(), Diagnostics::default());
    for (registry, user) in &config.registries {
        match (user.username.evaluate_text(scope), user.password.evaluate_text(scope)) {
            (Ok((username, _)), Ok((password, _))) => {
                let password = Secret::new(password);
                users.insert(registry.clone(), Credentials { username, password });
            }
            (username, password) => {
                found.extend(username.err().unwrap_or_default());
                found.extend(password.err().unwrap_or_default());
            }
        }
    }
    found.or(users)
}

/// Leaves only the users of registries that a promotion writes to or reads from, as far as their
/// hosts stand in shipspec.yml: the passwords of others may be out of reach where it runs.
pub(crate) fn retain_of(config: &mut Config, target: &PromotionConfig) {
    let images = &config.images;
    let sources = target.repositories.keys().filter_map(|name| images.get(name));
    let sources = sources.map(|image: &ImageConfig| &image.repository);
    let texts: Vec<_> = sources.chain(target.repositories.values()).cloned().collect();
    config.registries.retain(|registry, _| {
        let start = format!("{registry}/");
        texts.iter().any(|text| text.as_written().starts_with(&start))
    });
}
