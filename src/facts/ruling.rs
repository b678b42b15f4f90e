//! What was decided, in plain words: these types carry no power (a `Permit` does, and only `policy` makes one).

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::language::Wording;
use super::standing::{GrantId, PurposeId};

/// The `@id` of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(Arc<str>);

impl PolicyId {
    /// The policy called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the rule spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether a policy permits or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// `permit (…)`
    Permit,
    /// `forbid (…)`
    Forbid,
}

/// How far what a rule says counts, or what all of them say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It is evaluated and recorded, without effect.
    Observe,
    /// It counts until whoever it refuses was told why, and continues.
    Coach,
    /// It counts.
    #[default]
    Enforce,
}

impl Mode {
    /// All of them, as a rule is rolled out.
    pub const ALL: [Self; 3] = [Self::Observe, Self::Coach, Self::Enforce];

    /// The name used in rules, settings, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Coach => "coach",
            Self::Enforce => "enforce",
        }
    }

    /// Whether it is the usual one.
    pub fn is_enforce(&self) -> bool {
        *self == Self::Enforce
    }
}

/// What coaching makes of a refusal that does not insist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coach {
    /// Its sender is told why not, and may continue.
    Offered,
    /// Its sender continued: what the ledger calls that.
    Continued(GrantId),
}

/// What would have become of a flow if the rules in mode `observe` had been in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Would {
    /// Whether it would have passed.
    pub be: WouldBe,
    /// Whether it would have been read.
    pub inspect: bool,
    /// The policies that would have determined it.
    pub policies: BTreeSet<PolicyId>,
    /// Rules in mode `observe` that failed to evaluate. In force they would deny; without effect they do not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub errors: BTreeSet<PolicyId>,
}

/// Whether a flow would have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WouldBe {
    /// It would.
    Allowed,
    /// It would not.
    Denied,
}

impl WouldBe {
    /// The name used in records and cases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }
}

/// The four outcomes; see the product's reference. Computed from the rules, never written by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Permitted with the grants held now.
    Allow,
    /// Denied now, permitted once some purpose that needs no approval is declared.
    Declare,
    /// Denied now, permitted once some purpose is approved.
    Request,
    /// Denied for every purpose of the catalogue.
    Deny,
}

impl Outcome {
    /// The name used in records, metrics and problem documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Declare => "declare",
            Self::Request => "request",
            Self::Deny => "deny",
        }
    }

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Allow, Self::Declare, Self::Request, Self::Deny];
        all.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// One determining policy. What it says is shared: a decision that rests on it takes no copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(Arc<ReasonWords>);

/// A policy in its own words.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonWords {
    /// `@id`
    pub policy: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@reason`: a sentence for the employee.
    pub text: Wording,
    /// `@fix`: what would help beside a purpose, e.g. `training:social-media`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Wording>,
}

impl From<ReasonWords> for Reason {
    fn from(words: ReasonWords) -> Self {
        Self(Arc::new(words))
    }
}

impl Deref for Reason {
    type Target = ReasonWords;

    fn deref(&self) -> &ReasonWords {
        &self.0
    }
}

/// A purpose that would have made the refused request pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The purpose.
    pub purpose: PurposeId,
    /// Its title.
    pub title: Wording,
    /// Whether somebody must approve it first.
    pub needs_approval: bool,
    /// Who could approve it: user names, and `group:legal`; empty where nobody needs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// Who could as well once it has waited for some time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
    /// How many of them must approve; one, unless more must.
    #[serde(default, skip_serializing_if = "is_one_at_most")]
    pub needed: usize,
    /// Within which time requests for it are usually answered, where enough of them were for that to be told.
    #[serde(
        rename = "usually_answered_within_s",
        default,
        with = "super::standing::seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub answered_within: Option<Duration>,
    /// What the grant would cover.
    pub covers: BTreeSet<String>,
    /// How long it would last unless the declaration says otherwise.
    pub default_for: Duration,
    /// How long it may last.
    pub longest_for: Duration,
    /// How long it may go unused before it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Duration>,
    /// Pattern that a ticket must match, where one is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_pattern: Option<String>,
}

/// Who could approve a purpose as well once that has waited for so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// For how long.
    pub after: Duration,
    /// User names, and `group:legal`.
    pub approvers: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_one_at_most(count: &usize) -> bool {
    *count <= 1
}

impl Offer {
    /// Whether nobody must approve it, or somebody is named who could, at once or later.
    pub fn can_be_had(&self) -> bool {
        !self.needs_approval || !self.approvers.is_empty() || self.later.is_some()
    }
}

/// What would help after a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// Purposes that would make it work, those without approval first.
    pub offers: Vec<Offer>,
    /// Fixes named by the refusing policies (`@fix`), e.g. `training:social-media`; and `selection:PURPOSE` where the
    /// purpose that was selected keeps others from helping.
    pub fixes: Vec<String>,
    /// What the rules for purposes that are held say of when they open this, which is not now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_now: Vec<Wording>,
    /// Where the organisation would rather have this done, e.g. "use Viva Engage instead".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternative: Option<Wording>,
}

impl Remedy {
    /// What begins a fix that a selection of purposes stands in the way of.
    const SELECTION: &str = "selection:";

    /// The fix that is another selection than this one.
    pub fn another_selection_than(selected: &PurposeId) -> String {
        format!("{}{selected}", Self::SELECTION)
    }

    /// The purpose in a fix, where its being selected is what keeps others from helping.
    pub fn selected_in(fix: &str) -> Option<&str> {
        fix.strip_prefix(Self::SELECTION)
    }

    /// The outcome that a refusal with this remedy amounts to.
    pub fn outcome(&self) -> Outcome {
        match self.offers.iter().map(|offer| offer.needs_approval).min() {
            Some(false) => Outcome::Declare,
            Some(true) => Outcome::Request,
            None => Outcome::Deny,
        }
    }

    /// Whether it is to the point what a grant that is held lacks: something could be mended about it. Where nothing
    /// helps at all, or a purpose that is held opens this at another time, that would be advice that leads nowhere.
    pub fn makes_grants_matter(&self) -> bool {
        self.not_now.is_empty() && !(self.offers.is_empty() && self.fixes.is_empty())
    }
}
