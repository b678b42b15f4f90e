//! The PAC file over HTTP: whole, or not again to those who have it (RFC 9110 §13.1.2).

use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use http::{Method, Response, StatusCode};

use crate::facts::{Host, hex};

/// Writes the PAC file for a client that knows us under a name.
pub type PacFile = Arc<dyn Fn(Option<Host>) -> String + Send + Sync>;

/// The media type of a PAC file.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/x-ns-proxy-autoconfig");
/// Browsers ask again after some minutes, and then mostly hear that nothing has changed.
const FRESH: HeaderValue = HeaderValue::from_static("max-age=300");

/// Answers a GET or HEAD for `script`.
pub fn pac_answer(method: &Method, headers: &HeaderMap, script: String) -> Response<Bytes> {
    let tag = etag(&script);
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok());
    let is_known = known.flat_map(|tags| tags.split(',')).map(str::trim).any(|known| {
        let strong = known.strip_prefix("W/").unwrap_or(known); // a weak comparison, RFC 9110 §8.8.3.2
        known == "*" || strong == tag
    });
    let mut response = Response::new(Bytes::new());
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, FRESH);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        fields.insert(ETAG, tag);
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    fields.insert(CONTENT_TYPE, MEDIA_TYPE);
    if method == Method::HEAD {
        return response;
    }
    response.map(|_| Bytes::from(script))
}

/// The entity tag of a script (RFC 9110 §8.8.3).
fn etag(script: &str) -> String {
    let hash = digest::digest(&digest::SHA256, script.as_bytes());
    let digits = hash.as_ref().get(..12).unwrap_or_default();
    format!("\"{}\"", hex(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(known: Option<&str>, script: &str) -> (u16, String, Bytes) {
        let fields = known.map(|tags| (IF_NONE_MATCH, HeaderValue::from_str(tags).unwrap()));
        let answer = pac_answer(&Method::GET, &fields.into_iter().collect(), script.to_owned());
        let tag = answer.headers()[ETAG].to_str().unwrap().to_owned();
        (answer.status().as_u16(), tag, answer.into_body())
    }

    #[test]
    fn who_has_the_script_is_not_sent_it_again_until_it_changes() {
        let (status, tag, body) = asked(None, "one");
        assert_eq!((status, &body[..]), (200, b"one".as_slice()));
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 26, "{tag}");
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\" , {tag}"),
            "*".to_owned(),
        ] {
            assert_eq!(asked(Some(&known), "one"), (304, tag.clone(), Bytes::new()), "{known}");
        }
        let (status, other, body) = asked(Some(&tag), "two");
        assert_eq!((status, &body[..]), (200, b"two".as_slice()));
        assert_ne!(tag, other);
    }
}
