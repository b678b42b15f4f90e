//! Letting somebody else answer, in a browser: one page that fits a phone, and its two forms.

use http::StatusCode;
use jiff::tz::TimeZone;

use super::deeds::NotEnded;
use super::delegating::{NotDelegated, Wanted};
use super::intake::Received;
use super::mine_asked::{LATELY, name_of};
use super::pages::counter::Pick;
use super::pages::delegations::{Delegation, Delegations};
use super::pages::{Page, see_other};
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, GrantId, Person};
use crate::ledger::Life;
use crate::purpose::{Approver, Purpose};
use crate::rulebook::Visitor;

/// The deed of the form's token.
const GIVE: &str = "delegate";

/// The deed that the button's token of a delegation is for.
pub(super) fn taking_back(id: &str) -> String {
    format!("take back {id}")
}

impl Portal {
    /// The page.
    pub(super) async fn delegations(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let note = self.just_delegated(visit, visitor, received);
        self.delegations_page(
            visit,
            visitor,
            received,
            (StatusCode::OK, note, Vec::new(), &Wanted::default()),
        )
        .await
    }

    async fn delegations_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        (status, note, trouble, wanted): (StatusCode, Option<String>, Vec<String>, &Wanted),
    ) -> Page {
        let who = &visitor.person.id;
        let given = self.ledger.delegated_by(who).into_iter();
        let given = given.filter(|one| !Life::of(one, visit.at).is_over());
        let others = self.ledger.delegated_to(who, visit.at).into_iter();
        let recent = self.signed_in_lately(visit, received).await;
        let page = Delegations {
            w: self.words,
            who: &visitor.person.name,
            note,
            trouble,
            off: (self.settings.delegation_days == 0).then_some(self.words.delegation.off),
            revoked: self.my_revoked_delegations(visit, visitor),
            given: given
                .map(|one| {
                    let token = self.tokens.issue(who, &taking_back(one.id.as_str()), visit.at);
                    let to = one.delegated.as_ref().map_or("", |delegated| delegated.to.as_str());
                    self.delegation(visit, visitor, (&one, to), Some(token))
                })
                .collect(),
            received: others
                .map(|one| self.delegation(visit, visitor, (&one, one.subject.as_str()), None))
                .collect(),
            token: recent.then(|| self.tokens.issue(who, GIVE, visit.at)),
            wanted,
            until_hint: (self.words.delegation.until_hint)(self.settings.delegation_days),
            purposes: self.asked_about(visit, visitor, wanted),
            contact: self.contact(),
        };
        self.page(status, &page)
    }

    fn delegation(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (one, who): (&Grant, &str),
        token: Option<String>,
    ) -> Delegation {
        let purposes = one.delegated.iter().flat_map(|delegated| &delegated.purposes);
        let titles: Vec<String> = purposes.map(|id| self.purpose_title(visit.rules(), id)).collect();
        Delegation {
            id: one.id.to_string(),
            who: name_of(visit.in_force, who),
            days: self.delegation_days(visitor, one),
            purposes: if titles.is_empty() {
                self.words.delegation.all_purposes.to_owned()
            } else {
                titles.join(", ")
            },
            token,
        }
    }

    /// From when on until when, as the person's calendar has it.
    pub(super) fn delegation_days(&self, visitor: Visitor<'_>, one: &Grant) -> String {
        // the last moment is one of the last day
        let last = Timestamp::from_millis(one.expires.as_millis() - 1);
        let [from, until] = [one.not_before, last].map(|at| self.day(at, visitor.person));
        (self.words.delegation.days)(&from, &until)
    }

    fn day(&self, at: Timestamp, person: &Person) -> String {
        let zone = TimeZone::get(&person.time_zone).unwrap_or(TimeZone::UTC);
        (self.words.day)(&at.calendar().to_zoned(zone))
    }

    /// The purposes whose terms may name the person to approve.
    fn asked_about(&self, visit: &Visit<'_>, visitor: Visitor<'_>, wanted: &Wanted) -> Vec<Pick> {
        let all = visit.rules().purposes().iter();
        let theirs =
            all.filter(|purpose| purpose.approval.is_needed() && names(visit, purpose, (visitor.person, true)));
        let picks = theirs.map(|purpose| Pick {
            id: purpose.id.to_string(),
            title: self.said(&purpose.title).to_owned(),
            chosen: wanted.purposes.contains(purpose.id.as_str()),
        });
        picks.collect()
    }

    /// Whether anybody may ever ask something of the person: for their own sake, or for somebody's who lets them answer.
    pub(super) fn answers_some(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> bool {
        let person = visitor.person;
        let mut people = visit.in_force.directory.people();
        let leads = people.any(|one| one.manager.as_ref() == Some(&person.id));
        let mut purposes = visit.rules().purposes().iter();
        purposes.any(|purpose| purpose.business_owner == person.id || names(visit, purpose, (person, leads)))
            || !self.ledger.delegated_to(&person.id, visit.at).is_empty()
    }

    /// Whom the person let answer, and somebody else ended that in the last days: who, and why.
    fn my_revoked_delegations(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<String> {
        let words = &self.words.delegation;
        let given = self.ledger.delegated_by(&visitor.person.id).into_iter();
        let told = given.filter_map(|one| {
            let (ended, at, to) = (one.ended.as_ref()?, one.ended_at?, one.delegated.as_ref()?);
            let is_told = ended.by != one.subject && visit.at.since(at) < LATELY;
            let [by, to] = [ended.by.as_str(), to.to.as_str()].map(|who| name_of(visit.in_force, who));
            is_told.then(|| (words.revoked_by)(&by, &to, &ended.why))
        });
        told.collect()
    }

    /// What the person gave or took back, where the address names it and they did.
    fn just_delegated(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Option<String> {
        let words = &self.words.delegation;
        let named = |name: &str| {
            let one = self.ledger.delegation(&GrantId::new(received.asked(name)?))?;
            let to = one.delegated.as_ref().filter(|_| one.subject == visitor.person.id)?;
            Some((Life::of(&one, visit.at), name_of(visit.in_force, to.to.as_str())))
        };
        if let Some((life, who)) = named("given") {
            return (!life.is_over()).then(|| (words.given_to)(&who));
        }
        let (life, who) = named("ended")?;
        (life == Life::Withdrawn).then(|| (words.taken_back)(&who))
    }

    /// The form was sent.
    pub(super) async fn delegate_by_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (GIVE, &form.token)).await {
            return page;
        }
        if !self.signed_in_lately(visit, received).await {
            return see_other("/sign-in?to=/delegations");
        }
        let wanted = Wanted {
            to: form.to,
            from: form.from,
            until: form.until,
            purposes: form.purposes,
        };
        let given = match self.would_delegate(visit, visitor, &wanted, Channel::Portal) {
            Ok(terms) => self.delegate(visit, terms).await,
            Err(why) => Err(why),
        };
        match given {
            Ok(given) => see_other(&format!("/delegations?given={}", given.id)),
            Err(NotDelegated::Misfits(misfits)) => {
                let trouble = misfits.iter().map(words.delegation.misfit).collect();
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                self.delegations_page(visit, visitor, received, (status, None, trouble, &wanted))
                    .await
            }
            Err(NotDelegated::Refused(reasons)) => {
                let text = (words.delegation.may_not)(&self.joined(&reasons));
                self.note(StatusCode::FORBIDDEN, words.delegation.not_given_title, &text)
            }
            Err(NotDelegated::TooMany(given)) => {
                let text = (words.delegation.too_many)(given);
                self.note(StatusCode::CONFLICT, words.delegation.not_given_title, &text)
            }
            Err(NotDelegated::NotKept) => self.delegation_not_kept(),
        }
    }

    /// The button was pressed that takes it back.
    pub(super) async fn take_back_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (&taking_back(id), &form.token)).await {
            return page;
        }
        match self.take_back(visit, visitor, id).await {
            Ok(over) => see_other(&format!("/delegations?ended={}", over.id)),
            Err(NotEnded::Over) => {
                let (title, text) = (words.delegation.over_title, words.delegation.over);
                self.note(StatusCode::CONFLICT, title, text)
            }
            Err(NotEnded::NotKept) => self.delegation_not_kept(),
            Err(NotEnded::NoSuch | NotEnded::Refused(_) | NotEnded::TakesAReason) => self.nothing_here(),
        }
    }

    fn delegation_not_kept(&self) -> Page {
        let words = &self.words.delegation;
        self.note(StatusCode::SERVICE_UNAVAILABLE, words.not_kept_title, words.not_kept)
    }
}

/// Whether the terms of a purpose name the person to approve, or may, where they lead who asks; an owner who asks is led, too.
fn names(visit: &Visit<'_>, purpose: &Purpose, (person, leads): (&Person, bool)) -> bool {
    let owner = &purpose.business_owner;
    let leads_owner = || {
        let known = visit.in_force.directory.person(owner);
        known.is_some_and(|known| known.manager.as_ref() == Some(&person.id))
    };
    let others = purpose.alternates.iter().flat_map(|alternates| &alternates.who);
    purpose.approval.of.iter().chain(others).any(|one| match one {
        Approver::Owner => *owner == person.id || leads_owner(),
        Approver::Manager => leads,
        Approver::Person(id) => *id == person.id,
        Approver::Group(group) => person.roles.contains(group) || person.departments.contains(group),
    })
}
