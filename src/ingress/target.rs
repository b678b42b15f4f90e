//! Where does a request say it goes, and does it say so in one way only? Pure.
//!
//! The HTTP library is lenient where RFC 9112 wants a proxy to be strict; what two readers could understand in two
//! ways is refused here, before anybody judges it. What the library resolves by itself, as the RFC allows, cannot be
//! seen in parsed `Parts` any more: `Content-Length` beside `Transfer-Encoding` (it removes the former, §6.3), bare
//! LF line ends (§2.2), and a fragment (never sent on).

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Scheme;
use http::{Method, Uri, Version};

use crate::facts::{Authority, Door};

/// On which hop a request arrived; the forms that a target may have depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// Sent to the proxy, through this door.
    Proxy(Door),
    /// Sent inside an intercepted tunnel, over TLS or in clear.
    Inside {
        /// Whether the tunnel's content is TLS.
        secure: bool,
    },
}

/// Where a request says it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `CONNECT host:port` (RFC 9110 §9.3.6).
    Connect(Authority),
    /// `GET http://host/path`: a request through the proxy (RFC 9112 §3.2.2).
    Absolute {
        /// The host and port of the target.
        authority: Authority,
    },
    /// `GET /path`: to the server that the connection was made to; the proxy itself on its own doors.
    Origin {
        /// What `Host` or `:authority` says.
        authority: Authority,
    },
}

/// Why a request is refused as malformed. The texts are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Methods are case-sensitive (RFC 9110 §9.1), and some servers do not know that.
    #[error("the method is not in capital letters")]
    MethodCase,
    /// It would send everything back that was added on the way, to whoever reads the answer (RFC 9110 §9.3.8).
    #[error("TRACE is not passed on: it would show what is added on the way")]
    Trace,
    /// RFC 9110 §7.6.2: we would have to answer as if we were the origin.
    #[error(
        "`Max-Forwards: 0` asks this gateway, which has no options of its own; without the field the origin is asked"
    )]
    LastHop,
    /// RFC 3986 knows only ASCII.
    #[error("the request target holds characters outside ASCII, or spaces")]
    TargetCharacters,
    /// RFC 9112 §3.2.
    #[error("the request target has no form that is allowed here")]
    TargetForm,
    /// RFC 9110 §4.2.4: a way to disguise where a request goes.
    #[error("the request target holds a user name or password")]
    UserInfo,
    /// A fragment is never sent (RFC 9112 §3.2).
    #[error("the request target holds a fragment")]
    Fragment,
    /// An `https` URL asked of a proxy would leave in clear what was meant to be sealed.
    #[error("an https URL must be reached by CONNECT")]
    HttpsInClear,
    /// Neither `http` nor `https`.
    #[error("only http and https URLs can be reached")]
    Scheme,
    /// RFC 9112 §3.2.
    #[error("there is no Host field")]
    HostMissing,
    /// RFC 9112 §3.2.
    #[error("there is more than one Host field")]
    HostTwice,
    /// Not a host, or not a port.
    #[error("the host is not a name or an address with an optional port")]
    HostInvalid,
    /// RFC 9112 §3.2.2 would have us ignore `Host`; the next server may not.
    #[error("the Host field names another host than the request target")]
    HostDisagrees,
    /// RFC 9110 §9.3.6.
    #[error("CONNECT needs a host and a port")]
    ConnectPort,
    /// The first bytes of the tunnel would be taken for a body.
    #[error("CONNECT cannot have a body")]
    ConnectBody,
    /// RFC 9112 §6.1: only a single `chunked` is understood everywhere in the same way.
    #[error("the only transfer coding allowed is a single chunked")]
    TransferEncoding,
    /// RFC 9110 §8.6.
    #[error("there is more than one Content-Length field")]
    ContentLength,
    /// RFC 9113 §8.2.1: an origin may end a connection over it, which others use, too.
    #[error("a field value begins or ends with a space")]
    FieldValue,
}

impl Malformed {
    /// Whether another method would have been taken, as `Allow` says (RFC 9110 §15.5.6).
    pub fn is_about_the_method(self) -> bool {
        matches!(self, Self::Trace | Self::LastHop)
    }
}

/// How often an OPTIONS request may still be forwarded, where it says so (RFC 9110 §7.6.2); what is no number says
/// nothing.
pub fn max_forwards(parts: &Parts) -> Option<u64> {
    let count = parts
        .headers
        .get("max-forwards")
        .filter(|_| parts.method == Method::OPTIONS)?;
    count.to_str().ok()?.trim().parse().ok()
}

/// Checks a parsed request head, and tells where it goes.
pub fn request_sanity(parts: &Parts, hop: Hop) -> Result<Target, Malformed> {
    method(&parts.method)?;
    if max_forwards(parts) == Some(0) {
        return Err(Malformed::LastHop);
    }
    characters(&parts.uri)?;
    framing(parts)?;
    let host = host_field(parts)?;
    if parts.method == Method::CONNECT {
        connect(parts, host.as_deref())
    } else {
        request(parts, host.as_deref(), hop)
    }
}

fn method(method: &Method) -> Result<(), Malformed> {
    if method.as_str().bytes().any(|b| b.is_ascii_lowercase()) {
        return Err(Malformed::MethodCase);
    }
    if method == Method::TRACE {
        return Err(Malformed::Trace);
    }
    Ok(())
}

fn characters(uri: &Uri) -> Result<(), Malformed> {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if !path.bytes().chain(authority.bytes()).all(|b| b.is_ascii_graphic()) {
        return Err(Malformed::TargetCharacters);
    }
    if path.contains('#') {
        return Err(Malformed::Fragment);
    }
    if authority.contains('@') {
        return Err(Malformed::UserInfo);
    }
    Ok(())
}

fn framing(parts: &Parts) -> Result<(), Malformed> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => {}
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {}
        (Some(_), _) => return Err(Malformed::TransferEncoding),
    }
    if parts.headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Err(Malformed::ContentLength);
    }
    let is_padded = |value: &[u8]| matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']);
    if parts.headers.values().any(|value| is_padded(value.as_bytes())) {
        return Err(Malformed::FieldValue);
    }
    Ok(())
}

/// The one `Host` field, where there is one.
fn host_field(parts: &Parts) -> Result<Option<String>, Malformed> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return if parts.version == Version::HTTP_11 {
            Err(Malformed::HostMissing)
        } else {
            Ok(None)
        };
    };
    if hosts.next().is_some() {
        return Err(Malformed::HostTwice);
    }
    let text = host.to_str().map_err(|_| Malformed::HostInvalid)?;
    Ok(Some(text.to_owned()))
}

fn connect(parts: &Parts, host: Option<&str>) -> Result<Target, Malformed> {
    // CONNECT with `:protocol` (RFC 8441) carries a scheme and a path; nothing we serve asks for it.
    if parts.uri.scheme().is_some() || parts.uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
        return Err(Malformed::TargetForm);
    }
    let authority = parts.uri.authority().ok_or(Malformed::ConnectPort)?;
    if authority.port_u16().is_none() {
        return Err(Malformed::ConnectPort);
    }
    let authority = Authority::parse(authority.as_str(), None).map_err(|_| Malformed::HostInvalid)?;
    let has_length = parts.headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_length || parts.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Malformed::ConnectBody);
    }
    agree(&authority, host, authority.port)?;
    Ok(Target::Connect(authority))
}

fn request(parts: &Parts, host: Option<&str>, hop: Hop) -> Result<Target, Malformed> {
    path_form(parts)?;
    let Some(scheme) = parts.uri.scheme() else {
        return origin_form(parts, host, hop);
    };
    let secure = if *scheme == Scheme::HTTPS {
        true
    } else if *scheme == Scheme::HTTP {
        false
    } else {
        return Err(Malformed::Scheme);
    };
    let default_port = if secure { 443 } else { 80 };
    let authority = parts.uri.authority().ok_or(Malformed::TargetForm)?;
    let authority = Authority::parse(authority.as_str(), Some(default_port)).map_err(|_| Malformed::HostInvalid)?;
    agree(&authority, host, default_port)?;
    // Over HTTP/2 every target is spelled with its scheme (RFC 9113 §8.3.1): one that has the scheme of the connection
    // itself is what origin-form is in HTTP/1.1.
    let spelled_out = parts.version == Version::HTTP_2;
    match (hop, secure) {
        (Hop::Proxy(Door::Tls) | Hop::Inside { secure: true }, true) if spelled_out => Ok(Target::Origin { authority }),
        (Hop::Inside { secure: inside }, _) if inside == secure => Ok(Target::Origin { authority }),
        (Hop::Proxy(_), false) => Ok(Target::Absolute { authority }),
        (Hop::Proxy(_), true) => Err(Malformed::HttpsInClear),
        (Hop::Inside { .. }, _) => Err(Malformed::TargetForm),
    }
}

/// A path, or the asterisk that stands for the whole server (RFC 9112 §3.2.4, RFC 9113 §8.3.1).
fn path_form(parts: &Parts) -> Result<(), Malformed> {
    let path = parts.uri.path();
    if path.starts_with('/') || path == "*" && parts.method == Method::OPTIONS {
        Ok(())
    } else {
        Err(Malformed::TargetForm)
    }
}

fn origin_form(parts: &Parts, host: Option<&str>, hop: Hop) -> Result<Target, Malformed> {
    if parts.uri.authority().is_some() {
        return Err(Malformed::TargetForm); // authority-form is for CONNECT
    }
    let default_port = match hop {
        Hop::Proxy(Door::Plain) | Hop::Inside { secure: false } => 80,
        Hop::Proxy(Door::Tls) | Hop::Inside { secure: true } => 443,
    };
    let host = host.ok_or(Malformed::HostMissing)?;
    let authority = Authority::parse(host, Some(default_port)).map_err(|_| Malformed::HostInvalid)?;
    Ok(Target::Origin { authority })
}

/// `Host`, where it is given, must say the same as the target.
fn agree(authority: &Authority, host: Option<&str>, default_port: u16) -> Result<(), Malformed> {
    let Some(host) = host else { return Ok(()) };
    let host = Authority::parse(host, Some(default_port)).map_err(|_| Malformed::HostInvalid)?;
    if host == *authority {
        Ok(())
    } else {
        Err(Malformed::HostDisagrees)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const PLAIN: Hop = Hop::Proxy(Door::Plain);
    const TLS: Hop = Hop::Proxy(Door::Tls);
    const INSIDE: Hop = Hop::Inside { secure: true };

    fn ask(method: &str, target: &str, version: Version, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(target).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn said(method: &str, target: &str, headers: &[(&str, &str)], hop: Hop) -> Result<Target, Malformed> {
        request_sanity(&ask(method, target, Version::HTTP_11, headers), hop)
    }

    /// The answer in words, for tables.
    fn told(method: &str, target: &str, host: &str, hop: Hop) -> String {
        match said(method, target, &[("host", host)], hop) {
            Ok(Target::Connect(to)) => format!("connect {to}"),
            Ok(Target::Absolute { authority }) => format!("absolute {authority}"),
            Ok(Target::Origin { authority }) => format!("origin {authority}"),
            Err(why) => why.to_string(),
        }
    }

    fn to(text: &str) -> Authority {
        Authority::parse(text, None).unwrap()
    }

    #[test]
    fn each_form_tells_where_it_goes() {
        for (method, target, host, hop, answer) in [
            ("CONNECT", "x.com:443", "x.com:443", PLAIN, "connect x.com:443"),
            ("CONNECT", "x.com:443", "x.com", TLS, "connect x.com:443"),
            ("CONNECT", "[::1]:443", "[::1]:443", PLAIN, "connect [::1]:443"),
            ("GET", "http://X.com/a?b", "x.com", PLAIN, "absolute x.com:80"),
            ("GET", "http://x.com:8080/", "x.com:8080", TLS, "absolute x.com:8080"),
            ("GET", "/proxy.pac", "gate:3128", PLAIN, "origin gate:3128"),
            ("GET", "/a", "x.com", INSIDE, "origin x.com:443"),
            ("OPTIONS", "*", "x.com", INSIDE, "origin x.com:443"),
            ("GET", "https://x.com/a", "x.com", INSIDE, "origin x.com:443"),
        ] {
            assert_eq!(told(method, target, host, hop), answer, "{method} {target}");
        }
    }

    #[test]
    fn http_2_spells_every_target_out() {
        let h2 = |target: &str, hop| request_sanity(&ask("GET", target, Version::HTTP_2, &[]), hop);
        let origin = |text| Ok(Target::Origin { authority: to(text) });
        assert_eq!(h2("https://x.com/a", INSIDE), origin("x.com:443"));
        assert_eq!(h2("https://gate:3129/proxy.pac", TLS), origin("gate:3129"));
        let absolute = Target::Absolute {
            authority: to("x.com:80"),
        };
        assert_eq!(h2("http://x.com/a", TLS), Ok(absolute));
        assert_eq!(h2("http://x.com/a", INSIDE), Err(Malformed::TargetForm));
        let two = ask("GET", "https://x.com/", Version::HTTP_2, &[("host", "evil.com")]);
        assert_eq!(request_sanity(&two, INSIDE), Err(Malformed::HostDisagrees));
    }

    #[test]
    fn the_asterisk_is_a_target_of_options_alone_however_it_is_spelled() {
        for (method, answer) in [
            (
                "OPTIONS",
                Ok(Target::Origin {
                    authority: to("x.com:443"),
                }),
            ),
            ("GET", Err(Malformed::TargetForm)),
        ] {
            let uri = Uri::builder().scheme("https").authority("x.com").path_and_query("*");
            let mut parts = ask(method, "/", Version::HTTP_2, &[]);
            parts.uri = uri.build().unwrap();
            assert_eq!(request_sanity(&parts, INSIDE), answer, "{method}");
        }
    }

    #[test]
    fn a_target_that_could_be_read_in_two_ways_is_refused() {
        for (method, target, hop, why) in [
            ("get", "http://x.com/", PLAIN, Malformed::MethodCase),
            ("GET", "/a\u{e9}", INSIDE, Malformed::TargetCharacters),
            ("GET", "http://user:pass@x.com/", PLAIN, Malformed::UserInfo),
            ("GET", "https://x.com/", PLAIN, Malformed::HttpsInClear),
            ("GET", "https://x.com/", TLS, Malformed::HttpsInClear),
            ("GET", "ftp://x.com/", PLAIN, Malformed::Scheme),
            ("GET", "http://y.com/", PLAIN, Malformed::HostDisagrees),
            ("GET", "http://x.com:81/", PLAIN, Malformed::HostDisagrees),
            ("GET", "http://x.com/", INSIDE, Malformed::TargetForm),
            ("GET", "x.com:80", PLAIN, Malformed::TargetForm),
            ("GET", "*", INSIDE, Malformed::TargetForm),
            ("CONNECT", "x.com", PLAIN, Malformed::ConnectPort),
            ("CONNECT", "/", PLAIN, Malformed::ConnectPort),
            ("CONNECT", "y.com:443", PLAIN, Malformed::HostDisagrees),
            ("CONNECT", "x.com:0", PLAIN, Malformed::HostInvalid),
        ] {
            let answer = said(method, target, &[("host", "x.com")], hop);
            assert_eq!(answer, Err(why), "{method} {target}");
        }
    }

    #[test]
    fn what_asks_the_way_itself_is_not_passed_on() {
        assert_eq!(
            told("TRACE", "http://x.com/", "x.com", PLAIN),
            Malformed::Trace.to_string()
        );
        assert_eq!(said("TRACE", "/", &[("host", "x.com")], INSIDE), Err(Malformed::Trace));
        let options = |hops: &str, method: &str| {
            let headers = [("host", "x.com"), ("max-forwards", hops)];
            said(method, "/", &headers, INSIDE).map(|_| ())
        };
        for (hops, method, answer) in [
            ("0", "OPTIONS", Err(Malformed::LastHop)),
            (" 00", "OPTIONS", Err(Malformed::LastHop)),
            ("1", "OPTIONS", Ok(())),
            ("none", "OPTIONS", Ok(())),
            ("0", "GET", Ok(())),
        ] {
            assert_eq!(options(hops, method), answer, "{method} {hops}");
        }
    }

    #[test]
    fn a_host_that_could_be_read_in_two_ways_is_refused() {
        let host = ("host", "x.com");
        for (headers, why) in [
            (vec![], Malformed::HostMissing),
            (vec![host, host], Malformed::HostTwice),
            (vec![("host", "")], Malformed::HostInvalid),
            (vec![("host", "a b")], Malformed::HostInvalid),
            (vec![("host", "x.com:0")], Malformed::HostInvalid),
            (vec![("host", "x.com,y.com")], Malformed::HostInvalid),
            (vec![("host", "u@x.com")], Malformed::HostInvalid),
        ] {
            assert_eq!(said("GET", "/", &headers, INSIDE), Err(why), "{headers:?}");
        }
    }

    #[test]
    fn framing_that_could_be_read_in_two_ways_is_refused() {
        let (host, chunked, long) = (
            ("host", "x.com"),
            ("transfer-encoding", "chunked"),
            ("content-length", "4"),
        );
        for (method, target, headers, why) in [
            ("CONNECT", "x.com:443", vec![host, long], Malformed::ConnectBody),
            ("CONNECT", "x.com:443", vec![host, chunked], Malformed::ConnectBody),
            (
                "POST",
                "http://x.com/",
                vec![host, chunked, chunked],
                Malformed::TransferEncoding,
            ),
            (
                "POST",
                "http://x.com/",
                vec![host, ("transfer-encoding", "gzip, chunked")],
                Malformed::TransferEncoding,
            ),
            (
                "POST",
                "http://x.com/",
                vec![host, long, long],
                Malformed::ContentLength,
            ),
        ] {
            assert_eq!(said(method, target, &headers, PLAIN), Err(why), "{method} {headers:?}");
        }
        assert!(said("POST", "http://x.com/", &[host, chunked], PLAIN).is_ok());
    }

    #[test]
    fn http_1_0_may_leave_the_host_out_where_the_target_has_it() {
        let old = |target: &str, hop| request_sanity(&ask("GET", target, Version::HTTP_10, &[]), hop);
        assert_eq!(
            old("http://x.com/", PLAIN),
            Ok(Target::Absolute {
                authority: to("x.com:80")
            })
        );
        assert_eq!(old("/", INSIDE), Err(Malformed::HostMissing));
    }

    /// What the HTTP library makes of raw bytes, and we of that; none if it refuses them by itself.
    async fn raw(bytes: &'static str) -> Option<(Result<Target, Malformed>, Parts)> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut client, server) = tokio::io::duplex(4096);
        let seen = std::sync::Mutex::new(None);
        let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| {
            let parts = request.into_parts().0;
            *seen.lock().unwrap() = Some((request_sanity(&parts, PLAIN), parts));
            std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(String::new())))
        });
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(hyper_util::rt::TokioIo::new(server), service);
        let talking = async {
            client.write_all(bytes.as_bytes()).await.unwrap();
            client.shutdown().await.unwrap();
            client.read_to_end(&mut Vec::new()).await.unwrap();
        };
        drop(tokio::join!(serving, talking));
        seen.into_inner().unwrap()
    }

    #[tokio::test]
    async fn what_cannot_be_seen_any_more_the_library_has_made_harmless() {
        let both = "POST http://x.com/ HTTP/1.1\r\nhost: x.com\r\ncontent-length: 3\r\n\
                    transfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        let (answer, parts) = raw(both).await.unwrap();
        assert!(answer.is_ok() && !parts.headers.contains_key(CONTENT_LENGTH));
        let (answer, parts) = raw("GET http://x.com/a#b HTTP/1.1\r\nhost: x.com\r\n\r\n")
            .await
            .unwrap();
        assert!(answer.is_ok() && parts.uri.path() == "/a");
        // What it refuses by itself is not ours to see.
        assert!(
            raw("GET http://x.com/ HTTP/1.1\r\nhost : x.com\r\n\r\n")
                .await
                .is_none()
        );
    }

    #[tokio::test]
    async fn what_the_library_lets_through_is_refused_by_us() {
        for (head, why) in [
            (
                "GET http://x.com/ HTTP/1.1\r\nhost: x.com\r\nhost: y.com\r\n\r\n",
                Malformed::HostTwice,
            ),
            ("GET http://x.com/ HTTP/1.1\r\n\r\n", Malformed::HostMissing),
            (
                "get http://x.com/ HTTP/1.1\r\nhost: x.com\r\n\r\n",
                Malformed::MethodCase,
            ),
            (
                "GET http://x.com/\u{e9} HTTP/1.1\r\nhost: x.com\r\n\r\n",
                Malformed::TargetCharacters,
            ),
            ("CONNECT x.com HTTP/1.1\r\nhost: x.com\r\n\r\n", Malformed::ConnectPort),
            (
                "CONNECT x.com:443 HTTP/1.1\r\nhost: x.com:443\r\ncontent-length: 4\r\n\r\n",
                Malformed::ConnectBody,
            ),
        ] {
            assert_eq!(raw(head).await.unwrap().0, Err(why), "{head:?}");
        }
    }
}
