//! What stands in `Proxy-Authorization: Basic` (RFC 7617 §2). Pure.

use base64::Engine as _;
use http::HeaderValue;

use crate::facts::Secret;

/// What a client sent.
pub(super) struct Credentials {
    pub(super) name: String,
    pub(super) password: Secret,
}

/// The token behind the scheme `Basic`, which has no case (RFC 9110 §11.1).
pub(super) fn basic_token(value: &HeaderValue) -> Option<&[u8]> {
    let bytes = value.as_bytes();
    let (scheme, token) = bytes.split_at_checked(bytes.iter().position(|b| *b == b' ')?)?;
    scheme.eq_ignore_ascii_case(b"basic").then(|| token.trim_ascii())
}

impl Credentials {
    pub(super) fn parse(token: &[u8]) -> Option<Self> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(token).ok()?;
        let text = Secret::new(String::from_utf8(bytes).ok()?);
        let (name, password) = text.reveal().split_once(':')?;
        let fits = !name.is_empty() && !text.reveal().chars().any(char::is_control);
        fits.then(|| Self {
            name: name.to_owned(),
            password: Secret::new(password),
        })
    }
}
