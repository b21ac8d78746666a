//! An upload that a registry has begun: where it goes on, and how far it is.

use reqwest::header::{LOCATION, RANGE};
use reqwest::{Method, RequestBuilder, Response, Url};

use crate::client::{Client, header};
use crate::error::RegistryError;

/// An upload that the registry has begun.
pub(super) struct Session {
    /// Where the next part goes. It may hold a right to write.
    pub(super) address: Url,
    /// How far the registry is.
    pub(super) offset: u64,
}

impl Session {
    pub(super) fn request(&self, client: &Client, method: Method) -> RequestBuilder {
        client.request_at(method, self.address.as_str())
    }

    /// Sends a request of an upload. A host that is not the registry's own is not told who asks: its
    /// address holds the right to write.
    pub(super) async fn send(
        &self,
        client: &Client,
        request: RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let registry = client.request(Method::GET, "").build();
        let registry = registry.map_err(|source| client.transport(source))?;
        if registry.url().origin() == self.address.origin() {
            client.send(request).await
        } else {
            request.send().await.map_err(|source| client.transport(source))
        }
    }
}

/// Where the registry wants the next part.
pub(super) fn address_of(answer: &Response) -> Option<Url> {
    answer.url().join(&header(answer, LOCATION.as_str())?).ok()
}

/// How far a registry is, as it says with `Range: 0-1023`. It writes `0-0` before there is anything, and
/// after the first byte as well: that says nothing.
pub(super) fn reached(answer: &Response) -> Option<u64> {
    last(&header(answer, RANGE.as_str())?)
}

fn last(range: &str) -> Option<u64> {
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
    (last > 0).then_some(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_how_far_the_registry_is() {
        assert_eq!(last("0-1023"), Some(1024));
        assert_eq!(last("bytes=0-1023"), Some(1024));
        assert_eq!(last("0-0"), None);
        assert_eq!(last("5-9"), None);
        assert_eq!(last(""), None);
    }
}
