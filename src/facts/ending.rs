//! How it ended: the closing part of a record, and faults with their blame and stage.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The client sent something malformed or went away.
    Client,
    /// The gateway could not do its part.
    House,
    /// The origin or the way to it failed.
    Origin,
}

/// Where on its way a flow failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the names say it; they are the stages of the README's picture"
)]
pub enum Stage {
    Arrive,
    Identify,
    Judge,
    Intercept,
    Resolve,
    Dial,
    Forward,
    Record,
}

/// What went wrong: a closed list, used in records, metrics and `Proxy-Status` (RFC 9209 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultCode {
    /// The request is malformed or smuggles (RFC 9112 §11).
    BadRequest,
    /// The method is one that this gateway never passes on.
    MethodNotAllowed,
    /// The request head is larger than the limit.
    HeadTooLarge,
    /// The client did not finish its request in time.
    ClientTimeout,
    /// The client ended the connection early.
    ClientGone,
    /// The client's TLS handshake failed.
    ClientTls,
    /// The client does not trust our authority.
    ClientDistrusts,
    /// `Host` or `:authority` is not the name that the connection was made for.
    Misdirected,
    /// SNI does not agree with CONNECT.
    SniMismatch,
    /// The first bytes of a tunnel are a protocol that may not pass unread.
    ProtocolUnreadable,
    /// The name does not resolve.
    NameNotFound,
    /// No name server answered in time, or too many other names of the same person have no answer yet.
    ResolveFailed,
    /// The address is private, loopback or link-local and not allowed by `upstream.allow`.
    AddressGuarded,
    /// The origin refused the connection.
    ConnectRefused,
    /// The origin did not accept the connection in time.
    ConnectTimeout,
    /// The origin's certificate has expired, or is not yet valid.
    CertificateExpired,
    /// The origin's certificate is for another name.
    CertificateName,
    /// The origin's certificate comes from an issuer that we do not trust.
    CertificateIssuer,
    /// The origin's certificate has been revoked or is otherwise bad.
    CertificateBad,
    /// The origin's TLS handshake failed for another reason.
    OriginTls,
    /// The origin did not answer in time.
    OriginTimeout,
    /// The origin closed the connection before a whole answer.
    OriginGone,
    /// The origin's answer is not HTTP.
    OriginProtocol,
    /// An unread tunnel would have carried a managed platform, by its certificate.
    CoversManagedPlatform,
    /// The rules or the grant that let a flow pass no longer do.
    PermissionEnded,
    /// What is known of grants is too old: the database that the gateways share has been out of reach for too long.
    GrantsUnknown,
    /// The client, or the door, has as many connections as it may.
    ConnectionLimit,
    /// The record cannot be kept: no record, no access.
    RecordUnavailable,
    /// A certificate could not be issued.
    MintFailed,
    /// Something of ours is broken.
    Internal,
}

impl FaultCode {
    /// The name used in records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::HeadTooLarge => "head-too-large",
            Self::ClientTimeout => "client-timeout",
            Self::ClientGone => "client-gone",
            Self::ClientTls => "client-tls",
            Self::ClientDistrusts => "client-distrusts",
            Self::Misdirected => "misdirected",
            Self::SniMismatch => "sni-mismatch",
            Self::ProtocolUnreadable => "protocol-unreadable",
            Self::NameNotFound => "name-not-found",
            Self::ResolveFailed => "resolve-failed",
            Self::AddressGuarded => "address-guarded",
            Self::ConnectRefused => "connect-refused",
            Self::ConnectTimeout => "connect-timeout",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateName => "certificate-name",
            Self::CertificateIssuer => "certificate-issuer",
            Self::CertificateBad => "certificate-bad",
            Self::OriginTls => "origin-tls",
            Self::OriginTimeout => "origin-timeout",
            Self::OriginGone => "origin-gone",
            Self::OriginProtocol => "origin-protocol",
            Self::CoversManagedPlatform => "covers-managed-platform",
            Self::PermissionEnded => "permission-ended",
            Self::GrantsUnknown => "grants-unknown",
            Self::ConnectionLimit => "connection-limit",
            Self::RecordUnavailable => "record-unavailable",
            Self::MintFailed => "mint-failed",
            Self::Internal => "internal",
        }
    }
}

/// A failure: whose, where, what. A refusal is not a fault.
#[derive(Debug)]
pub struct Fault {
    /// Whose fault it is.
    pub blame: Blame,
    /// Where it happened.
    pub stage: Stage,
    /// What it is.
    pub code: FaultCode,
    /// For the log and the employee: what happened, without secrets.
    pub detail: String,
}

impl Fault {
    /// A fault with its detail in words.
    pub fn new(blame: Blame, stage: Stage, code: FaultCode, detail: impl Into<String>) -> Self {
        Self {
            blame,
            stage,
            code,
            detail: detail.into(),
        }
    }

    /// Something of ours is broken.
    pub fn internal(stage: Stage, detail: impl fmt::Display) -> Self {
        Self::new(Blame::House, stage, FaultCode::Internal, detail.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Fault {}

/// In which way a flow ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Everything was delivered.
    Completed,
    /// The guard said no.
    Refused,
    /// It was asked to prove who it is.
    Challenged,
    /// Something failed.
    Failed {
        /// Whose fault.
        blame: Blame,
        /// Where.
        stage: Stage,
        /// What.
        code: FaultCode,
    },
    /// The guard ended a long flow, for this reason.
    Cut(String),
    /// The flow vanished without an ending: the task that carried it was dropped.
    Abandoned,
}

impl From<&Fault> for End {
    fn from(fault: &Fault) -> Self {
        Self::Failed {
            blame: fault.blame,
            stage: fault.stage,
            code: fault.code,
        }
    }
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// In which way.
    pub end: End,
    /// The status that the client got, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the gateway read the flow's content.
    pub decrypted: bool,
    /// Content bytes from client to origin.
    pub bytes_up: u64,
    /// Content bytes from origin to client.
    pub bytes_down: u64,
    /// From opening to closing, in milliseconds.
    pub duration_ms: u64,
    /// Until the judgement was made, in microseconds.
    #[serde(default)]
    pub judged_us: u64,
}
