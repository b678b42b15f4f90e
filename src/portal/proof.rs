//! Approving takes more than what the hop to the proxy proves, which any program of the person's could use: a password, a
//! short while ago or with the call itself.

use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::pages::{self, Audience, Page, Problem};
use super::{Portal, Visit};
use crate::identity::{SignIn, WAIT, WhyRejected};

/// What a tool is asked for (RFC 9110 §11.6.1).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"wayleave approvals\", charset=\"UTF-8\"");

impl Portal {
    /// With what a call proves once more who makes it; the error is its answer where it does not.
    pub(super) async fn proves_again(&self, visit: &Visit<'_>, headers: &HeaderMap) -> Result<SignIn, Page> {
        let mut proofs = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(proof), None) = (proofs.next(), proofs.next()) else {
            return Err(self.ask_again(visit, self.words.sign_in_again));
        };
        let confirmed = self.guard.confirm(&visit.subject.id, proof, visit.arrival).await;
        match confirmed {
            Ok(sign_in) => Ok(sign_in),
            Err(WhyRejected::TooManyGuesses) => Err(pages::wait(self.words, WAIT, Audience::Tool)),
            Err(WhyRejected::Unavailable) => Err(pages::busy(self.words, Audience::Tool)),
            Err(
                WhyRejected::TwoProofs
                | WhyRejected::Malformed
                | WhyRejected::WrongCredentials
                | WhyRejected::UseTlsDoor
                | WhyRejected::OutOfScope
                | WhyRejected::CertificateUnclear
                | WhyRejected::AnotherName,
            ) => Err(self.ask_again(visit, self.words.wrong_password)),
        }
    }

    /// The answer to a call that must prove once more who makes it.
    pub(super) fn ask_again(&self, visit: &Visit<'_>, why: &str) -> Page {
        let title = self.words.sign_in_again_title;
        if !self.guard.has_password(&visit.subject.id) {
            // a challenge that nobody could meet would have tools ask for a password in vain
            let why = self.words.no_password;
            return Problem::new(StatusCode::FORBIDDEN, "no-password", title, why).answer();
        }
        // a tool that came with a certificate may not know under which name its person has a password
        let mut page = Problem::new(StatusCode::UNAUTHORIZED, "sign-in-again", title, why)
            .with("user", visit.subject.id.as_str())
            .answer();
        page.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        page
    }
}
