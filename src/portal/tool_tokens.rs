//! Tokens for tools: made, listed and revoked, by the person whose they are and nobody else.
//!
//! Making: **book, ledger.** The book records it, and a token is good from the moment that the ledger keeps it: no record, no
//! access. Revoking is as ending a grant: **ledger, book**, as taking away access never waits for the book. What a crash or
//! whoever goes away overtakes between the two, the book tells all the same (`ended.rs`).

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::rand;
use http::{HeaderMap, header};

use super::ended::tells_of_tokens;
use super::{Portal, Visit};
use crate::facts::{Act, Channel, GrantAct, Invisible, Lines, Reason, Scope, Secret, Token, TokenAct, token_text};
use crate::identity::{SignIn, WhyRejected, token_hash};
use crate::ledger::{Ledger, LedgerError, Listed};
use crate::rulebook::Visitor;

/// What somebody wants a token for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) scope: BTreeSet<Scope>,
    pub(super) lasts: Duration,
}

/// What is wrong with what somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnfitToken {
    Name,
    /// Its name holds a character that nobody sees, and that changes what is read.
    Invisible(Invisible),
    NoScope,
    /// It would be good for longer than so many days, or for no time.
    Lasts(u32),
}

/// Why no token was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotMade {
    Unfit(UnfitToken),
    /// The rules refuse it.
    Refused(Vec<Reason>),
    /// So many are good, which is as many as one may have.
    TooMany(usize),
    /// What they signed in with is over: the password was changed meanwhile.
    SignInOver,
    /// It cannot be recorded or kept.
    NotKept,
}

/// Why no token was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotEndedToken {
    /// The person has no such token, or it is over.
    NoSuch,
    /// The ledger cannot keep it: it is still good.
    NotKept,
}

/// Why a call is not answered that shows a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotCovered {
    /// The token in `Authorization` is not good, or somebody else's.
    Wrong,
    /// Whether it is cannot be known at this moment.
    Unknown,
    /// The token is not good for this; the scope would be, where one is.
    Scope(Option<Scope>),
}

impl Portal {
    /// Whether what a call shows beside the person is good for it: everything is but for tokens, which are good for their scope,
    /// one of these, and never for what takes a person.
    pub(super) fn covers(&self, visit: &Visit<'_>, headers: &HeaderMap, scopes: &[Scope]) -> Result<(), NotCovered> {
        let mut tokens: Vec<Token> = visit.token.cloned().into_iter().collect();
        let mut fields = headers.get_all(header::AUTHORIZATION).iter();
        if let (Some(field), None) = (fields.next(), fields.next())
            && let Some(shown) = self.guard.bearer(field)
        {
            let shown = shown.map_err(|why| match why {
                WhyRejected::Unavailable => NotCovered::Unknown,
                WhyRejected::TwoProofs
                | WhyRejected::Malformed
                | WhyRejected::WrongCredentials
                | WhyRejected::TooManyGuesses
                | WhyRejected::UseTlsDoor
                | WhyRejected::CertificateUnclear
                | WhyRejected::AnotherName
                | WhyRejected::OutOfScope => NotCovered::Wrong,
            })?;
            if shown.token.subject != visit.subject.id {
                return Err(NotCovered::Wrong);
            }
            tokens.push((*shown.token).clone());
        }
        let is_covered = |token: &Token| scopes.iter().any(|scope| token.scope.contains(scope));
        if tokens.iter().all(is_covered) {
            Ok(())
        } else {
            Err(NotCovered::Scope(scopes.first().copied()))
        }
    }

    /// Whether somebody could make such a token: it fits, and the rules let them.
    pub(super) fn may_make(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        wanted: &Wanted,
        channel: Channel,
    ) -> Result<Vec<Reason>, NotMade> {
        let length = wanted.name.chars().count();
        if length > Token::LONGEST_NAME {
            return Err(NotMade::Unfit(UnfitToken::Name));
        }
        if let Some(sign) = Invisible::first_in(&wanted.name, Lines::One) {
            return Err(NotMade::Unfit(UnfitToken::Invisible(sign)));
        }
        if wanted.scope.is_empty() {
            return Err(NotMade::Unfit(UnfitToken::NoScope));
        }
        let days = self.settings.token_days;
        if wanted.lasts.is_zero() || wanted.lasts > Duration::from_hours(24 * u64::from(days)) {
            return Err(NotMade::Unfit(UnfitToken::Lasts(days)));
        }
        let decision = visit.rules().may_make_token(visitor, wanted.lasts, channel, visit.at);
        let reasons = decision.reasons().to_vec();
        if decision.is_allowed() {
            Ok(reasons)
        } else {
            Err(NotMade::Refused(reasons))
        }
    }

    /// Makes a token for whoever signed in so, whose text nobody sees again.
    pub(super) async fn make_token(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (wanted, sign_in): (Wanted, SignIn),
        channel: Channel,
    ) -> Result<(Token, Secret), NotMade> {
        let reasons = self.may_make(visit, visitor, &wanted, channel)?;
        let held = self.ledger.tokens_of(&visitor.person.id, visit.at).len();
        if held >= crate::ledger::MOST_TOKENS {
            return Err(NotMade::TooMany(held));
        }
        let mut random = [0; 32];
        rand::fill(&mut random).map_err(|_| NotMade::NotKept)?;
        let text = token_text(&random);
        let token = Token {
            id: Ledger::name_token(visit.at),
            subject: visitor.person.id.clone(),
            name: wanted.name,
            scope: wanted.scope,
            made_at: visit.at,
            expires: visit.at.plus(wanted.lasts),
            revoked_at: None,
            revoked_for: None,
        };
        let made = said(visit, TokenAct::Made, &token, &reasons);
        if let Err(trouble) = self.book.write(self.book.record(made)).await {
            tracing::warn!(%trouble, "a token cannot be recorded, and is not made");
            return Err(NotMade::NotKept);
        }
        let hash = token_hash(text.reveal());
        let stands = move || sign_in.is_good();
        match self.ledger.make_token(token.clone(), hash, stands).await {
            Ok(token) => Ok((token, text)),
            Err(trouble) => {
                self.book
                    .note(&self.book.record(said(visit, TokenAct::Void, &token, &[])));
                if let LedgerError::TooManyTokens(held) = trouble {
                    return Err(NotMade::TooMany(held));
                }
                if trouble == LedgerError::ProofOver {
                    return Err(NotMade::SignInOver);
                }
                tracing::warn!(%trouble, "a token cannot be kept, and is not made");
                Err(NotMade::NotKept)
            }
        }
    }

    /// Ends one of the person's tokens, and whatever rests on it.
    pub(super) async fn revoke_token(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        id: &str,
    ) -> Result<Token, NotEndedToken> {
        let who = &visitor.person.id;
        let theirs = self.ledger.tokens_of(who, visit.at).into_iter();
        let token = theirs
            .map(|Listed { token, .. }| token)
            .find(|token| token.id.as_str() == id);
        let token = token.ok_or(NotEndedToken::NoSuch)?;
        let on_record = self.on_record(GrantAct::Withdrawn, visit.by(), &[]);
        let when = (visit.at, on_record);
        let tell = tells_of_tokens(self.book.clone());
        let revoked = self.ledger.revoke_token(&token.id, who, when, tell).await;
        let token = revoked.map_err(|trouble| {
            if matches!(trouble, LedgerError::NoSuchToken(_)) {
                return NotEndedToken::NoSuch;
            }
            tracing::warn!(%trouble, "a token cannot be revoked");
            NotEndedToken::NotKept
        })?;
        if let Err(trouble) = self.book.flush().await {
            // it is told once the disk works again
            tracing::warn!(%trouble, token = %token.id, "that a token was revoked is not recorded yet");
        }
        Ok(token)
    }

    /// Ends whatever rests on tokens that are over; to be called every second.
    pub fn end_tokens(&self, at: crate::clock::Timestamp) {
        self.ledger.end_tokens(at);
    }
}

fn said(visit: &Visit<'_>, act: TokenAct, token: &Token, reasons: &[Reason]) -> Act {
    let (by, rulebook) = visit.by();
    Act::Token {
        act,
        token: Box::new(token.clone()),
        by: by.clone(),
        rulebook: rulebook.clone(),
        policies: reasons.iter().map(|reason| reason.policy.clone()).collect(),
    }
}
