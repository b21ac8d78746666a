//! The writing side of SSM Parameter Store; its reading side is that of a run's parameters.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use shipspec_spec::parameter::ParameterName;

use crate::error::{Asked, PublicationError};
use crate::target::Before;

/// A parameter that is written.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) client: Client,
    pub(crate) name: ParameterName,
    /// It is a `SecureString`.
    pub(crate) is_secret: bool,
}

const SERVICE: &str = "SSM Parameter Store";

impl Parameter {
    /// What it holds now. The type of a parameter cannot be changed ([PutParameter]).
    ///
    /// [PutParameter]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    pub(crate) async fn get(&self) -> Result<Before, PublicationError> {
        let request = self.client.get_parameter().name(self.name.as_str()).with_decryption(true);
        let reply = match request.send().await {
            Ok(reply) => reply,
            Err(error) => match error.as_service_error() {
                Some(GetParameterError::ParameterNotFound(_)) => return Ok(Before::Nothing),
                _ => return Err(Asked::reading(SERVICE, "ssm:GetParameter").explain(&error)),
            },
        };
        let Some(parameter) = reply.parameter() else { return Ok(Before::Nothing) };
        let wanted = self.kind();
        match parameter.r#type() {
            Some(kind) if *kind != wanted => Err(PublicationError::OtherType {
                name: self.name.to_string(),
                is: kind.as_str().into(),
                wanted: wanted.as_str().into(),
            }),
            _ => Ok(Before::Content(parameter.value().unwrap_or_default().into())),
        }
    }

    /// Writes it, and gives its new version. Parameter Store chooses the tier by the size, and keeps an
    /// advanced parameter that needs to be one.
    pub(crate) async fn put(&self, text: &str) -> Result<Option<String>, PublicationError> {
        let request = self.client.put_parameter().name(self.name.as_str()).value(text);
        let request = request.r#type(self.kind()).tier(ParameterTier::IntelligentTiering);
        let reply = request.overwrite(true).send().await;
        let reply =
            reply.map_err(|error| Asked::writing(SERVICE, "ssm:PutParameter").explain(&error))?;
        Ok(Some(reply.version().to_string()))
    }

    fn kind(&self) -> ParameterType {
        if self.is_secret { ParameterType::SecureString } else { ParameterType::String }
    }
}
