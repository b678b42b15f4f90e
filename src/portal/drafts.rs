//! What somebody wrote and could not send, because they had to sign in first: given back to them, and to nobody else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::facts::SubjectId;

/// For how long it is kept.
const KEPT: Duration = Duration::from_hours(1);
/// Of how many people: of each, what they wrote last.
const MOST: usize = 1024;

struct Draft {
    of: String,
    note: String,
    since: Timestamp,
}

/// What people wrote, each for one deed.
#[derive(Default)]
pub(super) struct Drafts {
    people: Mutex<BTreeMap<SubjectId, Draft>>,
}

impl Drafts {
    /// Keeps what `who` wrote for the deed `of`.
    pub(super) fn keep(&self, who: &SubjectId, of: &str, note: &str, now: Timestamp) {
        if note.is_empty() {
            return;
        }
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.retain(|_, draft| now.since(draft.since) < KEPT);
        if people.len() >= MOST && !people.contains_key(who) {
            let oldest = people.iter().min_by_key(|(_, draft)| draft.since);
            if let Some(who) = oldest.map(|(who, _)| who.clone()) {
                people.remove(&who);
            }
        }
        let draft = Draft {
            of: of.to_owned(),
            note: note.to_owned(),
            since: now,
        };
        people.insert(who.clone(), draft);
    }

    /// What `who` wrote for that deed.
    pub(super) fn of(&self, who: &SubjectId, of: &str, now: Timestamp) -> Option<String> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let draft = people.get(who)?;
        (draft.of == of && now.since(draft.since) < KEPT).then(|| draft.note.clone())
    }

    /// It was sent.
    pub(super) fn sent(&self, who: &SubjectId) {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> SubjectId {
        SubjectId::parse(name).unwrap()
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_mins(minutes))
    }

    #[test]
    fn what_somebody_wrote_is_theirs_for_one_request_and_an_hour() {
        let (drafts, one, other) = (Drafts::default(), "decline one", "decline other");
        drafts.keep(&who("mia"), one, "not before the fair", at(0));
        drafts.keep(&who("mia"), one, "", at(1));
        let kept = Some("not before the fair".to_owned());
        assert_eq!(drafts.of(&who("mia"), one, at(59)), kept);
        for (name, of, minutes) in [("mia", one, 60), ("mia", other, 1), ("ben", one, 1)] {
            assert_eq!(drafts.of(&who(name), of, at(minutes)), None, "{name} {of} {minutes}");
        }
        drafts.sent(&who("mia"));
        assert_eq!(drafts.of(&who("mia"), one, at(2)), None);
    }

    #[test]
    fn drafts_do_not_fill_the_memory() {
        let (drafts, one) = (Drafts::default(), "decline one");
        for nth in 0..2 * MOST {
            let now = Timestamp::from_millis(i64::try_from(nth).unwrap());
            drafts.keep(&who(&format!("p{nth}")), one, "no", now);
        }
        assert_eq!(drafts.people.lock().unwrap().len(), MOST);
        drafts.keep(&who("mia"), one, "no", at(600));
        assert_eq!(drafts.people.lock().unwrap().len(), 1);
    }
}
