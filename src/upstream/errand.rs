//! The house's own errands: to servers that its settings name, and to no other. Nobody's request comes this way, so nobody's
//! permit is asked for; the guard looks at the address all the same, and it is the address that is dialled.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
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

/// The most that is read of an answer: it says how it went.
const MOST_ANSWERED: usize = 64 * 1024;

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

    /// Sends one request over HTTP/1.1, on a connection of its own, and reads the answer; all of it within `limit`.
    pub async fn send(
        &self,
        (to, secure): (&Authority, bool),
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Answer, Fault> {
        let exchange = async {
            let stream = self.connect(to).await?;
            if secure {
                let stream = self.dialer.handshake(to, stream, &self.web).await?;
                exchanged(to, stream, request).await
            } else {
                exchanged(to, stream, request).await
            }
        };
        let answered = tokio::time::timeout(limit, exchange).await;
        answered.unwrap_or_else(|_| {
            let seconds = limit.as_secs();
            Err(Fault::internal(
                Stage::Forward,
                format!("`{to}` did not answer within {seconds} s"),
            ))
        })
    }
}

async fn exchanged<S>(to: &Authority, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| faults::of_exchange(to, &error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answered = pin!(async {
        let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
        // read to its end, so that whoever sent it is not cut off; what is too long is not
        let _ = Limited::new(body, MOST_ANSWERED).collect().await;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
        })
    });
    let connection = pin!(connection);
    match futures_util::future::select(answered, connection).await {
        Either::Left((answer, _)) => answer,
        // what it has read by then is still to be taken
        Either::Right((_, answered)) => answered.await,
    }
}
