//! Things made before: the same facts make the same thing, so it is made once.

use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use crate::facts::QuickMap;

/// How many things are young at most.
const MOST: usize = 16_384;

/// Remembers what was made of some facts, by a name for them. Facts that changed under the same name make it anew.
///
/// When there are many young ones they are all called old, and those that were old are forgotten: memory stays bounded,
/// and no single newcomer makes a busy gateway start over.
#[derive(Debug)]
pub(super) struct Memo<K, F, V>(RwLock<Generations<K, F, V>>);

#[derive(Debug)]
struct Generations<K, F, V> {
    young: QuickMap<K, (F, Arc<V>)>,
    old: QuickMap<K, (F, Arc<V>)>,
}

impl<K, F, V> Default for Memo<K, F, V> {
    fn default() -> Self {
        Self(RwLock::new(Generations {
            young: QuickMap::default(),
            old: QuickMap::default(),
        }))
    }
}

impl<K: Clone + Eq + Hash, F: Clone + PartialEq, V> Memo<K, F, V> {
    /// What `make` makes of `facts`: remembered, or made now.
    pub(super) fn of<E>(&self, name: &K, facts: &F, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        self.of_those(name, |known| known == facts, || facts.clone(), make)
    }

    /// The same of facts that stand elsewhere in another form: how to tell that they are those that are known, and how to
    /// keep them.
    pub(super) fn of_those<E>(
        &self,
        name: &K,
        are_known: impl FnOnce(&F) -> bool,
        facts: impl FnOnce() -> F,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = held.young.get(name).or_else(|| held.old.get(name));
        if let Some(known) = known.filter(|known| are_known(&known.0)) {
            return Ok(Arc::clone(&known.1));
        }
        drop(held);
        let made = Arc::new(make()?);
        let entry = (facts(), Arc::clone(&made));
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.young.len() >= MOST {
            held.old = std::mem::take(&mut held.young);
        }
        held.young.insert(name.clone(), entry);
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_under_the_same_name_is_made_anew() {
        let memo = Memo::<&str, u32, String>::default();
        let make = |facts: u32| move || Ok::<_, ()>(format!("made of {facts}"));
        assert_eq!(*memo.of(&"ada", &1, make(1)).unwrap(), "made of 1");
        assert_eq!(*memo.of(&"ada", &1, make(9)).unwrap(), "made of 1");
        assert_eq!(*memo.of(&"ada", &2, make(2)).unwrap(), "made of 2");
        assert_eq!(memo.of(&"ada", &3, || Err::<String, _>("no")).unwrap_err(), "no");
    }

    #[test]
    fn memory_stays_bounded_and_the_latest_are_remembered() {
        let memo = Memo::<usize, usize, usize>::default();
        for number in 0..5 * MOST {
            assert_eq!(*memo.of(&number, &number, || Ok::<_, ()>(number)).unwrap(), number);
            let held = memo.0.read().unwrap();
            assert!(held.young.len() + held.old.len() <= 2 * MOST);
        }
        for number in 4 * MOST..5 * MOST {
            assert_eq!(
                *memo.of(&number, &number, || Err::<usize, _>("forgotten")).unwrap(),
                number
            );
        }
    }
}
