//! Who speaks to which registry: one token a registry, fetched when it is first needed.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::{Registry, Repository};
use tokio::sync::Mutex;

use crate::client::Client;
use crate::credentials::{Credentials, CredentialsError};
use crate::ecr::{Ecr, EcrError, Mutability};
use crate::error::RegistryError;

/// The credentials of a run. They live in memory only.
#[derive(Debug)]
pub struct Access {
    aws: Option<SdkConfig>,
    known: Mutex<BTreeMap<Registry, Option<Credentials>>>,
}

/// Why there are no credentials for a registry.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// ECR gave no token.
    #[error("ECR refused `{registry}`")]
    Ecr {
        /// Which registry.
        registry: Registry,
        /// What happened.
        #[source]
        source: EcrError,
    },
    /// Docker's configuration gave none.
    #[error(transparent)]
    Docker(#[from] CredentialsError),
    /// The registry could not be spoken to.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Hint for AccessError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Ecr { source, .. } => source.hint(),
            Self::Registry(source) => source.hint(),
            Self::Docker(_) => Some("sign in again with `docker login`".into()),
        }
    }
}

impl Access {
    /// `aws` is needed where a registry of ECR is spoken to.
    #[must_use]
    pub fn new(aws: Option<SdkConfig>) -> Self {
        Self { aws, known: Mutex::default() }
    }

    /// User and password for a registry: for ECR a token, for others what `docker login` left;
    /// nothing where there is nothing.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn credentials(
        &self,
        registry: &Registry,
    ) -> Result<Option<Credentials>, AccessError> {
        // Held while a token is fetched, so that several images of one registry fetch one.
        let mut known = self.known.lock().await;
        if let Some(credentials) = known.get(registry) {
            return Ok(credentials.clone());
        }
        let credentials =
            match (registry.ecr(), &self.aws) {
                (Some(host), Some(aws)) => {
                    let fetched = Ecr::new(aws, host).fetch_credentials().await;
                    Some(fetched.map_err(|source| AccessError::Ecr {
                        registry: registry.clone(),
                        source,
                    })?)
                }
                _ => Credentials::from_docker_config(registry)?,
            };
        known.insert(registry.clone(), credentials.clone());
        Ok(credentials)
    }

    /// Which tags of a repository of ECR may be moved; nothing for other registries.
    ///
    /// # Errors
    ///
    /// [`AccessError::Ecr`].
    pub async fn mutability(
        &self,
        repository: &Repository,
    ) -> Result<Option<Mutability>, AccessError> {
        let (Some(host), Some(aws)) = (repository.registry.ecr(), &self.aws) else {
            return Ok(None);
        };
        match Ecr::new(aws, host).describe(&repository.name).await {
            Ok(mutability) => Ok(Some(mutability)),
            Err(EcrError::NoRepository) => {
                Err(RegistryError::NoRepository(repository.clone()).into())
            }
            Err(source) => Err(AccessError::Ecr { registry: repository.registry.clone(), source }),
        }
    }

    /// A client for a repository, with its registry's credentials.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn client(&self, repository: &Repository) -> Result<Client, AccessError> {
        let credentials = self.credentials(&repository.registry).await?;
        Ok(Client::new(repository.clone(), credentials)?)
    }
}
