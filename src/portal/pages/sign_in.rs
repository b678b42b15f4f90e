//! Who are you? The answer 407 to whoever has not said so.

use std::time::Duration;

use askama::Template;
use http::StatusCode;
use http::header::{self, HeaderValue};

use super::answer::{Audience, BY_HEADER, Origin, Page, document, in_language};
use super::problem::{Problem, proxy_status, retry_after};
use crate::portal::words::Words;

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/portal/askama.toml")]
struct Html<'a> {
    w: &'a Words,
    title: &'static str,
    what: &'static str,
    advice: &'static str,
}

/// The answer 407 with `challenges` as its `Proxy-Authenticate` fields (RFC 9110 §11.7.1). Where nothing can be asked for
/// there is no 407 (RFC 9110 §15.5.8), but a 403 that names the way on which there is.
pub fn challenge(words: &Words, challenges: &[HeaderValue], who: Audience) -> Page {
    let (status, kind, title, what, advice) = if challenges.is_empty() {
        let words = (
            words.proofs.tls_door_title,
            words.proofs.tls_door_what,
            words.proofs.tls_door_advice,
        );
        (StatusCode::FORBIDDEN, "sign-in-elsewhere", words.0, words.1, words.2)
    } else {
        let words = (
            words.proofs.sign_in_title,
            words.proofs.sign_in_what,
            words.proofs.sign_in_advice,
        );
        let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        (status, "sign-in-required", words.0, words.1, words.2)
    };
    let page = said(words, (status, kind), (title, what, advice), who);
    challenging(page, challenges)
}

/// The answer to whoever shows a certificate and another's name beside it: 407, with `challenges`, where a name can be asked
/// for, else 403.
pub fn another_name(words: &Words, challenges: &[HeaderValue], who: Audience) -> Page {
    let words_of = &words.proofs;
    let text = (words_of.another_title, words_of.another_what, words_of.another_advice);
    let status = if challenges.is_empty() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED
    };
    challenging(said(words, (status, "another-name"), text, who), challenges)
}

fn challenging(mut page: Page, challenges: &[HeaderValue]) -> Page {
    for challenge in challenges {
        page.headers_mut().append(header::PROXY_AUTHENTICATE, challenge.clone());
    }
    page
}

/// The answer 429 (RFC 6585 §4) to whoever has sent too many wrong passwords: a 407 would ask for the next.
pub fn wait(words: &Words, wait: Duration, who: Audience) -> Page {
    let text = (
        words.proofs.wait_title,
        words.proofs.wait_what,
        words.proofs.wait_advice,
    );
    let mut page = said(words, (StatusCode::TOO_MANY_REQUESTS, "too-many-guesses"), text, who);
    retry_after(&mut page, u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
    page
}

/// The answer 503 to whoever could not be asked: a 407 would say that the password is wrong.
pub fn busy(words: &Words, who: Audience) -> Page {
    let text = (
        words.proofs.busy_title,
        words.proofs.busy_what,
        words.proofs.busy_advice,
    );
    let mut page = said(words, (StatusCode::SERVICE_UNAVAILABLE, "sign-in-busy"), text, who);
    retry_after(&mut page, 2);
    page
}

/// The answer 403 to whoever shows a token for what it is not good for: another proof is, which a tool does not have.
pub fn out_of_scope(words: &Words, who: Audience) -> Page {
    let words_of = &words.tokens;
    let text = (
        words_of.not_good_title,
        words_of.not_for_proxy,
        words_of.not_for_proxy_advice,
    );
    said(words, (StatusCode::FORBIDDEN, "token-scope"), text, who)
}

fn said(
    words: &Words,
    (status, kind): (StatusCode, &'static str),
    (title, what, advice): (&'static str, &'static str, &'static str),
    who: Audience,
) -> Page {
    let mut page = match who {
        Audience::Navigation => {
            let html = Html {
                w: words,
                title,
                what,
                advice,
            };
            document(status, Origin::Elsewhere, html.render().unwrap_or_default())
        }
        Audience::Tool => Problem::new(status, kind, title, &format!("{what} {advice}")).answer(),
    };
    proxy_status(&mut page, "http_request_denied", kind);
    in_language(page, words, BY_HEADER)
}
