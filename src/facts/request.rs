//! What a request says about itself, and what the catalogue makes of it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::destination::Host;

/// Something that a request does: an action of the Cedar schema (`browse`, `post`, `unknown-write`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Activity(Arc<str>);

impl Activity {
    /// The activity called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// A write whose meaning could not be recognised; the safer reading is that it publishes.
    pub fn unknown_write() -> Self {
        Self::new("unknown-write")
    }

    /// The name as the schema spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The id of a catalogue signature, e.g. `linkedin.web.share-graphql`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignatureId(Arc<str>);

impl SignatureId {
    /// The signature called `id`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the catalogue spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The judgeable part of a request. Nothing here is believed: it is what the client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The method, as sent (methods are case-sensitive, RFC 9110 §9.1).
    pub method: String,
    /// The path as sent, still percent-encoded, without query.
    pub path: String,
    /// The query's pairs, decoded, in order, repeats kept (`application/x-www-form-urlencoded`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The header fields that may say what the request is for.
    #[serde(default)]
    pub hints: Hints,
    /// What a bounded look at the body found.
    #[serde(default)]
    pub peek: Peek,
}

/// Header fields that help to read a request. They can only make a reading stricter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// `Sec-Fetch-Site` (W3C Fetch Metadata). Repeated fields are joined by commas here and below, and what is not ASCII
    /// is kept as well as it can be: a field that is there is never taken for one that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch_site: Option<String>,
    /// `Sec-Fetch-Mode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch_mode: Option<String>,
    /// `Sec-Fetch-Dest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch_dest: Option<String>,
    /// Host of `Origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Host>,
    /// Host and path of `Referer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referer: Option<Referer>,
    /// Whether `Origin` or `Referer` stand there but cannot be read, or more than once: they could name any page.
    #[serde(skip_serializing_if = "is_false")]
    pub page_unclear: bool,
    /// Whether the request asks to upgrade to a WebSocket (RFC 6455 §4.1).
    #[serde(skip_serializing_if = "is_false")]
    pub websocket: bool,
    /// Whether a body follows (`Content-Length` above zero, or `Transfer-Encoding`, or an open HTTP/2 stream).
    #[serde(skip_serializing_if = "is_false")]
    pub has_body: bool,
    /// `Content-Length`, where it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// `Content-Type`, as sent; none if it is repeated or cannot be read, because a body of no known type is not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Content-Encoding`, as sent, unless it is `identity` and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// Request headers that signatures of the catalogue look at, lower-case names, repeats kept
    /// (`x-fb-friendly-name`, `x-http-method-override`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, String)>,
}

/// The page that a request came from, as `Referer` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referer {
    /// Its host.
    pub host: Host,
    /// Its path, without query.
    pub path: String,
}

/// What a bounded look at the body found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peek {
    /// Nobody looked: there is no body, or no signature of the place needs it.
    #[default]
    NotTaken,
    /// The operations that the body holds, each with the labels that signatures look at; repeats kept.
    Operations(Vec<Vec<(String, String)>>),
    /// The body could not be read: it counts as a write of unknown meaning.
    Opaque(Opaque),
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opaque {
    /// It is longer than the peek.
    TooLong,
    /// It has a content coding.
    Encoded,
    /// It is not what its type says, or a type that we do not read.
    Undecodable,
    /// A JSON object names a key twice: two readers could understand it in two ways.
    Ambiguous,
}

/// What the catalogue makes of a request: everything that it may do. All of it must be permitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The strictest of `activities`: what records and metrics call the request.
    pub activity: Activity,
    /// Every activity that the request may be; never empty, always holds `activity`.
    pub activities: BTreeSet<Activity>,
    /// The signatures that recognised it; empty for a fallback.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub signatures: BTreeSet<SignatureId>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes references"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
