//! What a grant opens, activity by activity.

use std::collections::BTreeSet;

use super::{Outlook, When};
use crate::facts::{Activity, Place};

impl Outlook<'_> {
    /// Of these activities those that it could open at a place, at any time of its life.
    pub fn opened<'v>(&self, place: &Place, among: &[&'v Activity]) -> BTreeSet<&'v Activity> {
        let open = |when, among: &[&'v Activity]| -> Vec<&'v Activity> {
            let there = self.there(place, when);
            let opens = |activity: &&Activity| there.as_ref().is_none_or(|there| there.opens(activity.as_str()));
            among.iter().copied().filter(opens).collect()
        };
        let mut left = open(When::Ever, among);
        let ever = self.moments.is_empty().then(|| std::mem::take(&mut left));
        let mut opened: BTreeSet<&Activity> = ever.into_iter().flatten().collect();
        for at in &self.moments {
            if left.is_empty() {
                break;
            }
            opened.extend(open(When::At(*at), &left));
            left.retain(|activity| !opened.contains(activity));
        }
        opened
    }
}
