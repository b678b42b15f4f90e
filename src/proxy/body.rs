//! The bodies that cross the house: they count their bytes, and an answer's body closes the record at its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full};

use super::headers;
use super::longlived::NoLonger;
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

    /// Counts what leaves, and holds back of trailers what does not leave.
    fn outward(&self, mut frame: Frame<Bytes>) -> Frame<Bytes> {
        if let Some(data) = frame.data_ref() {
            self.counters.up.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        if let Some(trailers) = frame.trailers_mut() {
            headers::outward_trailers(trailers);
        }
        frame
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
            return Poll::Ready(Some(Ok(self.outward(frame))));
        }
        if self.rest_ended {
            return Poll::Ready(None);
        }
        match ready!(Pin::new(&mut self.rest).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(self.outward(frame)))),
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
struct Carrying<B: HttpBody> {
    inner: B,
    entry: Option<(Entry, Closing)>,
    counters: Arc<Counters>,
}

/// Puts `entry` into the care of `inner`; `closing` is what the record will say once all is delivered.
pub(super) fn carrying<B>(entry: Entry, closing: Closing, inner: B) -> Body
where
    B: HttpBody<Data = Bytes> + Unpin + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    let counters = entry.counters();
    Carrying {
        inner,
        entry: Some((entry, closing)),
        counters,
    }
    .boxed()
}

impl<B: HttpBody> Carrying<B> {
    fn close(&mut self, instead: Option<End>) {
        if let Some((entry, closing)) = self.entry.take() {
            let end = instead.unwrap_or_else(|| closing.end.clone());
            entry.close(Closing { end, ..closing });
        }
    }

    /// Nobody takes the rest any more.
    fn vanish(&mut self) {
        let end = End::Failed {
            blame: Blame::Client,
            stage: Stage::Forward,
            code: FaultCode::ClientGone,
        };
        if let Some((entry, closing)) = self.entry.take() {
            entry.vanish(Closing { end, ..closing });
        }
    }
}

impl<B> HttpBody for Carrying<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
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
                let error = error.into();
                let no_longer = error.downcast_ref::<NoLonger>();
                let end = match (no_longer, error.downcast_ref::<Fault>()) {
                    (Some(NoLonger(why)), _) => End::Cut(why.clone()),
                    (None, Some(fault)) => fault.into(),
                    (None, None) => End::Failed {
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

impl<B: HttpBody> Drop for Carrying<B> {
    fn drop(&mut self) {
        // hyper stops polling a body that says it is at its end: that is delivered, not abandoned
        let delivered = self.inner.is_end_stream();
        // what was refused stays refused, whether or not anybody waits to hear it
        let refused = matches!(&self.entry, Some((_, closing)) if closing.end != End::Completed);
        if delivered || refused {
            self.close(None);
        } else {
            self.vanish();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::audit::{Book, Settings};
    use crate::clock::{Clock, Timestamp};
    use crate::facts::Act;

    #[tokio::test]
    async fn a_client_that_leaves_early_changes_how_a_delivery_ends_and_no_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            folder: folder.path().to_owned(),
            ..Settings::default()
        };
        let (tell, told) = mpsc::channel();
        let reader = Box::new(move |record: &_| tell.send(Clone::clone(record)).unwrap_or_default());
        let clock = Clock::fixed(Timestamp::from_millis(0));
        let (book, _) = Book::open(&settings, clock.clone(), vec![reader]).unwrap();
        let gone = End::Failed {
            blame: Blame::Client,
            stage: Stage::Forward,
            code: FaultCode::ClientGone,
        };
        for (end, recorded) in [
            (End::Completed, gone),
            (End::Refused, End::Refused),
            (End::Challenged, End::Challenged),
        ] {
            let entry = book
                .enter(clock.now(), "127.0.0.1:50000".parse().unwrap())
                .await
                .unwrap();
            let (status, decrypted) = (None, false);
            drop(carrying(entry, Closing { end, status, decrypted }, whole("unread")));
            let (Act::Stray { ended, .. } | Act::Closing { ended, .. }) = told.recv().unwrap().act else {
                panic!("a closing line")
            };
            assert_eq!(ended.end, recorded);
        }
    }
}
