//! Who looked at what was decided about others.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::principal::SubjectId;
use super::record::RecordId;

/// In which way somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessAct {
    /// They looked for decisions, or for other lines of the book.
    Searched,
    /// They watched decisions as they were made.
    Watched,
    /// They had one explained.
    Explained,
    /// They took away what a search found.
    Exported,
}

impl AccessAct {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Searched => "searched",
            Self::Watched => "watched",
            Self::Explained => "explained",
            Self::Exported => "exported",
        }
    }
}

/// What somebody looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// What they looked for: the filters by their names, as they were given. Empty: everything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wanted: BTreeMap<String, String>,
    /// The one decision that they looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// Whom that was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whose: Option<SubjectId>,
    /// Where several share the full name that was looked for: all of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub namesakes: BTreeSet<SubjectId>,
}

impl Access {
    /// The same about those of a full name, as far as they are known: one of them is whom it is about.
    #[must_use]
    pub fn of_those_called_so(self, called: impl IntoIterator<Item = SubjectId>) -> Self {
        let mut namesakes: BTreeSet<SubjectId> = called.into_iter().collect();
        let whose = if namesakes.len() == 1 {
            namesakes.pop_first()
        } else {
            None
        };
        Self {
            whose,
            namesakes,
            ..self
        }
    }

    /// Everybody whom it is or may be about.
    pub fn about(&self) -> impl Iterator<Item = &SubjectId> {
        self.whose.iter().chain(&self.namesakes)
    }
}
