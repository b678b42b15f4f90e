//! Who are you? The answer 407 to whoever has not said so.

use askama::Template;
use http::StatusCode;
use http::header::{self, HeaderValue};

use super::answer::{Audience, Origin, Page, document};
use super::problem::Problem;
use crate::portal::words::Words;

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/portal/askama.toml")]
struct Html<'a> {
    w: &'a Words,
}

/// The answer 407 with `challenges` as its `Proxy-Authenticate` fields (RFC 9110 §11.7.1).
pub fn challenge(words: &Words, challenges: &[HeaderValue], who: Audience) -> Page {
    let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let mut page = match who {
        Audience::Navigation => {
            let html = Html { w: words }.render().unwrap_or_default();
            document(status, Origin::Elsewhere, html)
        }
        Audience::Tool => {
            let detail = format!("{} {}", words.sign_in_what, words.sign_in_advice);
            Problem::new(status, "sign-in-required", words.sign_in_title, &detail).answer()
        }
    };
    for challenge in challenges {
        page.headers_mut().append(header::PROXY_AUTHENTICATE, challenge.clone());
    }
    page
}
