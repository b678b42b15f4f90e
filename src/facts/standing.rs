//! What for: purposes and the grants that somebody holds.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::destination::PlatformId;
use super::principal::SubjectId;
use super::report::Report;
use super::said::{Answer, Came, Continued, Delegated, Emergency, Ended, Review, Verdict};
use crate::clock::Timestamp;

/// An entry of the purpose catalogue: `recruiting`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurposeId(Arc<str>);

impl PurposeId {
    /// Stands for a selection that does not name exactly one purpose: no purpose is called so, and nobody holds a grant
    /// for it.
    pub const NOT_ONE: &str = "(not one)";

    /// Stands in the place of a purpose where somebody continued: no purpose is called so, and no rule opens it.
    pub const CONTINUED: &str = "(continued)";

    /// Stands in the place of a purpose where somebody lets somebody else answer for them.
    pub const DELEGATED: &str = "(delegated)";

    /// The purpose called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the catalogue spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PurposeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The ledger's name for a grant; sorts by time of declaration (UUID version 7, RFC 9562).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantId(Arc<str>);

impl GrantId {
    const SUPPOSED: &str = "supposed";

    /// The name of a grant that nobody holds: for trying out what would be.
    pub fn supposed() -> Self {
        Self::new(Self::SUPPOSED)
    }

    /// Whether nobody holds it.
    pub fn is_supposed(&self) -> bool {
        *self.0 == *Self::SUPPOSED
    }

    /// The grant called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// How a purpose was stated; the schema's `context.channel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The portal's form.
    Portal,
    /// `wayleave declare`.
    Cli,
    /// `POST /v1/grants`.
    Api,
    /// The suffix of the proxy user name.
    ProxyName,
    /// The `Wayleave-Purpose` header on the hop to the proxy.
    Header,
}

impl Channel {
    /// The name as rules spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Cli => "cli",
            Self::Api => "api",
            Self::ProxyName => "proxy-name",
            Self::Header => "header",
        }
    }
}

/// Where a grant is in its life, as far as somebody had to do something for it. A grant that was asked for, and not given
/// yet, is a grant, too: one that opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    /// Asked for; it waits for an answer.
    Requested,
    /// In force between `not_before` and `expires`.
    Active,
    /// Ended by its holder before it expired, or taken back before it was answered.
    Withdrawn,
    /// Ended by somebody with the power to do so.
    Revoked,
    /// Somebody who could have approved it did not.
    Declined,
    /// Nobody answered in time.
    Lapsed,
}

/// What somebody holds: a purpose, for these platforms and groups of activities, for this long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The ledger's name for it.
    pub id: GrantId,
    /// Who holds it.
    pub subject: SubjectId,
    /// What for.
    pub purpose: PurposeId,
    /// Where it applies; empty only where somebody continued to a host that is on no platform, or lets somebody answer for them.
    pub platforms: Arc<BTreeSet<PlatformId>>,
    /// The groups of activities it covers: `read`, `engage`, `publish`, `administer`; single ones where somebody continued.
    pub covers: Arc<BTreeSet<String>>,
    /// What the holder wrote. Not judged, so records of requests leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub statement: String,
    /// The ticket it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// How it was stated.
    pub channel: Channel,
    /// When it was stated.
    pub declared_at: Timestamp,
    /// Counts from this moment on. While it waits for an answer: from when it was asked for.
    pub not_before: Timestamp,
    /// Counts until this moment, which is no longer part of it. While it waits: for how long it was asked for.
    pub expires: Timestamp,
    /// For how long it may go unused: then it is over, whenever it expires.
    #[serde(
        rename = "idle_s",
        default,
        with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub idle: Option<Duration>,
    /// When it was used last, or began, where it may not go unused. What is in force ([`Standing`]) does not say: whatever
    /// has gone unused for too long is not part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// Where somebody must approve it: until when it can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// What was answered, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// The grant that it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<GrantId>,
    /// That it was taken in an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// What its holder was told, and continued past. Such a grant states no purpose, and no rule looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continued: Option<Continued>,
    /// Whom its holder lets answer for them. Such a grant states no purpose and opens nothing: it is none of what somebody
    /// holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegated: Option<Delegated>,
    /// Where it is in its life.
    pub state: GrantState,
    /// When that came before its time was over: it was withdrawn, revoked, declined, silence declined it, or it went unused
    /// for too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who did that, where they said why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// What came of it, as its holder says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// While it waits for an answer: how whoever asked came. Neither records nor answers tell it: the record of the request
    /// itself does.
    #[serde(skip)]
    pub came: Option<Box<Came>>,
}

impl Grant {
    /// Whether the grant is in force at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == GrantState::Active && self.not_before <= now && now < self.until()
    }

    /// Whether somebody can answer it at `now`.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.state == GrantState::Requested && self.answer_by.is_some_and(|until| now < until)
    }

    /// Whether it ever counted: what was asked for did once it was approved.
    pub fn was_given(&self) -> bool {
        self.answer_by.is_none() || self.approved_by().is_some()
    }

    /// Until when it counts or counted, unless it is used again; of one that never did, when that was clear. Of what waits
    /// it says nothing.
    pub fn until(&self) -> Timestamp {
        let over = self.idle_until().map_or(self.expires, |idle| idle.min(self.expires));
        self.ended_at.unwrap_or(over)
    }

    /// Until when it may go unused, where that is known.
    pub fn idle_until(&self) -> Option<Timestamp> {
        Some(self.used_at?.plus(self.idle?))
    }

    /// Whether it was in force, and is over at `now` because nobody used it, and not because its time came.
    pub fn fell_idle(&self, now: Timestamp) -> bool {
        self.state == GrantState::Active && self.until() <= now && self.until() < self.expires
    }

    /// Whether it was taken in an emergency, and nobody has looked at that yet.
    pub fn awaits_review(&self) -> bool {
        self.emergency
            .as_ref()
            .is_some_and(|emergency| emergency.review.is_none())
    }

    /// The same once somebody has; none where nobody must, or did.
    #[must_use]
    pub fn reviewed(&self, review: Review) -> Option<Self> {
        let emergency = self.emergency.as_ref().filter(|_| self.awaits_review())?;
        Some(Self {
            emergency: Some(Emergency {
                review: Some(review),
                ..emergency.clone()
            }),
            ..self.clone()
        })
    }

    /// Who approved it, if anybody had to: where several had to, whoever did so last, and nobody before that.
    pub fn approved_by(&self) -> Option<&SubjectId> {
        let mut latest = self.answers.iter().rev();
        let approval = latest.find(|answer| answer.verdict == Verdict::Approved && answer.missing == 0)?;
        Some(&approval.by)
    }
}

/// A span in whole seconds, as records spell it.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde asks for")]
    pub(in crate::facts) fn serialize<S: Serializer>(span: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => out.serialize_u64(span.as_secs()),
            None => out.serialize_none(),
        }
    }

    pub(in crate::facts) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_secs))
    }
}

/// The grants of one person that are in force, narrowest first: fewer platforms, fewer groups, earlier expiry, id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Standing(Vec<Grant>);

impl Standing {
    /// Keeps the grants that are live at `now`, in order.
    pub fn new(grants: impl IntoIterator<Item = Grant>, now: Timestamp) -> Self {
        let mut live: Vec<Grant> = grants.into_iter().filter(|grant| grant.is_live(now)).collect();
        live.sort_by(|a, b| {
            let width = |grant: &Grant| (grant.platforms.len(), grant.covers.len(), grant.expires);
            width(a).cmp(&width(b)).then_with(|| a.id.cmp(&b.id))
        });
        Self(live)
    }

    /// The grants, narrowest first.
    pub fn grants(&self) -> &[Grant] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(id: &str, platforms: &[&str], until: i64) -> Grant {
        Grant {
            id: GrantId::new(id),
            subject: SubjectId::parse("ada").unwrap(),
            purpose: PurposeId::new("recruiting"),
            platforms: Arc::new(platforms.iter().map(|p| PlatformId::new(*p)).collect()),
            covers: BTreeSet::from(["read".to_owned()]).into(),
            statement: String::new(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: Timestamp::from_millis(0),
            not_before: Timestamp::from_millis(0),
            expires: Timestamp::from_millis(until),
            idle: None,
            used_at: None,
            answer_by: None,
            answers: Vec::new(),
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
            state: GrantState::Active,
            ended_at: None,
            ended: None,
            report: None,
            came: None,
        }
    }

    #[test]
    fn the_narrowest_grant_comes_first_and_the_dead_do_not_come() {
        let now = Timestamp::from_millis(10);
        let standing = Standing::new(
            [
                grant("c", &["linkedin", "xing"], 99),
                grant("b", &["linkedin"], 50),
                grant("a", &["linkedin"], 50),
                grant("d", &["linkedin"], 40),
                grant("dead", &["linkedin"], 10),
                Grant {
                    state: GrantState::Withdrawn,
                    ..grant("ended", &["linkedin"], 99)
                },
                Grant {
                    not_before: Timestamp::from_millis(11),
                    ..grant("later", &["linkedin"], 99)
                },
                Grant {
                    state: GrantState::Requested,
                    answer_by: Some(Timestamp::from_millis(99)),
                    ..grant("asked", &["linkedin"], 99)
                },
            ],
            now,
        );
        let order: Vec<&str> = standing.grants().iter().map(|g| g.id.as_str()).collect();
        assert_eq!(order, ["d", "a", "b", "c"]);
    }

    #[test]
    fn who_approved_is_whoever_did_so_last_and_what_they_wrote_is_left_out_of_a_silent_grant() {
        let answer = |by: &str, verdict| Answer {
            verdict,
            note: "because".to_owned(),
            ..Answer::approval(SubjectId::parse(by).unwrap(), Timestamp::from_millis(1))
        };
        let answered = Grant {
            answers: vec![
                answer("mia", Verdict::Approved),
                answer("hana", Verdict::Approved),
                answer("nora", Verdict::Declined),
            ],
            statement: "why".to_owned(),
            ended: Some(Ended {
                by: SubjectId::parse("sol").unwrap(),
                why: "because".to_owned(),
            }),
            ..grant("a", &["linkedin"], 99)
        };
        assert_eq!(answered.approved_by().unwrap().as_str(), "hana");
        let silent = answered.silent();
        assert!(silent.statement.is_empty() && silent.answers.iter().all(|answer| answer.note.is_empty()));
        let ended = silent.ended.as_ref().unwrap();
        assert_eq!((ended.by.as_str(), ended.why.as_str()), ("sol", ""));
        assert_eq!(
            (silent.answers.len(), silent.approved_by()),
            (3, answered.approved_by())
        );
    }
}
