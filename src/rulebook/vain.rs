//! What is declared in vain: where a grant of it would surely open nothing, whoever holds it, so that it is not given, and
//! nobody is asked to approve it.
//!
//! INVARIANT: a purpose that would open something is never refused so. The rules are read for what they could let pass
//! ([`Outlook`]): whatever they ask of a request that nobody has sent yet may be so. The judgement at the door decides anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Rulebook;
use super::reach::holding;
use super::remedy::{By, hypothetical};
use super::weigh::Visitor;
use crate::clock::Timestamp;
use crate::facts::{Activity, Category, Grant, Host, Person, Place, PlatformId, Reading, SiteRole, Wording};
use crate::policy::{NamedKind, Outlook, There};
use crate::purpose::{GROUPS, Purpose, Terms, Unfit, Vain, working_time_after};

/// So many platforms are named where a purpose does open something.
const NAMED: usize = 5;
/// What goes with being somewhere: a purpose that opens no more than this opens nothing.
const GOES_ALONG: [&str; 5] = ["login", "logout", "realtime", "embed", "telemetry"];

impl Rulebook {
    /// Of the platforms of a declaration that fits otherwise, those on which its grant would surely open nothing as long as it
    /// may be in force, as what is wrong with it.
    pub(super) fn vain(
        &self,
        who: Visitor<'_>,
        (purpose, terms): (&Purpose, &Terms),
        by: By<'_>,
        at: Timestamp,
    ) -> Vec<Unfit> {
        let grant = Grant {
            ticket: terms.ticket.clone(),
            ..hypothetical(purpose, (&who.person.id, at), &terms.covers, by, &terms.platforms)
        };
        let lasts = terms.expires.since(terms.not_before);
        let Some(outlook) = self.outlook(who.person, (purpose, &grant), (by, at, lasts)) else {
            return Vec::new();
        };
        let surely_opens_nothing = |platform: &&PlatformId| !self.could(&outlook, platform, &|there| self.opens_any(there));
        let vain: Vec<&PlatformId> = terms.platforms.iter().filter(surely_opens_nothing).collect();
        if vain.is_empty() {
            return Vec::new();
        }
        let person = Arc::new(who.person.clone());
        let held = (&terms.covers, by);
        let elsewhere = self.named_elsewhere((who, &person), purpose, held, (&vain, at));
        let unfit = vain.into_iter().map(|platform| {
            let why = self.why_not((who, &person), purpose, held, (platform, at));
            Unfit::OpensNothingThere(Vain {
                purpose: purpose.id.clone(),
                platform: platform.clone(),
                is_open: why.is_none(),
                why: why.unwrap_or_default(),
                elsewhere: elsewhere.clone(),
            })
        });
        unfit.collect()
    }

    /// What a grant that is come by so could open while it is in force; none where that cannot be told.
    pub(super) fn outlook(
        &self,
        person: &Person,
        (purpose, grant): (&Purpose, &Grant),
        (by, at, lasts): (By<'_>, Timestamp, std::time::Duration),
    ) -> Option<Outlook<'_>> {
        let given_by = match by {
            By::Approval(_) => working_time_after(at, purpose.answer_within, &person.time_zone),
            By::Declaring | By::Emergency => at,
        };
        self.policy.outlook(person, grant, (at, given_by.plus(lasts)))
    }

    /// Whether a grant could open something on a platform, going by `opens`. Where no host of it is known, nobody can tell.
    pub(super) fn could(
        &self,
        outlook: &Outlook<'_>,
        platform: &PlatformId,
        opens: &dyn Fn(&There<'_>) -> bool,
    ) -> bool {
        let places = self.spots().get(platform);
        places.is_none_or(|places| outlook.could(places, opens))
    }

    /// Whether it opens any activity there that is worth a purpose, or the way where nobody reads.
    pub(super) fn opens_any(&self, there: &There<'_>) -> bool {
        let activities = self.policy.vocabulary().activities().keys();
        let mut worth_it = activities.filter(|activity| !GOES_ALONG.contains(&activity.as_str()));
        there.passes_unread() || worth_it.any(|activity| there.opens(activity.as_str()))
    }

    /// Whether it opens an activity of a group there.
    pub(super) fn opens_of(&self, there: &There<'_>, group: &str) -> bool {
        let mut activities = self.policy.vocabulary().activities().iter();
        activities.any(|(activity, groups)| groups.contains(group) && there.opens(activity.as_str()))
    }

    /// Of each platform the hosts that rules name, and one of each kind beside.
    fn spots(&self) -> &BTreeMap<PlatformId, Vec<Place>> {
        self.spots.get_or_init(|| {
            let named = self.policy.names_of(NamedKind::Site).into_iter();
            let named: BTreeSet<Host> = named.filter_map(|name| Host::parse(name).ok()).collect();
            let mut kinds: BTreeSet<(PlatformId, Arc<BTreeSet<Category>>, Arc<BTreeSet<SiteRole>>)> = BTreeSet::new();
            let mut spots: BTreeMap<PlatformId, Vec<Place>> = BTreeMap::new();
            let of_each_kind = self.catalog.places().into_iter().filter(|place| {
                let platform = place.platform.clone();
                let kind = platform.map(|id| (id, Arc::clone(&place.categories), Arc::clone(&place.roles)));
                !named.contains(&place.host) && kind.is_some_and(|kind| kinds.insert(kind))
            });
            for place in of_each_kind.chain(named.iter().map(|host| self.catalog.place(host))) {
                if let Some(platform) = &place.platform {
                    spots.entry(platform.clone()).or_default().push(place);
                }
            }
            spots
        })
    }

    /// Some platforms beside these on which it does open something now, those first that are known best.
    fn named_elsewhere(
        &self,
        who: (Visitor<'_>, &Arc<Person>),
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (vain, at): (&[&PlatformId], Timestamp),
    ) -> BTreeSet<PlatformId> {
        let mut others: Vec<&PlatformId> = purpose.platforms.iter().filter(|id| !vain.contains(id)).collect();
        others.sort_by_key(|id| std::cmp::Reverse(self.catalog.signatures_of(id)));
        let opens = |platform: &&&PlatformId| {
            let bare = self.at_the_door(who, platform, at);
            bare.is_some_and(|bare| self.opens_something(&bare, purpose, held, (platform, &purpose.covers)))
        };
        others.iter().filter(opens).take(NAMED).map(|id| (*id).clone()).collect()
    }

    /// What the rules say to whoever holds a grant of `purpose`, and does the mildest that it covers and that is not open
    /// anyway; none where all of that is.
    fn why_not(
        &self,
        who: (Visitor<'_>, &Arc<Person>),
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (platform, at): (&PlatformId, Timestamp),
    ) -> Option<Vec<Wording>> {
        let Some(bare) = self.at_the_door(who, platform, at) else {
            return Some(Vec::new());
        };
        let covered = GROUPS.iter().filter(|group| held.0.contains(**group));
        let mut mildest_first: Vec<&Activity> = Vec::new();
        for group in covered {
            let activities = self.policy.vocabulary().activities().iter();
            let activities = activities.filter(|(_, groups)| groups.contains(*group));
            mildest_first.extend(activities.map(|(activity, _)| activity));
        }
        let shut = self.in_front(&bare, |front| front.shut(&mildest_first).cloned());
        let shut = reading(shut.flatten()?);
        let judged = self.judge_as(&holding(&bare, purpose, held, platform), Some(&shut));
        let lasting = judged.reasons().iter().filter(|reason| reason.fix.is_none());
        Some(lasting.map(|reason| reason.text.clone()).take(1).collect())
    }
}

fn reading(activity: Activity) -> Reading {
    Reading {
        activities: BTreeSet::from([activity.clone()]),
        activity,
        signatures: BTreeSet::new(),
    }
}
