//! What for: purposes and the grants that somebody holds.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::destination::PlatformId;
use super::principal::SubjectId;
use crate::clock::Timestamp;

/// An entry of the purpose catalogue: `recruiting`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurposeId(String);

impl PurposeId {
    /// Stands for a selection that does not name exactly one purpose: no purpose is called so, and nobody holds a grant
    /// for it.
    pub const NOT_ONE: &str = "(not one)";

    /// The purpose called `id`.
    pub fn new(id: impl Into<String>) -> Self {
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

/// Where a grant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    /// In force between `not_before` and `expires`.
    Active,
    /// Ended by its holder before it expired.
    Withdrawn,
    /// Ended by somebody with the power to do so.
    Revoked,
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
    /// Where it applies; never empty.
    pub platforms: BTreeSet<PlatformId>,
    /// The groups of activities it covers: `read`, `engage`, `publish`, `administer`.
    pub covers: BTreeSet<String>,
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
    /// Counts from this moment on.
    pub not_before: Timestamp,
    /// Counts until this moment, which is no longer part of it.
    pub expires: Timestamp,
    /// Who approved it, if anybody had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<SubjectId>,
    /// Where it is in its life.
    pub state: GrantState,
}

impl Grant {
    /// Whether the grant is in force at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == GrantState::Active && self.not_before <= now && now < self.expires
    }
}

/// What a grant will say, before the ledger has given it a name: [`Grant`] without id and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantTerms {
    /// Who will hold it.
    pub subject: SubjectId,
    /// What for.
    pub purpose: PurposeId,
    /// Where it applies; never empty.
    pub platforms: BTreeSet<PlatformId>,
    /// The groups of activities it covers.
    pub covers: BTreeSet<String>,
    /// What the holder wrote.
    pub statement: String,
    /// The ticket it refers to.
    pub ticket: Option<String>,
    /// How it was stated.
    pub channel: Channel,
    /// When it was stated.
    pub declared_at: Timestamp,
    /// Counts from this moment on.
    pub not_before: Timestamp,
    /// Counts until this moment.
    pub expires: Timestamp,
    /// Who approved it, if anybody had to.
    pub approved_by: Option<SubjectId>,
}

impl GrantTerms {
    /// The active grant called `id` with these terms.
    pub fn named(self, id: GrantId) -> Grant {
        Grant {
            id,
            subject: self.subject,
            purpose: self.purpose,
            platforms: self.platforms,
            covers: self.covers,
            statement: self.statement,
            ticket: self.ticket,
            channel: self.channel,
            declared_at: self.declared_at,
            not_before: self.not_before,
            expires: self.expires,
            approved_by: self.approved_by,
            state: GrantState::Active,
        }
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
            platforms: platforms.iter().map(|p| PlatformId::new(*p)).collect(),
            covers: BTreeSet::from(["read".to_owned()]),
            statement: String::new(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: Timestamp::from_millis(0),
            not_before: Timestamp::from_millis(0),
            expires: Timestamp::from_millis(until),
            approved_by: None,
            state: GrantState::Active,
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
            ],
            now,
        );
        let order: Vec<&str> = standing.grants().iter().map(|g| g.id.as_str()).collect();
        assert_eq!(order, ["d", "a", "b", "c"]);
    }
}
