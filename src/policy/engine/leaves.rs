//! The parts of a context that go by number.

use smol_str::SmolStr;

use super::kept::Thing;

/// The paths of the context that a caller hands out by number, the first leaf of a record one that the record always
/// has. A rule that takes such a record whole, or a path that is none of these or below one, is left to Cedar.
///
/// With no leaves the caller gives the whole context.
#[derive(Clone, Copy, Debug)]
pub struct Leaves(pub &'static [&'static [&'static str]]);

/// How a path of the context stands to the leaves.
pub(super) enum Path {
    /// It is one.
    Leaf(usize),
    /// It leads below one, by these steps.
    Below(usize, Vec<SmolStr>),
    /// It is a record of several, this one the first.
    Record(usize),
    /// Nobody hands it out.
    Unknown,
}

impl Leaves {
    /// Whether no leaf before this one is in the record that its first `depth` steps lead to.
    pub(super) fn is_first(self, number: usize, depth: usize) -> bool {
        let record = |leaf: usize| self.0.get(leaf).and_then(|path| path.get(..depth));
        (0..number).all(|before| record(before) != record(number))
    }

    /// What a path of the context is.
    pub(super) fn sort(self, steps: &[SmolStr]) -> Path {
        for (number, leaf) in self.0.iter().enumerate() {
            let together = leaf.iter().zip(steps).take_while(|(one, other)| *one == other).count();
            match (together == leaf.len(), together == steps.len()) {
                (true, true) => return Path::Leaf(number),
                (true, false) => {
                    return Path::Below(number, steps.iter().skip(together).cloned().collect());
                }
                (false, true) => return Path::Record(number),
                (false, false) => {}
            }
        }
        Path::Unknown
    }
}

/// What a condition may look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads(u64);

impl Reads {
    pub(super) const ALL: Self = Self(u64::MAX);
    pub(super) const PRINCIPAL: Self = Self(1 << 63);
    pub(super) const RESOURCE: Self = Self(1 << 62);
    /// The action, the context as a whole, or people and things by name.
    pub(super) const OTHER: Self = Self(1 << 61);
    /// So many leaves are told apart.
    const LEAVES: u32 = 61;

    pub(super) fn one(leaf: usize) -> Self {
        u32::try_from(leaf)
            .ok()
            .filter(|leaf| *leaf < Self::LEAVES)
            .map_or(Self::ALL, |leaf| Self(1 << leaf))
    }

    /// The one thing that is looked at, if it is one.
    pub(super) fn alone(self) -> Option<Thing> {
        match self {
            Self::PRINCIPAL => Some(Thing::Principal),
            Self::RESOURCE => Some(Thing::Resource),
            Self(bits) if bits.is_power_of_two() && bits != Self::OTHER.0 => {
                usize::try_from(bits.trailing_zeros()).ok().map(Thing::Leaf)
            }
            Self(_) => None,
        }
    }

    pub(super) fn has(self, leaf: usize) -> bool {
        self.0 & Self::one(leaf).0 != 0
    }
}

impl FromIterator<Self> for Reads {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |all, one| all | one.0))
    }
}
