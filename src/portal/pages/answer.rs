//! Answers with the headers that every answer of ours carries.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use super::{CSS, chart};
use crate::portal::words::Words;

/// A whole answer.
pub type Page = Response<Full<Bytes>>;

/// Who reads the answer; the proxy tells by `Sec-Fetch-Dest`, `Sec-Fetch-Mode` and `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person, in the main window of a browser.
    Navigation,
    /// A script, a sub-resource, a tool.
    Tool,
}

/// The field on which the language of a page hangs that stands in a site's place.
pub(super) const BY_HEADER: &str = "Accept-Language";

/// Where a page of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) enum Origin {
    /// On the portal's own host: it may hold forms.
    Portal,
    /// In the place of a site's answer, in that site's origin.
    Elsewhere,
}

/// An HTML answer.
///
/// `Referrer-Policy` is `same-origin` on the portal, not `no-referrer`: with the latter a browser sends `Origin: null`
/// with our own forms (Fetch §3.2, "append a request `Origin` header"), and they could not be told from foreign ones.
pub(in crate::portal) fn document(status: StatusCode, origin: Origin, html: String) -> Page {
    let mut page = plain(status, "text/html; charset=utf-8", html);
    let style = source(CSS);
    let (rest, referrer) = match origin {
        Origin::Portal => ("form-action 'self'", "same-origin"),
        // Links work in the sandbox; scripts, forms and pop-ups do not, nor does anything that needs the site's origin.
        Origin::Elsewhere => (
            "form-action 'none'; sandbox allow-top-navigation-by-user-activation",
            "no-referrer",
        ),
    };
    let policy = format!("default-src 'none'; style-src {style}; base-uri 'none'; frame-ancestors 'none'; {rest}");
    put(page.headers_mut(), header::CONTENT_SECURITY_POLICY, &policy);
    put(page.headers_mut(), header::REFERRER_POLICY, referrer);
    put(page.headers_mut(), header::X_FRAME_OPTIONS, "DENY");
    if origin == Origin::Portal {
        let opener = HeaderName::from_static("cross-origin-opener-policy");
        put(page.headers_mut(), opener, "same-origin");
    }
    page
}

/// The same page with charts: a library draws them where scripts run.
pub(in crate::portal) fn with_charts(mut page: Page) -> Page {
    static MORE: LazyLock<(String, String)> = LazyLock::new(|| (source(chart::STYLE), source(chart::SCRIPT)));
    let policy = page.headers().get(header::CONTENT_SECURITY_POLICY);
    if let Some(policy) = policy.and_then(|policy| policy.to_str().ok()) {
        let (style, script) = &*MORE;
        let policy = policy.replacen("style-src ", &format!("style-src {style} "), 1);
        put(
            page.headers_mut(),
            header::CONTENT_SECURITY_POLICY,
            &format!("{policy}; script-src {script}"),
        );
    }
    page
}

/// The same page with a script of ours, which may speak with this host and nobody else.
pub(in crate::portal) fn with_script(mut page: Page, script: &str) -> Page {
    let policy = page.headers().get(header::CONTENT_SECURITY_POLICY);
    if let Some(policy) = policy.and_then(|policy| policy.to_str().ok()) {
        let policy = format!("{policy}; script-src {}; connect-src 'self'", source(script));
        put(page.headers_mut(), header::CONTENT_SECURITY_POLICY, &policy);
    }
    page
}

/// What allows just this style or script (CSP Level 3 §2.3.1, `hash-source`).
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// The answer, saying in which language it is unless it says so already, and on which fields of the request that hung
/// (RFC 9110 §8.5, §12.5.5).
pub(in crate::portal) fn in_language(mut page: Page, words: &Words, hung_on: &'static str) -> Page {
    let headers = page.headers_mut();
    let language = HeaderValue::from_static(words.language.as_str());
    headers.entry(header::CONTENT_LANGUAGE).or_insert(language);
    if headers.get(header::VARY).is_none_or(|vary| vary != "*") {
        headers.insert(header::VARY, HeaderValue::from_static(hung_on));
    }
    page
}

/// A JSON answer.
pub(in crate::portal) fn json(status: StatusCode, body: &impl Serialize) -> Page {
    // texts, numbers and lists of them can always be written
    let text = serde_json::to_string(body).unwrap_or_default();
    plain(status, "application/json", text)
}

/// A file to keep, called `name`.
pub(in crate::portal) fn download(kind: &'static str, name: &str, body: String) -> Page {
    let mut page = plain(StatusCode::OK, kind, body);
    let disposition = format!("attachment; filename=\"{name}\"");
    put(page.headers_mut(), header::CONTENT_DISPOSITION, &disposition);
    page
}

/// Sends the client to `place` (RFC 9110 §15.4.4: with GET, whatever it sent).
pub(in crate::portal) fn see_other(place: &str) -> Page {
    let mut page = plain(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    put(page.headers_mut(), header::LOCATION, place);
    put(page.headers_mut(), header::REFERRER_POLICY, "no-referrer");
    page
}

/// An answer with the headers that all of them carry: kept by nobody, guessed by nobody, loaded by no other site.
pub(in crate::portal) fn plain(status: StatusCode, kind: &'static str, body: String) -> Page {
    let mut page = Response::new(Full::new(Bytes::from(body)));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    put(headers, header::CONTENT_TYPE, kind);
    put(headers, header::CACHE_CONTROL, "no-store");
    put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(
        headers,
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    page
}

/// Sets a field, unless its value cannot stand in a header.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
