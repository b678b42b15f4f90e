//! The purpose that somebody puts behind their user name (`ada+recruiting`) or into `Wayleave-Purpose`.
//!
//! It only selects among grants in force; it creates nothing and permits nothing.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use crate::facts::{PurposeId, SubjectId};

/// The request header that selects a purpose on the hop to the proxy; always stripped before egress.
pub const PURPOSE_HEADER: HeaderName = HeaderName::from_static("wayleave-purpose");

/// How a user name as sent may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The account.
    pub user: SubjectId,
    /// The purpose behind the name.
    pub selects: Option<PurposeId>,
    /// Whether the client sent the name percent-encoded, so that its password is, too.
    pub decoded: bool,
}

/// All ways to read a user name, the one that wins first: as written, then with a suffix, and with all of several, then
/// each percent-decoded.
///
/// The first whose user exists is the one that counts: an exact user name wins over a suffix.
pub fn readings(name: &str) -> Vec<Reading> {
    let mut found = plain_readings(name, false);
    if name.contains('%') {
        // Some clients copy the user information of `http://ada%2Brecruiting@proxy` without decoding it.
        if let Ok(decoded) = percent_decode_str(name).decode_utf8() {
            found.extend(plain_readings(&decoded, true));
        }
    }
    found
}

fn plain_readings(name: &str, decoded: bool) -> Vec<Reading> {
    let exact = SubjectId::parse(name).ok().map(|user| Reading {
        user,
        selects: None,
        decoded,
    });
    let (last, first) = (name.rsplit_once('+'), name.split_once('+'));
    // of several suffixes all but the account are one, which is no purpose and is told as such
    let all = first.filter(|_| first != last);
    let suffixed = last.into_iter().chain(all).filter_map(|(user, purpose)| {
        Some(Reading {
            user: SubjectId::parse(user).ok()?,
            selects: Some(parse_purpose(purpose).unwrap_or_else(|| PurposeId::new(PurposeId::NOT_ONE))),
            decoded,
        })
    });
    exact.into_iter().chain(suffixed).collect()
}

/// The password as it was meant, given how the user name was sent.
pub(super) fn meant_password(password: &str, decoded: bool) -> Cow<'_, str> {
    if decoded {
        percent_decode_str(password)
            .decode_utf8()
            .unwrap_or(Cow::Borrowed(password))
    } else {
        Cow::Borrowed(password)
    }
}

/// What `Wayleave-Purpose` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// There is no such header.
    Nothing,
    /// One purpose.
    Purpose(PurposeId),
    /// Something that is not exactly one purpose: it selects no grant at all, which is the strict reading.
    Unclear,
}

/// Reads `Wayleave-Purpose`.
pub fn stated(headers: &HeaderMap) -> Stated {
    let mut values = headers.get_all(PURPOSE_HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => Stated::Nothing,
        (Some(value), None) => value
            .to_str()
            .ok()
            .and_then(|text| parse_purpose(text.trim_matches([' ', '\t'])))
            .map_or(Stated::Unclear, Stated::Purpose),
        (Some(_), Some(_)) => Stated::Unclear,
    }
}

/// Parses what may be meant for a purpose's id: 1 to 64 ASCII letters, digits, `-` and `_`. The schema's enumeration has
/// lower-case letters only, so that one with others is of no purpose, and is told as such.
pub fn parse_purpose(text: &str) -> Option<PurposeId> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    ((1..=64).contains(&text.len()) && text.bytes().all(fits)).then(|| PurposeId::new(text))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn as_pairs(name: &str) -> Vec<(String, Option<String>)> {
        readings(name)
            .into_iter()
            .map(|r| (r.user.as_str().to_owned(), r.selects.map(|p| p.as_str().to_owned())))
            .collect()
    }

    fn pair(user: &str, purpose: Option<&str>) -> (String, Option<String>) {
        (user.to_owned(), purpose.map(str::to_owned))
    }

    #[test]
    fn a_name_is_read_as_written_first_and_with_a_suffix_second() {
        assert_eq!(as_pairs("ada"), [pair("ada", None)]);
        assert_eq!(
            as_pairs("ada+recruiting"),
            [pair("ada+recruiting", None), pair("ada", Some("recruiting"))]
        );
        assert_eq!(
            as_pairs("ada+x@corp+recruiting"),
            [
                pair("ada+x@corp+recruiting", None),
                pair("ada+x@corp", Some("recruiting")),
                pair("ada", Some(PurposeId::NOT_ONE))
            ]
        );
    }

    #[test]
    fn a_name_that_a_client_forgot_to_decode_is_decoded_last() {
        assert_eq!(
            as_pairs("ada%2Brecruiting"),
            [
                pair("ada%2Brecruiting", None),
                pair("ada+recruiting", None),
                pair("ada", Some("recruiting"))
            ]
        );
        assert_eq!(meant_password("p%40ss", true), "p@ss");
        assert_eq!(meant_password("p%40ss", false), "p%40ss");
    }

    #[test]
    fn a_suffix_that_cannot_be_a_purpose_selects_none() {
        let not_one = pair("ada", Some(PurposeId::NOT_ONE));
        assert_eq!(
            as_pairs("ada+Recruiting"),
            [pair("ada+Recruiting", None), pair("ada", Some("Recruiting"))]
        );
        assert_eq!(
            as_pairs("ada+Recruiting!"),
            [pair("ada+Recruiting!", None), not_one.clone()]
        );
        assert_eq!(as_pairs("ada+"), [pair("ada+", None), not_one]);
        assert_eq!(as_pairs("+recruiting"), [pair("+recruiting", None)]);
        assert_eq!(as_pairs(""), []);
        assert_eq!(as_pairs("%00"), [pair("%00", None)]);
    }

    #[test]
    fn the_header_selects_one_purpose_or_none_at_all() {
        let mut headers = HeaderMap::new();
        assert_eq!(stated(&headers), Stated::Nothing);
        headers.insert(PURPOSE_HEADER, HeaderValue::from_static(" recruiting "));
        assert_eq!(stated(&headers), Stated::Purpose(PurposeId::new("recruiting")));
        headers.append(PURPOSE_HEADER, HeaderValue::from_static("marketing"));
        assert_eq!(stated(&headers), Stated::Unclear);
        headers.insert(PURPOSE_HEADER, HeaderValue::from_static("recruiting, marketing"));
        assert_eq!(stated(&headers), Stated::Unclear);
        headers.insert(PURPOSE_HEADER, HeaderValue::from_static(""));
        assert_eq!(stated(&headers), Stated::Unclear);
    }
}
