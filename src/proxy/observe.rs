//! What a request says about itself: header fields into the judgeable [`Head`]. Pure.

use std::collections::BTreeSet;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, ORIGIN, REFERER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};

use crate::facts::{Head, Hints, Host, Peek, Referer};

/// Reads the judgeable part of a request. `label_headers` are the fields that the catalogue's signatures look at.
pub(super) fn head_of(parts: &Parts, label_headers: &BTreeSet<String>, body_follows: bool) -> Head {
    let query = parts.uri.query().unwrap_or_default();
    Head {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        hints: Hints {
            websocket: asks_for_socket(&parts.method, parts.version, &parts.headers),
            ..hints_of(&parts.headers, label_headers, body_follows)
        },
        peek: Peek::NotTaken,
    }
}

fn hints_of(headers: &HeaderMap, label_headers: &BTreeSet<String>, body_follows: bool) -> Hints {
    let text = |name: &str| one(headers, name).map(str::to_owned);
    let content_length = one(headers, CONTENT_LENGTH.as_str()).and_then(|value| value.parse().ok());
    Hints {
        fetch_site: text("sec-fetch-site"),
        fetch_mode: text("sec-fetch-mode"),
        fetch_dest: text("sec-fetch-dest"),
        origin: one(headers, ORIGIN.as_str()).and_then(url_host),
        referer: one(headers, REFERER.as_str()).and_then(referer),
        websocket: false,
        has_body: body_follows || headers.contains_key(TRANSFER_ENCODING) || content_length.is_some_and(|n| n > 0),
        content_length,
        content_type: text(CONTENT_TYPE.as_str()),
        content_encoding: text(CONTENT_ENCODING.as_str()).filter(|coding| !coding.eq_ignore_ascii_case("identity")),
        labels: labels(headers, label_headers),
    }
}

/// The value of a field that stands there once; a repeated field is joined by nobody here, so it does not count.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        None
    } else {
        Some(value.trim())
    }
}

fn labels(headers: &HeaderMap, label_headers: &BTreeSet<String>) -> Vec<(String, String)> {
    let wanted = headers.iter().filter(|(name, _)| label_headers.contains(name.as_str()));
    let mut found: Vec<(String, String)> = wanted
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    // by name; values of one name stay in their order
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Whether the request asks to become a `WebSocket` (RFC 6455 §4.1): nothing else may change protocols, because what
/// follows cannot be read as requests any more. Any other `Upgrade` is a wish that a server may ignore (RFC 9110 §7.8),
/// and stays at the door.
fn asks_for_socket(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    let lists = |name: HeaderName, token: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|each| each.trim().eq_ignore_ascii_case(token))
    };
    let has_body = headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|n| n != "0");
    *method == Method::GET
        && version == Version::HTTP_11
        && !has_body
        && lists(UPGRADE, "websocket")
        && lists(CONNECTION, "upgrade")
}

fn url_host(text: &str) -> Option<Host> {
    let uri: http::Uri = text.parse().ok()?;
    Host::parse(uri.host()?).ok()
}

fn referer(text: &str) -> Option<Referer> {
    let uri: http::Uri = text.parse().ok()?;
    Some(Referer {
        host: Host::parse(uri.host()?).ok()?,
        path: uri.path().to_owned(),
    })
}

/// Whether the answer will be looked at as a page: a browser's top-level navigation, or a client that says it wants
/// HTML and sends no fetch metadata.
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
    match (one(headers, "sec-fetch-mode"), one(headers, "sec-fetch-dest")) {
        (Some(mode), dest) => mode == "navigate" && dest == Some("document"),
        (None, _) => one(headers, "accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method("POST").uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        parts("/", fields).headers
    }

    #[test]
    fn only_a_websocket_handshake_changes_protocols() {
        let handshake = [("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade")];
        let asks =
            |method: Method, version, fields: &[(&str, &str)]| asks_for_socket(&method, version, &headers(fields));
        assert!(asks(Method::GET, Version::HTTP_11, &handshake));
        assert!(!asks(Method::POST, Version::HTTP_11, &handshake));
        assert!(!asks(Method::GET, Version::HTTP_2, &handshake));
        assert!(!asks(Method::GET, Version::HTTP_11, &handshake[..1]));
        assert!(!asks(
            Method::GET,
            Version::HTTP_11,
            &[("upgrade", "h2c"), ("connection", "upgrade")]
        ));
        assert!(!asks(
            Method::GET,
            Version::HTTP_11,
            &[&handshake[..], &[("content-length", "5")]].concat()
        ));
    }

    #[test]
    fn the_query_is_decoded_in_order_with_its_repeats() {
        let head = head_of(&parts("/a%2Fb?q=1&q=%32&empty", &[]), &BTreeSet::new(), false);
        assert_eq!(head.path, "/a%2Fb");
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(head.query, [pair("q", "1"), pair("q", "2"), pair("empty", "")]);
    }

    #[test]
    fn a_header_sent_twice_is_no_hint() {
        let head = head_of(
            &parts("/", &[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")]),
            &BTreeSet::new(),
            false,
        );
        assert_eq!(head.hints.fetch_mode, None);
    }

    #[test]
    fn labels_keep_their_repeats() {
        let names = BTreeSet::from(["x-fb-friendly-name".to_owned()]);
        let head = head_of(
            &parts("/", &[("X-FB-Friendly-Name", "A"), ("x-fb-friendly-name", "B")]),
            &names,
            false,
        );
        assert_eq!(head.hints.labels.len(), 2);
    }

    #[test]
    fn a_body_is_seen_by_its_framing() {
        for (field, value, follows) in [
            ("content-length", "0", false),
            ("content-length", "1", true),
            ("transfer-encoding", "chunked", true),
        ] {
            assert_eq!(
                head_of(&parts("/", &[(field, value)]), &BTreeSet::new(), false)
                    .hints
                    .has_body,
                follows
            );
        }
        assert!(
            head_of(&parts("/", &[]), &BTreeSet::new(), true).hints.has_body,
            "an open HTTP/2 stream"
        );
    }

    #[test]
    fn only_a_top_level_document_is_a_navigation() {
        let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert!(is_navigation(&headers(&navigation)));
        assert!(!is_navigation(&headers(&[
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe")
        ])));
        assert!(!is_navigation(&headers(&[
            ("sec-fetch-mode", "cors"),
            ("accept", "text/html")
        ])));
        assert!(is_navigation(&headers(&[("accept", "text/html,*/*")])));
        assert!(!is_navigation(&headers(&[("accept", "*/*")])));
    }
}
