//! Requests to S3, signed by the SDK's own signer ([signature]). The SDK of S3 weighs more than all that
//! is asked here; docs/design/libraries.md has the figures.
//!
//! [signature]: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_types::service_config::ServiceConfigKey;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use shipspec_spec::aws::{causes, partition};
use shipspec_spec::destination::BucketName;

use crate::error::{Asked, PublicationError};

/// How long S3 may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one answer may take as a whole; artifacts are small.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often one request is made until it is answered.
const ATTEMPTS: u32 = 6;

/// What is waited before the second attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Sends signed requests.
#[derive(Debug)]
pub(crate) struct Sender {
    region: Option<String>,
    credentials: Option<SharedCredentialsProvider>,
    /// A host of its own, which `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` names.
    endpoint: Option<String>,
    /// What stands between `s3` and the region.
    variant: &'static str,
}

/// What S3 is asked.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) bucket: &'a BucketName,
    /// The key of an object; empty for the bucket itself.
    pub(crate) key: &'a str,
    pub(crate) query: &'a str,
    /// What is sent, and its media type.
    pub(crate) body: Option<(&'a [u8], &'a str)>,
}

/// What S3 answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Sender {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL");
        let key = key.profile("endpoint_url").build().ok();
        let own = config.service_config().zip(key).and_then(|(known, key)| known.load_config(key));
        let variant = match (config.use_fips(), config.use_dual_stack()) {
            (Some(true), Some(true)) => "-fips.dualstack",
            (Some(true), _) => "-fips",
            (_, Some(true)) => ".dualstack",
            _ => "",
        };
        Self {
            region: config.region().map(Region::to_string),
            credentials: config.credentials_provider(),
            endpoint: own.or_else(|| config.endpoint_url().map(str::to_owned)),
            variant,
        }
    }

    /// The region of the run.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Asks, in `region` if it is another one than that of the run; asks again what was not answered, or
    /// answered with a fault of S3's own.
    pub(crate) async fn send(
        &self,
        asked: Asked,
        question: &Question<'_>,
        region: Option<&str>,
    ) -> Result<Answer, PublicationError> {
        let Some(region) = region.or(self.region()) else {
            return Err(asked.refused("NoRegion", "no region is set (`AWS_REGION`)".into()));
        };
        let (mut attempt, mut wait) = (1, FIRST_WAIT);
        loop {
            let answer = self.try_once(asked, question, region).await;
            let is_transient = match &answer {
                Ok(answer) => {
                    answer.status.is_server_error()
                        || answer.status == StatusCode::TOO_MANY_REQUESTS
                }
                Err(error) => matches!(error, PublicationError::NoAnswer { .. }),
            };
            if !is_transient || attempt == ATTEMPTS {
                return answer;
            }
            attempt += 1;
            // A part of it is left to chance, so that many builds do not ask at the same time.
            tokio::time::sleep(wait.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            wait *= 2;
        }
    }

    async fn try_once(
        &self,
        asked: Asked,
        question: &Question<'_>,
        region: &str,
    ) -> Result<Answer, PublicationError> {
        let no_answer = |error: &dyn std::error::Error| asked.no_answer(causes(error));
        let http = reqwest::Client::builder()
            .user_agent(concat!("shipspec/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // An answer that names another region is one for us.
            .redirect(reqwest::redirect::Policy::none());
        let http = http.build().map_err(|error| no_answer(&error))?;
        let url = self.url(question, region);
        let headers = self.signature(question, &url, region).await?;
        let mut request = http.request(question.method.clone(), url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some((content, media_type)) = question.body {
            request = request.header("content-type", media_type).body(content.to_vec());
        }
        let answer = request.send().await.map_err(|error| no_answer(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| no_answer(&error))?;
        Ok(Answer { status, headers, body: body.into() })
    }

    /// The headers that say who asks, and vouch for what is asked.
    async fn signature(
        &self,
        question: &Question<'_>,
        url: &str,
        region: &str,
    ) -> Result<Vec<(String, String)>, PublicationError> {
        let wrong = |error: &dyn std::error::Error| PublicationError::Credentials(causes(error));
        let Some(provider) = &self.credentials else {
            return Err(PublicationError::Credentials("there are none".into()));
        };
        let credentials = provider.provide_credentials().await.map_err(|error| {
            let whole = causes(&error);
            if whole.contains("AssumeRole") {
                PublicationError::Role(whole)
            } else {
                PublicationError::Credentials(whole)
            }
        })?;
        let mut settings = SigningSettings::default();
        // As S3 wants it: the path as it is, and the content's hash beside it.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = credentials.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| wrong(&error))?;
        let body = question.body.map_or(&[][..], |(content, _)| content);
        let request = SignableRequest::new(
            question.method.as_str(),
            url,
            std::iter::empty(),
            SignableBody::Bytes(body),
        )
        .map_err(|error| wrong(&error))?;
        let signed = sign(request, &params.into()).map_err(|error| wrong(&error))?;
        let (instructions, _) = signed.into_parts();
        let headers = instructions.headers();
        Ok(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Where a question goes: the bucket stands in the host where a certificate can cover it, else, and
    /// at a host of its own, in the path.
    fn url(&self, question: &Question<'_>, region: &str) -> String {
        let Question { bucket, key, query, .. } = question;
        let mark = if query.is_empty() { "" } else { "?" };
        let key = encoded(key);
        if let Some(endpoint) = &self.endpoint {
            let endpoint = endpoint.trim_end_matches('/');
            return format!("{endpoint}/{bucket}/{key}{mark}{query}");
        }
        let suffix = match partition(region) {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        };
        let host = format!("s3{}.{region}.{suffix}", self.variant);
        if bucket.is_label() {
            format!("https://{bucket}.{host}/{key}{mark}{query}")
        } else {
            format!("https://{host}/{bucket}/{key}{mark}{query}")
        }
    }
}

/// A key as it stands in a path: all but what needs no escape, byte by byte.
fn encoded(key: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The text of an element. What is asked here is answered with flat XML, of which one word is wanted.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(text.replace("&apos;", "'").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: Option<&str>, variant: &'static str, region: &str, bucket: &str) -> String {
        let endpoint = endpoint.map(str::to_owned);
        let sender = Sender { region: None, credentials: None, endpoint, variant };
        let bucket = &bucket.parse().unwrap();
        let key = "dev/a b+c=ä.zip";
        let question = Question { method: Method::GET, bucket, key, query: "", body: None };
        sender.url(&question, region)
    }

    #[test]
    fn a_bucket_stands_in_the_host_where_a_certificate_covers_it() {
        let key = "dev/a%20b%2Bc%3D%C3%A4.zip";
        for (endpoint, variant, region, bucket, host) in [
            (None, "", "eu-west-1", "shop", "https://shop.s3.eu-west-1.amazonaws.com"),
            (None, "", "eu-west-1", "a.shop", "https://s3.eu-west-1.amazonaws.com/a.shop"),
            (None, "-fips", "us-east-1", "shop", "https://shop.s3-fips.us-east-1.amazonaws.com"),
            (None, "", "cn-north-1", "shop", "https://shop.s3.cn-north-1.amazonaws.com.cn"),
            (Some("http://localhost:4566/"), "", "x", "shop", "http://localhost:4566/shop"),
        ] {
            assert_eq!(url(endpoint, variant, region, bucket), format!("{host}/{key}"));
        }
    }

    #[test]
    fn a_word_is_read_from_an_answer() {
        let xml = "<Error><Code>NoSuchBucket</Code><Message>a &lt;b&gt;</Message></Error>";
        assert_eq!(element(xml, "Code").as_deref(), Some("NoSuchBucket"));
        assert_eq!(element(xml, "Message").as_deref(), Some("a <b>"));
        assert_eq!(element(xml, "Status"), None);
    }
}
