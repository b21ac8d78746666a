//! Who speaks to a registry.

use docker_credential::{CredentialRetrievalError, DockerCredential};
use shipspec_spec::image::Registry;
use shipspec_spec::secret::Secret;

/// A user and a password for one registry. They live in memory only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `AWS` for ECR.
    pub username: String,
    /// The password or token.
    pub password: Secret,
}

/// Why Docker's configuration gave no credentials.
#[derive(Debug, thiserror::Error)]
#[error("failed to read credentials for `{registry}` from Docker's configuration")]
pub struct CredentialsError {
    registry: Registry,
    #[source]
    source: CredentialRetrievalError,
}

impl Credentials {
    /// Reads what `docker login` left for a registry: `auths`, `credHelpers` and `credsStore` of
    /// `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`. Nothing there is no error: the
    /// registry may be open to all.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the file cannot be read or a credential helper fails.
    pub fn from_docker_config(registry: &Registry) -> Result<Option<Self>, CredentialsError> {
        use CredentialRetrievalError::{ConfigNotFound, ConfigReadError, NoCredentialConfigured};
        // Docker Hub's credentials are kept under the address of its first API.
        let server = match registry.as_str() {
            Registry::DOCKER_HUB => "https://index.docker.io/v1/",
            host => host,
        };
        match docker_credential::get_credential(server) {
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Self { username, password: Secret::new(password) }))
            }
            // What token servers call an identity token goes in place of the password.
            Ok(DockerCredential::IdentityToken(token)) => {
                Ok(Some(Self { username: "<token>".into(), password: Secret::new(token) }))
            }
            Err(NoCredentialConfigured | ConfigNotFound | ConfigReadError) => Ok(None),
            Err(source) => Err(CredentialsError { registry: registry.clone(), source }),
        }
    }
}
