//! Which header fields cross the house, and which stay at the door. Pure.
//!
//! Outward go the fields that are meant for the origin; what concerns one hop only (RFC 9110 §7.6.1), what proves
//! identity to us, and what would tell the outside about the inside stays here. Inward, `Alt-Svc` is taken out so that
//! a browser does not learn a way around the gateway (RFC 7838; QUIC is not proxied).

use http::header::{
    CONNECTION, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRANSFER_ENCODING, UPGRADE, VIA,
};

use http::request::Parts;

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
    HeaderName::from_static("max-forwards"),
];

/// Whether a head of HTTP/2 is larger than the doors allow, counted as RFC 9113 §6.5.2 counts. In HTTP/1.1 the library
/// counts while it reads.
pub(super) fn too_large(parts: &Parts, limits: &ingress::Settings) -> bool {
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields: usize = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum();
    target + fields > limits.max_header_bytes as usize || parts.headers.len() > limits.max_headers as usize
}

/// Prepares a request's fields for the origin. `upgrade` keeps the WebSocket handshake whole.
pub(super) fn outward(headers: &mut HeaderMap, via: Option<&HeaderValue>, upgrade: bool) {
    let trailers = !upgrade && takes_trailers(headers);
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

fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|each| each.trim().eq_ignore_ascii_case("trailers"))
}

/// Prepares an answer's fields for the client.
pub(super) fn inward(headers: &mut HeaderMap, via: Option<&HeaderValue>, upgrade: bool) {
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
    fn an_answer_does_not_teach_the_browser_a_way_around() {
        let mut headers = map(&[
            ("alt-svc", "h3=\":443\""),
            ("proxy-authenticate", "Basic"),
            ("etag", "\"1\""),
        ]);
        inward(&mut headers, None, false);
        assert_eq!(headers, map(&[("etag", "\"1\"")]));
    }
}
