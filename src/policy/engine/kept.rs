//! What shared parts of conditions came to that hang on one thing alone. While that thing is the same, so is the answer: a
//! part that asks only who somebody is, or only what a grant says, is evaluated once for all their requests.

use std::sync::atomic::{AtomicU8, Ordering};

use cedar_policy_core::ast::Value;

use super::Doubt;

/// So many parts of a kind are remembered for each thing; those of more are evaluated each time.
pub(super) const MOST: usize = 512;

/// The one thing that a shared part hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Principal,
    Resource,
    Leaf(usize),
}

/// What parts came to that hang on one thing, by their number among those.
#[derive(Debug, Default)]
pub(super) struct Kept(Box<[AtomicU8]>);

const UNKNOWN: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const DOUBT: u8 = 3;

impl Kept {
    /// Of a thing that so many parts hang on.
    pub(super) fn of(parts: usize) -> Self {
        Self((0..parts.min(MOST)).map(|_| AtomicU8::new(UNKNOWN)).collect())
    }

    /// What is kept of the part of this number; none where that is not remembered.
    pub(super) fn part(&self, number: usize) -> Option<Part<'_>> {
        self.0.get(number).map(Part)
    }
}

/// What one part came to.
#[derive(Clone, Copy)]
pub(super) struct Part<'a>(&'a AtomicU8);

impl Part<'_> {
    /// What it came to; none as long as nobody asked.
    pub(super) fn known(self) -> Option<Result<bool, Doubt>> {
        match self.0.load(Ordering::Relaxed) {
            FALSE => Some(Ok(false)),
            TRUE => Some(Ok(true)),
            DOUBT => Some(Err(Doubt)),
            _ => None,
        }
    }

    /// Two threads that ask at once come to the same.
    pub(super) fn keep(self, came_to: Result<bool, Doubt>) {
        let told = match came_to {
            Ok(false) => FALSE,
            Ok(true) => TRUE,
            Err(Doubt) => DOUBT,
        };
        self.0.store(told, Ordering::Relaxed);
    }
}

/// Whose entities were looked up.
#[derive(Clone, Copy, Default)]
pub(super) struct LookedUp {
    pub(super) principal: bool,
    pub(super) resource: bool,
    pub(super) other: bool,
}

impl LookedUp {
    /// Whether these are nobody's but its own.
    pub(super) fn is_only(self, thing: Thing) -> bool {
        match thing {
            Thing::Principal => !self.resource && !self.other,
            Thing::Resource => !self.principal && !self.other,
            Thing::Leaf(_) => !self.principal && !self.resource && !self.other,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            principal: self.principal || other.principal,
            resource: self.resource || other.resource,
            other: self.other || other.other,
        }
    }
}

/// What a leaf holds, where that comes again, with what parts that hang on it alone came to.
#[derive(Debug)]
pub struct Held {
    value: Value,
    pub(super) kept: Kept,
}

impl Held {
    /// A value that hardly comes again: nothing is kept of it.
    pub fn once(value: Value) -> Self {
        Self {
            value,
            kept: Kept::default(),
        }
    }

    pub(super) fn new(value: Value, parts: usize) -> Self {
        Self {
            value,
            kept: Kept::of(parts),
        }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }
}
