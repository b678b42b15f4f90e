//! How each way of telling people fares with this gateway: where the last try came to nothing, letters pile up or are lost until
//! somebody looks. What is only put off is forgotten once none waits here, since another gateway may have told it; what was lost
//! is not before something gets through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::whom;
use crate::clock::Timestamp;

/// A way by which nobody is told at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The name of the web hook; none of e-mail.
    pub hook: Option<String>,
    /// Since when nothing has got through.
    pub since: Timestamp,
    /// What the last try came to.
    pub why: String,
}

/// See the module. By the ways of letters.
#[derive(Debug, Default)]
pub(super) struct Faring {
    ways: Mutex<BTreeMap<String, Faltering>>,
    /// By the way, whose letters were refused as such since something got through.
    refused: Mutex<BTreeMap<String, Refused>>,
}

/// Of so many in a row whose letters are refused, or of so many letters whosever they are, the way is what is wrong with them.
const IN_A_ROW: usize = 3;
const LETTERS_IN_A_ROW: usize = 5;

/// What was refused on a way since something got through, as far as that matters.
#[derive(Debug, Default)]
struct Refused {
    whose: BTreeSet<String>,
    letters: usize,
}

#[derive(Debug)]
struct Faltering {
    trouble: Trouble,
    /// Until when this gateway tries again at the latest; none where something was lost.
    waits: Option<Timestamp>,
}

impl Faring {
    /// Something got through.
    pub(super) fn got_through(&self, way: &str) {
        self.ways().remove(way);
        self.letters().remove(way);
    }

    /// A letter was refused, and no other need be: somebody has left, and their mailbox with them.
    pub(super) fn refused(&self, way: &str, to: &str, (at, why): (Timestamp, &str)) {
        let is_the_way = {
            let mut letters = self.letters();
            let those = letters.entry(way.to_owned()).or_default();
            those.letters = those.letters.saturating_add(1);
            if those.whose.len() < IN_A_ROW {
                those.whose.insert(to.to_owned());
            }
            those.whose.len() >= IN_A_ROW || those.letters >= LETTERS_IN_A_ROW
        };
        if is_the_way {
            self.lost(way, at, why);
        }
    }

    /// A try came to nothing, and is made again until `waits`: by this gateway, or by another that can.
    pub(super) fn put_off(&self, way: &str, at: Timestamp, why: &str, waits: Timestamp) {
        self.falters(way, at, why, Some(waits));
    }

    /// A try came to nothing, and none will be made again.
    pub(super) fn lost(&self, way: &str, at: Timestamp, why: &str) {
        self.falters(way, at, why, None);
    }

    fn falters(&self, way: &str, at: Timestamp, why: &str, waits: Option<Timestamp>) {
        let mut ways = self.ways();
        ways.retain(|_, one| one.counts(at));
        let one = ways.entry(way.to_owned()).or_insert_with(|| Faltering {
            trouble: Trouble {
                hook: way.strip_prefix(whom::HOOK).map(str::to_owned),
                since: at,
                why: String::new(),
            },
            waits,
        });
        why.clone_into(&mut one.trouble.why);
        one.waits = one.waits.zip(waits).map(|(before, waits)| before.max(waits));
    }

    /// Nothing waits to get through any more.
    pub(super) fn forget(&self) {
        self.ways().retain(|_, one| one.waits.is_none());
    }

    /// What does not get through.
    pub(super) fn troubles(&self, now: Timestamp) -> Vec<Trouble> {
        let ways = self.ways();
        let those = ways.values().filter(|one| one.counts(now));
        those.map(|one| one.trouble.clone()).collect()
    }

    fn ways(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Faltering>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn letters(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faltering {
    fn counts(&self, now: Timestamp) -> bool {
        self.waits.is_none_or(|waits| now <= waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(faring: &Faring, now: i64) -> Vec<(Option<String>, i64, String)> {
        let troubles = faring.troubles(Timestamp::from_millis(now)).into_iter();
        troubles.map(|one| (one.hook, one.since.as_millis(), one.why)).collect()
    }

    #[test]
    fn a_way_is_in_trouble_from_its_first_failure_until_something_gets_through() {
        let at = Timestamp::from_millis;
        let faring = Faring::default();
        faring.put_off("email", at(1), "connection refused", at(100));
        faring.put_off("webhook:email", at(2), "503", at(100));
        faring.put_off("email", at(3), "no route to host", at(100));
        faring.got_through("webhook:email");
        assert_eq!(told(&faring, 3), [(None, 1, "no route to host".to_owned())]);
        faring.lost("webhook:email", at(4), "404");
        faring.got_through("email");
        assert_eq!(told(&faring, 4), [(Some("email".to_owned()), 4, "404".to_owned())]);
    }

    #[test]
    fn a_mailbox_that_is_gone_is_no_trouble_of_the_way_and_several_in_a_row_are() {
        let at = Timestamp::from_millis;
        let faring = Faring::default();
        for _ in 0..3 {
            faring.refused("email", "dan", (at(1), "550"));
        }
        faring.refused("email", "eve", (at(2), "550"));
        assert_eq!(told(&faring, 2), []);
        faring.got_through("email");
        for (to, when) in [("dan", 3), ("eve", 4), ("mia", 5)] {
            faring.refused("email", to, (at(when), "550"));
        }
        assert_eq!(told(&faring, 5), [(None, 5, "550".to_owned())]);
    }

    #[test]
    fn that_nothing_ever_gets_through_to_the_few_who_are_told_shows_too() {
        let faring = Faring::default();
        for when in 1..=5 {
            assert_eq!(told(&faring, when), []);
            faring.refused("email", "dan", (Timestamp::from_millis(when), "554 relaying denied"));
        }
        assert_eq!(told(&faring, 5), [(None, 5, "554 relaying denied".to_owned())]);
    }

    #[test]
    fn what_another_gateway_may_have_told_is_forgotten_and_what_was_lost_is_not() {
        let at = Timestamp::from_millis;
        let faring = Faring::default();
        faring.put_off("email", at(1), "503", at(10));
        faring.lost("webhook:desk", at(1), "410");
        faring.put_off("webhook:desk", at(2), "503", at(10));
        assert_eq!(told(&faring, 10).len(), 2);
        assert_eq!(told(&faring, 11), [(Some("desk".to_owned()), 1, "503".to_owned())]);
        faring.put_off("email", at(12), "503", at(20));
        assert_eq!(told(&faring, 12)[0], (None, 12, "503".to_owned()), "anew");
        faring.forget();
        assert_eq!(told(&faring, 12), [(Some("desk".to_owned()), 1, "503".to_owned())]);
        faring.got_through("webhook:desk");
        assert_eq!(told(&faring, 12), []);
    }
}
