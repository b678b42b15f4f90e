//! The page of decisions: the newest, or what somebody looks for, page by page.

use std::sync::Arc;

use http::StatusCode;

use super::case::platform_name;
use super::decisions::{Decided, Wanted};
use super::intake::Received;
use super::pages::counter::Pick;
use super::pages::decisions::{Decisions, Line};
use super::pages::{Page, with_script};
use super::words::Words;
use super::{Portal, Visit, times};
use crate::audit::{Bookmark, Found};
use crate::clock::Timestamp;
use crate::facts::{Activity, Channel, Outcome, Person, PlatformId};
use crate::rulebook::{Rulebook, Visitor};

/// How many stand on one page.
const ON_A_PAGE: usize = 50;
/// How often a page is loaded anew for whoever wants that, in seconds.
const EVERY: u32 = 30;

/// How decisions are shown to somebody.
pub(super) struct Shown {
    pub(super) words: &'static Words,
    rules: Arc<Rulebook>,
    /// Whose clock it is.
    reader: Person,
    now: Timestamp,
}

impl Shown {
    pub(super) fn of(words: &'static Words, visit: &Visit<'_>, visitor: Visitor<'_>) -> Self {
        Self {
            words,
            rules: Arc::clone(&visit.in_force.rulebook),
            reader: visitor.person.clone(),
            now: visit.at,
        }
    }

    /// One decision, as a row says it.
    pub(super) fn line(&self, decided: &Decided<'_>) -> Line {
        let (words, note) = (&self.words.decisions, decided.note);
        let id = decided.seen.subject.as_ref().map(|subject| subject.id.as_str());
        let who = match (&decided.seen.person, id) {
            (Some(person), _) => person.name.clone(),
            (None, Some(id)) => id.to_owned(),
            (None, None) => words.nobody.to_owned(),
        };
        let place = match &note.platform {
            Some(platform) => platform_name(&self.rules, platform),
            None => note.host.to_string(),
        };
        let purpose = note.purpose.as_ref().map(|id| {
            let purpose = self.rules.purposes().get(id);
            purpose.map_or(id.as_str(), |purpose| purpose.title.said_in(self.words.language))
        });
        let when = times::exact(self.words, decided.record.at, self.now, &self.reader);
        let what = (self.words.activity)(note.activity.as_str());
        Line {
            href: format!("/decisions/{}", decided.record.id),
            label: (words.why_this)(&who, &what, &when),
            at: decided.record.at.to_string(),
            when,
            who,
            what,
            place,
            kind: note.outcome.as_str(),
            outcome: (words.outcome)(note.outcome),
            purpose: purpose.unwrap_or_default().to_owned(),
            came: (words.came)(&decided.ended.end, decided.ended.status),
        }
    }
}

impl Portal {
    /// The page of decisions.
    pub(super) async fn decisions_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (wanted, wrong) = Wanted::of(received, visit.at);
        let after = received.asked("after");
        let from: Option<Bookmark> = after.as_ref().and_then(|after| after.parse().ok());
        if after.is_some() && from.is_none() {
            return self.nothing_here();
        }
        let found = match self
            .found_for_page(visit, visitor, (&wanted, from, wrong.is_empty()))
            .await
        {
            Ok(found) => found,
            Err(page) => return page,
        };
        let (words, shown) = (self.words, Shown::of(self.words, visit, visitor));
        let lines: Vec<Line> = found
            .records
            .iter()
            .filter_map(Decided::of)
            .map(|decided| shown.line(&decided))
            .collect();
        let is_newest = from.is_none() && wanted.filter.until.is_none() && wrong.is_empty();
        let reloads = is_newest && received.asked("reload").is_some();
        let next = found.next.as_ref().map(ToString::to_string);
        let reached = found
            .reached
            .map(|at| times::exact(words, at, visit.at, visitor.person));
        let said = |name: &str| wanted.said.get(name).cloned().unwrap_or_default();
        let page = Decisions {
            w: words,
            who: &visitor.person.name,
            user: said("user"),
            since: said("since"),
            until: said("until"),
            platforms: platforms(visit, &said("platform")),
            activities: activities(words, visit, &said("activity")),
            purposes: self.purposes_to_pick(visit, &said("purpose")),
            outcomes: outcomes(words, &said("outcome")),
            wrong: (!wrong.is_empty()).then_some(words.decisions.bad_time),
            is_empty: lines.is_empty() && wrong.is_empty(),
            cut_short: next.is_some() && lines.len() < ON_A_PAGE,
            reached: reached.map(words.decisions.reached),
            older: next.map(|next| wanted.address("/decisions", &[("after", &next)])),
            newest: wanted.address("/decisions", &[]),
            live: is_newest.then(|| wanted.address("/decisions/live", &[])),
            reload: (is_newest && !reloads).then(|| wanted.address("/decisions", &[("reload", "")])),
            reload_s: reloads.then_some(EVERY),
            unreadable: (found.unreadable > 0).then(|| (words.decisions.unreadable)(found.unreadable)),
            lines,
            contact: self.contact(),
        };
        let status = if wrong.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        with_script(self.page(status, &page), super::pages::decisions::SCRIPT)
    }

    /// What is on a page, or the page that says why nothing is.
    async fn found_for_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (wanted, from, is_right): (&Wanted, Option<Bookmark>, bool),
    ) -> Result<Found, Page> {
        if !is_right {
            let may = Self::may_watch(visit, visitor, Channel::Portal).is_some();
            return may.then(Found::default).ok_or_else(|| self.nothing_here());
        }
        let asked = (wanted, from, ON_A_PAGE);
        let found = self.find_decisions(visit, visitor, asked, Channel::Portal).await;
        found.map_err(|why| self.unseen_decisions_page(&why))
    }

    fn purposes_to_pick(&self, visit: &Visit<'_>, chosen: &str) -> Vec<Pick> {
        let all = visit.rules().purposes().iter();
        let picks = all.map(|purpose| Pick {
            id: purpose.id.to_string(),
            title: self.said(&purpose.title).to_owned(),
            chosen: purpose.id.as_str() == chosen,
        });
        picks.collect()
    }
}

fn picks<'a>(chosen: &str, all: impl Iterator<Item = &'a str>, title: impl Fn(&str) -> String) -> Vec<Pick> {
    let mut picks: Vec<Pick> = all
        .map(|id| Pick {
            id: id.to_owned(),
            title: title(id),
            chosen: id == chosen,
        })
        .collect();
    picks.sort_by_key(|one| one.title.to_lowercase());
    picks
}

fn platforms(visit: &Visit<'_>, chosen: &str) -> Vec<Pick> {
    let all = visit.rules().catalog().platforms().map(|one| one.id.as_str());
    picks(chosen, all, |id| platform_name(visit.rules(), &PlatformId::new(id)))
}

fn activities(words: &Words, visit: &Visit<'_>, chosen: &str) -> Vec<Pick> {
    let all = visit.rules().policy().vocabulary().activities().keys();
    picks(chosen, all.map(Activity::as_str), words.activity)
}

fn outcomes(words: &Words, chosen: &str) -> Vec<Pick> {
    let all = [Outcome::Allow, Outcome::Declare, Outcome::Request, Outcome::Deny];
    let pick = |outcome: Outcome| Pick {
        id: outcome.as_str().to_owned(),
        title: (words.decisions.outcome)(outcome).to_owned(),
        chosen: outcome.as_str() == chosen,
    };
    all.map(pick).into()
}
