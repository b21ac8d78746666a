//! Objects of S3, and what there is to know of their buckets ([API]).
//!
//! [API]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

use aws_config::SdkConfig;
use reqwest::{Method, StatusCode};
use shipspec_spec::destination::BucketName;

use crate::error::{Asked, PublicationError};
use crate::signed::{Answer, Question, Sender, element};
use crate::target::{Before, Outlook};

const SERVICE: &str = "S3";

/// In which region a bucket is: S3 tells it even to whom it tells nothing else.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// An object that is written.
#[derive(Debug)]
pub(crate) struct Object {
    sender: Sender,
    bucket: BucketName,
    key: String,
}

impl Object {
    pub(crate) fn new(config: &SdkConfig, bucket: BucketName, key: String) -> Self {
        Self { sender: Sender::new(config), bucket, key }
    }

    /// Is the bucket there, where is it, and does it keep versions, as the source of a pipeline must?
    pub(crate) async fn look(&self) -> Result<Outlook, PublicationError> {
        let asked = Asked::reading(SERVICE, "s3:ListBucket");
        let answer = self.ask(asked, Method::HEAD, "", "", None).await?;
        let region = answer.header(BUCKET_REGION);
        let place = region.map_or_else(|| "there".to_owned(), |region| format!("in {region}"));
        match answer.status {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => {
                return Err(PublicationError::NoBucket(self.bucket.to_string()));
            }
            StatusCode::FORBIDDEN => {
                let reason = "whether the bucket is there (`s3:ListBucket` is not allowed)";
                let found = region.map(|_| place);
                return Ok(Outlook { found, not_checked: vec![reason.into()] });
            }
            _ => return Err(refusal(asked, &answer)),
        }
        match self.is_versioned().await {
            Ok(true) => {
                Ok(Outlook { found: Some(format!("{place}, versioned")), not_checked: Vec::new() })
            }
            Ok(false) => {
                let words = "not versioned: no pipeline can have it as its source";
                Ok(Outlook { found: Some(format!("{place}, {words}")), not_checked: Vec::new() })
            }
            Err(error) if error.is_denied() => {
                let reason = "whether it keeps versions (`s3:GetBucketVersioning` is not allowed)";
                Ok(Outlook { found: Some(place), not_checked: vec![reason.into()] })
            }
            Err(error) => Err(error),
        }
    }

    async fn is_versioned(&self) -> Result<bool, PublicationError> {
        let asked = Asked::reading(SERVICE, "s3:GetBucketVersioning");
        let answer = self.ask(asked, Method::GET, "", "versioning", None).await?;
        if answer.status.is_success() {
            Ok(element(&answer.text(), "Status").as_deref() == Some("Enabled"))
        } else {
            Err(refusal(asked, &answer))
        }
    }

    /// What it holds now. One of another size than the content that is to be there is not read.
    pub(crate) async fn get(&self, size: usize) -> Result<Before, PublicationError> {
        let asked = Asked::reading(SERVICE, "s3:GetObject");
        let head = self.ask(asked, Method::HEAD, &self.key, "", None).await?;
        match head.status {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => return Ok(Before::Nothing),
            // Who may not list the bucket is told so of a key that is not there, too.
            StatusCode::FORBIDDEN => {
                let message = "S3 does not say what the object holds".to_owned();
                return Err(PublicationError::Denied { action: "s3:GetObject", message });
            }
            _ => return Err(refusal(asked, &head)),
        }
        let length = head.header("content-length").and_then(|length| length.parse().ok());
        if length != Some(size) {
            return Ok(Before::Other);
        }
        let answer = self.ask(asked, Method::GET, &self.key, "", None).await?;
        match answer.status {
            status if status.is_success() => Ok(Before::Content(answer.body)),
            StatusCode::NOT_FOUND => Ok(Before::Nothing),
            _ => Err(refusal(asked, &answer)),
        }
    }

    /// Writes it, and gives its version, if the bucket keeps versions.
    pub(crate) async fn put(
        &self,
        content: &[u8],
        media_type: &str,
    ) -> Result<Option<String>, PublicationError> {
        let asked = Asked::writing(SERVICE, "s3:PutObject");
        let body = Some((content, media_type));
        let answer = self.ask(asked, Method::PUT, &self.key, "", body).await?;
        if answer.status.is_success() {
            let version = answer.header("x-amz-version-id").filter(|version| *version != "null");
            Ok(version.map(str::to_owned))
        } else {
            Err(refusal(asked, &answer))
        }
    }

    /// Asks in the region of the run, and where S3 names another one, there.
    async fn ask(
        &self,
        asked: Asked,
        method: Method,
        key: &str,
        query: &str,
        body: Option<(&[u8], &str)>,
    ) -> Result<Answer, PublicationError> {
        let bucket = &self.bucket;
        let question = Question { method, bucket, key, query, body };
        let answer = self.sender.send(asked, &question, None).await?;
        let elsewhere = answer.header(BUCKET_REGION).filter(|_| !answer.status.is_success());
        match elsewhere {
            Some(region) if Some(region) != self.sender.region() => {
                self.sender.send(asked, &question, Some(region)).await
            }
            _ => Ok(answer),
        }
    }
}

/// A refusal in S3's words; the answer to a `HEAD` has none but its status.
fn refusal(asked: Asked, answer: &Answer) -> PublicationError {
    let text = answer.text();
    let status = answer.status;
    let code = element(&text, "Code").unwrap_or_else(|| match status {
        StatusCode::FORBIDDEN => "AccessDenied".into(),
        _ => status.as_u16().to_string(),
    });
    let message = element(&text, "Message");
    let message = message.or_else(|| status.canonical_reason().map(str::to_owned));
    asked.refused(&code, message.unwrap_or_else(|| "no reason is given".into()))
}
