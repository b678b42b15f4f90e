//! What is in force at this moment, shared: readers take the whole of it and keep it, writers replace it at once.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::members::Members;
use super::read_where::Kinds;
use super::tried::Tried;
use super::{Directory, Rulebook};
use crate::facts::RulebookId;

/// What a decision rests on beside what was seen: the rules, and the people whom they are about. One value, and
/// immutable, so that nobody is judged as a person of one moment by the rules of another.
#[derive(Debug)]
pub struct InForce {
    /// The rules.
    pub rulebook: Arc<Rulebook>,
    /// The people.
    pub directory: Directory,
    /// What they were tried with, if they were.
    pub(super) tried: Option<Arc<Tried>>,
    /// Who is in the groups that purposes name.
    pub(super) members: Members,
    /// Where the gateway may read, once somebody looks.
    pub(super) kinds: OnceLock<Kinds>,
}

/// What is in force now. Take it once per request and hand it down as `&InForce`.
#[derive(Debug)]
pub struct Live {
    current: ArcSwap<InForce>,
    changed: watch::Sender<RulebookId>,
}

impl Live {
    /// Puts rules and people in force.
    pub fn new(in_force: InForce) -> Self {
        let changed = watch::Sender::new(in_force.rulebook.id().clone());
        Self {
            current: ArcSwap::from_pointee(in_force),
            changed,
        }
    }

    /// What is in force now.
    pub fn load(&self) -> Arc<InForce> {
        // Not `load`: its guard must not live across an await.
        self.current.load_full()
    }

    /// Puts other rules and people in force, together; who waits for changes hears of it after they are.
    pub fn replace(&self, in_force: InForce) {
        let id = in_force.rulebook.id().clone();
        self.current.store(Arc::new(in_force));
        self.changed.send_replace(id);
    }

    /// Tells of changes, also where only people changed: the id of the rulebook in force.
    pub fn changes(&self) -> watch::Receiver<RulebookId> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Mode;
    use crate::rulebook::Sources;

    fn shipped() -> InForce {
        Rulebook::assemble(&Sources::embedded()).unwrap().in_mode(Mode::Enforce)
    }

    #[test]
    fn a_reader_keeps_what_it_took_and_hears_of_the_change() {
        let live = Live::new(shipped());
        let changes = live.changes();
        let before = live.load();
        live.replace(InForce {
            directory: Directory::default(),
            ..shipped()
        });
        assert!(changes.has_changed().unwrap(), "also where the rules are the same");
        assert_eq!(before.rulebook.id(), live.load().rulebook.id());
        assert!(before.directory.people().next().is_some());
        assert!(live.load().directory.people().next().is_none());
    }
}
