//! Where a registry sends those who fetch a layer: a bucket's host, and an address with a right in
//! it. As S3 does, it refuses a request that brings credentials besides.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::{AUTHORIZATION, RANGE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};

use super::Front;
use super::answer::{Answer, Protocol, ServiceError};
use super::body::{AnyBody, full};
use super::call::{Call, RepositoryKey};
use super::dispatch::{Incident, Work};
use super::identity::Caller;
use super::repositories::digest_of;
use crate::inside::Fatal;

/// The addresses that were given out.
#[derive(Default)]
pub(crate) struct Downloads {
    given: Mutex<HashMap<String, Download>>,
    count: AtomicU64,
}

#[derive(Clone)]
struct Download {
    repository: RepositoryKey,
    digest: String,
    access_key: Option<String>,
}

impl Downloads {
    /// An address for one blob.
    pub(crate) fn address(
        &self,
        repository: &RepositoryKey,
        digest: &str,
        access_key: Option<String>,
    ) -> String {
        let RepositoryKey { account, region, .. } = repository;
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let signature = digest_of(format!("{repository}@{digest} {count}").as_bytes())
            .split_off("sha256:".len());
        let download =
            Download { repository: repository.clone(), digest: digest.to_owned(), access_key };
        self.given.lock().expect("the downloads").insert(signature.clone(), download);
        format!(
            "https://prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com/{account}/{count:x}\
             ?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIALAYERS%2F20260101%2F{region}%2Fs3%2Faws4_request\
             &X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}"
        )
    }

    fn find(&self, query: &str) -> Option<Download> {
        let signature = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Signature="))?;
        self.given.lock().expect("the downloads").get(signature).cloned()
    }
}

/// What a download asks for.
pub(crate) fn classify(front: &Front, host: String, parts: Parts, body: AnyBody) -> Incident {
    let download = front.downloads.find(parts.uri.query().unwrap_or_default());
    let call = Call {
        service: "layers".to_owned(),
        kind: "layer-get".to_owned(),
        action: String::new(),
        resource: String::new(),
        access_key: download.as_ref().and_then(|download| download.access_key.clone()),
        repository: download.map(|download| download.repository),
        protocol: Protocol::S3,
    };
    Incident { parts, host, call, caller: Caller::Nobody, body, work: Work::Layers }
}

/// Sends the blob.
pub(crate) async fn perform(front: &Front, parts: &Parts) -> Result<Answer, Fatal> {
    if parts.headers.contains_key(AUTHORIZATION) {
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                       Signature query string parameter or the Authorization header should be specified";
        return Ok(ServiceError::new(400, "InvalidArgument", message).answer(Protocol::S3));
    }
    let Some(download) = front.downloads.find(parts.uri.query().unwrap_or_default()) else {
        return Ok(ServiceError::new(403, "AccessDenied", "Access Denied").answer(Protocol::S3));
    };
    if parts.method != Method::GET {
        // The address is signed for one method.
        let message =
            "The request signature we calculated does not match the signature you provided.";
        return Ok(ServiceError::new(403, "SignatureDoesNotMatch", message).answer(Protocol::S3));
    }
    let mut headers = HeaderMap::new();
    if let Some(range) = parts.headers.get(RANGE) {
        headers.insert(RANGE, range.clone());
    }
    let path = format!("/v2/{}/blobs/{}", download.repository, download.digest);
    front.storage.ask(&Method::GET, &path, headers, full("")).await
}
