//! Making a repository.

use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Tag,
};
use shipspec_spec::config::Encryption;

use super::{Ecr, EcrError};
use crate::repository::{Creation, RepositorySettings};

impl Ecr {
    /// Makes the repository `name`, unless it `exists`; that it does by now is no error. One that is
    /// there is left as it is, but for a lifecycle policy where it has none: an earlier run may have
    /// come no further than that.
    ///
    /// # Errors
    ///
    /// [`EcrError`].
    pub async fn create(
        &self,
        name: &str,
        settings: &RepositorySettings,
        exists: bool,
    ) -> Result<Creation, EcrError> {
        let is_new = !exists && self.create_repository(name, settings).await?;
        let Some(policy) = &settings.lifecycle else {
            return Ok(if is_new { Creation::Created } else { Creation::Exists });
        };
        if !is_new && self.lifecycle_policy(name).await?.is_some() {
            return Ok(Creation::Exists);
        }
        let request = self.client.put_lifecycle_policy().repository_name(name);
        let request = request.registry_id(&self.host.account).lifecycle_policy_text(policy);
        let put = request.send().await;
        put.map_err(|error| self.error("ecr:PutLifecyclePolicy", &error))?;
        Ok(if is_new { Creation::Created } else { Creation::PolicyPut })
    }

    /// False if it was there already.
    async fn create_repository(
        &self,
        name: &str,
        settings: &RepositorySettings,
    ) -> Result<bool, EcrError> {
        let wrong = |error: aws_sdk_ecr::error::BuildError| EcrError::Request {
            action: "ecr:CreateRepository",
            region: self.host.region.clone(),
            message: error.to_string(),
            is_connection: false,
        };
        let scanning =
            ImageScanningConfiguration::builder().scan_on_push(settings.scan_on_push).build();
        let mut request = self
            .client
            .create_repository()
            .registry_id(&self.host.account)
            .repository_name(name)
            .image_tag_mutability(mutability(settings))
            .image_scanning_configuration(scanning)
            .set_encryption_configuration(encryption(settings).map_err(wrong)?);
        if settings.immutable {
            for tag in &settings.mutable_tags {
                let filter = ImageTagMutabilityExclusionFilter::builder()
                    .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
                    .filter(tag)
                    .build();
                request = request.image_tag_mutability_exclusion_filters(filter.map_err(wrong)?);
            }
        }
        for (key, value) in &settings.tags {
            request = request.tags(Tag::builder().key(key).value(value).build().map_err(wrong)?);
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("RepositoryAlreadyExistsException") => Ok(false),
            Err(error) => Err(self.error("ecr:CreateRepository", &error)),
        }
    }

    /// The text of a repository's lifecycle policy; nothing if there is none.
    pub(crate) async fn lifecycle_policy(&self, name: &str) -> Result<Option<String>, EcrError> {
        let request = self.client.get_lifecycle_policy().repository_name(name);
        match request.registry_id(&self.host.account).send().await {
            Ok(answer) => Ok(Some(answer.lifecycle_policy_text().unwrap_or_default().to_owned())),
            Err(error) => match error.code() {
                Some("LifecyclePolicyNotFoundException" | "RepositoryNotFoundException") => {
                    Ok(None)
                }
                _ => Err(self.error("ecr:GetLifecyclePolicy", &error)),
            },
        }
    }
}

fn mutability(settings: &RepositorySettings) -> ImageTagMutability {
    match (settings.immutable, settings.mutable_tags.is_empty()) {
        (false, _) => ImageTagMutability::Mutable,
        (true, true) => ImageTagMutability::Immutable,
        (true, false) => ImageTagMutability::ImmutableWithExclusion,
    }
}

/// Nothing where nothing is said: ECR then does what it does by itself.
fn encryption(
    settings: &RepositorySettings,
) -> Result<Option<EncryptionConfiguration>, aws_sdk_ecr::error::BuildError> {
    let kind = match (settings.encryption, &settings.kms_key) {
        (Some(Encryption::Aes256), _) => EncryptionType::Aes256,
        (Some(Encryption::KmsDsse), _) => EncryptionType::KmsDsse,
        // A key says it already.
        (Some(Encryption::Kms), _) | (None, Some(_)) => EncryptionType::Kms,
        (None, None) => return Ok(None),
    };
    let built = EncryptionConfiguration::builder()
        .encryption_type(kind)
        .set_kms_key(settings.kms_key.clone())
        .build();
    built.map(Some)
}
