//! Who does not read is not read to: what an origin or a client can send while nobody takes it is bounded by what
//! windows and buffers hold, however much there would be.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use wayleave::facts::End;

use crate::harness::World;
use crate::harness::client::{Answer, Sender, origin_form};
use crate::harness::origin::Papers;
use crate::harness::scripted::Scripted;

const HOST: &str = "flood.example.org";
/// What there is to send.
const WHOLE: u64 = 64 << 20;
/// What may have left while nobody takes it: more than all windows and buffers on the way hold, the kernel's included.
const HELD: u64 = WHOLE / 2;
const PIECE: usize = 16 << 10;

/// A body that counts what is taken of it.
struct Flood(Arc<AtomicU64>);

impl Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static PIECES: [u8; PIECE] = [b'~'; PIECE];
        if self.0.load(Ordering::SeqCst) == WHOLE {
            return Poll::Ready(None);
        }
        self.0.fetch_add(PIECE as u64, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PIECES)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(WHOLE - self.0.load(Ordering::SeqCst))
    }
}

/// Reads a body to its end; gives how long it was.
async fn drink<B: Body<Data = Bytes> + Unpin>(mut body: B) -> u64
where
    B::Error: std::fmt::Debug,
{
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        taken += frame.unwrap().data_ref().map_or(0, |data| data.len() as u64);
    }
    taken
}

/// An origin that floods whoever asks, and takes what is sent to it once it is told that it may.
struct Thirst {
    sent: Arc<AtomicU64>,
    may_drink: watch::Receiver<bool>,
}

type Reply = Response<BoxBody<Bytes, Infallible>>;

impl Thirst {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Reply, Infallible> {
        if request.method() == http::Method::GET {
            return Ok(Response::new(Flood(self.sent.clone()).boxed()));
        }
        self.may_drink.clone().wait_for(|may| *may).await.unwrap();
        let taken = drink(request.into_body()).await;
        Ok(Response::new(Full::from(taken.to_string()).boxed()))
    }

    /// Serves the next connection that is for a request; those that only look at the certificate end by themselves.
    async fn serve(self: Arc<Self>, at: Scripted, acceptor: TlsAcceptor, h2: bool) {
        loop {
            let Ok(stream) = acceptor.accept(at.accept().await).await else {
                continue;
            };
            let thirst = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&thirst).answer(request));
            let io = TokioIo::new(stream);
            let served = if h2 {
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                builder.serve_connection(io, service).await
            } else {
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, service)
                    .await
            };
            return served.unwrap_or_default();
        }
    }
}

/// A gateway between a client and such an origin.
struct Flow {
    world: World,
    h2: bool,
    sent: Arc<AtomicU64>,
    drinks: watch::Sender<bool>,
    origin: tokio::task::JoinHandle<()>,
}

impl Flow {
    async fn open(h2: bool) -> Self {
        let at = Scripted::bind().await;
        let address: SocketAddr = at.address;
        let world = World::planned(|plan| {
            plan.inspect_everything();
            plan.lead(HOST, address);
        })
        .await;
        let (chain, key) = world.origins.papers(HOST, Papers::Good);
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let mut config = config.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![if h2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let (drinks, may_drink) = watch::channel(false);
        let sent = Arc::default();
        let thirst = Thirst {
            sent: Arc::clone(&sent),
            may_drink,
        };
        let origin = Arc::new(thirst).serve(at, TlsAcceptor::from(Arc::new(config)), h2);
        Self {
            world,
            h2,
            sent,
            drinks,
            origin: tokio::spawn(origin),
        }
    }

    async fn sender<B>(&self) -> Sender<B>
    where
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        const H2: &[&[u8]] = &[b"h2"];
        const H1: &[&[u8]] = &[b"http/1.1"];
        let dan = self.world.client("dan").offering(if self.h2 { H2 } else { H1 });
        self.world.sends(1);
        Sender::on(dan.inside(HOST).await, self.h2).await
    }

    fn request<B>(&self, request: http::request::Builder, body: B) -> Request<B> {
        let request = request.body(body).unwrap();
        if self.h2 { request } else { origin_form(request) }
    }

    /// What has been sent once no more of it moves, while others are served as ever: a flow that only takes its time
    /// has many of their turns to go on.
    async fn settled(&self) -> u64 {
        let (mut before, mut still) = (0, 0);
        while still < 40 {
            let answer = self.world.client("dan").get("http://www.example.org/").await;
            assert_eq!(answer.status, StatusCode::OK);
            let sent = self.sent.load(Ordering::SeqCst);
            still = if sent > 0 && sent == before { still + 1 } else { 0 };
            before = sent;
        }
        before
    }

    async fn close(self) {
        let path = "/";
        let closing = self.world.closed(HOST, path).await;
        assert_eq!(closing.ended().end, End::Completed);
        let carried = closing.ended().bytes_up.max(closing.ended().bytes_down);
        assert_eq!(carried, WHOLE);
        self.world.close().await;
        self.origin.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_cannot_send_more_than_a_client_takes() {
    for h2 in [false, true] {
        let flow = Flow::open(h2).await;
        let mut sender = flow.sender().await;
        let get = Request::get(format!("https://{HOST}/"));
        let answer = sender.send(flow.request(get, Empty::<Bytes>::new())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let sent = flow.settled().await;
        assert!(sent < HELD, "h2: {h2}: {sent} bytes are somewhere on the way");
        assert_eq!(drink(answer.into_body()).await, WHOLE);
        drop(sender);
        flow.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_send_more_than_an_origin_takes() {
    for h2 in [false, true] {
        let flow = Flow::open(h2).await;
        let mut sender = flow.sender().await;
        let post = Request::post(format!("https://{HOST}/"));
        let post = flow.request(post, Flood(Arc::clone(&flow.sent)));
        let answer = tokio::spawn(async move { sender.send(post).await });
        let sent = flow.settled().await;
        assert!(sent < HELD, "h2: {h2}: {sent} bytes are somewhere on the way");
        flow.drinks.send(true).unwrap();
        let answer = Answer::read(answer.await.unwrap().unwrap()).await;
        assert_eq!(answer.text(), WHOLE.to_string());
        flow.close().await;
    }
}
