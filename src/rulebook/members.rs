//! Who is in the groups that purposes name to approve. A group may be any part of a hundred thousand people, and is asked for
//! by every page that says whom to wait for: so they are looked for once for each change of people or rules, and only then
//! when somebody asks.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::{Directory, InForce};
use crate::facts::Person;
use crate::purpose::{Approver, Purposes, is_member};

/// The members of each group, by name.
#[derive(Debug, Default)]
pub(super) struct Members(OnceLock<BTreeMap<String, Vec<Arc<Person>>>>);

impl InForce {
    /// Everybody in a group that some purpose names, by name.
    pub(super) fn members(&self, group: &str) -> &[Arc<Person>] {
        let all = self
            .members
            .0
            .get_or_init(|| members(self.rulebook.purposes(), &self.directory));
        all.get(group).map_or(&[], Vec::as_slice)
    }
}

fn members(purposes: &Purposes, directory: &Directory) -> BTreeMap<String, Vec<Arc<Person>>> {
    let mut groups: BTreeMap<String, Vec<Arc<Person>>> = BTreeMap::new();
    for purpose in purposes.iter() {
        let alternates = purpose.alternates.iter().flat_map(|alternates| &alternates.who);
        for one in purpose.approval.of.iter().chain(alternates) {
            if let Approver::Group(group) = one {
                groups.entry(group.clone()).or_default();
            }
        }
    }
    for person in directory.people() {
        for (group, members) in &mut groups {
            if is_member(person, group) {
                members.push(Arc::clone(person));
            }
        }
    }
    groups
}
