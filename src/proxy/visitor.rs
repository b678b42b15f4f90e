//! Who sends this: what the hop to the proxy proves, and which of their grants they select.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use rustls::pki_types::CertificateDer;

use super::Proxy;
use super::budget::Unproven;
use super::fruitless::Statement;
use super::lanes::Taken;
use super::streams::Streams;
use crate::audit::{Counters, Entry};
use crate::clock::Timestamp;
use crate::facts::{
    Arrival, Ask, Authority, Channel, Grant, Host, Observation, Person, PlatformId, PurposeId, Scope, Standing,
    Subject, SubjectId, Token,
};
use crate::identity::selection;
use crate::identity::{Evidence, Identification, SignIn, WhyRejected};
use crate::ingress;
use crate::portal::Visit;
use crate::purpose::Declaration;
use crate::rulebook::{self, Fate, InForce};

/// One hop of a client: the connection to a door, or what runs inside an intercepted tunnel.
pub(super) struct Hop {
    /// How the connection arrived.
    pub(super) arrival: Arrival,
    /// The client's certificate, verified by the TLS door.
    pub(super) certificate: Option<CertificateDer<'static>>,
    /// Set inside a tunnel: who opened it, and for where.
    pub(super) inside: Option<Inside>,
    /// Its place among those that the door serves at a time.
    pub(super) place: Arc<Taken>,
    /// Its streams, where it speaks HTTP/2.
    pub(super) streams: Streams,
}

impl Hop {
    /// Whether this is the inside of a tunnel whose TLS ends here.
    pub(super) fn is_intercepted(&self) -> bool {
        self.inside.as_ref().is_some_and(|inside| inside.secure)
    }

    /// Which forms a request's target may have here.
    pub(super) fn form(&self) -> ingress::Hop {
        match &self.inside {
            Some(inside) => ingress::Hop::Inside { secure: inside.secure },
            None => ingress::Hop::Proxy(self.arrival.door),
        }
    }
}

/// The inside of a tunnel.
pub(super) struct Inside {
    /// Where CONNECT promised to go.
    pub(super) authority: Authority,
    /// Whether it runs over TLS.
    pub(super) secure: bool,
    /// Who opened it.
    pub(super) visitor: Visitor,
    /// Where it is noted that it is read: once a request is heard.
    pub(super) content: Arc<Counters>,
}

/// Who sends a request, and what they say about its purpose.
#[derive(Clone, Default)]
pub(super) struct Visitor {
    /// Whom a method proved it to be.
    pub(super) subject: Option<Subject>,
    /// What that rests on: a tunnel outlives it.
    pub(super) sign_in: SignIn,
    /// Why nobody is known, for the challenge, and for which account the proof was.
    pub(super) rejected: Option<(WhyRejected, Option<SubjectId>)>,
    /// The purpose that was selected, and how.
    pub(super) selects: Option<(PurposeId, Channel)>,
    /// The token for tools that was shown.
    pub(super) token: Option<Arc<Token>>,
}

impl Visitor {
    /// The same, of whom nothing is known where they show a token for what it is not good for: every token leads to the
    /// portal, which looks at each call, and some lead further.
    fn within_scope(self, to: &Host, portal: &Host) -> Self {
        match &self.token {
            Some(token) if to != portal && !token.scope.contains(&Scope::Proxy) => Self {
                rejected: Some((WhyRejected::OutOfScope, Some(token.subject.clone()))),
                ..Self::default()
            },
            Some(_) | None => self,
        }
    }
}

/// Whoever sends a request and is being looked at. Should they leave before that is done, they proved nothing, and what
/// they leave behind is recorded like everything that comes to nothing: only so often.
struct Newcomer<'a> {
    proxy: &'a Proxy,
    entry: &'a mut Entry,
    client: SocketAddr,
    met: bool,
}

impl Drop for Newcomer<'_> {
    fn drop(&mut self) {
        if !self.met && !self.proxy.records_unproven(self.client, Unproven::Stray) {
            self.entry.leave_out();
        }
    }
}

impl Proxy {
    /// Finds out who sends the request on `hop` to that host, whose record is `entry`.
    pub(super) async fn meet(&self, entry: &mut Entry, hop: &Hop, (parts, to): (&Parts, &Host)) -> Visitor {
        let mut newcomer = Newcomer {
            proxy: self,
            entry,
            client: hop.arrival.client,
            met: false,
        };
        let visitor = self.visitor(hop, parts).await;
        newcomer.met = true;
        visitor.within_scope(to, &self.house.portal_host)
    }

    /// Identifies the sender of a request on `hop`. Inside a tunnel it is whoever opened it: a page's own requests
    /// cannot speak for the hop to the proxy.
    async fn visitor(&self, hop: &Hop, parts: &Parts) -> Visitor {
        if let Some(inside) = &hop.inside {
            return inside.visitor.clone();
        }
        let evidence = Evidence::gather(&parts.headers, hop.certificate.as_ref(), &hop.arrival);
        match self.house.guard.identify(&evidence).await {
            Identification::Known {
                subject,
                selects,
                sign_in,
                token,
            } => {
                let by_name = selects.map(|purpose| (purpose, Channel::ProxyName));
                let selects = match selection::stated(&parts.headers) {
                    selection::Stated::Nothing => by_name,
                    selection::Stated::Purpose(purpose) => Some((purpose, Channel::Header)),
                    selection::Stated::Unclear => Some((PurposeId::new(PurposeId::NOT_ONE), Channel::Header)),
                };
                Visitor {
                    subject: Some(subject),
                    sign_in,
                    rejected: None,
                    selects,
                    token,
                }
            }
            Identification::Silent => Visitor::default(),
            Identification::Rejected(why, account) => Visitor {
                rejected: Some((why, account)),
                ..Visitor::default()
            },
        }
    }

    /// Everything a judgement depends on beside the rules.
    pub(super) async fn observe(&self, in_force: &InForce, hop: &Hop, visitor: &Visitor, ask: Ask) -> Observation {
        let at = self.house.clock.now();
        let person = visitor
            .subject
            .as_ref()
            .and_then(|subject| in_force.directory.person(&subject.id));
        let standing = match (&visitor.subject, &person) {
            (Some(subject), Some(person)) => {
                let given = Given {
                    in_force,
                    hop,
                    subject,
                    person,
                    at,
                };
                self.standing(&given, visitor, &ask).await
            }
            (Some(_) | None, _) => Standing::default(),
        };
        Observation {
            arrival: hop.arrival.clone(),
            subject: visitor.subject.clone(),
            person,
            ask,
            standing,
            selected: visitor.selects.as_ref().map(|(purpose, _)| purpose.clone()),
            at,
        }
    }

    /// The grants in force. A purpose selected on the hop to the proxy may also *create* one, for a platform where none
    /// of that purpose is held, if the rules let this person declare through that channel (the shipped rules: tools
    /// only).
    async fn standing(&self, given: &Given<'_>, visitor: &Visitor, ask: &Ask) -> Standing {
        let standing = self.house.ledger.standing(&given.subject.id, given.at);
        let Some((purpose, channel)) = &visitor.selects else {
            return standing;
        };
        let is_for_it = |token: &Arc<Token>| token.scope.contains(&Scope::Declare);
        if ask.host() == &self.house.portal_host || !visitor.token.as_ref().is_none_or(is_for_it) {
            return standing;
        }
        let Some(platform) = given.in_force.rulebook.catalog().place_of(ask).platform else {
            return standing;
        };
        if holds(&standing, purpose, &platform) {
            return standing;
        }
        let stated = Stated {
            purpose,
            channel: *channel,
            platform,
        };
        if !self.bears_fruit(given, &stated).await {
            return standing;
        }
        // boxed: few requests do this, and all would carry the room for it
        Box::pin(self.declare_on_the_way(given, stated)).await
    }

    /// Whether what is stated could be given, as far as that can be told before its turn comes: nobody waits for others, nor
    /// keeps them waiting, whose tool states with every call what opens nothing.
    async fn bears_fruit(&self, given: &Given<'_>, stated: &Stated<'_>) -> bool {
        let statement = Statement {
            who: given.subject.id.clone(),
            purpose: stated.purpose.clone(),
            platform: stated.platform.clone(),
            channel: stated.channel,
            rulebook: given.in_force.rulebook.id().clone(),
        };
        if self.fruitless.knows(&statement, given.person, given.at).await {
            return false;
        }
        let fate = given.fate(stated);
        match fate {
            // people select what they hold, and where they do not hold it, that is no declaration that was refused
            None => false,
            Some(Fate::Granted | Fate::Refused) => true,
            Some(Fate::Unfit | Fate::NeedsApproval) => {
                self.fruitless.learn(statement, given.person, given.at).await;
                false
            }
        }
    }

    async fn declare_on_the_way(&self, given: &Given<'_>, stated: Stated<'_>) -> Standing {
        // A tool opens several connections at once, and all of them need the same one grant.
        let _turn = self.declaring.lock().await;
        let standing = || self.house.ledger.standing(&given.subject.id, given.at);
        let held = standing();
        if holds(&held, stated.purpose, &stated.platform) {
            return held;
        }
        let declaration = stated.declaration(given.subject);
        let visit = Visit {
            in_force: given.in_force,
            subject: given.subject,
            person: Some(given.person),
            arrival: &given.hop.arrival,
            secure: true,
            at: given.at,
            once: None,
            token: None,
        };
        match self
            .house
            .portal
            .give(&visit, given.visitor(), &declaration, stated.channel)
            .await
        {
            Ok(_) => standing(),
            Err(why) => {
                tracing::debug!(?why, purpose = %stated.purpose, "nothing was declared on the way");
                held
            }
        }
    }
}

fn holds(standing: &Standing, purpose: &PurposeId, platform: &PlatformId) -> bool {
    let fits = |grant: &Grant| grant.purpose == *purpose && grant.platforms.contains(platform);
    standing.grants().iter().any(fits)
}

struct Given<'a> {
    in_force: &'a InForce,
    hop: &'a Hop,
    subject: &'a Subject,
    person: &'a Arc<Person>,
    at: Timestamp,
}

impl<'a> Given<'a> {
    fn visitor(&self) -> rulebook::Visitor<'a> {
        rulebook::Visitor {
            person: self.person,
            subject: self.subject,
            arrival: &self.hop.arrival,
        }
    }

    /// What would become of it; nothing where the rules do not let this person declare that through this channel at all.
    fn fate(&self, stated: &Stated<'_>) -> Option<Fate> {
        let (rules, who) = (&self.in_force.rulebook, self.visitor());
        let may = rules.may_declare(who, stated.purpose, stated.channel, self.at);
        may.then(|| rules.fate(who, &stated.declaration(self.subject), stated.channel, self.at))
    }
}

/// A purpose that is stated on the way, and for where.
struct Stated<'a> {
    purpose: &'a PurposeId,
    channel: Channel,
    platform: PlatformId,
}

impl Stated<'_> {
    fn declaration(&self, by: &Subject) -> Declaration {
        Declaration {
            purpose: self.purpose.clone(),
            platforms: BTreeSet::from([self.platform.clone()]),
            covers: None,
            statement: format!("stated by `{}` on the way, as {}", by.id, self.channel.as_str()),
            ticket: None,
            duration: None,
        }
    }
}
