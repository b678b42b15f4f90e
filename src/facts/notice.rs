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
}

impl NoticeEvent {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Waits,
        Self::PartlyApproved,
        Self::AlternatesMay,
        Self::Approved,
        Self::Declined,
        Self::Lapsed,
        Self::Revoked,
        Self::BrokeGlass,
        Self::ReviewOverdue,
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
        }
    }

    /// The one of that name.
    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
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
            assert_eq!(NoticeEvent::called(event.as_str()), Some(event));
        }
        assert_eq!(NoticeEvent::called("requested"), None);
    }
}
