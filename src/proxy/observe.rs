//! What a request says about itself: header fields into the judgeable [`Head`]. Pure.

use std::collections::BTreeSet;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};

use crate::catalog::parameters;
use crate::facts::{Head, Hints, Host, Peek, Referer};

/// Reads the judgeable part of a request. `label_headers` are the fields that the catalogue's signatures look at.
pub(super) fn head_of(parts: &Parts, label_headers: &BTreeSet<String>, body_follows: bool) -> Head {
    let query = parts.uri.query().unwrap_or_default();
    Head {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parameters(query.as_bytes()),
        hints: Hints {
            websocket: asks_for_socket(&parts.method, parts.version, &parts.headers),
            ..hints_of(&parts.headers, label_headers, body_follows)
        },
        peek: Peek::NotTaken,
    }
}

fn hints_of(headers: &HeaderMap, label_headers: &BTreeSet<String>, body_follows: bool) -> Hints {
    let text = |name: &str| stated(headers, name);
    let (origin, origin_unclear) = page_of(headers, ORIGIN.as_str(), "null", url_host);
    let (referer, referer_unclear) = page_of(headers, REFERER.as_str(), "about:blank", referer);
    Hints {
        fetch_site: text("sec-fetch-site"),
        fetch_mode: text("sec-fetch-mode"),
        fetch_dest: text("sec-fetch-dest"),
        origin,
        referer,
        page_unclear: origin_unclear || referer_unclear,
        websocket: false,
        has_body: body_follows || is_framed_as_body(headers),
        content_length: one(headers, CONTENT_LENGTH.as_str()).and_then(|value| value.parse().ok()),
        // the one field whose absence is the strict reading: a body of no known type is not read
        content_type: one(headers, CONTENT_TYPE.as_str()).map(str::to_owned),
        content_encoding: text(CONTENT_ENCODING.as_str()).filter(|coding| !coding.eq_ignore_ascii_case("identity")),
        labels: labels(headers, label_headers),
    }
}

/// What a field says. INVARIANT: a field that is there never reads as one that is missing, which may be the milder: what
/// a repeated or unreadable one says is a word of no list.
fn stated(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(text_of).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The page that a field names, and whether it stands there without naming one. `none` is how it says that there is none.
fn page_of<T>(headers: &HeaderMap, name: &str, none: &str, read: impl Fn(&str) -> Option<T>) -> (Option<T>, bool) {
    match one(headers, name) {
        Some(text) if text == none => (None, false),
        Some(text) => {
            let page = read(text);
            let unclear = page.is_none();
            (page, unclear)
        }
        None => (None, headers.contains_key(name)),
    }
}

/// Whether a field announces a body; a length that cannot be read announces one.
fn is_framed_as_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

/// The value of a field that stands there once and can be read.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        None
    } else {
        Some(value.trim())
    }
}

fn text_of(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).trim().to_owned()
}

fn labels(headers: &HeaderMap, label_headers: &BTreeSet<String>) -> Vec<(String, String)> {
    let wanted = headers.iter().filter(|(name, _)| label_headers.contains(name.as_str()));
    let mut found: Vec<(String, String)> = wanted
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
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
    *method == Method::GET
        && version == Version::HTTP_11
        && !is_framed_as_body(headers)
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
        // as those see it as well who part it at semicolons
        let head = head_of(&parts("/?a=1;b=%3B", &[]), &BTreeSet::new(), false);
        assert_eq!(head.query, [pair("a", "1;b=;"), pair("a", "1"), pair("b", ";")]);
    }

    fn hints(fields: &[(&str, &[u8])]) -> Hints {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        hints_of(&headers, &BTreeSet::new(), false)
    }

    #[test]
    fn only_one_readable_identity_is_no_content_coding() {
        let is_encoded = |values: &[&[u8]]| {
            let fields: Vec<_> = values.iter().map(|value| ("content-encoding", *value)).collect();
            hints(&fields).content_encoding.is_some()
        };
        assert!(!is_encoded(&[]));
        assert!(!is_encoded(&[b"identity"]));
        assert!(!is_encoded(&[b" Identity\t"]));
        for coded in [
            &[&b"gzip"[..]][..],
            &[b""],
            &[b"identity, gzip"],
            &[b"gzip", b"gzip"],
            &[b"identity", b"identity"],
            &[b"identity", b"gzip"],
            &[b"gzip\xff"],
            &[b"\xe9"],
        ] {
            assert!(is_encoded(coded), "{coded:?}");
        }
    }

    #[test]
    fn a_repeated_or_unreadable_field_never_reads_as_one_that_is_missing() {
        let twice = |name, value: &'static [u8]| hints(&[(name, value), (name, value)]);
        let odd = |name| hints(&[(name, &b"caf\xe9"[..])]);
        for found in [twice("sec-fetch-dest", b"image"), odd("sec-fetch-dest")] {
            assert!(found.fetch_dest.is_some_and(|dest| dest != "image"));
        }
        for found in [twice("sec-fetch-mode", b"cors"), odd("sec-fetch-mode")] {
            assert!(found.fetch_mode.is_some_and(|mode| mode != "cors"));
        }
        for found in [twice("content-type", b"application/json"), odd("content-type")] {
            assert_eq!(found.content_type, None, "a body of no known type is not read");
        }
        for name in ["origin", "referer"] {
            assert!(twice(name, b"https://blog.example/").page_unclear, "{name}");
            for value in [&b"caf\xe9"[..], b"", b"/relative", b"//", b"https://"] {
                let found = hints(&[(name, value)]);
                assert!(found.page_unclear, "{name}: {value:?}");
            }
        }
        assert!(twice("content-length", b"5").has_body);
        assert!(odd("content-length").has_body);
    }

    #[test]
    fn a_page_that_is_named_or_said_to_be_none_is_clear() {
        for (name, value) in [
            ("origin", "null"),
            ("origin", "https://blog.example"),
            ("referer", "about:blank"),
            ("referer", "https://blog.example/a?b"),
        ] {
            assert!(!hints(&[(name, value.as_bytes())]).page_unclear, "{name}: {value}");
        }
        assert!(!hints(&[]).page_unclear);
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
