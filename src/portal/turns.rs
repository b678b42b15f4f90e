//! Looking through what everybody holds may cost a question to the rules for each of it: one person at a time does so, and
//! each once, so that nobody who asks again and again holds up more than themselves.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::facts::SubjectId;

/// Whose turn it is.
pub(super) struct Turns {
    one: Semaphore,
    people: Mutex<BTreeSet<SubjectId>>,
}

/// Somebody's turn; over when it is dropped.
pub(super) struct Turn<'a> {
    _place: Place<'a>,
    _one: SemaphorePermit<'a>,
}

/// Somebody's place among those who wait, or whose turn it is.
pub(super) struct Place<'a> {
    turns: &'a Turns,
    who: SubjectId,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            one: Semaphore::new(1),
            people: Mutex::default(),
        }
    }
}

impl Turns {
    /// Waits for the turn of `who`; none where they wait already, or it is theirs.
    pub(super) async fn wait(&self, who: &SubjectId) -> Option<Turn<'_>> {
        let place = self.place(who)?;
        let one = self.one.acquire().await.ok()?;
        Some(Turn {
            _place: place,
            _one: one,
        })
    }

    /// The place of `who`, who waits for something else; none where they have it already.
    pub(super) fn place(&self, who: &SubjectId) -> Option<Place<'_>> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.insert(who.clone()).then(|| Place {
            turns: self,
            who: who.clone(),
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut people = self.turns.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.remove(&self.who);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn one_person_at_a_time_and_each_once() {
        let turns = Turns::default();
        let (eve, sol) = (SubjectId::parse("eve").unwrap(), SubjectId::parse("sol").unwrap());
        let first = turns.wait(&eve).await.unwrap();
        assert!(turns.wait(&eve).await.is_none());
        {
            let mut given_up = pin!(turns.wait(&sol));
            assert!(poll!(given_up.as_mut()).is_pending());
        }
        let mut second = pin!(turns.wait(&sol));
        assert!(poll!(second.as_mut()).is_pending());
        drop(first);
        let second = second.await.unwrap();
        assert!(turns.wait(&sol).await.is_none());
        drop(second);
        assert!(turns.wait(&eve).await.is_some());
    }
}
