//! Looks at the first bytes of a tunnel until they tell what it carries. No byte is lost.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use super::client_hello::{self, ClientHello, Parsed};
use super::first_request::{self, Named};
use super::sniff::TLS_HANDSHAKE;
use super::{Resembles, Rewound, Settings, Sniff, sniff};
use crate::facts::Authority;

/// What a tunnel begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A whole TLS `ClientHello`.
    Tls(ClientHello),
    /// An HTTP request, and the host that it names, if it names one and somebody waited for it: see [`open_unread`].
    Http(Option<Authority>),
    /// Something else.
    Other,
    /// What servers might take for TLS or HTTP although it does not become a `ClientHello` or a request head, and the
    /// reason.
    Malformed(Resembles, &'static str),
    /// Nothing so far, from a client whose flow would be read: it may wait for the server to speak first.
    Silent,
    /// Nothing, and nothing will come: the client has said that it is done, or went away.
    Ended,
}

/// A first read as large as most hellos; larger ones grow it.
const FIRST_READ: usize = 2048;

/// Who reads on after the first bytes.
#[derive(Clone, Copy)]
enum Next {
    /// The gateway, request by request.
    Reads,
    /// Nobody: what names the destination has to be seen now.
    Carries,
}

/// Reads from `stream` until its first bytes tell what it carries, it ends, or the opening timeout has passed.
pub async fn open<S: AsyncRead + Unpin>(stream: S, limits: &Settings) -> (Opening, Rewound<S>) {
    look(stream, limits, Next::Reads).await
}

/// As [`open`], for a flow that nobody will read: an HTTP request is waited for until its head names a host. Waits for the
/// first byte as long as the caller does: where the other side may speak first, silence tells nothing about what will
/// come. From the first byte on, the opening timeout counts.
pub async fn open_unread<S: AsyncRead + Unpin>(stream: S, limits: &Settings) -> (Opening, Rewound<S>) {
    look(stream, limits, Next::Carries).await
}

async fn look<S: AsyncRead + Unpin>(mut stream: S, limits: &Settings, next: Next) -> (Opening, Rewound<S>) {
    let mut first = BytesMut::with_capacity(FIRST_READ);
    // A read error is the end of the stream too: whoever reads on meets it again.
    let begun = match next {
        Next::Reads => timeout(limits.opening_timeout(), stream.read_buf(&mut first))
            .await
            .ok(),
        Next::Carries => Some(stream.read_buf(&mut first).await),
    };
    let opening = match begun {
        None => Opening::Silent,
        Some(Ok(0) | Err(_)) => Opening::Ended,
        Some(Ok(_)) => {
            let decided = timeout(limits.opening_timeout(), read_on(&mut stream, &mut first, limits, next)).await;
            decided.ok().flatten().unwrap_or_else(|| undecided(&first, next))
        }
    };
    (opening, Rewound::new(first.freeze(), stream))
}

async fn read_on<S: AsyncRead + Unpin>(
    stream: &mut S,
    first: &mut BytesMut,
    limits: &Settings,
    next: Next,
) -> Option<Opening> {
    loop {
        if let Some(opening) = decide(first, limits, next) {
            return Some(opening);
        }
        match stream.read_buf(first).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

fn decide(first: &[u8], limits: &Settings, next: Next) -> Option<Opening> {
    match sniff(first) {
        Sniff::NeedMore => None,
        Sniff::Http => match next {
            Next::Reads => Some(Opening::Http(None)),
            Next::Carries => decide_http(first, limits),
        },
        Sniff::Other => Some(Opening::Other),
        Sniff::Malformed(like, why) => Some(Opening::Malformed(like, why)),
        Sniff::Tls => match client_hello::parse(first) {
            Parsed::NeedMore => None,
            Parsed::Hello(hello) => Some(Opening::Tls(hello)),
            Parsed::Malformed(why) => Some(Opening::Malformed(Resembles::Tls, why)),
        },
    }
}

fn decide_http(first: &[u8], limits: &Settings) -> Option<Opening> {
    match first_request::named(first, limits.max_headers as usize) {
        Named::Host(host) => Some(Opening::Http(Some(host))),
        Named::Nothing => Some(Opening::Http(None)),
        Named::Malformed(why) => Some(Opening::Malformed(Resembles::Http, why)),
        Named::NeedMore if first.len() > limits.max_header_bytes as usize => Some(Opening::Malformed(
            Resembles::Http,
            "the first request head is too large",
        )),
        Named::NeedMore => None,
    }
}

/// What to make of bytes after which nothing came.
fn undecided(first: &[u8], next: Next) -> Opening {
    match (first, sniff(first), next) {
        // INVARIANT: what may still become TLS, or a request, is never taken for something that may pass unread.
        (_, Sniff::Malformed(like, why), _) => Opening::Malformed(like, why),
        ([TLS_HANDSHAKE | 0x80..=0xff, ..], Sniff::NeedMore, _) | (_, Sniff::Tls, _) => {
            Opening::Malformed(Resembles::Tls, "the client hello never ended")
        }
        (_, Sniff::Http | Sniff::NeedMore, Next::Carries) => {
            Opening::Malformed(Resembles::Http, "the first request head never ended")
        }
        (_, Sniff::Http | Sniff::Other | Sniff::NeedMore, Next::Reads) | (_, Sniff::Other, Next::Carries) => {
            Opening::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    /// A hello without extensions, in one record.
    fn hello() -> Vec<u8> {
        let mut bytes = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3];
        bytes.extend([7; 32]);
        bytes.extend([0, 0, 2, 0x13, 1, 1, 0]);
        bytes
    }

    async fn rest(stream: Rewound<tokio::io::DuplexStream>) -> Vec<u8> {
        let (mut stream, mut rest) = (stream, Vec::new());
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    }

    #[tokio::test]
    async fn each_opening_is_told_and_no_byte_is_lost() {
        for (bytes, opening) in [
            (hello(), Opening::Tls(ClientHello::default())),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Opening::Http(None)),
            (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), Opening::Other),
            (
                b"\x16\x03\x01\x00\x00".to_vec(),
                Opening::Malformed(Resembles::Tls, "a handshake record is empty"),
            ),
            (
                hello()[..20].to_vec(),
                Opening::Malformed(Resembles::Tls, "the client hello never ended"),
            ),
            (b"GE".to_vec(), Opening::Other),
            (
                b"\x16".to_vec(),
                Opening::Malformed(Resembles::Tls, "the client hello never ended"),
            ),
            (Vec::new(), Opening::Ended),
        ] {
            let (mut client, stream) = duplex(1024);
            client.write_all(&bytes).await.unwrap();
            drop(client);
            let (said, stream) = open(stream, &Settings::default()).await;
            assert_eq!((said, rest(stream).await), (opening, bytes));
        }
    }

    #[tokio::test]
    async fn what_nobody_will_read_is_looked_at_until_it_names_its_host() {
        let limits = Settings {
            max_header_bytes: 100,
            ..Settings::default()
        };
        let host = |text: &str| Opening::Http(Some(Authority::parse(text, Some(80)).unwrap()));
        let large = format!("GET /{} HTTP/1.1\r\nHost: x\r\n", "a".repeat(100));
        for (bytes, opening) in [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", host("x")),
            ("GET / HTTP/1.0\r\n\r\n", Opening::Http(None)),
            (
                "GET / HTTP/1.1\r\nHost: x\r\n",
                Opening::Malformed(Resembles::Http, "the first request head never ended"),
            ),
            (
                "GE",
                Opening::Malformed(Resembles::Http, "the first request head never ended"),
            ),
            (
                &large,
                Opening::Malformed(Resembles::Http, "the first request head is too large"),
            ),
            (
                "CONNECT y:443 HTTP/1.1\r\nHost: x\r\n\r\n",
                Opening::Malformed(
                    Resembles::Http,
                    "the first request asks for no path: servers do not agree on what it names",
                ),
            ),
            ("SSH-2.0-OpenSSH_9.2\r\n", Opening::Other),
        ] {
            let (mut client, stream) = duplex(1024);
            client.write_all(bytes.as_bytes()).await.unwrap();
            drop(client);
            let (said, stream) = open_unread(stream, &limits).await;
            assert_eq!((said, rest(stream).await), (opening, bytes.as_bytes().to_vec()));
        }
    }

    #[tokio::test]
    async fn bytes_may_come_one_by_one() {
        let (mut client, stream) = duplex(1);
        let send = async {
            client.write_all(&hello()).await.unwrap();
            client.write_all(b"more").await.unwrap();
            drop(client);
        };
        let read = async {
            let (said, stream) = open(stream, &Settings::default()).await;
            (said, rest(stream).await)
        };
        let ((), (said, bytes)) = tokio::join!(send, read);
        assert_eq!(said, Opening::Tls(ClientHello::default()));
        assert_eq!(bytes, [hello(), b"more".to_vec()].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_waits_for_the_server_is_silent_after_a_while() {
        let (_client, stream) = duplex(64);
        let (said, _) = open(stream, &Settings::default()).await;
        assert_eq!(said, Opening::Silent);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_is_for_the_first_byte_only() {
        let limits = Settings::default();
        let (mut client, stream) = duplex(64);
        let late = async {
            tokio::time::sleep(limits.opening_timeout() * 5).await;
            client.write_all(&[TLS_HANDSHAKE]).await.unwrap();
        };
        let opened = open_unread(stream, &limits);
        let ((), (said, _)) = tokio::join!(late, opened);
        assert_eq!(said, Opening::Malformed(Resembles::Tls, "the client hello never ended"));
    }
}
