//! What people did about a grant beside stating it: answered it, ended it, reviewed it, continued past a refusal.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::arrival::Arrival;
use super::destination::Host;
use super::principal::{MethodName, SubjectId};
use super::ruling::PolicyId;
use super::standing::{GrantId, PurposeId};
use crate::clock::Timestamp;

/// What somebody who could approve a grant said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who.
    pub by: SubjectId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub verdict: Verdict,
    /// Why, in their own words. Not judged, so records of requests leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// As what they answered, of those whom the terms of the purpose name: `owner`, `group:legal`.
    #[serde(rename = "as", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seats: BTreeSet<String>,
    /// For whom, where somebody else lets them answer.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub behalf: Option<Behalf>,
    /// How many approvals were still missing after this one.
    #[serde(default, skip_serializing_if = "is_none")]
    pub missing: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Answer {
    /// `by` approved, without a word.
    pub fn approval(by: SubjectId, at: Timestamp) -> Self {
        Self {
            by,
            at,
            verdict: Verdict::Approved,
            note: String::new(),
            seats: BTreeSet::new(),
            behalf: None,
            missing: 0,
        }
    }

    /// Whose answer it is: of whoever gave it, or of the one for whom they did.
    pub fn whose(&self) -> &SubjectId {
        self.behalf.as_ref().map_or(&self.by, |behalf| &behalf.whom)
    }
}

/// For whom somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behalf {
    /// Who lets them.
    pub whom: SubjectId,
    /// What the ledger calls that they do.
    pub delegation: GrantId,
}

/// Whom somebody lets answer for them what others ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// Whom.
    pub to: SubjectId,
    /// What is asked for these purposes; for any of them where it names none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes: BTreeSet<PurposeId>,
}

impl Delegated {
    /// Whether they may answer for them what is asked for this purpose.
    pub fn is_for(&self, purpose: &PurposeId) -> bool {
        self.purposes.is_empty() || self.purposes.contains(purpose)
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Approved,
    /// No.
    Declined,
}

/// That a grant was taken in an emergency, without the approval that it needs, and is to be reviewed for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Until when somebody must have looked at it: from then on its holder takes nothing so any more.
    pub review_by: Timestamp,
    /// What they found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

/// What somebody who could have approved a grant found of its being taken in an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who.
    pub by: SubjectId,
    /// When.
    pub at: Timestamp,
    /// Whether it was one.
    pub accepted: bool,
    /// Why, in their own words. Not judged, so records of requests leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Who ended a grant before its time was over, and said why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Who.
    pub by: SubjectId,
    /// Why, in their own words. Not judged, so records of requests leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How somebody came who asked for something: the rules are asked about it again when it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// From where.
    pub arrival: Arrival,
    /// How they proved who they are.
    pub method: MethodName,
}

/// What somebody was told, and continued past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continued {
    /// The host, where it is on no platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// The policies that refused it; none where no rule permitted it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub past: BTreeSet<PolicyId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_word_is_written_without_a_note() {
        let approval = Answer::approval(SubjectId::parse("mia").unwrap(), Timestamp::from_millis(0));
        let written = serde_json::to_string(&approval).unwrap();
        assert_eq!(
            written,
            r#"{"by":"mia","at":"1970-01-01T00:00:00.000Z","verdict":"approved"}"#
        );
        assert_eq!(serde_json::from_str::<Answer>(&written).unwrap(), approval);
    }
}
