//! Exchanges of request and answer, and a second one where the first is known to have come to nothing.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, TRANSFER_ENCODING, UPGRADE};
use http::{Method, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;

use super::connect::Sender;
use super::faults::{self, Fate};
use super::outgoing::{Sending, in_time, is_bound, put_in_form};
use super::pool::{Checkout, Held, Slot};
use super::{Body, ResponseBody, Upstream};
use crate::facts::{Authority, Blame, Fault, FaultCode, Stage};
use crate::policy::Permit;

/// Why there is no answer.
pub(super) struct Missed {
    fault: Fault,
    fate: Fate,
    /// The request, where a kept connection turned out to be closed and nothing of it has left.
    pub(super) whole: Option<Box<http::Request<Body>>>,
}

/// Marks a request that must reach its origin once at most, whatever its method says of it.
#[derive(Clone, Copy, Debug)]
pub struct OnlyOnce;

impl Upstream {
    /// Sends a request on a connection that may be shared or kept.
    pub(super) async fn exchange(
        &self,
        slot: &Arc<Slot>,
        permit: &Permit,
        mut request: http::Request<Body>,
        sending: Sending<'_>,
    ) -> Result<http::Response<ResponseBody>, Fault> {
        let mut resent = false;
        loop {
            let checkout = self.pool.checkout(slot, permit).await?;
            let reused = checkout.reused;
            let may_come_to_nothing = reused || checkout.sender.is_http2();
            let once = request.extensions().get::<OnlyOnce>().is_some();
            let copy = copied(&request).filter(|_| may_come_to_nothing && !resent && !once);
            let missed = match self.attempt(slot, checkout, request, sending).await {
                Ok(answer) => return Ok(answer),
                Err(missed) => missed,
            };
            // not on a new connection at once: those that shared the last one will all look for another
            request = match (missed.whole, copy) {
                (Some(whole), _) => *whole,
                (None, Some(copy)) if may_go_again(missed.fate, reused, copy.method()) => {
                    resent = true;
                    copy
                }
                (None, Some(_) | None) => return Err(missed.fault),
            };
            if missed.fate == Fate::OverHttp1 {
                let method = request.method().clone();
                let response = Box::pin(self.alone(slot, permit, request, sending)).await?;
                return passed_on((&slot.key.authority, &method), response, None);
            }
        }
    }

    pub(super) async fn attempt(
        &self,
        slot: &Arc<Slot>,
        checkout: Checkout,
        mut request: http::Request<Body>,
        sending: Sending<'_>,
    ) -> Result<http::Response<ResponseBody>, Missed> {
        let to = &slot.key.authority;
        let Checkout { mut sender, reused } = checkout;
        put_in_form(&mut request, &slot.spelled, sender.is_http2())?;
        let method = request.method().clone();
        let mut error = match in_time(sender.send(request), sending, self.response_timeout()).await {
            Ok(Ok(response)) => {
                let held = match sender {
                    Sender::Http1(_) if is_bound(response.headers()) => None, // it is one person's
                    Sender::Http1(sender) => Some(Held::Whole(sender, Arc::clone(slot), Arc::clone(&self.pool))),
                    Sender::Http2(_, reservation) => {
                        if !reused {
                            reservation.look();
                        }
                        Some(Held::Stream(reservation))
                    }
                };
                return Ok(passed_on((to, &method), response, held)?);
            }
            Ok(Err(error)) => error,
            Err(step) => return Err(self.too_late(to, step).into()),
        };
        let whole = error.take_message().filter(|_| reused).map(Box::new);
        let fate = faults::fate(error.error());
        if let (Fate::Unprocessed, Sender::Http2(_, reservation)) = (fate, sender) {
            reservation.refused();
        }
        Err(Missed {
            fault: faults::of_exchange(to, error.error()),
            fate,
            whole,
        })
    }

    /// Sends a request over HTTP/1.1, on a connection that has served nobody and will serve nobody else.
    pub(super) async fn alone(
        &self,
        slot: &Slot,
        permit: &Permit,
        mut request: http::Request<Body>,
        sending: Sending<'_>,
    ) -> Result<http::Response<Incoming>, Fault> {
        let to = &slot.key.authority;
        put_in_form(&mut request, &slot.spelled, false)?;
        let connector = self.pool.connector();
        let targets = connector.dialer.find(permit).await?;
        let mut sender = connector.connect_alone(&slot.key, targets).await?;
        let answer = in_time(sender.send_request(request), sending, self.response_timeout()).await;
        answer
            .map_err(|step| self.too_late(to, step))?
            .map_err(|error| faults::of_exchange(to, &error))
    }
}

impl From<Fault> for Missed {
    /// Nobody knows how far the request came.
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            fate: Fate::Unknown,
            whole: None,
        }
    }
}

/// The request once more, unless it has a body: that can be sent only once.
fn copied(request: &http::Request<Body>) -> Option<http::Request<Body>> {
    if !request.body().is_end_stream() {
        return None;
    }
    let nothing = Empty::new().map_err(|never| match never {}).boxed();
    let mut copy = http::Request::new(nothing);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// Whether a request that failed may be sent again: where the origin has not processed it, or where processing it twice
/// changes nothing (RFC 9110 §9.2.1) and a connection that was kept may have been closed before it arrived.
fn may_go_again(fate: Fate, reused: bool, method: &Method) -> bool {
    match fate {
        Fate::Unprocessed => true,
        Fate::OverHttp1 => method.is_safe(),
        Fate::Unanswered => reused && method.is_safe(),
        Fate::Unknown => false,
    }
}

/// An answer for the client, to a request of this method. INVARIANT: it does not change protocols, which nobody has asked
/// for (RFC 9110 §15.2.2).
pub(super) fn passed_on(
    (from, method): (&Authority, &Method),
    response: http::Response<Incoming>,
    held: Option<Held>,
) -> Result<http::Response<ResponseBody>, Fault> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(misspoken(from, "changes protocols although nobody asked for it"));
    }
    uncoded(from, response.headers())?;
    let empty = is_empty(method, response.status());
    Ok(response.map(|body| {
        if empty {
            ResponseBody::none(from, held)
        } else {
            ResponseBody::new(body, from, held)
        }
    }))
}

/// Whether an answer has no content, whatever its length says that another would have (RFC 9110 §6.4.1, §8.6).
fn is_empty(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// INVARIANT: a transfer coding ends with this hop, so that what came in one that the library did not undo would reach the
/// client in a form that nothing tells it of (RFC 9112 §7).
pub(super) fn uncoded(from: &Authority, headers: &HeaderMap) -> Result<(), Fault> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    match (codings.next().map(is_chunked), codings.next()) {
        (None | Some(true), None) => Ok(()),
        (_, _) => Err(misspoken(
            from,
            "sends its answer in a transfer coding that nobody asked for",
        )),
    }
}

/// INVARIANT: a connection becomes what was asked for, and nothing else (RFC 9110 §7.8), for a client whose key the origin
/// has read (RFC 6455 §4.2.2).
pub(super) fn switched(from: &Authority, key: Option<&HeaderValue>, headers: &HeaderMap) -> Result<(), Fault> {
    let only = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    let is_socket = only(UPGRADE).is_some_and(|to| to.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket"));
    if !is_socket {
        return Err(misspoken(from, "changes to another protocol than was asked for"));
    }
    let accepts = |key: &HeaderValue| {
        only(SEC_WEBSOCKET_ACCEPT).is_some_and(|said| said.as_bytes().trim_ascii() == accepted(key).as_bytes())
    };
    if key.is_none_or(accepts) {
        Ok(())
    } else {
        Err(misspoken(
            from,
            "accepts a WebSocket that nobody asked for: it answers another key",
        ))
    }
}

/// What an origin makes of a client's key (RFC 6455 §1.3).
fn accepted(key: &HeaderValue) -> String {
    let key = [key.as_bytes().trim_ascii(), b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &key))
}

fn misspoken(from: &Authority, what: &str) -> Fault {
    let detail = format!("`{from}` {what}");
    Fault::new(Blame::Origin, Stage::Forward, FaultCode::OriginProtocol, detail)
}
