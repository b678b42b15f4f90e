//! What is known of all grants for a purpose without looking at each of them: in which states they are, and how long people
//! take to answer what is asked for.
//!
//! How long that takes is counted in steps, by the day on which it was asked, and of purposes alone: nothing of it says who
//! asked or who answered, and a figure is told of [`FEWEST`] answers at least.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::Ledger;
use crate::clock::Timestamp;
use crate::facts::{Answer, Grant, GrantState, PurposeId};

/// In which state the grants for one purpose are, since the ledger was made.
pub(super) type Tally = BTreeMap<GrantState, u64>;

/// How many answers there must be before anything is told of them.
const FEWEST: u64 = 5;

/// For how many days what was asked still says something.
const DAYS: i64 = 90;
/// How many days are kept at most: all that say something, and some of clocks that were ahead.
const MOST_DAYS: usize = 128;
/// For how long that is.
pub(super) const LATELY: Duration = Duration::from_hours(24 * 90);
const DAY_MS: i64 = 24 * 3_600_000;

/// The spans that are told, in minutes: rounded up, so that nobody's own answer can be read from them.
const STEPS: [u64; 22] = [
    5,
    10,
    15,
    20,
    30,
    40,
    50,
    60,
    2 * 60,
    3 * 60,
    4 * 60,
    6 * 60,
    8 * 60,
    12 * 60,
    24 * 60,
    2 * 24 * 60,
    3 * 24 * 60,
    4 * 24 * 60,
    5 * 24 * 60,
    7 * 24 * 60,
    14 * 24 * 60,
    30 * 24 * 60,
];

/// How many answers took how long, by the day on which they were asked for.
type Days = BTreeMap<i64, BTreeMap<Duration, u64>>;

/// How long people take to answer, by purpose.
#[derive(Debug, Default)]
pub(super) struct Paces(BTreeMap<PurposeId, Days>);

impl Paces {
    /// Counts what was asked for at that moment, if these answer it.
    pub(super) fn add(&mut self, purpose: PurposeId, asked: Timestamp, answers: &[Answer]) {
        let Some(step) = took(asked, answers) else { return };
        let days = self.0.entry(purpose).or_default();
        *days.entry(day(asked)).or_default().entry(step).or_default() += 1;
        // what is older says nothing any more; by how many days that is, so that one of a clock that was far ahead drops no others
        if days.len() > MOST_DAYS {
            days.pop_first();
        }
    }

    fn take_back(&mut self, grant: &Grant) {
        let Some(step) = took(grant.declared_at, &grant.answers) else {
            return;
        };
        let days = self.0.get_mut(&grant.purpose);
        let steps = days.and_then(|days| days.get_mut(&day(grant.declared_at)));
        if let Some(count) = steps.and_then(|steps| steps.get_mut(&step)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Within which time half of what was asked for lately, and more, was answered; nothing where too little was.
    fn usual(&self, purpose: &PurposeId, now: Timestamp) -> Option<Duration> {
        let today = day(now);
        let lately = self.0.get(purpose)?.range(today.saturating_sub(DAYS)..=today);
        let mut steps: BTreeMap<Duration, u64> = BTreeMap::new();
        for (step, count) in lately.flat_map(|(_, steps)| steps) {
            *steps.entry(*step).or_default() += count;
        }
        let all: u64 = steps.values().sum();
        let mut passed = 0;
        let median = steps.into_iter().find(|(_, count)| {
            passed += count;
            passed > all / 2
        });
        let (within, _) = median.filter(|_| all >= FEWEST)?;
        (within != Duration::MAX).then_some(within)
    }
}

/// The step within which the answer came; nothing where there is none yet, or there never was. Silence is none.
fn took(asked: Timestamp, answers: &[Answer]) -> Option<Duration> {
    // one of several approvals is no answer yet
    let answer = answers.last().filter(|answer| answer.missing == 0)?;
    let took = answer.at.since(asked);
    let mut steps = STEPS.iter().map(|minutes| Duration::from_mins(*minutes));
    Some(steps.find(|step| took <= *step).unwrap_or(Duration::MAX))
}

fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MS)
}

/// All of it, as it changes.
pub(super) struct Tallies {
    states: RwLock<BTreeMap<PurposeId, Tally>>,
    paces: RwLock<Paces>,
}

impl Tallies {
    pub(super) fn new(states: BTreeMap<PurposeId, Tally>, paces: Paces) -> Self {
        Self {
            states: RwLock::new(states),
            paces: RwLock::new(paces),
        }
    }

    /// A grant is what it was not before; or there is none any more.
    pub(super) fn follow(&self, was: Option<&Grant>, is: Option<&Grant>) {
        let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = was {
            let tally = states.entry(before.purpose.clone()).or_default();
            let kept = tally.entry(before.state).or_default();
            *kept = kept.saturating_sub(1);
        }
        if let Some(after) = is {
            let tally = states.entry(after.purpose.clone()).or_default();
            *tally.entry(after.state).or_default() += 1;
        }
        drop(states);
        let answers = |grant: Option<&Grant>| grant.map_or(0, |grant| grant.answers.len());
        if answers(was) != answers(is) {
            let mut paces = self.paces.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(before) = was {
                paces.take_back(before);
            }
            if let Some(after) = is {
                paces.add(after.purpose.clone(), after.declared_at, &after.answers);
            }
        }
    }

    /// How many grants for each purpose are in which state.
    pub(super) fn states(&self) -> BTreeMap<PurposeId, Tally> {
        self.states.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn usual(&self, purpose: &PurposeId, now: Timestamp) -> Option<Duration> {
        let paces = self.paces.read().unwrap_or_else(PoisonError::into_inner);
        paces.usual(purpose, now)
    }
}

impl Ledger {
    /// Within which time requests for a purpose are usually answered: the median of those that were asked in the last 90 days
    /// and answered, rounded up; nothing where they are fewer than [`FEWEST`]. Memory only, whatever there is.
    pub fn usually_answered_within(&self, purpose: &PurposeId, now: Timestamp) -> Option<Duration> {
        self.view.tallies.usual(purpose, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{SubjectId, Verdict};

    const MINUTE: i64 = 60_000;

    fn answer(at: i64, missing: usize) -> Answer {
        Answer {
            missing,
            verdict: Verdict::Declined,
            ..Answer::approval(SubjectId::parse("mia").unwrap(), Timestamp::from_millis(at))
        }
    }

    fn usual(asked: &[(i64, i64)], now: i64) -> Option<u64> {
        let (purpose, mut paces) = (PurposeId::new("recruiting"), Paces::default());
        for (at, minutes) in asked {
            let answers = [answer(at + minutes * MINUTE, 0)];
            paces.add(purpose.clone(), Timestamp::from_millis(*at), &answers);
        }
        let usual = paces.usual(&purpose, Timestamp::from_millis(now));
        usual.map(|usual| usual.as_secs() / 60)
    }

    #[test]
    fn it_is_the_median_rounded_up_and_told_of_five_answers_at_least() {
        assert_eq!(usual(&[(0, 1), (0, 1), (0, 1), (0, 1)], 0), None);
        assert_eq!(usual(&[(0, 1), (0, 2), (0, 31), (0, 900), (0, 9_000)], 0), Some(40));
        // of an even number the longer one of the two in the middle
        assert_eq!(usual(&[(0, 1), (0, 1), (0, 1), (0, 50), (0, 50), (0, 50)], 0), Some(50));
        // that people wait for months is no recommendation
        let slow = [(0, 90_000); 5];
        assert_eq!(usual(&slow, 0), None);
    }

    #[test]
    fn what_was_asked_more_than_ninety_days_ago_says_nothing() {
        let mut asked = [(0, 10); 5];
        assert_eq!(usual(&asked, 90 * DAY_MS), Some(10));
        assert_eq!(usual(&asked, 91 * DAY_MS), None);
        asked[4].0 = 91 * DAY_MS;
        assert_eq!(usual(&asked, 91 * DAY_MS), None);
    }

    #[test]
    fn what_was_asked_by_a_clock_that_was_ahead_drops_nothing() {
        let mut asked = vec![(0, 10); 5];
        asked.push((400 * DAY_MS, 10));
        asked.push((0, 10));
        assert_eq!(usual(&asked, DAY_MS), Some(10));
        let (purpose, mut paces) = (PurposeId::new("recruiting"), Paces::default());
        for day in 0..1_000 {
            let at = day * DAY_MS;
            paces.add(purpose.clone(), Timestamp::from_millis(at), &[answer(at, 0)]);
        }
        assert_eq!(paces.0[&purpose].len(), MOST_DAYS, "nor is all kept forever");
    }

    #[test]
    fn one_of_several_approvals_is_no_answer_yet() {
        let at = Timestamp::from_millis(0);
        assert_eq!(took(at, &[]), None);
        assert_eq!(took(at, &[answer(MINUTE, 1)]), None);
        let both = [answer(MINUTE, 1), answer(16 * MINUTE, 0)];
        assert_eq!(took(at, &both), Some(Duration::from_mins(20)));
    }
}
