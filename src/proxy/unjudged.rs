//! Requests that are answered before anybody could judge them: not in order, or not for where they were sent.

use http::header::{CONNECTION, HOST, HeaderValue};
use http::{Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;

use super::Proxy;
use super::body::whole;
use super::observe::head_of;
use super::pac::pac_answer;
use super::respond::{self, Reader};
use super::visitor::{Hop, Inside};
use crate::facts::{Ask, Authority, Blame, End, Fault, FaultCode, Host, Observation, Stage, Standing};
use crate::ingress::Malformed;
use crate::upstream::Body;

impl Proxy {
    /// A request in origin-form to the door itself: the PAC file, and nothing else.
    pub(super) async fn at_the_door(
        &self,
        hop: &Hop,
        known_as: Authority,
        request: Request<Incoming>,
    ) -> Response<Body> {
        if request.uri().path() == "/proxy.pac" && matches!(*request.method(), Method::GET | Method::HEAD) {
            let script = (self.house.pac)(Some(known_as.host));
            return pac_answer(request.method(), request.headers(), script).map(whole);
        }
        let why = "this is a proxy: send absolute-form requests or CONNECT, or fetch `/proxy.pac`".to_owned();
        self.malformed(hop, request, why).await
    }

    pub(super) async fn malformed(&self, hop: &Hop, request: Request<Incoming>, why: String) -> Response<Body> {
        let fault = Fault::new(Blame::Client, Stage::Arrive, FaultCode::BadRequest, why);
        self.unjudged(hop, request, &fault).await
    }

    pub(super) async fn refused_form(
        &self,
        hop: &Hop,
        request: Request<Incoming>,
        malformed: Malformed,
    ) -> Response<Body> {
        let code = if malformed.is_about_the_method() {
            FaultCode::MethodNotAllowed
        } else {
            FaultCode::BadRequest
        };
        let fault = Fault::new(Blame::Client, Stage::Arrive, code, malformed.to_string());
        self.unjudged(hop, request, &fault).await
    }

    /// Inside of a tunnel, what names another origin. Its record tells the one that it named, since the tunnel's own
    /// tells the other.
    pub(super) async fn misdirected(
        &self,
        (hop, inside): (&Hop, &Inside),
        named: Authority,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let why = format!("this connection is for `{}`", inside.authority);
        let fault = Fault::new(Blame::Client, Stage::Arrive, FaultCode::Misdirected, why);
        self.theirs((hop, inside), Some(named), request, &fault).await
    }

    /// Its record says how it ended. Whoever opened a tunnel has proven who they are, and what they send there is theirs;
    /// at a door nobody has proven anything yet.
    pub(super) async fn unjudged(&self, hop: &Hop, request: Request<Incoming>, fault: &Fault) -> Response<Body> {
        if let Some(inside) = &hop.inside {
            let named = named(&request, inside);
            return self.theirs((hop, inside), named, request, fault).await;
        }
        tracing::debug!(client = %hop.arrival.client, %fault, end = ?End::from(fault), "refused before judging");
        let answer = respond::fault_without_entry(&self.house.portal, &request, fault, None);
        self.stray(hop.arrival.client, fault, Some(answer.status())).await;
        answer
    }

    /// The same of a request inside of a tunnel: a flow of whoever opened it, to the origin that it named, of which as much
    /// is kept as of one that is judged. Where it named none, or not one alone, its path may be any site's, and is not kept.
    async fn theirs(
        &self,
        (hop, inside): (&Hop, &Inside),
        named: Option<Authority>,
        request: Request<Incoming>,
        fault: &Fault,
    ) -> Response<Body> {
        let mut entry = match self.enter(hop).await {
            Ok(entry) => entry,
            Err(why) => return respond::no_entry(&self.house.portal, &request, &why),
        };
        let (parts, body) = request.into_parts();
        let in_force = self.house.live.load();
        let rules = &in_force.rulebook;
        let subject = inside.visitor.subject.clone();
        let head = head_of(&parts, rules.catalog().label_headers(), !body.is_end_stream());
        // nobody reads through what is too large to be judged
        let is_kept = named.is_some() && fault.code != FaultCode::HeadTooLarge;
        let to = named.unwrap_or_else(|| inside.authority.clone());
        let at = self.house.clock.now();
        let seen = Observation {
            arrival: hop.arrival.clone(),
            person: subject
                .as_ref()
                .and_then(|subject| in_force.directory.person(&subject.id)),
            // whether a site is read, and so its path kept, may depend on what they hold
            standing: subject
                .as_ref()
                .map_or_else(Standing::default, |subject| self.house.ledger.standing(&subject.id, at)),
            subject,
            ask: Ask::Request(to, Box::new(head)),
            selected: inside.visitor.selects.as_ref().map(|(purpose, _)| purpose.clone()),
            at,
        };
        entry.saw(if is_kept {
            rules.redact(&seen)
        } else {
            rules.redact_unread(&seen)
        });
        let reader = Reader::of(&self.house.portal, &parts);
        let mut answer = respond::fault(entry, seen.ask.host(), hop.is_intercepted(), reader, fault);
        // its body is not read, and what follows on the connection is no request
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }
}

/// The origin that a request names which is not in order: by its target, else by its `Host`. None where it names two, or
/// what is no host.
fn named<B>(request: &Request<B>, inside: &Inside) -> Option<Authority> {
    let default_port = match request.uri().scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        Some(_) | None => inside.authority.port,
    };
    if let Some(target) = request.uri().authority() {
        let host = Host::parse(target.host()).ok()?;
        let port = target.port_u16().unwrap_or(default_port);
        return Some(Authority { host, port });
    }
    let hosts = request.headers().get_all(HOST).iter();
    let mut hosts = hosts.map(|host| Authority::parse(host.to_str().ok()?, Some(default_port)).ok());
    let Some(first) = hosts.next() else {
        return Some(inside.authority.clone());
    };
    first.filter(|first| hosts.all(|other| other.as_ref() == Some(first)))
}
