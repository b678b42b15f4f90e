//! Which language does whoever asks read? What they chose on a page of ours, else what their browser or tool prefers, else
//! the house's own.

use http::header::{ACCEPT_LANGUAGE, COOKIE, HeaderMap};

use super::Portal;
use super::intake::Received;
use super::pages::counter::{Languages, OtherLanguage};
use super::pages::{Page, see_other};
use super::signing_in::with_cookie;
use super::words::Words;
use crate::facts::Language;

/// The cookie of the portal's own host that keeps what somebody chose there.
const NAME: &str = "__Host-wayleave-language";
/// For how long: a year.
const KEPT_S: u32 = 31_536_000;

/// The name in an address that chooses a language: `?lang=fr`.
const CHOICE: &str = "lang";

/// The fields on which a page of the portal's own host hangs.
pub(super) const BY_CHOICE: &str = "Accept-Language, Cookie";

impl Portal {
    /// The words for whoever sent `headers` to a site: what they chose here is not told there.
    pub fn words_for(&self, headers: &HeaderMap) -> &'static Words {
        Words::of(accepted(headers, self.settings.language))
    }

    /// The same for whoever came here.
    pub(super) fn words_here(&self, headers: &HeaderMap) -> &'static Words {
        Words::of(chosen(headers).unwrap_or_else(|| accepted(headers, self.settings.language)))
    }

    /// The same counter for one request, which it answers in one language from beginning to end.
    pub(super) fn for_request(&self, received: &Received) -> Self {
        let words = self.words_here(&received.headers);
        let counter = Self { words, ..self.clone() };
        let languages = if received.method.is_safe() {
            counter.other_languages(|language| self.address_of(received, Some(language)))
        } else {
            // a form is not sent again to be read in another language
            counter.languages_at_home()
        };
        Self { languages, ..counter }
    }

    /// The links of a page that stands nowhere: to the person's own page. They tell nothing of the address that was asked
    /// for, as the page does not.
    pub(super) fn languages_at_home(&self) -> Languages {
        self.other_languages(|language| format!("{}/?{CHOICE}={}", self.origin, language.as_str()))
    }

    fn other_languages(&self, to: impl Fn(Language) -> String) -> Languages {
        let others = Language::ALL
            .into_iter()
            .filter(|language| *language != self.words.language);
        let links = others.map(|language| OtherLanguage {
            language,
            to: to(language),
        });
        Languages(links.collect())
    }

    /// The answer to a link to the same page in another language: it is remembered, and the page is there under its own
    /// address.
    pub(super) fn chose_language(&self, received: &Received) -> Option<Page> {
        let tag = received.asked(CHOICE)?;
        let language = Language::ALL.into_iter().find(|language| language.as_str() == tag)?;
        let page = see_other(&self.address_of(received, None));
        Some(with_cookie(page, &cookie(language)))
    }

    /// The address that was opened, with another choice, or none. The origin stands before it: a path of `//host` would
    /// lead away.
    fn address_of(&self, received: &Received, choice: Option<Language>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let asked = received.pairs().filter(|(name, _)| name != CHOICE);
        query.extend_pairs(asked);
        if let Some(language) = choice {
            query.append_pair(CHOICE, language.as_str());
        }
        let (path, query) = (received.path(), query.finish());
        let between = if query.is_empty() { "" } else { "?" };
        format!("{}{path}{between}{query}", self.origin)
    }
}

/// What `Accept-Language` prefers of the languages that there are (RFC 9110 §12.5.4): of equal weights, what stands first;
/// `house` where it does not say, or wants none of them.
fn accepted(headers: &HeaderMap, house: Language) -> Language {
    let ranges: Vec<(&str, u16)> = headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .filter_map(range)
        .collect();
    let named = |language: Language| {
        let of = ranges
            .iter()
            .enumerate()
            .filter(move |(_, (tag, _))| Language::of_tag(tag) == Some(language));
        best(of.map(|(place, (_, weight))| (*weight, place)))
    };
    let any = || {
        let any = ranges.iter().enumerate().filter(|(_, (tag, _))| *tag == "*");
        best(any.map(|(place, (_, weight))| (*weight, place)))
    };
    // the house's own first: of what `*` stands for, it is preferred
    let languages = [house]
        .into_iter()
        .chain(Language::ALL.into_iter().filter(|one| *one != house));
    let weighed = languages.filter_map(|language| Some((named(language).or_else(any)?, language)));
    let weighed = weighed.filter(|((weight, _), _)| *weight > 0);
    let first = weighed.min_by_key(|((weight, place), _)| (std::cmp::Reverse(*weight), *place));
    first.map_or(house, |(_, language)| language)
}

/// The greatest weight, and where it stands first.
fn best(weights: impl Iterator<Item = (u16, usize)>) -> Option<(u16, usize)> {
    weights.min_by_key(|(weight, place)| (std::cmp::Reverse(*weight), *place))
}

/// A language range with its weight in thousandths; none where the weight is no weight (RFC 9110 §12.4.2).
fn range(part: &str) -> Option<(&str, u16)> {
    let mut parts = part.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let Some(weight) = parts.next() else {
        return Some((tag, 1_000));
    };
    let (name, value) = weight.split_once('=')?;
    let is_weight = name.eq_ignore_ascii_case("q") && parts.next().is_none();
    is_weight
        .then(|| thousandths(value))
        .flatten()
        .map(|weight| (tag, weight))
}

/// `0.8` -> 800: at most three digits behind the point, and at most one.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, digits) = value.split_once('.').unwrap_or((value, ""));
    if digits.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let parts: u16 = format!("{digits:0<3}").parse().ok()?;
    match (whole, parts) {
        ("0", parts) => Some(parts),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// What somebody chose, as their cookie says; nothing where it says so more than once.
fn chosen(headers: &HeaderMap) -> Option<Language> {
    let mut values = values_of(headers, NAME);
    match (values.next(), values.next()) {
        (Some(tag), None) => Language::ALL.into_iter().find(|one| one.as_str() == tag),
        (None | Some(_), _) => None,
    }
}

/// The values of the cookies called `name`.
pub(super) fn values_of<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
    let pairs = fields
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(one, _)| *one == name).map(|(_, value)| value)
}

/// The `Set-Cookie` that keeps a choice. `Lax`: whoever comes from a refusal on a site finds the portal in their language.
fn cookie(language: Language) -> String {
    let tag = language.as_str();
    format!("{NAME}={tag}; Path=/; Max-Age={KEPT_S}; Secure; HttpOnly; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn accepts(fields: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static(field));
        }
        headers
    }

    #[test]
    fn what_is_preferred_is_weighed() {
        use Language::{En, Fr};
        for (fields, language) in [
            (&[][..], En),
            (&["fr"], Fr),
            (&["fr-CA, fr;q=0.9, en;q=0.8"], Fr),
            (&["en-US,en;q=0.9,fr;q=0.8"], En),
            (&["en;q=0.8, fr;q=0.9"], Fr),
            (&["en;q=0.80,FR ; Q=0.801"], Fr),
            (&["fr, en"], Fr),
            (&["en, fr"], En),
            (&["de, fr;q=0.3, en;q=0.2"], Fr),
            (&["de"], En),
            (&["*"], En),
            (&["en;q=0, *"], Fr),
            (&["en;q=0.5, *;q=0.8"], Fr),
            (&["fr;q=0, en;q=0"], En),
            (&["fr;q=0"], En),
            (&["de", "fr;q=0.1"], Fr),
            (&["fr;q=2, en;q=0.1"], En),
            (&["fr;q=0.1234, en;q=0.1"], En),
            (&["fr;level=1, en;q=0.1"], En),
            (&[",,fr"], Fr),
        ] {
            assert_eq!(accepted(&accepts(fields), En), language, "{fields:?}");
        }
        assert_eq!(accepted(&accepts(&[]), Fr), Fr, "the house's own");
        assert_eq!(accepted(&accepts(&["*"]), Fr), Fr);
        assert_eq!(accepted(&accepts(&["de"]), Fr), Fr);
        assert_eq!(accepted(&accepts(&["en"]), Fr), En);
    }

    #[test]
    fn what_somebody_chose_is_one_language_that_there_is() {
        let mut headers = HeaderMap::new();
        let own = cookie(Language::Fr);
        let own = own.split(';').next().unwrap();
        headers.insert(COOKIE, HeaderValue::from_str(&format!("a=b; {own}")).unwrap());
        assert_eq!(chosen(&headers), Some(Language::Fr));
        headers.append(COOKIE, HeaderValue::from_static("__Host-wayleave-language=en"));
        assert_eq!(chosen(&headers), None, "two choices are none");
        headers.insert(COOKIE, HeaderValue::from_static("__Host-wayleave-language=de"));
        assert_eq!(chosen(&headers), None);
    }

    #[test]
    fn no_script_and_no_other_host_gets_to_the_choice() {
        let said = cookie(Language::Fr);
        assert!(said.starts_with("__Host-wayleave-language=fr; Path=/; "), "{said}");
        for part in ["; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("Domain"), "{said}");
    }
}
