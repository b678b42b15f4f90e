//! What is your business? The catalogue of purposes, and what somebody may declare.
//!
//! Reads `policies/purposes.toml`, weighs a declaration against the terms of its purpose, and says what becomes of one
//! that somebody must approve; whether the *rules* let
//! somebody declare is `policy`'s to say, and `rulebook` asks both. It must never ask the clock, the ledger or the world.

mod approval;
mod chain;
mod chain_read;
mod declaration;
mod emergency;
mod lifetime;
mod parse;
mod seating;
mod terms;
mod working_days;

use std::collections::{BTreeMap, BTreeSet};

pub use approval::{
    Approved, Consent, Declined, Hearing, Lapsed, Note, Over, Own, PartlyApproved, Pending, UnfitNote, Useless, Why,
};
pub use chain::{ALTERNATE, Alternates, Approval, Approver, Lacking, Needed};
pub use declaration::{Declaration, Terms, Unfit, UnfitField, Vain, Weighed};
pub use emergency::LONGEST_EMERGENCY;
pub use lifetime::{BadDuration, Lifetime, parse_duration, show_duration};
pub use seating::{Seating, is_member};
pub use terms::{Audience, GROUPS, Purpose, TicketRule, mildest_first};
pub use working_days::{is_working_day, one_working_day_after, working_time_after};

use crate::clock::Timestamp;
use crate::facts::{Category, Partial, Person, PlatformId, PurposeId, SourceText};

/// The catalogue of purposes; immutable.
#[derive(Debug, Default)]
pub struct Purposes {
    by_id: BTreeMap<PurposeId, Purpose>,
}

impl Purposes {
    /// Reads `purposes.toml`; reports everything that is wrong with it, not the first thing.
    pub fn parse(file: &SourceText) -> Partial<Self> {
        parse::purposes(file)
    }

    /// One purpose.
    pub fn get(&self, id: &PurposeId) -> Option<&Purpose> {
        self.by_id.get(id)
    }

    /// The purposes, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Purpose> + Clone {
        self.by_id.values()
    }

    /// The same purposes, with the categories that they are meant for spelt out as platforms.
    #[must_use]
    pub fn spelt_out(mut self, platforms_of: impl Fn(&Category) -> BTreeSet<PlatformId>) -> Self {
        for purpose in self.by_id.values_mut() {
            let within = purpose.categories.iter().flat_map(&platforms_of);
            purpose.platforms.extend(within);
        }
        self
    }

    /// What becomes of a declaration by the terms of its purpose.
    pub fn weigh(&self, declaration: &Declaration, person: &Person, at: Timestamp) -> Weighed {
        match self.get(&declaration.purpose) {
            Some(purpose) => purpose.weigh(declaration, person, at),
            None => Weighed::Unfit(vec![Unfit::no_such_purpose(&declaration.purpose, person, self.iter())]),
        }
    }
}
