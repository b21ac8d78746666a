//! Which account the run is in. Nothing else knows the SDK of STS.

use aws_sdk_sts::Client;

use crate::refusal::Refusal;
use crate::request::Caller;
use shipspec_spec::place::Place;

/// The account that the caller's credentials belong to. Nobody has to allow that question.
///
/// # Errors
///
/// If there are no credentials, or STS does not answer.
pub async fn account(caller: Caller<'_>, place: &Place) -> Result<String, Refusal> {
    let client = Client::new(&caller.at(place).await);
    let identity = client.get_caller_identity().send().await;
    let identity = identity.map_err(|error| Refusal::of("sts:GetCallerIdentity", &error))?;
    Ok(identity.account().unwrap_or_default().to_owned())
}
