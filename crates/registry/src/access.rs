//! Who speaks to which registry: one token a registry, fetched when it is first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::{Registry, Repository};
use shipspec_spec::tag::Tag;
use tokio::sync::Mutex;

use crate::client::{Client, Right};
use crate::credentials::{Credentials, CredentialsError};
use crate::ecr::{Ecr, EcrError, Mutability};
use crate::ecr_public;
use crate::error::RegistryError;
use crate::repository::{Creation, RepositorySettings};
use crate::retry::RetryObserver;

/// A token that ends within this time is not begun with: a push may take that long.
const SPARE: Duration = Duration::from_mins(15);

/// The credentials of a run. They live in memory only. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Access {
    shared: Arc<Shared>,
}

/// Who speaks to registries, and how.
#[derive(Debug, Clone, Default)]
pub struct AccessSettings {
    /// Needed where a private registry of ECR is spoken to.
    pub aws: Option<SdkConfig>,
    /// Needed where something is pushed to ECR Public: everybody may pull from there.
    pub public_aws: Option<SdkConfig>,
    /// Registries of ECR that are spoken to by somebody else: a role that is assumed.
    pub roles: BTreeMap<Registry, SdkConfig>,
    /// Users of registries that are none of ECR's, who win over what `docker login` left.
    pub users: BTreeMap<Registry, Credentials>,
    /// Registries that plain HTTP is spoken with.
    pub insecure: BTreeSet<Registry>,
}

#[derive(Debug)]
struct Shared {
    settings: AccessSettings,
    observer: Arc<dyn RetryObserver>,
    /// What repositories allow, as far as it was asked.
    mutability: Mutex<BTreeMap<Repository, Mutability>>,
    /// Each is held while a token is fetched, so that several images of one registry fetch one.
    known: Mutex<BTreeMap<Registry, Arc<Mutex<Option<Known>>>>>,
}

/// What is known of a registry.
#[derive(Debug, Clone)]
struct Known {
    credentials: Option<Credentials>,
    end: Option<SystemTime>,
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
    /// `observer` hears of requests that are made again.
    #[must_use]
    pub fn new(settings: AccessSettings, observer: Arc<dyn RetryObserver>) -> Self {
        let (mutability, known) = Default::default();
        Self { shared: Arc::new(Shared { settings, observer, mutability, known }) }
    }

    /// User and password for a registry: for ECR a token, for others those of its settings, else what
    /// `docker login` left; nothing where there is nothing.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn credentials(
        &self,
        registry: &Registry,
    ) -> Result<Option<Credentials>, AccessError> {
        self.credentials_after(registry, None).await
    }

    /// Credentials for a registry that has refused `refused`. Where others have been fetched in the
    /// meantime, those are it.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn renew(
        &self,
        registry: &Registry,
        refused: &Credentials,
    ) -> Result<Option<Credentials>, AccessError> {
        self.credentials_after(registry, Some(refused)).await
    }

    async fn credentials_after(
        &self,
        registry: &Registry,
        refused: Option<&Credentials>,
    ) -> Result<Option<Credentials>, AccessError> {
        let place = Arc::clone(self.shared.known.lock().await.entry(registry.clone()).or_default());
        let mut known = place.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.serves(refused)) {
            return Ok(known.credentials.clone());
        }
        let fetched = self.fetch(registry).await?;
        Ok(known.insert(fetched).credentials.clone())
    }

    async fn fetch(&self, registry: &Registry) -> Result<Known, AccessError> {
        let fetched = if let Some(ecr) = self.ecr(registry) {
            ecr.fetch_credentials().await
        } else if let Some(aws) =
            self.shared.settings.public_aws.as_ref().filter(|_| registry.is_ecr_public())
        {
            ecr_public::fetch_credentials(aws).await
        } else {
            let credentials = match self.shared.settings.users.get(registry) {
                Some(user) => Some(user.clone()),
                None => Credentials::from_docker_config(registry)?,
            };
            return Ok(Known { credentials, end: None });
        };
        match fetched {
            Ok(passing) => Ok(Known { credentials: Some(passing.credentials), end: passing.end }),
            Err(source) => Err(AccessError::Ecr { registry: registry.clone(), source }),
        }
    }

    /// ECR's API, if the registry is of ECR.
    pub(crate) fn ecr(&self, registry: &Registry) -> Option<Ecr> {
        let settings = &self.shared.settings;
        let aws = settings.roles.get(registry).or(settings.aws.as_ref())?;
        Some(Ecr::new(aws, registry.ecr()?))
    }

    /// Plain HTTP is spoken with it: it is on this machine, or said to be like this.
    pub(crate) fn is_insecure(&self, registry: &Registry) -> bool {
        registry.is_loopback() || self.shared.settings.insecure.contains(registry)
    }

    pub(crate) fn observer(&self) -> &dyn RetryObserver {
        &*self.shared.observer
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
        let Some(ecr) = self.ecr(&repository.registry) else { return Ok(None) };
        if let Some(known) = self.shared.mutability.lock().await.get(repository) {
            return Ok(Some(known.clone()));
        }
        match ecr.describe(&repository.name).await {
            Ok(mutability) => {
                let mut known = self.shared.mutability.lock().await;
                known.insert(repository.clone(), mutability.clone());
                Ok(Some(mutability))
            }
            Err(EcrError::NoRepository) => {
                Err(RegistryError::NoRepository(repository.clone()).into())
            }
            Err(source) => Err(AccessError::Ecr { registry: repository.registry.clone(), source }),
        }
    }

    /// The lifecycle policy of a repository of ECR; nothing if there is none.
    ///
    /// # Errors
    ///
    /// [`AccessError::Ecr`].
    pub async fn lifecycle(&self, repository: &Repository) -> Result<Option<String>, AccessError> {
        let Some(ecr) = self.ecr(&repository.registry) else { return Ok(None) };
        let policy = ecr.lifecycle_policy(&repository.name).await;
        policy.map_err(|source| AccessError::Ecr { registry: repository.registry.clone(), source })
    }

    /// How many tags the image of ECR has that has this tag; nothing if there is none.
    ///
    /// # Errors
    ///
    /// [`AccessError::Ecr`].
    pub async fn tag_count(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<usize>, AccessError> {
        let Some(ecr) = self.ecr(&repository.registry) else { return Ok(None) };
        let count = ecr.tag_count(&repository.name, tag.as_str()).await;
        count.map_err(|source| AccessError::Ecr { registry: repository.registry.clone(), source })
    }

    /// Makes a repository of ECR unless it `exists`, and completes it; nothing for other registries,
    /// which make theirs by themselves.
    ///
    /// # Errors
    ///
    /// [`AccessError::Ecr`].
    pub async fn create(
        &self,
        repository: &Repository,
        settings: &RepositorySettings,
        exists: bool,
    ) -> Result<Option<Creation>, AccessError> {
        let Some(ecr) = self.ecr(&repository.registry) else { return Ok(None) };
        let created = ecr.create(&repository.name, settings, exists).await;
        created
            .map(Some)
            .map_err(|source| AccessError::Ecr { registry: repository.registry.clone(), source })
    }

    /// A client for a repository, which has its registry's credentials when it needs them.
    ///
    /// # Errors
    ///
    /// [`AccessError::Registry`] if the trust roots of the system cannot be read.
    pub fn client(&self, repository: &Repository) -> Result<Client, RegistryError> {
        Client::new(repository.clone(), self.clone(), Right::Write)
    }

    /// A client for a repository that is only read.
    ///
    /// # Errors
    ///
    /// As [`Access::client`].
    pub fn reader(&self, repository: &Repository) -> Result<Client, RegistryError> {
        Client::new(repository.clone(), self.clone(), Right::Read)
    }
}

impl Known {
    /// They are not those that were refused, and do not end soon.
    fn serves(&self, refused: Option<&Credentials>) -> bool {
        let ends_soon = self.end.is_some_and(|end| end < SystemTime::now() + SPARE);
        !ends_soon && refused.is_none_or(|refused| self.credentials.as_ref() != Some(refused))
    }
}
