//! What was refused lately, for the person it was refused to: bounded, and forgotten after a day. Where other gateways share
//! the ledger, it is known which of it they have yet to be told (`met.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::theirs::{Opened, Remembered, Theirs};
use super::{Refused, Stopped};
use crate::clock::Timestamp;
use crate::facts::{GrantId, Observation, SubjectId};
use crate::ledger::Envelope;

/// For how long.
pub(super) const KEPT: Duration = Duration::from_hours(24);
/// How long a path may be to be remembered; the address to go back to, likewise.
const LONGEST: usize = 2_048;

/// A refusal that is remembered.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) refused: Refused,
    /// The grant that was given for it.
    pub(super) granted: Option<GrantId>,
}

/// Something that a person met, and other gateways have not been told.
#[derive(Clone, Debug)]
pub(super) enum Met {
    /// They were refused something.
    Refused(Arc<Kept>),
    /// A tunnel of theirs was stopped.
    Stopped(Stopped),
}

/// Of whom other gateways are to be told something.
#[derive(Default)]
struct Queue {
    /// At once: they are on their way to the portal.
    soon: BTreeSet<SubjectId>,
    /// In this round.
    due: BTreeSet<SubjectId>,
    /// In the next one.
    later: BTreeSet<SubjectId>,
}

#[derive(Default)]
struct State {
    people: BTreeMap<SubjectId, Theirs>,
    queue: Queue,
}

/// The refusals by person.
pub(super) struct Memory {
    ticket_lasts: Duration,
    most_people: usize,
    /// Whether other gateways are told.
    tells: bool,
    state: Mutex<State>,
    /// Somebody is on their way to the portal.
    pub(super) soon: Notify,
}

impl Memory {
    pub(super) fn new(ticket_s: u64, most_people: usize, tells: bool) -> Self {
        Self {
            ticket_lasts: Duration::from_secs(ticket_s),
            most_people: most_people.max(1),
            tells,
            state: Mutex::default(),
            soon: Notify::new(),
        }
    }

    /// Remembers a refusal of somebody who is known, unless it is too long.
    pub(super) fn keep(&self, mut refused: Refused) -> Option<SubjectId> {
        let who = refused.seen.subject.as_ref()?.id.clone();
        if length(&refused.seen) > LONGEST {
            return None;
        }
        refused.back = refused.back.filter(|back| back.len() <= LONGEST);
        let (now, is_page) = (refused.seen.at, refused.back.is_some());
        let granted = None;
        let mut state = self.lock();
        let theirs = state.theirs(&who, self.most_people, now);
        theirs.meets(Arc::new(Kept { refused, granted }), !self.tells);
        self.queues(&mut state, &who, is_page);
        Some(who)
    }

    /// Remembers a tunnel that was stopped.
    pub(super) fn keep_stopped(&self, stopped: Stopped) {
        let who = stopped.who.clone();
        let mut state = self.lock();
        let theirs = state.theirs(&who, self.most_people, stopped.at);
        theirs.meets_stopped(stopped, !self.tells);
        self.queues(&mut state, &who, false);
    }

    /// Remembers what another gateway told.
    pub(super) fn learn(&self, who: &SubjectId, met: Met) {
        let mut state = self.lock();
        let theirs = state.theirs(who, self.most_people, met.at());
        match met {
            Met::Refused(kept) => {
                let record = &kept.refused.record;
                let mut known = theirs.refusals.iter_mut();
                match known.find(|known| known.it.refused.record == *record) {
                    // names of grants begin with the time; that one was given is never unlearned
                    Some(known) if known.it.granted < kept.granted => {
                        Arc::make_mut(&mut known.it).granted.clone_from(&kept.granted);
                    }
                    Some(_) => {}
                    None => theirs.learns(kept),
                }
            }
            Met::Stopped(stopped) => theirs.learns_stopped(stopped),
        }
    }

    /// Of what gateways keep of a person, all of which this is, what has not been opened here; and all of it, to be
    /// [noted](Memory::has_opened) once that is [learned](Memory::learn).
    pub(super) fn unopened(&self, who: &SubjectId, envelopes: Vec<Envelope>) -> (Vec<Envelope>, Opened) {
        let state = self.lock();
        match state.people.get(who) {
            Some(theirs) => theirs.unopened(envelopes),
            None => Theirs::default().unopened(envelopes),
        }
    }

    /// From now on that is not opened again.
    pub(super) fn has_opened(&self, who: &SubjectId, opened: Opened, now: Timestamp) {
        if !opened.is_empty() {
            self.lock().theirs(who, self.most_people, now).has_opened(opened);
        }
    }

    /// Forgets what is too old to be shown.
    pub(super) fn forgets(&self, now: Timestamp) {
        self.lock().people.retain(|_, theirs| theirs.forgets(now));
    }

    /// From now on those are told who are to be told by and by.
    pub(super) fn begins_round(&self) {
        let mut state = self.lock();
        let Queue { due, later, .. } = &mut state.queue;
        due.append(later);
    }

    /// So much, or a little more, of what others are to be told, which counts as told from now on: first of those who are on
    /// their way to the portal, and of nobody else before a [round](Memory::begins_round) begins.
    pub(super) fn untold(&self, enough: usize, now: Timestamp) -> Vec<Met> {
        let mut state = self.lock();
        let State { people, queue } = &mut *state;
        let mut untold = Vec::new();
        while untold.len() < enough
            && let Some(who) = queue.soon.pop_first().or_else(|| queue.due.pop_first())
        {
            let theirs = people.get_mut(&who).map(|theirs| theirs.untold(now));
            untold.extend(theirs.into_iter().flatten());
        }
        untold
    }

    /// They could not be told: by and by they are, unless it is forgotten by then.
    pub(super) fn not_told(&self, all: &[Met]) {
        let mut state = self.lock();
        let State { people, queue } = &mut *state;
        for met in all {
            let Some(theirs) = met.who().and_then(|who| people.get_mut(who)) else {
                continue;
            };
            match met {
                Met::Refused(kept) => {
                    let is_it = |old: &&mut Remembered<Arc<Kept>>| old.it.refused.record == kept.refused.record;
                    let again = theirs.refusals.iter_mut().filter(is_it);
                    again.for_each(|old| old.told = false);
                }
                Met::Stopped(stopped) => {
                    let again = theirs.stopped.iter_mut().filter(|old| old.it.record == stopped.record);
                    again.for_each(|old| old.told = false);
                }
            }
            queue.later.extend(met.who().cloned());
        }
    }

    /// `who`'s own tunnels of the last day that were stopped, newest first; of the same to one host the last.
    pub(super) fn stopped_of(&self, who: &SubjectId, now: Timestamp) -> Vec<Stopped> {
        let state = self.lock();
        let theirs = state.people.get(who).into_iter().flat_map(|theirs| &theirs.stopped);
        let mut found: Vec<Stopped> = Vec::new();
        for stopped in theirs.rev().map(|stopped| &stopped.it) {
            if now.since(stopped.at) < KEPT && !found.iter().any(|later| later.is_like(stopped)) {
                found.push(stopped.clone());
            }
        }
        found
    }

    /// Whether the link to a refusal is not too old.
    pub(super) fn is_fresh(&self, kept: &Kept, now: Timestamp) -> bool {
        now.since(kept.at()) < self.ticket_lasts
    }

    /// One of `who`'s own refusals.
    pub(super) fn by_record(&self, who: &SubjectId, record: &str, now: Timestamp) -> Option<Arc<Kept>> {
        let mut theirs = self.of(who, now).into_iter();
        theirs.find(|kept| kept.refused.record.as_str() == record)
    }

    /// `who`'s own refusals of the last day, newest first.
    pub(super) fn of(&self, who: &SubjectId, now: Timestamp) -> Vec<Arc<Kept>> {
        let state = self.lock();
        let theirs = state.people.get(who).into_iter().flat_map(|theirs| &theirs.refusals);
        let theirs = theirs.rev().map(|kept| &kept.it);
        theirs.filter(|kept| now.since(kept.at()) < KEPT).cloned().collect()
    }

    /// Notes which grant was given for a refusal; gives it as it is then.
    pub(super) fn granted(&self, who: &SubjectId, record: &str, grant: &GrantId) -> Option<Arc<Kept>> {
        let mut state = self.lock();
        let theirs = state.people.get_mut(who)?.refusals.iter_mut();
        let mut kept = theirs.map(|kept| &mut kept.it);
        let kept = kept.find(|kept| kept.refused.record.as_str() == record)?;
        Arc::make_mut(kept).granted = Some(grant.clone());
        Some(Arc::clone(kept))
    }

    fn queues(&self, state: &mut State, who: &SubjectId, at_once: bool) {
        if !self.tells {
            return;
        }
        if at_once {
            state.queue.soon.insert(who.clone());
            self.soon.notify_one();
        } else if !state.queue.later.contains(who) {
            state.queue.later.insert(who.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a person met, with room for more.
    fn theirs(&mut self, who: &SubjectId, most_people: usize, now: Timestamp) -> &mut Theirs {
        if self.people.len() >= most_people && !self.people.contains_key(who) {
            make_room(&mut self.people, now);
        }
        self.people.entry(who.clone()).or_default()
    }
}

impl Met {
    pub(super) fn who(&self) -> Option<&SubjectId> {
        match self {
            Self::Refused(kept) => kept.refused.seen.subject.as_ref().map(|subject| &subject.id),
            Self::Stopped(stopped) => Some(&stopped.who),
        }
    }

    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Refused(kept) => kept.at(),
            Self::Stopped(stopped) => stopped.at,
        }
    }
}

impl Kept {
    pub(super) fn at(&self) -> Timestamp {
        self.refused.seen.at
    }

    /// Whether the same was tried, at the same address.
    pub(super) fn is_same_thing(&self, other: &Self) -> bool {
        let (one, other) = (&self.refused, &other.refused);
        one.back == other.back
            && one.refusal.activity == other.refusal.activity
            && one.refusal.place.host == other.refusal.place.host
    }

    /// What was refused, by which rules, in whatever words they say so: where no person looked at it, whatever has this alike
    /// is the same refusal again. INVARIANT: here, and where gateways keep what they tell each other.
    pub(super) fn what(&self) -> impl Iterator<Item = &str> {
        let refusal = &self.refused.refusal;
        let rules = refusal.reasons.iter().map(|reason| reason.policy.as_str());
        let what = [refusal.place.host.as_str(), refusal.activity.as_str()];
        what.into_iter().chain(rules)
    }

    /// Whether this is the same refusal again, of something that no person looked at.
    pub(super) fn replaces(&self, old: &Self) -> bool {
        let looked_at = self.refused.back.is_some() || old.refused.back.is_some();
        !looked_at && self.what().eq(old.what())
    }
}

impl Stopped {
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.host == other.host && self.code == other.code
    }
}

/// Forgets who met no refusal for a day, or else who met none for longest.
fn make_room(people: &mut BTreeMap<SubjectId, Theirs>, now: Timestamp) {
    let before = people.len();
    people.retain(|_, theirs| theirs.latest().is_some_and(|at| now.since(at) < KEPT));
    if people.len() == before {
        let quietest = people.iter().min_by_key(|(_, theirs)| theirs.latest());
        if let Some(who) = quietest.map(|(who, _)| who.clone()) {
            people.remove(&who);
        }
    }
}

/// How much text of the client's an observation holds.
fn length(seen: &Observation) -> usize {
    let Some(head) = seen.ask.head() else {
        return 0;
    };
    let pairs = head.query.iter().chain(&head.hints.labels);
    let pairs: usize = pairs.map(|(name, value)| name.len() + value.len()).sum();
    let referer = head.hints.referer.as_ref().map_or(0, |referer| referer.path.len());
    head.path.len() + pairs + referer
}

#[cfg(test)]
mod tests {
    use super::super::theirs::EACH;
    use super::*;
    use crate::audit::tests::seen;
    use crate::facts::{Activity, FaultCode, Host, Place, RecordId, Remedy, RulebookId};
    use crate::rulebook::Refusal;

    fn who(name: &str) -> SubjectId {
        SubjectId::parse(name).unwrap()
    }

    /// The `number`th refusal of `name`: of a page, or of something that no person looks at.
    fn refused(name: &str, number: usize, page: bool) -> Refused {
        let seen = seen(name, &format!("/{number}"));
        Refused {
            record: RecordId::new(format!("{name}-{number}")),
            refusal: Refusal {
                reasons: Vec::new(),
                of_grants: BTreeSet::new(),
                elsewhere: BTreeSet::new(),
                policy_error: false,
                unknown_person: false,
                may_continue: false,
                place: Place {
                    host: Host::parse("www.linkedin.com").unwrap(),
                    platform: None,
                    categories: Arc::default(),
                    roles: Arc::default(),
                },
                activity: Activity::new(format!("activity-{number}")),
            },
            remedy: Remedy::default(),
            rulebook: RulebookId::new("none"),
            back: page.then(|| format!("https://www.linkedin.com/{number}")),
            seen,
        }
    }

    fn records(memory: &Memory, name: &str, now: Timestamp) -> Vec<String> {
        let kept = memory.of(&who(name), now).into_iter();
        kept.map(|kept| kept.refused.record.as_str().to_owned()).collect()
    }

    fn stopped(number: usize, at: Timestamp) -> Stopped {
        Stopped {
            who: who("ada"),
            record: RecordId::new(format!("tunnel-{number}")),
            host: Host::parse(&format!("h{number}.example")).unwrap(),
            code: FaultCode::SniMismatch,
            detail: String::new(),
            at,
        }
    }

    #[test]
    fn what_a_page_loads_does_not_push_out_the_page() {
        let memory = Memory::new(300, 10, false);
        let now = seen("ada", "/").at;
        memory.keep(refused("ada", 0, true)).unwrap();
        for number in 1..100 {
            memory.keep(refused("ada", number, false)).unwrap();
        }
        let kept = records(&memory, "ada", now);
        assert_eq!((kept.len(), kept[0].as_str()), (EACH, "ada-99"));
        assert_eq!(kept.last().unwrap(), "ada-0");
    }

    #[test]
    fn the_same_call_again_takes_the_place_of_the_first() {
        let memory = Memory::new(300, 10, false);
        let now = seen("ada", "/").at;
        for number in [1, 2] {
            let mut again = refused("ada", 0, false);
            again.record = RecordId::new(format!("call-{number}"));
            memory.keep(again).unwrap();
        }
        assert_eq!(records(&memory, "ada", now), ["call-2"]);
    }

    #[test]
    fn the_same_rule_in_other_words_refuses_the_same() {
        let memory = Memory::new(300, 10, true);
        let now = seen("ada", "/").at;
        for (record, words) in [("one", "Closed today."), ("two", "Closed this week.")] {
            let mut again = refused("ada", 0, false);
            again.record = RecordId::new(record);
            again.refusal.reasons = vec![crate::facts::Reason::from(crate::facts::ReasonWords {
                policy: crate::facts::PolicyId::new("closed"),
                effect: crate::facts::Effect::Forbid,
                text: crate::facts::Wording::from(words),
                fix: None,
            })];
            memory.keep(again).unwrap();
        }
        assert_eq!(records(&memory, "ada", now), ["two"]);
        memory.begins_round();
        assert_eq!(told(&memory.untold(9, now)), ["two"]);
    }

    #[test]
    fn a_link_is_for_one_person_and_some_minutes_and_the_refusal_for_a_day() {
        let memory = Memory::new(300, 10, false);
        let now = seen("ada", "/").at;
        memory.keep(refused("ada", 0, true)).unwrap();
        let kept = memory.by_record(&who("ada"), "ada-0", now).unwrap();
        assert!(memory.is_fresh(&kept, now.plus(Duration::from_secs(299))));
        assert!(!memory.is_fresh(&kept, now.plus(Duration::from_mins(5))));
        let listed = |at| memory.by_record(&who("ada"), "ada-0", at).is_some();
        assert!(listed(now.plus(Duration::from_hours(23))));
        assert!(!listed(now.plus(KEPT)));
        assert!(memory.by_record(&who("ben"), "ada-0", now).is_none());
    }

    #[test]
    fn of_more_people_than_may_be_remembered_the_quietest_is_forgotten() {
        let memory = Memory::new(300, 2, false);
        let at = |name: &str, after: u64| {
            let mut refused = refused(name, 0, true);
            refused.seen.at = refused.seen.at.plus(Duration::from_secs(after));
            refused
        };
        for (name, after) in [("ada", 0), ("ben", 1), ("ada", 2), ("cora", 3)] {
            memory.keep(at(name, after)).unwrap();
        }
        let now = seen("ada", "/").at.plus(Duration::from_secs(3));
        let met = ["ada", "ben", "cora"].map(|name| !records(&memory, name, now).is_empty());
        assert_eq!(met, [true, false, true]);
    }

    #[test]
    fn of_tunnels_that_were_stopped_the_last_sixteen_are_remembered_each_once() {
        let memory = Memory::new(300, 10, false);
        let at = seen("ada", "/").at;
        for number in [0, 0].into_iter().chain(1..20) {
            memory.keep_stopped(stopped(number, at));
        }
        let stopped = memory.stopped_of(&who("ada"), at);
        assert_eq!((stopped.len(), stopped[0].host.as_str()), (EACH, "h19.example"));
        assert!(memory.stopped_of(&who("ben"), at).is_empty());
        assert!(memory.stopped_of(&who("ada"), at.plus(KEPT)).is_empty());
    }

    fn told(met: &[Met]) -> Vec<String> {
        let record = |met: &Met| match met {
            Met::Refused(kept) => kept.refused.record.to_string(),
            Met::Stopped(stopped) => stopped.record.to_string(),
        };
        met.iter().map(record).collect()
    }

    #[test]
    fn of_whoever_is_on_their_way_to_the_portal_others_are_told_at_once_and_of_what_pages_load_by_and_by() {
        let memory = Memory::new(300, 10, true);
        let now = seen("ada", "/").at;
        memory.keep(refused("ada", 1, false)).unwrap();
        assert!(memory.untold(9, now).is_empty());
        memory.keep(refused("ben", 1, true)).unwrap();
        assert_eq!(told(&memory.untold(9, now)), ["ben-1"]);
        memory.begins_round();
        let untold = memory.untold(9, now);
        assert_eq!(told(&untold), ["ada-1"]);
        memory.begins_round();
        assert!(memory.untold(9, now).is_empty(), "each is told once");
        memory.not_told(&untold);
        assert!(memory.untold(9, now).is_empty());
        memory.begins_round();
        assert!(memory.untold(9, now.plus(KEPT)).is_empty(), "it is forgotten by then");
    }

    #[test]
    fn what_could_not_be_told_is_told_later_unless_something_took_its_place() {
        let memory = Memory::new(300, 10, true);
        let now = seen("ada", "/").at;
        for number in [0, 1] {
            memory.keep(refused("ada", number, false)).unwrap();
        }
        memory.begins_round();
        let untold = memory.untold(9, now);
        let mut again = refused("ada", 1, false);
        again.record = RecordId::new("again");
        memory.keep(again).unwrap();
        memory.not_told(&untold);
        memory.begins_round();
        assert_eq!(told(&memory.untold(9, now)), ["ada-0", "again"]);
    }

    #[test]
    fn thousands_of_refusals_leave_no_more_to_tell_than_is_remembered() {
        let memory = Memory::new(300, 3, true);
        let now = seen("ada", "/").at;
        for number in 0..2_000 {
            for name in ["ada", "ben", "cora", "dan"] {
                memory.keep(refused(name, number, number % 2 == 0)).unwrap();
            }
        }
        memory.begins_round();
        let mut all = 0;
        loop {
            let some = memory.untold(5, now).len();
            if some == 0 {
                break;
            }
            assert!(some < 5 + EACH);
            all += some;
        }
        let kept = ["ada", "ben", "cora", "dan"].map(|name| records(&memory, name, now).len());
        assert_eq!(all, kept.iter().sum::<usize>());
        assert!((1..=3 * EACH).contains(&all), "{all}");
    }

    #[test]
    fn what_another_gateway_tells_stands_in_its_place_and_is_not_told_on() {
        let memory = Memory::new(300, 10, true);
        let now = seen("ada", "/").at;
        let at = |number: usize, seconds: u64, granted: Option<&str>| {
            let mut refused = refused("ada", number, true);
            refused.seen.at = now.plus(Duration::from_secs(seconds));
            let granted = granted.map(GrantId::new);
            Met::Refused(Arc::new(Kept { refused, granted }))
        };
        for (number, seconds) in [(3, 3), (1, 1), (2, 2), (1, 1)] {
            memory.learn(&who("ada"), at(number, seconds, None));
        }
        let later = now.plus(Duration::from_secs(9));
        assert_eq!(records(&memory, "ada", later), ["ada-3", "ada-2", "ada-1"]);
        memory.learn(&who("ada"), at(2, 2, Some("g")));
        memory.learn(&who("ada"), at(2, 2, None));
        let kept = memory.by_record(&who("ada"), "ada-2", later).unwrap();
        assert_eq!(kept.granted, Some(GrantId::new("g")));
        memory.learn(&who("ada"), at(2, 2, Some("h")));
        memory.learn(&who("ada"), at(2, 2, Some("g")));
        let kept = memory.by_record(&who("ada"), "ada-2", later).unwrap();
        assert_eq!(kept.granted, Some(GrantId::new("h")), "the later grant is shown");
        memory.begins_round();
        assert!(memory.untold(9, later).is_empty());
    }

    #[test]
    fn what_is_met_here_is_remembered_whatever_was_met_before() {
        let memory = Memory::new(300, 10, false);
        let now = seen("ada", "/").at;
        for number in 0..EACH {
            memory.keep(refused("ada", number, true)).unwrap();
        }
        for number in [98, 99] {
            memory.keep(refused("ada", number, false)).unwrap();
            let kept = memory.by_record(&who("ada"), &format!("ada-{number}"), now);
            assert!(kept.is_some(), "its link leads to it");
        }
        assert_eq!(records(&memory, "ada", now).len(), EACH);
    }

    #[test]
    fn a_clock_that_is_ahead_elsewhere_hides_nothing_that_is_met_here() {
        let memory = Memory::new(300, 10, true);
        let now = seen("ada", "/").at;
        let ahead = || {
            let mut ahead = refused("ada", 1, false);
            ahead.seen.at = now.plus(Duration::from_secs(30));
            let granted = None;
            Met::Refused(Arc::new(Kept {
                refused: ahead,
                granted,
            }))
        };
        for first in [true, false] {
            memory.learn(&who("ada"), ahead());
            let mut mine = refused("ada", 1, false);
            mine.record = RecordId::new(format!("mine {first}"));
            memory.keep(mine).unwrap();
            let kept = memory.by_record(&who("ada"), &format!("mine {first}"), now);
            assert!(kept.is_some(), "{first}");
        }
        memory.learn(&who("ada"), ahead());
        assert!(memory.by_record(&who("ada"), "mine false", now).is_some());
    }

    #[test]
    fn a_tunnel_that_was_stopped_here_is_told_to_others_whatever_a_clock_says_that_is_ahead_elsewhere() {
        let now = seen("ada", "/").at;
        let ahead = |number: usize| {
            let record = RecordId::new(format!("ahead {number}"));
            let later = stopped(number, now.plus(Duration::from_secs(30)));
            Met::Stopped(Stopped { record, ..later })
        };
        for first in [true, false] {
            let memory = Memory::new(300, 10, true);
            if first {
                memory.learn(&who("ada"), ahead(1));
            }
            memory.keep_stopped(stopped(1, now));
            if !first {
                memory.learn(&who("ada"), ahead(1));
            }
            assert_eq!(memory.stopped_of(&who("ada"), now).len(), 1, "the same is shown once");
            memory.begins_round();
            let told = memory.untold(10, now);
            assert!(matches!(&told[..], [Met::Stopped(mine)] if mine.at == now), "{told:?}");
            // what comes back of it is no other
            memory.learn(&who("ada"), told[0].clone());
            assert_eq!(memory.stopped_of(&who("ada"), now).len(), 1);
        }
        let memory = Memory::new(300, 10, true);
        (10..10 + EACH).for_each(|number| memory.learn(&who("ada"), ahead(number)));
        memory.keep_stopped(stopped(1, now));
        let theirs = memory.stopped_of(&who("ada"), now);
        assert!(theirs.len() == EACH && theirs.iter().any(|one| one.at == now));
    }

    #[test]
    fn what_was_opened_once_is_not_opened_again_unless_it_has_changed() {
        let memory = Memory::new(300, 10, true);
        let now = seen("ada", "/").at;
        let envelope = |name: &str, at: Timestamp| Envelope {
            who: who("ada"),
            kind: "refusal".to_owned(),
            name: name.to_owned(),
            stays: false,
            at,
            sealed: at.as_millis().to_be_bytes().to_vec(),
        };
        let later = now.plus(Duration::from_secs(1));
        let opens = |all: &[Envelope]| {
            let (unopened, all) = memory.unopened(&who("ada"), all.to_vec());
            memory.has_opened(&who("ada"), all, now);
            unopened.len()
        };
        assert_eq!(opens(&[envelope("a", now), envelope("b", now)]), 2);
        assert_eq!(opens(&[envelope("a", now), envelope("b", later)]), 1);
        assert_eq!(opens(&[envelope("a", now), envelope("b", later)]), 0);
        // a page for which there was no room is looked for again
        let page = Envelope {
            stays: true,
            ..envelope("p", now)
        };
        let all = [envelope("a", now), page];
        assert_eq!((opens(&all), opens(&all)), (1, 1));
    }
}
