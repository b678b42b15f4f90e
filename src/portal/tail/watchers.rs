//! The places of those who watch decisions as they are made: few, each person's fewer, and each for some time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::facts::SubjectId;

/// How many watch at once.
const MOST: usize = 16;
/// How many of them are one person: two windows, and one whose connection was lost and is not missed yet.
const OF_ONE: usize = 3;
/// How long one watches before they are asked who they are again.
const LASTS: Duration = Duration::from_mins(10);

/// See the module.
#[derive(Clone, Debug, Default)]
pub(in crate::portal) struct Watchers(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    places: BTreeMap<u64, (SubjectId, Instant)>,
}

/// Why somebody has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// As many watch as may.
    Full,
    /// They have as many as one person may have.
    Yours,
}

/// Somebody's place, until it is dropped, or its time is over: also that of one who reads no more, so that nothing is asked
/// of them.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    /// When its time is over.
    pub(super) until: Instant,
    watchers: Watchers,
}

impl Watchers {
    /// A place for this person.
    #[expect(clippy::disallowed_methods, reason = "door: an open stream ends by itself")]
    pub(super) fn enter(&self, who: &SubjectId) -> Result<Place, NoPlace> {
        let now = Instant::now();
        let mut taken = self.taken();
        taken.places.retain(|_, (_, until)| *until > now);
        if taken.places.values().filter(|(whose, _)| whose == who).count() >= OF_ONE {
            return Err(NoPlace::Yours);
        }
        if taken.places.len() >= MOST {
            return Err(NoPlace::Full);
        }
        let (number, until) = (taken.next, now + LASTS);
        taken.next += 1;
        taken.places.insert(number, (who.clone(), until));
        Ok(Place {
            number,
            until,
            watchers: self.clone(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.watchers.taken().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: impl std::fmt::Display) -> SubjectId {
        SubjectId::parse(&name.to_string()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn few_watch_at_once_and_nobody_takes_the_places_of_all() {
        let watchers = Watchers::default();
        let mut places: Vec<Place> = (0..OF_ONE).map(|_| watchers.enter(&who("sol")).unwrap()).collect();
        assert_eq!(watchers.enter(&who("sol")).unwrap_err(), NoPlace::Yours);
        places.extend((OF_ONE..MOST).map(|number| watchers.enter(&who(format_args!("u{number}"))).unwrap()));
        assert_eq!(watchers.enter(&who("ada")).unwrap_err(), NoPlace::Full);
        drop(places.pop());
        assert!(watchers.enter(&who("ada")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_once_its_time_is_over_whatever_becomes_of_whoever_had_it() {
        let watchers = Watchers::default();
        let kept: Vec<Place> = (0..OF_ONE).map(|_| watchers.enter(&who("sol")).unwrap()).collect();
        tokio::time::advance(LASTS).await;
        let again = watchers.enter(&who("sol")).unwrap();
        // and whoever goes late takes nobody's
        drop(kept);
        let others: Vec<Place> = (1..OF_ONE).map(|_| watchers.enter(&who("sol")).unwrap()).collect();
        assert_eq!(watchers.enter(&who("sol")).unwrap_err(), NoPlace::Yours);
        drop((again, others));
        assert!(watchers.taken().places.is_empty());
    }
}
