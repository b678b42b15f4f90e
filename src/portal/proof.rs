//! Approving takes more than what the hop to the proxy proves, which any program of the person's could use: a password, a
//! short while ago or with the call itself.

use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::pages::{self, Audience, Page, Problem};
use super::{Portal, Visit};
use crate::identity::{WAIT, WhyRejected};

/// What a tool is asked for (RFC 9110 §11.6.1).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"wayleave approvals\", charset=\"UTF-8\"");

impl Portal {
    /// Whether a call proves once more who makes it; the error is its answer where it does not.
    pub(super) async fn proves_again(&self, visit: &Visit<'_>, headers: &HeaderMap) -> Result<(), Page> {
        let mut proofs = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(proof), None) = (proofs.next(), proofs.next()) else {
            return Err(self.ask_again(visit, self.words.sign_in_again));
        };
        let confirmed = self.guard.confirm(&visit.subject.id, proof, visit.arrival).await;
        match confirmed {
            Ok(_) => Ok(()),
            Err(WhyRejected::TooManyGuesses) => Err(pages::wait(self.words, WAIT, Audience::Tool)),
            Err(WhyRejected::Unavailable) => Err(pages::busy(self.words, Audience::Tool)),
            Err(
                WhyRejected::TwoProofs
                | WhyRejected::Malformed
                | WhyRejected::WrongCredentials
                | WhyRejected::UseTlsDoor
                | WhyRejected::CertificateUnclear,
            ) => Err(self.ask_again(visit, self.words.wrong_password)),
        }
    }

    fn ask_again(&self, visit: &Visit<'_>, why: &str) -> Page {
        let has_password = self.guard.has_password(&visit.subject.id);
        let why = if has_password { why } else { self.words.no_password };
        let title = self.words.sign_in_again_title;
        let mut page = Problem::new(StatusCode::UNAUTHORIZED, "sign-in-again", title, why).answer();
        page.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        page
    }
}
