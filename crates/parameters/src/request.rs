//! What is asked, and whom.

use std::collections::BTreeMap;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use shipspec_spec::parameter::ParameterSource;
use shipspec_spec::place::Place;

/// The parameters of a run, by the names that shipspec.yml gives them.
pub type Requests = BTreeMap<String, Request>;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where it is kept.
    pub source: ParameterSource,
    /// Who is asked.
    pub place: Place,
    /// It must not be shown, whatever its store says.
    pub secret: bool,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Credentials and region of the run.
    pub aws: &'a SdkConfig,
    /// What a role's session is called; the log of the other account shows it.
    pub session: &'a str,
}

impl Caller<'_> {
    /// The configuration that a place is asked with.
    pub async fn at(&self, place: &Place) -> SdkConfig {
        let mut builder = self.aws.to_builder();
        if let Some(region) = &place.region {
            builder = builder.region(Region::new(region.clone()));
        }
        let Some(role) = &place.role else { return builder.build() };
        let mut provider =
            AssumeRoleProvider::builder(&role.arn).session_name(self.session).configure(self.aws);
        if let Some(id) = &role.external_id {
            provider = provider.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(provider.build().await);
        builder.credentials_provider(provider).build()
    }
}

/// The region that is asked, as far as it is known.
pub(crate) fn region<'a>(place: &'a Place, aws: &'a SdkConfig) -> Option<&'a str> {
    place.region.as_deref().or_else(|| aws.region().map(Region::as_ref))
}
