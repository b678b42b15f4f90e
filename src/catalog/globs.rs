//! Many globs over paths, held against a path at once: what they begin with in common is compared once for all of them.

use super::path::{PathGlob, Segments};

/// Globs over paths, each with what it stands for, by the literal segments that they begin with.
#[derive(Debug)]
pub(super) struct GlobTree<T> {
    /// The globs whose literal segments end here: what follows is a star, or nothing.
    here: Vec<(PathGlob, Vec<T>)>,
    /// Those that go on with another one.
    below: Vec<(Box<str>, Self)>,
}

impl<T> Default for GlobTree<T> {
    fn default() -> Self {
        Self {
            here: Vec::new(),
            below: Vec::new(),
        }
    }
}

impl<T> GlobTree<T> {
    /// Adds what a glob stands for; the same glob may stand for several things.
    pub(super) fn add(&mut self, glob: &PathGlob, what: T) {
        self.add_below(&glob.literal_start(), glob, what);
    }

    fn add_below(&mut self, start: &[&str], glob: &PathGlob, what: T) {
        if let Some((name, rest)) = start.split_first() {
            let known = self
                .below
                .iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            if let Some((_, tree)) = known {
                return tree.add_below(rest, glob, what);
            }
            let mut tree = Self::default();
            tree.add_below(rest, glob, what);
            self.below.push(((*name).into(), tree));
            return;
        }
        match self.here.iter_mut().find(|(known, _)| known == glob) {
            Some((_, all)) => all.push(what),
            None => self.here.push((glob.clone(), vec![what])),
        }
    }

    /// The globs that match a path, whatever the case of either, each with all that it stands for.
    pub(super) fn matching<'t, 'p>(
        &'t self,
        path: &'p Segments<'p>,
    ) -> impl Iterator<Item = (&'t PathGlob, &'t [T])> + use<'t, 'p, T> {
        let deeper = |(tree, path): &(&'t Self, &'p [&'p str])| {
            let (name, rest) = path.split_first()?;
            let (_, tree) = tree.below.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            Some((tree, rest))
        };
        // INVARIANT: a glob that matches begins as the path does, so it stands somewhere on this way.
        let way = std::iter::successors(Some((self, path.as_slice())), deeper);
        way.flat_map(|(tree, _)| &tree.here)
            .filter(move |(glob, _)| glob.matches(path, true))
            .map(|(glob, all)| (glob, all.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Globs and paths of few words, so that they often meet.
    fn some_globs() -> impl Strategy<Value = Vec<(String, bool)>> {
        let glob = "(/(a|A|b|bc|\\*|\\*\\*|a\\*|\\*c)){0,5}/?";
        prop::collection::vec((glob, any::<bool>()), 0..30)
    }

    proptest! {
        #[test]
        fn a_tree_finds_the_globs_that_match_one_by_one(globs in some_globs(), path in "(/(a|A|b|B|bc|bC|c|)){0,6}") {
            let parsed = globs.iter().filter_map(|(glob, fold)| PathGlob::parse(glob, *fold).ok());
            let globs: Vec<PathGlob> = parsed.collect();
            let mut tree = GlobTree::default();
            for (at, glob) in globs.iter().enumerate() {
                tree.add(glob, at);
            }
            let path = Segments::of(&path);
            let found: Vec<usize> = tree.matching(&path).flat_map(|(_, all)| all.iter().copied()).collect();
            let matching = globs.iter().enumerate().filter(|(_, glob)| glob.matches(&path, true));
            let matching: BTreeSet<usize> = matching.map(|(at, _)| at).collect();
            prop_assert_eq!(found.len(), matching.len());
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<usize>>(), matching);
        }
    }
}
