//! What happened: the lines of the book.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::access::{Access, AccessAct};
use super::destination::{Host, PlatformId};
use super::ending::Ending;
use super::observation::Observation;
use super::principal::{Person, SubjectId};
use super::request::{Activity, SignatureId};
use super::ruling::{Coach, Mode, Outcome, PolicyId, Would, WouldBe};
use super::standing::{Grant, GrantId, PurposeId};
use super::token::Token;
use crate::clock::Timestamp;

/// The name of a flow in the book; sorts by time (UUID version 7, RFC 9562).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// The record called `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When what it names began, as the name itself says; none of one that the gateway did not make.
    pub fn began(&self) -> Option<Timestamp> {
        Timestamp::named(&self.0)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A digest of the exact texts of a rulebook: `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulebookId(Arc<str>);

impl RulebookId {
    /// The rulebook called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As much of it as people can compare: `sha256:` and the first twelve digits.
    pub fn short(&self) -> String {
        self.0.chars().take("sha256:".len() + 12).collect()
    }
}

impl fmt::Display for RulebookId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether somebody waited to hear what would help with a refusal: only then it is looked for, and only then the outcome
/// of one that a purpose would open is `declare` or `request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Help {
    /// It was looked for; what was found is offered.
    Sought,
    /// Nobody waited for it, as where a tunnel is read and its requests are answered one by one.
    NotSought,
}

/// What was decided about a flow, and by what. It can be read back from a file, so it has no power.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionNote {
    /// Which of the four outcomes, by the rules.
    pub outcome: Outcome,
    /// The mode of the gateway.
    #[serde(default, skip_serializing_if = "Mode::is_enforce")]
    pub mode: Mode,
    /// Whether it was let pass although the rules refuse it: the gateway only observes, or its sender continued.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub let_pass: bool,
    /// Where the gateway, or the rules that refuse it, only coach: whether its sender continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coach: Option<Coach>,
    /// The host in normal form.
    pub host: Host,
    /// The platform it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformId>,
    /// What the flow does: `connect` for a tunnel or a flow that is not read, else the strictest activity.
    pub activity: Activity,
    /// All activities that were judged, where there is more than one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub activities: BTreeSet<Activity>,
    /// The signatures that recognised it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub signatures: BTreeSet<SignatureId>,
    /// Whether rules permit reading the flow.
    pub inspect: bool,
    /// Whether the activity publishes: its opening line is durable before the request leaves.
    #[serde(default)]
    pub publishes: bool,
    /// The grant it passed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The purpose of that grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<PurposeId>,
    /// The determining policies.
    pub policies: BTreeSet<PolicyId>,
    /// Policies that failed to evaluate: any of them denies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub errors: BTreeSet<PolicyId>,
    /// Purposes that would have helped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<PurposeId>,
    /// Whether what would help was looked for, where something was refused; older records do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
    /// What rules in mode `observe` would have changed, where they would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Would>,
    /// The rules that decided.
    pub rulebook: RulebookId,
}

impl DecisionNote {
    /// What alone kept the flow from being denied, where that is so: the mode, and whether it is that of the `gateway` or of a
    /// `rule`.
    pub fn would_be_denied(&self) -> Option<(Mode, &'static str)> {
        if self.let_pass {
            let by_gateway = (self.mode, "gateway");
            return Some(if self.mode.is_enforce() {
                (Mode::Coach, "rule")
            } else {
                by_gateway
            });
        }
        let by_rule = self.would.as_ref().is_some_and(|would| would.be == WouldBe::Denied);
        (self.outcome == Outcome::Allow && by_rule).then_some((Mode::Observe, "rule"))
    }
}

/// What happened to a token for tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenAct {
    /// It was made.
    Made,
    /// It was revoked.
    Revoked,
    /// What a record says became of it did not: it could not be kept.
    Void,
}

impl TokenAct {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Revoked => "revoked",
            Self::Void => "void",
        }
    }
}

/// What happened to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantAct {
    /// It was given.
    Granted,
    /// Its holder was told why something is refused, and continued.
    Continued,
    /// Its holder lets somebody answer for them.
    Delegated,
    /// It was asked for.
    Requested,
    /// Somebody approved it, and others still have to; the answer says how many.
    PartlyApproved,
    /// Somebody approved it, which gives it.
    Approved,
    /// Somebody who could have approved it declined.
    Declined,
    /// Nobody answered in time.
    Lapsed,
    /// It was taken in an emergency, without the approval that it needs.
    BrokeGlass,
    /// Somebody who could have approved it reviewed that.
    Reviewed,
    /// Its holder said what came of it, or corrected that.
    Reported,
    /// Its holder ended it, or took it back before it was answered.
    Withdrawn,
    /// Somebody else ended it.
    Revoked,
    /// It went unused for too long, and is over.
    Idle,
    /// The rules refused to give it.
    Refused,
    /// It was recorded as given, asked for or answered, but the ledger did not keep that, so it never counted.
    Void,
}

impl GrantAct {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Continued => "continued",
            Self::Delegated => "delegated",
            Self::Requested => "requested",
            Self::PartlyApproved => "partly-approved",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::BrokeGlass => "broke-glass",
            Self::Reviewed => "reviewed",
            Self::Reported => "reported",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
            Self::Idle => "idle",
            Self::Refused => "refused",
            Self::Void => "void",
        }
    }
}

/// What the gateway did by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayAct {
    /// It began to serve.
    Started {
        /// The version of the program.
        version: String,
    },
    /// It stopped in order.
    Stopped,
    /// New rules took effect, or a mistake that had been refused was taken back.
    RulebookChanged {
        /// The rules before; the same as after where a mistake was taken back.
        from: RulebookId,
    },
    /// New rules were refused; the old ones stay.
    RulebookRefused {
        /// Why, with file, line and column.
        problems: Vec<String>,
    },
    /// A torn last line was cut off at start-up.
    Repaired {
        /// How many bytes.
        bytes: u64,
        /// Which file.
        file: String,
    },
    /// More came to nothing from one client within a minute than is recorded one by one: this many more.
    UnprovenSummed {
        /// The client's address; of IPv6 its network of 64 bits.
        client: std::net::IpAddr,
        /// Connections that ended before they asked for anything, and requests that nobody could judge.
        strays: u64,
        /// Requests that were asked who sends them.
        challenges: u64,
    },
    /// Records could not be written for a while and can again; flows that came in between were refused unrecorded.
    RecordsInterrupted {
        /// Why.
        why: String,
        /// Since when.
        since: Timestamp,
        /// How many flows were refused.
        refused: u64,
    },
}

/// One line of the book, before it is sealed into the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Act {
    /// A publishing flow is about to leave. The line is durable before its first byte.
    Opening {
        /// What was seen, redacted.
        seen: Box<Observation>,
        /// What was decided.
        decided: Box<DecisionNote>,
    },
    /// A flow is over. Each flow has exactly one such line.
    Closing {
        /// What was seen, redacted.
        seen: Box<Observation>,
        /// What was decided; none where the flow ended before a judgement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decided: Option<Box<DecisionNote>>,
        /// How it ended.
        ended: Ending,
    },
    /// A connection ended before it asked for anything: malformed bytes, a failed handshake.
    Stray {
        /// The peer.
        client: std::net::SocketAddr,
        /// How it ended.
        ended: Ending,
    },
    /// Something happened to a grant.
    Grant {
        /// What.
        act: GrantAct,
        /// The grant after it.
        grant: Box<Grant>,
        /// Who did it; of what lapsed or went unused, since nobody did anything, whose it was.
        by: SubjectId,
        /// The rules that decided.
        rulebook: RulebookId,
        /// The determining policies.
        #[serde(default)]
        policies: BTreeSet<PolicyId>,
    },
    /// Something happened to a token for tools.
    Token {
        /// What.
        act: TokenAct,
        /// The token after it, without what would let anybody use it.
        token: Box<Token>,
        /// Who did it.
        by: SubjectId,
        /// The rules that decided.
        rulebook: RulebookId,
        /// The determining policies.
        #[serde(default)]
        policies: BTreeSet<PolicyId>,
    },
    /// Somebody looked at what was decided about others.
    Access {
        /// In which way.
        act: AccessAct,
        /// What they looked at.
        access: Box<Access>,
        /// Who did.
        by: SubjectId,
        /// The rules that let them.
        rulebook: RulebookId,
        /// The determining policies.
        #[serde(default)]
        policies: BTreeSet<PolicyId>,
    },
    /// The gateway did something by itself.
    Gateway {
        /// What.
        act: GatewayAct,
        /// The rules in force after it.
        rulebook: RulebookId,
    },
}

/// One entry of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The flow's or event's name; an opening and its closing share it.
    pub id: RecordId,
    /// When it began.
    pub at: Timestamp,
    /// Whom a line about no flow names, as the directory knew them when it was written: what the rules keep apart stays apart
    /// when somebody moves or leaves. Lines of before know nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Arc<Person>>,
    /// What happened.
    #[serde(flatten)]
    pub act: Act,
}
