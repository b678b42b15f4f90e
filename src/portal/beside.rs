//! What a revocation ends beside grants: tokens for tools, and who answers for whom. By name, or with all that a person holds.
//!
//! A delegation is a grant, and ends as those do; and so does a token: ledger first, and then the book, also after a crash.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::delegation_calls;
use super::paging::PAGE;
use super::revoking::{Look, Selection};
use super::token_calls;
use super::{Portal, Visit};
use crate::facts::{Grant, Reason, SubjectId, Token};
use crate::ledger::{Life, Listed};
use crate::rulebook::Ending;

/// How many are looked at before others have their turn.
const STRETCH: usize = 128;

/// What somebody may end beside grants, and what lets them; or what ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    pub(super) tokens: Vec<(Token, Arc<[Reason]>)>,
    pub(super) delegations: Vec<(Grant, Arc<[Reason]>)>,
}

impl Beside {
    pub(super) fn count(&self) -> usize {
        self.tokens.len() + self.delegations.len()
    }
}

impl Selection {
    /// Whether all that somebody holds is meant, or everybody.
    pub(super) fn is_of_people(&self) -> bool {
        let of_some = self.purpose.is_some() || self.platform.is_some();
        self.grant.is_none() && !of_some && self.token.is_none() && self.delegation.is_none()
    }
}

impl Portal {
    /// What somebody may end beside grants of what they mean.
    pub(super) async fn beside(
        &self,
        visit: &Visit<'_>,
        may: &mut Ending<'_>,
        meant: &Selection,
        look: Look<'_>,
    ) -> Beside {
        let mut beside = Beside::default();
        let is_another = |who: &SubjectId| look.not_of.is_none_or(|own| own != who);
        for (place, token) in self.tokens_meant(visit, meant).into_iter().enumerate() {
            let may = may.token(&token);
            if is_another(&token.subject) && may.is_allowed {
                beside.tokens.push((token, may.reasons));
            }
            if place % STRETCH == STRETCH - 1 {
                tokio::task::yield_now().await;
            }
        }
        for (place, one) in self.delegations_meant(visit, meant).into_iter().enumerate() {
            let may = may.grant(&one);
            if is_another(&one.subject) && may.is_allowed {
                beside.delegations.push((one, may.reasons));
            }
            if place % STRETCH == STRETCH - 1 {
                tokio::task::yield_now().await;
            }
        }
        beside
    }

    fn tokens_meant(&self, visit: &Visit<'_>, meant: &Selection) -> Vec<Token> {
        if let Some(id) = &meant.token {
            let found = self.ledger.token(id, visit.at);
            return found.filter(|token| token.is_good(visit.at)).into_iter().collect();
        }
        if !meant.is_of_people() {
            return Vec::new();
        }
        match &meant.user {
            Some(who) => {
                let theirs = self.ledger.tokens_of(who, visit.at).into_iter();
                theirs.map(|Listed { token, .. }| token).collect()
            }
            None => self.ledger.good_tokens(visit.at),
        }
    }

    /// Of one person, those that they gave and those that they were given.
    fn delegations_meant(&self, visit: &Visit<'_>, meant: &Selection) -> Vec<Grant> {
        let is_alive = |one: &Grant| !Life::of(one, visit.at).is_over();
        if let Some(id) = &meant.delegation {
            return self.ledger.delegation(id).filter(is_alive).into_iter().collect();
        }
        if !meant.is_of_people() {
            return Vec::new();
        }
        match &meant.user {
            Some(who) => {
                let given = self.ledger.delegated_by(who).into_iter().filter(is_alive);
                given.chain(self.ledger.delegated_to(who, visit.at)).collect()
            }
            None => self.ledger.all_delegations(visit.at),
        }
    }

    /// What is told of delegations and tokens: the first hundred of each, and how many there are.
    pub(super) fn told_beside(
        visit: &Visit<'_>,
        (delegations, delegation_count): (&[Grant], usize),
        (tokens, token_count): (&[Token], usize),
    ) -> Map<String, Value> {
        let delegations = delegations.iter().take(PAGE);
        let delegations: Vec<Value> = delegations.map(|one| delegation_calls::shown(one, visit.at)).collect();
        let tokens = tokens.iter().take(PAGE);
        let tokens: Vec<Value> = tokens.map(token_calls::shown_alone).collect();
        Map::from_iter([
            ("delegations".to_owned(), delegations.into()),
            ("delegation_count".to_owned(), delegation_count.into()),
            ("tokens".to_owned(), tokens.into()),
            ("token_count".to_owned(), token_count.into()),
        ])
    }
}
