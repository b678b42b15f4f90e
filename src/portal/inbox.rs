//! What waits for the person in front: one page that fits a phone, with what each request would open, and its answer.

use std::time::Duration;

use http::StatusCode;

use super::answers::NotAnswered;
use super::declare::sentence;
use super::intake::Received;
use super::mine_asked::name_of;
use super::pages::counter::{Inbox, Request, RequestTokens};
use super::pages::{Page, see_other};
use super::{Portal, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, GrantId, Person, Verdict};
use crate::ledger::Life;
use crate::purpose::{ALTERNATE, Note, UnfitNote, Why};
use crate::rulebook::{Visitor, Way};

/// For how long what somebody held before still says something.
const PAST: Duration = Duration::from_hours(90 * 24);

/// What one answers with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    Approve,
    Decline,
}

impl Verb {
    /// The deed that a button's token is for.
    pub(super) fn deed(self, id: &str) -> String {
        match self {
            Self::Approve => format!("approve {id}"),
            Self::Decline => format!("decline {id}"),
        }
    }
}

impl Portal {
    /// The page of what waits.
    pub(super) async fn inbox(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let words = self.words;
        let recent = self.signed_in_lately(visit, received).await;
        let draft = self.draft(visit).await;
        let waiting = self.answerable(visit, visitor, Channel::Portal);
        let page = Inbox {
            w: words,
            who: &visitor.person.name,
            note: (self.just_answered(visit, visitor, received))
                .or_else(|| self.just_reviewed(visit, visitor, received)),
            recent,
            reviews: self.to_review(visit, visitor, recent),
            requests: waiting
                .iter()
                .map(|(grant, way)| Request {
                    draft: draft
                        .as_ref()
                        .and_then(|draft| draft.of(grant.id.as_str()))
                        .map(str::to_owned),
                    ..self.request(visit, visitor, (grant, way), recent)
                })
                .collect(),
            sign_out: recent.then(|| self.sign_out_token(visit)),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// What the person answered, where the address names it and they did: what became of it stands in the ledger.
    fn just_answered(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Option<String> {
        let words = self.words;
        let grant = self.ledger.get(&GrantId::new(received.asked("answered")?))?;
        let answer = grant.answers.last().filter(|answer| answer.by == visitor.person.id)?;
        let title = self.purpose_title(visit.rules(), &grant.purpose);
        let who = name_of(visit.in_force, grant.subject.as_str());
        Some(match answer.verdict {
            Verdict::Approved if answer.missing > 0 => (words.chain.you_approved_in_part)(&title, &who, answer.missing),
            Verdict::Approved => {
                let until = times::local(self.words, grant.expires, visit.at, visitor.person);
                let is_open = !Life::of(&grant, visit.at).is_over();
                (words.you_approved)(&title, &who, Some(until.as_str()).filter(|_| is_open))
            }
            Verdict::Declined => (words.you_declined)(&title, &who),
        })
    }

    fn request(&self, visit: &Visit<'_>, visitor: Visitor<'_>, (grant, way): (&Grant, &Way), recent: bool) -> Request {
        let words = self.words;
        let holder = visit.in_force.directory.person(&grant.subject);
        let holder = holder.as_deref();
        let behalf = way
            .behalf
            .as_ref()
            .map(|behalf| name_of(visit.in_force, behalf.whom.as_str()));
        let title = self.purpose_title(visit.rules(), &grant.purpose);
        let name = holder.map_or(grant.subject.as_str(), |holder| holder.name.as_str());
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        let token = |verb: Verb| {
            self.tokens
                .issue(&visit.subject.id, &verb.deed(grant.id.as_str()), visit.at)
        };
        Request {
            id: grant.id.to_string(),
            heading: (words.asks_for)(name, &title),
            about: (words.about_asker)(
                grant.subject.as_str(),
                &names(holder, |holder| &holder.roles),
                &names(holder, |holder| &holder.departments),
            ),
            effect: (words.once_approved)(&self.effect(visit, grant), lasts(grant)),
            statement: grant.statement.clone(),
            ticket: grant.ticket.clone(),
            training: self.training(visit, grant, holder),
            past: (words.held_before)(&self.held_before(visit, grant)),
            acts_for: behalf.map(|whom| (words.delegation.answers_for)(&whom)),
            as_alternate: way.seats.contains(ALTERNATE).then_some(words.chain.as_alternate),
            so_far: self.so_far(visit, visitor, grant),
            waits: (words.asked_and_waits)(&when(grant.declared_at), &grant.answer_by.map(when).unwrap_or_default()),
            tokens: recent.then(|| RequestTokens {
                approve: token(Verb::Approve),
                decline: token(Verb::Decline),
            }),
            draft: None,
        }
    }

    /// The training that the purpose takes, and until when whoever asks has it.
    fn training(&self, visit: &Visit<'_>, grant: &Grant, holder: Option<&Person>) -> Option<String> {
        let course = visit.rules().purposes().get(&grant.purpose)?.training.as_ref()?;
        let until = holder.and_then(|holder| holder.training.get(course));
        let until = until.filter(|until| **until > visit.at);
        // the last day on which it counts, as the directory has it
        let last = until.map(|until| Timestamp::from_millis(until.as_millis() - 1));
        let day = last.map(|last| (self.words.day)(&last.calendar().to_zoned(jiff::tz::TimeZone::UTC)));
        Some((self.words.training_state)(course, day.as_deref()))
    }

    /// How long whoever asks held the purpose lately, each time.
    fn held_before(&self, visit: &Visit<'_>, grant: &Grant) -> Vec<Duration> {
        let past = self.ledger.grants_of(&grant.subject).into_iter();
        let held =
            past.filter(|old| old.was_given() && old.purpose == grant.purpose && visit.at.since(old.not_before) < PAST);
        held.map(|old| old.until().min(visit.at).since(old.not_before))
            .collect()
    }

    /// A button was pressed.
    pub(super) async fn answer_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        (verb, id): (Verb, &str),
    ) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (&verb.deed(id), &form.token)).await {
            return page;
        }
        let id = GrantId::new(id);
        if !self.signed_in_lately(visit, received).await {
            // the session ended while they wrote: the form has it again once they have signed in
            self.keep_draft(visit, id.as_str(), &form.note).await;
            return see_other("/sign-in?to=/approvals");
        }
        let note = match Note::parse(&form.note) {
            Ok(note) => note,
            Err(why) => return self.unfit_note(words.not_answered_title, why),
        };
        let answered = match verb {
            Verb::Approve => self.approve(visit, visitor, &id, (note, Channel::Portal)).await,
            Verb::Decline => {
                let Some(why) = Why::of(note) else {
                    return self.note(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        words.not_answered_title,
                        words.say_why_here,
                    );
                };
                self.decline(visit, visitor, &id, (why, Channel::Portal)).await
            }
        };
        match answered {
            Ok(grant) => {
                self.draft_sent(visit).await;
                see_other(&format!("/approvals?answered={}", grant.id))
            }
            Err(why) => self.not_answered_page(&why),
        }
    }

    /// The page for a note that cannot be taken as it is.
    pub(super) fn unfit_note(&self, title: &str, why: UnfitNote) -> Page {
        let text = match why {
            UnfitNote::Long => self.words.bad_form.to_owned(),
            UnfitNote::Invisible(sign) => sentence(&(self.words.stating.invisible)(sign)),
        };
        self.note(StatusCode::UNPROCESSABLE_ENTITY, title, &text)
    }

    fn not_answered_page(&self, why: &NotAnswered) -> Page {
        let words = self.words;
        match why {
            NotAnswered::NoSuch => self.note(StatusCode::NOT_FOUND, words.not_here_title, words.not_here),
            NotAnswered::Over(over) => self.note(
                StatusCode::CONFLICT,
                words.request_over_title,
                (words.request_over)(*over),
            ),
            NotAnswered::Refused(reasons) => {
                let text = (words.may_not_answer)(reasons);
                self.note(StatusCode::FORBIDDEN, words.may_not_answer_title, &text)
            }
            NotAnswered::Useless => self.note(
                StatusCode::CONFLICT,
                words.chain.approved_already_title,
                words.chain.approved_already,
            ),
            NotAnswered::Outdated(outdated) => {
                self.note(StatusCode::CONFLICT, words.outdated_title, &(words.outdated)(outdated))
            }
            NotAnswered::TooMany(held) => self.note(
                StatusCode::CONFLICT,
                words.outdated_title,
                &(words.holds_too_many)(*held),
            ),
            NotAnswered::Busy | NotAnswered::NotKept => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.not_answered_title,
                words.not_answered,
            ),
        }
    }
}

/// For how long a grant was asked for, or lasts.
pub(super) fn lasts(grant: &Grant) -> Duration {
    grant.expires.since(grant.not_before)
}

fn names<'a>(
    holder: Option<&'a Person>,
    which: impl Fn(&'a Person) -> &'a std::collections::BTreeSet<String>,
) -> Vec<&'a str> {
    holder.map(which).into_iter().flatten().map(String::as_str).collect()
}
