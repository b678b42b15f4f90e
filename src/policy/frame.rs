//! What rules find when one action is asked about: of a flow, or of somebody's power over a grant.

use std::cell::OnceCell;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, Value};

use super::engine::{Doubt, Engine, Facts, Held, Measure, Party};
use super::values::{self, COUNT, Circumstances, Values};
use super::wall::Wall;

/// What was made of the context, each leaf when a rule first looked at it: for all actions and grants that are asked about
/// one after the other.
#[derive(Debug, Default)]
pub(super) struct Made {
    address: OnceCell<Arc<Held>>,
    shown: OnceCell<(i64, i64)>,
    leaves: [OnceCell<Option<Value>>; COUNT],
}

/// The facts before the rules.
pub(super) struct Frame<'a> {
    pub(super) engine: &'a Engine,
    pub(super) values: &'a Values,
    /// Without the request where the action comes before there is one.
    pub(super) here: Circumstances<'a>,
    /// Where the person's clock stands.
    pub(super) wall: &'a Wall,
    pub(super) made: &'a Made,
    /// The grant that is judged under.
    pub(super) claim: Option<&'a Held>,
    /// Where a power over a grant is asked about: by which way.
    pub(super) channel: Option<&'a Value>,
    /// ... and as what the terms of the purpose name whoever answers.
    pub(super) named_as: Option<&'a Value>,
    /// ... and for whom.
    pub(super) behalf_of: Option<&'a Value>,
    /// The declarer of such a grant, where that is somebody else whom the directory knows.
    pub(super) declarer: Option<&'a Party>,
}

impl Frame<'_> {
    /// What the person's wall clock shows.
    fn shown(&self) -> (i64, i64) {
        *self.made.shown.get_or_init(|| self.wall.shows(self.here.at))
    }

    /// Where the flow comes from.
    fn address(&self) -> Result<&Held, Doubt> {
        if let Some(known) = self.made.address.get() {
            return Ok(known);
        }
        let client = self.here.arrival.client.ip().to_canonical();
        let made = self
            .values
            .address(client, |value| self.engine.held(values::ADDRESS, value))?;
        Ok(self.made.address.get_or_init(|| made))
    }
}

impl Facts for Frame<'_> {
    fn leaf(&self, number: usize) -> Result<Option<&Value>, Doubt> {
        if number == values::CLAIM {
            return Ok(self.claim.map(Held::value));
        }
        if number == values::CHANNEL {
            return Ok(self.channel);
        }
        if number == values::NAMED_AS {
            return Ok(self.named_as);
        }
        if number == values::BEHALF_OF {
            return Ok(self.behalf_of);
        }
        if number == values::ADDRESS {
            return Ok(Some(self.address()?.value()));
        }
        if values::REQUEST.contains(&number) && self.here.request.is_none() {
            return Ok(None);
        }
        let leaf = self.made.leaves.get(number).ok_or(Doubt)?;
        if let Some(known) = leaf.get() {
            return Ok(known.as_ref());
        }
        let made = self.values.leaf(number, &self.here, || self.shown())?;
        Ok(leaf.get_or_init(|| made).as_ref())
    }

    fn measure(&self, number: usize) -> Option<Measure> {
        Values::measure(number, &self.here, || self.shown())
    }

    fn held(&self, number: usize) -> Option<&Held> {
        match number {
            values::CLAIM => self.claim,
            values::ADDRESS => self.address().ok(),
            _ => None,
        }
    }

    fn context(&self) -> Result<&Value, Doubt> {
        Err(Doubt)
    }

    // beside principal and resource nobody else is known
    fn entity(&self, uid: &EntityUID) -> Result<Option<&Entity>, Doubt> {
        let known = self.declarer.filter(|party| party.uid() == uid);
        Ok(known.and_then(Party::entity))
    }
}
