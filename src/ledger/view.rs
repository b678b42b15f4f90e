//! The grants in memory: what the hot path reads. Sharded, so that readers do not wait for a writer elsewhere.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::ops::{Bound, ControlFlow};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::becoming::counts_from;
use super::delegated::{Delegations, delegated_of};
use super::holder::{Holder, Named};
use super::life::{Count, Life};
use super::store::Held;
use super::tallies::Tallies;
use super::uses::{Uses, same_but_for_use};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState, PurposeId, Report, SubjectId};

/// How many grants of one person are kept in memory: all that wait or are in force, of either kind, and the latest of those
/// that are over.
pub(super) const REMEMBERED: usize = 128;
const _: () = assert!(REMEMBERED > 3 * super::MOST_IN_FORCE);

const SHARDS: usize = 32;

/// So many names are passed by at most before others have their turn.
const PASSED: usize = 8192;

type Shard = RwLock<BTreeMap<SubjectId, Arc<[Grant]>>>;

/// The grants by holder. Only the writer thread changes it, after the change is on disk.
pub(super) struct View {
    shards: Vec<Shard>,
    holders: RwLock<BTreeMap<GrantId, Holder>>,
    /// What was asked for and is not answered, and by whom; also where nobody has noticed yet that it lapsed.
    asked: Named,
    /// What was taken in an emergency and is not reviewed.
    unreviewed: Named,
    pub(super) tallies: Tallies,
    pub(super) uses: Uses,
    pub(super) delegations: Delegations,
    /// Of what was said before that moment only that it was said is kept, though it is on disk for a while yet.
    settled_before: AtomicI64,
    changed: watch::Sender<u64>,
}

impl View {
    pub(super) fn new(held: Held) -> Self {
        let Held {
            by_subject,
            tallies,
            paces,
        } = held;
        let mut shards: Vec<BTreeMap<SubjectId, Arc<[Grant]>>> = vec![BTreeMap::new(); SHARDS];
        let mut holders = BTreeMap::new();
        let asked = Named::those(|grant| grant.state == GrantState::Requested);
        let unreviewed = Named::those(Grant::awaits_review);
        let (uses, delegations) = (Uses::default(), Delegations::default());
        for (subject, mut grants) in by_subject {
            for grant in &mut grants {
                uses.resume(grant);
            }
            asked.follow(Vec::new(), &grants);
            unreviewed.follow(Vec::new(), &grants);
            delegations.follow(&[], &delegated_of(&grants));
            holders.extend(grants.iter().map(Holder::of));
            if let Some(shard) = shards.get_mut(shard_of(&subject)) {
                shard.insert(subject, grants.into());
            }
        }
        Self {
            shards: shards.into_iter().map(RwLock::new).collect(),
            holders: RwLock::new(holders),
            asked,
            unreviewed,
            tallies: Tallies::new(tallies, paces),
            uses,
            delegations,
            settled_before: AtomicI64::new(i64::MIN),
            changed: watch::Sender::new(0),
        }
    }

    /// The grants of one person, in no order.
    pub(super) fn of(&self, subject: &SubjectId) -> Arc<[Grant]> {
        let found = self.shards.get(shard_of(subject)).and_then(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.get(subject).map(Arc::clone)
        });
        found.unwrap_or_default()
    }

    pub(super) fn get(&self, id: &GrantId) -> Option<Grant> {
        let holders = self.holders.read().unwrap_or_else(PoisonError::into_inner);
        let subject = holders.get(id)?.who.clone();
        drop(holders);
        let found = self.of(&subject).iter().find(|grant| grant.id == *id).cloned();
        found.map(|grant| self.uses.told(grant))
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Tells who listens that something has changed that is no grant.
    pub(super) fn wakes(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// What was asked for and is not answered, whether or not it has lapsed by now; in the order of asking.
    pub(super) fn asked(&self) -> Vec<Grant> {
        self.named(&self.asked)
    }

    /// What was taken in an emergency and nobody has reviewed; in the order of taking.
    pub(super) fn unreviewed(&self) -> Vec<Grant> {
        let grants = self.named(&self.unreviewed).into_iter();
        grants.map(|grant| self.uses.told(grant)).collect()
    }

    fn named(&self, named: &Named) -> Vec<Grant> {
        let grants = named.all().into_iter().filter_map(|(id, subject)| {
            let theirs = self.of(&subject);
            let mut theirs = theirs.iter().filter(|grant| named.means(grant));
            theirs.find(|grant| grant.id == id).cloned()
        });
        grants.collect()
    }

    /// Shows `look` the next `count` grants after the one named so that may wait or be in force at `now`, in the order of
    /// their names, which is that of time; gives the name up to which all is looked at, unless nothing follows, or `look`
    /// breaks off. Most of what is kept is over, and is passed by unseen.
    pub(super) fn look_on(
        &self,
        after: Option<&GrantId>,
        (count, now): (usize, Timestamp),
        mut look: impl FnMut(&Grant) -> ControlFlow<()>,
    ) -> Option<GrantId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut alive, mut last) = (Vec::new(), None);
        let holders = self.holders.read().unwrap_or_else(PoisonError::into_inner);
        for (id, holder) in holders.range::<GrantId, _>((from, Bound::Unbounded)).take(PASSED) {
            last = Some(id);
            if holder.may_be_alive(now) {
                alive.push((id.clone(), holder.who.clone()));
                if alive.len() >= count {
                    break;
                }
            }
        }
        let last = last.cloned();
        // nobody waits for what `look` takes
        drop(holders);
        for (id, subject) in &alive {
            let theirs = self.of(subject);
            let Some(grant) = theirs.iter().find(|grant| grant.id == *id) else {
                continue;
            };
            let looked = if grant.idle.is_some() {
                look(&self.uses.told(grant.clone()))
            } else {
                look(grant)
            };
            if looked.is_break() {
                return None;
            }
        }
        last
    }

    /// How many grants `wanted` picks.
    pub(super) fn how_many(&self, mut wanted: impl FnMut(&Grant) -> bool) -> usize {
        let mut found = 0;
        self.each(|grant| found += usize::from(wanted(grant)));
        found
    }

    /// Shows `look` all grants, in no order.
    pub(super) fn each(&self, mut look: impl FnMut(&Grant)) {
        for shard in &self.shards {
            // nobody waits for what `look` takes
            let people: Vec<Arc<[Grant]>> = {
                let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
                shard.values().cloned().collect()
            };
            people.iter().flat_map(|grants| grants.iter()).for_each(&mut look);
        }
    }

    /// Shows what has become of a grant, and forgets what was over first of its holder's; never what nobody has answered
    /// or reviewed.
    pub(super) fn shows(&self, mut grant: Grant) {
        if let Some(report) = &mut grant.report {
            self.settle(report);
        }
        let reported_at = grant.report.as_ref().map(Report::said_at);
        let now = reported_at.or(grant.ended_at).unwrap_or_else(|| counts_from(&grant));
        // what the view has forgotten is over, and does not change but for what its holder says of it
        let was = self.get(&grant.id);
        if was.is_none() && grant.report.is_some() && self.of(&grant.subject).len() >= REMEMBERED {
            return;
        }
        let same = was.as_ref().is_some_and(|was| same_but_for_use(was, &grant));
        self.uses.follow(&mut grant);
        if same {
            return;
        }
        self.tallies.follow(was.as_ref(), Some(&grant));
        self.change(&grant.subject.clone(), |grants| {
            grants.retain(|old| old.id != grant.id);
            grants.push(grant);
            let waits = |grant: &Grant| grant.state == GrantState::Requested || grant.awaits_review();
            let is_over = |grant: &Grant| !waits(grant) && Life::of(grant, now).is_over();
            grants.sort_by_key(|grant| (is_over(grant), std::cmp::Reverse(grant.until())));
            grants.split_off(grants.len().min(REMEMBERED))
        });
    }

    /// Forgets a grant that never counted.
    pub(super) fn forgets(&self, id: &GrantId) {
        let Some(grant) = self.get(id) else {
            return;
        };
        self.tallies.follow(Some(&grant), None);
        self.change(&grant.subject, |grants| {
            grants.extract_if(.., |one| one.id == *id).collect()
        });
    }

    /// Forgets what holders said came of grants, first before that moment, but for that they did; also of what is shown from
    /// now on.
    pub(super) fn settles(&self, before: Timestamp) {
        self.settled_before.store(before.as_millis(), Ordering::Relaxed);
        let is_due = |report: &&Report| self.is_due(report);
        let mut whose = BTreeSet::new();
        self.each(|grant| whose.extend(grant.report.as_ref().filter(is_due).map(|_| grant.subject.clone())));
        for subject in whose {
            self.change(&subject, |grants| {
                let reports = grants.iter_mut().filter_map(|grant| grant.report.as_mut());
                reports.for_each(|report| self.settle(report));
                Vec::new()
            });
        }
    }

    fn is_due(&self, report: &Report) -> bool {
        report.at.as_millis() < self.settled_before.load(Ordering::Relaxed) && !report.settled
    }

    fn settle(&self, report: &mut Report) {
        if self.is_due(report) {
            *report = report.settled();
        }
    }

    pub(super) fn counts(&self, now: Timestamp) -> Vec<Count> {
        let mut alive: BTreeMap<(PurposeId, Life), u64> = BTreeMap::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            for grant in shard.values().flat_map(|grants| grants.iter()) {
                let life = Life::of(grant, now);
                if !life.is_over() && !self.uses.is_idle(grant, now) {
                    *alive.entry((grant.purpose.clone(), life)).or_default() += 1;
                }
            }
        }
        let tallies = self.tallies.states();
        let lives = tallies.iter().flat_map(|(purpose, tally)| {
            let alive = |life| alive.get(&(purpose.clone(), life)).copied().unwrap_or(0);
            let kept = |state| tally.get(&state).copied().unwrap_or(0);
            // what is alive is in memory, all of it; of what is over, only the number is
            let gone = |state, alive: u64| kept(state).saturating_sub(alive);
            Life::ALL.map(|life| Count {
                purpose: purpose.clone(),
                life,
                grants: match life {
                    Life::Requested | Life::Approved | Life::Active => alive(life),
                    Life::Expired => gone(GrantState::Active, alive(Life::Approved) + alive(Life::Active)),
                    Life::Withdrawn => kept(GrantState::Withdrawn),
                    Life::Revoked => kept(GrantState::Revoked),
                    Life::Declined => kept(GrantState::Declined),
                    Life::Lapsed => kept(GrantState::Lapsed) + gone(GrantState::Requested, alive(Life::Requested)),
                },
            })
        });
        lives.collect()
    }

    /// Changes one person's grants and tells who listens; `edit` returns the grants that it forgot.
    fn change(&self, subject: &SubjectId, edit: impl FnOnce(&mut Vec<Grant>) -> Vec<Grant>) {
        let Some(shard) = self.shards.get(shard_of(subject)) else {
            return;
        };
        let mut grants = self.of(subject).to_vec();
        let (asked, unreviewed) = (self.asked.among(&grants), self.unreviewed.among(&grants));
        let given = delegated_of(&grants);
        let forgotten = edit(&mut grants);
        self.delegations.follow(&given, &delegated_of(&grants));
        let mut holders = self.holders.write().unwrap_or_else(PoisonError::into_inner);
        holders.extend(grants.iter().map(Holder::of));
        for grant in forgotten {
            holders.remove(&grant.id);
            self.uses.forget(&grant.id);
        }
        drop(holders);
        self.asked.follow(asked, &grants);
        self.unreviewed.follow(unreviewed, &grants);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(subject.clone(), grants.into());
        drop(shard);
        self.wakes();
    }
}

fn shard_of(subject: &SubjectId) -> usize {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    usize::try_from(hasher.finish() % (SHARDS as u64)).unwrap_or(0)
}
