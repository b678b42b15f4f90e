//! Who are you? The answer 407 to whoever has not said so.

use askama::Template;
use http::StatusCode;
use http::header::{self, HeaderValue};

use super::answer::{Audience, Origin, Page, document};
use super::problem::{Problem, proxy_status};
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
        let words = (words.tls_door_title, words.tls_door_what, words.tls_door_advice);
        (StatusCode::FORBIDDEN, "sign-in-elsewhere", words.0, words.1, words.2)
    } else {
        let words = (words.sign_in_title, words.sign_in_what, words.sign_in_advice);
        let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        (status, "sign-in-required", words.0, words.1, words.2)
    };
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
    for challenge in challenges {
        page.headers_mut().append(header::PROXY_AUTHENTICATE, challenge.clone());
    }
    page
}
