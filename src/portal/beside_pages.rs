//! Tokens of others, and who answers for whom, on the pages where they are revoked; and on their own person's page what has
//! become of tokens.

use super::beside::Beside;
use super::intake::Received;
use super::mine_asked::name_of;
use super::others::question;
use super::pages::beside::{BesideLine, BesidePart};
use super::pages::counter::Answered;
use super::revoking::{Revoked, Selection};
use super::{Portal, Visit, times};
use crate::facts::{Grant, GrantId, RevokedFor, Token, TokenId};
use crate::rulebook::Visitor;

impl Portal {
    /// What could be revoked beside grants, kind by kind.
    pub(super) fn beside_parts(&self, visit: &Visit<'_>, visitor: Visitor<'_>, beside: &Beside) -> Vec<BesidePart> {
        let words = self.words;
        let tokens = beside.tokens.iter().map(|(token, _)| BesideLine {
            title: self.token_name(token),
            who: name_of(visit.in_force, token.subject.as_str()),
            about: self.good_for(visit, visitor, token),
            revoke: question(&Selection {
                token: Some(token.id.clone()),
                ..Selection::default()
            }),
        });
        let delegations = beside.delegations.iter().map(|(one, _)| BesideLine {
            title: self.answers_for(visit, one),
            who: name_of(visit.in_force, one.subject.as_str()),
            about: self.delegation_days(visitor, one),
            revoke: question(&Selection {
                delegation: Some(one.id.clone()),
                ..Selection::default()
            }),
        });
        let tokens = BesidePart {
            id: "tokens",
            heading: words.tokens.theirs,
            lines: tokens.collect(),
        };
        let delegations = BesidePart {
            id: "delegations",
            heading: words.delegation.theirs,
            lines: delegations.collect(),
        };
        let both = [tokens, delegations].into_iter();
        both.filter(|part| !part.lines.is_empty()).collect()
    }

    fn answers_for(&self, visit: &Visit<'_>, one: &Grant) -> String {
        let to = one.delegated.as_ref().map_or("", |delegated| delegated.to.as_str());
        let [to, by] = [to, one.subject.as_str()].map(|who| name_of(visit.in_force, who));
        (self.words.delegation.by_for)(&to, &by)
    }

    /// What somebody calls a token.
    pub(super) fn token_name(&self, token: &Token) -> String {
        let name = token.name.as_str();
        let name = if name.is_empty() {
            self.words.tokens.nameless
        } else {
            name
        };
        name.to_owned()
    }

    /// How much is about to end, in words.
    pub(super) fn counted_all(&self, grants: usize, beside: &Beside) -> String {
        let words = self.words;
        let grants = (grants > 0).then(|| (words.in_force_count)(grants));
        let tokens = Some(beside.tokens.len()).filter(|count| *count > 0);
        let delegations = Some(beside.delegations.len()).filter(|count| *count > 0);
        let all = [
            grants,
            tokens.map(words.tokens.counted),
            delegations.map(words.delegation.counted),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Where the person hears what they revoked.
    pub(super) fn revoked_address(done: &Revoked) -> String {
        let grant = done.grants.first().map(|one| ("revoked", one.id.as_str()));
        let token = done.tokens.first().map(|one| ("revoked-token", one.id.as_str()));
        let delegation = done
            .delegations
            .first()
            .map(|one| ("revoked-delegation", one.id.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(grant.or(token).or(delegation));
        format!("/grants?{}", query.finish())
    }

    /// That it is revoked, and not recorded yet: all of it.
    pub(super) fn revoked_not_recorded(&self, done: &Revoked) -> String {
        (self.words.revoked_not_recorded)(done.count, done.tokens.len(), done.delegations.len())
    }

    /// That the person revoked a token or a delegation, where the address names it and they did.
    pub(super) fn just_revoked_beside(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
    ) -> Option<String> {
        if let Some(id) = received.asked("revoked-token") {
            let token = self.ledger.token(&TokenId::new(id), visit.at)?;
            let Some(RevokedFor::Revocation(ended)) = token.revoked_for else {
                return None;
            };
            return (ended.by == visitor.person.id).then(|| self.words.tokens.revoked.to_owned());
        }
        let one = self
            .ledger
            .delegation(&GrantId::new(received.asked("revoked-delegation")?))?;
        let by = &one.ended.as_ref()?.by;
        (*by == visitor.person.id).then(|| self.words.delegation.revoked.to_owned())
    }

    /// The person's tokens that have ended in the last days without their doing: why.
    pub(super) fn my_ended_tokens(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<Answered> {
        let words = &self.words.tokens;
        let theirs = self.ledger.ended_tokens_of(&visitor.person.id, visit.at).into_iter();
        let told = theirs.filter_map(|token| {
            let at = times::local(self.words, token.revoked_at?, visit.at, visitor.person);
            let (what, note) = match token.revoked_for.as_ref()? {
                RevokedFor::Revocation(ended) => {
                    let by = name_of(visit.in_force, ended.by.as_str());
                    let note = Some(ended.why.clone()).filter(|why| !why.is_empty());
                    ((self.words.was_revoked)(&by, &at), note)
                }
                RevokedFor::PasswordChanged => ((words.ended_by_password)(&at), None),
                RevokedFor::AccountRemoved => ((words.ended_by_account)(&at), None),
            };
            Some(Answered {
                title: (words.called)(&self.token_name(&token)),
                effect: self.good_for(visit, visitor, &token),
                what,
                note,
            })
        });
        told.collect()
    }
}
