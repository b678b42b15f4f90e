//! What others hold that the person in front may revoke: one page to look, one to be sure.

use http::StatusCode;

use super::case::platform_name;
use super::intake::{Received, WHICH_TOKEN};
use super::mine_asked::name_of;
use super::pages::counter::{Others, Pick, Revoking, Theirs};
use super::pages::{Page, retry_after, see_other};
use super::paging::PAGE;
use super::revocations::{AGAIN, selection};
use super::revoking::{Chosen, Look, NotRevoked, Selection};
use super::wanted::perhaps_meant;
use super::{Portal, Visit, places, times};
use crate::facts::{Channel, Grant, GrantId};
use crate::ledger::Life;
use crate::purpose::{Note, Why};
use crate::rulebook::Visitor;

/// The longest name of which it is looked who is called like that, and of how many of those whether they hold anything.
const LONGEST: usize = 128;
const MOST_LIKE: usize = 8;
/// How many of what is about to end are named.
const NAMED: usize = 20;

impl Portal {
    /// The page of what is in force, or waits; nothing for those who could not revoke any of it.
    pub(super) async fn others(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let note =
            (self.just_revoked(visitor, received)).or_else(|| self.just_revoked_beside(visit, visitor, received));
        if note.is_none() && !visit.may_end_others(visitor) {
            let look = Look {
                not_of: Some(&visitor.person.id),
                at_known: false,
                ..Look::for_any(Channel::Portal)
            };
            match self.choose(visit, visitor, &Selection::default(), look).await {
                Ok(_) => {}
                Err(why @ NotRevoked::OneAtATime) => return self.not_revoked_page(&why),
                Err(_) => return self.nothing_here(),
            }
        }
        let (meant, wrong) = self.picked(visit, visitor, received).await;
        let after = received.asked("after").map(GrantId::new);
        let look = Look::for_a_page(Channel::Portal, after.as_ref(), PAGE);
        let chosen = if wrong.is_empty() {
            self.choose(visit, visitor, &meant, look).await
        } else {
            Ok(Chosen::default())
        };
        match chosen {
            Err(why @ NotRevoked::OneAtATime) => self.not_revoked_page(&why),
            chosen => {
                let chosen = chosen.unwrap_or_default();
                let unfound = if chosen.count_all() == 0 {
                    self.holds_nothing(visit, visitor, (received, &meant)).await
                } else {
                    None
                };
                self.others_page(visit, visitor, received, (note.or(unfound), &meant, &chosen))
            }
        }
    }

    /// That nobody of the name that an address has holds anything that the person could end; and who of a name like that does.
    /// Whoever holds nothing of that kind is not heard of here, whether they are there or not.
    async fn holds_nothing(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, meant): (&Received, &Selection),
    ) -> Option<String> {
        let said = received.asked("user")?.trim().to_owned();
        if said.is_empty() || said.chars().count() > LONGEST {
            return None;
        }
        let like = perhaps_meant(&said, &visit.in_force.directory);
        for id in meant.user.iter().chain(&like).take(MOST_LIKE) {
            let theirs = Selection {
                user: Some(id.clone()),
                ..Selection::default()
            };
            let look = Look::for_any(Channel::Portal);
            if self.choose(visit, visitor, &theirs, look).await.is_ok() {
                let other = Some(id).filter(|id| meant.user.as_ref() != Some(id));
                return other.map(|id| (self.words.nobody_holds)(&said, Some(id.as_str())));
            }
        }
        Some((self.words.nobody_holds)(&said, None))
    }

    fn others_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        (note, meant, chosen): (Option<String>, &Selection, &Chosen),
    ) -> Page {
        let words = self.words;
        // of everybody they would be too many to look at: they are listed for whoever is named
        let beside = Some(&chosen.beside).filter(|_| meant.user.is_some());
        let beside = beside.map_or_else(Vec::new, |beside| self.beside_parts(visit, visitor, beside));
        let (shown, next) = (chosen.grants.len(), chosen.next());
        let is_all = next.is_none() && received.asked("after").is_none();
        let (count, revoke_all) = if is_all {
            ((words.in_force_count)(shown), (words.revoke_many)(chosen.count_all()))
        } else {
            ((words.in_force_here)(shown), words.revoke_all.to_owned())
        };
        let page = Others {
            w: words,
            who: &visitor.person.name,
            note,
            user: received.asked("user").unwrap_or_default(),
            purposes: self.purposes(visit, meant),
            platforms: platforms(visit, meant),
            count,
            // of a name that is nobody's nothing is meant, and not all there is
            revoke_all: (shown > 0 && !is_all || chosen.count_all() > 1).then(|| (question(meant), revoke_all)),
            next: next.map(|next| address("/grants", meant, Some(next))),
            beside,
            grants: chosen
                .grants
                .iter()
                .map(|grant| self.theirs(visit, visitor, grant))
                .collect(),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    fn theirs(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Theirs {
        let when = |at| times::local(self.words, at, visit.at, visitor.person);
        let meant = Selection {
            grant: Some(grant.id.clone()),
            ..Selection::default()
        };
        Theirs {
            who: name_of(visit.in_force, grant.subject.as_str()),
            title: self.held_title(visit, grant),
            places: places::called((visit.rules(), self.words), &grant.platforms).join(", "),
            until: match Life::of(grant, visit.at) {
                Life::Requested => (self.words.waits_until)(&grant.answer_by.map(when).unwrap_or_default()),
                Life::Approved
                | Life::Active
                | Life::Expired
                | Life::Withdrawn
                | Life::Revoked
                | Life::Declined
                | Life::Lapsed => when(grant.until()),
            },
            statement: grant.statement.clone(),
            revoke: question(&meant),
        }
    }

    /// What the person revoked, where the address names one of it and they did.
    fn just_revoked(&self, visitor: Visitor<'_>, received: &Received) -> Option<String> {
        let grant = self.ledger.get(&GrantId::new(received.asked("revoked")?))?;
        let by = &grant.ended.as_ref()?.by;
        let count = self.ledger.ended_with(&grant);
        (*by == visitor.person.id).then(|| (self.words.you_revoked)(count))
    }

    /// The page that asks whether that is meant, and why.
    pub(super) async fn revoke_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (meant, wrong) = self.picked(visit, visitor, received).await;
        if !wrong.is_empty() {
            return self.nothing_here();
        }
        let look = Look::at_all(Channel::Portal);
        let chosen = match self.choose(visit, visitor, &meant, look).await {
            Ok(chosen) => chosen,
            Err(why) => return self.not_revoked_page(&why),
        };
        let words = self.words;
        let recent = self.signed_in_lately(visit, received).await;
        let draft = self.draft(visit).await;
        let (count, all) = (chosen.count(), chosen.count_all());
        let mut beside = chosen.beside.clone();
        beside.tokens.truncate(NAMED);
        beside.delegations.truncate(NAMED);
        let named = chosen.grants.iter().take(NAMED);
        let page = Revoking {
            w: words,
            who: &visitor.person.name,
            heading: (words.revoke_title)(&self.counted_all(count, &chosen.beside)),
            grants: named.map(|grant| self.theirs(visit, visitor, grant)).collect(),
            more: count.checked_sub(NAMED).filter(|more| *more > 0).map(words.and_more),
            beside: self.beside_parts(visit, visitor, &beside),
            fields: fields(&meant, WHICH_TOKEN),
            draft: draft.and_then(|draft| draft.of(&deed(&meant)).map(str::to_owned)),
            sign_in: to_sign_in(&meant),
            token: recent.then(|| self.tokens.issue(&visit.subject.id, &deed(&meant), visit.at)),
            button: (words.revoke_many)(all),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// The button was pressed.
    pub(super) async fn revoke_by_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        let mut wrong = Vec::new();
        let meant = selection(|name| form.selects(name), &mut wrong);
        if let Err(page) = self.meant(visit, received, (&deed(&meant), &form.token)).await {
            return page;
        }
        if !self.signed_in_lately(visit, received).await {
            // the session ended while they wrote: the question has it again once they have signed in
            self.keep_draft(visit, &deed(&meant), &form.note).await;
            return see_other(&to_sign_in(&meant));
        }
        let note = match Note::parse(&form.note) {
            Ok(note) => note,
            Err(why) => return self.unfit_note(words.not_revoked_title, why),
        };
        let Some(why) = Why::of(note).filter(|_| wrong.is_empty()) else {
            let (title, text) = (words.not_revoked_title, words.say_why_you_revoke_here);
            return self.note(StatusCode::UNPROCESSABLE_ENTITY, title, text);
        };
        match self.revoke(visit, visitor, &meant, (why, Channel::Portal)).await {
            Ok(done) => {
                self.draft_sent(visit).await;
                see_other(&Self::revoked_address(&done))
            }
            Err(why) => self.not_revoked_page(&why),
        }
    }

    fn purposes(&self, visit: &Visit<'_>, meant: &Selection) -> Vec<Pick> {
        let all = visit.rules().purposes().iter();
        let pick = all.map(|purpose| Pick {
            id: purpose.id.to_string(),
            title: self.said(&purpose.title).to_owned(),
            chosen: meant.purpose.as_ref() == Some(&purpose.id),
        });
        pick.collect()
    }

    fn not_revoked_page(&self, why: &NotRevoked) -> Page {
        let words = self.words;
        match why {
            NotRevoked::NoSuch => self.nothing_here(),
            NotRevoked::Over => self.note(StatusCode::CONFLICT, words.grant_over_title, words.grant_over),
            NotRevoked::Refused(reasons) => {
                let text = (words.may_not_revoke)(&self.joined(reasons));
                self.note(StatusCode::FORBIDDEN, words.may_not_revoke_title, &text)
            }
            NotRevoked::OneAtATime => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                let mut page = self.note(status, words.one_at_a_time_title, words.one_at_a_time);
                retry_after(&mut page, AGAIN);
                page
            }
            NotRevoked::Done | NotRevoked::NotKept => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.not_revoked_title,
                words.not_revoked,
            ),
            NotRevoked::NotRecorded(done) => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.revoked_not_recorded_title,
                &self.revoked_not_recorded(done),
            ),
        }
    }
}

impl Visit<'_> {
    /// Whether the person is shown the way to the page of what others hold.
    pub(super) fn may_end_others(&self, visitor: Visitor<'_>) -> bool {
        self.rules().may_end_others(visitor, Channel::Portal, self.at)
    }
}

fn platforms(visit: &Visit<'_>, meant: &Selection) -> Vec<Pick> {
    let meant_for = visit.rules().purposes().iter().flat_map(|purpose| &purpose.platforms);
    let all: std::collections::BTreeSet<_> = meant_for.collect();
    let pick = all.into_iter().map(|id| Pick {
        id: id.to_string(),
        title: platform_name(visit.rules(), id),
        chosen: meant.platform.as_ref() == Some(id),
    });
    pick.collect()
}

/// What is meant, as fields of a form or an address, where a token is named so.
fn fields(meant: &Selection, token: &'static str) -> Vec<(&'static str, String)> {
    let named = [
        ("grant", meant.grant.as_ref().map(ToString::to_string)),
        ("user", meant.user.as_ref().map(ToString::to_string)),
        ("purpose", meant.purpose.as_ref().map(ToString::to_string)),
        ("platform", meant.platform.as_ref().map(ToString::to_string)),
        (token, meant.token.as_ref().map(ToString::to_string)),
        ("delegation", meant.delegation.as_ref().map(ToString::to_string)),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
    named.collect()
}

fn address(path: &str, meant: &Selection, after: Option<&GrantId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields(meant, "token"));
    if let Some(after) = after {
        query.append_pair("after", after.as_str());
    }
    format!("{path}?{}", query.finish())
}

/// The page that asks whether that is meant.
pub(super) fn question(meant: &Selection) -> String {
    address("/grants/revoke", meant, None)
}

/// Where one signs in, and comes back to the question.
fn to_sign_in(meant: &Selection) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("to", &question(meant));
    format!("/sign-in?{}", query.finish())
}

/// The deed that the button's token is for: this selection, and no other.
pub(super) fn deed(meant: &Selection) -> String {
    address("revoke", meant, None)
}
