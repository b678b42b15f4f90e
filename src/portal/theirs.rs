//! What one person met: bounded, newest last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Stopped;
use super::memory::{KEPT, Kept, Met};
use super::met::REFUSAL;
use crate::clock::Timestamp;
use crate::ledger::Envelope;

/// How many refusals are remembered for one person; as many tunnels that were stopped.
pub(super) const EACH: usize = 16;

/// Something, and whether other gateways have been told of it.
pub(super) struct Remembered<T> {
    pub(super) it: T,
    pub(super) told: bool,
    /// Whether it was met at this gateway, which has handed out a link to it.
    here: bool,
}

/// Envelopes by kind and name: how they begin, which is another each time one is sealed, and whether it is of a page.
pub(super) type Opened = BTreeMap<(String, String), (Vec<u8>, bool)>;

/// What one person met, newest last.
#[derive(Default)]
pub(super) struct Theirs {
    pub(super) refusals: Vec<Remembered<Arc<Kept>>>,
    pub(super) stopped: Vec<Remembered<Stopped>>,
    /// What was opened of what gateways keep, and not forgotten here since.
    opened: Opened,
}

impl Theirs {
    /// When they met something last.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        let refused = self.refusals.last().map(|kept| kept.it.refused.seen.at);
        refused.max(self.stopped.last().map(|stopped| stopped.it.at))
    }

    /// Adds a refusal that was met here: whatever is remembered already, by whichever clock, this is.
    pub(super) fn meets(&mut self, kept: Arc<Kept>, told: bool) {
        self.refusals.retain(|old| !kept.replaces(&old.it));
        let place = self.insert(Remembered {
            it: kept,
            told,
            here: true,
        });
        self.make_room(Some(place));
    }

    /// Adds one that another gateway told of, in its place in time. It takes the place of none that was met here.
    pub(super) fn learns(&mut self, kept: Arc<Kept>) {
        let is_later = |other: &Remembered<Arc<Kept>>| other.it.replaces(&kept) && other.it.at() > kept.at();
        if self.refusals.iter().any(is_later) {
            return;
        }
        self.refusals.retain(|old| old.here || !kept.replaces(&old.it));
        self.insert(Remembered {
            it: kept,
            told: true,
            here: false,
        });
        self.make_room(None);
    }

    fn insert(&mut self, new: Remembered<Arc<Kept>>) -> usize {
        let place = self.refusals.partition_point(|other| other.it.at() <= new.it.at());
        self.refusals.insert(place, new);
        place
    }

    /// Forgets one where there are too many. A page that fires a hundred calls must not push out the refusal of the page itself.
    fn make_room(&mut self, but: Option<usize>) {
        if self.refusals.len() <= EACH {
            return;
        }
        let mut others = self
            .refusals
            .iter()
            .enumerate()
            .filter(|(place, _)| Some(*place) != but);
        let is_call = |(_, old): &(usize, &Remembered<Arc<Kept>>)| old.it.refused.back.is_none();
        let victim = others.clone().find(is_call).or_else(|| others.next());
        if let Some(victim) = victim.map(|(place, _)| place) {
            let victim = self.refusals.remove(victim);
            // it is told again where others still know it
            self.opened.remove(&named(REFUSAL, &victim.it));
        }
    }

    /// Adds a tunnel that was stopped here: of the same to one host, this stays, whatever clocks say.
    pub(super) fn meets_stopped(&mut self, stopped: Stopped, told: bool) {
        self.stopped.retain(|old| !old.it.is_like(&stopped));
        self.insert_stopped(Remembered {
            it: stopped,
            told,
            here: true,
        });
    }

    /// Adds one that another gateway told of. It takes the place of none that was stopped here.
    pub(super) fn learns_stopped(&mut self, stopped: Stopped) {
        let is_like = |old: &Remembered<Stopped>| old.it.is_like(&stopped);
        // also what was told by this gateway
        if self.stopped.iter().any(|old| is_like(old) && old.it.at >= stopped.at) {
            return;
        }
        self.stopped.retain(|old| old.here || !is_like(old));
        self.insert_stopped(Remembered {
            it: stopped,
            told: true,
            here: false,
        });
    }

    fn insert_stopped(&mut self, new: Remembered<Stopped>) {
        let here = new.here;
        let place = self.stopped.partition_point(|other| other.it.at <= new.it.at);
        self.stopped.insert(place, new);
        if self.stopped.len() > EACH {
            // not the one that has just been met
            self.stopped.remove(usize::from(here && place == 0));
        }
    }

    /// Forgets what is too old to be shown; whether anything is left.
    pub(super) fn forgets(&mut self, now: Timestamp) -> bool {
        self.refusals.retain(|kept| now.since(kept.it.at()) < KEPT);
        self.stopped.retain(|stopped| now.since(stopped.it.at) < KEPT);
        self.latest().is_some()
    }

    /// What others are to be told, which counts as told from now on.
    pub(super) fn untold(&mut self, now: Timestamp) -> Vec<Met> {
        let refusals = self.refusals.iter_mut().filter(|kept| !kept.told);
        let refusals = refusals.map(|kept| {
            kept.told = true;
            Met::Refused(Arc::clone(&kept.it))
        });
        let stopped = self.stopped.iter_mut().filter(|stopped| !stopped.told);
        let stopped = stopped.map(|stopped| {
            stopped.told = true;
            Met::Stopped(stopped.it.clone())
        });
        let fresh = |met: &Met| now.since(met.at()) < KEPT;
        refusals.chain(stopped).filter(fresh).collect()
    }

    /// What of all that gateways keep has not been opened, and all of it, which is to be [noted](Self::has_opened) then.
    pub(super) fn unopened(&self, envelopes: Vec<Envelope>) -> (Vec<Envelope>, Opened) {
        let begins = |one: &Envelope| one.sealed.iter().take(16).copied().collect::<Vec<u8>>();
        let key = |one: &Envelope| (one.kind.clone(), one.name.clone());
        let all: Opened = envelopes
            .iter()
            .map(|one| (key(one), (begins(one), one.stays)))
            .collect();
        let mut unopened = envelopes;
        unopened.retain(|one| self.opened.get(&key(one)) != all.get(&key(one)));
        (unopened, all)
    }

    /// Notes what was opened, but for pages for which there was no room.
    pub(super) fn has_opened(&mut self, mut opened: Opened) {
        let here: BTreeSet<_> = self.refusals.iter().map(|one| named(REFUSAL, &one.it)).collect();
        opened.retain(|key, (_, is_page)| !*is_page || here.contains(key));
        self.opened = opened;
    }
}

/// What the envelope of a page is called.
fn named(kind: &str, kept: &Kept) -> (String, String) {
    (kind.to_owned(), kept.refused.record.as_str().to_owned())
}
