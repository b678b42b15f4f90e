//! What others hold that the person in front may revoke: one page to look, one to be sure.

use http::StatusCode;

use super::case::platform_name;
use super::intake::Received;
use super::mine::joined;
use super::mine_asked::name_of;
use super::pages::counter::{self, Others, Pick, Revoking, Theirs};
use super::pages::{Page, see_other};
use super::revocations::{paged, picked, selection};
use super::revoking::{Chosen, NotRevoked, Selection};
use super::{Portal, Visit, provenance, times};
use crate::facts::{Channel, Grant, GrantId};
use crate::ledger::Life;
use crate::purpose::{Note, Why};
use crate::rulebook::Visitor;

/// How many of what is about to end are named.
const NAMED: usize = 20;

impl Portal {
    /// The page of what is in force, or waits; nothing for those who could not revoke any of it.
    pub(super) fn others(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (meant, wrong) = picked(received);
        let chosen = self.choose(visit, visitor, &meant, Channel::Portal).unwrap_or_default();
        let chosen = if wrong.is_empty() { chosen } else { Chosen::default() };
        let theirs = |grant: &Grant| grant.subject != visitor.person.id;
        if !chosen.grants.iter().any(theirs) && !visit.may_end_others(visitor) {
            return self.nothing_here();
        }
        let words = self.words;
        let count = chosen.grants.len();
        let (grants, next) = paged(chosen.grants, received);
        let page = Others {
            w: words,
            who: &visitor.person.name,
            note: self.just_revoked(visitor, received),
            user: received.asked("user").unwrap_or_default(),
            purposes: purposes(visit, &meant),
            platforms: platforms(visit, &meant),
            count: (words.in_force_count)(count),
            revoke_all: (count > 1).then(|| (address("/grants/revoke", &meant, None), (words.revoke_many)(count))),
            next: next.map(|next| address("/grants", &meant, Some(&next))),
            grants: grants.iter().map(|grant| self.theirs(visit, visitor, grant)).collect(),
            contact: self.contact(),
        };
        counter::page(StatusCode::OK, &page)
    }

    fn theirs(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant) -> Theirs {
        let when = |at| times::local(at, visit.at, visitor.person);
        let meant = Selection {
            grant: Some(grant.id.clone()),
            ..Selection::default()
        };
        let names = grant.platforms.iter().map(|id| platform_name(visit.rules(), id));
        Theirs {
            who: name_of(visit.in_force, grant.subject.as_str()),
            title: self.held_title(visit, grant),
            places: names.collect::<Vec<_>>().join(", "),
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
            revoke: address("/grants/revoke", &meant, None),
        }
    }

    /// What the person revoked, where the address names one of it and they did.
    fn just_revoked(&self, visitor: Visitor<'_>, received: &Received) -> Option<String> {
        let grant = self.ledger.get(&GrantId::new(received.asked("revoked")?))?;
        let by = &grant.ended.as_ref()?.by;
        let count = self.ledger.ended_with(&grant).len();
        (*by == visitor.person.id).then(|| (self.words.you_revoked)(count))
    }

    /// The page that asks whether that is meant, and why.
    pub(super) fn revoke_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (meant, wrong) = picked(received);
        if !wrong.is_empty() {
            return self.nothing_here();
        }
        let chosen = match self.choose(visit, visitor, &meant, Channel::Portal) {
            Ok(chosen) => chosen,
            Err(why) => return self.not_revoked_page(&why),
        };
        let words = self.words;
        let recent = self.signed_in_lately(visit, received);
        let count = chosen.grants.len();
        let named = chosen.grants.iter().take(NAMED);
        let page = Revoking {
            w: words,
            who: &visitor.person.name,
            heading: (words.revoke_title)(count),
            grants: named.map(|grant| self.theirs(visit, visitor, grant)).collect(),
            more: count.checked_sub(NAMED).filter(|more| *more > 0).map(words.and_more),
            fields: fields(&meant),
            token: recent.then(|| self.tokens.issue(&visit.subject.id, &deed(&meant), visit.at)),
            button: (words.revoke_many)(count),
            contact: self.contact(),
        };
        counter::page(StatusCode::OK, &page)
    }

    /// The button was pressed.
    pub(super) async fn revoke_by_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        let mut wrong = Vec::new();
        let meant = selection(|name| form.selects(name), &mut wrong);
        let own = visit.secure && provenance::is_own_form(&received.headers, &self.origin);
        if !own
            || !self
                .tokens
                .accept(&visit.subject.id, &deed(&meant), &form.token, visit.at)
        {
            return self.note(StatusCode::FORBIDDEN, words.form_over_title, words.form_over);
        }
        if !self.signed_in_lately(visit, received) {
            return see_other("/sign-in?to=/grants");
        }
        let unread = |text| self.note(StatusCode::UNPROCESSABLE_ENTITY, words.not_revoked_title, text);
        let Ok(note) = Note::parse(&form.note) else {
            return unread(words.bad_form);
        };
        let Some(why) = Why::of(note).filter(|_| wrong.is_empty()) else {
            return unread(words.say_why_you_revoke_here);
        };
        match self.revoke(visit, visitor, &meant, (why, Channel::Portal)).await {
            Ok(done) => {
                let first = done.grants.first().map(|grant| grant.id.as_str());
                see_other(&format!("/grants?revoked={}", first.unwrap_or_default()))
            }
            Err(why) => self.not_revoked_page(&why),
        }
    }

    fn not_revoked_page(&self, why: &NotRevoked) -> Page {
        let words = self.words;
        match why {
            NotRevoked::NoSuch => self.nothing_here(),
            NotRevoked::Over => self.note(StatusCode::CONFLICT, words.grant_over_title, words.grant_over),
            NotRevoked::Refused(reasons) => {
                let text = (words.may_not_revoke)(&joined(reasons));
                self.note(StatusCode::FORBIDDEN, words.may_not_revoke_title, &text)
            }
            NotRevoked::NotKept => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.not_revoked_title,
                words.not_revoked,
            ),
            NotRevoked::NotRecorded(grants) => self.note(
                StatusCode::SERVICE_UNAVAILABLE,
                words.revoked_not_recorded_title,
                &(words.revoked_not_recorded)(grants.len()),
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

fn purposes(visit: &Visit<'_>, meant: &Selection) -> Vec<Pick> {
    let all = visit.rules().purposes().iter();
    let pick = all.map(|purpose| Pick {
        id: purpose.id.to_string(),
        title: purpose.title.clone(),
        chosen: meant.purpose.as_ref() == Some(&purpose.id),
    });
    pick.collect()
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

/// What is meant, as fields of a form or an address.
fn fields(meant: &Selection) -> Vec<(&'static str, String)> {
    let named = [
        ("grant", meant.grant.as_ref().map(ToString::to_string)),
        ("user", meant.user.as_ref().map(ToString::to_string)),
        ("purpose", meant.purpose.as_ref().map(ToString::to_string)),
        ("platform", meant.platform.as_ref().map(ToString::to_string)),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
    named.collect()
}

fn address(path: &str, meant: &Selection, after: Option<&GrantId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields(meant));
    if let Some(after) = after {
        query.append_pair("after", after.as_str());
    }
    format!("{path}?{}", query.finish())
}

/// The deed that the button's token is for: this selection, and no other.
fn deed(meant: &Selection) -> String {
    address("revoke", meant, None)
}
