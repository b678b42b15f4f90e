//! What people are told of without having asked.

use serde::{Deserialize, Serialize};

/// What has happened to a grant, or has not, of which somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeEvent {
    /// It waits for an answer.
    Waits,
    /// Somebody approved it, and others still have to.
    PartlyApproved,
    /// It has waited for so long that alternates may answer.
    AlternatesMay,
    /// It was approved.
    Approved,
    /// It was declined.
    Declined,
    /// Nobody answered in time.
    Lapsed,
    /// Somebody ended it, and said why.
    Revoked,
    /// It was taken in an emergency.
    BrokeGlass,
    /// That nobody has reviewed yet, and should have.
    ReviewOverdue,
    /// It expired, and its holder is asked what came of it.
    CameOfIt,
}

impl NoticeEvent {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Waits,
        Self::PartlyApproved,
        Self::AlternatesMay,
        Self::Approved,
        Self::Declined,
        Self::Lapsed,
        Self::Revoked,
        Self::BrokeGlass,
        Self::ReviewOverdue,
        Self::CameOfIt,
    ];

    /// The name, as settings and messages spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::PartlyApproved => "partly-approved",
            Self::AlternatesMay => "alternates-may",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::Revoked => "revoked",
            Self::BrokeGlass => "broke-glass",
            Self::ReviewOverdue => "review-overdue",
            Self::CameOfIt => "came-of-it",
        }
    }
}

/// On what people are told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Occasion {
    /// Something happened to a grant, or did not.
    Grant(NoticeEvent),
    /// A week is over, and all that is told of it is settled.
    Digest,
}

/// Why a text names no occasion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is nothing of which anybody is told: use {known}")]
pub struct BadOccasion {
    found: String,
    known: String,
}

impl Occasion {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let grants = NoticeEvent::ALL.into_iter().map(Self::Grant);
        grants.chain([Self::Digest])
    }

    /// The name, as settings and messages spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant(event) => event.as_str(),
            Self::Digest => "digest",
        }
    }

    /// The one of that name.
    pub fn called(name: &str) -> Option<Self> {
        Self::all().find(|occasion| occasion.as_str() == name)
    }
}

impl From<NoticeEvent> for Occasion {
    fn from(event: NoticeEvent) -> Self {
        Self::Grant(event)
    }
}

impl From<Occasion> for &'static str {
    fn from(occasion: Occasion) -> Self {
        occasion.as_str()
    }
}

impl TryFrom<String> for Occasion {
    type Error = BadOccasion;

    fn try_from(text: String) -> Result<Self, BadOccasion> {
        Self::called(&text).ok_or_else(|| BadOccasion {
            found: text.escape_debug().take(80).collect(),
            known: Self::all().map(Self::as_str).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_spelt_alike_wherever_it_is_written() {
        for event in NoticeEvent::ALL {
            let written = serde_json::to_string(&event).unwrap();
            assert_eq!(written, format!("\"{}\"", event.as_str()));
            assert_eq!(Occasion::called(event.as_str()), Some(Occasion::Grant(event)));
        }
        assert_eq!(Occasion::called("requested"), None);
    }

    #[test]
    fn every_occasion_is_found_by_its_name_and_no_other_is_heard_of() {
        for occasion in Occasion::all() {
            let written = serde_json::to_string(&occasion).unwrap();
            assert_eq!(written, format!("\"{}\"", occasion.as_str()));
            assert_eq!(serde_json::from_str::<Occasion>(&written).unwrap(), occasion);
        }
        let unknown = Occasion::try_from("monthly".to_owned()).unwrap_err();
        insta::assert_snapshot!(unknown, @"`monthly` is nothing of which anybody is told: use waits, partly-approved, alternates-may, approved, declined, lapsed, revoked, broke-glass, review-overdue, came-of-it, digest");
    }
}
