//! Who could answer what somebody would ask for: at once, and once it has waited so long that alternates may. Pure.

use std::sync::Arc;
use std::time::Duration;

use super::{Asking, InForce};
use crate::clock::Timestamp;
use crate::facts::{Arrival, Grant, Person};

/// Those who could answer; nobody, where fewer could approve it than must, however long it waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answerers {
    /// Who may at once.
    pub at_once: Vec<Arc<Person>>,
    /// Who may as well once it has waited for so long.
    pub later: Option<(Duration, Vec<Arc<Person>>)>,
}

impl Answerers {
    /// Whether there is anybody.
    pub fn is_any(&self) -> bool {
        !self.at_once.is_empty() || self.later.is_some()
    }
}

impl InForce {
    /// Who could answer what would be asked for, however long that has waited.
    pub fn answerers(&self, asking: &Asking<'_>) -> Answerers {
        let Some(purpose) = self.rulebook.purposes().get(asking.purpose) else {
            return Answerers::default();
        };
        let after = purpose.alternates.as_ref().map(|alternates| alternates.after);
        let after = after.filter(|after| *after < purpose.answer_within);
        let waiting = |waited| Asking { waited, ..*asking };
        let at_once = self.who_may_answer(&waiting(Duration::ZERO));
        let in_the_end = after.map(|after| self.who_may_answer(&waiting(after)));
        let all = in_the_end.as_ref().unwrap_or(&at_once);
        if !self.are_enough(&waiting(after.unwrap_or_default()), all) {
            return Answerers::default();
        }
        let later = after.zip(in_the_end.map(|all| others(all, &at_once)));
        Answerers {
            later: later.filter(|(_, others)| !others.is_empty()),
            at_once,
        }
    }

    /// Who may answer a request as well, and from when on, where that is yet to come; whose approval it would lack.
    pub fn who_may_later(
        &self,
        grant: &Grant,
        arrival: &Arrival,
        at: Timestamp,
    ) -> Option<(Timestamp, Vec<Arc<Person>>)> {
        let purpose = self.rulebook.purposes().get(&grant.purpose)?;
        let after = purpose.alternates.as_ref()?.after;
        let from = grant.declared_at.plus(after);
        // nobody was asked of what was taken in an emergency
        grant.answer_by.filter(|until| at < from && from < *until)?;
        let now = self.who_may_answer(&Asking::of(grant, arrival, at));
        let then = self.who_may_answer(&Asking {
            waited: after,
            ..Asking::of(grant, arrival, at)
        });
        let mut later = others(then, &now);
        later.retain(|person| self.lacks(grant, person, from));
        (!later.is_empty()).then_some((from, later))
    }
}

fn others(all: Vec<Arc<Person>>, but: &[Arc<Person>]) -> Vec<Arc<Person>> {
    let is_other = |person: &Arc<Person>| but.iter().all(|one| one.id != person.id);
    all.into_iter().filter(is_other).collect()
}
