//! A token in the place of a password: `Proxy-Authorization: Basic` with `NAME:wl_…`, or `Bearer wl_…` (RFC 6750 §2.1).
//!
//! What is shown so is looked up by its digest and never hashed slowly: nobody guesses 256 random bits. It is believed before a
//! certificate, because it says less.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use http::HeaderValue;
use tokio::sync::watch;

use super::selection::{meant_password, readings};
use super::{Evidence, Identification, SignIn, WhyRejected};
use crate::facts::{MethodName, PurposeId, Secret, Subject, Token, TokenHash, is_token, looks_like_token};

/// A token that is good, and what becomes false once it is not.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The token.
    pub token: Arc<Token>,
    /// Whether it is good.
    pub stands: Arc<watch::Sender<bool>>,
}

/// What is known of a token that somebody shows.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is good.
    Good(Holder),
    /// It is not.
    Not,
    /// What is known of tokens is too old to count.
    Unknown,
}

/// Finds the token whose text has this digest.
pub type FindToken = Arc<dyn Fn(&TokenHash) -> Found + Send + Sync>;

/// What is kept of the text of a token.
pub fn token_hash(text: &str) -> TokenHash {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
        *to = *from;
    }
    TokenHash::new(bytes)
}

/// A token as somebody sent it.
struct Sent {
    /// The user name, where one was sent with it.
    name: Option<String>,
    text: Secret,
}

impl Sent {
    /// The token in a field; none where it holds something else.
    fn read(field: &HeaderValue) -> Option<Self> {
        let bytes = field.as_bytes();
        let (scheme, rest) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == b' ')?)?;
        let rest = rest.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Some(Self {
                name: None,
                text: Secret::new(std::str::from_utf8(rest).ok()?),
            });
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return None;
        }
        let credentials = base64::engine::general_purpose::STANDARD.decode(rest).ok()?;
        let credentials = Secret::new(String::from_utf8(credentials).ok()?);
        let (name, password) = credentials.reveal().split_once(':')?;
        looks_like_token(password).then(|| Self {
            name: Some(name.to_owned()),
            text: Secret::new(password),
        })
    }

    /// The token, if it is good.
    fn holder(&self, find: &FindToken) -> Result<Holder, WhyRejected> {
        let text = self.text.reveal();
        let found = if is_token(text) {
            find(&token_hash(text))
        } else {
            Found::Not
        };
        match found {
            Found::Good(holder) => Ok(holder),
            Found::Not => Err(WhyRejected::WrongCredentials),
            Found::Unknown => Err(WhyRejected::Unavailable),
        }
    }

    /// The purpose that the name selects; an error where the name means somebody else.
    fn selects(&self, token: &Token) -> Result<Option<PurposeId>, WhyRejected> {
        let Some(name) = &self.name else { return Ok(None) };
        // a token holds nothing that would be encoded
        let meant = readings(name).into_iter().find(|reading| {
            let text = self.text.reveal();
            reading.user == token.subject && meant_password(text, reading.decoded) == text
        });
        meant
            .map(|reading| reading.selects)
            .ok_or(WhyRejected::WrongCredentials)
    }
}

/// Who shows a token on the hop to the proxy; none where none is shown.
pub(super) fn identify(evidence: &Evidence<'_>, find: &FindToken, may_send: bool) -> Option<Identification> {
    let sent = evidence
        .proxy_authorization
        .and_then(Sent::read)
        .filter(|_| !evidence.more_than_one)?;
    if !may_send {
        return Some(Identification::Rejected(WhyRejected::UseTlsDoor, None));
    }
    let Holder { token, stands } = match sent.holder(find) {
        Ok(holder) => holder,
        Err(why) => return Some(Identification::Rejected(why, None)),
    };
    let selects = match sent.selects(&token) {
        Ok(selects) => selects,
        Err(why) => return Some(Identification::Rejected(why, Some(token.subject.clone()))),
    };
    Some(Identification::Known {
        subject: Subject {
            id: token.subject.clone(),
            method: MethodName::Token,
        },
        selects,
        sign_in: SignIn::resting_on(stands),
        token: Some(token),
    })
}

/// The token in `Authorization: Bearer`; none where the field holds something else, and an error where it is not good.
pub(super) fn bearer(field: &HeaderValue, find: &FindToken) -> Option<Result<Holder, WhyRejected>> {
    // what is no token at all is for others to judge
    let sent = Sent::read(field).filter(|sent| sent.name.is_none() && looks_like_token(sent.text.reveal()))?;
    Some(sent.holder(find))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::Timestamp;
    use crate::facts::{Arrival, Door, NetworkName, Scope, SubjectId, TokenId, token_text};

    fn find() -> FindToken {
        let good = token_hash(token_text(&[7; 32]).reveal());
        let token = Arc::new(Token {
            id: TokenId::new("one"),
            subject: SubjectId::parse("ada").unwrap(),
            name: "nightly".to_owned(),
            scope: BTreeSet::from([Scope::Proxy]),
            made_at: Timestamp::from_millis(0),
            expires: Timestamp::from_millis(1),
            revoked_at: None,
            revoked_for: None,
        });
        Arc::new(move |hash| {
            if *hash != good {
                return Found::Not;
            }
            Found::Good(Holder {
                token: token.clone(),
                stands: Arc::new(watch::Sender::new(true)),
            })
        })
    }

    fn asked(field: &str, may_send: bool) -> Option<Result<(String, Option<String>), WhyRejected>> {
        let field = HeaderValue::from_str(field).unwrap();
        let arrival = Arrival {
            door: Door::Tls,
            client: ([192, 0, 2, 7], 40_000).into(),
            network: NetworkName::default(),
        };
        let evidence = Evidence {
            proxy_authorization: Some(&field),
            more_than_one: false,
            client_certificate: None,
            arrival: &arrival,
        };
        identify(&evidence, &find(), may_send).map(|answer| match answer {
            Identification::Known { subject, selects, .. } => {
                Ok((subject.id.to_string(), selects.map(|purpose| purpose.to_string())))
            }
            Identification::Rejected(why, _) => Err(why),
            Identification::Silent => panic!("silent"),
        })
    }

    fn basic(name: &str, password: &str) -> String {
        let token = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        format!("Basic {token}")
    }

    #[test]
    fn a_token_is_shown_as_a_password_or_by_itself_and_is_nobody_elses() {
        let (good, other) = (token_text(&[7; 32]), token_text(&[8; 32]));
        let (good, other) = (good.reveal(), other.reveal());
        let ada = |selects: Option<&str>| Some(Ok(("ada".to_owned(), selects.map(str::to_owned))));
        assert_eq!(asked(&basic("ada", good), true), ada(None));
        assert_eq!(asked(&basic("ada+recruiting", good), true), ada(Some("recruiting")));
        assert_eq!(asked(&basic("ada%2Brecruiting", good), true), ada(Some("recruiting")));
        assert_eq!(asked(&format!("bearer {good}"), true), ada(None));
        let wrong = Some(Err(WhyRejected::WrongCredentials));
        for field in [
            basic("ben", good),
            basic("", good),
            basic("ada", other),
            format!("Bearer {other}"),
            "Bearer x".to_owned(),
            basic("ada", &good.replacen("07", "08", 1)),
        ] {
            assert_eq!(asked(&field, true), wrong, "{field}");
        }
        assert_eq!(asked(&basic("ada", good), false), Some(Err(WhyRejected::UseTlsDoor)));
        for field in [
            basic("ada", "open sesame, please"),
            basic("ada", "wl_short"),
            "Negotiate x".to_owned(),
        ] {
            assert_eq!(asked(&field, true), None, "{field}");
        }
    }
}
