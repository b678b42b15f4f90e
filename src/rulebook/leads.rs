//! Who leads how many: whoever leads somebody cannot just be gone.

use super::shelves::{Named, Shelves};
use crate::facts::{Person, SubjectId};

/// Everybody who leads somebody.
#[derive(Clone, Debug, Default)]
pub(super) struct Leads(Shelves<Lead>);

/// Somebody, and how many name them as their manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    who: SubjectId,
    people: usize,
}

impl Named for Lead {
    fn name(&self) -> &SubjectId {
        &self.who
    }
}

impl Leads {
    /// Of these people.
    pub(super) fn of<'p>(people: impl Iterator<Item = &'p Person>) -> Self {
        let mut leads = Self::default();
        people.for_each(|person| leads.add(person));
        leads
    }

    /// One person more.
    pub(super) fn add(&mut self, person: &Person) {
        self.count(person, |people| people + 1);
    }

    /// One person less.
    pub(super) fn take(&mut self, person: &Person) {
        self.count(person, |people| people.saturating_sub(1));
    }

    /// Whether somebody leads anybody.
    pub(super) fn has(&self, who: &SubjectId) -> bool {
        self.0.get(who).is_some()
    }

    fn count(&mut self, person: &Person, change: impl FnOnce(usize) -> usize) {
        let Some(who) = &person.manager else { return };
        match change(self.0.get(who).map_or(0, |lead| lead.people)) {
            0 => self.0.remove(who),
            people => self.0.put(Lead {
                who: who.clone(),
                people,
            }),
        }
    }

    /// All of them, by name.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<&Lead> {
        self.0.iter().collect()
    }
}
