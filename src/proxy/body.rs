//! The bodies that cross the house: they count their bytes, and an answer's body closes the record at its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full};

use crate::audit::{Closing, Counters, Entry};
use crate::facts::{Blame, End, Fault, FaultCode, Stage};
use crate::upstream::Body;

/// A boxed error, as bodies carry it.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that is all there.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// Counts what goes up, and gives back first what a peek took.
pub(super) struct Outgoing<B> {
    peeked: std::vec::IntoIter<Frame<Bytes>>,
    peeked_bytes: u64,
    rest: B,
    rest_ended: bool,
    counters: Arc<Counters>,
}

impl<B> Outgoing<B> {
    pub(super) fn new(peeked: Vec<Frame<Bytes>>, rest: B, rest_ended: bool, counters: Arc<Counters>) -> Self {
        let peeked_bytes = peeked
            .iter()
            .filter_map(Frame::data_ref)
            .map(|data| data.len() as u64)
            .sum();
        Self {
            peeked: peeked.into_iter(),
            peeked_bytes,
            rest,
            rest_ended,
            counters,
        }
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.counters.up.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
    }
}

impl<B> HttpBody for Outgoing<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.peeked.next() {
            self.peeked_bytes -= frame.data_ref().map_or(0, |data| data.len() as u64);
            self.count(&frame);
            return Poll::Ready(Some(Ok(frame)));
        }
        if self.rest_ended {
            return Poll::Ready(None);
        }
        match ready!(Pin::new(&mut self.rest).poll_frame(cx)) {
            Some(Ok(frame)) => {
                self.count(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            None => {
                self.rest_ended = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.peeked.len() == 0 && (self.rest_ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let rest = if self.rest_ended {
            SizeHint::with_exact(0)
        } else {
            self.rest.size_hint()
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + self.peeked_bytes);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + self.peeked_bytes);
        }
        hint
    }
}

/// An answer's body with the entry that it closes: completed when all was delivered, failed when the origin broke
/// off, and the client's doing when the client went away first.
pub(super) struct Carrying {
    inner: Body,
    entry: Option<(Entry, Closing)>,
    counters: Arc<Counters>,
}

/// Puts `entry` into the care of `inner`; `closing` is what the record will say once all is delivered.
pub(super) fn carrying(entry: Entry, closing: Closing, inner: Body) -> Body {
    let counters = entry.counters();
    Carrying {
        inner,
        entry: Some((entry, closing)),
        counters,
    }
    .boxed()
}

impl Carrying {
    fn close(&mut self, instead: Option<End>) {
        if let Some((entry, closing)) = self.entry.take() {
            let end = instead.unwrap_or_else(|| closing.end.clone());
            entry.close(Closing { end, ..closing });
        }
    }
}

impl HttpBody for Carrying {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.counters.down.fetch_add(data.len() as u64, Ordering::Relaxed);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let end = match error.downcast_ref::<Fault>() {
                    Some(fault) => fault.into(),
                    None => End::Failed {
                        blame: Blame::Origin,
                        stage: Stage::Forward,
                        code: FaultCode::OriginGone,
                    },
                };
                self.close(Some(end));
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.close(None);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Carrying {
    fn drop(&mut self) {
        // hyper stops polling a body that says it is at its end: that is delivered, not abandoned
        let gone = End::Failed {
            blame: Blame::Client,
            stage: Stage::Forward,
            code: FaultCode::ClientGone,
        };
        let instead = if self.inner.is_end_stream() { None } else { Some(gone) };
        self.close(instead);
    }
}
