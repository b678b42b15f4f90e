//! The page of what a search finds in the book beside decisions: who did what, when, and why, page by page.

use super::book::{FoundLines, looked_for};
use super::book_line::{BookLine, Leads};
use super::decision_pages::{ON_A_PAGE, platforms};
use super::formats::Format;
use super::intake::Received;
use super::pages::Page;
use super::pages::book::{AsFile, Book, Leading, Line};
use super::pages::counter::Pick;
use super::wanted::{self, BadFilter, Wanted};
use super::{Portal, Visit, provenance, times};
use crate::audit::{Bookmark, Topic};
use crate::facts::Channel;
use crate::rulebook::Visitor;

/// The filters that one writes.
const TEXTS: &[&str] = &["user", "grant", "since", "until"];
/// What may stand in the address beside filters.
pub(super) const ALSO: &[&str] = &[wanted::TOPIC, "after", "lang", "format", "reload", "all"];

impl Portal {
    /// The page of other lines than decisions.
    pub(super) async fn book_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (wanted, mut bad) = looked_for(received, visit.at, ALSO);
        let after = received.asked("after");
        let from: Option<Bookmark> = after.as_ref().and_then(|after| after.parse().ok());
        let may = Self::may_watch(visit, visitor, Channel::Portal).is_some();
        if !may || (after.is_some() && from.is_none()) {
            return self.nothing_here();
        }
        let is_led_here = provenance::is_led_here(&received.headers);
        let looks = bad.is_empty() && !is_led_here;
        let asked = (&wanted, from, ON_A_PAGE);
        let found = if looks {
            match self.find_lines(visit, visitor, asked, Channel::Portal).await {
                Ok(found) => found,
                Err(why) => return self.unseen_decisions_page(&why),
            }
        } else {
            FoundLines::default()
        };
        if looks && found.lines.is_empty() && from.is_none() {
            bad.extend(wanted.unknown(visit, visitor, Channel::Portal));
        }
        let led_here = is_led_here && bad.is_empty();
        let page = self.book_as_page((visit, visitor), (&wanted, &bad, led_here), &found);
        self.page(wanted::status(&bad), &page)
    }

    fn book_as_page<'a>(
        &'a self,
        (visit, visitor): (&Visit<'_>, Visitor<'a>),
        (wanted, bad, led_here): (&Wanted, &[BadFilter], bool),
        found: &FoundLines,
    ) -> Book<'a> {
        let words = self.words;
        let next = found.next.as_ref().map(ToString::to_string);
        let reached = found
            .reached
            .map(|at| times::exact(words, at, visit.at, visitor.person));
        let looked = bad.is_empty() && !led_here;
        let lines = found.lines.iter();
        Book {
            w: words,
            who: &visitor.person.name,
            topics: self.topics(wanted.filter.topic),
            texts: self.texts_of(wanted, TEXTS),
            platforms: platforms(words, visit, wanted),
            purposes: self.purposes_to_pick(visit, wanted),
            wrong: bad.iter().map(words.decisions.bad_filter).collect(),
            led_here: led_here.then_some(words.decisions.led_here),
            is_empty: found.lines.is_empty() && looked,
            cut_short: next.is_some() && found.lines.len() < ON_A_PAGE,
            reached: reached.map(words.decisions.reached),
            older: next.map(|next| wanted.address("/decisions", &[("after", &next)])),
            newest: wanted.address("/decisions", &[]),
            files: looked.then(|| self.as_file(wanted)),
            unreadable: (found.unreadable > 0).then(|| (words.decisions.unreadable)(found.unreadable)),
            lines: lines.map(|line| self.book_line((visit, visitor), line)).collect(),
            contact: self.contact(),
        }
    }

    fn book_line(&self, (visit, visitor): (&Visit<'_>, Visitor<'_>), line: &BookLine) -> Line {
        let words = &self.words.book;
        let when = times::exact(self.words, line.at, visit.at, visitor.person);
        let leads = line.leads.as_ref().map(|leads| {
            let (href, text) = match leads {
                Leads::Grant(id) => (format!("/grants/{id}"), words.to_grant),
                Leads::Decision(id, Some(at)) => (format!("/decisions/{id}?line={at}"), words.to_decision),
                Leads::Decision(id, None) => (format!("/decisions/{id}"), words.to_decision),
                Leads::Rules(id) => (format!("/rulebook/{id}"), words.to_rules),
            };
            Leading {
                href,
                text,
                label: (words.leads)(text, &line.name, &when),
            }
        });
        Line {
            at: line.at.to_string(),
            who: line.name.clone(),
            what: line.what.clone(),
            why: line.why.clone(),
            withheld: line.withheld.then_some(words.withheld),
            leads,
            when,
        }
    }

    /// What can be looked for.
    pub(super) fn topics(&self, chosen: Topic) -> Vec<Pick> {
        let pick = |topic: Topic| Pick {
            id: topic.as_str().to_owned(),
            title: (self.words.book.topic)(topic).to_owned(),
            chosen: topic == chosen,
        };
        Topic::EACH.map(pick).into()
    }

    /// How what was found is kept as a file.
    pub(super) fn as_file(&self, wanted: &Wanted) -> AsFile {
        let address = |format: Format| wanted.address("/decisions", &[("format", format.as_str())]);
        AsFile {
            csv: address(Format::Csv),
            lines: address(Format::Lines),
            holds: (self.words.book.file_holds)(&(self.words.outcome.number)(u64::from(super::export::MOST))),
        }
    }
}
