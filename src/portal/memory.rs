//! What was refused lately, for the person it was refused to: bounded, forgotten after a day, and found by a link that
//! says nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tokens::random;
use super::{Refused, Stopped};
use crate::clock::Timestamp;
use crate::facts::{GrantId, Observation, SubjectId};

/// How many refusals are remembered for one person; as many tunnels that were stopped.
const EACH: usize = 16;
/// For how long.
const KEPT: Duration = Duration::from_hours(24);
/// How long a path may be to be remembered; the address to go back to, likewise.
const LONGEST: usize = 2_048;

/// An opaque link to a refusal: 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(String);

impl Ticket {
    fn new() -> Option<Self> {
        random::<16>().map(|bytes| Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The ticket as it stands in the link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A refusal that is remembered.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) refused: Refused,
    /// The grant that was given for it.
    pub(super) granted: Option<GrantId>,
    ticket: Ticket,
}

/// What one person met, newest last.
#[derive(Default)]
struct Theirs {
    refusals: Vec<Arc<Kept>>,
    stopped: Vec<Stopped>,
}

impl Theirs {
    /// When they met something last.
    fn latest(&self) -> Option<Timestamp> {
        let refused = self.refusals.last().map(|kept| kept.refused.seen.at);
        refused.max(self.stopped.last().map(|stopped| stopped.at))
    }
}

/// The refusals by person.
pub(super) struct Memory {
    ticket_lasts: Duration,
    most_people: usize,
    people: Mutex<BTreeMap<SubjectId, Theirs>>,
}

impl Memory {
    pub(super) fn new(ticket_s: u64, most_people: usize) -> Self {
        Self {
            ticket_lasts: Duration::from_secs(ticket_s),
            most_people: most_people.max(1),
            people: Mutex::default(),
        }
    }

    pub(super) fn keep(&self, mut refused: Refused) -> Option<Ticket> {
        let who = refused.seen.subject.as_ref()?.id.clone();
        if length(&refused.seen) > LONGEST {
            return None;
        }
        refused.back = refused.back.filter(|back| back.len() <= LONGEST);
        let ticket = Ticket::new()?;
        let now = refused.seen.at;
        let kept = Arc::new(Kept {
            refused,
            granted: None,
            ticket: ticket.clone(),
        });
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= self.most_people && !people.contains_key(&who) {
            make_room(&mut people, now);
        }
        let theirs = &mut people.entry(who).or_default().refusals;
        theirs.retain(|old| !kept.replaces(old));
        theirs.push(kept);
        while theirs.len() > EACH {
            // A page that fires a hundred calls must not push out the refusal of the page itself.
            let victim = theirs.iter().position(|old| old.refused.back.is_none()).unwrap_or(0);
            theirs.remove(victim);
        }
        Some(ticket)
    }

    /// Remembers a tunnel that was stopped; of the same to one host, the last.
    pub(super) fn keep_stopped(&self, stopped: Stopped) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= self.most_people && !people.contains_key(&stopped.who) {
            make_room(&mut people, stopped.at);
        }
        let theirs = &mut people.entry(stopped.who.clone()).or_default().stopped;
        theirs.retain(|old| old.host != stopped.host || old.code != stopped.code);
        theirs.push(stopped);
        if theirs.len() > EACH {
            theirs.remove(0);
        }
    }

    /// `who`'s own tunnels of the last day that were stopped, newest first.
    pub(super) fn stopped_of(&self, who: &SubjectId, now: Timestamp) -> Vec<Stopped> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = people.get(who).into_iter().flat_map(|theirs| &theirs.stopped).rev();
        theirs.filter(|stopped| now.since(stopped.at) < KEPT).cloned().collect()
    }

    /// The refusal behind a ticket, if it is `who`'s own and the link is not too old.
    pub(super) fn by_ticket(&self, who: &SubjectId, ticket: &str, now: Timestamp) -> Option<Arc<Kept>> {
        let found = self.of(who, now).into_iter().find(|kept| kept.ticket.0 == ticket)?;
        (now.since(found.refused.seen.at) < self.ticket_lasts).then_some(found)
    }

    /// One of `who`'s own refusals.
    pub(super) fn by_record(&self, who: &SubjectId, record: &str, now: Timestamp) -> Option<Arc<Kept>> {
        let mut theirs = self.of(who, now).into_iter();
        theirs.find(|kept| kept.refused.record.as_str() == record)
    }

    /// `who`'s own refusals of the last day, newest first.
    pub(super) fn of(&self, who: &SubjectId, now: Timestamp) -> Vec<Arc<Kept>> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = people.get(who).into_iter().flat_map(|theirs| &theirs.refusals).rev();
        theirs
            .filter(|kept| now.since(kept.refused.seen.at) < KEPT)
            .cloned()
            .collect()
    }

    /// Notes which grant was given for a refusal.
    pub(super) fn granted(&self, who: &SubjectId, record: &str, grant: &GrantId) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = people.get_mut(who).into_iter().flat_map(|theirs| &mut theirs.refusals);
        for kept in theirs.filter(|kept| kept.refused.record.as_str() == record) {
            Arc::make_mut(kept).granted = Some(grant.clone());
        }
    }
}

impl Kept {
    /// Whether the same was tried, at the same address.
    pub(super) fn is_same_thing(&self, other: &Self) -> bool {
        let (one, other) = (&self.refused, &other.refused);
        one.back == other.back
            && one.refusal.activity == other.refusal.activity
            && one.refusal.place.host == other.refusal.place.host
    }

    /// Whether this is the same refusal again, of something that no person looked at.
    fn replaces(&self, old: &Self) -> bool {
        let (new, old) = (&self.refused, &old.refused);
        old.back.is_none()
            && new.back.is_none()
            && new.refusal.activity == old.refusal.activity
            && new.refusal.place.host == old.refusal.place.host
            && new.refusal.reasons == old.refusal.reasons
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
                of_grants: std::collections::BTreeSet::new(),
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

    #[test]
    fn what_a_page_loads_does_not_push_out_the_page() {
        let memory = Memory::new(300, 10);
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
        let memory = Memory::new(300, 10);
        let now = seen("ada", "/").at;
        for number in [1, 2] {
            let mut again = refused("ada", 0, false);
            again.record = RecordId::new(format!("call-{number}"));
            memory.keep(again).unwrap();
        }
        assert_eq!(records(&memory, "ada", now), ["call-2"]);
    }

    #[test]
    fn a_link_is_for_one_person_and_some_minutes_and_the_refusal_for_a_day() {
        let memory = Memory::new(300, 10);
        let now = seen("ada", "/").at;
        let ticket = memory.keep(refused("ada", 0, true)).unwrap();
        let found = |name, at| memory.by_ticket(&who(name), ticket.as_str(), at).is_some();
        assert!(found("ada", now.plus(Duration::from_secs(299))));
        assert!(!found("ada", now.plus(Duration::from_mins(5))));
        assert!(!found("ben", now));
        let listed = |at| memory.by_record(&who("ada"), "ada-0", at).is_some();
        assert!(listed(now.plus(Duration::from_hours(23))));
        assert!(!listed(now.plus(KEPT)));
        assert!(memory.by_record(&who("ben"), "ada-0", now).is_none());
    }

    #[test]
    fn of_more_people_than_may_be_remembered_the_quietest_is_forgotten() {
        let memory = Memory::new(300, 2);
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
        let memory = Memory::new(300, 10);
        let at = seen("ada", "/").at;
        for number in [0, 0].into_iter().chain(1..20) {
            memory.keep_stopped(Stopped {
                who: who("ada"),
                record: RecordId::new(format!("tunnel-{number}")),
                host: Host::parse(&format!("h{number}.example")).unwrap(),
                code: FaultCode::SniMismatch,
                detail: String::new(),
                at,
            });
        }
        let stopped = memory.stopped_of(&who("ada"), at);
        assert_eq!((stopped.len(), stopped[0].host.as_str()), (EACH, "h19.example"));
        assert!(memory.stopped_of(&who("ben"), at).is_empty());
        assert!(memory.stopped_of(&who("ada"), at.plus(KEPT)).is_empty());
    }
}
