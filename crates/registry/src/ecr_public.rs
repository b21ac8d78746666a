//! ECR Public: tokens for its one registry.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_ecrpublic::Client;
use aws_sdk_ecrpublic::config::Region;

use crate::ecr::{EcrError, Passing, read_token};

/// The only region that gives tokens for it ([authentication]).
///
/// [authentication]: https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html
const REGION: &str = "us-east-1";

/// The action that a role needs for a token, beside `sts:GetServiceBearerToken`.
pub(crate) const LOGIN: &str = "ecr-public:GetAuthorizationToken";

/// A user and a password for ECR Public, good for twelve hours.
///
/// # Errors
///
/// [`EcrError`].
pub(crate) async fn fetch_credentials(aws: &SdkConfig) -> Result<Passing, EcrError> {
    let config = aws_sdk_ecrpublic::config::Builder::from(aws).region(Region::new(REGION));
    let answer = Client::from_conf(config.build()).get_authorization_token().send().await;
    let answer = answer.map_err(|error| EcrError::of(LOGIN, REGION, &error))?;
    let data = answer.authorization_data().ok_or(EcrError::Token)?;
    let token = data.authorization_token().ok_or(EcrError::Token)?;
    let end = data.expires_at().and_then(|end| SystemTime::try_from(*end).ok());
    Ok(Passing { credentials: read_token(token)?, end })
}
