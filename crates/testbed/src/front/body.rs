//! Bodies: streamed where they may be large, and counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::connection::Breaker;
use crate::inside::Fatal;

/// The body of an answer, and of a request that is passed on.
pub(crate) type AnyBody = UnsyncBoxBody<Bytes, Fatal>;

/// How many bytes have gone by.
pub(crate) type Count = Arc<AtomicU64>;

/// How long what was written has to leave before a connection is broken.
const FLUSH: Duration = Duration::from_millis(50);

/// A body that is there already.
pub(crate) fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into()).map_err(Fatal::from).boxed_unsync()
}

/// A body as it comes in from the network.
pub(crate) fn incoming(body: Incoming) -> AnyBody {
    body.map_err(Fatal::from).boxed_unsync()
}

/// Counts the bytes of a body as they go by.
pub(crate) fn counted(body: AnyBody, count: Count) -> AnyBody {
    Counted { body, count }.boxed_unsync()
}

/// Reads a body to its end.
pub(crate) async fn whole(body: AnyBody) -> Result<Bytes, Fatal> {
    Ok(body.collect().await?.to_bytes())
}

/// Reads a body until so many bytes have come, or it ends.
pub(crate) async fn read_up_to(mut body: AnyBody, mut bytes: u64) {
    while bytes > 0 {
        let Some(Ok(frame)) = body.frame().await else { break };
        let length = frame.data_ref().map_or(0, Bytes::len);
        bytes = bytes.saturating_sub(length as u64);
    }
}

/// A body that breaks after so many bytes: by a reset, or by the connection's early end.
pub(crate) fn cut(bytes: &Bytes, after_bytes: u64, reset: Option<Breaker>) -> AnyBody {
    let length = usize::try_from(after_bytes).unwrap_or(usize::MAX).min(bytes.len());
    let begin = stream::iter([Ok(Frame::data(bytes.slice(..length)))]);
    let end = stream::once(async move {
        tokio::time::sleep(FLUSH).await;
        if let Some(breaker) = reset {
            breaker.reset();
        }
        Err(Fatal::from("a fault cuts this answer"))
    });
    http_body_util::BodyExt::boxed_unsync(StreamBody::new(begin.chain(end)))
}

struct Counted {
    body: AnyBody,
    count: Count,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Fatal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fatal>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let length = frame.data_ref().map_or(0, Bytes::remaining);
            self.count.fetch_add(length as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
