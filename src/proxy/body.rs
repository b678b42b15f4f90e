//! The bodies that cross the house: they count their bytes, and when both have ended, the exchange is over.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full};

use super::finish::{Finish, Upload};
use super::headers;
use super::lanes::Lane;
use super::longlived::{NoLonger, Watch};
use super::streams::Stream;
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
    /// Whether the client broke off before its end.
    broke: bool,
    counters: Arc<Counters>,
    /// Whoever waits for its end; none where there was nothing to send.
    upload: Option<Arc<Upload>>,
    /// Its stream on the client's hop, of which the library forgets one half when the answer has ended.
    _stream: Stream,
}

impl<B: HttpBody> Outgoing<B> {
    pub(super) fn new(
        peeked: Vec<Frame<Bytes>>,
        rest: B,
        rest_ended: bool,
        counters: Arc<Counters>,
        stream: Stream,
    ) -> Self {
        let peeked_bytes = peeked
            .iter()
            .filter_map(Frame::data_ref)
            .map(|data| data.len() as u64)
            .sum();
        let nothing = peeked.is_empty() && (rest_ended || rest.is_end_stream());
        Self {
            peeked: peeked.into_iter(),
            peeked_bytes,
            rest,
            rest_ended,
            broke: false,
            counters,
            upload: (!nothing).then(Arc::default),
            _stream: stream,
        }
    }

    /// What the answer waits for before its record closes.
    pub(super) fn upload(&self) -> Option<Arc<Upload>> {
        self.upload.clone()
    }
}

impl<B> Outgoing<B> {
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
        let frame = Pin::new(&mut self.rest).poll_frame(cx);
        if let Some(upload) = &self.upload
            && let Poll::Ready(no_longer) = upload.asked(frame.is_pending(), cx)
        {
            self.rest_ended = true;
            return Poll::Ready(Some(Err(no_longer.into())));
        }
        match ready!(frame) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(self.outward(frame)))),
            Some(Err(error)) => {
                self.broke = true;
                Poll::Ready(Some(Err(error.into())))
            }
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

impl<B> Drop for Outgoing<B> {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            upload.ended(self.broke);
        }
    }
}

/// An answer's body with the entry that it closes: completed when all was delivered, failed when the origin broke
/// off, cut when it may no longer go on, and the client's doing when the client went away first.
struct Carrying<B: HttpBody> {
    inner: B,
    counters: Arc<Counters>,
    finish: Option<Finish>,
    watch: Option<Watch>,
    upload: Option<Arc<Upload>>,
    /// With what it breaks off, once what came before is sent.
    broken: Option<BoxError>,
    /// Whether trailers came, after which nothing does (RFC 9112 §7.1.2).
    trailed: bool,
}

/// What an origin's answer has with it.
pub(super) struct Passing {
    pub(super) entry: Entry,
    pub(super) watch: Watch,
    pub(super) lane: Lane,
    pub(super) upload: Option<Arc<Upload>>,
    pub(super) decrypted: bool,
}

/// Puts `entry` into the care of `inner`; `closing` is what the record will say once all is delivered.
pub(super) fn carrying<B>(entry: Entry, closing: Closing, inner: B) -> Body
where
    B: HttpBody<Data = Bytes> + Unpin + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    Carrying {
        inner,
        counters: entry.counters(),
        finish: Some(Finish::new(entry, closing, None)),
        watch: None,
        upload: None,
        broken: None,
        trailed: false,
    }
    .boxed()
}

/// The same for an origin's answer, which goes on as long as it may.
pub(super) fn passing<B>(exchange: Passing, status: StatusCode, inner: B) -> Body
where
    B: HttpBody<Data = Bytes> + Unpin + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    let closing = Closing {
        end: End::Completed,
        status: Some(status.as_u16()),
        decrypted: exchange.decrypted,
    };
    Carrying {
        inner,
        counters: exchange.entry.counters(),
        finish: Some(Finish::new(exchange.entry, closing, Some(exchange.lane))),
        watch: Some(exchange.watch),
        upload: exchange.upload,
        broken: None,
        trailed: false,
    }
    .boxed()
}

impl<B: HttpBody> Carrying<B> {
    fn close(&mut self, instead: Option<End>) {
        if let Some(mut finish) = self.finish.take() {
            if let Some(end) = instead {
                finish.end_by(end);
            }
            self.over(finish);
        }
    }

    /// Nobody takes the rest any more.
    fn vanish(&mut self) {
        if let Some(mut finish) = self.finish.take() {
            finish.vanish();
            self.over(finish);
        }
    }

    /// Breaks off at the next asking. The library forgets what it has not sent yet when a body fails, and sends it when it
    /// has to wait: a client that hears nothing at all takes it for a connection that was idle for too long, and may ask
    /// for the same again.
    fn breaks(&mut self, error: BoxError, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.broken = Some(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn over(&mut self, finish: Finish) {
        match self.upload.take() {
            Some(upload) => upload.answered(finish, self.watch.take()),
            None => finish.now(),
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
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Some(watch) = &mut self.watch
            && let Poll::Ready(why) = watch.poll(frame.is_pending(), cx)
        {
            self.watch = None;
            self.close(Some(End::Cut(why.clone())));
            return self.breaks(NoLonger(why).into(), cx);
        }
        if let Some(finish) = &mut self.finish {
            finish.lasts_if_it_goes_on();
        }
        match ready!(frame) {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.counters.down.fetch_add(data.len() as u64, Ordering::Relaxed);
                }
                self.trailed |= frame.is_trailers();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let error = error.into();
                let end = error.downcast_ref::<Fault>().map_or(ORIGIN_GONE, End::from);
                self.close(Some(end));
                self.breaks(error, cx)
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

const ORIGIN_GONE: End = End::Failed {
    blame: Blame::Origin,
    stage: Stage::Forward,
    code: FaultCode::OriginGone,
};

impl<B: HttpBody> Drop for Carrying<B> {
    fn drop(&mut self) {
        // hyper stops polling a body that says it is at its end, that gave trailers, or all the bytes that it promised, also
        // where its end is still to come: that is delivered, not abandoned
        let delivered = self.trailed || self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0);
        // what was refused stays refused, whether or not anybody waits to hear it
        let refused = matches!(&self.finish, Some(finish) if !finish.completes());
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

    use futures_util::poll;
    use http_body_util::StreamBody;

    use super::super::streams::Streams;
    use super::*;
    use crate::audit::{Book, Settings};
    use crate::clock::{Clock, Timestamp};
    use crate::facts::Act;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_not_idle_while_an_upload_goes_on() {
        let (streams, minute) = (Streams::default(), std::time::Duration::from_mins(1));
        let upload = Outgoing::new(Vec::new(), whole("late"), false, Arc::default(), streams.open());
        let mut idle = std::pin::pin!(streams.idle(minute, minute));
        assert!(poll!(idle.as_mut()).is_pending());
        tokio::time::advance(10 * minute).await;
        assert!(poll!(idle.as_mut()).is_pending());
        drop(upload);
        idle.await;
    }

    #[tokio::test]
    async fn what_came_before_an_answer_breaks_off_is_sent() {
        use hyper::{server::conn::http1, service::service_fn};
        use hyper_util::rt::TokioIo;
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let (mut client, server) = tokio::io::duplex(4096);
        let service = service_fn(|_| async {
            let pieces = [Ok(Frame::data(Bytes::from("half of it"))), Err(BoxError::from("gone"))];
            let body = Carrying {
                inner: StreamBody::new(futures_util::stream::iter(pieces)),
                counters: Arc::default(),
                finish: None,
                watch: None,
                upload: None,
                broken: None,
                trailed: false,
            };
            Ok::<_, std::convert::Infallible>(http::Response::new(body))
        });
        let serving = http1::Builder::new().serve_connection(TokioIo::new(server), service);
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        serving.await.unwrap_err();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        assert!(
            heard.starts_with("HTTP/1.1 200 ") && heard.contains("half of it"),
            "{heard:?}"
        );
        assert!(!heard.ends_with("0\r\n\r\n"), "it is not taken for a whole answer");
    }

    #[tokio::test]
    async fn an_upload_waits_for_its_client_only_where_more_was_asked_for_than_came() {
        let (streams, (client, mut sent)) = (Streams::default(), tokio::sync::mpsc::channel::<&str>(1));
        let pieces = futures_util::stream::poll_fn(move |cx| sent.poll_recv(cx));
        let pieces = futures_util::StreamExt::map(pieces, |piece| Ok::<_, BoxError>(Frame::data(piece.into())));
        let peeked = vec![Frame::data(Bytes::from("peeked"))];
        let mut body = Outgoing::new(peeked, StreamBody::new(pieces), false, Arc::default(), streams.open());
        let upload = body.upload().unwrap();
        assert!(!upload.awaits_client(), "nobody asked");
        body.frame().await.unwrap().unwrap();
        assert!(!upload.awaits_client(), "the origin has not taken what there is");
        assert!(poll!(body.frame()).is_pending());
        assert!(upload.awaits_client());
        client.send("more").await.unwrap();
        body.frame().await.unwrap().unwrap();
        assert!(!upload.awaits_client(), "what came is for the origin to take");
        assert!(poll!(body.frame()).is_pending());
        drop(body);
        assert!(!upload.awaits_client(), "the origin wants no more");
    }

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
