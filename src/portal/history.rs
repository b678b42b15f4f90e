//! What has become of a grant, step by step, on its page: from what the ledger keeps of it.
//!
//! Whoever sees that page holds the grant or may end it, and so reads what people wrote of it already (`sees.rs`). What its
//! holder said came of it stands apart, and is theirs.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::mine_asked::name_of;
use super::pages::grant::Step;
use super::{Portal, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantState, Verdict};
use crate::ledger::Life;
use crate::rulebook::Visitor;

/// After so long the day of a year says more than the time of a day.
const LONG_AGO: Duration = Duration::from_hours(300 * 24);

/// What happened, and when.
struct Happened {
    at: Timestamp,
    what: String,
    /// What somebody wrote of it.
    note: Option<String>,
    /// Where more of it is, and what that is.
    link: Option<(String, &'static str)>,
}

impl Happened {
    fn at(at: Timestamp, what: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            note: None,
            link: None,
        }
    }

    fn noting(self, note: &str) -> Self {
        Self {
            note: Some(note.to_owned()).filter(|note| !note.is_empty()),
            ..self
        }
    }

    fn leading(self, grant: Option<&Grant>, label: &'static str) -> Self {
        Self {
            link: grant.map(|grant| (format!("/grants/{}", grant.id), label)),
            ..self
        }
    }
}

impl Portal {
    /// What has become of a grant, in the order of time; nothing of what states no purpose.
    pub(super) fn history(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Vec<Step> {
        if grant.delegated.is_some() || grant.continued.is_some() {
            return Vec::new();
        }
        let mut all = vec![self.began_as(visit, visitor, grant)];
        all.extend(self.answers(visit, grant));
        let until = self.long_or_short(visit, visitor, grant.expires);
        let began = grant.was_given() && grant.not_before <= visit.at;
        all.extend(began.then(|| Happened::at(grant.not_before, (self.words.history.began)(&until))));
        all.extend(self.renewals(visit, visitor, grant));
        all.extend(self.end_of(visit, visitor, grant));
        all.extend(self.reviewed(visit, grant));
        // what happened at the same moment stays in the order of a life
        all.sort_by_key(|one| one.at);
        let steps = all.into_iter().map(|one| Step {
            when: self.long_or_short(visit, visitor, one.at),
            what: one.what,
            note: one.note,
            link: one.link,
        });
        steps.collect()
    }

    /// How it came to be, and what it renews.
    fn began_as(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Happened {
        let words = &self.words.history;
        let what = match (&grant.emergency, grant.answer_by) {
            (Some(_), _) => words.broke_glass,
            (None, Some(_)) => words.asked,
            (None, None) => words.stated,
        };
        let parent = grant.parent.as_ref().and_then(|id| self.ledger.get(id));
        let parent = parent.filter(|parent| visit.may_look_at(visitor, parent));
        Happened::at(grant.declared_at, what).leading(parent.as_ref(), words.parent)
    }

    /// Who approved or declined it.
    fn answers(&self, visit: &Visit<'_>, grant: &Grant) -> Vec<Happened> {
        let words = &self.words.history;
        let told = grant.answers.iter().map(|answer| {
            let by = self.answerer(visit, answer);
            let what = match (answer.verdict, answer.missing) {
                (Verdict::Approved, 0) => (words.approved)(&by),
                (Verdict::Approved, missing) => (words.partly_approved)(&by, missing),
                (Verdict::Declined, _) => (words.declined)(&by),
            };
            Happened::at(answer.at, what).noting(&answer.note)
        });
        told.collect()
    }

    /// What renewed it, or is to.
    fn renewals(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Vec<Happened> {
        let words = &self.words.history;
        let theirs = self.ledger.grants_of(&grant.subject).into_iter();
        let renewals = theirs.filter(|other| other.parent.as_ref() == Some(&grant.id));
        let told = renewals.map(|renewal| {
            let what = if renewal.was_given() {
                words.renewed
            } else {
                words.renewal_asked
            };
            let seen = Some(&renewal).filter(|renewal| visit.may_look_at(visitor, renewal));
            Happened::at(renewal.declared_at, what).leading(seen, words.renewal)
        });
        told.collect()
    }

    /// How it ended, where that is not an answer.
    fn end_of(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Option<Happened> {
        let words = &self.words.history;
        let own = grant.subject == visitor.person.id;
        let ended = |what: String| Some(Happened::at(grant.until(), what));
        match Life::of(grant, visit.at) {
            Life::Requested | Life::Approved | Life::Active | Life::Declined => None,
            Life::Expired => {
                let unused = grant.idle.filter(|_| grant.fell_idle(visit.at));
                ended(unused.map_or_else(|| words.ran_out.to_owned(), words.unused))
            }
            Life::Withdrawn if grant.was_given() => ended((words.withdrawn)(own).to_owned()),
            Life::Withdrawn => ended((words.taken_back)(own).to_owned()),
            Life::Revoked => {
                let by = grant
                    .ended
                    .as_ref()
                    .map(|ended| name_of(visit.in_force, ended.by.as_str()));
                let why = grant.ended.as_ref().map_or("", |ended| ended.why.as_str());
                ended((words.revoked)(by.as_deref())).map(|one| one.noting(why))
            }
            Life::Lapsed => {
                // it lapsed when it could be answered no longer, whenever somebody noticed
                let noticed = (grant.state == GrantState::Lapsed).then(|| grant.until());
                let at = grant.answer_by.or(noticed)?;
                Some(Happened::at(at, words.lapsed))
            }
        }
    }

    /// What whoever reviewed an emergency found.
    fn reviewed(&self, visit: &Visit<'_>, grant: &Grant) -> Option<Happened> {
        let review = grant.emergency.as_ref()?.review.as_ref()?;
        let by = name_of(visit.in_force, review.by.as_str());
        let what = (self.words.history.reviewed)(&by, review.accepted);
        Some(Happened::at(review.at, what).noting(&review.note))
    }

    /// The time; of what is long ago the day, with its year.
    fn long_or_short(&self, visit: &Visit<'_>, visitor: Visitor<'_>, at: Timestamp) -> String {
        if visit.at.since(at) < LONG_AGO {
            return times::local(self.words, at, visit.at, visitor.person);
        }
        let zone = TimeZone::get(&visitor.person.time_zone).unwrap_or(TimeZone::UTC);
        (self.words.day)(&at.calendar().to_zoned(zone))
    }
}
