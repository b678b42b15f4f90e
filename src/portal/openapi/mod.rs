//! What `/v1` takes and answers, as one table: requests are routed by it, and the `OpenAPI` document is drawn from it, so that
//! neither can say what the other does not do.
//!
//! It is written by hand. A library that derives documents from types would describe the types: what is answered here is put
//! together for whom it is for (`api.rs`), and what is taken is read field by field, so that all that is wrong is said at
//! once. What has the shape of data, `components.json`, is data; a test validates what is answered against it, and another
//! sends to a gateway what the document allows and what it does not.
//!
//! Reads like this: [`found`] says which call a request is; [`document`] draws the document.

mod document;
mod operations;
mod operations_more;
mod operations_shared;
mod problems;

pub(super) use document::document;
#[cfg(test)]
pub(super) use problems::PROBLEMS;

use super::table::{Route, fits};
use crate::facts::Scope;
use operations::GRANTS;
use operations_more::MORE;
use operations_shared::SHARED;

/// What a request to `/v1` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    ListGrants,
    Declare,
    ShowGrant,
    EndGrant,
    Renew,
    Approve,
    Decline,
    Review,
    BreakGlass,
    Revoke,
    ListApprovals,
    ListReviews,
    ListDecisions,
    ShowDecision,
    ListRecords,
    ListOpen,
    Continue,
    ListPurposes,
    Matrix,
    Explain,
    ListTokens,
    MakeToken,
    RevokeToken,
    ReportOutcome,
    ListDelegations,
    Delegate,
    ShowDelegation,
    EndDelegation,
    ShowValue,
    ShowPrivacy,
    Document,
}

impl Call {
    /// Whether a call can be given a key, so that it is done once.
    pub(super) fn can_be_keyed(self) -> bool {
        matches!(self, Self::Declare | Self::BreakGlass | Self::Renew | Self::Revoke)
    }

    /// What a token must be good for with which it is made, one of these; nothing where no token will do.
    pub(super) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Declare | Self::EndGrant | Self::Renew | Self::Continue | Self::ReportOutcome => &[Scope::Declare],
            // one's own, or others': whoever answers knows which
            Self::ListDecisions | Self::ShowDecision => &[Scope::Read, Scope::Decisions],
            Self::ListOpen | Self::ListRecords => &[Scope::Decisions],
            Self::ListGrants
            | Self::ShowGrant
            | Self::ListApprovals
            | Self::ListReviews
            | Self::ListPurposes
            | Self::Matrix
            | Self::Explain
            | Self::ListDelegations
            | Self::ShowDelegation
            | Self::ShowValue
            | Self::ShowPrivacy
            | Self::Document => &[Scope::Read],
            Self::Approve
            | Self::Decline
            | Self::Review
            | Self::BreakGlass
            | Self::Revoke
            | Self::ListTokens
            | Self::MakeToken
            | Self::RevokeToken
            | Self::Delegate
            | Self::EndDelegation => &[],
        }
    }
}

/// What a call proves beside what the hop to the proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing.
    Hop,
    /// One's password.
    Password,
}

/// One line of the API.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) call: Call,
    method: &'static str,
    /// Below `/v1`; what is in braces is one segment.
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    /// In more words, where those help.
    says: &'static str,
    /// Names of parameters in `components.json`, those of the path left out.
    takes: &'static [&'static str],
    /// The name of a request body there.
    body: Option<&'static str>,
    /// What it answers where it does what it is asked for.
    gives: &'static [Gives],
    /// The problems of its own, beside those of every call.
    problems: &'static [&'static str],
    proof: Proof,
}

/// One answer: the status, what it means, and the name of its schema.
type Gives = (u16, &'static str, &'static str);

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// Which call it is, and what stands in the path where the table has braces.
    Call(Call, &'a str),
    /// The address takes other methods, which these are.
    Otherwise(String),
    /// There is no such address.
    Nowhere,
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    GRANTS.iter().chain(MORE).chain(SHARED)
}

/// Which call a request with this method to this path below `/v1` is.
pub(super) fn found<'a>(method: &str, path: &'a str) -> Found<'a> {
    // as RFC 9110 §9.3.2 has it
    let asked = if method == "HEAD" { "GET" } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for operation in operations() {
        let Some(named) = fits(operation.path, path) else {
            continue;
        };
        if operation.method == asked {
            return Found::Call(operation.call, named);
        }
        allowed.push(operation.method);
        if operation.method == "GET" {
            allowed.push("HEAD");
        }
    }
    if allowed.is_empty() {
        return Found::Nowhere;
    }
    Found::Otherwise(allowed.join(", "))
}

/// The lines of the table, as those of the rest of the portal are told.
pub(super) fn routes() -> impl Iterator<Item = Route> {
    operations().map(|operation| Route {
        method: operation.method,
        below: "/v1",
        path: operation.path,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_request_finds_its_call_or_hears_which_methods_there_are() {
        let cases = [
            ("GET", "/grants", Found::Call(Call::ListGrants, "")),
            ("HEAD", "/grants", Found::Call(Call::ListGrants, "")),
            ("DELETE", "/grants/one", Found::Call(Call::EndGrant, "one")),
            ("POST", "/grants/one/renew", Found::Call(Call::Renew, "one")),
            ("PUT", "/grants", Found::Otherwise("GET, HEAD, POST".to_owned())),
            ("head", "/grants/one/renew", Found::Otherwise("POST".to_owned())),
            ("GET", "/grants/", Found::Nowhere),
            ("GET", "/grants/one/two", Found::Nowhere),
            ("GET", "", Found::Nowhere),
        ];
        for (method, path, expected) in cases {
            assert_eq!(found(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn each_line_is_found_by_what_it_says_and_is_one_of_its_kind() {
        let mut names = BTreeSet::new();
        for operation in operations() {
            let path: Vec<&str> = operation.path.split('/').collect();
            let path: Vec<&str> = path
                .iter()
                .map(|one| if one.starts_with('{') { "x" } else { one })
                .collect();
            let path = path.join("/");
            let Found::Call(call, _) = found(operation.method, &path) else {
                panic!("{} {path}", operation.method);
            };
            assert_eq!(call, operation.call, "{} {path}", operation.method);
            assert!(names.insert(operation.id), "{} is there twice", operation.id);
        }
    }
}
