//! One request, told as a story: who and where, what it does, may it, and then it is let through or not.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::Proxy;
use super::body::{Outgoing, Passing, passing};
use super::longlived::{SIGNED_OUT, Watch, unless_it_may_not};
use super::observe::head_of;
use super::peek::{Peeked, peek};
use super::plan::{self, Planned, RequestStep};
use super::respond::Reader;
use super::visitor::{Hop, Visitor};
use super::{headers, respond};
use crate::audit::{Entry, Lasting};
use crate::catalog::PEEK_LIMIT;
use crate::facts::{Ask, Authority, Blame, Fault, FaultCode, Observation, Remedy, Stage};
use crate::ingress::{Target, request_sanity};
use crate::policy::Permit;
use crate::rulebook::{InForce, Judgement, Refusal, Rulebook};
use crate::upstream::{self, Body, OnlyOnce, ResponseBody, Sent};

/// A request taken apart, with what a peek took from its body.
pub(super) struct Inbound {
    pub(super) hop: Arc<Hop>,
    pub(super) visitor: Visitor,
    pub(super) parts: Parts,
    pub(super) body: Incoming,
    pub(super) peeked: Peeked,
    pub(super) secure: bool,
    /// Whether rules let the gateway read the flow.
    pub(super) read: bool,
}

impl Inbound {
    /// The whole address, for the person's way back. It stays in the house; where a credential stands in its path, nobody
    /// came by a link, and the way back is to the site.
    pub(super) fn way_back(&self, rules: &Rulebook, seen: &Observation) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let authority = seen.ask.authority();
        let default_port = if self.secure { 443 } else { 80 };
        let place = rules.catalog().place_of(&seen.ask);
        let written = self.parts.uri.path();
        let path = if rules.catalog().hidden(&place, written) == written {
            self.parts.uri.path_and_query().map_or("/", PathAndQuery::as_str)
        } else {
            "/"
        };
        if authority.port == default_port {
            let host = authority.to_string();
            let host = host.strip_suffix(&format!(":{default_port}")).unwrap_or(&host);
            format!("{scheme}://{host}{path}")
        } else {
            format!("{scheme}://{authority}{path}")
        }
    }
}

impl Proxy {
    /// Answers one request on `hop`, CONNECT or not.
    pub(super) async fn serve(self: &Arc<Self>, hop: Arc<Hop>, request: Request<Incoming>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        headers::join_cookies(&mut parts);
        let target = request_sanity(&parts, hop.form());
        let too_much = headers::too_much(&parts, &self.house.ingress);
        let request = Request::from_parts(parts, body);
        if let Some(why) = too_much {
            let fault = Fault::new(Blame::Client, Stage::Arrive, FaultCode::HeadTooLarge, why);
            return self.unjudged(&hop, request, &fault).await;
        }
        let target = match target {
            Ok(target) => target,
            Err(malformed) => return self.refused_form(&hop, request, malformed).await,
        };
        match (&hop.inside, target) {
            (None, Target::Connect(authority)) => Box::pin(self.connect(hop, authority, request)).await,
            (None, Target::Absolute { authority }) => self.request(hop, authority, false, request).await,
            (None, Target::Origin { authority }) => self.at_the_door(&hop, authority, request).await,
            (Some(inside), Target::Origin { authority }) if authority == inside.authority => {
                let secure = inside.secure;
                self.request(hop.clone(), authority, secure, request).await
            }
            (Some(inside), Target::Origin { authority }) => self.misdirected((&hop, inside), authority, request).await,
            (Some(_), Target::Connect(_) | Target::Absolute { .. }) => {
                let why = "a request inside a tunnel names its origin by `Host` only".to_owned();
                self.malformed(&hop, request, why).await
            }
        }
    }

    async fn request(
        self: &Arc<Self>,
        hop: Arc<Hop>,
        authority: Authority,
        secure: bool,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let in_force = self.house.live.load(); // for this request, to the end
        let rules = &in_force.rulebook;
        let mut entry = match self.enter(&hop).await {
            Ok(entry) => entry, // from here one record is certain
            Err(why) => return respond::no_entry(&self.house.portal, &request, &why),
        };
        let (mut parts, mut body) = request.into_parts();
        let visitor = self.meet(&mut entry, &hop, (&parts, &authority.host)).await;
        headers::end_their_hop(&mut parts.headers);
        let head = head_of(&parts, rules.catalog().label_headers(), !body.is_end_stream());
        let mut seen = self
            .observe(&in_force, &hop, &visitor, Ask::Request(authority, Box::new(head)))
            .await;
        if !visitor.sign_in.is_good() {
            entry.saw(rules.redact(&seen));
            let (host, reader) = (seen.ask.host(), Reader::of(&self.house.portal, &parts));
            return respond::fault(entry, host, hop.is_intercepted(), reader, &signed_out());
        }
        let peeked = self.look_into(rules, &mut seen, &mut body).await;
        let planned = plan::on_request(rules, &self.house.portal_host, &seen);
        let judgement = planned.judgement.as_ref();
        entry.saw(match judgement {
            Some(judgement) => rules.redact_judged(&seen, judgement),
            None => rules.redact(&seen),
        });
        let peeked = match peeked {
            Ok(_) if hop.is_intercepted() && judgement.is_some_and(must_stay_unread) => Err(reconnect()),
            peeked => peeked,
        };
        match peeked {
            Ok(peeked) => {
                let read = hop.is_intercepted() || judgement.is_some_and(Judgement::inspect);
                let inbound = Inbound {
                    hop,
                    visitor,
                    parts,
                    body,
                    peeked,
                    secure,
                    read,
                };
                self.obey(&in_force, entry, seen, planned, inbound).await
            }
            Err(fault) => {
                let read = hop.is_intercepted() && fault.code != FaultCode::Misdirected;
                respond::fault(
                    entry,
                    seen.ask.host(),
                    read,
                    Reader::of(&self.house.portal, &parts),
                    &fault,
                )
            }
        }
    }

    /// Looks into the body where only the body says what the request does, before anything is judged.
    async fn look_into(&self, rules: &Rulebook, seen: &mut Observation, body: &mut Incoming) -> Result<Peeked, Fault> {
        if !plan::needs_body(rules, &self.house.portal_host, seen) {
            return Ok(Peeked::nothing());
        }
        let patience = Duration::from_secs(self.house.settings.peek_timeout_s);
        let peeked = peek(body, PEEK_LIMIT, patience)
            .await
            .map_err(|error| upstream::of_body(Stage::Arrive, &error))?;
        if let Ask::Request(authority, head) = &mut seen.ask {
            let place = rules.catalog().place_at(&authority.host, &head.path);
            head.peek = rules.catalog().peek(&place, head, &peeked.bytes, peeked.complete);
        }
        Ok(peeked)
    }

    async fn obey(
        self: &Arc<Self>,
        in_force: &InForce,
        mut entry: Entry,
        seen: Observation,
        planned: Planned<RequestStep>,
        mut inbound: Inbound,
    ) -> Response<Body> {
        let Planned { step, judgement } = planned;
        if inbound.read {
            entry.counters().reads_content();
        }
        // also of what is refused and let pass: whether a purpose would do belongs to its record
        let remedy = judgement.as_ref().map_or_else(Remedy::default, |judgement| {
            in_force.rulebook.remedy_judged(&seen, judgement)
        });
        if let Some(judgement) = &judgement {
            entry.decided(judgement.note(Some(&remedy)));
        }
        let publishes = judgement.as_ref().is_some_and(Judgement::publishes);
        if publishes {
            inbound.parts.extensions.insert(OnlyOnce);
        }
        let promised = match &step {
            RequestStep::Refuse(_) => Ok(()),
            RequestStep::Challenge | RequestStep::Portal => self.promise_record(&mut entry, publishes).await,
            RequestStep::Forward(permit) | RequestStep::Upgrade(permit) => match self.vouch(permit, publishes) {
                Ok(_) => self.promise_record(&mut entry, publishes).await,
                Err(fault) => Err(fault),
            },
        };
        match (step, promised) {
            (RequestStep::Refuse(refusal), _) => {
                let refused = self.refuse(in_force, entry, &seen, &inbound, (&refusal, &remedy));
                Box::pin(respond::once_all_is_said(refused, inbound)).await
            }
            (_, Err(fault)) => respond::fault(
                entry,
                seen.ask.host(),
                false,
                Reader::of(&self.house.portal, &inbound.parts),
                &fault,
            ),
            (RequestStep::Challenge, Ok(())) => {
                let challenge = self.challenge(entry, &inbound.hop, &inbound.visitor, &inbound.parts);
                Box::pin(respond::once_all_is_said(challenge, inbound)).await
            }
            // boxed: the counter is visited seldom, and its future would make every other one large
            (RequestStep::Portal, Ok(())) => Box::pin(self.at_the_counter(entry, seen, inbound)).await,
            (RequestStep::Forward(permit), Ok(())) => self.forward(entry, seen, &permit, inbound).await,
            (RequestStep::Upgrade(permit), Ok(())) => Box::pin(self.upgrade(entry, seen, &permit, inbound)).await,
        }
    }

    /// No record, no access: a publishing request waits until its opening line is on disk, any other until the book
    /// is known to be writable.
    async fn promise_record(&self, entry: &mut Entry, publishes: bool) -> Result<(), Fault> {
        self.house.book.healthy().map_err(|why| respond::unrecordable(&why))?;
        if publishes {
            let committed = entry.commit().await;
            committed.map_err(|unavailable| respond::unrecordable(&unavailable.to_string()))
        } else {
            Ok(())
        }
    }

    async fn forward(
        self: &Arc<Self>,
        mut entry: Entry,
        seen: Observation,
        permit: &Permit,
        inbound: Inbound,
    ) -> Response<Body> {
        let Inbound {
            hop,
            visitor,
            mut parts,
            body,
            peeked,
            secure,
            read: decrypted,
        } = inbound;
        let hops = headers::hops_left(&parts);
        headers::outward(&mut parts.headers, self.via(parts.version), false);
        parts.headers.extend(hops);
        let counters = entry.counters();
        let body = Outgoing::new(
            peeked.frames,
            body,
            peeked.complete,
            entry.counters(),
            hop.streams.open(),
        );
        let upload = body.upload();
        let sending = || Sent {
            bytes: counters.up.load(Ordering::Relaxed),
            awaits_client: upload.as_ref().is_some_and(|upload| upload.awaits_client()),
        };
        let reader = Reader::of(&self.house.portal, &parts);
        let lane = match hop.place.lane() {
            Ok(lane) => lane,
            Err(full) => return respond::fault(entry, &permit.authority().host, decrypted, reader, &full),
        };
        let request = Request::from_parts(parts, body.boxed());
        self.uses(permit);
        let mut may_not = self.watch(seen, visitor.sign_in, entry.counters());
        let sent = {
            let sending = pin!(self.house.upstream.send(permit, secure, request, &sending));
            unless_it_may_not(sending, &mut may_not, &mut entry).await
        };
        match sent {
            Err(why) => respond::cut(entry, permit.authority(), decrypted, reader, why),
            Ok(Ok(response)) => {
                let watch = Watch::new(may_not);
                let exchange = Passing {
                    entry,
                    watch,
                    lane,
                    upload,
                    decrypted,
                };
                self.pass_answer(exchange, response)
            }
            Ok(Err(fault)) => respond::fault(entry, &permit.authority().host, decrypted, reader, &fault),
        }
    }

    /// Passes an origin's answer on, for as long as it may.
    pub(super) fn pass_answer(&self, mut exchange: Passing, response: Response<ResponseBody>) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        let via = self.via(head.version);
        headers::inward(&mut head, via, false);
        if headers::is_event_stream(&head.headers) {
            exchange.entry.lasts(Lasting::Events);
        }
        let body = passing(exchange, head.status, body);
        Response::from_parts(head, body)
    }
}

/// Whether rules say that the flow is not to be read. Where they failed, or do not know the person, they say nothing
/// about it: that is a refusal like any other, and coming back would not help.
fn must_stay_unread(judgement: &Judgement) -> bool {
    let in_doubt = |refusal: Refusal| refusal.policy_error || refusal.unknown_person;
    !judgement.inspect() && !judgement.permit().err().is_some_and(in_doubt)
}

/// The account that opened the tunnel is gone: 421 makes a client connect anew (RFC 9110 §15.5.20), and then it is asked
/// who it is.
pub(super) fn signed_out() -> Fault {
    Fault::new(Blame::Client, Stage::Identify, FaultCode::Misdirected, SIGNED_OUT)
}

/// New rules keep the gateway from reading a flow that old rules let it open: 421 makes a client connect anew
/// (RFC 9110 §15.5.20), and then the flow passes unread.
fn reconnect() -> Fault {
    let why = "the rules changed: this flow may no longer be read, so connect again";
    Fault::new(Blame::House, Stage::Judge, FaultCode::Misdirected, why)
}
