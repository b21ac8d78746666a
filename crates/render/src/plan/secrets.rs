//! Secrets in artifacts: none stands there that shipspec.yml does not let stand there.

use std::collections::BTreeSet;

use shipspec_spec::diagnostic::Diagnostic;
use shipspec_spec::mask::Mask;
use shipspec_spec::scope::Scope;

use super::ArtifactPlan;

impl ArtifactPlan {
    /// An artifact is stored and read by many; a secret belongs there only if shipspec.yml says so.
    pub(crate) fn check_secrets(&self, secrets: &BTreeSet<String>) -> Result<(), Diagnostic> {
        let refused: Vec<_> = secrets.iter().filter(|name| !self.allows(name)).collect();
        let Some(first) = refused.first() else { return Ok(()) };
        let names: Vec<_> = refused.iter().map(|name| format!("`{name}`")).collect();
        let (names, path) = (names.join(", "), &self.path);
        let message = format!("{names} is secret and would stand in `{path}` in plain text");
        Err(Diagnostic::at(self.place.clone(), message).with_hint(instead_of(first)))
    }

    /// The secrets that stand in the text by no doing of a name: written by hand, or from another
    /// source. They are refused like others.
    pub(super) fn search(
        &self,
        text: &str,
        searches: &Searches,
    ) -> Result<BTreeSet<String>, Diagnostic> {
        let found: BTreeSet<_> = searches.find(text).map(str::to_owned).collect();
        match found.iter().find(|name| !self.allows(name)) {
            None => Ok(found),
            Some(name) => {
                let path = &self.path;
                let message = format!("the value of the secret `{name}` stands in `{path}`");
                Err(Diagnostic::at(self.place.clone(), message).with_hint(instead_of(name)))
            }
        }
    }

    /// shipspec.yml says that this secret, or the dictionary that it is in, may stand here.
    fn allows(&self, secret: &str) -> bool {
        self.allow_secrets.iter().any(|allowed| {
            secret
                .strip_prefix(&**allowed)
                .is_some_and(|rest| matches!(rest.get(..1), None | Some(".")))
        })
    }
}

/// What to do with a secret instead of writing it into an artifact.
fn instead_of(secret: &str) -> String {
    let variable = secret.rsplit('.').next().unwrap_or(secret).to_uppercase();
    format!(
        "let the container read it: `\"secrets\": [{{\"name\": \"{variable}\", \"valueFrom\": \
         \"${{arn('{secret}')}}\"}}]`; or say `allow_secrets: [{secret}]` for this artifact"
    )
}

/// Looks for the secrets of a run in finished texts.
pub(super) struct Searches(Vec<(String, Mask)>);

impl Searches {
    /// Shorter values are in other words too.
    const SHORTEST: usize = 8;

    pub(super) fn new(scope: &Scope) -> Self {
        let secrets = scope.secrets().into_iter();
        let long = secrets
            .filter(|secret| secret.is_certain && secret.value.expose().len() >= Self::SHORTEST);
        Self(long.filter_map(|one| Some((one.name, Mask::whole(&one.value)?))).collect())
    }

    fn find(&self, text: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, mask)| mask.finds(text)).map(|(name, _)| &**name)
    }
}
