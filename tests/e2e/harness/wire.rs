//! Bytes by hand: requests that no HTTP library would send, and tunnels whose first bytes a test chooses.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::World;
use super::client::{Client, Io};

/// Nothing in the tests takes that long unless it never comes.
const NEVER: Duration = Duration::from_secs(30);

// Frames of HTTP/2 and their flags (RFC 9113 §6).
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RESET: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// A frame (RFC 9113 §4.1).
pub fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A connection to the proxy that is spoken to by hand.
pub struct Wire {
    io: Box<dyn Io>,
    heard: Vec<u8>,
}

impl Wire {
    /// A connection to the plain door.
    pub async fn plain(world: &World) -> Self {
        Self::of(&world.client("nobody")).await
    }

    /// A connection to the door that `client` uses; it must speak HTTP/1.1.
    pub async fn of(client: &Client) -> Self {
        let (io, h2) = client.dial().await;
        assert!(!h2, "bytes are written by hand for HTTP/1.1 only");
        Self::on(io)
    }

    pub fn on(io: impl Io + 'static) -> Self {
        Self {
            io: Box::new(io),
            heard: Vec::new(),
        }
    }

    /// A tunnel to `authority`, opened by `client`; what follows is the inside. Counts the CONNECT.
    pub async fn tunnel(client: &Client, authority: &str) -> Self {
        let mut wire = Self::of(client).await;
        client.sent.add(1);
        let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        for (name, value) in client.fields() {
            head += &format!("{name}: {value}\r\n");
        }
        wire.say(head + "\r\n").await;
        let answer = wire.head().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        wire
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// Says what can be said before the other side hangs up.
    pub async fn try_to_say(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.ok();
        self.io.flush().await.ok();
    }

    /// Nothing more will be said.
    pub async fn finish(&mut self) {
        self.io.shutdown().await.ok();
    }

    /// The next head of an answer, with the empty line.
    pub async fn head(&mut self) -> String {
        let end = self.hear_until(|heard| find(heard, b"\r\n\r\n").map(|at| at + 4)).await;
        String::from_utf8(end).unwrap()
    }

    pub async fn exactly(&mut self, count: usize) -> String {
        String::from_utf8(self.bytes(count).await).unwrap()
    }

    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        self.hear_until(|heard| (heard.len() >= count).then_some(count)).await
    }

    /// The next frame of this kind: its stream and its payload.
    pub async fn next(&mut self, kind: u8) -> (u8, Vec<u8>) {
        loop {
            let head = self.bytes(9).await;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let payload = self.bytes(length).await;
            if head[3] == kind {
                return (head[8], payload);
            }
        }
    }

    /// Everything until the other side hangs up.
    pub async fn rest(&mut self) -> String {
        let read = async {
            let mut rest = std::mem::take(&mut self.heard);
            self.io.read_to_end(&mut rest).await.ok();
            rest
        };
        let rest = tokio::time::timeout(NEVER, read).await.expect("nobody hangs up");
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// The next whole answer with a `Content-Length`.
    pub async fn answer(&mut self) -> (String, String) {
        let head = self.head().await;
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")
                    .map(|n| n.trim().to_owned())
            })
            .map_or(0, |n| n.parse().unwrap());
        let body = self.exactly(length).await;
        (head, body)
    }

    /// The stream, to speak something else on it.
    pub fn into_io(self) -> Box<dyn Io> {
        assert!(self.heard.is_empty());
        self.io
    }

    async fn hear_until(&mut self, enough: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        loop {
            if let Some(end) = enough(&self.heard) {
                let rest = self.heard.split_off(end);
                return std::mem::replace(&mut self.heard, rest);
            }
            let read = tokio::time::timeout(NEVER, self.io.read_buf(&mut self.heard));
            let read = read.await.expect("nothing is said").unwrap_or(0);
            assert!(read > 0, "hung up after {:?}", String::from_utf8_lossy(&self.heard));
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// A stream that writes at most so many bytes at a time, each in a segment of its own.
#[derive(Debug)]
pub struct InPieces {
    io: Box<dyn Io>,
    size: usize,
}

impl InPieces {
    pub fn new(io: Box<dyn Io>, size: usize) -> Self {
        Self { io, size }
    }
}

impl AsyncRead for InPieces {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for InPieces {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let piece = buf.len().min(self.size);
        Pin::new(&mut self.io).poll_write(cx, &buf[..piece])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Speaks TLS on `io` as somebody who trusts `roots` and asks for `name`; `change` has the last word.
pub async fn tls(
    io: Box<dyn Io>,
    roots: &Arc<RootCertStore>,
    name: &str,
    change: impl FnOnce(&mut ClientConfig),
) -> io::Result<TlsStream<Box<dyn Io>>> {
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    change(&mut config);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, io).await
}
