//! Tokens for tools on pages: listed and revoked on one's own, made with a form that takes signing in once more.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;

use super::declare::sentence;
use super::intake::Received;
use super::pages::tokens::{MakeToken, ScopeChoice, TokenLine, TokenMade};
use super::pages::{Page, see_other};
use super::tool_tokens::{NotEndedToken, NotMade, UnfitToken, Wanted};
use super::{Portal, Visit, times};
use crate::clock::Timestamp;
use crate::facts::{Channel, Scope, TOKEN_LASTS, Token};
use crate::rulebook::Visitor;

/// The deed that the token of the form is for.
const MAKE: &str = "make a token";
const DAY: Duration = Duration::from_hours(24);

/// What somebody filled in.
#[derive(Clone, Debug, Default)]
struct Filled {
    name: String,
    scope: BTreeSet<Scope>,
    days: String,
}

impl Filled {
    fn read(received: &Received) -> Self {
        let mut filled = Self::default();
        for (name, value) in received.fields() {
            match name.as_ref() {
                "name" => value.trim().clone_into(&mut filled.name),
                "days" => value.trim().clone_into(&mut filled.days),
                other => filled.scope.extend(other.strip_prefix("scope-").and_then(Scope::parse)),
            }
        }
        filled
    }

    fn wanted(&self) -> Wanted {
        let days: u32 = self.days.parse().unwrap_or(0);
        Wanted {
            name: self.name.clone(),
            scope: self.scope.clone(),
            lasts: DAY.saturating_mul(days),
        }
    }
}

impl Portal {
    /// The person's tokens on their own page.
    pub(super) fn my_tokens(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<TokenLine> {
        let words = &self.words.tokens;
        let theirs = self.ledger.tokens_of(&visitor.person.id, visit.at).into_iter();
        let day = |at: Timestamp| (self.words.day)(&at.calendar().to_zoned(jiff::tz::TimeZone::UTC));
        let lines = theirs.map(|listed| {
            let token = listed.token;
            TokenLine {
                id: token.id.to_string(),
                name: self.token_name(&token),
                good_for: self.good_for(visit, visitor, &token),
                used: (words.used)(listed.used_on.map(day).as_deref()),
                revoke: self
                    .tokens
                    .issue(&visit.subject.id, &revoking(token.id.as_str()), visit.at),
            }
        });
        lines.collect()
    }

    pub(super) fn good_for(&self, visit: &Visit<'_>, visitor: Visitor<'_>, token: &Token) -> String {
        let words = &self.words.tokens;
        let scopes: Vec<&str> = token
            .scope
            .iter()
            .map(|scope| (words.scope_of)(scope.as_str()))
            .collect();
        let until = times::local(self.words, token.expires, visit.at, visitor.person);
        (words.good_for)(&scopes, &until)
    }

    /// Whether the rules let the person make any token here, if it is good for a day at most.
    pub(super) fn may_make_tokens(visit: &Visit<'_>, visitor: Visitor<'_>) -> bool {
        let decision = visit.rules().may_make_token(visitor, DAY, Channel::Portal, visit.at);
        decision.is_allowed()
    }

    /// The form, once somebody has signed in once more.
    pub(super) async fn token_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        if !self.signed_in_lately(visit, received).await {
            return see_other("/sign-in?to=/tokens");
        }
        let days = TOKEN_LASTS.as_secs() / DAY.as_secs();
        let filled = Filled {
            days: days.min(u64::from(self.settings.token_days)).to_string(),
            ..Filled::default()
        };
        self.token_form(visit, visitor, &filled, None)
    }

    fn token_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, filled: &Filled, trouble: Option<String>) -> Page {
        let words = &self.words.tokens;
        let status = if trouble.is_some() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        // whoever reads nothing about others is not asked whether a tool of theirs should
        let watches = Self::may_watch(visit, visitor, Channel::Portal).is_some();
        let scopes = Scope::ALL
            .into_iter()
            .filter(|scope| watches || *scope != Scope::Decisions);
        let scopes = scopes.map(|scope| ScopeChoice {
            name: scope.as_str(),
            says: (words.scope_of)(scope.as_str()),
            chosen: filled.scope.contains(&scope),
        });
        let page = MakeToken {
            w: self.words,
            who: &visitor.person.name,
            token: self.tokens.issue(&visit.subject.id, MAKE, visit.at),
            name: &filled.name,
            longest_name: Token::LONGEST_NAME,
            scopes: scopes.collect(),
            days: &filled.days,
            most_days: self.settings.token_days,
            trouble,
            contact: self.contact(),
        };
        self.page(status, &page)
    }

    /// The form was sent.
    pub(super) async fn make_token_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
    ) -> Page {
        let words = self.words;
        let form = received.form().unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (MAKE, &form.token)).await {
            return page;
        }
        let Some(sign_in) = self.lately(visit, received).await else {
            return see_other("/sign-in?to=/tokens");
        };
        let filled = Filled::read(received);
        let wanted = (filled.wanted(), sign_in);
        let made = self.make_token(visit, visitor, wanted, Channel::Portal).await;
        match made {
            Err(NotMade::SignInOver) => see_other("/sign-in?to=/tokens"),
            Ok((token, text)) => {
                let page = TokenMade {
                    w: words,
                    who: &visitor.person.name,
                    text: text.reveal(),
                    good_for: self.good_for(visit, visitor, &token),
                };
                self.page(StatusCode::CREATED, &page)
            }
            Err(NotMade::Unfit(what)) => {
                let text = self.unfit_token(what);
                self.token_form(visit, visitor, &filled, Some(text))
            }
            Err(NotMade::Refused(reasons)) => {
                let text = (words.tokens.may_not_make)(&self.joined(&reasons));
                self.note(StatusCode::FORBIDDEN, words.tokens.not_made_title, &text)
            }
            Err(NotMade::TooMany(held)) => {
                let text = (words.tokens.too_many)(held);
                self.note(StatusCode::CONFLICT, words.tokens.not_made_title, &text)
            }
            Err(NotMade::NotKept) => {
                let (title, text) = (words.tokens.not_made_title, words.tokens.not_kept);
                self.note(StatusCode::SERVICE_UNAVAILABLE, title, text)
            }
        }
    }

    /// What is wrong with the token that somebody wants.
    pub(super) fn unfit_token(&self, what: UnfitToken) -> String {
        let words = &self.words.tokens;
        match what {
            UnfitToken::Name => (words.bad_name)(Token::LONGEST_NAME),
            UnfitToken::Invisible(sign) => sentence(&(self.words.stating.invisible)(sign)),
            UnfitToken::NoScope => words.no_scope.to_owned(),
            UnfitToken::Lasts(days) => (words.bad_days)(days),
        }
    }

    /// The button of a token was pressed.
    pub(super) async fn revoke_token_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let words = self.words;
        let token = received.form().map(|form| form.token).unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (&revoking(id), &token)).await {
            return page;
        }
        match self.revoke_token(visit, visitor, id).await {
            Ok(_) => see_other("/?token=revoked"),
            Err(NotEndedToken::NoSuch) => self.nothing_here(),
            Err(NotEndedToken::NotKept) => {
                let (title, text) = (words.tokens.not_revoked_title, words.tokens.not_revoked);
                self.note(StatusCode::SERVICE_UNAVAILABLE, title, text)
            }
        }
    }

    /// That a token was revoked, where the address says so.
    pub(super) fn just_revoked_token(&self, received: &Received) -> Option<&'static str> {
        let says_so = received.asked("token").as_deref() == Some("revoked");
        says_so.then_some(self.words.tokens.revoked)
    }
}

/// The deed that the button's token of a token is for.
pub(super) fn revoking(id: &str) -> String {
    format!("revoke token {id}")
}
