//! Problem documents (RFC 9457): what went wrong, for programs.

use http::StatusCode;
use http::header::{self, HeaderName};
use serde_json::{Map, Value, json};

use super::answer::{BY_HEADER, Page, in_language, plain, put};
use crate::facts::Language;
use crate::portal::words::ENGLISH;
use crate::rulebook::InEmergency;

/// Where the problem types are described; stable, whatever the portal's host is called.
pub(in crate::portal) const TYPES: &str = "https://wayleave.example/problems/";

/// A problem document in the making.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Problem {
    status: StatusCode,
    members: Map<String, Value>,
    /// Whether it speaks to whoever writes a client, which is done in one language.
    is_english: bool,
}

/// One field of a request that is wrong: what, and what would be right.
pub(in crate::portal) fn field(name: &str, why: impl Into<String>) -> Value {
    json!({"field": name, "detail": why.into()})
}

impl Problem {
    /// A problem of the type `kind`.
    pub(in crate::portal) fn new(status: StatusCode, kind: &str, title: &str, detail: &str) -> Self {
        let mut members = Map::new();
        members.insert("type".to_owned(), format!("{TYPES}{kind}").into());
        members.insert("title".to_owned(), title.into());
        members.insert("status".to_owned(), status.as_u16().into());
        members.insert("detail".to_owned(), detail.into());
        Self {
            status,
            members,
            is_english: false,
        }
    }

    /// The same problem with one more member.
    #[must_use]
    pub(in crate::portal) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same problem, which is told in English whoever reads it.
    #[must_use]
    pub(in crate::portal) fn in_english(mut self) -> Self {
        self.is_english = true;
        self
    }

    /// The same problem with what whoever met it could take in an emergency, and where.
    #[must_use]
    pub(super) fn in_emergency(self, taken: &[InEmergency], (portal, language): (&str, Language)) -> Self {
        if taken.is_empty() {
            return self;
        }
        let one = |taken: &InEmergency| {
            json!({
                "id": taken.purpose,
                "title": taken.title.said_in(language),
                "covers": taken.covers,
            })
        };
        let all: Vec<Value> = taken.iter().map(one).collect();
        self.with("emergencies", all)
            .with("break_glass", format!("{portal}/v1/break-glass"))
    }

    /// The problem as an answer.
    pub(in crate::portal) fn answer(self) -> Page {
        let members = Value::Object(self.members).to_string();
        let page = plain(self.status, "application/problem+json", members);
        if self.is_english {
            return in_language(page, &ENGLISH, BY_HEADER);
        }
        page
    }
}

/// Says what this proxy did (RFC 9209). `details` is a token of ours: nothing of the person's leaves with it.
pub(super) fn proxy_status(page: &mut Page, error: &str, details: &str) {
    let value = format!("wayleave; error={error}; details=\"{details}\"");
    put(page.headers_mut(), HeaderName::from_static("proxy-status"), &value);
}

/// When to try again.
pub(in crate::portal) fn retry_after(page: &mut Page, seconds: u32) {
    put(page.headers_mut(), header::RETRY_AFTER, &seconds.to_string());
}
