//! The page of decisions: the newest, or what somebody looks for, page by page.

use std::sync::Arc;

use super::case::platform_name;
use super::decisions::Decided;
use super::intake::Received;
use super::pages::counter::Pick;
use super::pages::decisions::{Decisions, Line};
use super::pages::{Page, with_script};
use super::wanted::{self, NOT_ALLOWED, Wanted};
use super::words::Words;
use super::{Portal, Visit, provenance, times};
use crate::audit::{ANY, Bookmark, Found, LetPass, Topic};
use crate::clock::Timestamp;
use crate::facts::{Activity, Channel, Observation, Outcome, Person, PlatformId};
use crate::rulebook::{Rulebook, Visitor};

/// How many stand on one page.
pub(super) const ON_A_PAGE: usize = 50;
/// How often a page is loaded anew for whoever wants that, in seconds.
const EVERY: u32 = 30;

/// The filters that one writes.
const TEXTS: &[&str] = &["user", "host", "client", "policy", "grant", "since", "until"];
/// The filters that are in sight also where no other is used.
const ON_THE_TOP: [&str; 3] = ["outcome", "platform", "user"];
/// What may stand in the address beside filters.
pub(super) const ALSO: &[&str] = &["all", "after", "reload", "lang", wanted::TOPIC, "format"];

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
    pub(super) fn line(&self, decided: &Decided<'_>, line: Option<Bookmark>) -> Line {
        let (words, note) = (&self.words.decisions, decided.note);
        let who = sender(self.words, decided.seen);
        let place = match &note.platform {
            Some(platform) => platform_name(&self.rules, platform),
            None => note.host.to_string(),
        };
        let purpose = note.purpose.as_ref().map(|id| {
            let purpose = self.rules.purposes().get(id);
            purpose.map_or(id.as_str(), |purpose| purpose.title.said_in(self.words.language))
        });
        let when = times::exact(self.words, decided.record.at, self.now, &self.reader);
        let what = decided.did(self.words);
        Line {
            href: line.map_or_else(
                || format!("/decisions/{}", decided.record.id),
                |line| format!("/decisions/{}?line={line}", decided.record.id),
            ),
            label: (words.why_this)(&who, &what, &when),
            at: decided.record.at.to_string(),
            when,
            who,
            what,
            place,
            kind: note.outcome.as_str(),
            outcome: (words.outcome)(note.outcome),
            purpose: purpose.unwrap_or_default().to_owned(),
            came: decided.came(self.words),
        }
    }
}

/// Whose decision it is: by name, where the directory knew one.
pub(super) fn sender(words: &Words, seen: &Observation) -> String {
    match (&seen.person, &seen.subject) {
        (Some(person), _) => person.name.clone(),
        (None, Some(subject)) => subject.id.to_string(),
        (None, None) => words.decisions.nobody.to_owned(),
    }
}

impl Portal {
    /// The page of decisions.
    pub(super) async fn decisions_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (wanted, mut bad) = Wanted::of(received, visit.at, ALSO);
        let after = received.asked("after");
        let from: Option<Bookmark> = after.as_ref().and_then(|after| after.parse().ok());
        if after.is_some() && from.is_none() {
            return self.nothing_here();
        }
        // what somebody else's link looks for is looked for, and recorded, once they ask for it themselves
        let is_led_here = provenance::is_led_here(&received.headers);
        let looks = bad.is_empty() && !is_led_here;
        // before it is searched, so that whoever follows from there misses nothing
        let newest = self.book.newest().to_string();
        let found = match self.found_for_page(visit, visitor, (&wanted, from, looks)).await {
            Ok(found) => found,
            Err(page) => return page,
        };
        let (words, shown) = (self.words, Shown::of(self.words, visit, visitor));
        let lines: Vec<Line> = found
            .records
            .iter()
            .zip(&found.lines)
            .filter_map(|(record, line)| Some(shown.line(&Decided::of(record)?, Some(*line))))
            .collect();
        let is_known = wanted.never_live(visit, visitor).is_empty();
        if lines.is_empty() && looks && from.is_none() {
            bad.extend(wanted.unknown(visit, visitor, Channel::Portal));
        }
        let is_newest = from.is_none() && wanted.filter.until.is_none() && looks;
        let reloads = is_newest && received.asked("reload").is_some();
        let next = found.next.as_ref().map(ToString::to_string);
        let reached = found
            .reached
            .map(|at| times::exact(words, at, visit.at, visitor.person));
        let page = Decisions {
            w: words,
            who: &visitor.person.name,
            topics: self.topics(Topic::Flows),
            texts: self.texts_of(&wanted, TEXTS),
            platforms: platforms(words, visit, &wanted),
            activities: activities(words, visit, &wanted.text("activity")),
            purposes: self.purposes_to_pick(visit, &wanted),
            outcomes: outcomes(words, &wanted.text("outcome")),
            let_pass: let_pass(words, &wanted.text("let_pass")),
            led_here: (is_led_here && bad.is_empty()).then_some(words.decisions.led_here),
            more: !bad.is_empty() || wanted.said.keys().any(|filter| !ON_THE_TOP.contains(&filter.as_str())),
            is_empty: lines.is_empty() && looks && bad.is_empty(),
            cut_short: next.is_some() && lines.len() < ON_A_PAGE,
            reached: reached.map(words.decisions.reached),
            older: next.map(|next| wanted.address("/decisions", &[("after", &next)])),
            newest: wanted.address("/decisions", &[]),
            live: (is_newest && is_known).then(|| wanted.address("/decisions/live", &[("after", &newest)])),
            reload: (is_newest && !reloads).then(|| wanted.address("/decisions", &[("reload", "")])),
            reload_s: reloads.then_some(EVERY),
            files: (looks && is_known).then(|| self.as_file(&wanted)),
            unreadable: (found.unreadable > 0).then(|| (words.decisions.unreadable)(found.unreadable)),
            lines,
            wrong: bad.iter().map(words.decisions.bad_filter).collect(),
            contact: self.contact(),
        };
        with_script(self.page(wanted::status(&bad), &page), super::pages::decisions::SCRIPT)
    }

    /// What is on a page, or the page that says why nothing is.
    async fn found_for_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (wanted, from, looks): (&Wanted, Option<Bookmark>, bool),
    ) -> Result<Found, Page> {
        if !looks {
            let may = Self::may_watch(visit, visitor, Channel::Portal).is_some();
            return may.then(Found::default).ok_or_else(|| self.nothing_here());
        }
        let asked = (wanted, from, ON_A_PAGE);
        let found = self.find_decisions(visit, visitor, asked, Channel::Portal).await;
        found.map_err(|why| self.unseen_decisions_page(&why))
    }

    /// What is looked for by writing it, of these filters: the name of each, what it is called, and what was written.
    pub(super) fn texts_of(
        &self,
        wanted: &Wanted,
        filters: &[&'static str],
    ) -> Vec<(&'static str, &'static str, String)> {
        let words = &self.words.decisions;
        let called = |filter: &str| match filter {
            "user" => self.words.user_name,
            "host" => words.host,
            "client" => words.client,
            "policy" => words.policy,
            "grant" => self.words.grant,
            "since" => words.since,
            _ => words.until,
        };
        let field = |name: &&'static str| (*name, called(name), wanted.text(name));
        filters.iter().map(field).collect()
    }

    pub(super) fn purposes_to_pick(&self, visit: &Visit<'_>, wanted: &Wanted) -> Vec<Pick> {
        let chosen = wanted.text("purpose");
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

/// The platforms of the catalogue, of which one may be looked for.
pub(super) fn platforms(words: &Words, visit: &Visit<'_>, wanted: &Wanted) -> Vec<Pick> {
    let all = visit.rules().catalog().platforms().map(|one| one.id.as_str());
    let chosen = wanted.text("platform");
    let any = Pick {
        id: ANY.to_owned(),
        title: words.decisions.any_platform.to_owned(),
        chosen: chosen == ANY,
    };
    let each = picks(&chosen, all, |id| platform_name(visit.rules(), &PlatformId::new(id)));
    [any].into_iter().chain(each).collect()
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
    let not_allowed = Pick {
        id: NOT_ALLOWED.to_owned(),
        title: words.decisions.not_allowed.to_owned(),
        chosen: chosen == NOT_ALLOWED,
    };
    [not_allowed].into_iter().chain(all.map(pick)).collect()
}

fn let_pass(words: &Words, chosen: &str) -> Vec<Pick> {
    let titles = words.decisions.let_pass_ways;
    let picks = LetPass::NAMES.into_iter().zip(titles).map(|(id, title)| Pick {
        id: id.to_owned(),
        title: title.to_owned(),
        chosen: id == chosen,
    });
    picks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::seen;
    use crate::facts::Language;

    #[test]
    fn whoever_signed_in_is_named_also_where_the_directory_does_not_know_them() {
        let words = Words::of(Language::En);
        let known = seen("ada", "/feed/");
        assert_eq!(sender(words, &known), "Ada");
        let unknown = Observation { person: None, ..known };
        assert_eq!(sender(words, &unknown), "ada");
        let nobody = Observation {
            subject: None,
            ..unknown
        };
        assert_eq!(sender(words, &nobody), "Nobody signed in");
    }
}
