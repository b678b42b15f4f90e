//! One decision in full, for whom the rules let read it: what was seen and decided, and why, under the rules of its day. It is
//! the same as `wayleave explain` says of a record.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::api::{self, channel};
use super::decisions::{Decided, Unseen};
use super::intake::Received;
use super::pages::{self, Page};
use super::sees::Sees;
use super::{Portal, Visit};
use crate::audit::lines_of;
use crate::clock::Timestamp;
use crate::facts::{Access, AccessAct, Channel, Observation, Record, RecordId, RulebookId, SubjectId};
use crate::rulebook::{Assembled, Directory, Judged, Rulebook, Told, Visitor};

/// How much of the book is looked at for one flow, from where it began on.
const LOOKED_AT: u64 = 512 * 1024 * 1024;

/// Finds a rulebook that ruled, or says why it is not there.
pub type PastRules = Arc<dyn Fn(&RulebookId) -> Result<Assembled, String> + Send + Sync>;

/// A decision with all that there is to say of it.
pub(super) struct Explained {
    /// Its records: an opening, where it publishes, and a closing, once it is over.
    pub(super) records: Vec<Record>,
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
        (id, channel): (&str, Channel),
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
            let records = lines_of(&folder, &named, LOOKED_AT)?;
            let judged = Judged::last(records.clone()).filter(|(_, judged)| sees.may_see(&judged.seen));
            Ok(judged.map(|(at, judged)| Explained {
                why: shelf.explain(named, at, judged.clone()),
                records,
                at,
                judged,
            }))
        };
        let found: Result<_, crate::audit::ReadProblem> = self.searches.run(&visitor.person.id, work).await?;
        let found = found.map_err(|trouble| {
            tracing::warn!(%trouble, "the records cannot be searched");
            Unseen::NotRead
        })?;
        let explained = found.ok_or(Unseen::NotAllowed)?;
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
        match self.explained(visit, visitor, (id, channel(received))).await {
            Ok(explained) => pages::json(StatusCode::OK, &explained.told()),
            Err(Unseen::NotAllowed) => api::not_found("You met no such refusal in the last 24 hours."),
            Err(why) => self.unseen_decisions(&why),
        }
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
