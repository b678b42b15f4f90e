//! Break-glass and its reviews on pages: offered beside a refusal where it would help, reviewed where requests are answered.

use std::collections::BTreeSet;

use http::StatusCode;

use super::case::Case;
use super::choosing::{covered, sent};
use super::effects::doings;
use super::emergencies::{NotReviewed, is_reviewable, review_by};
use super::intake::{Form, Received};
use super::mine_asked::name_of;
use super::pages::counter::{BreakGlass, Glass, ToReview};
use super::pages::{Page, see_other};
use super::{Portal, Visit, times};
use crate::facts::{Channel, Grant, GrantId, PurposeId};
use crate::ledger::Life;
use crate::purpose::{Declaration, Note, Purpose, UnfitNote, Why};
use crate::rulebook::Visitor;

impl Portal {
    /// The page on which somebody breaks the glass.
    pub(super) fn urgent_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
        match self.could_be_urgent(visit, visitor) {
            Ok(()) => self.urgent(visit, visitor, &Form::default(), Vec::new()),
            Err(None) => self.nothing_here(),
            Err(Some((purpose, why))) => {
                let text = self.not_granted_in_words(visit, Some(&purpose), &why);
                self.note(StatusCode::FORBIDDEN, self.words.emergency.not_taken_title, &text)
            }
        }
    }

    /// What somebody could take in an emergency where `case` is refused, as buttons; none where they may not, it would not
    /// help, stating a purpose does without, nobody could review it, or a review of theirs is still to be done.
    pub(super) fn glasses(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        case: &Case<'_>,
        record: &str,
    ) -> Option<BreakGlass> {
        if case.remedy.offers.iter().any(|offer| !offer.needs_approval) {
            return None;
        }
        self.has_reviews_done(&visitor.person.id, visit.at).ok()?;
        let platform = case.platform.as_ref()?;
        let words = &self.words.emergency;
        let here = BTreeSet::from([platform.clone()]);
        let opened = |purpose: &Purpose| visit.rules().opened_in_emergency(visitor, purpose, &here, visit.at);
        let purposes = visit.rules().purposes();
        let known = |(id, covers): (PurposeId, BTreeSet<String>)| Some((purposes.get(&id)?, covers));
        let choices = self
            .could_take(visit, visitor, record)?
            .into_iter()
            .filter_map(known)
            .filter(|(purpose, covers)| is_reviewable(visit, visitor, purpose, covers))
            .map(|(purpose, covers)| {
                let ticket = purpose.ticket.as_ref();
                Glass {
                    title: self.said(&purpose.title).to_owned(),
                    effect: (self.words.where_and_what)(
                        &[&super::case::platform_name(visit.rules(), platform)],
                        &doings((visit.rules(), self.words), &covers, &opened(purpose)),
                    ),
                    covers: sent(&covers),
                    ticket: ticket.map(|rule| (self.words.ticket_needed)(&rule.example)),
                    id: purpose.id.to_string(),
                }
            });
        let choices: Vec<Glass> = choices.collect();
        (!choices.is_empty()).then(|| BreakGlass {
            choices,
            token: self.tokens.issue(&visit.subject.id, &breaking(record), visit.at),
            hint: words.hint,
        })
    }

    /// The purposes that would open a refusal of the person in an emergency, each with what it needs to cover.
    fn could_take(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        record: &str,
    ) -> Option<Vec<(PurposeId, BTreeSet<String>)>> {
        let kept = self.memory.by_record(&visitor.person.id, record, visit.at)?;
        let seen = self.seen_now(visit, &kept.refused.seen);
        Some(visit.rules().emergencies(&seen))
    }

    /// The button was pressed.
    pub(super) async fn break_glass_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
    ) -> Page {
        let words = self.words;
        let who = &visit.subject.id;
        let form = match self.own_form(visit, received, |form| breaking(&form.refusal)).await {
            Ok(form) => form,
            Err(over) => return over,
        };
        let Some(kept) = self.memory.by_record(who, &form.refusal, visit.at) else {
            return self.note(StatusCode::NOT_FOUND, words.link_over_title, words.link_over);
        };
        let wanted = PurposeId::new(form.purpose.as_str());
        let taken = self.could_take(visit, visitor, &form.refusal).unwrap_or_default();
        let taken = taken.into_iter().find(|(id, _)| *id == wanted);
        let (Some((purpose, covers)), Some(platform)) = (taken, kept.refused.refusal.place.platform.clone()) else {
            return self.note(StatusCode::CONFLICT, words.emergency.not_taken_title, words.choose_one);
        };
        // what was shown, whatever the rules would open by now
        let shown = form.covers.get(purpose.as_str());
        let declaration = Declaration {
            purpose: purpose.clone(),
            platforms: BTreeSet::from([platform]),
            covers: shown.map_or(Some(covers), |shown| covered(shown)),
            statement: form.statement.clone(),
            ticket: Some(form.ticket.trim().to_owned()).filter(|ticket| !ticket.is_empty()),
            duration: None,
        };
        match self.break_glass(visit, visitor, &declaration, Channel::Portal).await {
            Ok(grant) => {
                self.granted_for(visit, &form.refusal, &grant.id).await;
                see_other(&format!("/refusals/{}/granted", kept.refused.record))
            }
            Err(why) => {
                let text = self.not_granted_in_words(visit, Some(&purpose), &why);
                self.note(StatusCode::UNPROCESSABLE_ENTITY, words.emergency.not_taken_title, &text)
            }
        }
    }

    /// What waits for the person's review, on the page of what waits for them.
    pub(super) fn to_review(&self, visit: &Visit<'_>, visitor: Visitor<'_>, recent: bool) -> Vec<ToReview> {
        let words = &self.words.emergency;
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        let waiting = self.reviewable(visit, visitor, Channel::Portal).into_iter();
        let waiting = waiting.map(|grant| {
            let who = name_of(visit.in_force, grant.subject.as_str());
            let live = Life::of(&grant, visit.at) == Life::Active;
            let due = review_by(&grant);
            ToReview {
                heading: (words.broke_the_glass)(&who, &self.purpose_title(visit.rules(), &grant.purpose)),
                effect: self.effect(visit, &grant),
                lasts: (words.open_until)(&when(grant.until()), live),
                statement: grant.statement.clone(),
                ticket: grant.ticket.clone(),
                due: (words.review_due)(
                    &due.map(when).unwrap_or_default(),
                    due.is_some_and(|due| due <= visit.at),
                ),
                token: recent.then(|| {
                    self.tokens
                        .issue(&visit.subject.id, &reviewing(grant.id.as_str()), visit.at)
                }),
                id: grant.id.to_string(),
            }
        });
        waiting.collect()
    }

    /// A review was sent.
    pub(super) async fn review_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let words = self.words;
        let form = match self.own_form(visit, received, |_| reviewing(id)).await {
            Ok(form) => form,
            Err(over) => return over,
        };
        if !self.signed_in_lately(visit, received).await {
            return see_other("/sign-in?to=/approvals");
        }
        let accepted = match form.accepted.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        let title = words.emergency.not_reviewed_title;
        let note = Note::parse(&form.note);
        if let Err(UnfitNote::Invisible(sign)) = note {
            return self.unfit_note(title, UnfitNote::Invisible(sign));
        }
        let Some((accepted, why)) = accepted.zip(note.ok().and_then(Why::of)) else {
            return self.note(
                StatusCode::UNPROCESSABLE_ENTITY,
                title,
                words.emergency.say_what_you_found,
            );
        };
        let id = GrantId::new(id);
        let found = (accepted, why, Channel::Portal);
        match self.review(visit, visitor, &id, found).await {
            Ok(grant) => see_other(&format!("/approvals?reviewed={}", grant.id)),
            Err(why) => self.not_reviewed_page(&why),
        }
    }

    fn not_reviewed_page(&self, why: &NotReviewed) -> Page {
        let words = &self.words.emergency;
        match why {
            NotReviewed::NoSuch => self.nothing_here(),
            NotReviewed::Over => self.note(
                StatusCode::CONFLICT,
                words.reviewed_already_title,
                words.reviewed_already,
            ),
            NotReviewed::Refused(reasons) => {
                self.note(StatusCode::FORBIDDEN, words.may_not_review_title, &self.joined(reasons))
            }
            NotReviewed::NotKept => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.not_reviewed_title,
                words.not_reviewed,
            ),
            NotReviewed::NotRecorded(_) => {
                let (title, text) = (words.reviewed_not_recorded_title, words.reviewed_not_recorded);
                self.note(StatusCode::SERVICE_UNAVAILABLE, title, text)
            }
        }
    }

    /// What the person reviewed, where the address names it and they did.
    pub(super) fn just_reviewed(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Option<String> {
        let grant = self.ledger.get(&GrantId::new(received.asked("reviewed")?))?;
        let review = grant.emergency.as_ref()?.review.as_ref()?;
        let who = name_of(visit.in_force, grant.subject.as_str());
        (review.by == visitor.person.id).then(|| (self.words.emergency.you_reviewed)(&who, review.accepted))
    }

    /// What a purpose is called where it is held; that it was taken in an emergency comes first.
    pub(super) fn held_title(&self, visit: &Visit<'_>, grant: &Grant) -> String {
        let title = self.purpose_title(visit.rules(), &grant.purpose);
        match grant.emergency {
            Some(_) => (self.words.emergency.marked)(&title),
            None => title,
        }
    }
}

/// The deed that the token of the break-glass form is for.
fn breaking(record: &str) -> String {
    format!("break glass for {record}")
}

/// The deed that the token of a review is for.
pub(super) fn reviewing(id: &str) -> String {
    format!("review {id}")
}
