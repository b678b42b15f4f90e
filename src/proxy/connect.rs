//! CONNECT: a client asks for a tunnel (RFC 9110 §9.3.6).

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Proxy;
use super::body::whole;
use super::distrust::{Program, TRIES_EVERY};
use super::lanes::Taken;
use super::plan::{self, ConnectStep, Planned};
use super::respond::{self, Reader};
use super::streams::{Stream, Streams};
use super::visitor::{Hop, Inside, Visitor};
use crate::audit::Entry;
use crate::facts::{Ask, Authority, Fault, Observation};
use crate::policy::Permit;
use crate::rulebook::Judgement;
use crate::upstream::Body;

/// A CONNECT on its way: who asks, for where, and the record that is certain from here on.
pub(super) struct Knock {
    pub(super) hop: Arc<Hop>,
    pub(super) visitor: Visitor,
    pub(super) seen: Observation,
    pub(super) entry: Entry,
    /// What opens the tunnel, where it says what it is called and may be judged by its handshakes.
    pub(super) program: Option<Program>,
    /// Its stream on the hop, which the library forgets when one of its halves has ended.
    pub(super) stream: Stream,
    /// What it takes of its client's places, as long as it lives.
    pub(super) place: Arc<Taken>,
}

/// What lets a CONNECT pass unread, and where to.
pub(super) struct Passage {
    pub(super) permit: Permit,
    pub(super) origin: TcpStream,
}

impl Proxy {
    /// Answers a CONNECT to `authority`.
    pub(super) async fn connect(
        self: &Arc<Self>,
        hop: Arc<Hop>,
        authority: Authority,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let in_force = self.house.live.load();
        let rules = &in_force.rulebook;
        let mut entry = match self.enter(&hop).await {
            Ok(entry) => entry,
            Err(why) => return respond::no_entry(&self.house.portal, &request, &why),
        };
        let (parts, body) = request.into_parts();
        let visitor = self.meet(&mut entry, &hop, (&parts, &authority.host)).await;
        let seen = self.observe(&in_force, &hop, &visitor, Ask::Connect(authority)).await;
        entry.saw(rules.redact(&seen));

        let Planned { step, judgement } = plan::on_connect(rules, &self.house.portal_host, &seen);
        let remedy = match (&step, &judgement) {
            (ConnectStep::Refuse(_) | ConnectStep::Tunnel(_), Some(judgement)) => {
                Some(rules.remedy_judged(&seen, judgement))
            }
            _ => None,
        };
        if let Some(judgement) = &judgement {
            entry.decided(judgement.note(remedy.as_ref()));
        }
        if let Err(why) = self.house.book.healthy() {
            return respond::no_record(entry, seen.ask.host(), Reader::of(&self.house.portal, &parts), &why);
        }
        let (unread, program) = match step {
            ConnectStep::Challenge => return self.challenge(entry, &hop, &visitor, &parts),
            ConnectStep::Refuse(refusal) => {
                let remedy = remedy.unwrap_or_default();
                return self.refuse_connect(&in_force, entry, &seen, &parts, (&refusal, &remedy));
            }
            // nothing is held against who comes to us: here they find out why they are refused elsewhere
            ConnectStep::Portal => (None, None),
            ConnectStep::Intercept => (None, Program::of(&hop, &parts.headers, &seen)),
            ConnectStep::Tunnel(permit) => (Some(permit), None),
        };
        let reader = Reader::of(&self.house.portal, &parts);
        if let Some(fault) = self.distrust.known(program.as_ref(), self.house.clock.now()).await {
            return respond::fault_for(TRIES_EVERY, entry, seen.ask.host(), reader, &fault);
        }
        let place = match hop.place.lane().map(Taken::by_tunnel) {
            Ok(place) => place,
            Err(fault) => return respond::fault(entry, seen.ask.host(), false, reader, &fault),
        };
        let knock = Knock {
            place,
            program,
            stream: hop.streams.open(),
            hop,
            visitor,
            seen,
            entry,
        };
        let request = Request::from_parts(parts, body);
        let Some(permit) = unread else {
            return self.intercept(knock, request);
        };
        match self.dial(&permit, judgement.as_ref()).await {
            Ok(origin) => self.tunnel(knock, Passage { permit, origin }, request),
            Err(fault) => respond::fault(knock.entry, knock.seen.ask.host(), false, reader, &fault),
        }
    }

    /// Reaches the origin of a tunnel that passes unread, under a grant that is known to be in force if it needs one.
    async fn dial(&self, permit: &Permit, judgement: Option<&Judgement>) -> Result<TcpStream, Fault> {
        self.vouch(permit, judgement.is_some_and(Judgement::publishes))?;
        self.house.upstream.tunnel(permit).await
    }

    /// Says yes, and serves what comes through the tunnel from the inside.
    fn intercept(self: &Arc<Self>, mut knock: Knock, request: Request<Incoming>) -> Response<Body> {
        let proxy = self.clone();
        self.house.tasks.spawn(async move {
            match hyper::upgrade::on(request).await {
                Ok(io) => {
                    knock.entry.stands(ESTABLISHED.as_u16());
                    proxy.serve_inside(knock, TokioIo::new(io)).await;
                }
                Err(error) => knock.entry.close(respond::client_gone(&error)),
            }
        });
        established()
    }

    /// Says yes, now that the origin accepted, and carries the tunnel unread.
    fn tunnel(self: &Arc<Self>, mut knock: Knock, passage: Passage, request: Request<Incoming>) -> Response<Body> {
        let proxy = self.clone();
        self.house.tasks.spawn(async move {
            match hyper::upgrade::on(request).await {
                Ok(io) => {
                    knock.entry.stands(ESTABLISHED.as_u16());
                    proxy.carry_unread(knock, passage, TokioIo::new(io)).await;
                }
                Err(error) => knock.entry.close(respond::client_gone(&error)),
            }
        });
        established()
    }
}

impl Knock {
    /// The hop that the tunnel's inside is served on.
    pub(super) fn inside(&self, secure: bool) -> Arc<Hop> {
        let inside = Inside {
            authority: self.seen.ask.authority().clone(),
            secure,
            visitor: self.visitor.clone(),
            content: self.entry.counters(),
        };
        Arc::new(Hop {
            arrival: self.hop.arrival.clone(),
            certificate: None,
            inside: Some(inside),
            place: self.place.clone(),
            streams: Streams::default(),
        })
    }
}

/// The answer to a CONNECT that was let through.
pub(super) const ESTABLISHED: StatusCode = StatusCode::OK;

fn established() -> Response<Body> {
    let mut response = Response::new(whole(""));
    *response.status_mut() = ESTABLISHED;
    response
}
