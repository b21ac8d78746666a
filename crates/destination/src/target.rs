//! A place that an artifact is published to.

use shipspec_parameters::request::Caller;
use shipspec_spec::destination::{Destination, Publication};

use crate::error::PublicationError;
use crate::s3::Object;
use crate::ssm::Parameter;

/// A place, and whoever speaks to its service.
#[derive(Debug)]
pub struct Target {
    service: Service,
}

#[derive(Debug)]
enum Service {
    Parameter(Parameter),
    Object(Object),
}

/// What is at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing yet.
    Nothing,
    /// This.
    Content(Vec<u8>),
    /// Something else than what is to be there.
    Other,
}

/// What was found out before anything is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// What there is.
    pub found: Option<String>,
    /// What could not be looked at, and why.
    pub not_checked: Vec<String>,
}

/// What publishing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How the place changed.
    pub change: Change,
    /// Its version by now, where there is a new one.
    pub version: Option<String>,
    /// Why what was there before could not be compared.
    pub not_compared: Option<String>,
}

/// How a place changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing was there before.
    New,
    /// It held the same, and was not written.
    Unchanged,
    /// It held something else.
    Changed,
    /// It was written, and what it held before is not known.
    Written,
}

impl Target {
    /// The place of a publication. Nothing is asked yet.
    pub async fn open(caller: Caller<'_>, publication: &Publication) -> Self {
        let Publication { destination, place, is_secret } = publication;
        let config = caller.at(place).await;
        let service = match destination {
            Destination::Parameter(name) => Service::Parameter(Parameter {
                client: aws_sdk_ssm::Client::new(&config),
                name: name.clone(),
                is_secret: *is_secret,
            }),
            Destination::Object { bucket, key } => {
                Service::Object(Object::new(&config, bucket.clone(), key.clone()))
            }
        };
        Self { service }
    }

    /// What can be known before anything is written.
    ///
    /// # Errors
    ///
    /// What would fail.
    pub async fn look(&self) -> Result<Outlook, PublicationError> {
        match &self.service {
            Service::Parameter(parameter) => {
                let there =
                    |words: &str| Outlook { found: Some(words.into()), not_checked: vec![] };
                match parameter.get().await {
                    Ok(Before::Nothing) => Ok(there("not there yet")),
                    Ok(_) => Ok(there("there")),
                    Err(error) if error.is_denied() => {
                        let reason = "what it holds (`ssm:GetParameter` is not allowed)".into();
                        Ok(Outlook { found: None, not_checked: vec![reason] })
                    }
                    Err(error) => Err(error),
                }
            }
            Service::Object(object) => object.look().await,
        }
    }

    /// Writes the content, unless it is there already.
    ///
    /// # Errors
    ///
    /// [`PublicationError`]; [`PublicationError::is_unsure`] tells whether it may have been written.
    pub async fn publish(
        &self,
        content: &[u8],
        media_type: &str,
    ) -> Result<Outcome, PublicationError> {
        let before = match &self.service {
            Service::Parameter(parameter) => parameter.get().await,
            Service::Object(object) => object.get(content.len()).await,
        };
        let (change, not_compared) = match before {
            Ok(Before::Content(bytes)) if bytes == content => {
                return Ok(Outcome {
                    change: Change::Unchanged,
                    version: None,
                    not_compared: None,
                });
            }
            Ok(Before::Content(_) | Before::Other) => (Change::Changed, None),
            Ok(Before::Nothing) => (Change::New, None),
            Err(error) if error.is_denied() => (Change::Written, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        let version = match &self.service {
            Service::Parameter(parameter) => {
                parameter.put(&String::from_utf8_lossy(content)).await?
            }
            Service::Object(object) => object.put(content, media_type).await?,
        };
        Ok(Outcome { change, version, not_compared })
    }
}
