//! A tunnel that was let through, and is refused because of what it began with, because nobody here may speak for its host,
//! or because its origin does not say for whom it speaks. Its answer was 200 long ago, so the log says it, the person's own
//! page lists it, and the client hears what its protocol has words for.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Proxy;
use super::linger::{Lingering, Talk};
use super::respond;
use crate::audit::{Closing, Entry};
use crate::facts::{Blame, End, Fault, FaultCode, Host, Observation, RecordId};
use crate::ingress::{Opening, Resembles, Rewound};
use crate::portal::{Portal, Stopped};

/// For how long a client is told, and how much of what it said is read first: closing a connection on unread bytes
/// resets it, and would take our words with it (RFC 9112 §9.6).
const TOLD_FOR: Duration = Duration::from_secs(2);
const MOST_DRAINED: u64 = 1024 * 1024;

/// How a tunnel came to its end.
pub(super) enum Stop<S> {
    /// It ended, or something failed.
    Ended(End),
    /// It may not go on; the client may still be told.
    Refused(Fault, Option<(Ear, Rewound<S>)>),
}

/// What a client would understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ear {
    /// An alert in answer to its `ClientHello`.
    Tls,
    /// An answer to its request.
    Http,
    /// The same, to a request that cannot be read.
    BrokenHttp,
}

impl Ear {
    /// None where nobody can say what the client speaks.
    pub(super) fn of(opening: &Opening) -> Option<Self> {
        match opening {
            Opening::Tls(_) => Some(Self::Tls),
            Opening::Http(_) => Some(Self::Http),
            Opening::Malformed(like, _) => Some(Self::like(*like)),
            Opening::Other | Opening::Silent | Opening::Ended => None,
        }
    }

    /// What the client of a malformed beginning would understand.
    pub(super) fn like(resembles: Resembles) -> Self {
        match resembles {
            Resembles::Tls => Self::Tls,
            Resembles::Http => Self::BrokenHttp,
        }
    }
}

impl Proxy {
    /// Closes the record of a tunnel of which nothing was read, and tells of a refusal whoever should know.
    pub(super) async fn end_tunnel<S>(&self, seen: &Observation, entry: Entry, stop: Stop<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let record = entry.id().clone();
        let (end, refused) = match stop {
            Stop::Ended(end) => (end, None),
            Stop::Refused(fault, ear) => (End::from(&fault), Some((fault, ear))),
        };
        if let Some((fault, _)) = &refused {
            self.note_stopped(seen, &record, fault);
        }
        entry.close(Closing {
            end,
            status: Some(200),
            decrypted: false,
        });
        if let Some((fault, Some((ear, client)))) = refused {
            let told = tell(&self.house.portal, ear, client, &fault, (seen.ask.host(), &record));
            self.unless_stopping(tokio::time::timeout(TOLD_FOR, told)).await;
        }
    }

    fn note_stopped(&self, seen: &Observation, record: &RecordId, fault: &Fault) {
        let host = seen.ask.host();
        tracing::info!(%record, %host, reason = fault.code.as_str(), detail = fault.detail, "a tunnel was refused");
        let Some(subject) = &seen.subject else { return };
        self.house.portal.stopped(Stopped {
            who: subject.id.clone(),
            record: record.clone(),
            host: host.clone(),
            code: fault.code,
            detail: fault.detail.clone(),
            at: self.house.clock.now(),
        });
    }
}

/// What is answered in the place of a request that cannot be read.
const IN_ITS_PLACE: &[u8] = b"GET / HTTP/1.1\r\nhost: unread.invalid\r\n\r\n";

/// Says what is wrong and hangs up.
async fn tell<S>(portal: &Portal, ear: Ear, mut client: Rewound<S>, fault: &Fault, about: (&Host, &RecordId))
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match ear {
        Ear::Tls => {
            if client.write_all(&alert(fault)).await.is_ok() && client.shutdown().await.is_ok() {
                let mut rest = client.take(MOST_DRAINED);
                // whatever comes of it: the connection is over
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.ok();
            }
        }
        Ear::Http | Ear::BrokenHttp => {
            if ear == Ear::BrokenHttp {
                let (_, unread) = client.into_parts();
                client = Rewound::new(Bytes::from_static(IN_ITS_PLACE), unread);
            }
            let service = service_fn(|request| async move {
                Ok::<_, Infallible>(respond::fault_without_entry(portal, &request, fault, Some(about)))
            });
            let client = Lingering::new(client, Talk::without_end());
            let connection = http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(client), service);
            connection.await.ok();
        }
    }
}

/// A fatal alert in a record of its own (RFC 8446 §5.1, §6.2).
fn alert(fault: &Fault) -> [u8; 7] {
    const ACCESS_DENIED: u8 = 49;
    const DECODE_ERROR: u8 = 50;
    const INTERNAL_ERROR: u8 = 80;
    const UNRECOGNIZED_NAME: u8 = 112;
    let description = match (fault.blame, fault.code) {
        (_, FaultCode::SniMismatch) => UNRECOGNIZED_NAME,
        (_, FaultCode::ProtocolUnreadable) => DECODE_ERROR,
        // nothing that the client did, and nothing that it may not do
        (Blame::Origin, _) | (_, FaultCode::MintFailed | FaultCode::Internal) => INTERNAL_ERROR,
        _ => ACCESS_DENIED,
    };
    [21, 3, 3, 0, 2, 2, description]
}
