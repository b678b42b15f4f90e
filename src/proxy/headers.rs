//! Which header fields cross the house, and which stay at the door. Pure.
//!
//! Outward go the fields that are meant for the origin; what concerns one hop only (RFC 9110 §7.6.1), what proves
//! identity to us, and what would tell the outside about the inside stays here. Inward, `Alt-Svc` is taken out so that
//! a browser does not learn a way around the gateway (RFC 7838; QUIC is not proxied).

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{StatusCode, Version};

use http::request::Parts;
use http::response;

use crate::catalog::decoded;
use crate::ingress;

/// Fields of one hop, beside those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
    UPGRADE,
    TE,
];

/// Fields that say something about the inside of the house.
const INDOORS: [HeaderName; 9] = [
    PROXY_AUTHORIZATION,
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    MAX_FORWARDS,
];

const MAX_FORWARDS: HeaderName = HeaderName::from_static("max-forwards");

/// Joins the cookies of a request that HTTP/2 lets a client split: elsewhere they are one field (RFC 9113 §8.2.3).
pub(super) fn join_cookies(parts: &mut Parts) {
    if parts.version != Version::HTTP_2 || parts.headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let crumbs = parts.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let crumbs = crumbs.filter(|crumb| !crumb.is_empty());
    let joined = crumbs.collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        parts.headers.insert(COOKIE, joined);
    }
}

/// A path has at most so many segments. Each is looked at several times, in every way that a server may spell it, and
/// nobody needs nearly as many.
const MOST_SEGMENTS: usize = 256;

/// What is too much in a request's head, if anything is.
pub(super) fn too_much(parts: &Parts, limits: &ingress::Settings) -> Option<&'static str> {
    if parts.version == Version::HTTP_2 && too_large(parts, limits) {
        return Some("the request head is larger than this gateway accepts");
    }
    (slashes(parts.uri.path()) > MOST_SEGMENTS)
        .then_some("the path has more segments than this gateway accepts, which is 256")
}

/// How many slashes some server may see in a path, however often it decodes it.
fn slashes(path: &str) -> usize {
    let count = |path: &str| path.bytes().filter(|byte| b"/\\".contains(byte)).count();
    if path.len() <= MOST_SEGMENTS {
        return 0; // as nearly all are: it has not room for too many
    }
    // decoding takes none away, it only shows more
    count(&decoded(path))
}

/// Whether a head of HTTP/2 is larger than the doors allow, counted as RFC 9113 §6.5.2 counts. In HTTP/1.1 the library
/// counts while it reads.
fn too_large(parts: &Parts, limits: &ingress::Settings) -> bool {
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields: usize = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum();
    target + fields > limits.max_header_bytes as usize || parts.headers.len() > limits.max_headers as usize
}

/// `Max-Forwards` for the next hop: one less (RFC 9110 §7.6.2). It counts for OPTIONS alone, since TRACE never leaves, and
/// one that is used up has not come this far.
pub(super) fn hops_left(parts: &Parts) -> Option<(HeaderName, HeaderValue)> {
    let left = ingress::max_forwards(parts)?.checked_sub(1)?;
    Some((MAX_FORWARDS, HeaderValue::from(left)))
}

/// Prepares a request's fields for the origin. `upgrade` keeps the WebSocket handshake whole.
pub(super) fn outward(headers: &mut HeaderMap, via: Option<&HeaderValue>, upgrade: bool) {
    let trailers = !upgrade && takes_trailers(headers);
    keep_indoors(headers);
    append_via(headers, via);
    if upgrade {
        // never whatever else the client would agree to: what follows is judged as a socket
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if trailers {
        // our own word on the next hop: trailers are passed on (RFC 9110 §10.1.4); gRPC insists on it
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Prepares a request's trailers for the origin: what does not cross the house in a head does not follow it either.
pub(super) fn outward_trailers(trailers: &mut HeaderMap) {
    keep_indoors(trailers);
}

fn keep_indoors(headers: &mut HeaderMap) {
    strip_hop(headers);
    for name in INDOORS {
        headers.remove(name);
    }
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("wayleave-"))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
    headers.remove(HOST);
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|each| each.trim().eq_ignore_ascii_case("trailers"))
}

/// Prepares an answer's head for the client.
pub(super) fn inward(head: &mut response::Parts, via: Option<&HeaderValue>, upgrade: bool) {
    head.version = Version::HTTP_11; // of this hop, whatever the origin speaks (RFC 9110 §2.5)
    let headers = &mut head.headers;
    let is_bare = head.status.is_informational() || head.status == StatusCode::NO_CONTENT;
    if is_bare || headers.contains_key(TRANSFER_ENCODING) {
        // what has no body has no length either (RFC 9110 §8.6); and the length beside a transfer coding was not what the
        // body was read by, and must not be what it is sent by (RFC 9112 §6.3)
        headers.remove(CONTENT_LENGTH);
    }
    let protocol = if upgrade { headers.get(UPGRADE).cloned() } else { None };
    strip_hop(headers);
    headers.remove(PROXY_AUTHENTICATE);
    headers.remove("proxy-authentication-info");
    headers.remove("alt-svc");
    append_via(headers, via);
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// Whether an answer goes on as events happen (HTML, "server-sent events").
pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/event-stream")
}

/// Takes out the fields that `Connection` names: they are for this hop only, whatever they say (RFC 9110 §7.6.1).
/// INVARIANT: before a request is read, so that what is judged is what leaves.
pub(super) fn end_their_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .filter(|name| !HOP_BY_HOP.contains(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
}

fn strip_hop(headers: &mut HeaderMap) {
    end_their_hop(headers);
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn append_via(headers: &mut HeaderMap, via: Option<&HeaderValue>) {
    if let Some(via) = via {
        headers.append(VIA, via.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_path_of_more_segments_than_anybody_needs_is_too_much_however_they_are_hidden() {
        let limits = ingress::Settings::default();
        let is_too_much = |path: &str| {
            let request = http::Request::get(path).body(()).unwrap();
            too_much(&request.into_parts().0, &limits).is_some()
        };
        for slash in ["/", "\\", "%2F", "%2f", "%5C", "%5c", "%252F", "%25252f", "%%32f"] {
            let path = |segments: usize| format!("/{}", format!("{slash}a").repeat(segments));
            assert!(!is_too_much(&path(100)), "{slash}");
            assert!(is_too_much(&path(300)), "{slash}");
        }
        assert!(!is_too_much(&format!("/wiki/{}", "%E4%B8%AD".repeat(500))), "is text");
        assert!(!is_too_much(&format!("/wiki/{}", "%25".repeat(500))), "is text");
        assert!(!is_too_much(&format!("/?{}", "/a".repeat(500))), "is no path");
    }

    #[test]
    fn credentials_the_purpose_and_the_inside_never_leave() {
        let mut headers = map(&[
            ("proxy-authorization", "Basic c2VjcmV0"),
            ("wayleave-purpose", "recruiting"),
            ("forwarded", "for=10.0.0.7"),
            ("x-forwarded-for", "10.0.0.7"),
            ("authorization", "Bearer of-the-origin"),
            ("cookie", "of-the-origin"),
        ]);
        outward(&mut headers, None, false);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "cookie"]);
    }

    #[test]
    fn fields_that_connection_names_stay_on_their_hop() {
        let mut headers = map(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("x-end", "2"),
        ]);
        outward(&mut headers, Some(&HeaderValue::from_static("1.1 wayleave")), false);
        assert_eq!(
            headers,
            map(&[("x-end", "2"), ("via", "1.1 wayleave"), ("te", "trailers")])
        );
    }

    #[test]
    fn an_upgrade_keeps_its_handshake_and_nothing_else_of_the_hop() {
        let mut headers = map(&[
            ("connection", "Upgrade, keep-alive"),
            ("upgrade", "h2c, websocket"),
            ("keep-alive", "5"),
        ]);
        outward(&mut headers, None, true);
        assert_eq!(headers, map(&[("upgrade", "websocket"), ("connection", "upgrade")]));
    }

    #[test]
    fn trailers_are_held_to_the_rules_of_heads() {
        let mut trailers = map(&[
            ("x-forwarded-for", "10.0.0.7"),
            ("wayleave-purpose", "recruiting"),
            ("proxy-authorization", "Basic c2VjcmV0"),
            ("host", "elsewhere.example"),
            ("grpc-status", "0"),
        ]);
        outward_trailers(&mut trailers);
        assert_eq!(trailers, map(&[("grpc-status", "0")]));
    }

    #[test]
    fn cookies_that_http_2_split_are_one_field_again() {
        let cookies = |version, fields: &[(&'static str, &'static str)]| {
            let (mut parts, ()) = http::Request::new(()).into_parts();
            (parts.version, parts.headers) = (version, map(fields));
            join_cookies(&mut parts);
            parts.headers
        };
        let split = [
            ("cookie", "a=1"),
            ("accept", "*/*"),
            ("cookie", "b=2; c=3"),
            ("cookie", "d=4"),
        ];
        let joined = map(&[("accept", "*/*"), ("cookie", "a=1; b=2; c=3; d=4")]);
        assert_eq!(cookies(Version::HTTP_2, &split), joined);
        assert_eq!(cookies(Version::HTTP_11, &split), map(&split));
        assert_eq!(cookies(Version::HTTP_2, &split[..2]), map(&split[..2]));
    }

    fn inside(fields: &[(&'static str, &'static str)]) -> response::Parts {
        let (mut head, ()) = http::Response::new(()).into_parts();
        (head.version, head.headers) = (Version::HTTP_10, map(fields));
        inward(&mut head, None, false);
        head
    }

    #[test]
    fn an_answer_is_not_framed_by_a_length_that_it_was_not_read_by() {
        let both = [
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("etag", "\"1\""),
        ];
        assert_eq!(inside(&both).headers, map(&both[2..]));
        assert_eq!(inside(&both[1..]).headers, map(&both[1..]));
    }

    #[test]
    fn an_answer_that_has_no_body_has_no_length() {
        for (status, has_length) in [(204, false), (101, false), (200, true), (304, true)] {
            let (mut head, ()) = http::Response::new(()).into_parts();
            head.status = StatusCode::from_u16(status).unwrap();
            head.headers = map(&[("content-length", "3")]);
            inward(&mut head, None, false);
            assert_eq!(head.headers.contains_key(CONTENT_LENGTH), has_length, "{status}");
        }
    }

    #[test]
    fn an_answer_has_the_version_of_this_hop() {
        assert_eq!(inside(&[]).version, Version::HTTP_11);
    }

    #[test]
    fn an_answer_does_not_teach_the_browser_a_way_around() {
        let head = inside(&[
            ("alt-svc", "h3=\":443\""),
            ("proxy-authenticate", "Basic"),
            ("etag", "\"1\""),
        ]);
        assert_eq!(head.headers, map(&[("etag", "\"1\"")]));
    }
}
