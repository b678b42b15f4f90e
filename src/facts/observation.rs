//! Everything a judgement depends on beside the rulebook. What is recorded of it replays to the same judgement.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::arrival::Arrival;
use super::destination::{Authority, Host};
use super::principal::{Person, Subject};
use super::request::Head;
use super::standing::{PurposeId, Standing};
use crate::clock::Timestamp;

/// What is asked of the guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// A tunnel to a host: judged by `connect` and `inspect`.
    Connect(Authority),
    /// One request, in clear or inside an intercepted flow: judged by `connect` and, where `inspect` is permitted,
    /// by what it does.
    Request(Authority, Box<Head>),
}

impl Ask {
    /// Where it wants to go.
    pub fn authority(&self) -> &Authority {
        match self {
            Self::Connect(authority) | Self::Request(authority, _) => authority,
        }
    }

    /// The host it wants to reach.
    pub fn host(&self) -> &Host {
        &self.authority().host
    }

    /// The request's judgeable part, if it is a request.
    pub fn head(&self) -> Option<&Head> {
        match self {
            Self::Connect(_) => None,
            Self::Request(_, head) => Some(head),
        }
    }
}

/// One flow as seen, before anybody judged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// How it arrived.
    pub arrival: Arrival,
    /// What a method proved about its sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What the directory knows of that sender; none denies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Arc<Person>>,
    /// What is asked.
    pub ask: Ask,
    /// The grants in force. Which of them count is for the judgement: see `selected`.
    #[serde(default)]
    pub standing: Standing,
    /// The purpose that a user-name suffix or header selected: only its grants count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<PurposeId>,
    /// When.
    pub at: Timestamp,
}
