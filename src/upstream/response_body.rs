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
    body: Incoming,
    from: Authority,
    held: Option<Held>,
}

impl ResponseBody {
    pub(super) fn new(body: Incoming, from: &Authority, held: Option<Held>) -> Self {
        Self {
            body,
            from: from.clone(),
            held,
        }
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
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() {
            self.ended();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(|error| faults::of_exchange(&self.from, &error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
        if self.body.is_end_stream() {
            self.ended();
        }
    }
}
