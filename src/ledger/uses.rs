//! When each grant that may not go unused for too long was used last, and when each other was first: a stamp of its own, so
//! that a request that passes under it waits for nobody. Written down now and then, and not with every use.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::facts::{Grant, GrantId, GrantState, USE_FORGOTTEN};

/// Stands for the use of what was not used yet.
const NEVER: i64 = i64::MIN;

const SHARDS: usize = 32;

#[derive(Default)]
struct Shard {
    stamps: RwLock<Stamps>,
    news: Arc<News>,
}

/// What was used and may not be written down yet: mostly little of what is in force.
#[derive(Default)]
struct News(Mutex<BTreeSet<GrantId>>);

/// Apart, so that what may go unused is not looked at when it is looked, every second, for what did for too long.
#[derive(Default)]
struct Stamps {
    limited: BTreeMap<GrantId, Arc<Stamp>>,
    unlimited: BTreeMap<GrantId, Arc<Stamp>>,
}

/// The stamps of what is in force.
pub(super) struct Uses(Vec<Shard>);

/// When a grant was used last, in milliseconds; where it may go unused, when it was first.
struct Stamp {
    id: GrantId,
    last: AtomicI64,
    /// What of it is on disk.
    kept: AtomicI64,
    /// Whether it is among what may not be written down yet.
    is_news: AtomicBool,
    news: Arc<News>,
    /// For how long it may go unused; none: until it expires.
    limit: Option<Duration>,
    /// When it is over in any case.
    expires: Timestamp,
}

/// The use of one grant.
#[derive(Clone)]
pub struct InUse(Arc<Stamp>);

impl Default for Uses {
    fn default() -> Self {
        Self(std::iter::repeat_with(Shard::default).take(SHARDS).collect())
    }
}

impl Uses {
    /// Follows `grant` from now on if it is in force, and else not any more. What it says of its last
    /// use is taken from it: from here on the stamp says it.
    pub(super) fn follow(&self, grant: &mut Grant) {
        let Some(shard) = self.0.get(shard_of(&grant.id)) else {
            return;
        };
        let alive = grant.state == GrantState::Active && grant.ended_at.is_none();
        let limit = grant.idle;
        let mut stamps = shard.stamps.write().unwrap_or_else(PoisonError::into_inner);
        if !alive {
            stamps.remove(&grant.id);
            return;
        }
        let begins = limit.map_or(NEVER, |_| grant.not_before.as_millis());
        let last = grant.used_at.take().map_or(begins, Timestamp::as_millis);
        // what another gateway has seen of it puts off its end here, too, also for what is under way
        if let Some(stamp) = stamps.get(&grant.id).filter(|stamp| stamp.is_of(grant, limit)) {
            stamp.last.fetch_max(last, Ordering::Relaxed);
            stamp.kept.fetch_max(last, Ordering::Relaxed);
            return;
        }
        let stamp = Stamp {
            id: grant.id.clone(),
            last: last.into(),
            kept: last.into(),
            is_news: false.into(),
            news: Arc::clone(&shard.news),
            limit,
            expires: grant.expires,
        };
        stamps.insert(stamp);
    }

    /// Follows what an earlier life of the ledger left in force: as it may have been used since that was written down last,
    /// so that a start never ends it early.
    pub(super) fn resume(&self, grant: &mut Grant) {
        if grant.idle.is_some() && grant.ended_at.is_none() {
            let last = grant.used_at.unwrap_or(grant.not_before);
            grant.used_at = Some(last.plus(USE_FORGOTTEN));
        }
        self.follow(grant);
    }

    /// The grant is not in memory any more.
    pub(super) fn forget(&self, id: &GrantId) {
        if let Some(shard) = self.0.get(shard_of(id)) {
            let mut stamps = shard.stamps.write().unwrap_or_else(PoisonError::into_inner);
            stamps.remove(id);
        }
    }

    pub(super) fn of(&self, id: &GrantId) -> Option<InUse> {
        let shard = self.0.get(shard_of(id))?;
        read(shard).get(id).map(|stamp| InUse(Arc::clone(stamp)))
    }

    /// Whether `grant` has gone unused for too long at `now`.
    pub(super) fn is_idle(&self, grant: &Grant, now: Timestamp) -> bool {
        // most grants may go unused, and nothing is looked up for them
        grant.idle.is_some() && self.of(&grant.id).is_some_and(|in_use| in_use.until() <= now)
    }

    /// `grant`, with what is known of its last use.
    pub(super) fn told(&self, mut grant: Grant) -> Grant {
        // what is over says so itself
        if grant.ended_at.is_none()
            && let Some(in_use) = self.of(&grant.id)
        {
            grant.used_at = grant.used_at.max(in_use.last());
        }
        grant
    }

    /// What has gone unused for too long at `now`, and for `longer` beyond that; what expired first only expired.
    pub(super) fn idle(&self, now: Timestamp, longer: Duration) -> Vec<GrantId> {
        let is_idle = |stamp: &Stamp| {
            let until = stamp.until();
            until.plus(longer) <= now && until < stamp.expires
        };
        let mut idle = Vec::new();
        for shard in &self.0 {
            let stamps = read(shard);
            let found = stamps.limited.iter().filter(|(_, stamp)| is_idle(stamp));
            idle.extend(found.map(|(id, _)| id.clone()));
        }
        idle
    }

    /// What was used since that was written down, and when last.
    pub(super) fn unkept(&self) -> Vec<(GrantId, Timestamp)> {
        let mut unkept = Vec::new();
        for shard in &self.0 {
            // whoever uses something meanwhile does not wait until that is looked through
            let mut news = std::mem::take(&mut *shard.news.lock());
            if news.is_empty() {
                continue;
            }
            let stamps = read(shard);
            news.retain(|id| stamps.get(id).is_some_and(|stamp| stamp.stays_news()));
            unkept.extend(news.iter().filter_map(|id| Some((id.clone(), stamps.get(id)?.last()?))));
            shard.news.lock().append(&mut news);
        }
        unkept
    }

    /// This is on disk.
    pub(super) fn kept(&self, uses: &[(GrantId, Timestamp)]) {
        for (id, at) in uses {
            if let Some(InUse(stamp)) = self.of(id) {
                stamp.kept.fetch_max(at.as_millis(), Ordering::Relaxed);
            }
        }
    }
}

impl Stamps {
    fn get(&self, id: &GrantId) -> Option<&Arc<Stamp>> {
        self.limited.get(id).or_else(|| self.unlimited.get(id))
    }

    fn insert(&mut self, stamp: Stamp) {
        self.remove(&stamp.id);
        let those = if stamp.limit.is_some() {
            &mut self.limited
        } else {
            &mut self.unlimited
        };
        those.insert(stamp.id.clone(), Arc::new(stamp));
    }

    fn remove(&mut self, id: &GrantId) {
        self.limited.remove(id);
        self.unlimited.remove(id);
    }
}

impl News {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<GrantId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamp {
    /// It was used. Mostly the use before is not written down either, and there is nothing to do.
    fn becomes_news(&self) {
        if !self.is_news.swap(true, Ordering::AcqRel) {
            self.news.lock().insert(self.id.clone());
        }
    }

    /// Whether it is still to be written down. A use at this moment finds that it is news no more, or is found here.
    fn stays_news(&self) -> bool {
        if self.is_unkept() {
            return true;
        }
        self.is_news.swap(false, Ordering::AcqRel);
        self.is_unkept() && !self.is_news.swap(true, Ordering::AcqRel)
    }

    fn is_unkept(&self) -> bool {
        self.last.load(Ordering::Relaxed) > self.kept.load(Ordering::Relaxed)
    }

    fn is_of(&self, grant: &Grant, limit: Option<Duration>) -> bool {
        (self.limit, self.expires) == (limit, grant.expires)
    }

    fn until(&self) -> Timestamp {
        let idle = self.limit.zip(self.last());
        idle.map_or(self.expires, |(limit, last)| last.plus(limit))
    }

    fn last(&self) -> Option<Timestamp> {
        let last = self.last.load(Ordering::Relaxed);
        (last != NEVER).then(|| Timestamp::from_millis(last))
    }
}

impl InUse {
    /// The grant is used at `at`. What is over by then stays so.
    pub fn touch(&self, at: Timestamp) {
        let later = |last: i64| {
            let is_later = match self.0.limit {
                Some(limit) => last < at.as_millis() && at < Timestamp::from_millis(last).plus(limit),
                // once is enough: nothing hangs on when it was last
                None => last == NEVER && at < self.0.expires,
            };
            is_later.then_some(at.as_millis())
        };
        // where another use is later, that one counts
        if self
            .0
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later)
            .is_ok()
        {
            self.0.becomes_news();
        }
    }

    /// Until when it may go unused.
    pub fn until(&self) -> Timestamp {
        self.0.until()
    }

    /// When it was used last, as far as it is followed.
    fn last(&self) -> Option<Timestamp> {
        self.0.last()
    }
}

/// Whether two grants differ in nothing but when they were used last.
pub(super) fn same_but_for_use(one: &Grant, other: &Grant) -> bool {
    let used_at = one.used_at;
    *one == Grant {
        used_at,
        ..other.clone()
    }
}

fn read(shard: &Shard) -> RwLockReadGuard<'_, Stamps> {
    shard.stamps.read().unwrap_or_else(PoisonError::into_inner)
}

fn shard_of(id: &GrantId) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    usize::try_from(hasher.finish() % (SHARDS as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::terms;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_mins(minutes))
    }

    /// Begins at minute 0, and may go unused for half an hour.
    fn grant() -> Grant {
        let mut grant = terms("ada", "recruiting", 1_000_000, 90_000_000).named(GrantId::new("g"));
        grant.idle = Some(Duration::from_mins(30));
        grant
    }

    #[test]
    fn a_use_puts_off_the_end_and_none_brings_back_what_is_over() {
        let (uses, mut grant) = (Uses::default(), grant());
        uses.follow(&mut grant);
        let in_use = uses.of(&grant.id).unwrap();
        in_use.touch(at(20));
        in_use.touch(at(10));
        assert_eq!(in_use.until(), at(50), "the latest counts");
        assert!(!uses.is_idle(&grant, at(49)) && uses.is_idle(&grant, at(50)));
        in_use.touch(at(50));
        assert_eq!(in_use.until(), at(50), "too late");
        let at_once = Duration::ZERO;
        assert_eq!(uses.idle(at(49), at_once), []);
        assert_eq!(uses.idle(at(50), at_once), [grant.id.clone()]);
        let later = Duration::from_mins(2);
        assert_eq!(uses.idle(at(51), later), [], "others may have seen it used");
        assert_eq!(uses.idle(at(52), later), [grant.id.clone()]);
        let told = uses.told(grant);
        assert_eq!((told.used_at, told.until()), (Some(at(20)), at(50)));
        assert!(told.is_live(at(49)) && !told.is_live(at(50)) && told.fell_idle(at(50)));
    }

    #[test]
    fn what_expired_before_it_could_go_unused_for_too_long_never_did() {
        let uses = Uses::default();
        let mut grant = Grant {
            expires: at(20),
            ..grant()
        };
        uses.follow(&mut grant);
        assert_eq!(uses.idle(at(1_000), Duration::ZERO), []);
    }

    #[test]
    fn of_what_may_go_unused_the_first_use_is_noted_and_what_is_over_has_no_stamp() {
        let uses = Uses::default();
        let mut forever = Grant { idle: None, ..grant() };
        uses.follow(&mut forever);
        assert!(!uses.is_idle(&forever, at(1_000)) && uses.unkept().is_empty());
        assert!(!uses.told(forever.clone()).was_used());
        let in_use = uses.of(&forever.id).unwrap();
        in_use.touch(at(0));
        in_use.touch(at(9));
        assert_eq!(in_use.until(), forever.expires, "nothing ends it early");
        assert_eq!(uses.idle(at(1_000_000), Duration::ZERO), []);
        let told = uses.told(forever);
        assert_eq!((told.used_at, told.was_used()), (Some(at(0)), true));
        assert_eq!(uses.unkept(), [(told.id.clone(), at(0))]);
        let mut live = grant();
        uses.follow(&mut live);
        assert!(uses.of(&live.id).is_some());
        let mut over = Grant {
            ended_at: Some(at(5)),
            used_at: Some(at(3)),
            ..grant()
        };
        uses.follow(&mut over);
        assert!(uses.of(&over.id).is_none());
        assert_eq!(over.used_at, Some(at(3)));
    }

    #[test]
    fn what_goes_unused_from_the_beginning_was_never_used_after_a_start_either() {
        for resumed in [false, true] {
            let (uses, mut grant) = (Uses::default(), grant());
            if resumed {
                uses.resume(&mut grant);
            } else {
                uses.follow(&mut grant);
            }
            let never = uses.told(grant.clone());
            assert!(never.used_at.is_some() && !never.was_used(), "{resumed}");
            uses.of(&grant.id).unwrap().touch(at(2));
            assert!(uses.told(grant).was_used(), "{resumed}");
        }
    }

    #[test]
    fn to_write_down_what_was_used_nobody_looks_where_nothing_was() {
        let (uses, mut used) = (Uses::default(), grant());
        uses.follow(&mut used);
        let elsewhere = (0..).map(|nth| GrantId::new(format!("g{nth}")));
        let elsewhere = elsewhere.map(|id| shard_of(&id));
        let other = elsewhere
            .into_iter()
            .find(|shard| *shard != shard_of(&used.id))
            .unwrap();
        let being_changed = uses.0[other].stamps.try_write().unwrap();
        uses.of(&used.id).unwrap().touch(at(7));
        assert_eq!(uses.unkept(), [(used.id.clone(), at(7))]);
        drop(being_changed);
    }

    #[test]
    fn what_is_used_again_once_it_was_written_down_is_written_down_again() {
        let (uses, mut grant) = (Uses::default(), grant());
        uses.follow(&mut grant);
        let in_use = uses.of(&grant.id).unwrap();
        for (minute, is_looked_between) in [(1, false), (2, true), (3, false)] {
            in_use.touch(at(minute));
            let unkept = [(grant.id.clone(), at(minute))];
            assert_eq!(uses.unkept(), unkept);
            assert_eq!(uses.unkept(), unkept, "what could not be written down is told of again");
            uses.kept(&unkept);
            if is_looked_between {
                assert_eq!(uses.unkept(), []);
            }
        }
    }

    #[test]
    fn only_uses_that_were_not_written_down_are_written_down() {
        let (uses, mut grant) = (Uses::default(), grant());
        uses.follow(&mut grant);
        assert_eq!(uses.unkept(), []);
        uses.of(&grant.id).unwrap().touch(at(7));
        let unkept = uses.unkept();
        assert_eq!(unkept, [(grant.id.clone(), at(7))]);
        uses.kept(&unkept);
        assert_eq!(uses.unkept(), []);
    }
}
