//! The person's own page: what they hold, what was refused lately, what they may declare.

use std::cmp::Reverse;
use std::sync::Arc;

use http::StatusCode;

use super::case::Case;
use super::deeds::NotEnded;
use super::intake::Received;
use super::memory::Kept;
use super::pages::counter::{Held, Met, Mine, Offers};
use super::pages::{Page, see_other};
use super::{Portal, Refused, Stopped, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, GrantId, GrantState, Reason, Standing};
use crate::purpose::Purpose;
use crate::rulebook::Visitor;

impl Portal {
    pub(super) fn mine(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (words, person) = (self.words, visitor.person);
        let roles: Vec<&str> = person.roles.iter().map(String::as_str).collect();
        let departments: Vec<&str> = person.departments.iter().map(String::as_str).collect();
        // with what is known of their last use
        let theirs = self.ledger.grants_of(&visit.subject.id);
        let standing = Standing::new(theirs.iter().cloned(), visit.at);
        let open: Vec<&Purpose> = visit.rules().open_to(visitor, visit.at).collect();
        let [asked, reported] = self.my_outcomes(visit, visitor);
        let page = Mine {
            w: words,
            greeting: (words.greeting)(&person.name),
            about: (words.about)(visit.subject.id.as_str(), &roles, &departments),
            note: (self.just_ended(visitor, received).then_some(words.ended))
                .or_else(|| self.just_renewed(visitor, received))
                .or_else(|| self.just_reported(visitor, received))
                .or_else(|| self.just_revoked_token(received))
                .map(str::to_owned)
                .or_else(|| self.just_stated(visit, visitor, received)),
            to_answer: Some(self.waits_for(visit, visitor))
                .filter(|count| *count > 0)
                .map(words.to_answer),
            offers: Offers {
                answers: self.answers_some(visit, visitor),
                may_be_urgent: self.could_be_urgent(visit, visitor).is_ok(),
                may_make_token: Self::may_make_tokens(visit, visitor),
            },
            may_revoke: visit.may_end_others(visitor),
            watches: Self::may_watch(visit, visitor, Channel::Portal).is_some(),
            sees_value: Self::sees_value(visit, visitor),
            revoked: [self.my_revoked(visit, visitor), self.my_ended_tokens(visit, visitor)].concat(),
            waiting: self.my_requests(visit, visitor),
            answered: self.my_answers(visit, visitor),
            emergencies: self.my_emergencies(visit, visitor),
            grants: standing
                .grants()
                .iter()
                .map(|grant| self.held(visit, visitor, (grant, &theirs)))
                .collect(),
            ended: self.my_ended(visit, visitor),
            asked,
            reported,
            refusals: self.met(visit, visitor),
            tokens: self.my_tokens(visit, visitor),
            example: self.example(visit, &open),
            purposes: self.open_to_me(&open),
            rulebook: visit.rules().id().short(),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// How many requests and emergencies wait for the person.
    fn waits_for(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> usize {
        let requests = self.answerable(visit, visitor, Channel::Portal).len();
        requests + self.reviewable(visit, visitor, Channel::Portal).len()
    }

    /// Whether the person ended what the address names.
    fn just_ended(&self, visitor: Visitor<'_>, received: &Received) -> bool {
        let named = received.asked("ended");
        let grant = named.and_then(|id| self.ledger.get(&GrantId::new(id)));
        grant.is_some_and(|grant| grant.subject == visitor.person.id && grant.state == GrantState::Withdrawn)
    }

    fn held(&self, visit: &Visit<'_>, visitor: Visitor<'_>, (grant, theirs): (&Grant, &[Grant])) -> Held {
        let until = times::local(self.words, grant.expires, visit.at, visitor.person);
        Held {
            id: grant.id.to_string(),
            title: match &grant.continued {
                Some(_) => self.words.continued.to_owned(),
                None => self.held_title(visit, grant),
            },
            effect: self.effect(visit, grant),
            statement: grant.statement.clone(),
            left: (self.words.left)(
                grant.expires.since(visit.at),
                &until,
                grant.idle_until().map(|idle| idle.since(visit.at)),
            ),
            token: self
                .tokens
                .issue(&visit.subject.id, &ending(grant.id.as_str()), visit.at),
            renew: self.renewal(visit, grant, theirs),
        }
    }

    fn met(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Met> {
        let words = self.words;
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        let refused = |refused: &Refused| {
            let now = Case::now(self, visit, refused);
            let works = now.is_none();
            let case = now.unwrap_or_else(|| Case::of(self, visit.in_force, refused));
            let told = case.told(self).lines();
            let (why, link) = if works {
                (vec![words.stating.works_now.to_owned()], words.stating.see)
            } else {
                (told.why, told.link)
            };
            let met = Met {
                record: refused.record.to_string(),
                tried: told.tried,
                when: when(refused.seen.at),
                why,
                detail: None,
                link: Some(link),
            };
            (refused.seen.at, met)
        };
        let stopped = |stopped: Stopped| {
            let said = (words.fault)(stopped.code);
            let met = Met {
                record: stopped.record.to_string(),
                tried: (words.connected)(stopped.host.as_str()),
                when: when(stopped.at),
                why: [said.what, said.advice].map(str::to_owned).to_vec(),
                detail: Some(stopped.detail),
                link: None,
            };
            (stopped.at, met)
        };
        let refusals = self.memory.of(&visit.subject.id, visit.at);
        // the latest first: of one thing that was tried again and again, the last time
        let is_new = |(place, kept): &(usize, &Arc<Kept>)| {
            let mut later = refusals.iter().take(*place);
            !later.any(|later| later.is_same_thing(kept))
        };
        let once = refusals.iter().enumerate().filter(is_new).map(|(_, kept)| kept);
        let refusals = once.map(|kept| refused(&kept.refused));
        let tunnels = self.memory.stopped_of(&visit.subject.id, visit.at);
        let mut met: Vec<(Timestamp, Met)> = refusals.chain(tunnels.into_iter().map(stopped)).collect();
        met.sort_by_key(|(at, _)| Reverse(*at));
        met.into_iter().map(|(_, met)| met).collect()
    }

    /// A declaration that can be pasted into a terminal; nothing in it comes from anybody but us. It is for the purpose
    /// that asks least of the person, where they were refused last, else where the catalogue knows most.
    fn example(&self, visit: &Visit<'_>, open: &[&Purpose]) -> Option<String> {
        let asks = |purpose: &&&Purpose| {
            let ticket = purpose.ticket.as_ref().is_some_and(|ticket| ticket.required);
            (purpose.approval.is_needed(), ticket, purpose.platforms.len())
        };
        let purpose = open.iter().min_by_key(asks)?;
        let met = self.memory.of(&visit.subject.id, visit.at);
        let met = met.iter().find_map(|kept| kept.refused.refusal.place.platform.clone());
        let known = || {
            purpose
                .platforms
                .iter()
                .max_by_key(|id| visit.rules().catalog().signatures_of(id))
                .cloned()
        };
        let platform = met.filter(|id| purpose.platforms.contains(id)).or_else(known)?;
        let ticket = purpose.ticket.as_ref().filter(|ticket| ticket.required);
        let (option, member) = ticket.map_or_else(Default::default, |ticket| {
            let example = &ticket.example;
            (format!(" --ticket {example}"), format!(",\"ticket\":\"{example}\""))
        });
        let (id, origin, statement) = (&purpose.id, &self.origin, self.words.example_statement);
        Some(format!(
            "wayleave declare {id} --on {platform} --for 1h{option} --statement '{statement}'\n\n\
             curl --proxy \"$HTTPS_PROXY\" --proxy-cacert \"$WAYLEAVE_CA\" --cacert \"$WAYLEAVE_CA\" \\\n  \
             {origin}/v1/grants -H 'Content-Type: application/json' \\\n  \
             -d '{{\"purpose\":\"{id}\",\"platforms\":[\"{platform}\"],\"duration\":\"PT1H\"{member},\
             \"statement\":\"{statement}\"}}'"
        ))
    }

    /// The reasons in one text.
    pub(super) fn joined(&self, reasons: &[Reason]) -> String {
        let texts: Vec<&str> = reasons.iter().map(|reason| self.said(&reason.text)).collect();
        texts.join(" ")
    }

    /// The button beside a grant was pressed.
    pub(super) async fn end_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let words = self.words;
        let token = received.form().map(|form| form.token).unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (&ending(id), &token)).await {
            return page;
        }
        match self.end(visit, visitor, id, Channel::Portal).await {
            Ok(grant) => see_other(&format!("/?ended={}", grant.id)),
            Err(NotEnded::NoSuch | NotEnded::TakesAReason) => {
                self.note(StatusCode::NOT_FOUND, words.not_here_title, words.not_here)
            }
            Err(NotEnded::Over) => self.note(StatusCode::CONFLICT, words.grant_over_title, words.grant_over),
            Err(NotEnded::Refused(reasons)) => {
                self.note(StatusCode::FORBIDDEN, words.may_not_end_title, &self.joined(&reasons))
            }
            Err(NotEnded::NotKept) => {
                self.note(StatusCode::SERVICE_UNAVAILABLE, words.not_ended_title, words.not_ended)
            }
        }
    }
}

/// The deed that a token beside a grant is for.
pub(super) fn ending(id: &str) -> String {
    format!("end {id}")
}
