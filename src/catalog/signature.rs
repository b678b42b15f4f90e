//! How one kind of request is recognised: host, method, path, and the operation that it names.

use regex::Regex;

use super::host::HostPattern;
use super::path::{PathGlob, Segments};
use super::tree::ActivityIndex;
use crate::facts::{PlatformId, SignatureId};

/// A set of methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Methods(u8);

/// A method as far as the catalogue tells them apart. Methods are case-sensitive (RFC 9110 §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// `GET`, and `HEAD`, which is a `GET` without its answer's content.
    Get,
    /// `OPTIONS`: asks what could be done, and does nothing.
    Options,
    Post,
    Put,
    Patch,
    Delete,
    /// Any other: it counts as a write.
    Other,
}

impl Method {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "GET" | "HEAD" => Self::Get,
            "OPTIONS" => Self::Options,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    /// The method of an override, which servers read without regard to case.
    pub(super) fn of_override(text: &str) -> Self {
        let text = text.split('\0').next().unwrap_or_default();
        Self::of(text.trim().to_ascii_uppercase().as_str())
    }

    /// Whether the method is safe (RFC 9110 §9.2.1): it asks for nothing to change.
    pub(super) fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Options)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Get => 1,
            Self::Post => 2,
            Self::Put => 4,
            Self::Patch => 8,
            Self::Delete => 16,
            Self::Options | Self::Other => 0,
        }
    }
}

impl Methods {
    pub(super) fn insert(&mut self, method: Method) {
        self.0 |= method.bit();
    }

    pub(super) fn contains(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether one of them writes.
    pub(super) fn any_writes(self) -> bool {
        self.0 & !Method::Get.bit() != 0
    }
}

/// Whether a signature that calls a writing request a read is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// No: the surface can write under this signature.
    No,
    /// Yes: this endpoint only reads, whatever the request says.
    Endpoint,
    /// Only as far as a name can be believed that the client has chosen: see `recognise`.
    Label,
}

/// Where an operation's name may stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) query: bool,
    pub(super) form: bool,
    pub(super) json: bool,
    /// Lower-case header names.
    pub(super) headers: Vec<Box<str>>,
}

impl Places {
    pub(super) fn in_body(&self) -> bool {
        self.form || self.json
    }
}

/// What an operation's name must be.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Exact(Box<str>),
    Prefix(Box<str>),
    /// A full match.
    Regex(Regex),
}

impl Pattern {
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => **text == *name,
            Self::Prefix(text) => name.starts_with(&**text),
            Self::Regex(regex) => regex.is_match(name),
        }
    }

    /// Exact over prefix over regex, then the longer text.
    pub(super) fn rank(&self) -> (u8, usize) {
        match self {
            Self::Exact(text) => (3, text.len()),
            Self::Prefix(text) => (2, text.len()),
            Self::Regex(regex) => (1, regex.as_str().len()),
        }
    }
}

/// The operation that a request must name.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) places: Places,
    /// The name of the query parameter, form field or JSON member.
    pub(super) key: Box<str>,
    pub(super) pattern: Pattern,
}

/// How one kind of request is recognised.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) id: SignatureId,
    pub(super) platform: Option<PlatformId>,
    pub(super) activity: ActivityIndex,
    pub(super) methods: Methods,
    pub(super) hosts: Vec<HostPattern>,
    pub(super) paths: Vec<PathGlob>,
    pub(super) operation: Option<Operation>,
    pub(super) reads: Reads,
    /// It is a WebSocket handshake (RFC 6455 §4.1), and only that.
    pub(super) socket: bool,
}

/// What kind of thing a platform puts on other sites, from what is never a visit to what may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmbedKind {
    /// A beacon: it shows nothing.
    Pixel,
    /// A script, where the path names one; other paths may hold content.
    Script,
    /// A page in a frame, a button, a description: it shows content, so that it can be visited too, and is told from a
    /// visit by the fetch metadata alone.
    Content,
}

/// A path that other sites embed.
#[derive(Clone, Debug)]
pub(super) struct Embed {
    pub(super) id: SignatureId,
    pub(super) host: Box<str>,
    pub(super) path: PathGlob,
    pub(super) kind: EmbedKind,
}

impl Embed {
    /// Whether nothing is seen of the platform by who fetches this path, so that a client may fetch it without fetch
    /// metadata, as old browsers do.
    pub(super) fn shows_nothing(&self, path: &Segments<'_>) -> bool {
        match self.kind {
            EmbedKind::Pixel => true,
            EmbedKind::Script => path
                .last()
                .and_then(|name| name.rsplit_once('.'))
                .is_some_and(|(_, ending)| ending == "js"),
            EmbedKind::Content => false,
        }
    }
}
