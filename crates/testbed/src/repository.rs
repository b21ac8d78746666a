use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::control::{Command, Scope};
use crate::testbed::{give, read};
use crate::{Fault, Mutability, PRIMARY_ACCOUNT, PRIMARY_REGION, Request};

/// A repository of one test.
#[derive(Debug, Clone)]
pub struct TestRepository {
    account: String,
    region: String,
    name: String,
}

impl TestRepository {
    /// The registry's host and the repository's name, as an image reference begins.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{}/{}", self.registry(), self.name)
    }

    /// The repository's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The registry's host.
    #[must_use]
    pub fn registry(&self) -> String {
        if self.account == "public" {
            return "public.ecr.aws".to_owned();
        }
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }

    /// The account that owns it.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The region that it is in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:ecr:{}:{}:repository/{}", self.region, self.account, self.name)
    }

    /// Adds a fault to requests of this repository, its registry's and the API's.
    pub fn fault(&self, fault: Fault) {
        give(&Command::AddFault { scope: self.scope(), fault });
    }

    /// Removes the faults.
    pub fn clear_faults(&self) {
        give(&Command::ClearFaults { scope: self.scope() });
    }

    /// What was asked about this repository.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        read(&Command::Requests { scope: self.scope() })
    }

    /// The input of the `CreateRepository` that made it, with `lifecyclePolicyText` beside it.
    #[must_use]
    pub fn settings(&self) -> serde_json::Value {
        read(&Command::Settings { repository: self.key() })
    }

    /// Its tags and the digests that they name.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        read(&Command::Tags { repository: self.key() })
    }

    /// The manifest under a tag or digest, byte for byte.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn manifest(&self, reference: &str) -> Vec<u8> {
        let command = Command::Manifest { repository: self.key(), reference: reference.to_owned() };
        STANDARD.decode(read::<String>(&command)).expect("base64")
    }

    /// The configuration of the image under a tag or digest.
    ///
    /// # Panics
    ///
    /// If there is no such image, or it is an index of several.
    #[must_use]
    pub fn image_config(&self, reference: &str) -> serde_json::Value {
        let manifest: serde_json::Value =
            serde_json::from_slice(&self.manifest(reference)).expect("a manifest");
        let digest = manifest["config"]["digest"].as_str().expect("the manifest of one image");
        serde_json::from_slice(&self.blob(digest)).expect("an image configuration")
    }

    /// A blob, a layer for one, byte for byte.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        let command = Command::Blob { repository: self.key(), digest: digest.to_owned() };
        STANDARD.decode(read::<String>(&command)).expect("base64")
    }

    /// Puts a blob, past every fault and right; gives its digest.
    #[must_use]
    pub fn put_blob(&self, bytes: &[u8]) -> String {
        read(&Command::PutBlob { repository: self.key(), bytes: STANDARD.encode(bytes) })
    }

    /// Puts a manifest, past every fault and right; gives its digest. Its blobs have to be there.
    pub fn put_manifest(&self, bytes: &[u8], media_type: &str, tag: Option<&str>) -> String {
        read(&Command::PutManifest {
            repository: self.key(),
            bytes: STANDARD.encode(bytes),
            media_type: media_type.to_owned(),
            tag: tag.map(str::to_owned),
        })
    }

    /// Changes whether tags move; the filters are for the kinds that have exclusions.
    pub fn set_mutability(&self, mutability: Mutability, filters: &[&str]) {
        let filters = filters.iter().map(|&filter| filter.to_owned()).collect();
        give(&Command::SetMutability { repository: self.key(), mutability, filters });
    }

    /// Removes the repository and its images.
    pub fn delete(&self) {
        give(&Command::DeleteRepository { repository: self.key() });
    }

    fn key(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.name)
    }

    fn scope(&self) -> Scope {
        Scope::Repository(self.key())
    }
}

/// A repository that is not there yet.
#[derive(Debug)]
pub struct RepositoryBuilder {
    repository: TestRepository,
    mutability: Mutability,
    filters: Vec<String>,
}

impl RepositoryBuilder {
    pub(crate) fn new(name: String) -> Self {
        let (account, region) = (PRIMARY_ACCOUNT.to_owned(), PRIMARY_REGION.to_owned());
        let repository = TestRepository { account, region, name };
        Self { repository, mutability: Mutability::Mutable, filters: Vec::new() }
    }

    /// In this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.repository.account);
        self
    }

    /// In ECR Public.
    #[must_use]
    pub fn public(self) -> Self {
        self.account("public").region("us-east-1")
    }

    /// In this region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.repository.region);
        self
    }

    /// Under exactly this name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.repository.name);
        self
    }

    /// No tag may move.
    #[must_use]
    pub fn immutable(self) -> Self {
        self.mutability(Mutability::Immutable, &[])
    }

    /// Whether tags may move; the filters are for the kinds that have exclusions.
    #[must_use]
    pub fn mutability(mut self, mutability: Mutability, filters: &[&str]) -> Self {
        self.mutability = mutability;
        self.filters = filters.iter().map(|&filter| filter.to_owned()).collect();
        self
    }

    /// Makes it.
    #[must_use]
    pub fn create(self) -> TestRepository {
        let Self { repository, mutability, filters } = self;
        give(&Command::CreateRepository { repository: repository.key(), mutability, filters });
        repository
    }

    /// Only its name: a repository that does not exist.
    #[must_use]
    pub fn missing(self) -> TestRepository {
        self.repository
    }
}
