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
