//! Signing in once more, in a browser: a form with one's password, and a session for a quarter of an hour.

use http::StatusCode;
use http::header::{HeaderValue, SET_COOKIE};

use super::intake::Received;
use super::others::question;
use super::pages::{self, Audience, Page, counter, see_other};
use super::revocations::selection;
use super::revoking::Selection;
use super::{Portal, Visit};
use crate::identity::{SignIn, WAIT, WhyRejected, basic_proof};
use crate::rulebook::Visitor;

/// Where somebody goes once they are signed in: nowhere but here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Onward {
    Approvals,
    Delegations,
    Grants,
    /// The question whether that is to be revoked.
    Revoke(Selection),
    /// Making a token.
    Tokens,
    Mine,
}

impl Onward {
    /// What an address or a form says; anything unknown leads to the person's own page.
    fn read(text: &str) -> Self {
        match (text, text.split_once('?')) {
            ("/approvals", _) => Self::Approvals,
            ("/delegations", _) => Self::Delegations,
            ("/grants", _) => Self::Grants,
            ("/tokens", _) => Self::Tokens,
            (_, Some(("/grants/revoke", query))) => Self::revoke(query).unwrap_or(Self::Mine),
            _ => Self::Mine,
        }
    }

    fn revoke(query: &str) -> Option<Self> {
        let asked = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        let mut wrong = Vec::new();
        let meant = selection(asked, &mut wrong);
        wrong.is_empty().then_some(Self::Revoke(meant))
    }

    /// Made anew of what was understood.
    fn path(&self) -> String {
        match self {
            Self::Approvals => "/approvals".to_owned(),
            Self::Delegations => "/delegations".to_owned(),
            Self::Grants => "/grants".to_owned(),
            Self::Tokens => "/tokens".to_owned(),
            Self::Revoke(meant) => question(meant),
            Self::Mine => "/".to_owned(),
        }
    }
}

impl Portal {
    /// Whether the person signed in here a short while ago.
    pub(super) async fn signed_in_lately(&self, visit: &Visit<'_>, received: &Received) -> bool {
        self.lately(visit, received).await.is_some()
    }

    /// With what they did.
    pub(super) async fn lately(&self, visit: &Visit<'_>, received: &Received) -> Option<SignIn> {
        if !visit.secure {
            return None;
        }
        let sessions = self.sessions();
        let theirs = sessions.sign_in(&visit.subject.id, &received.headers, visit.at);
        theirs.await
    }

    /// The form.
    pub(super) fn sign_in_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let to = received.asked("to").map_or(Onward::Mine, |to| Onward::read(&to));
        self.form(visit, visitor, &to, None)
    }

    fn form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, to: &Onward, wrong: Option<&'static str>) -> Page {
        let page = counter::Again {
            w: self.words,
            who: &visitor.person.name,
            user: visit.subject.id.as_str(),
            to: to.path(),
            token: self.tokens.issue(&visit.subject.id, SIGN_IN, visit.at),
            has_password: self.guard.has_password(&visit.subject.id),
            wrong,
            contact: self.contact(),
        };
        let status = if wrong.is_some() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        self.page(status, &page)
    }

    /// The form was sent.
    pub(super) async fn sign_in(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (words, who) = (self.words, &visit.subject.id);
        let form = received.form().unwrap_or_default();
        if let Err(page) = self.meant(visit, received, (SIGN_IN, &form.token)).await {
            return page;
        }
        let to = Onward::read(&form.to);
        let proof = received.password().and_then(|password| basic_proof(who, &password));
        let Some(proof) = proof else {
            return self.form(visit, visitor, &to, Some(words.wrong_password_here));
        };
        match self.guard.confirm(who, &proof, visit.arrival).await {
            Ok(sign_in) => {
                let sessions = self.sessions();
                let begun = sessions.begin(who, &sign_in, &received.headers, visit.at);
                match begun.await {
                    Ok(Some(cookie)) => with_cookie(see_other(&to.path()), &cookie),
                    Ok(None) => pages::busy(words, Audience::Navigation),
                    Err(trouble) => self.not_shared(&trouble),
                }
            }
            Err(WhyRejected::TooManyGuesses) => pages::wait(words, WAIT, Audience::Navigation),
            Err(WhyRejected::Unavailable) => pages::busy(words, Audience::Navigation),
            Err(
                WhyRejected::TwoProofs
                | WhyRejected::Malformed
                | WhyRejected::WrongCredentials
                | WhyRejected::UseTlsDoor
                | WhyRejected::OutOfScope
                | WhyRejected::CertificateUnclear
                | WhyRejected::AnotherName,
            ) => self.form(visit, visitor, &to, Some(words.wrong_password_here)),
        }
    }

    /// The token for signing out.
    pub(super) fn sign_out_token(&self, visit: &Visit<'_>) -> String {
        self.tokens.issue(&visit.subject.id, SIGN_OUT, visit.at)
    }

    /// The button was pressed.
    pub(super) async fn sign_out(&self, visit: &Visit<'_>, received: &Received) -> Page {
        let token = received.form().unwrap_or_default().token;
        if let Err(page) = self.meant(visit, received, (SIGN_OUT, &token)).await {
            return page;
        }
        match self.sessions().end(&visit.subject.id, &received.headers).await {
            Ok(cookie) => with_cookie(see_other("/"), &cookie),
            Err(trouble) => self.not_shared(&trouble),
        }
    }
}

/// The deeds that the tokens are for.
const SIGN_IN: &str = "sign in";
const SIGN_OUT: &str = "sign out";

pub(super) fn with_cookie(mut page: Page, cookie: &str) -> Page {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        page.headers_mut().insert(SET_COOKIE, value);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_anywhere_else_after_signing_in() {
        for own in [
            "/approvals",
            "/grants",
            "/grants/revoke?grant=01J",
            "/grants/revoke?user=ada&platform=x",
        ] {
            assert_eq!(Onward::read(own).path(), own);
        }
        let mended = Onward::read("/grants/revoke?grant=a%0d%0ab//&to=//evil.example").path();
        assert_eq!(mended, "/grants/revoke?grant=a%0D%0Ab%2F%2F");
        for other in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/approvals",
            "/approvals/../..",
            "/grants/revoke/..?grant=01J",
            "/grants/revoke?user=a%0db",
            "\\\\evil",
        ] {
            assert_eq!(Onward::read(other).path(), "/", "{other}");
        }
    }
}
