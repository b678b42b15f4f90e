//! An answer's body, and the connection that comes free at its end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::faults;
use super::pool::Held;
use crate::facts::{Authority, Fault};

/// An answer's body. What it holds of a connection serves the next request once it has ended.
pub struct ResponseBody {
    /// None where the answer has no content.
    body: Option<Incoming>,
    from: Authority,
    held: Option<Held>,
}

impl ResponseBody {
    pub(super) fn new(body: Incoming, from: &Authority, held: Option<Held>) -> Self {
        Self {
            body: Some(body),
            from: from.clone(),
            held,
        }
    }

    /// The body of an answer that has no content. Whatever its origin sends all the same, and when it says that there is
    /// nothing, is not waited for.
    pub(super) fn none(from: &Authority, held: Option<Held>) -> Self {
        let mut none = Self {
            body: None,
            from: from.clone(),
            held,
        };
        none.ended();
        none
    }

    fn ended(&mut self) {
        if let Some(held) = self.held.take() {
            held.give_back();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(frame) => Poll::Ready(Some(frame.map_err(|error| faults::of_exchange(&self.from, &error)))),
            // the library takes a stream that was reset without an error for one that has ended (RFC 9113 §8.1)
            None if body.size_hint().lower() > 0 => Poll::Ready(Some(Err(faults::short(&self.from)))),
            None => {
                self.ended();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ResponseBody")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // whoever is told that nothing more will come need not ask for it
        if self.is_end_stream() {
            self.ended();
        }
    }
}
