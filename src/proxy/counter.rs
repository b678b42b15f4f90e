//! A request to our own counter.

use http::{Method, Request, Response};
use http_body_util::Full;

use super::Proxy;
use super::body::carrying;
use super::request::{Inbound, signed_out};
use super::respond::{self, Reader};
use crate::audit::{Closing, Entry};
use crate::facts::{End, Fault, Observation, Stage};
use crate::identity::SignIn;
use crate::portal::{Anew, Page, Tail, Visit};
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
        // INVARIANT: by the rules, the people and the accounts of this moment: a body may have been long on its way. What
        // changes is listened for before they are loaded, so that nothing falls between the two.
        let anew = self.anew(inbound.visitor.sign_in.clone());
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
        match self.house.portal.flows(&visit, &received, anew).await {
            Some(Ok(tail)) if !head_only => flows(entry, tail),
            Some(Ok(tail)) => said(entry, tail.map(|_| Full::default()), head_only),
            Some(Err(page)) => said(entry, page, head_only),
            None => said(entry, self.house.portal.serve(&visit, &received).await, head_only),
        }
    }

    /// What is heard of while something flows to whoever signed in so: other rules or people, and that nothing may flow any
    /// more, since their sign-in is good no longer or the gateway stops.
    fn anew(&self, sign_in: SignIn) -> Anew {
        let stopping = self.house.tasks.stopping().clone();
        let over = Box::pin(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = sign_in.ended() => {}
            }
        });
        Anew::listening(&self.house.live, &self.house.clock, over)
    }
}

/// Delivers what flows from the counter.
fn flows(entry: Entry, tail: Tail) -> Response<Body> {
    let (head, body) = tail.into_parts();
    let closing = Closing {
        end: End::Completed,
        status: Some(head.status.as_u16()),
        decrypted: true,
    };
    Response::from_parts(head, carrying(entry, closing, body))
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
