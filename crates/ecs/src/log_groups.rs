//! `CloudWatch` Logs. Nothing else knows its SDK.

use aws_sdk_cloudwatchlogs::Client;
use shipspec_parameters::refusal::Refusal;
use shipspec_parameters::request::Caller;
use shipspec_spec::place::Place;

use crate::error::EcsError;

/// Whether there is a log group of this name.
///
/// # Errors
///
/// If `CloudWatch` Logs does not answer.
pub async fn exists(caller: Caller<'_>, place: &Place, name: &str) -> Result<bool, EcsError> {
    let client = Client::new(&caller.at(place).await);
    // Names come in order, so that the name itself stands before those that it only begins.
    let reply = client.describe_log_groups().log_group_name_prefix(name).send().await;
    let reply = reply.map_err(|error| EcsError::Refused {
        service: "CloudWatch Logs",
        refusal: Refusal::of("logs:DescribeLogGroups", &error),
    })?;
    Ok(reply.log_groups().iter().any(|group| group.log_group_name() == Some(name)))
}
