//! The Cedar schema, read as a vocabulary: which activities, groups, purposes and kinds of employment there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Activity, PurposeId};

/// The words that rules are written with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    pub(super) activities: BTreeMap<Activity, BTreeSet<String>>,
    pub(super) groups: BTreeSet<String>,
    pub(super) purposes: BTreeSet<PurposeId>,
    pub(super) employments: BTreeSet<String>,
}

impl Vocabulary {
    /// Every activity with the groups it is in (`post` -> `publish`).
    pub fn activities(&self) -> &BTreeMap<Activity, BTreeSet<String>> {
        &self.activities
    }

    /// The groups of activities: `read`, `engage`, `publish`, `administer`, …
    pub fn groups(&self) -> &BTreeSet<String> {
        &self.groups
    }

    /// The purposes that rules may name; they must be those of the purpose catalogue.
    pub fn purposes(&self) -> &BTreeSet<PurposeId> {
        &self.purposes
    }

    /// The kinds of employment that rules may name.
    pub fn employments(&self) -> &BTreeSet<String> {
        &self.employments
    }

    /// Whether the activity is in `group`.
    pub fn is_in(&self, activity: &Activity, group: &str) -> bool {
        self.activities
            .get(activity)
            .is_some_and(|groups| groups.contains(group))
    }

    /// Whether the activity speaks to the public or acts for a page: its record is durable before the request
    /// leaves. An activity that the schema does not know is taken for one that does.
    pub fn publishes(&self, activity: &Activity) -> bool {
        match self.activities.get(activity) {
            Some(groups) => groups.contains("publish") || groups.contains("administer"),
            None => true,
        }
    }
}
