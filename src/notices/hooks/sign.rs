//! Signatures as [Standard Webhooks](https://www.standardwebhooks.com/) describe them: HMAC-SHA256 over id, time and body.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::facts::Secret;

/// What the specification asks for at least.
const LEAST: usize = 24;

/// Signs with a secret that the other side has, too.
pub(super) struct Signer(Key);

impl Signer {
    /// A secret as it is written down: base64, behind `whsec_` or not.
    pub(super) fn of(text: &Secret) -> Option<Self> {
        let text = text.reveal();
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
        (bytes.len() >= LEAST).then(|| Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// The signature of a body that is sent under this id at this time, in seconds since 1970.
    pub(super) fn signature(&self, id: &str, seconds: &str, body: &str) -> String {
        let tag = sign(&self.0, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_specification_s_own_example() {
        let signer = Signer::of(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let signature = signer.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn short_secrets_and_what_is_no_base64_sign_nothing() {
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "not base64 but long enough to be"] {
            assert!(Signer::of(&Secret::new(bad)).is_none(), "{bad}");
        }
    }
}
