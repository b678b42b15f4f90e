//! Looks at the first bytes of a tunnel until they tell what it carries. No byte is lost.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::client_hello::{self, ClientHello, Parsed};
use super::{Rewound, Settings, Sniff, sniff};

/// What a tunnel begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A whole TLS `ClientHello`.
    Tls(ClientHello),
    /// An HTTP request.
    Http,
    /// Something else.
    Other,
    /// A TLS record that does not become a `ClientHello`, for this reason.
    Malformed(&'static str),
    /// Nothing: the client waits for the server to speak first, or went away.
    Silent,
}

/// A first read as large as most hellos; larger ones grow it.
const FIRST_READ: usize = 2048;

/// Reads from `stream` until its first bytes tell what it carries, it ends, or the opening timeout has passed.
pub async fn open<S: AsyncRead + Unpin>(mut stream: S, limits: &Settings) -> (Opening, Rewound<S>) {
    let mut first = BytesMut::with_capacity(FIRST_READ);
    let decided = tokio::time::timeout(limits.opening_timeout(), async {
        loop {
            // A read error is the end of the stream too: whoever reads on meets it again.
            match stream.read_buf(&mut first).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
            if let Some(opening) = decide(&first) {
                return Some(opening);
            }
        }
    });
    let opening = match decided.await {
        Ok(Some(opening)) => opening,
        Ok(None) | Err(_) => undecided(&first),
    };
    (opening, Rewound::new(first.freeze(), stream))
}

fn decide(first: &[u8]) -> Option<Opening> {
    match sniff(first) {
        Sniff::NeedMore => None,
        Sniff::Http => Some(Opening::Http),
        Sniff::Other => Some(Opening::Other),
        Sniff::Tls => match client_hello::parse(first) {
            Parsed::NeedMore => None,
            Parsed::Hello(hello) => Some(Opening::Tls(hello)),
            Parsed::Malformed(why) => Some(Opening::Malformed(why)),
        },
    }
}

/// What to make of bytes after which nothing came.
fn undecided(first: &[u8]) -> Opening {
    match (first, sniff(first)) {
        ([], _) => Opening::Silent,
        (_, Sniff::Tls) => Opening::Malformed("the client hello never ended"),
        (_, Sniff::Http | Sniff::Other | Sniff::NeedMore) => Opening::Other,
    }
}
