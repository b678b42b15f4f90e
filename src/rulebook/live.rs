//! The rules and the people of this moment, shared: readers take a whole one and keep it, writers replace it at once.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::{Directory, Rulebook};
use crate::facts::RulebookId;

/// The rulebook in force. Take it once per request and hand it down as `&Rulebook`.
#[derive(Debug)]
pub struct LiveRulebook {
    current: ArcSwap<Rulebook>,
    changed: watch::Sender<RulebookId>,
}

impl LiveRulebook {
    /// Puts `rulebook` in force.
    pub fn new(rulebook: Arc<Rulebook>) -> Self {
        let changed = watch::Sender::new(rulebook.id().clone());
        Self {
            current: ArcSwap::new(rulebook),
            changed,
        }
    }

    /// The rulebook in force now.
    pub fn load(&self) -> Arc<Rulebook> {
        // Not `load`: its guard must not live across an await.
        self.current.load_full()
    }

    /// Puts another rulebook in force; who waits for changes hears of it after it is.
    pub fn replace(&self, rulebook: Arc<Rulebook>) {
        let id = rulebook.id().clone();
        self.current.store(rulebook);
        self.changed.send_replace(id);
    }

    /// Tells of changes: the id of the rulebook in force.
    pub fn changes(&self) -> watch::Receiver<RulebookId> {
        self.changed.subscribe()
    }
}

/// The directory of this moment. It changes apart from the rules.
#[derive(Debug)]
pub struct LiveDirectory {
    current: ArcSwap<Directory>,
    changed: watch::Sender<u64>,
}

impl LiveDirectory {
    /// Starts with `directory`.
    pub fn new(directory: Arc<Directory>) -> Self {
        Self {
            current: ArcSwap::new(directory),
            changed: watch::Sender::new(0),
        }
    }

    /// The directory now.
    pub fn load(&self) -> Arc<Directory> {
        self.current.load_full()
    }

    /// Puts another directory in its place; who waits for changes hears of it after it is.
    pub fn replace(&self, directory: Arc<Directory>) {
        self.current.store(directory);
        self.changed.send_modify(|revision| *revision += 1);
    }

    /// Tells of changes: how many there were.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_keeps_what_it_took_and_hears_of_the_change() {
        let live = LiveDirectory::new(Arc::new(Directory::default()));
        let changes = live.changes();
        let before = live.load();
        live.replace(Arc::new(Directory::default()));
        assert!(!Arc::ptr_eq(&before, &live.load()));
        assert!(changes.has_changed().unwrap());
    }
}
