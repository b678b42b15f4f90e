//! Lines of the book about whatever there is, found for whom the rules let read decisions: of each, as far as they may read of
//! everybody whom it names. That they look is recorded, as it is of decisions.

use super::api::channel;
use super::book_line::BookLine;
use super::book_lines::Teller;
use super::decisions::{LOOKED_AT, Unseen};
use super::intake::Received;
use super::pages::{Page, Problem, field};
use super::paging::{self, Listed, Paging};
use super::wanted::{self, BadFilter, Wanted};
use super::{Portal, Visit};
use crate::audit::{Bookmark, Bounds, Found, ReadProblem, Topic, records};
use crate::clock::Timestamp;
use crate::facts::{AccessAct, Channel, Record, Scope};
use crate::rulebook::Visitor;

/// What may stand in the address of a call beside filters.
pub(super) const BESIDE: &[&str] = &[wanted::TOPIC, "limit", "after", "format"];

/// What was found, told.
#[derive(Debug, Default)]
pub(super) struct FoundLines {
    /// The newest first.
    pub(super) lines: Vec<BookLine>,
    /// Where to go on; none where there is nothing more.
    pub(super) next: Option<Bookmark>,
    /// Until when it has come.
    pub(super) reached: Option<Timestamp>,
    pub(super) unreadable: u64,
}

/// What an address looks for among all lines; of whatever there is, where it does not say.
pub(super) fn looked_for(received: &Received, now: Timestamp, beside: &[&str]) -> (Wanted, Vec<BadFilter>) {
    let (topic, unknown) = match wanted::topic(received).transpose() {
        Ok(topic) => (topic.unwrap_or_default(), None),
        Err(bad) => (Topic::All, Some(bad)),
    };
    let (wanted, mut bad) = Wanted::about(topic, received, now, beside);
    bad.extend(unknown);
    (wanted, bad)
}

impl Portal {
    /// Looks for lines, the newest first, once it is recorded that somebody does.
    pub(super) async fn find_lines(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (wanted, from, limit): (&Wanted, Option<Bookmark>, usize),
        channel: Channel,
    ) -> Result<FoundLines, Unseen> {
        let policies = Self::may_watch(visit, visitor, channel).ok_or(Unseen::NotAllowed)?;
        self.note_looking(visit, wanted, AccessAct::Searched, policies).await?;
        let (folder, wanted) = (self.book.folder().to_owned(), wanted.clone());
        let mut teller = Teller::of(self, visit, visitor, channel);
        let bounds = Bounds {
            records: limit,
            bytes: LOOKED_AT,
        };
        let search = move || {
            let admits = |record: &Record| teller.sees.finds(&wanted, record);
            let found = records(&folder, (&wanted.filter, from), bounds, admits)?;
            Ok(teller.told_all(found))
        };
        let found: Result<_, ReadProblem> = self.searches.run(&visitor.person.id, search).await?;
        found.map_err(|trouble| {
            tracing::warn!(%trouble, "the records cannot be searched");
            Unseen::NotRead
        })
    }

    /// The answer to a token that is not good for what is looked for: whoever lets a tool read decisions does not say with that
    /// what it reads of people's grants and tokens, and of what they wrote.
    pub(super) fn not_covered_of_lines(&self, visit: &Visit<'_>, received: &Received) -> Option<Page> {
        let covers = |scope| self.not_covered(visit, &received.headers, &[scope]);
        let is_of_flows = matches!(wanted::topic(received), Some(Ok(Topic::Flows)));
        covers(Scope::Decisions).or_else(|| if is_of_flows { None } else { covers(Scope::Read) })
    }

    /// What tools are told.
    pub(super) async fn list_records(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let channel = channel(received);
        if let Some(refused) = self.not_covered_of_lines(visit, received) {
            return refused;
        }
        if Self::may_watch(visit, visitor, channel).is_none() {
            return self.unseen_decisions(&Unseen::NotAllowed);
        }
        let (wanted, from, limit) = match asked(received, visit.at) {
            Ok(asked) => asked,
            Err(refused) => return refused,
        };
        let found = match self.find_lines(visit, visitor, (&wanted, from, limit), channel).await {
            Ok(found) => found,
            Err(why) => return self.unseen_decisions(&why),
        };
        let next = found.next.as_ref().map(ToString::to_string);
        if found.lines.is_empty() && from.is_none() {
            let unknown = wanted.unknown(visit, visitor, channel);
            if !unknown.is_empty() {
                return wanted::unfit(&unknown, Vec::new()).with("next", next).answer();
            }
        }
        let items = found.lines.iter().map(|line| serde_json::json!(line)).collect();
        paging::list(received, "records", &Listed { items, next })
    }
}

/// What a call looks for, from where on, and how many at most; or the answer to one that cannot be read.
pub(super) fn asked(received: &Received, now: Timestamp) -> Result<(Wanted, Option<Bookmark>, usize), Page> {
    let paging = Paging::of(received).map_err(Problem::answer)?;
    let (wanted, bad) = looked_for(received, now, BESIDE);
    let from = place(&paging)?;
    let bad_format = super::formats::format_of(received).err();
    let bad: Vec<BadFilter> = bad.into_iter().chain(bad_format).collect();
    if !bad.is_empty() {
        return Err(wanted::unfit(&bad, Vec::new()).answer());
    }
    Ok((wanted, from, paging.limit))
}

/// The place that `after` names.
pub(super) fn place(paging: &Paging) -> Result<Option<Bookmark>, Page> {
    let from: Option<Result<Bookmark, _>> = paging.after.as_deref().map(str::parse);
    from.transpose().map_err(|_| {
        let wrong = field("after", "`after` must be the `next` of a page, as it was given");
        wanted::unfit(&[], vec![wrong]).answer()
    })
}

impl Teller {
    /// All that was found.
    pub(super) fn told_all(&mut self, found: Found) -> FoundLines {
        let lines = found.records.iter().zip(found.lines);
        FoundLines {
            lines: lines.filter_map(|(record, at)| self.told(record, at)).collect(),
            next: found.next,
            reached: found.reached,
            unreadable: found.unreadable,
        }
    }
}
