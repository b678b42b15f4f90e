//! What was decided about others: found in the book for whom the rules let read it (`see-decisions`), the same for pages and
//! for tools.

use std::collections::BTreeSet;

use http::{StatusCode, header};
use serde_json::{Value, json};

use super::api::{self, channel};
use super::intake::Received;
use super::pages::{Page, Problem, field, retry_after};
use super::paging::{self, Listed, PAGE, Paging};
use super::revocations::AGAIN;
use super::searches::NotSearched;
use super::sees::Sees;
use super::wanted::{self, BadFilter, FILTERS, Wanted};
use super::words::Words;
use super::{Portal, Visit};
use crate::audit::{Bookmark, Bounds, Found, Lasting, decisions};
use crate::facts::{
    Access, AccessAct, Act, Channel, DecisionNote, End, Ending, Grant, Observation, Outcome, PolicyId, Record, Scope,
    SubjectId,
};
use crate::rulebook::Visitor;

/// How much of the book one request looks at: what is not found in it, the next one looks for.
pub(super) const LOOKED_AT: u64 = 64 * 1024 * 1024;

/// What may stand in the address of a call beside filters.
pub(super) const BESIDE: &[&str] = &["all", "limit", "after", "format"];

/// Why somebody sees no decisions.
pub(super) enum Unseen {
    /// They may not.
    NotAllowed,
    /// It was not found in what was looked at.
    NotFound,
    /// They are searching already.
    OneAtATime,
    /// The book cannot be read.
    NotRead,
    /// It cannot be recorded that they look.
    NotRecorded,
}

impl From<NotSearched> for Unseen {
    fn from(why: NotSearched) -> Self {
        match why {
            NotSearched::OneAtATime => Self::OneAtATime,
            NotSearched::Failed => Self::NotRead,
        }
    }
}

/// One decision, taken from its record.
pub(super) struct Decided<'a> {
    pub(super) record: &'a Record,
    pub(super) seen: &'a Observation,
    pub(super) note: &'a DecisionNote,
    pub(super) ended: &'a Ending,
}

/// Whether an address asks for what was decided about others: it names somebody else, or everybody; or looks for something, and
/// whoever does may read of others.
pub(super) fn is_about_others(visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> bool {
    let user = received.asked("user").map(|user| user.trim().to_owned());
    let is_other = user.is_some_and(|user| !user.is_empty() && user != visitor.person.id.as_str());
    let is_file = super::formats::format_of(received).is_ok_and(|format| format.is_some());
    let filters = || FILTERS.iter().any(|name| received.asked(name).is_some());
    received.asked("all").is_some()
        || is_file
        || is_other
        || (filters() && Portal::may_watch(visit, visitor, channel(received)).is_some())
}

/// The answer to whoever asks for a file and may read nothing of others: their own refusals are remembered, and are none.
pub(super) fn own_as_file(visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Option<Page> {
    let user = received.asked("user").map(|user| user.trim().to_owned());
    let is_other = user.is_some_and(|user| !user.is_empty() && user != visitor.person.id.as_str());
    let is_about_others = received.asked("all").is_some() || is_other;
    if is_about_others || Portal::may_watch(visit, visitor, channel(received)).is_some() {
        return None;
    }
    let wrong = field("format", "your own refusals are answered as JSON alone");
    Some(wanted::unfit(&[], vec![wrong]).answer())
}

impl<'a> Decided<'a> {
    /// The decision of a record that holds one.
    pub(super) fn of(record: &'a Record) -> Option<Self> {
        match &record.act {
            Act::Closing {
                seen,
                decided: Some(note),
                ended,
            } => Some(Self {
                record,
                seen,
                note,
                ended,
            }),
            Act::Closing { decided: None, .. }
            | Act::Opening { .. }
            | Act::Stray { .. }
            | Act::Grant { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => None,
        }
    }

    /// Whether it is a tunnel that was let through and read.
    pub(super) fn is_read_tunnel(&self) -> bool {
        let is_allowed = self.note.outcome == Outcome::Allow && self.ended.end == End::Completed;
        self.ended.decrypted && self.seen.ask.head().is_none() && is_allowed
    }

    /// Whether it is a tunnel that passes, of which nobody knows what is in it.
    fn is_unread(&self) -> bool {
        let passes = self.note.outcome == Outcome::Allow || self.note.let_pass;
        passes && !self.ended.decrypted && self.seen.ask.head().is_none()
    }

    /// Whether it is a tunnel that was refused, and opened all the same: so that whoever sent it reads why, and for nothing else.
    fn only_says_why(&self) -> bool {
        let is_refused = self.note.outcome != Outcome::Allow && !self.note.let_pass;
        is_refused && self.ended.end == End::Completed && self.ended.decrypted && self.seen.ask.head().is_none()
    }

    /// What was done, in words.
    pub(super) fn did(&self, words: &Words) -> String {
        if self.is_unread() {
            (words.open.kind)(Lasting::Tunnel).to_owned()
        } else {
            (words.activity)(self.note.activity.as_str())
        }
    }

    /// What came of it, in words.
    pub(super) fn came(&self, words: &Words) -> String {
        if self.only_says_why() {
            words.decisions.only_says_why.to_owned()
        } else {
            (words.decisions.came)(&self.ended.end, self.ended.status)
        }
    }

    /// The same in a list, with where its line is.
    pub(super) fn listed(&self, line: Bookmark) -> Value {
        let mut summary = self.summary();
        if let Some(members) = summary.as_object_mut() {
            members.insert("line".to_owned(), line.to_string().into());
        }
        summary
    }

    /// The decision in short, for tools.
    pub(super) fn summary(&self) -> Value {
        let note = self.note;
        json!({
            "id": self.record.id,
            "at": self.record.at,
            "user": self.seen.subject.as_ref().map(|subject| &subject.id),
            "host": note.host,
            "platform": note.platform,
            "activity": note.activity,
            "outcome": note.outcome,
            "purpose": note.purpose,
            "grant": note.grant,
            "let_pass": note.let_pass,
            "policies": note.policies,
            "ended": way(&self.ended.end),
            "status": self.ended.status,
            "decrypted": self.ended.decrypted,
            "policy_revision": note.rulebook,
        })
    }
}

/// In which way a flow ended, as records name it.
fn way(end: &End) -> &'static str {
    match end {
        End::Completed => "completed",
        End::Refused => "refused",
        End::Challenged => "challenged",
        End::Failed { .. } => "failed",
        End::Cut(_) => "cut",
        End::Abandoned => "abandoned",
    }
}

impl Portal {
    /// Looks for decisions, the newest first, once it is recorded that somebody does.
    pub(super) async fn find_decisions(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (wanted, from, limit): (&Wanted, Option<Bookmark>, usize),
        channel: Channel,
    ) -> Result<Found, Unseen> {
        let policies = Self::may_watch(visit, visitor, channel).ok_or(Unseen::NotAllowed)?;
        self.note_looking(visit, wanted, AccessAct::Searched, policies).await?;
        let (folder, wanted) = (self.book.folder().to_owned(), wanted.clone());
        let mut sees = Sees::of(visit, visitor, channel);
        let bounds = Bounds {
            records: limit,
            bytes: LOOKED_AT,
        };
        let search = move || {
            let admits = |record: &Record| wanted.admits(record) && sees.admits(record);
            decisions(&folder, (&wanted.filter, from), bounds, admits)
        };
        let found = self.searches.run(&visitor.person.id, search).await?;
        found.map_err(|trouble| {
            tracing::warn!(%trouble, "the records cannot be searched");
            Unseen::NotRead
        })
    }

    /// Records for what somebody looks; and whose that is, where they look for what passed under somebody's grant.
    pub(super) async fn note_looking(
        &self,
        visit: &Visit<'_>,
        wanted: &Wanted,
        act: AccessAct,
        policies: BTreeSet<PolicyId>,
    ) -> Result<(), Unseen> {
        let grant = wanted.filter.grant.as_ref().and_then(|id| self.ledger.get(id));
        // whoever is looked for by their full name can find that they were, and so can whoever shares it
        let user = wanted.filter.user.as_ref();
        let in_full = user.filter(|user| SubjectId::parse(user).is_err());
        let called = in_full.map(|name| visit.in_force.directory.called(name));
        let called = called.into_iter().flatten().map(|person| person.id.clone());
        let by_name = wanted.access().of_those_called_so(called);
        let under = |grant: Grant| Access {
            whose: Some(grant.subject),
            ..wanted.access()
        };
        let access = match grant {
            Some(grant) if in_full.is_some() => {
                // both can find it: a line for each, whether anybody is called so or not
                let noted = self.note_access(visit, (act, under(grant)), policies.clone()).await;
                noted.map_err(|_| Unseen::NotRecorded)?;
                by_name
            }
            Some(grant) => under(grant),
            None => by_name,
        };
        let noted = self.note_access(visit, (act, access), policies).await;
        noted.map_err(|_| Unseen::NotRecorded)
    }

    /// What tools are told of decisions: of the person's own, or of others'. Each takes a scope of its own of a token.
    pub(super) async fn list_some_decisions(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
    ) -> Page {
        let is_about_others = is_about_others(visit, visitor, received);
        let scope = if is_about_others { Scope::Decisions } else { Scope::Read };
        if let Some(refused) = self.not_covered(visit, &received.headers, &[scope]) {
            return refused;
        }
        let paging = match Paging::of(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let (wanted, mut bad) = Wanted::of(received, visit.at, BESIDE);
        bad.extend(super::formats::format_of(received).err());
        if is_about_others {
            return self
                .list_others_decisions(visit, visitor, (received, &wanted, bad, &paging))
                .await;
        }
        if bad.is_empty() {
            self.list_decisions(visit, visitor, (received, &wanted, &paging))
        } else {
            wanted::unfit(&bad, Vec::new()).answer()
        }
    }

    /// What tools are told of others' decisions.
    async fn list_others_decisions(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, wanted, bad, paging): (&Received, &Wanted, Vec<BadFilter>, &Paging),
    ) -> Page {
        let channel = channel(received);
        if Self::may_watch(visit, visitor, channel).is_none() {
            return self.unseen_decisions(&Unseen::NotAllowed);
        }
        let from: Option<Result<Bookmark, _>> = paging.after.as_deref().map(str::parse);
        let wrong = matches!(from, Some(Err(_)));
        let wrong = wrong.then(|| field("after", "`after` must be the `next` of a page, as it was given"));
        if !bad.is_empty() || wrong.is_some() {
            return wanted::unfit(&bad, wrong.into_iter().collect()).answer();
        }
        let from = from.and_then(Result::ok);
        let asked = (wanted, from, paging.limit.min(PAGE));
        let found = match self.find_decisions(visit, visitor, asked, channel).await {
            Ok(found) => found,
            Err(why) => return self.unseen_decisions(&why),
        };
        let next = found.next.as_ref().map(ToString::to_string);
        if found.records.is_empty() && from.is_none() {
            let unknown = wanted.unknown(visit, visitor, channel);
            if !unknown.is_empty() {
                return wanted::unfit(&unknown, Vec::new()).with("next", next).answer();
            }
        }
        let items = found.records.iter().zip(&found.lines);
        let items = items.filter_map(|(record, line)| Some(Decided::of(record)?.listed(*line)));
        let listed = Listed {
            items: items.collect(),
            next,
        };
        paging::list(received, "decisions", &listed)
    }

    pub(super) fn unseen_decisions(&self, why: &Unseen) -> Page {
        let words = self.words;
        match why {
            Unseen::NotAllowed => api::not_found("The rules let you read no decisions but your own."),
            Unseen::NotFound => api::not_found(
                "It was not found in the part of the records that one call looks at: give the `line` that the list tells.",
            ),
            Unseen::OneAtATime => {
                let (title, text) = (words.one_at_a_time_title, words.one_at_a_time);
                let mut page = Problem::new(StatusCode::TOO_MANY_REQUESTS, "one-at-a-time", title, text).answer();
                retry_after(&mut page, AGAIN);
                page
            }
            Unseen::NotRead => {
                let (title, text) = (words.decisions.not_read_title, words.decisions.not_read);
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let mut page = Problem::new(status, "records-unreadable", title, text).answer();
                let later = header::HeaderValue::from_static("60");
                page.headers_mut().insert(header::RETRY_AFTER, later);
                page
            }
            Unseen::NotRecorded => api::not_kept(words.decisions.not_recorded_title, words.decisions.not_recorded),
        }
    }

    /// The same on a page.
    pub(super) fn unseen_decisions_page(&self, why: &Unseen) -> Page {
        let words = self.words;
        let said = &words.decisions;
        match why {
            Unseen::NotAllowed => self.nothing_here(),
            Unseen::NotFound => self.note(StatusCode::NOT_FOUND, said.not_found_title, said.not_found),
            Unseen::OneAtATime => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                let mut page = self.note(status, words.one_at_a_time_title, words.one_at_a_time);
                retry_after(&mut page, AGAIN);
                page
            }
            Unseen::NotRead => self.note(StatusCode::SERVICE_UNAVAILABLE, said.not_read_title, said.not_read),
            Unseen::NotRecorded => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                self.note(status, said.not_recorded_title, said.not_recorded)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::{completed, decided, noon, seen};
    use crate::facts::{Ask, Authority, RecordId};
    use crate::portal::words::ENGLISH;

    fn tunnel(outcome: Outcome, let_pass: bool, decrypted: bool) -> Record {
        let to = Authority::parse("www.linkedin.com:443", None).unwrap();
        Record {
            id: RecordId::new(noon().fresh_name()),
            at: noon(),
            people: Vec::new(),
            act: Act::Closing {
                seen: Box::new(Observation {
                    ask: Ask::Connect(to),
                    ..seen("ada", "/")
                }),
                decided: Some(Box::new(DecisionNote {
                    let_pass,
                    activity: crate::facts::Activity::new("connect"),
                    ..decided(outcome)
                })),
                ended: Ending {
                    end: completed().end,
                    status: Some(200),
                    decrypted,
                    bytes_up: 0,
                    bytes_down: 0,
                    duration_ms: 0,
                    judged_us: 0,
                },
            },
        }
    }

    #[test]
    fn a_tunnel_is_said_to_pass_unread_to_be_opened_only_to_say_why_or_to_be_read() {
        for (outcome, let_pass, decrypted, words) in [
            (Outcome::Allow, false, false, ["a tunnel, unread", "passed, 200"]),
            (Outcome::Deny, true, false, ["a tunnel, unread", "passed, 200"]),
            (Outcome::Deny, false, true, ["open pages", "opened only to say why"]),
            (Outcome::Declare, false, true, ["open pages", "opened only to say why"]),
            (Outcome::Deny, true, true, ["open pages", "passed, 200"]),
        ] {
            let record = tunnel(outcome, let_pass, decrypted);
            let one = Decided::of(&record).unwrap();
            let said = [one.did(&ENGLISH), one.came(&ENGLISH)];
            assert_eq!(said, words, "{outcome:?} {let_pass} {decrypted}");
        }
    }
}
