//! Images that others build: what they are called, and who asks for them.

use shipspec_spec::config::{Config, ForeignImage};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::place::Role;
use shipspec_spec::scope::{DigestState, ImageNames, Scope};

use super::fill::Filler;

/// An image that is named in shipspec.yml and built elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignPlan {
    /// Its name in shipspec.yml.
    pub name: String,
    /// Its reference, as it is written.
    pub reference: String,
    /// Where it is.
    pub repository: Repository,
    /// What its registry is asked for: its tag, or its digest.
    pub asked: String,
    /// Its digest, if the reference has it.
    pub digest: Option<Digest>,
    /// The role to assume for its registry.
    pub role: Option<Role>,
    /// Plain HTTP is spoken with that registry.
    pub insecure: bool,
}

/// Fills the references. The names of these images are known in `scope` from here on; a digest that a
/// registry has told for the same reference stays known.
pub(super) fn plan_foreign(
    config: &Config,
    scope: &mut Scope,
    found: &mut Diagnostics,
) -> Vec<ForeignPlan> {
    let mut plans = Vec::new();
    for (name, image) in &config.foreign {
        let Some((names, plan)) = read(name, image, scope, found) else { continue };
        let is_known = scope.image(name).is_some_and(|known| known.written == names.written);
        if !is_known {
            scope.set_image(name, names);
        }
        plans.push(plan);
    }
    plans
}

fn read(
    name: &str,
    image: &ForeignImage,
    scope: &Scope,
    found: &mut Diagnostics,
) -> Option<(ImageNames, ForeignPlan)> {
    let mut filler = Filler { scope, found };
    let role = filler.role(image.role.as_ref());
    let reference = filler.text(&image.reference)?;
    let names = match ImageNames::foreign(&reference) {
        Ok(names) => names,
        Err(message) => {
            found.push(Diagnostic::at(image.reference.span().clone(), message));
            return None;
        }
    };
    let digest = match &names.digest {
        DigestState::Known(digest) => Some(digest.clone()),
        DigestState::Later | DigestState::Never(_) => None,
    };
    let asked = match (&digest, &names.tag) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => tag.as_ref()?.to_string(),
    };
    let plan = ForeignPlan {
        name: name.into(),
        reference,
        repository: names.repository.clone(),
        asked,
        digest,
        role,
        insecure: image.insecure,
    };
    Some((names, plan))
}
