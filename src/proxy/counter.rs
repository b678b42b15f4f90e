//! A request to our own counter.

use http::{Method, Request, Response};
use http_body_util::Full;

use super::Proxy;
use super::body::carrying;
use super::request::{Inbound, signed_out};
use super::respond::{self, Reader};
use crate::audit::{Closing, Entry};
use crate::facts::{End, Fault, Observation, Stage};
use crate::portal::{Page, Visit};
use crate::upstream::Body;

impl Proxy {
    /// Hears a request to the counter to its end, and has it answered.
    pub(super) async fn at_the_counter(&self, entry: Entry, seen: Observation, inbound: Inbound) -> Response<Body> {
        let reader = Reader::of(&self.house.portal, &inbound.parts);
        let head_only = inbound.parts.method == Method::HEAD;
        let request = Request::from_parts(inbound.parts, inbound.body);
        let received = match self.house.portal.receive(request).await {
            Ok(received) => received,
            Err(page) => return said(entry, page, head_only),
        };
        // INVARIANT: by the rules, the people and the accounts of this moment. A body may have been long on its way.
        if !inbound.visitor.sign_in.is_good() {
            return respond::fault(entry, seen.ask.host(), true, reader, &signed_out());
        }
        let in_force = self.house.live.load();
        let seen = self.renewed(&in_force, &seen);
        let Some(subject) = &seen.subject else {
            let fault = Fault::internal(Stage::Identify, "nobody came to the counter");
            return respond::fault(entry, seen.ask.host(), false, reader, &fault);
        };
        let visit = Visit {
            in_force: &in_force,
            subject,
            person: seen.person.as_ref(),
            arrival: &seen.arrival,
            secure: inbound.secure,
            at: seen.at,
            once: None,
            token: inbound.visitor.token.as_deref(),
        };
        said(entry, self.house.portal.serve(&visit, &received).await, head_only)
    }
}

/// Delivers what the counter says.
fn said(entry: Entry, page: Page, head_only: bool) -> Response<Body> {
    let (head, body) = page.into_parts();
    let closing = Closing {
        end: End::Completed,
        status: Some(head.status.as_u16()),
        decrypted: true,
    };
    let body = if head_only { Full::default() } else { body };
    Response::from_parts(head, carrying(entry, closing, body))
}
