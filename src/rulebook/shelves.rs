//! Everybody, by name, on shelves of a few hundred: a copy in which one person differs shares all shelves but one.

use std::sync::Arc;

use crate::facts::SubjectId;

/// Nobody puts more on a shelf.
const MOST: usize = 512;

/// Something that goes by a name.
pub(super) trait Named {
    /// The name.
    fn name(&self) -> &SubjectId;
}

/// Things by name, in the order of their names. No shelf is empty.
#[derive(Clone, Debug)]
pub(super) struct Shelves<T>(Vec<Arc<Vec<T>>>);

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Named + Clone> Shelves<T> {
    /// Takes things in the order of their names, each name once.
    pub(super) fn of(sorted: impl Iterator<Item = T>) -> Self {
        let all: Vec<T> = sorted.collect();
        Self(all.chunks(MOST).map(|some| Arc::new(some.to_vec())).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|shelf| shelf.iter())
    }

    pub(super) fn get(&self, name: &SubjectId) -> Option<&T> {
        let shelf = self.0.get(self.shelf_for(name))?;
        shelf.get(place(shelf, name).ok()?)
    }

    /// Puts one thing in its place, or in that of another of its name.
    pub(super) fn put(&mut self, thing: T) {
        let at = self.shelf_for(thing.name());
        let Some(shelf) = self.0.get_mut(at).map(Arc::make_mut) else {
            self.0.push(Arc::new(vec![thing]));
            return;
        };
        match place(shelf, thing.name()) {
            Ok(place) => {
                if let Some(old) = shelf.get_mut(place) {
                    *old = thing;
                }
            }
            Err(place) => shelf.insert(place, thing),
        }
        if shelf.len() > MOST {
            let rest = shelf.split_off(MOST / 2);
            self.0.insert(at + 1, Arc::new(rest));
        }
    }

    /// Takes one thing away.
    pub(super) fn remove(&mut self, name: &SubjectId) {
        let at = self.shelf_for(name);
        let Some(shelf) = self.0.get_mut(at).map(Arc::make_mut) else {
            return;
        };
        if let Ok(place) = place(shelf, name) {
            shelf.remove(place);
        }
        if shelf.is_empty() {
            self.0.remove(at);
        }
    }

    /// The shelf that holds this name, or would: the last that does not begin behind it.
    fn shelf_for(&self, name: &SubjectId) -> usize {
        let begins_before = |shelf: &Arc<Vec<T>>| shelf.first().is_some_and(|first| first.name() <= name);
        self.0.partition_point(begins_before).saturating_sub(1)
    }
}

fn place<T: Named>(shelf: &[T], name: &SubjectId) -> Result<usize, usize> {
    shelf.binary_search_by(|thing| thing.name().cmp(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(SubjectId, usize);

    impl Named for Thing {
        fn name(&self) -> &SubjectId {
            &self.0
        }
    }

    fn name(number: usize) -> SubjectId {
        SubjectId::parse(&format!("n{number}")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn shelves_hold_what_a_map_would(
            first in prop::collection::btree_set(0_usize..4000, 0..2000),
            then in prop::collection::vec((0_usize..4000, any::<bool>()), 0..2000),
        ) {
            let mut map: BTreeMap<SubjectId, usize> = first.iter().map(|number| (name(*number), 0)).collect();
            let mut shelves = Shelves::of(map.iter().map(|(name, value)| Thing(name.clone(), *value)));
            let before = shelves.clone();
            for (step, (number, stays)) in then.iter().enumerate() {
                let name = name(*number);
                if *stays {
                    map.insert(name.clone(), step + 1);
                    shelves.put(Thing(name, step + 1));
                } else {
                    map.remove(&name);
                    shelves.remove(&name);
                }
            }
            let told: Vec<(&SubjectId, usize)> = shelves.iter().map(|thing| (&thing.0, thing.1)).collect();
            prop_assert_eq!(told, map.iter().map(|(name, value)| (name, *value)).collect::<Vec<_>>());
            for number in 0..4000 {
                let name = name(number);
                prop_assert_eq!(shelves.get(&name).map(|thing| thing.1), map.get(&name).copied());
                prop_assert_eq!(before.get(&name).is_some(), first.contains(&number));
            }
            prop_assert!(shelves.0.iter().all(|shelf| (1..=MOST).contains(&shelf.len())));
        }
    }

    #[test]
    fn a_copy_in_which_one_differs_shares_all_shelves_but_one() {
        let before = Shelves::of((10_000..20_000).map(|number| Thing(name(number), 0)));
        let mut after = before.clone();
        after.put(Thing(name(14_711), 1));
        let shared = before
            .0
            .iter()
            .zip(&after.0)
            .filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), before.0.len() - 1);
        assert_eq!(before.get(&name(14_711)).unwrap().1, 0);
        assert_eq!(after.get(&name(14_711)).unwrap().1, 1);
    }
}
