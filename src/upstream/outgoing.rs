//! A request on its way: its form for the protocol of the connection, and the time it may take. Pure but for the
//! waiting.

use std::time::Duration;

use http::header::{CONNECTION, HOST, TE};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri, Version};

use super::faults::Step;
use super::pool::Key;
use crate::facts::{Fault, Stage};

/// How far a request's body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many bytes of it have left.
    pub bytes: u64,
    /// Whether the next ones could leave, and its client has not sent them.
    pub awaits_client: bool,
}

/// Tells how far a body is, so that a slow upload is told from a silent origin, and that from a silent client.
pub type Sending<'a> = &'a (dyn Fn() -> Sent + Sync);

/// Waits for `answer` as long as more of the body keeps leaving, and `limit` from the last part on; else tells what took
/// too long.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = T>,
    sending: Sending<'_>,
    limit: Duration,
) -> Result<T, Step> {
    let mut answer = std::pin::pin!(answer);
    loop {
        let before = sending();
        if let Ok(answer) = tokio::time::timeout(limit, answer.as_mut()).await {
            return Ok(answer);
        }
        let now = sending();
        if now.bytes == before.bytes {
            return Err(if now.awaits_client {
                Step::Uploading
            } else {
                Step::Answering
            });
        }
    }
}

/// An origin's authority as browsers spell it, without the scheme's own port, in the form of either protocol.
pub(super) struct Spelled {
    scheme: Scheme,
    authority: http::uri::Authority,
    host: HeaderValue,
}

impl Spelled {
    pub(super) fn of(key: &Key) -> Result<Self, Fault> {
        let whole = key.authority.to_string();
        let (scheme, own) = if key.secure {
            (Scheme::HTTPS, ":443")
        } else {
            (Scheme::HTTP, ":80")
        };
        let spelled = whole.strip_suffix(own).unwrap_or(&whole);
        Ok(Self {
            scheme,
            authority: spelled.parse().map_err(|error| internal(&error))?,
            host: HeaderValue::from_str(spelled).map_err(|error| internal(&error))?,
        })
    }
}

/// Gives a request the form that the connection needs; doing it again for another connection is safe.
pub(super) fn put_in_form<B>(request: &mut Request<B>, to: &Spelled, http2: bool) -> Result<(), Fault> {
    let path = request.uri().path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    let mut parts = http::uri::Parts::default();
    if http2 {
        // RFC 9113 §8.3.1: `:scheme` and `:authority` take the place of `Host`.
        parts.scheme = Some(to.scheme.clone());
        parts.authority = Some(to.authority.clone());
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(CONNECTION);
        *request.version_mut() = Version::HTTP_2;
    } else {
        // RFC 9112 §3.2.2: the target counts, whatever `Host` the client sent.
        request.headers_mut().insert(HOST, to.host.clone());
        if request.headers().contains_key(TE) {
            // RFC 9110 §10.1.4: in HTTP/1.1 the field is of this hop, and must be named as such.
            request.headers_mut().append(CONNECTION, HeaderValue::from_static("te"));
        }
        *request.version_mut() = Version::HTTP_11;
    }
    parts.path_and_query = Some(path);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|error| internal(&error))?;
    Ok(())
}

fn internal(error: &dyn std::fmt::Display) -> Fault {
    Fault::internal(Stage::Forward, error)
}

/// Whether the headers speak of an authentication that is bound to the connection (RFC 4559, NTLM): such a connection
/// belongs to one person, and must not serve the next.
pub(super) fn is_bound(headers: &http::HeaderMap) -> bool {
    let names = [http::header::AUTHORIZATION, http::header::WWW_AUTHENTICATE];
    let schemes = ["ntlm", "negotiate"];
    names.iter().flat_map(|name| headers.get_all(name)).any(|value| {
        let scheme = value.as_bytes().split(|b| *b == b' ').next().unwrap_or_default();
        schemes
            .iter()
            .any(|bound| scheme.eq_ignore_ascii_case(bound.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::facts::Authority;

    fn formed(target: &str, to: &str, secure: bool, http2: bool) -> Request<()> {
        let mut request = Request::get(target)
            .header("host", "old.example")
            .header("x-kept", "1")
            .body(())
            .unwrap();
        let authority = Authority::parse(to, None).unwrap();
        let key = Key { authority, secure };
        put_in_form(&mut request, &Spelled::of(&key).unwrap(), http2).unwrap();
        request
    }

    #[test]
    fn http_1_gets_origin_form_and_its_host() {
        for (target, to, secure, path, host) in [
            ("http://x.com/a?b=c", "x.com:80", false, "/a?b=c", "x.com"),
            ("http://x.com", "x.com:80", false, "/", "x.com"),
            ("/a", "x.com:443", true, "/a", "x.com"),
            ("/a", "x.com:8443", true, "/a", "x.com:8443"),
            ("/a", "x.com:443", false, "/a", "x.com:443"),
            ("/a", "[2001:db8::1]:443", true, "/a", "[2001:db8::1]"),
            ("*", "x.com:80", false, "*", "x.com"),
        ] {
            let request = formed(target, to, secure, false);
            assert_eq!(request.uri().to_string(), path);
            assert_eq!(request.headers()[HOST], host);
            assert_eq!(request.headers()["x-kept"], "1");
            assert_eq!(request.version(), Version::HTTP_11);
        }
    }

    #[test]
    fn http_2_gets_an_authority_instead_of_a_host() {
        let request = formed("/a?b", "x.com:443", true, true);
        assert_eq!(request.uri().to_string(), "https://x.com/a?b");
        assert!(!request.headers().contains_key(HOST));
    }

    #[test]
    fn a_request_can_change_its_form_for_another_connection() {
        let mut request = formed("/a?b", "x.com:443", true, true);
        let authority = Authority::parse("x.com:443", None).unwrap();
        let secure = true;
        let to = Spelled::of(&Key { authority, secure }).unwrap();
        put_in_form(&mut request, &to, false).unwrap();
        assert_eq!(
            (request.uri().to_string().as_str(), &request.headers()[HOST]),
            ("/a?b", &"x.com".parse().unwrap())
        );
    }

    #[test]
    fn connections_that_carry_an_authentication_are_told() {
        let bound =
            |name: &str, value: &str| is_bound(Request::get("/").header(name, value).body(()).unwrap().headers());
        assert!(bound("authorization", "Negotiate YII"));
        assert!(bound("www-authenticate", "NTLM"));
        assert!(!bound("authorization", "Bearer ntlm"));
        assert!(!bound("www-authenticate", "Basic realm=\"ntlm\""));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_upload_is_not_a_silent_origin_nor_is_one_that_its_client_has_stopped() {
        let progress = AtomicU64::new(0);
        let sent = |awaits_client| Sent {
            bytes: progress.load(Ordering::Relaxed),
            awaits_client,
        };
        let limit = Duration::from_secs(10);
        let uploading = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                progress.fetch_add(1, Ordering::Relaxed);
            }
            "done"
        };
        assert_eq!(in_time(uploading, &|| sent(true), limit).await, Ok("done"));
        for (awaits_client, step) in [(true, Step::Uploading), (false, Step::Answering)] {
            let silent = std::future::pending::<()>();
            assert_eq!(in_time(silent, &|| sent(awaits_client), limit).await, Err(step));
        }
    }
}
