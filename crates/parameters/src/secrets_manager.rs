//! Secrets Manager. Nothing else knows its SDK.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use shipspec_spec::nearest::nearest;
use shipspec_spec::parameter::SecretReference;

use crate::answer::Answer;
use crate::error::{FetchError, explain};

const SERVICE: &str = "Secrets Manager";

/// Pages of names that are read to find the nearest one.
const PAGES_FOR_ADVICE: usize = 5;

/// One version of a secret, whichever of its keys are wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SecretVersion {
    pub(crate) id: String,
    pub(crate) stage: Option<String>,
    pub(crate) version_id: Option<String>,
}

impl From<&SecretReference> for SecretVersion {
    fn from(secret: &SecretReference) -> Self {
        Self {
            id: secret.id.clone(),
            stage: secret.version_stage.clone(),
            version_id: secret.version_id.clone(),
        }
    }
}

/// Reads the text of a secret; nothing if there is none.
pub(crate) async fn get(
    client: &Client,
    secret: &SecretVersion,
) -> Result<Option<Answer>, FetchError> {
    let request = client.get_secret_value().secret_id(&secret.id);
    let request = request.set_version_stage(secret.stage.clone());
    let reply = match request.set_version_id(secret.version_id.clone()).send().await {
        Ok(reply) => reply,
        Err(error) => match error.as_service_error() {
            Some(GetSecretValueError::ResourceNotFoundException(_)) => return Ok(None),
            _ => return Err(explain(SERVICE, "secretsmanager:GetSecretValue", &error)),
        },
    };
    let Some(text) = reply.secret_string() else {
        let problem = "holds binary data, which no text can carry; store it as base64".into();
        return Err(FetchError::Content { source_text: secret.id.clone(), problem });
    };
    Ok(Some(Answer {
        content: text.into(),
        is_secret: true,
        arn: reply.arn().unwrap_or_default().to_owned(),
        version: reply.version_id().unwrap_or_default().to_owned(),
    }))
}

/// The whole ARN of a secret, which its name does not tell: six characters of it are random. The
/// value is not read.
pub(crate) async fn arn(client: &Client, id: &str) -> Result<String, FetchError> {
    let reply = client.describe_secret().secret_id(id).send().await;
    let reply = reply.map_err(|error| explain(SERVICE, "secretsmanager:DescribeSecret", &error))?;
    Ok(reply.arn().unwrap_or_default().to_owned())
}

/// Whether there is such a secret, and it is not about to be deleted. Its value is not read.
pub(crate) async fn exists(client: &Client, id: &str) -> Result<bool, FetchError> {
    match client.describe_secret().secret_id(id).send().await {
        Ok(reply) => Ok(reply.deleted_date().is_none()),
        Err(error) => match error.as_service_error() {
            Some(DescribeSecretError::ResourceNotFoundException(_)) => Ok(false),
            _ => Err(explain(SERVICE, "secretsmanager:DescribeSecret", &error)),
        },
    }
}

/// The name that is there and most like one that is not; nothing if names may not be listed.
pub(crate) async fn nearest_name(client: &Client, missing: &str) -> Option<String> {
    let (mut names, mut token) = (Vec::new(), None);
    for _ in 0..PAGES_FOR_ADVICE {
        let request = client.list_secrets().max_results(100).set_next_token(token);
        let reply = request.send().await.ok()?;
        names.extend(reply.secret_list().iter().filter_map(|one| one.name().map(str::to_owned)));
        token = reply.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    nearest(missing, names.iter().map(String::as_str)).map(str::to_owned)
}
