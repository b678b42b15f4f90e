//! The grants in memory: what the hot path reads. Sharded, so that readers do not wait for a writer elsewhere.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState, PurposeId, SubjectId};

/// How many grants of one person are kept in memory: all that are in force, of either kind, and the latest of those that
/// are over.
pub(super) const REMEMBERED: usize = 64;
const _: () = assert!(REMEMBERED >= 2 * super::MOST_IN_FORCE);

const SHARDS: usize = 32;

/// Where a grant is in its life at a given moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// Not ended and not expired.
    Active,
    /// Its time is over.
    Expired,
    /// Ended by its holder.
    Withdrawn,
    /// Ended by somebody else.
    Revoked,
}

impl Life {
    /// Where `grant` is at `now`.
    pub fn of(grant: &Grant, now: Timestamp) -> Self {
        match grant.state {
            GrantState::Active if now < grant.expires => Self::Active,
            GrantState::Active => Self::Expired,
            GrantState::Withdrawn => Self::Withdrawn,
            GrantState::Revoked => Self::Revoked,
        }
    }

    /// The name used in metrics and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
        }
    }
}

/// How many grants for `purpose` are at this stage of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What for.
    pub purpose: PurposeId,
    /// Which stage.
    pub life: Life,
    /// How many.
    pub grants: u64,
}

/// What has become of the grants for one purpose, since the ledger was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) given: u64,
    pub(super) withdrawn: u64,
    pub(super) revoked: u64,
}

type Shard = RwLock<BTreeMap<SubjectId, Arc<[Grant]>>>;

/// The grants by holder. Only the writer thread changes it, after the change is on disk.
pub(super) struct View {
    shards: Vec<Shard>,
    holders: RwLock<BTreeMap<GrantId, SubjectId>>,
    tallies: RwLock<BTreeMap<PurposeId, Tally>>,
    changed: watch::Sender<u64>,
}

impl View {
    pub(super) fn new(by_subject: BTreeMap<SubjectId, Vec<Grant>>, tallies: BTreeMap<PurposeId, Tally>) -> Self {
        let mut shards: Vec<BTreeMap<SubjectId, Arc<[Grant]>>> = vec![BTreeMap::new(); SHARDS];
        let mut holders = BTreeMap::new();
        for (subject, grants) in by_subject {
            holders.extend(grants.iter().map(|grant| (grant.id.clone(), subject.clone())));
            if let Some(shard) = shards.get_mut(shard_of(&subject)) {
                shard.insert(subject, grants.into());
            }
        }
        Self {
            shards: shards.into_iter().map(RwLock::new).collect(),
            holders: RwLock::new(holders),
            tallies: RwLock::new(tallies),
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
        let subject = holders.get(id)?.clone();
        drop(holders);
        self.of(&subject).iter().find(|grant| grant.id == *id).cloned()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Shows a grant that has been given, and forgets the oldest of its holder's that are over.
    pub(super) fn given(&self, grant: Grant) {
        let now = grant.declared_at;
        self.count(&grant.purpose, |tally| tally.given += 1);
        self.change(&grant.subject.clone(), |grants| {
            grants.push(grant);
            grants.sort_by_key(|grant| (Life::of(grant, now) != Life::Active, std::cmp::Reverse(grant.expires)));
            grants.split_off(grants.len().min(REMEMBERED))
        });
    }

    /// Shows that a grant has ended.
    pub(super) fn ended(&self, ended: &Grant) {
        self.count(&ended.purpose, |tally| match ended.state {
            GrantState::Withdrawn => tally.withdrawn += 1,
            GrantState::Revoked => tally.revoked += 1,
            GrantState::Active => {}
        });
        self.change(&ended.subject, |grants| {
            for grant in grants.iter_mut().filter(|grant| grant.id == ended.id) {
                *grant = ended.clone();
            }
            Vec::new()
        });
    }

    pub(super) fn counts(&self, now: Timestamp) -> Vec<Count> {
        let mut active: BTreeMap<PurposeId, u64> = BTreeMap::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let grants = shard.values().flat_map(|grants| grants.iter());
            for grant in grants.filter(|grant| Life::of(grant, now) == Life::Active) {
                *active.entry(grant.purpose.clone()).or_default() += 1;
            }
        }
        let tallies = self.tallies.read().unwrap_or_else(PoisonError::into_inner);
        let lives = |(purpose, tally): (&PurposeId, &Tally)| {
            let active = active.get(purpose).copied().unwrap_or(0);
            let over = tally.withdrawn + tally.revoked;
            let expired = tally.given.saturating_sub(active + over);
            let count = |life, grants| Count {
                purpose: purpose.clone(),
                life,
                grants,
            };
            [
                count(Life::Active, active),
                count(Life::Expired, expired),
                count(Life::Withdrawn, tally.withdrawn),
                count(Life::Revoked, tally.revoked),
            ]
        };
        tallies.iter().flat_map(lives).collect()
    }

    fn count(&self, purpose: &PurposeId, step: impl FnOnce(&mut Tally)) {
        let mut tallies = self.tallies.write().unwrap_or_else(PoisonError::into_inner);
        step(tallies.entry(purpose.clone()).or_default());
    }

    /// Changes one person's grants and tells who listens; `edit` returns the grants that it forgot.
    fn change(&self, subject: &SubjectId, edit: impl FnOnce(&mut Vec<Grant>) -> Vec<Grant>) {
        let Some(shard) = self.shards.get(shard_of(subject)) else {
            return;
        };
        let mut grants = self.of(subject).to_vec();
        let forgotten = edit(&mut grants);
        let mut holders = self.holders.write().unwrap_or_else(PoisonError::into_inner);
        holders.extend(grants.iter().map(|grant| (grant.id.clone(), subject.clone())));
        for grant in forgotten {
            holders.remove(&grant.id);
        }
        drop(holders);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(subject.clone(), grants.into());
        drop(shard);
        self.changed.send_modify(|count| *count += 1);
    }
}

fn shard_of(subject: &SubjectId) -> usize {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    usize::try_from(hasher.finish() % (SHARDS as u64)).unwrap_or(0)
}
