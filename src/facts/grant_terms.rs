//! What a grant will say.

use std::collections::BTreeSet;
use std::time::Duration;

use super::destination::PlatformId;
use super::principal::SubjectId;
use super::said::{Answer, Continued, Delegated, Emergency};
use super::standing::{Channel, Grant, GrantId, GrantState, PurposeId};
use crate::clock::Timestamp;

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
    /// For how long it may go unused.
    pub idle: Option<Duration>,
    /// What was answered.
    pub answers: Vec<Answer>,
    /// The grant that it renews.
    pub parent: Option<GrantId>,
    /// That it is taken in an emergency.
    pub emergency: Option<Emergency>,
    /// What its holder was told, and continued past.
    pub continued: Option<Continued>,
    /// Whom its holder lets answer for them.
    pub delegated: Option<Delegated>,
}

impl GrantTerms {
    /// The active grant called `id` with these terms.
    pub fn named(self, id: GrantId) -> Grant {
        Grant {
            id,
            subject: self.subject,
            purpose: self.purpose,
            platforms: self.platforms.into(),
            covers: self.covers.into(),
            statement: self.statement,
            ticket: self.ticket,
            channel: self.channel,
            declared_at: self.declared_at,
            not_before: self.not_before,
            expires: self.expires,
            idle: self.idle,
            used_at: None,
            answer_by: None,
            answers: self.answers,
            parent: self.parent,
            emergency: self.emergency,
            continued: self.continued,
            delegated: self.delegated,
            state: GrantState::Active,
            ended_at: None,
            ended: None,
            report: None,
            came: None,
        }
    }

    /// The request called `id` for these terms, which can be answered until `answer_by`.
    pub fn asked(self, id: GrantId, answer_by: Timestamp) -> Grant {
        Grant {
            answer_by: Some(answer_by),
            state: GrantState::Requested,
            ..self.named(id)
        }
    }
}
