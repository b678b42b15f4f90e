//! The house's own errands: to servers that its settings name, and to no other. Nobody's request comes this way, so nobody's
//! permit is asked for; the guard looks at the address all the same, and it is the address that is dialled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, select};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::dial::Dialer;
use super::{Settings, UpstreamError, faults};
use crate::facts::{Authority, Fault, Stage};

/// The most that is read of what comes after the head of an answer, which says how it went, and for how long.
const MOST_ANSWERED: usize = 64 * 1024;
const READ_ON: Duration = Duration::from_secs(2);

/// The way to the servers that the settings name; cheap to clone.
#[derive(Clone)]
pub struct Errands {
    dialer: Arc<Dialer>,
    /// Offers no protocol.
    plain: Arc<ClientConfig>,
    /// Offers HTTP/1.1.
    web: Arc<ClientConfig>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
}

/// What reads what comes after the head of an answer; nothing where that does not come whole, or is too long.
type Rest = BoxFuture<'static, Option<Bytes>>;

impl Errands {
    /// Opens the way. Beside what `settings` let pass, addresses in `allow` are dialled; never `doors`, our own listeners.
    pub fn new(
        settings: &Settings,
        allow: &[IpNet],
        tls: &ClientConfig,
        doors: &[SocketAddr],
    ) -> Result<Self, UpstreamError> {
        let mut settings = settings.clone();
        settings.allow.extend_from_slice(allow);
        let mut dialer = Dialer::new(&settings)?;
        dialer.never(doors);
        let mut web = tls.clone();
        web.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            dialer: Arc::new(dialer),
            plain: Arc::new(tls.clone()),
            web: Arc::new(web),
        })
    }

    /// Connects.
    pub async fn connect(&self, to: &Authority) -> Result<TcpStream, Fault> {
        let targets = self.dialer.find_for_the_house(to).await?;
        self.dialer.tcp(to, targets).await
    }

    /// Begins TLS; the certificate must be for the host of `to`.
    pub async fn secured(&self, to: &Authority, stream: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
        self.dialer.handshake(to, stream, &self.plain).await
    }

    /// Sends one request over HTTP/1.1, on a connection of its own, and gives what it was answered within `limit`. What is
    /// answered stands, whether or not the rest of it comes.
    pub async fn send(
        &self,
        (to, secure): (&Authority, bool),
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Answer, Fault> {
        let exchange = tokio::time::timeout(limit, self.exchange((to, secure), request));
        let (answer, rest) = exchange.await.map_err(|_| late(to, limit))??;
        let _ = tokio::time::timeout(READ_ON, rest).await;
        Ok(answer)
    }

    /// The same, with what stands in the answer, for which alone it is asked: whole, within `limit`, or not at all.
    pub async fn ask(
        &self,
        (to, secure): (&Authority, bool),
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<(Answer, Bytes), Fault> {
        let asked = async {
            let (answer, rest) = self.exchange((to, secure), request).await?;
            let cut_off = || Fault::internal(Stage::Forward, format!("`{to}` did not finish its answer"));
            Ok((answer, rest.await.ok_or_else(cut_off)?))
        };
        tokio::time::timeout(limit, asked).await.map_err(|_| late(to, limit))?
    }

    async fn exchange(
        &self,
        (to, secure): (&Authority, bool),
        request: Request<Full<Bytes>>,
    ) -> Result<(Answer, Rest), Fault> {
        let stream = self.connect(to).await?;
        if secure {
            let stream = self.dialer.handshake(to, stream, &self.web).await?;
            exchanged(to, stream, request).await
        } else {
            exchanged(to, stream, request).await
        }
    }
}

fn late(to: &Authority, limit: Duration) -> Fault {
    let seconds = limit.as_secs();
    Fault::internal(Stage::Forward, format!("`{to}` did not answer within {seconds} s"))
}

/// The head of the answer, and what reads the rest: to its end, so that whoever sent it is not cut off.
async fn exchanged<S>(to: &Authority, stream: S, request: Request<Full<Bytes>>) -> Result<(Answer, Rest), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| faults::of_exchange(to, &error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let mut connection = connection.fuse().boxed();
    let answered = match select(sender.send_request(request).boxed(), &mut connection).await {
        Either::Left((answered, _)) => answered,
        // what it has read by then is still to be taken
        Either::Right((_, answered)) => answered.await,
    };
    let (head, body) = answered.map_err(failed)?.into_parts();
    let answer = Answer {
        status: head.status,
        headers: head.headers,
    };
    let rest = async move {
        let _sender = sender; // the connection lasts as long as somebody may ask
        let read = Limited::<Incoming>::new(body, MOST_ANSWERED).collect().boxed();
        let read = match select(read, connection).await {
            Either::Left((read, _)) => read,
            Either::Right((_, read)) => read.await,
        };
        read.ok().map(Collected::to_bytes)
    };
    Ok((answer, rest.boxed()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "listens on loopback")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::facts::Host;

    #[tokio::test]
    async fn what_was_answered_stands_although_the_rest_of_it_does_not_come() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let loopback = ["127.0.0.0/8".parse().unwrap()];
        let errands = Errands::new(&Settings::default(), &loopback, &tls, &[]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = Authority {
            host: Host::parse("127.0.0.1").unwrap(),
            port: listener.local_addr().unwrap().port(),
        };
        let request = Request::post("/").body(Full::new(Bytes::from("x"))).unwrap();
        let stalls = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let begins = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nx: y\r\n\r\n";
            stream.write_all(begins).await.unwrap();
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = errands.send((&to, false), request, Duration::from_secs(20)) => answer.unwrap(),
            () = stalls => unreachable!(),
        };
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(answer.headers["x"], "y");
    }
}
