//! How each way of telling people fares: where the last try came to nothing, letters pile up until somebody looks. It is
//! forgotten once none waits.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

/// A way by which nobody is told at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which one: `email`, or the name of a web hook.
    pub way: String,
    /// Since when nothing has got through.
    pub since: Timestamp,
    /// What the last try came to.
    pub why: String,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Faring(Mutex<BTreeMap<String, Trouble>>);

impl Faring {
    /// Something got through.
    pub(super) fn got_through(&self, way: &str) {
        self.ways().remove(way);
    }

    /// A try came to nothing, and will be made again.
    pub(super) fn put_off(&self, way: &str, at: Timestamp, why: &str) {
        let mut ways = self.ways();
        let trouble = ways.entry(way.to_owned()).or_insert_with(|| Trouble {
            way: way.to_owned(),
            since: at,
            why: String::new(),
        });
        why.clone_into(&mut trouble.why);
    }

    /// Nothing waits to get through any more.
    pub(super) fn forget(&self) {
        self.ways().clear();
    }

    /// What does not get through.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        self.ways().values().cloned().collect()
    }

    fn ways(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_in_trouble_from_its_first_failure_until_something_gets_through() {
        let at = Timestamp::from_millis;
        let faring = Faring::default();
        faring.put_off("email", at(1), "connection refused");
        faring.put_off("desk", at(2), "503");
        faring.put_off("email", at(3), "no route to host");
        faring.got_through("desk");
        let email = Trouble {
            way: "email".to_owned(),
            since: at(1),
            why: "no route to host".to_owned(),
        };
        assert_eq!(faring.troubles(), [email]);
        faring.got_through("email");
        assert!(faring.troubles().is_empty());
        faring.put_off("email", at(4), "connection refused");
        faring.forget();
        assert!(faring.troubles().is_empty(), "nothing waits any more");
    }
}
