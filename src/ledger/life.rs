//! The life of a grant, from the asking to the end, and how many are where in it.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::facts::{Grant, GrantState, PurposeId};

/// Where a grant is in its life at a given moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// Asked for; it waits for an answer.
    Requested,
    /// Given, and not begun.
    Approved,
    /// Begun; not ended and not expired.
    Active,
    /// Its time is over, or it went unused for too long.
    Expired,
    /// Ended by its holder, or taken back before it was answered.
    Withdrawn,
    /// Ended by somebody else.
    Revoked,
    /// Somebody who could have approved it did not.
    Declined,
    /// Nobody answered in time.
    Lapsed,
}

impl Life {
    /// Where `grant` is at `now`.
    pub fn of(grant: &Grant, now: Timestamp) -> Self {
        match grant.state {
            GrantState::Requested if grant.waits(now) => Self::Requested,
            GrantState::Requested | GrantState::Lapsed => Self::Lapsed,
            GrantState::Active if now < grant.not_before => Self::Approved,
            GrantState::Active if now < grant.until() => Self::Active,
            GrantState::Active => Self::Expired,
            GrantState::Withdrawn => Self::Withdrawn,
            GrantState::Revoked => Self::Revoked,
            GrantState::Declined => Self::Declined,
        }
    }

    /// All of them, in the order of a life.
    pub(super) const ALL: [Self; 8] = [
        Self::Requested,
        Self::Approved,
        Self::Active,
        Self::Expired,
        Self::Withdrawn,
        Self::Revoked,
        Self::Declined,
        Self::Lapsed,
    ];

    /// Whether nothing can become of it any more.
    pub fn is_over(self) -> bool {
        match self {
            Self::Requested | Self::Approved | Self::Active => false,
            Self::Expired | Self::Withdrawn | Self::Revoked | Self::Declined | Self::Lapsed => true,
        }
    }

    /// The name used in metrics and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
        }
    }
}

/// How many grants for `purpose` are at this stage of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What for.
    pub purpose: PurposeId,
    /// Which stage.
    pub life: Life,
    /// How many.
    pub grants: u64,
}
