//! What the gateway itself answers: challenges, refusals, faults. The words and statuses are the portal's pages; here
//! each finds its reader and its record.

use std::time::Duration;

use http::header::{CONNECTION, EXPECT, HeaderMap, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::Proxy;
use super::body::{carrying, whole};
use super::budget::Unproven;
use super::observe::is_navigation;
use super::peek::drain;
use super::request::Inbound;
use super::visitor::{Hop, Visitor};
use crate::audit::{Closing, Entry};
use crate::facts::{Authority, Blame, End, Fault, FaultCode, Host, Observation, RecordId, Remedy, Stage, SubjectId};
use crate::identity::{WAIT, WhyRejected};
use crate::portal::pages::{self, Audience, Page};
use crate::portal::words::Words;
use crate::portal::{Portal, Refused};
use crate::rulebook::{InForce, Refusal, Rulebook};
use crate::upstream::Body;

/// How much of a refused upload is read before its answer, and for how long.
const MOST_DRAINED: u64 = 1024 * 1024;
const DRAINED_FOR: Duration = Duration::from_secs(2);

/// Who reads an answer of ours: what has to be known of a request once it has left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    who: Audience,
    words: &'static Words,
    head_only: bool,
}

impl Reader {
    /// Whoever sent the request.
    pub(super) fn of(portal: &Portal, parts: &Parts) -> Self {
        Self::by(portal, &parts.method, &parts.headers)
    }

    fn by(portal: &Portal, method: &Method, headers: &HeaderMap) -> Self {
        Self {
            who: audience(headers),
            words: portal.words_for(headers),
            head_only: *method == Method::HEAD,
        }
    }
}

impl Proxy {
    /// Opens the record of a flow; without one nothing passes.
    pub(super) async fn enter(&self, hop: &Hop) -> Result<Entry, String> {
        let entered = self.house.book.enter(self.house.clock.now(), hop.arrival.client).await;
        entered.map_err(|unavailable| unavailable.to_string())
    }

    /// Asks who it is (RFC 9110 §11.7.1).
    pub(super) fn challenge(&self, mut entry: Entry, hop: &Hop, visitor: &Visitor, parts: &Parts) -> Response<Body> {
        if let Some((why, account)) = &visitor.rejected {
            let user = account.as_ref().map(SubjectId::as_str);
            tracing::info!(client = %hop.arrival.client, user, %why, "a proof of identity was refused");
        }
        let why = visitor.rejected.as_ref().map(|(why, _)| *why);
        let reader = Reader::of(&self.house.portal, parts);
        let page = asking(why, || self.house.guard.challenges(&hop.arrival), reader);
        if self.records_unproven(hop.arrival.client, Unproven::Challenge) {
            return answer(entry, End::Challenged, false, reader, page);
        }
        entry.leave_out();
        delivered(page, reader)
    }

    /// Says no to a request: to a person where to go, to a tool what would help.
    pub(super) fn refuse(
        &self,
        in_force: &InForce,
        entry: Entry,
        seen: &Observation,
        inbound: &Inbound,
        why: (&Refusal, &Remedy),
    ) -> Response<Body> {
        let reader = Reader::of(&self.house.portal, &inbound.parts);
        let rules = &in_force.rulebook;
        let back = match reader.who {
            Audience::Navigation if inbound.parts.method == Method::GET => Some(inbound.way_back(rules, seen)),
            Audience::Navigation | Audience::Tool => None,
        };
        let page = self.house.portal.refuse(
            in_force,
            &refused(rules, &entry, seen, why, back),
            (reader.who, reader.words),
        );
        answer(entry, End::Refused, inbound.read, reader, page)
    }

    /// Says no to a CONNECT whose inside may not be read: a browser shows its own error, and the person finds the
    /// reason in the portal.
    pub(super) fn refuse_connect(
        &self,
        in_force: &InForce,
        entry: Entry,
        seen: &Observation,
        parts: &Parts,
        why: (&Refusal, &Remedy),
    ) -> Response<Body> {
        let refused = refused(&in_force.rulebook, &entry, seen, why, None);
        let reader = Reader::of(&self.house.portal, parts);
        let page = self
            .house
            .portal
            .refuse(in_force, &refused, (Audience::Tool, reader.words));
        answer(entry, End::Refused, false, reader, page)
    }
}

/// Reads the rest of a request that was answered without it: a client that says everything before it listens would find
/// its connection reset, because that is what closing it on unread bytes means (RFC 9112 §9.6). Where that would take too
/// much, and where the client waits with its body for our word, the connection ends with the answer.
pub(super) async fn once_all_is_said(mut answer: Response<Body>, inbound: Inbound) -> Response<Body> {
    let Inbound {
        parts,
        mut body,
        peeked,
        ..
    } = inbound;
    if parts.version == Version::HTTP_2 || peeked.complete || body.is_end_stream() {
        return answer; // over HTTP/2 a stream ends without its neighbours
    }
    let waits = parts.headers.contains_key(EXPECT) && peeked.frames.is_empty();
    let short = body.size_hint().lower() <= MOST_DRAINED;
    if waits || !short || !drain(&mut body, MOST_DRAINED, DRAINED_FOR).await {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The answer to whoever has not proven who they are: it asks only where another proof could help.
fn asking(why: Option<WhyRejected>, challenges: impl FnOnce() -> Vec<HeaderValue>, reader: Reader) -> Page {
    let Reader { who, words, .. } = reader;
    match why {
        Some(WhyRejected::TooManyGuesses) => pages::wait(words, WAIT, who),
        Some(WhyRejected::Unavailable) => pages::busy(words, who),
        Some(WhyRejected::OutOfScope) => pages::out_of_scope(words, who),
        Some(WhyRejected::AnotherName) => pages::another_name(words, &challenges(), who),
        Some(
            WhyRejected::TwoProofs
            | WhyRejected::Malformed
            | WhyRejected::WrongCredentials
            | WhyRejected::UseTlsDoor
            | WhyRejected::CertificateUnclear,
        )
        | None => pages::challenge(words, &challenges(), who),
    }
}

/// Says what failed.
pub(super) fn fault(entry: Entry, host: &Host, decrypted: bool, reader: Reader, fault: &Fault) -> Response<Body> {
    tracing::debug!(%fault, record = %entry.id(), "a flow failed");
    let page = pages::fault(reader.words, fault, Some(host), Some(entry.id()), reader.who);
    answer(entry, fault.into(), decrypted, reader, page)
}

/// Says what failed before anything was read, and after which time another try may not.
pub(super) fn fault_for(wait: Duration, entry: Entry, host: &Host, reader: Reader, why: &Fault) -> Response<Body> {
    let mut answer = fault(entry, host, false, reader, why);
    let wait = HeaderValue::from(wait.as_secs());
    answer.headers_mut().insert(RETRY_AFTER, wait);
    answer
}

/// Says that the permission ended while the request was on its way.
pub(super) fn cut(entry: Entry, to: &Authority, decrypted: bool, reader: Reader, why: String) -> Response<Body> {
    let fault = Fault::new(Blame::House, Stage::Forward, FaultCode::PermissionEnded, why.as_str());
    let page = pages::fault(reader.words, &fault, Some(&to.host), Some(entry.id()), reader.who);
    answer(entry, End::Cut(why), decrypted, reader, page)
}

/// No record, no access: the book did not take the opening line.
pub(super) fn no_record(entry: Entry, host: &Host, reader: Reader, why: &str) -> Response<Body> {
    fault(entry, host, false, reader, &unrecordable(why))
}

/// No record, no access: not even an entry could be opened.
pub(super) fn no_entry(portal: &Portal, request: &Request<Incoming>, why: &str) -> Response<Body> {
    fault_without_entry(portal, request, &unrecordable(why), None)
}

/// What the portal remembers of a refusal.
fn refused(
    rules: &Rulebook,
    entry: &Entry,
    seen: &Observation,
    (refusal, remedy): (&Refusal, &Remedy),
    back: Option<String>,
) -> Refused {
    Refused {
        record: entry.id().clone(),
        seen: rules.redact(seen),
        refusal: refusal.clone(),
        remedy: remedy.clone(),
        rulebook: rules.id().clone(),
        back,
    }
}

/// No record, no access. That it begins, and that it is over, the book tells: anybody can ask as often as they like.
pub(super) fn unrecordable(why: &str) -> Fault {
    tracing::debug!(why, "nothing passes without a record");
    Fault::new(Blame::House, Stage::Record, FaultCode::RecordUnavailable, why)
}

/// A fault before anybody could open an entry, or one whose entry is closed already.
/// `about` is its host and its record, where there are any.
pub(super) fn fault_without_entry(
    portal: &Portal,
    request: &Request<Incoming>,
    fault: &Fault,
    about: Option<(&Host, &RecordId)>,
) -> Response<Body> {
    let (host, record) = about.unzip();
    let reader = Reader::by(portal, request.method(), request.headers());
    let mut page = pages::fault(reader.words, fault, host, record, reader.who);
    page.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    delivered(page, reader)
}

/// Sends `page` and closes `entry` when it is delivered. An answer to HEAD has no content (RFC 9110 §9.3.2).
fn answer(entry: Entry, end: End, decrypted: bool, reader: Reader, page: Page) -> Response<Body> {
    let (head, body) = page.into_parts();
    let closing = Closing {
        end,
        status: Some(head.status.as_u16()),
        decrypted,
    };
    let body = if reader.head_only { Full::default() } else { body };
    Response::from_parts(head, carrying(entry, closing, body))
}

/// An answer without an entry. One to HEAD has no content (RFC 9110 §9.3.2): HTTP/2 clients take it for a broken stream.
fn delivered(page: Page, reader: Reader) -> Response<Body> {
    if reader.head_only {
        return page.map(|_| whole(""));
    }
    page.map(|body| body.map_err(|never| match never {}).boxed())
}

fn audience(headers: &HeaderMap) -> Audience {
    if is_navigation(headers) {
        Audience::Navigation
    } else {
        Audience::Tool
    }
}

/// The client left between our yes and its first byte.
pub(super) fn client_gone(error: &hyper::Error) -> Closing {
    tracing::debug!(%error, "a client left before its tunnel began");
    let gone = Fault::new(Blame::Client, Stage::Intercept, FaultCode::ClientGone, "");
    Closing {
        end: End::from(&gone),
        status: Some(StatusCode::OK.as_u16()),
        decrypted: false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use http::header::PROXY_AUTHENTICATE;

    use super::*;
    use crate::portal::words::ENGLISH;

    #[test]
    fn who_is_turned_away_without_a_record_writes_nothing_into_the_log() {
        let mut log = tempfile::NamedTempFile::new().unwrap();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(std::sync::Mutex::new(log.reopen().unwrap()))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..3 {
                assert_eq!(unrecordable("the disk is full").code, FaultCode::RecordUnavailable);
            }
        });
        let mut told = String::new();
        log.read_to_string(&mut told).unwrap();
        assert_eq!(told, "");
    }

    #[test]
    fn who_could_not_be_looked_at_is_not_asked_again_as_if_the_proof_were_wrong() {
        for (why, status, retry) in [
            (None, 407, None),
            (Some(WhyRejected::WrongCredentials), 407, None),
            (Some(WhyRejected::TooManyGuesses), 429, Some("300")),
            (Some(WhyRejected::Unavailable), 503, Some("2")),
        ] {
            let reader = Reader {
                who: Audience::Tool,
                words: &ENGLISH,
                head_only: false,
            };
            let page = asking(why, || vec![HeaderValue::from_static("Basic")], reader);
            assert_eq!(page.status().as_u16(), status, "{why:?}");
            let retry_after = page.headers().get(RETRY_AFTER);
            assert_eq!(retry_after.map(|value| value.to_str().unwrap()), retry, "{why:?}");
            assert_eq!(
                page.headers().contains_key(PROXY_AUTHENTICATE),
                status == 407,
                "{why:?}"
            );
            assert!(page.headers().contains_key("proxy-status"), "{why:?}");
        }
    }
}
