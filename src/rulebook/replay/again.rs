//! Many recorded flows judged again, fast. People ask the same things over and over: what was asked before, by the same
//! person, from the same place, under the same grants, in the same stretch of time, gets the answer that it got. What
//! tells questions apart is their text in the book, so that most of a line need not even be read; and where that differs,
//! what the catalogue makes of the request, as long as no rule looks at more of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Loose, Replay, Tally};
use crate::clock::Timestamp;
use crate::facts::{
    Arrival, Ask, DecisionNote, Hints, Observation, Outcome, Peek, Person, Reading, RecordId, Standing,
};
use crate::policy::Stretch;
use crate::rulebook::Rulebook;

/// More different questions than a day has; above it, all are asked anew.
const MOST: usize = 1 << 18;

/// Judges lines of the book again, and counts.
pub struct Replayer<'a> {
    rules: &'a Rulebook,
    people: HashMap<Box<str>, Arc<Person>>,
    standings: HashMap<Box<str>, Arc<Standing>>,
    answers: HashMap<u128, Arc<Answer>>,
    /// Two hashes together name a question: of 2^128 names no two questions get the same.
    hashes: (RandomState, RandomState),
    tally: Tally,
}

/// What came of one recorded decision, and whom it was about.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) replay: Replay,
    pub(super) seen: Observation,
    /// Whether an opening line stands before the closing one: nothing is written of what is refused before it is.
    opened: bool,
}

/// A line of the book, as far as it must be read to tell what it is.
#[derive(Deserialize)]
struct Line<'a> {
    id: RecordId,
    at: Timestamp,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    seen: Option<&'a RawValue>,
    #[serde(borrow, default)]
    decided: Option<&'a RawValue>,
}

/// What was seen, in its parts.
#[derive(Deserialize)]
struct Parts<'a> {
    arrival: Arrival,
    #[serde(borrow, default)]
    subject: Option<&'a RawValue>,
    #[serde(borrow, default)]
    person: Option<&'a RawValue>,
    #[serde(borrow)]
    ask: &'a RawValue,
    #[serde(borrow, default)]
    standing: Option<&'a RawValue>,
    #[serde(borrow, default)]
    selected: Option<&'a RawValue>,
    at: Timestamp,
}

/// A text of the book that is nothing we know.
type Unreadable = serde_json::Error;

impl<'a> Replayer<'a> {
    /// One that has judged nothing yet.
    pub fn new(rules: &'a Rulebook) -> Self {
        Self {
            rules,
            people: HashMap::new(),
            standings: HashMap::new(),
            answers: HashMap::new(),
            hashes: Default::default(),
            tally: Tally::default(),
        }
    }

    /// Judges one line again, unless it is from before `since`; an error says why it is no record.
    pub fn add(&mut self, line: &[u8], since: Option<Timestamp>) -> Result<(), Unreadable> {
        let line: Line<'_> = serde_json::from_slice(line)?;
        if since.is_some_and(|since| line.at < since) {
            return Ok(());
        }
        let (Some(seen), Some(decided)) = (line.seen, line.decided) else {
            self.tally.pass();
            return Ok(());
        };
        let answer = self.answer(seen, decided)?;
        match &*line.kind {
            "opening" => self.tally.opened(line.id, answer),
            _ => self.tally.closed(line.id, &answer, answer.opened),
        }
        Ok(())
    }

    /// Hands out the flows of which one line has come by: their other may have come to another replayer.
    pub fn take_loose(&mut self) -> Loose {
        self.tally.take_loose()
    }

    /// What it all came to.
    pub fn into_tally(self) -> Tally {
        self.tally
    }

    fn answer(&mut self, seen: &RawValue, decided: &RawValue) -> Result<Arc<Answer>, Unreadable> {
        let parts: Parts<'_> = serde_json::from_str(seen.get())?;
        let person = match parts.person {
            Some(text) => Some(remembered(&mut self.people, text)?),
            None => None,
        };
        let standing = match parts.standing {
            Some(text) => remembered(&mut self.standings, text)?,
            None => Arc::default(),
        };
        let grants = standing.grants();
        let Some(stretch) = self.rules.policy.stretch(person.as_deref(), grants, parts.at) else {
            return Ok(Arc::new(self.judged(seen, decided)?));
        };
        let name = self.name(&parts, decided, &stretch);
        if let Some(answer) = self.answers.get(&name) {
            return Ok(Arc::clone(answer));
        }
        let ask: Ask = serde_json::from_str(parts.ask.get())?;
        let meaning = self.meaning(&parts, &ask, decided, &stretch);
        let answer = match self.answers.get(&meaning) {
            Some(answer) => Arc::clone(answer),
            None => Arc::new(self.judged(seen, decided)?),
        };
        if self.answers.len() >= MOST {
            self.answers.clear();
        }
        for name in [name, meaning] {
            self.answers.insert(name, Arc::clone(&answer));
        }
        Ok(answer)
    }

    fn judged(&self, seen: &RawValue, decided: &RawValue) -> Result<Answer, Unreadable> {
        let seen: Observation = serde_json::from_str(seen.get())?;
        let decided: DecisionNote = serde_json::from_str(decided.get())?;
        Ok(Answer {
            replay: self.rules.replay_judged(&seen, &decided),
            opened: decided.publishes && (decided.outcome == Outcome::Allow || decided.let_pass),
            seen,
        })
    }

    /// Everything that an answer depends on, as it stands in the book. The port of a client is none of it.
    fn name(&self, parts: &Parts<'_>, decided: &RawValue, stretch: &Stretch) -> u128 {
        let Arrival { door, client, network } = &parts.arrival;
        let texts = [
            parts.subject,
            parts.person,
            Some(parts.ask),
            parts.standing,
            parts.selected,
            Some(decided),
        ];
        let texts = texts.map(|text| text.map(RawValue::get));
        self.hashed((door, client.ip(), network, texts, stretch))
    }

    /// Everything that an answer depends on, with what the catalogue makes of the request in the place of its text.
    fn meaning(&self, parts: &Parts<'_>, ask: &Ask, decided: &RawValue, stretch: &Stretch) -> u128 {
        let Arrival { door, client, network } = &parts.arrival;
        let texts = [
            parts.subject,
            parts.person,
            parts.standing,
            parts.selected,
            Some(decided),
        ];
        let texts = texts.map(|text| text.map(RawValue::get));
        let catalog = &self.rules.catalog;
        let place = catalog.place_of(ask);
        let request = ask.head().map(|head| {
            let Reading {
                activity,
                activities,
                signatures,
            } = catalog.read(&place, head);
            let looks_further = head.peek == Peek::NotTaken && catalog.wants_body(&place, head);
            let heeded = self.rules.policy.heeds_requests().then(|| {
                let path = catalog.path_for_rules(&place, &head.path).into_owned();
                let Hints {
                    content_length,
                    has_body,
                    content_type,
                    ..
                } = &head.hints;
                (
                    head.method.clone(),
                    path,
                    *content_length,
                    *has_body,
                    content_type.clone(),
                )
            });
            (activity, activities, signatures, looks_further, heeded)
        });
        self.hashed((door, client.ip(), network, texts, stretch, ask.authority(), request))
    }

    fn hashed(&self, question: impl std::hash::Hash) -> u128 {
        let half = |hash: &RandomState| u128::from(hash.hash_one(&question));
        (half(&self.hashes.0) << 64) | half(&self.hashes.1)
    }
}

/// What a text says, read once.
fn remembered<T: serde::de::DeserializeOwned>(
    known: &mut HashMap<Box<str>, Arc<T>>,
    text: &RawValue,
) -> Result<Arc<T>, Unreadable> {
    if let Some(value) = known.get(text.get()) {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(serde_json::from_str(text.get())?);
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(text.get().into(), Arc::clone(&value));
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::facts::{Act, End, Ending, Grant, PurposeId, Record, SourceText};
    use crate::rulebook::explain_conditions::tests::seen;
    use crate::rulebook::{Assembled, Sources};

    fn rules(more: &str) -> Assembled {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", more));
        Rulebook::assemble(&sources).unwrap()
    }

    const ENDED: Ending = Ending {
        end: End::Completed,
        status: Some(200),
        decrypted: true,
        bytes_up: 0,
        bytes_down: 0,
        duration_ms: 1,
        judged_us: 1,
    };

    /// A week of people asking for this and that, as the book would have it under `rules`.
    fn week(then: &Assembled) -> Vec<Record> {
        let rules = &then.rulebook;
        let mut records = Vec::new();
        for who in ["ada", "ben", "dan", "eve", "finn"] {
            for to in ["https://www.linkedin.com/feed/", "https://x.com/N", "crates.io:443"] {
                for (purpose, approver) in [
                    (None, None),
                    (Some("market-research"), None),
                    (Some("personal-break"), None),
                ] {
                    for hours in [0_u64, 1, 3, 24, 24 * 4, 24 * 4 + 1] {
                        let mut seen = seen(then, who, &to.replace('N', &format!("p{}", records.len())));
                        seen.at = seen.at.plus(Duration::from_hours(hours));
                        seen.arrival
                            .client
                            .set_port(u16::try_from(40_000 + records.len()).unwrap());
                        let purpose = purpose.map(PurposeId::new);
                        let purpose = purpose.and_then(|id| rules.purposes().get(&id));
                        let grant = purpose.and_then(|purpose| rules.suppose(purpose, &seen, approver));
                        seen.standing = Standing::new(grant, seen.at);
                        records.push(recorded(rules, &seen, records.len()));
                    }
                }
            }
        }
        records
    }

    /// What the book would have of it.
    fn recorded(rules: &Rulebook, seen: &Observation, number: usize) -> Record {
        let judgement = rules.judge(seen);
        let remedy = rules.remedy_judged(seen, &judgement);
        Record {
            id: RecordId::new(format!("{number:05}")),
            at: seen.at,
            people: Vec::new(),
            act: Act::Closing {
                decided: Some(Box::new(judgement.note(Some(&remedy)))),
                seen: Box::new(rules.redact_judged(seen, &judgement)),
                ended: ENDED,
            },
        }
    }

    /// The same with and without a memory; how many changed, and how many questions were judged for it.
    fn compared(
        records: &[Record],
        Assembled {
            rulebook: rules,
            directory,
            ..
        }: &Assembled,
    ) -> (u64, usize) {
        let mut replayer = Replayer::new(rules);
        let (mut same, mut changed, mut not_enough) = (0, 0, 0);
        for record in records {
            replayer.add(&serde_json::to_vec(record).unwrap(), None).unwrap();
            match rules.replay(record) {
                Replay::Same => same += 1,
                Replay::Changed { .. } => changed += 1,
                Replay::NotEnough => not_enough += 1,
                Replay::NotJudged => {}
            }
        }
        let judged: BTreeSet<*const Answer> = replayer.answers.values().map(Arc::as_ptr).collect();
        let sums = replayer.into_tally().sums(directory);
        assert_eq!((sums.same, sums.changed, sums.not_enough), (same, changed, not_enough));
        (changed, judged.len())
    }

    #[test]
    fn a_week_under_its_own_rulebook_gives_no_difference() {
        let then = rules("");
        let records = week(&then);
        let (changed, remembered) = compared(&records, &then);
        assert_eq!(changed, 0);
        let few = 1..records.len() * 3 / 4;
        assert!(few.contains(&remembered), "{remembered} of {}", records.len());
    }

    #[test]
    fn what_is_remembered_of_an_emergency_is_what_would_be_judged_also_where_it_hangs_on_how_long_ago_it_was_declared()
    {
        let then = rules("");
        let first = seen(&then, "pia", "https://x.com/home");
        let crisis = then
            .rulebook
            .purposes()
            .get(&PurposeId::new("crisis-response"))
            .unwrap();
        let taken = then.rulebook.suppose_emergency(crisis, &first).unwrap();
        let held = Grant {
            expires: first.at.plus(Duration::from_hours(3)),
            ..taken
        };
        let minutes = [0, 20, 29, 30, 40, 59, 60, 61, 90];
        let records = minutes.iter().enumerate().map(|(number, minutes)| {
            let at = first.at.plus(Duration::from_mins(*minutes));
            let seen = Observation {
                standing: Standing::new([held.clone()], at),
                at,
                ..first.clone()
            };
            recorded(&then.rulebook, &seen, number)
        });
        let records: Vec<Record> = records.collect();
        assert_eq!(compared(&records, &then).0, 0);
        let sooner = rules(
            "@id(\"test\") @reason(\"R.\") @owner(\"IT\")\nforbid (principal, action in Action::\"read\", resource) \
             when { context has purpose && context.now >= context.purpose.declaredAt.offset(duration(\"30m\")) };",
        );
        let (changed, judged) = compared(&records, &sooner);
        assert_eq!(changed, 3, "after half an hour, and until the hour is over");
        assert!(judged < records.len(), "{judged}");
    }

    #[test]
    fn what_is_remembered_is_what_would_be_judged_also_where_hours_and_dates_count() {
        let records = week(&rules(""));
        for rule in [
            // a longer break, from a date on
            "permit (principal in Role::\"staff\", action in Action::\"read\", resource in Category::\"social-media\") \
             when { context has purpose && context.purpose.kind == PurposeKind::\"personal-break\" \
             && context.local.time < duration(\"15h\") && context.now >= datetime(\"2026-11-25\") };",
            // what is asked for
            "forbid (principal, action in Action::\"read\", resource) when { context.request.path like \"*7*\" };",
            "forbid (principal, action in Action::\"read\", resource) when { context.request.bytes < 1 };",
            // time that cannot be told in advance
            "forbid (principal, action == Action::\"connect\", resource) when { context.now.toTime() > duration(\"12h\") };",
        ] {
            let other = rules(&format!("@id(\"test\") @reason(\"R.\") @owner(\"IT\")\n{rule}"));
            assert!(compared(&records, &other).0 > 0, "{rule}");
        }
    }

    #[test]
    fn what_is_no_record_is_said_and_what_holds_no_decision_is_counted() {
        let then = rules("");
        let mut replayer = Replayer::new(&then.rulebook);
        assert!(replayer.add(b"{\"seq\": 1}", None).is_err());
        assert!(replayer.add(b"nonsense", None).is_err());
        let stray = br#"{"id":"1","at":"2026-11-24T11:30:00Z","kind":"stray","client":"10.0.0.7:1"}"#;
        replayer.add(stray, None).unwrap();
        assert_eq!(replayer.into_tally().sums(&then.directory).not_judged, 1);
    }

    #[test]
    fn a_flow_counts_once_and_is_forgotten_whoever_reads_its_two_lines_and_in_which_order() {
        let then = rules("");
        let passed = |record: &Record| matches!(&record.act, Act::Closing { decided: Some(decided), .. } if decided.outcome == Outcome::Allow);
        let (passed, refused): (Vec<Record>, Vec<Record>) = week(&then).into_iter().partition(passed);
        assert!(!passed.is_empty() && !refused.is_empty());
        let lines: Vec<(Vec<u8>, Vec<u8>)> = passed
            .into_iter()
            .map(|mut closing| {
                let Act::Closing { seen, decided, .. } = &mut closing.act else {
                    panic!("{closing:?}")
                };
                let decided = decided.as_mut().unwrap();
                decided.publishes = true;
                let act = Act::Opening {
                    seen: seen.clone(),
                    decided: decided.clone(),
                };
                let opening = Record { act, ..closing.clone() };
                (
                    serde_json::to_vec(&opening).unwrap(),
                    serde_json::to_vec(&closing).unwrap(),
                )
            })
            .collect();
        let (mut one, mut other) = (Replayer::new(&then.rulebook), Replayer::new(&then.rulebook));
        let mut loose = Loose::default();
        let mut most = 0;
        for (nth, (opening, closing)) in lines.iter().enumerate() {
            let is_last = nth + 1 == lines.len();
            match nth % 3 {
                0 => one.add(opening, None).unwrap(),
                _ => other.add(opening, None).unwrap(),
            }
            // a crash left the last without
            if !is_last {
                one.add(closing, None).unwrap();
            }
            loose.add(one.take_loose());
            loose.add(other.take_loose());
            most = most.max(loose.count());
        }
        assert_eq!((most, loose.count()), (1, 1));
        let judged = lines.len() + refused.len();
        for mut closing in refused {
            if let Act::Closing { decided, .. } = &mut closing.act {
                decided.as_mut().unwrap().publishes = true;
            }
            one.add(&serde_json::to_vec(&closing).unwrap(), None).unwrap();
        }
        assert_eq!(one.take_loose().count(), 0, "nothing was opened of what was refused");
        let mut tally = one.into_tally();
        tally.merge(other.into_tally());
        tally.add_loose(loose);
        let sums = tally.sums(&then.directory);
        assert_eq!(sums.judged(), u64::try_from(judged).unwrap());
    }
}
