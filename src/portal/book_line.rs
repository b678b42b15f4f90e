//! One line of the book, as it is told.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::audit::Bookmark;
use crate::clock::Timestamp;
use crate::facts::{GrantId, PlatformId, PolicyId, PurposeId, RecordId, RulebookId, SubjectId, TokenId};

/// One line, as tools are told it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BookLine {
    pub(super) id: RecordId,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    pub(super) act: &'static str,
    /// Who did it.
    pub(super) by: Option<SubjectId>,
    /// To whom it was done, or about whom it is.
    pub(super) whose: Option<SubjectId>,
    pub(super) grant: Option<GrantId>,
    pub(super) token: Option<TokenId>,
    pub(super) purpose: Option<PurposeId>,
    pub(super) platforms: BTreeSet<PlatformId>,
    pub(super) what: String,
    pub(super) why: Vec<String>,
    /// Whether something was written that whoever reads this may not read.
    pub(super) withheld: bool,
    pub(super) policies: BTreeSet<PolicyId>,
    pub(super) policy_revision: Option<RulebookId>,
    pub(super) line: String,
    #[serde(skip)]
    pub(super) name: String,
    #[serde(skip)]
    pub(super) leads: Option<Leads>,
}

/// Where there is more about a line.
#[derive(Clone, Debug)]
pub(super) enum Leads {
    /// The grant has a page, which they may look at.
    Grant(GrantId),
    /// A decision.
    Decision(RecordId, Option<Bookmark>),
    /// Rules that ruled.
    Rules(RulebookId),
}
