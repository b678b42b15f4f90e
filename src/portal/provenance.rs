//! Where does a request come from: our own page, a tool, or somebody else's page? Pure.
//!
//! Sources: W3C Fetch Metadata (`Sec-Fetch-*`), RFC 6454 and Fetch §3.2 (`Origin`).

use http::header::{HeaderMap, HeaderName, ORIGIN, REFERER};

/// Whether a page may be shown: opened in a window of its own, from wherever; never fetched or framed by others.
pub(super) fn may_open(headers: &HeaderMap) -> bool {
    match said(headers, "sec-fetch-site") {
        Said::Nothing | Said::Once("same-origin" | "none") => true,
        Said::Once("cross-site" | "same-site") => {
            said(headers, "sec-fetch-mode") == Said::Once("navigate")
                && said(headers, "sec-fetch-dest") == Said::Once("document")
        }
        Said::Once(_) | Said::Unclear => false,
    }
}

/// Whether a page of somebody else led here: what its address asks for need not be what the person wants.
pub(super) fn is_led_here(headers: &HeaderMap) -> bool {
    matches!(
        said(headers, "sec-fetch-site"),
        Said::Once("cross-site" | "same-site") | Said::Unclear
    )
}

/// Whether a form was sent by a page of ours: `Origin` must say so, and `Sec-Fetch-Site` must not deny it.
///
/// Every browser sends `Origin` with a POST, so one that is missing is as bad as a foreign one.
pub(super) fn is_own_form(headers: &HeaderMap, own: &str) -> bool {
    let site = matches!(
        said(headers, "sec-fetch-site"),
        Said::Nothing | Said::Once("same-origin")
    );
    site && said(headers, ORIGIN.as_str()) == Said::Once(own)
}

/// Whether a call to the API may be answered: from a tool, which sends none of a browser's marks, or from a page of
/// ours; reading also from the address bar.
pub(super) fn may_call(headers: &HeaderMap, own: &str, unsafe_method: bool) -> Result<(), &'static str> {
    let marks = [
        "sec-fetch-site",
        "sec-fetch-mode",
        "sec-fetch-dest",
        ORIGIN.as_str(),
        REFERER.as_str(),
        "cookie",
    ];
    let is_tool = marks.iter().all(|name| said(headers, name) == Said::Nothing);
    if is_tool || is_own_form(headers, own) {
        return Ok(());
    }
    let read_by_us = matches!(said(headers, "sec-fetch-site"), Said::Once("same-origin" | "none"));
    if !unsafe_method && read_by_us {
        return Ok(());
    }
    Err(
        "A browser sent this call from a page of another site, or without saying from which. \
         Call from the portal's own pages, or from a tool that sends no Origin, Referer, Cookie or Sec-Fetch header.",
    )
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said<'a> {
    Nothing,
    Once(&'a str),
    /// It stands there more than once, or is not readable: whoever sent that has something to hide.
    Unclear,
}

fn said<'a>(headers: &'a HeaderMap, name: &str) -> Said<'a> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Said::Unclear;
    };
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (None, _) => Said::Nothing,
        (Some(Ok(value)), None) => Said::Once(value),
        (Some(_), _) => Said::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://wayleave.internal";

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_form_counts_only_from_our_own_origin() {
        let own = ("origin", OWN);
        let cases: [(&[(&str, &str)], bool); 11] = [
            (&[own], true),
            (&[own, ("sec-fetch-site", "same-origin")], true),
            (&[own, ("sec-fetch-site", "same-site")], false),
            (&[own, ("sec-fetch-site", "cross-site")], false),
            (&[own, ("sec-fetch-site", "none")], false),
            (&[own, own], false),
            (&[("origin", "https://wayleave.internal.evil.test")], false),
            (&[("origin", "http://wayleave.internal")], false),
            (&[("origin", "null")], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[], false),
        ];
        for (lines, expected) in cases {
            let lines: Vec<(&'static str, &'static str)> = lines.to_vec();
            assert_eq!(is_own_form(&headers(&lines), OWN), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_api_answers_tools_and_our_own_pages() {
        let tool = headers(&[("user-agent", "curl/8"), ("accept", "*/*")]);
        assert!(may_call(&tool, OWN, true).is_ok());
        assert!(may_call(&headers(&[("origin", OWN)]), OWN, true).is_ok());
        let typed = headers(&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]);
        assert!(may_call(&typed, OWN, false).is_ok());
        assert!(may_call(&typed, OWN, true).is_err());
        for foreign in [
            headers(&[("origin", "https://evil.test")]),
            headers(&[("origin", "null")]),
            headers(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]),
            headers(&[("referer", "https://evil.test/")]),
            headers(&[("cookie", "a=b")]),
        ] {
            assert!(may_call(&foreign, OWN, true).is_err(), "{foreign:?}");
            assert!(may_call(&foreign, OWN, false).is_err(), "{foreign:?}");
        }
    }

    #[test]
    fn whoever_follows_a_link_of_somebody_else_is_led_here() {
        for (site, is_led) in [
            ("cross-site", true),
            ("same-site", true),
            ("same-origin", false),
            ("none", false),
        ] {
            assert_eq!(is_led_here(&headers(&[("sec-fetch-site", site)])), is_led, "{site}");
        }
        assert!(!is_led_here(&headers(&[])));
    }

    #[test]
    fn pages_open_in_windows_and_nowhere_else() {
        let navigate = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        let [site, mode] = navigate;
        assert!(may_open(&headers(&[site, mode, ("sec-fetch-dest", "document")])));
        assert!(!may_open(&headers(&[site, mode, ("sec-fetch-dest", "iframe")])));
        assert!(!may_open(&headers(&[
            site,
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "image")
        ])));
        assert!(may_open(&headers(&[])));
    }
}
