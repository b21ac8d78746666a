//! Parameters from SSM Parameter Store. Nothing else knows its SDK.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::get_parameters::{GetParametersError, GetParametersOutput};
use aws_sdk_ssm::types::{Parameter, ParameterType};
use futures_util::future::join_all;
use shipspec_spec::aws::{CREDENTIALS_HINT, causes, connection_hint, is_credentials_code};
use shipspec_spec::hint::Hint;
use shipspec_spec::parameter::ParameterName;
use shipspec_spec::secret::Secret;

/// The most names that one request may ask for.
const NAMES_PER_REQUEST: usize = 10;

/// Parameters by the name that they were asked for.
pub type Parameters = BTreeMap<ParameterName, ParameterValue>;

/// What the store holds under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// A `String`.
    Text(String),
    /// A `StringList`.
    List(Vec<String>),
    /// A `SecureString`, decrypted.
    Secret(Secret),
}

/// Why values could not be read from SSM Parameter Store.
#[derive(Debug, thiserror::Error)]
pub enum SsmError {
    /// The store lacks these names in this account and region.
    #[error("parameters not found in SSM: {}", .0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    Missing(Vec<ParameterName>),
    /// The role may not read them.
    #[error("access denied to parameters in SSM: {0}")]
    Denied(String),
    /// There are no AWS credentials, or none that are valid.
    #[error("no valid AWS credentials to read parameters from SSM: {0}")]
    Credentials(String),
    /// AWS refused the request, or the request did not arrive.
    #[error("failed to read parameters from SSM: {0}")]
    Request(String),
}

impl Hint for SsmError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(_) => "check the names, the account and the region (`AWS_REGION`)".into(),
            Self::Denied(_) => {
                "allow `ssm:GetParameters`, and `kms:Decrypt` for a key of your own, to the role that shipspec runs with".into()
            }
            Self::Credentials(_) => CREDENTIALS_HINT.into(),
            Self::Request(message) => connection_hint(message).into(),
        })
    }
}

/// Reads parameters, decrypted.
///
/// Each request asks for ten names, the most that the [API] takes, and all are under way at once.
/// Every answer is read before any is judged, so that one error names all that are missing.
///
/// # Errors
///
/// [`SsmError`].
///
/// [API]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
pub async fn fetch_parameters(
    aws: &SdkConfig,
    names: &BTreeSet<ParameterName>,
) -> Result<Parameters, SsmError> {
    let client = Client::new(aws);
    let texts: Vec<_> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let requests = texts.chunks(NAMES_PER_REQUEST).map(|batch| {
        let request = client.get_parameters().set_names(Some(batch.to_vec()));
        request.with_decryption(true).send()
    });
    let mut answered = BTreeMap::new();
    for answer in join_all(requests).await {
        collect(&answer.map_err(|error| request_error(&error))?, &mut answered);
    }
    let (mut found, mut missing) = (Parameters::new(), Vec::new());
    for name in names {
        match answered.get(name.as_str()) {
            Some(value) => drop(found.insert(name.clone(), value.clone())),
            None => missing.push(name.clone()),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(SsmError::Missing(missing)) }
}

/// An answer is in an order of its own, so each parameter is kept under every name that it could
/// have been asked for by: plain, with its selector (`:3`, `:label`), and as an ARN.
fn collect(answer: &GetParametersOutput, answered: &mut BTreeMap<String, ParameterValue>) {
    for parameter in answer.parameters() {
        let name = parameter.name().unwrap_or_default();
        let selector = parameter.selector().unwrap_or_default();
        let selector = selector.strip_prefix(name).unwrap_or(selector);
        let arn = parameter.arn().unwrap_or_default();
        for known in [name, arn] {
            answered.insert(format!("{known}{selector}"), value(parameter));
        }
    }
}

fn value(parameter: &Parameter) -> ParameterValue {
    let text = parameter.value().unwrap_or_default();
    match parameter.r#type() {
        Some(ParameterType::SecureString) => ParameterValue::Secret(Secret::new(text)),
        Some(ParameterType::StringList) => {
            ParameterValue::List(text.split(',').map(str::to_owned).collect())
        }
        _ => ParameterValue::Text(text.to_owned()),
    }
}

fn request_error(error: &SdkError<GetParametersError>) -> SsmError {
    let told = error.message().map(str::to_owned);
    let message = told.unwrap_or_else(|| causes(error));
    match error.code() {
        Some("AccessDeniedException") => SsmError::Denied(message),
        Some(code) if is_credentials_code(code) => SsmError::Credentials(message),
        None if message.contains("credential") => SsmError::Credentials(message),
        _ => SsmError::Request(message),
    }
}
