//! A server behind the front, on this machine, over plain HTTP.

use hyper::header::{
    CONNECTION, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::answer::Answer;
use super::body::{AnyBody, incoming};
use crate::inside::Fatal;

/// Headers that are about one connection.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    EXPECT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A server behind the front.
pub(crate) struct Upstream {
    port: u16,
    client: Client<HttpConnector, AnyBody>,
}

impl Upstream {
    /// The server on this port.
    pub(crate) fn new(port: u16) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { port, client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Asks it; both bodies are streamed. Headers about the connection are dropped both ways.
    pub(crate) async fn ask(
        &self,
        method: &Method,
        path: &str,
        mut headers: HeaderMap,
        body: AnyBody,
    ) -> Result<Answer, Fatal> {
        let uri: Uri = format!("http://127.0.0.1:{}{path}", self.port).parse()?;
        drop_hop_by_hop(&mut headers);
        headers.entry(HOST).or_insert(HeaderValue::from_static("localhost"));
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let mut answer = self.client.request(request).await?.map(incoming);
        drop_hop_by_hop(answer.headers_mut());
        Ok(answer)
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
