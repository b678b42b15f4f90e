//! One decision in full, for whom the rules let read it: what was seen and decided, and why, under the rules of its day. It is
//! the same as `wayleave explain` says of a record.

use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::api::{self, channel};
use super::decisions::{Decided, Unseen};
use super::intake::Received;
use super::pages::{self, Page};
use super::sees::Sees;
use super::{Portal, Visit};
use crate::audit::{Bookmark, Lines, ReadProblem, line_at, lines_of};
use crate::clock::Timestamp;
use crate::facts::{Access, AccessAct, Channel, Observation, Record, RecordId, RulebookId, Scope, SubjectId};
use crate::rulebook::{Assembled, Directory, Judged, Rulebook, Told, Visitor};

/// How much of the book is looked at for one flow, from where it began on.
const LOOKED_AT: u64 = 512 * 1024 * 1024;

/// Finds a rulebook that ruled, or says why it is not there.
pub type PastRules = Arc<dyn Fn(&RulebookId) -> Result<Assembled, String> + Send + Sync>;

/// A decision with all that there is to say of it.
pub(super) struct Explained {
    /// Its records: an opening, where it publishes, and a closing, once it is over; that alone where it is known where it is.
    pub(super) records: Vec<Record>,
    /// Whether its end, if there is one, is farther in the book than was looked at.
    pub(super) cut_short: bool,
    pub(super) at: Timestamp,
    pub(super) judged: Judged,
    /// Why, and the rules of its day; or why these are not there.
    pub(super) why: Result<(Told, Arc<Rulebook>), String>,
}

/// Where rules are found: those in force, and those that were.
struct Shelf {
    rules: Arc<Rulebook>,
    people: Directory,
    past: PastRules,
}

impl Shelf {
    fn explain(&self, id: RecordId, at: Timestamp, judged: Judged) -> Result<(Told, Arc<Rulebook>), String> {
        let (of, mode) = (&judged.decided.rulebook, judged.decided.mode);
        if of == self.rules.id() && mode == self.rules.policy().mode() {
            let told = self.rules.tell_recorded(&self.people, (id, at), judged);
            return Ok((told, Arc::clone(&self.rules)));
        }
        let Assembled {
            rulebook, directory, ..
        } = (self.past)(of)?;
        let rules = rulebook.in_mode(mode);
        let told = rules.tell_recorded(&directory, (id, at), judged);
        Ok((told, Arc::new(rules)))
    }
}

impl Portal {
    /// Explains a decision, once it is recorded that somebody looks at it; nothing of one that is not there, or that they may
    /// not read.
    pub(super) async fn explained(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (id, line, channel): (&str, Option<Bookmark>, Channel),
    ) -> Result<Explained, Unseen> {
        let policies = Self::may_watch(visit, visitor, channel).ok_or(Unseen::NotAllowed)?;
        let (id, folder) = (RecordId::new(id), self.book.folder().to_owned());
        let mut sees = Sees::of(visit, visitor, channel);
        let shelf = Shelf {
            rules: Arc::clone(&visit.in_force.rulebook),
            people: visit.in_force.directory.clone(),
            past: Arc::clone(&self.past),
        };
        let named = id.clone();
        let work = move || {
            let Lines { records, cut_short } = looked_for(&folder, &named, line)?;
            let judged = Judged::last(records.clone()).filter(|(_, judged)| sees.may_see(&judged.seen));
            let is_far = cut_short && records.is_empty();
            let explained = judged.map(|(at, judged)| Explained {
                why: shelf.explain(named, at, judged.clone()),
                records,
                cut_short,
                at,
                judged,
            });
            Ok(explained.ok_or(if is_far { Unseen::NotFound } else { Unseen::NotAllowed }))
        };
        let found: Result<_, ReadProblem> = self.searches.run(&visitor.person.id, work).await?;
        let found = found.map_err(|trouble| {
            tracing::warn!(%trouble, "the records cannot be searched");
            Unseen::NotRead
        })?;
        let explained = found?;
        let access = Access {
            record: Some(id),
            whose: whose(&explained.judged.seen),
            ..Access::default()
        };
        let noted = self.note_access(visit, (AccessAct::Explained, access), policies).await;
        noted.map_err(|_| Unseen::NotRecorded)?;
        Ok(explained)
    }

    /// What tools are told of one decision about somebody else.
    pub(super) async fn explain_decision(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, id): (&Received, &str),
    ) -> Page {
        let may = Self::may_watch(visit, visitor, channel(received)).is_some();
        if let Some(refused) = self
            .not_covered(visit, &received.headers, &[Scope::Decisions])
            .filter(|_| may)
        {
            return refused;
        }
        let line = line(received);
        match self.explained(visit, visitor, (id, line, channel(received))).await {
            Ok(explained) => pages::json(StatusCode::OK, &explained.told()),
            Err(Unseen::NotAllowed) => api::not_found("You met no such refusal in the last 24 hours."),
            Err(why) => self.unseen_decisions(&why),
        }
    }
}

/// Where the list found the line, as its links say.
pub(super) fn line(received: &Received) -> Option<Bookmark> {
    received.asked("line")?.parse().ok()
}

/// The line that is there; where it is not known where, or another one is there, what is found from when the flow began on.
fn looked_for(folder: &Path, id: &RecordId, line: Option<Bookmark>) -> Result<Lines, ReadProblem> {
    let there = line.map(|line| line_at(folder, id, line)).transpose()?.flatten();
    match there {
        Some(record) => Ok(Lines {
            records: vec![record],
            cut_short: false,
        }),
        None => lines_of(folder, id, LOOKED_AT),
    }
}

impl Explained {
    /// The closing record, once there is one.
    pub(super) fn over(&self) -> Option<Decided<'_>> {
        self.records.iter().rev().find_map(Decided::of)
    }

    fn told(&self) -> Value {
        let mut body = match self.over() {
            Some(over) => over.summary(),
            None => {
                json!({ "id": self.records.first().map(|record| &record.id), "at": self.at, "user": whose(&self.judged.seen) })
            }
        };
        let Some(members) = body.as_object_mut() else {
            return body;
        };
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        match &self.why {
            Ok((told, _)) => {
                put(
                    "same",
                    json!(told.recorded.as_ref().is_some_and(|recorded| recorded.same)),
                );
                put("explanation", json!(told.explanation));
                put("because", json!(told.because));
                put("what_if", json!(told.what_if));
            }
            Err(why) => {
                put("explanation", Value::Null);
                put("unexplained", json!(why));
            }
        }
        body
    }
}

fn whose(seen: &Observation) -> Option<SubjectId> {
    seen.subject.as_ref().map(|subject| subject.id.clone())
}
