//! What a purpose could open to whoever states it, however they do: for their own page, where nobody has chosen yet for what
//! platforms, with what covered and under which ticket.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Rulebook;
use super::remedy::{By, hypothetical};
use super::weigh::Visitor;
use crate::clock::Timestamp;
use crate::facts::{Grant, PlatformId};
use crate::policy::Outlook;
use crate::purpose::{GROUPS, LONGEST_EMERGENCY, Purpose};

/// What a purpose is found to open.
struct Prospect<'p> {
    rules: &'p Rulebook,
    who: Visitor<'p>,
    purpose: &'p Purpose,
    by: By<'p>,
    at: Timestamp,
    platforms: BTreeSet<PlatformId>,
    groups: BTreeSet<String>,
}

impl Rulebook {
    /// The platforms of `purpose` on which it could open something to somebody who states it at `at`, however they come there
    /// while they hold it, and the groups of activities that it could open there; nothing where it needs an approval and nobody
    /// could give that.
    pub fn reach(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        at: Timestamp,
    ) -> (BTreeSet<PlatformId>, BTreeSet<String>) {
        let approver = purpose.supposed_approver(&who.person.id, who.person.manager.as_ref());
        match (&approver, purpose.approval.is_needed()) {
            (Some(approver), true) => self.reach_by(who, purpose, By::Approval(approver), at),
            (None, true) => (BTreeSet::new(), BTreeSet::new()),
            (_, false) => self.reach_by(who, purpose, By::Declaring, at),
        }
    }

    /// The same in an emergency.
    pub fn reach_in_emergency(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        at: Timestamp,
    ) -> (BTreeSet<PlatformId>, BTreeSet<String>) {
        if self.may_break_glass(who, purpose, &purpose.covers, at) {
            self.reach_by(who, purpose, By::Emergency, at)
        } else {
            (BTreeSet::new(), BTreeSet::new())
        }
    }

    fn reach_by(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        by: By<'_>,
        at: Timestamp,
    ) -> (BTreeSet<PlatformId>, BTreeSet<String>) {
        let mut prospect = Prospect {
            rules: self,
            who,
            purpose,
            by,
            at,
            platforms: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        // all that it may be, first: mostly that is all that can be opened
        let all = prospect.grant(&purpose.covers, &purpose.platforms);
        prospect.look(&all);
        prospect.look_closer(&all);
        let may_lack_ticket = purpose.ticket.as_ref().is_some_and(|rule| !rule.required);
        if may_lack_ticket && self.policy.heeds_tickets() {
            let none = Grant { ticket: None, ..all };
            prospect.look(&none);
            prospect.look_closer(&none);
        }
        (prospect.platforms, prospect.groups)
    }
}

impl<'p> Prospect<'p> {
    fn grant(&self, covers: &BTreeSet<String>, platforms: &BTreeSet<PlatformId>) -> Grant {
        let grant = hypothetical(self.purpose, (&self.who.person.id, self.at), covers, self.by, platforms);
        // what it covers of this may be left out where it is stated
        Grant {
            expires: self.at.plus(self.lasts(covers)),
            ..grant
        }
    }

    fn lasts(&self, covers: &BTreeSet<String>) -> Duration {
        let each = covers.iter().map(|group| BTreeSet::from([group.clone()]));
        let lasts = each.map(|group| match self.by {
            By::Declaring | By::Approval(_) => self.purpose.default_for(&group),
            By::Emergency => self.purpose.longest_for(&group).min(LONGEST_EMERGENCY),
        });
        let lasts = lasts.max();
        lasts.unwrap_or_default()
    }

    fn outlook(&self, grant: &Grant) -> Option<Outlook<'p>> {
        let lasts = (self.by, self.at, self.lasts(&grant.covers));
        let outlook = self.rules.outlook(self.who.person, (self.purpose, grant), lasts);
        outlook.map(Outlook::of_any_ticket)
    }

    fn is_whole(&self) -> bool {
        self.platforms.len() == self.purpose.platforms.len() && self.groups.len() == self.purpose.covers.len()
    }

    /// Adds what a grant opens, where that is new.
    fn look(&mut self, grant: &Grant) {
        if self.is_whole() {
            return;
        }
        let Some(outlook) = self.outlook(grant) else {
            self.platforms.extend(grant.platforms.iter().cloned());
            self.groups.extend(grant.covers.iter().cloned());
            return;
        };
        let new = self.found(&outlook, grant);
        self.platforms.extend(new.0);
        self.groups.extend(new.1);
    }

    /// What a grant opens that is not found yet.
    fn found(&self, outlook: &Outlook<'_>, grant: &Grant) -> (BTreeSet<PlatformId>, BTreeSet<String>) {
        let rules = self.rules;
        let new = |group: &&String| !self.groups.contains(*group);
        let is_open_beside = rules.could_beside(outlook, &|there| rules.opens_any(there));
        let beside = |group: &&String| rules.could_beside(outlook, &|there| rules.opens_of(there, group));
        let mut groups: BTreeSet<String> = grant.covers.iter().filter(new).filter(beside).cloned().collect();
        let mut platforms = BTreeSet::new();
        for platform in grant.platforms.iter() {
            let is_open = || rules.could(outlook, platform, &|there| rules.opens_any(there));
            if !self.platforms.contains(platform) && !is_open_beside && !is_open() {
                continue;
            }
            platforms.insert(platform.clone());
            for group in grant.covers.iter().filter(new) {
                if !groups.contains(group) && rules.could(outlook, platform, &|there| rules.opens_of(there, group)) {
                    groups.insert(group.clone());
                }
            }
        }
        (platforms, groups)
    }

    /// A rule may want less than all that a purpose can be stated for: one platform, or few groups of activities. Where
    /// something of that could open what is not found yet, it is tried.
    fn look_closer(&mut self, all: &Grant) {
        if self.is_whole() || self.rules.policy.more_is_better() {
            return;
        }
        let Some(outlook) = self.outlook(all).map(Outlook::of_any_width) else {
            return;
        };
        let (platforms, groups) = self.found(&outlook, all);
        if groups.is_empty() && platforms.is_subset(&self.platforms) {
            return;
        }
        let purpose = self.purpose;
        for platform in &purpose.platforms {
            // a group may be opened on any platform
            let is_new = platforms.contains(platform) && !self.platforms.contains(platform);
            if !is_new && groups.is_subset(&self.groups) {
                continue;
            }
            for covers in choices(&purpose.covers) {
                let narrow = self.grant(&covers, &BTreeSet::from([platform.clone()]));
                self.look(&Grant {
                    ticket: all.ticket.clone(),
                    ..narrow
                });
            }
        }
    }
}

/// What can be chosen of what a purpose covers: the mildest and what is beyond it, step by step, and each by itself.
fn choices(covers: &BTreeSet<String>) -> BTreeSet<BTreeSet<String>> {
    let mut so_far = BTreeSet::new();
    let mut choices = BTreeSet::new();
    for group in GROUPS.iter().filter(|group| covers.contains(**group)) {
        so_far.insert((*group).to_owned());
        choices.extend([so_far.clone(), BTreeSet::from([(*group).to_owned()])]);
    }
    choices
}
