//! From a refusal to a purpose: what was tried, why not, what would help, and the declaration itself.

use std::sync::Arc;

use http::StatusCode;

use super::case::Case;
use super::choosing::{Choices, HowFar, choices, least_statement, ticket_hint};
use super::deeds::NotGranted;
use super::inbox::lasts;
use super::intake::{Form, Received};
use super::memory::Kept;
use super::mine_asked::name_of;
use super::pages::counter::{self, Onward};
use super::pages::{Page, see_other, stating};
use super::{Portal, Refused, Visit, provenance, times};
use crate::facts::{Channel, Grant, Offer, PurposeId, SubjectId};
use crate::purpose::{Declaration, Unfit, UnfitField};
use crate::rulebook::{Directory, Visitor};

/// What is wrong with a form, beside its fields and above them.
#[derive(Default)]
pub(super) struct Trouble {
    pub(super) lines: Vec<String>,
    pub(super) statement: Option<String>,
    pub(super) ticket: Option<String>,
}

impl Trouble {
    pub(super) fn line(text: String) -> Self {
        Self {
            lines: vec![text],
            ..Self::default()
        }
    }
}

impl Portal {
    /// The page behind the link of a refusal.
    pub(super) async fn by_ticket(&self, visit: &Visit<'_>, visitor: Visitor<'_>, ticket: &str) -> Page {
        let kept = match self.seal.record(&visit.subject.id, ticket) {
            Some(record) => self.just_met(visit, &record).await,
            None => None,
        };
        let kept = kept.filter(|kept| self.memory.is_fresh(kept, visit.at));
        self.show_or_say_over(visit, visitor, kept)
    }

    /// The same page, from the person's own list.
    pub(super) fn by_record(&self, visit: &Visit<'_>, visitor: Visitor<'_>, record: &str) -> Page {
        let kept = self.memory.by_record(&visit.subject.id, record, visit.at);
        self.show_or_say_over(visit, visitor, kept)
    }

    /// Another person's link and one that is too old read alike: a link tells nothing to whom it is not for.
    fn show_or_say_over(&self, visit: &Visit<'_>, visitor: Visitor<'_>, kept: Option<Arc<Kept>>) -> Page {
        match kept {
            Some(kept) => self.show(visit, visitor, &kept, &Form::default(), Trouble::default()),
            // another gateway may have answered with it
            None if self.is_cut_off() => self.out_of_reach(),
            None => self.note(StatusCode::NOT_FOUND, self.words.link_over_title, self.words.link_over),
        }
    }

    /// The form was sent.
    pub(super) async fn declare(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let words = self.words;
        if !visit.secure || !provenance::is_own_form(&received.headers, &self.origin) {
            return self.note(StatusCode::FORBIDDEN, words.form_over_title, words.form_over);
        }
        let Some(form) = received.form() else {
            return self.note(StatusCode::BAD_REQUEST, words.bad_form_title, words.bad_form);
        };
        let who = &visit.subject.id;
        let deed = declaring(&form.refusal);
        if let Err(page) = self.meant(visit, received, (&deed, &form.token)).await {
            return page;
        }
        let Some(kept) = self.memory.by_record(who, &form.refusal, visit.at) else {
            return self.note(StatusCode::NOT_FOUND, words.link_over_title, words.link_over);
        };
        let Some(case) = Case::now(self, visit, &kept.refused) else {
            return self.already_allowed(visitor, &kept);
        };
        match self.give_for(visit, visitor, (&kept, &case), &form).await {
            // where it must be approved first, the same page waits with the person
            Ok(grant) => {
                self.granted_for(visit, &form.refusal, &grant.id).await;
                see_other(&format!("/refusals/{}/granted", kept.refused.record))
            }
            Err(trouble) => self.show(visit, visitor, &kept, &form, trouble),
        }
    }

    async fn give_for(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (kept, case): (&Kept, &Case<'_>),
        form: &Form,
    ) -> Result<Grant, Trouble> {
        let offer = case.offer(&PurposeId::new(form.purpose.as_str()));
        let (Some(offer), Some(platform)) = (offer, &case.platform) else {
            return Err(Trouble::line(self.words.choose_one.to_owned()));
        };
        let far = HowFar::meant(visit.rules(), &self.seen_now(visit, &kept.refused.seen), offer, form);
        let Some(width) = far.chosen(form) else {
            return Err(Trouble::line(self.words.stating.changed.to_owned()));
        };
        let mut declaration = Declaration {
            purpose: offer.purpose.clone(),
            // what somebody ticks is looked at like what they are asked: a platform that opens nothing is told of
            platforms: far.elsewhere().iter().chain([platform]).cloned().collect(),
            covers: Some(width.covers.clone()),
            statement: form.statement.clone(),
            ticket: Some(form.ticket.trim().to_owned()).filter(|ticket| !ticket.is_empty()),
            duration: None,
        };
        if form.all.contains(offer.purpose.as_str()) {
            Self::leave_out_vain(visit, visitor, &mut declaration);
            declaration.platforms.insert(platform.clone());
        }
        self.state(visit, visitor, &declaration).await
    }

    /// Whoever takes all platforms means those on which it opens something, as far as they chose to go.
    pub(super) fn leave_out_vain(visit: &Visit<'_>, visitor: Visitor<'_>, declaration: &mut Declaration) {
        let rules = visit.rules();
        declaration.platforms = rules.worth_declaring(visitor, declaration, Channel::Portal, visit.at);
    }

    /// Gives what somebody states on a page, or asks for it; what keeps it from that, in words.
    pub(super) async fn state(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        declaration: &Declaration,
    ) -> Result<Grant, Trouble> {
        let given = self.give_or_ask(visit, visitor, declaration, Channel::Portal).await;
        match given {
            Ok(grant) => Ok(grant),
            Err(NotGranted::Already(first)) => Ok(*first),
            Err(NotGranted::Unfit(unfit)) => Err(self.unfit(&unfit)),
            Err(why) => {
                let text = self.not_granted_in_words(visit, Some(&declaration.purpose), &why);
                Err(Trouble::line(text))
            }
        }
    }

    /// Why nothing was granted, in one text.
    pub(super) fn not_granted_in_words(
        &self,
        visit: &Visit<'_>,
        purpose: Option<&PurposeId>,
        why: &NotGranted,
    ) -> String {
        let words = self.words;
        match why {
            NotGranted::Unfit(unfit) => self.unfit(unfit).lines.join(" "),
            NotGranted::NeedsApproval => purpose.map_or_else(String::new, |id| self.nobody_approves(visit, id)),
            NotGranted::NoReviewer => purpose.map_or_else(String::new, |id| self.nobody_reviews(visit, id)),
            NotGranted::Refused(why) => (words.not_declared)(why),
            NotGranted::Already(_) => words.renewal_asked.to_owned(),
            NotGranted::TooMany(held) => (words.too_many)(*held),
            NotGranted::TooManyWaiting(waiting) => (words.too_many_waiting)(*waiting),
            NotGranted::ReviewOverdue(_) => words.emergency.overdue.to_owned(),
            NotGranted::TooManyUnreviewed(waiting) => (words.emergency.too_many)(*waiting),
            NotGranted::Done | NotGranted::NotKept(_) => words.not_kept.to_owned(),
        }
    }

    /// What is wrong with a declaration, each beside its field.
    fn unfit(&self, unfit: &[Unfit]) -> Trouble {
        let mut trouble = Trouble::default();
        for one in unfit {
            let why = sentence(&(self.words.unfit)(one));
            match one.field() {
                UnfitField::Statement => trouble.statement = Some(why.clone()),
                UnfitField::Ticket => trouble.ticket = Some(why.clone()),
                UnfitField::Purpose | UnfitField::Platforms | UnfitField::Covers | UnfitField::Duration => {}
            }
            trouble.lines.push(why);
        }
        trouble
    }

    /// The declare page, with what was filled in and what is wrong with it.
    fn show(&self, visit: &Visit<'_>, visitor: Visitor<'_>, kept: &Kept, form: &Form, trouble: Trouble) -> Page {
        let words = self.words;
        let Some(case) = Case::now(self, visit, &kept.refused) else {
            return self.already_allowed(visitor, kept);
        };
        let told = case.told(self);
        let waits = |offer: &&Offer| case.waiting.iter().any(|grant| grant.purpose == offer.purpose);
        let offers = case.remedy.offers.iter().filter(|offer| !waits(offer));
        let (now, vain): (Vec<&Offer>, Vec<&Offer>) = offers.partition(|offer| offer.can_be_had());
        let least = least_statement(visit.rules(), &now);
        let seen = self.seen_now(visit, &kept.refused.seen);
        let far = HowFar::all(visit.rules(), &seen, &now);
        let Choices { common, shown, folded } = choices(&told, (visit.in_force, &seen), &far, form);
        let page = stating::Declare {
            w: words,
            who: &visitor.person.name,
            told: &told.lines(),
            token: self
                .tokens
                .issue(&visit.subject.id, &declaring(kept.refused.record.as_str()), visit.at),
            common,
            choices: shown,
            folded_title: (words.stating.others_need_approval)(folded.len()),
            folded_open: folded.iter().any(|choice| choice.chosen),
            folded,
            again: case
                .ended
                .as_ref()
                .and_then(|grant| self.once_more(visit, visitor, grant)),
            send: words.send(&now),
            waiting: case
                .waiting
                .iter()
                .map(|grant| self.waits_in_words(visit, visitor, grant))
                .collect(),
            statement: &form.statement,
            statement_min: least,
            statement_hint: (words.statement_hint)(least),
            statement_wrong: trouble.statement,
            ticket: &form.ticket,
            ticket_hint: ticket_hint(visit.rules(), &now, words),
            ticket_wrong: trouble.ticket,
            contact: self.contact(),
            trouble: trouble.lines,
            vain: vain
                .iter()
                .map(|offer| self.nobody_approves(visit, &offer.purpose))
                .collect(),
            glass: self.glasses(visit, visitor, &case, kept.refused.record.as_str()),
            proceed: case.may_continue.then(|| self.proceed(visit, &kept.refused)),
        };
        let status = if page.trouble.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        self.page(status, &page)
    }

    /// That nobody can approve a purpose now, and whom to turn to.
    pub(super) fn nobody_approves(&self, visit: &Visit<'_>, purpose: &PurposeId) -> String {
        self.for_want_of_somebody(visit, purpose, self.words.nobody_approves)
    }

    /// That nobody could review a purpose that is taken in an emergency, and whom to turn to.
    pub(super) fn nobody_reviews(&self, visit: &Visit<'_>, purpose: &PurposeId) -> String {
        self.for_want_of_somebody(visit, purpose, self.words.emergency.nobody_reviews)
    }

    fn for_want_of_somebody(
        &self,
        visit: &Visit<'_>,
        purpose: &PurposeId,
        said: fn(&str, Option<&str>) -> String,
    ) -> String {
        let known = visit.rules().purposes().get(purpose);
        let owner = known.map(|purpose| &purpose.business_owner);
        let own = owner == Some(&visit.subject.id);
        let owner = owner.map_or_else(String::new, |owner| name_of(visit.in_force, owner.as_str()));
        said(
            &self.purpose_title(visit.rules(), purpose),
            Some(owner.as_str()).filter(|_| !own),
        )
    }

    /// The page after a purpose was granted: it goes on to the site by itself.
    ///
    /// The form's own answer may not lead there: browsers hold a redirect against the page's `form-action`.
    pub(super) fn granted(&self, visit: &Visit<'_>, visitor: Visitor<'_>, record: &str) -> Page {
        let kept = self.memory.by_record(&visit.subject.id, record, visit.at);
        let grant = kept.as_ref().and_then(|kept| self.ledger.get(kept.granted.as_ref()?));
        let (Some(kept), Some(grant)) = (kept, grant) else {
            // a refusal is forgotten long before a request lapses, which stands on the person's own page
            return see_other("/");
        };
        if grant.waits(visit.at) {
            return self.asked_page(visit, visitor, &grant, record);
        }
        if !grant.is_live(visit.at) {
            return self.over_page(visit, visitor, &grant);
        }
        let until = times::local(self.words, grant.expires, visit.at, visitor.person);
        let page = counter::Granted {
            w: self.words,
            who: &visitor.person.name,
            heading: match &grant.continued {
                Some(_) => (self.words.continued_until)(&until),
                None => (self.words.granted_until)(&until),
            },
            effect: self.effect(visit, &grant),
            onward: self.onward(&kept.refused),
            grant: Some(grant.id.as_str()),
        };
        self.page(StatusCode::OK, &page)
    }

    /// The page while nobody has answered.
    fn asked_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant, record: &str) -> Page {
        let words = self.words;
        let approvers = self.approvers_of(visit, grant, visit.at);
        let approvers: Vec<&str> = approvers.iter().map(String::as_str).collect();
        let later = self.others_later(visit, visitor, grant);
        let others: Vec<&str> = later.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
        let later = later.as_ref().map(|(from, _)| (from.as_str(), others.as_slice()));
        let page = counter::Asked {
            w: words,
            who: &visitor.person.name,
            heading: (words.was_asked)(&approvers, later),
            waits: self.waits_in_words(visit, visitor, grant),
            title: self.purpose_title(visit.rules(), &grant.purpose),
            effect: (words.once_approved)(&self.effect(visit, grant), lasts(grant)),
            statement: &grant.statement,
            ticket: grant.ticket.as_deref(),
            here: format!("/refusals/{record}/granted"),
            id: grant.id.as_str(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// What has become of a grant that is over, in place of the page that led on.
    fn over_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Page {
        let answered = self.answered_in_words(visit, visitor, grant);
        let Some(answered) = answered.filter(|_| !grant.was_given()) else {
            return self.note(StatusCode::NOT_FOUND, self.words.link_over_title, self.words.link_over);
        };
        let note = answered.note.map_or_else(String::new, |note| format!(" “{note}”"));
        self.note(StatusCode::OK, &answered.title, &format!("{}{note}", answered.what))
    }

    pub(super) fn already_allowed(&self, visitor: Visitor<'_>, kept: &Kept) -> Page {
        // No automatic step here: where the way there fails for another reason, it would go round in circles.
        let page = counter::Granted {
            w: self.words,
            who: &visitor.person.name,
            heading: self.words.already_allowed_title.to_owned(),
            effect: self.words.already_allowed.to_owned(),
            onward: self.onward(&kept.refused).map(|onward| Onward {
                by_itself: false,
                ..onward
            }),
            grant: None,
        };
        self.page(StatusCode::OK, &page)
    }

    fn onward(&self, refused: &Refused) -> Option<Onward> {
        Some(Onward {
            url: refused.back.clone()?,
            label: (self.words.go_on_to)(refused.seen.ask.host().as_str()),
            by_itself: true,
        })
    }
}

/// The deed that a declare form's token is for.
fn declaring(record: &str) -> String {
    format!("declare {record}")
}

/// People called by their names.
pub(super) fn named(ids: &[String], directory: &Directory) -> Vec<String> {
    let name = |id: &String| {
        let known = SubjectId::parse(id).ok().and_then(|id| directory.person(&id));
        known.map_or_else(|| id.clone(), |person| format!("{} ({id})", person.name))
    };
    ids.iter().map(name).collect()
}

/// An error message as a sentence: the house's begin small and end without a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    let mut sentence: String = first.chain(chars).collect();
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}
