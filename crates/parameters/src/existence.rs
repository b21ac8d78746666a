//! Whether parameters and secrets are there, without a look at what they hold.

use shipspec_spec::parameter::ParameterSource;

use crate::error::FetchError;
use crate::request::Caller;
use crate::{secrets_manager, ssm};
use shipspec_spec::place::Place;

/// Whether there is such a parameter or secret. No value is read, and so no key inside of a secret's
/// JSON is looked for.
///
/// # Errors
///
/// If its store does not answer.
pub async fn exists(
    caller: Caller<'_>,
    place: &Place,
    source: &ParameterSource,
) -> Result<bool, FetchError> {
    let config = caller.at(place).await;
    match source {
        ParameterSource::Ssm(name) => ssm::exists(&aws_sdk_ssm::Client::new(&config), name).await,
        ParameterSource::SecretsManager(secret) => {
            let client = aws_sdk_secretsmanager::Client::new(&config);
            secrets_manager::exists(&client, &secret.id).await
        }
        ParameterSource::SsmPath(_) => Ok(true),
    }
}
