//! Which records somebody wants to see. Pure.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::topic::Topic;
use crate::clock::Timestamp;
use crate::facts::{
    Act, Coach, DecisionNote, Grant, GrantId, Host, Mode, Outcome, PlatformId, PolicyId, Record, SubjectId,
};

/// Any platform that the catalogue knows.
pub const ANY: &str = "any";

/// Which records somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what is about this.
    pub topic: Topic,
    /// Only of this user.
    pub user: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only what was decided otherwise than that it is allowed.
    pub not_allowed: bool,
    /// Only of this platform, or of any ([`ANY`]).
    pub platform: Option<String>,
    /// Only what began at this moment or later.
    pub since: Option<Timestamp>,
    /// Only what began before this moment.
    pub until: Option<Timestamp>,
    /// Only what does this, among other things.
    pub activity: Option<String>,
    /// Only what passed under this purpose, and its grants.
    pub purpose: Option<String>,
    /// Only what went to this host, or to one below it.
    pub host: Option<Host>,
    /// Only what came from this address, or network.
    pub client: Option<ClientNet>,
    /// Only what this rule decided; or would have, where it is in mode `observe`.
    pub policy: Option<PolicyId>,
    /// Only what passed under this grant, and what became of it.
    pub grant: Option<GrantId>,
    /// Only what passed although it would have been denied.
    pub let_pass: Option<LetPass>,
}

/// An address, or a network, from which clients come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientNet(IpNet);

/// A text that is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an address (192.0.2.7, 2001:db8::7) or a network (192.0.2.0/24)")]
pub struct BadClientNet;

impl FromStr for ClientNet {
    type Err = BadClientNet;

    fn from_str(text: &str) -> Result<Self, BadClientNet> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let net = text.parse().map_err(|_| BadClientNet)?;
        Ok(Self(canonical(net)))
    }
}

/// IPv4 addresses are known as such, also where they are written as mapped ones.
fn canonical(net: IpNet) -> IpNet {
    let mapped = match net {
        IpNet::V6(net) => net.network().to_ipv4_mapped().zip(net.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let mapped = mapped.and_then(|(network, length)| Ipv4Net::new(network, length).ok());
    mapped.map_or(net, IpNet::V4)
}

impl ClientNet {
    /// Whether this address is the one, or one of them.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// In which way something passed although it would have been denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetPass {
    /// In either.
    Any,
    /// The gateway, or the rules against it, only observe.
    Observe,
    /// The gateway, or the rules against it, only coach, and its sender continued.
    Coach,
}

impl LetPass {
    /// What there is.
    pub const NAMES: [&'static str; 3] = ["any", "observe", "coach"];

    /// The way called `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "any" => Some(Self::Any),
            "observe" => Some(Self::Observe),
            "coach" => Some(Self::Coach),
            _ => None,
        }
    }

    fn admits(self, note: &DecisionNote) -> bool {
        note.would_be_denied().is_some_and(|(mode, _)| match self {
            Self::Any => true,
            Self::Observe => mode == Mode::Observe,
            Self::Coach => mode == Mode::Coach,
        })
    }
}

impl Filter {
    /// Whether `record` is wanted.
    pub fn admits(&self, record: &Record) -> bool {
        let decided = decided(record);
        self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
            && self
                .outcome
                .is_none_or(|outcome| decided.is_some_and(|note| note.outcome == outcome))
            && self.topic.holds(record)
            && (!self.not_allowed || decided.is_some_and(|note| note.outcome != Outcome::Allow))
            && self.user.as_deref().is_none_or(|user| is_by(record, user))
            && self.activity.as_deref().is_none_or(|activity| {
                decided.is_some_and(|note| {
                    let more = note.activities.iter().any(|one| one.as_str() == activity);
                    note.activity.as_str() == activity || more
                })
            })
            && self.purpose.as_deref().is_none_or(|purpose| {
                let of_flow = decided.and_then(|note| note.purpose.as_ref());
                of_flow.is_some_and(|id| id.as_str() == purpose)
                    || grant_of(record).is_some_and(|grant| is_for(grant, purpose))
                    || was_looked_for(record, "purpose", purpose)
            })
            && self.platform.as_deref().is_none_or(|platform| {
                let of_flow = decided.and_then(|note| note.platform.as_ref());
                let of_grant =
                    || grant_of(record).is_some_and(|grant| grant.platforms.iter().any(|id| is_of(id, platform)));
                of_flow.is_some_and(|id| is_of(id, platform))
                    || of_grant()
                    || was_looked_for(record, "platform", platform)
            })
            && self.admits_where_and_why(record, decided)
    }

    fn admits_where_and_why(&self, record: &Record, decided: Option<&DecisionNote>) -> bool {
        self.host
            .as_ref()
            .is_none_or(|host| decided.is_some_and(|note| is_at_or_below(&note.host, host)))
            && self
                .client
                .is_none_or(|client| client_of(record).is_some_and(|address| client.holds(address)))
            && self
                .policy
                .as_ref()
                .is_none_or(|policy| decided.is_some_and(|note| is_decided_by(note, policy)))
            && self.grant.as_ref().is_none_or(|grant| {
                decided.is_some_and(|note| is_under(note, grant))
                    || grant_of(record).is_some_and(|held| held.id == *grant)
                    || was_looked_for(record, "grant", grant.as_str())
            })
            && self
                .let_pass
                .is_none_or(|let_pass| decided.is_some_and(|note| let_pass.admits(note)))
    }
}

/// Whether a host is this one, or below it.
pub fn is_at_or_below(host: &Host, above: &Host) -> bool {
    let rest = host.as_str().strip_suffix(above.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a platform is the one that is meant, or any is.
pub fn is_of(platform: &PlatformId, meant: &str) -> bool {
    meant == ANY || platform.as_str() == meant
}

/// Rules that failed to evaluate decided as well, since any error denies; and those on probation would have.
fn is_decided_by(note: &DecisionNote, policy: &PolicyId) -> bool {
    let would = note.would.as_ref();
    let would = would.is_some_and(|would| would.policies.contains(policy) || would.errors.contains(policy));
    note.policies.contains(policy) || note.errors.contains(policy) || would
}

pub(super) fn is_under(note: &DecisionNote, grant: &GrantId) -> bool {
    let continued = match &note.coach {
        Some(Coach::Continued(id)) => id == grant,
        Some(Coach::Offered) | None => false,
    };
    note.grant.as_ref() == Some(grant) || continued
}

fn decided(record: &Record) -> Option<&DecisionNote> {
    match &record.act {
        Act::Opening { decided, .. } => Some(decided),
        Act::Closing { decided, .. } => decided.as_deref(),
        Act::Stray { .. } | Act::Grant { .. } | Act::Token { .. } | Act::Access { .. } | Act::Gateway { .. } => None,
    }
}

fn client_of(record: &Record) -> Option<IpAddr> {
    match &record.act {
        Act::Opening { seen, .. } | Act::Closing { seen, .. } => Some(seen.arrival.client.ip()),
        Act::Stray { client, .. } => Some(client.ip()),
        Act::Grant { .. } | Act::Token { .. } | Act::Access { .. } | Act::Gateway { .. } => None,
    }
}

fn is_by(record: &Record, user: &str) -> bool {
    let is = |id: &SubjectId| id.as_str() == user;
    match &record.act {
        Act::Opening { seen, .. } | Act::Closing { seen, .. } => {
            seen.subject.as_ref().is_some_and(|subject| is(&subject.id))
        }
        Act::Grant { grant, by, .. } => {
            is(&grant.subject) || is(by) || grant.delegated.as_ref().is_some_and(|delegated| is(&delegated.to))
        }
        Act::Token { token, by, .. } => is(&token.subject) || is(by),
        Act::Access { access, by, .. } => is(by) || access.about().any(is) || was_looked_for(record, "user", user),
        Act::Stray { .. } | Act::Gateway { .. } => false,
    }
}

/// Whether somebody looked for what is so.
fn was_looked_for(record: &Record, filter: &str, said: &str) -> bool {
    match &record.act {
        Act::Access { access, .. } => access.wanted.get(filter).is_some_and(|wanted| wanted == said),
        Act::Opening { .. }
        | Act::Closing { .. }
        | Act::Stray { .. }
        | Act::Grant { .. }
        | Act::Token { .. }
        | Act::Gateway { .. } => false,
    }
}

/// Whether a grant is for a purpose, or lets somebody answer what is asked for it.
fn is_for(grant: &Grant, purpose: &str) -> bool {
    match &grant.delegated {
        Some(delegated) => {
            delegated.purposes.is_empty() || delegated.purposes.iter().any(|one| one.as_str() == purpose)
        }
        None => grant.purpose.as_str() == purpose,
    }
}

fn grant_of(record: &Record) -> Option<&Grant> {
    match &record.act {
        Act::Grant { grant, .. } => Some(grant),
        Act::Opening { .. }
        | Act::Closing { .. }
        | Act::Stray { .. }
        | Act::Token { .. }
        | Act::Access { .. }
        | Act::Gateway { .. } => None,
    }
}
