//! Things made before: the same facts make the same thing, so it is made once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

/// More different things than a busy gateway meets; above it they are made anew.
const MOST: usize = 4096;

/// Remembers what was made of some facts, by a name for them. Facts that changed under the same name make it anew.
#[derive(Debug)]
pub(super) struct Memo<K, F, V>(RwLock<HashMap<K, Arc<(F, V)>>>);

impl<K, F, V> Default for Memo<K, F, V> {
    fn default() -> Self {
        Self(RwLock::new(HashMap::new()))
    }
}

impl<K: Clone + Eq + Hash, F: Clone + PartialEq, V> Memo<K, F, V> {
    /// What `make` makes of `facts`: remembered, or made now.
    pub(super) fn of<E>(&self, name: &K, facts: &F, make: impl FnOnce() -> Result<V, E>) -> Result<Made<F, V>, E> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(known) = known.filter(|known| known.0 == *facts) {
            return Ok(Made(known));
        }
        let made = Arc::new((facts.clone(), make()?));
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            held.clear();
        }
        held.insert(name.clone(), Arc::clone(&made));
        Ok(Made(made))
    }
}

/// What was made, shared with whoever asked for it before.
#[derive(Debug)]
pub(super) struct Made<F, V>(Arc<(F, V)>);

impl<F, V> std::ops::Deref for Made<F, V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.0.1
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
    fn memory_stays_bounded() {
        let memo = Memo::<usize, usize, usize>::default();
        for number in 0..3 * MOST {
            assert_eq!(*memo.of(&number, &number, || Ok::<_, ()>(number)).unwrap(), number);
            assert!(memo.0.read().unwrap().len() <= MOST);
        }
    }
}
