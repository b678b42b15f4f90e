//! What the portal answers where, as one table: pages are routed by it, and tests take from it what there is, so that no page
//! goes unseen and no form unguarded. The lines of `/v1` stand in `openapi`.

use super::openapi;

/// One line of what the portal answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, e.g. `GET`.
    pub method: &'static str,
    /// The start of the path that all of its kind share: empty for pages and forms, `/v1` for calls.
    pub below: &'static str,
    /// The path below that; what is in braces is one segment, which is not empty.
    pub path: &'static str,
}

/// Everything that the portal answers: pages, forms and calls.
pub fn routes() -> impl Iterator<Item = Route> {
    let here = |method| {
        move |path| Route {
            method,
            below: "",
            path,
        }
    };
    let pages = PAGES.iter().map(|(path, _)| *path).map(here("GET"));
    let forms = FORMS.iter().map(|(path, _)| *path).map(here("POST"));
    pages.chain(forms).chain(openapi::routes())
}

/// A page that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    Mine,
    Purpose,
    Urgent,
    RefusalByTicket,
    Refusal,
    Granted,
    Inbox,
    Delegations,
    Others,
    Revoke,
    Grant,
    Decisions,
    Decision,
    Open,
    Health,
    Rulebook,
    PastRulebook,
    Value,
    ValueCsv,
    PurposeValue,
    Privacy,
    Tokens,
    SignIn,
}

/// A form that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Declare,
    State,
    BeUrgent,
    BreakGlass,
    Review,
    GoOn,
    End,
    Report,
    Renew,
    Revoke,
    Delegate,
    TakeBack,
    MakeToken,
    RevokeToken,
    SignIn,
    SignOut,
    Approve,
    Decline,
}

/// Of two lines that fit, the first one counts.
const PAGES: &[(&str, Shows)] = &[
    ("/", Shows::Mine),
    ("/purposes/{purpose}", Shows::Purpose),
    ("/emergency", Shows::Urgent),
    ("/d/{ticket}", Shows::RefusalByTicket),
    ("/refusals/{record}", Shows::Refusal),
    ("/refusals/{record}/granted", Shows::Granted),
    ("/approvals", Shows::Inbox),
    ("/delegations", Shows::Delegations),
    ("/grants", Shows::Others),
    ("/grants/revoke", Shows::Revoke),
    ("/grants/{id}", Shows::Grant),
    ("/decisions", Shows::Decisions),
    ("/decisions/{id}", Shows::Decision),
    ("/open", Shows::Open),
    ("/health", Shows::Health),
    ("/rulebook", Shows::Rulebook),
    ("/rulebook/{digest}", Shows::PastRulebook),
    ("/value", Shows::Value),
    ("/value.csv", Shows::ValueCsv),
    ("/value/{purpose}", Shows::PurposeValue),
    ("/privacy", Shows::Privacy),
    ("/tokens", Shows::Tokens),
    ("/sign-in", Shows::SignIn),
];

const FORMS: &[(&str, Does)] = &[
    ("/declare", Does::Declare),
    ("/purposes/{purpose}", Does::State),
    ("/emergency", Does::BeUrgent),
    ("/break-glass", Does::BreakGlass),
    ("/approvals/{id}/review", Does::Review),
    ("/continue", Does::GoOn),
    ("/grants/{id}/end", Does::End),
    ("/grants/{id}/outcome", Does::Report),
    ("/grants/{id}/renew", Does::Renew),
    ("/grants/revoke", Does::Revoke),
    ("/delegations", Does::Delegate),
    ("/delegations/{id}/end", Does::TakeBack),
    ("/tokens", Does::MakeToken),
    ("/tokens/{id}/revoke", Does::RevokeToken),
    ("/sign-in", Does::SignIn),
    ("/sign-out", Does::SignOut),
    ("/approvals/{id}/approve", Does::Approve),
    ("/approvals/{id}/decline", Does::Decline),
];

/// Which page stands at `path`, and what stands there where the table has braces, empty where it has none.
pub(super) fn page(path: &str) -> Option<(Shows, &str)> {
    first(PAGES, path)
}

/// Which form is sent to `path`, likewise.
pub(super) fn form(path: &str) -> Option<(Does, &str)> {
    first(FORMS, path)
}

fn first<'a, T: Copy>(table: &[(&str, T)], path: &'a str) -> Option<(T, &'a str)> {
    let mut fitting = table.iter().filter_map(|(ours, what)| Some((*what, fits(ours, path)?)));
    fitting.next()
}

/// What stands in `theirs` where `ours` has braces, empty where it has none; nothing where it is another path.
pub(super) fn fits<'a>(ours: &str, theirs: &'a str) -> Option<&'a str> {
    let (mut ours, mut theirs) = (ours.split('/'), theirs.split('/'));
    let mut named = "";
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return Some(named),
            (Some(our), Some(their)) if our.starts_with('{') && !their.is_empty() => named = their,
            (Some(our), Some(their)) if our == their => {}
            (_, _) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_asked_for_finds_its_line() {
        assert_eq!(page("/"), Some((Shows::Mine, "")));
        assert_eq!(page("/grants/revoke"), Some((Shows::Revoke, "")));
        assert_eq!(page("/grants/one"), Some((Shows::Grant, "one")));
        assert_eq!(page("/refusals/one/granted"), Some((Shows::Granted, "one")));
        assert_eq!(form("/grants/one/end"), Some((Does::End, "one")));
        for nowhere in ["", "//", "/grants/", "/grants/one/two", "/d/", "/V1"] {
            assert_eq!((page(nowhere), form(nowhere)), (None, None), "{nowhere}");
        }
    }

    #[test]
    fn each_line_is_there_once() {
        let mut lines = BTreeSet::new();
        for route in routes() {
            let line = (route.method, route.below, route.path);
            assert!(lines.insert(line), "{line:?} is there twice");
        }
    }
}
