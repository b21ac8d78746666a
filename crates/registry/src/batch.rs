//! Several manifests at once: with ECR one request of its API, with others one request each.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use shipspec_spec::image::Repository;

use crate::client::Client;
use crate::ecr::EcrError;
use crate::error::RegistryError;
use crate::manifest::Manifest;

/// The most that ECR takes in one request.
const MOST: u32 = 100;

/// Requests that are made at one time for nothing but to know whether something is there.
const MOST_GUESSES: u32 = 2;

impl Client {
    /// How many tags are asked for at once without much ado.
    #[must_use]
    pub fn batch(&self) -> u32 {
        match self.access.ecr(&self.repository.registry) {
            Some(_) => MOST,
            None => MOST_GUESSES,
        }
    }

    /// The manifests under these tags, as far as there are any; at most [`Client::batch`] tags. A repository
    /// that does not exist has none.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn manifests(
        &self,
        tags: &[String],
    ) -> Result<BTreeMap<String, Manifest>, RegistryError> {
        let Repository { registry, name } = &self.repository;
        if let Some(ecr) = self.access.ecr(registry) {
            match ecr.images(name, tags).await {
                Ok(found) => return Ok(found),
                Err(EcrError::NoRepository) => return Ok(BTreeMap::new()),
                // The registry itself may be reached all the same, and its answer is the better one.
                Err(_) => {}
            }
        }
        let few = tags.iter().take(MOST_GUESSES as usize);
        let asked = few.map(|tag| async move { (tag.clone(), self.manifest(tag).await) });
        let mut found = BTreeMap::new();
        for (tag, manifest) in join_all(asked).await {
            match manifest {
                Ok(manifest) => found.extend(manifest.map(|manifest| (tag, manifest))),
                Err(RegistryError::NoRepository(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
