//! How far a purpose reaches: what a grant of it would open, where, to whoever states it. Read off the rules, so that nobody is
//! offered, asked to approve or given what opens nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Rulebook;
use super::brief::Passage;
use super::remedy::{By, hypothetical};
use super::weigh::Visitor;
use crate::clock::Timestamp;
use crate::facts::{Activity, Channel, Observation, Offer, PlatformId, Reading, Standing, SubjectId, Wording};
use crate::purpose::{Declaration, GROUPS, Purpose, Unfit, Vain};

/// How far ahead is looked for an hour at which a purpose opens something: some open in the lunch break.
const HOURS_AHEAD: u64 = 24;
/// So many platforms are named where a purpose does open something.
const NAMED: usize = 5;

/// How far a grant may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Width {
    /// The groups of activities that it covers.
    pub covers: BTreeSet<String>,
    /// How long it lasts unless the declaration says otherwise.
    pub default_for: Duration,
    /// How long it may go unused.
    pub idle: Option<Duration>,
}

impl Width {
    /// So far, by the terms of a purpose.
    pub fn of(purpose: &Purpose, covers: BTreeSet<String>) -> Self {
        Self {
            default_for: purpose.default_for(&covers),
            idle: purpose.idle_for(&covers),
            covers,
        }
    }
}

impl Rulebook {
    /// How far a grant of what is offered may go: first as far as what was refused needs, then further, step by step, with
    /// what the rules would open to the same person in the same place.
    pub fn widths(&self, seen: &Observation, offer: &Offer) -> Vec<Width> {
        let Some(purpose) = self.purposes.get(&offer.purpose) else {
            return Vec::new();
        };
        let least = Width::of(purpose, offer.covers.clone());
        let wider = self.wider(seen, purpose, offer).unwrap_or_default();
        std::iter::once(least).chain(wider).collect()
    }

    /// Where else than on the platform of what was refused a grant of what is offered would open something.
    pub fn elsewhere(&self, seen: &Observation, offer: &Offer) -> BTreeSet<PlatformId> {
        let found = || {
            let purpose = self.purposes.get(&offer.purpose)?;
            let (person, subject) = (seen.person.as_ref()?, seen.subject.as_ref()?);
            let approver = purpose.supposed_approver(&person.id, person.manager.as_ref());
            let by = come_by(offer, approver.as_ref())?;
            let who = Visitor {
                person,
                subject,
                arrival: &seen.arrival,
            };
            let opens = |platform: &&PlatformId| {
                let held = (&offer.covers, by);
                let bare = self.at_the_door((who, person), platform, seen.at);
                bare.is_some_and(|bare| {
                    let opened = self.opened_of(&bare, purpose, held, (platform, &offer.covers));
                    !opened.is_empty() || self.passes_unread(&bare, purpose, held, platform)
                })
            };
            let here = self.catalog.place(seen.ask.host()).platform;
            let others = purpose.platforms.iter().filter(|id| here.as_ref() != Some(*id));
            Some(others.filter(opens).cloned().collect())
        };
        found().unwrap_or_default()
    }

    fn wider(&self, seen: &Observation, purpose: &Purpose, offer: &Offer) -> Option<Vec<Width>> {
        let (person, subject) = (seen.person.as_deref()?, seen.subject.as_ref()?);
        let platform = self.catalog.place(seen.ask.host()).platform?;
        let approver = purpose.supposed_approver(&person.id, person.manager.as_ref());
        let by = come_by(offer, approver.as_ref())?;
        let visitor = Visitor {
            person,
            subject,
            arrival: &seen.arrival,
        };
        let bare = Observation {
            ask: self.door(format!("https://{}/", seen.ask.host()))?,
            standing: Standing::default(),
            ..seen.clone()
        };
        let opened = self.opened(&bare, purpose, (&purpose.covers, by), &platform);
        let mut covers = offer.covers.clone();
        let mut wider = Vec::new();
        for group in GROUPS.iter().filter(|group| opened.contains(**group)) {
            if !covers.insert((*group).to_owned()) {
                continue;
            }
            let may = self.may_declare_for(visitor, purpose, &covers, (Channel::Portal, seen.at));
            // a rule may want a narrow grant for what was refused
            let held = [hypothetical(purpose, person, seen, &covers, by, &platform)];
            let judged = self.judge(&Observation {
                standing: Standing::new(held, seen.at),
                ..seen.clone()
            });
            if may.is_some() && (judged.is_allowed() || judged.coach().is_some()) {
                wider.push(Width::of(purpose, covers.clone()));
            }
        }
        Some(wider)
    }

    /// The platforms of `purpose` on which it opens something to somebody, and the groups of activities that it opens there;
    /// nothing where it needs an approval and nobody could give that.
    pub fn reach(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        at: Timestamp,
    ) -> (BTreeSet<PlatformId>, BTreeSet<String>) {
        let approver = purpose.supposed_approver(&who.person.id, who.person.manager.as_ref());
        let by = match (&approver, purpose.approval.is_needed()) {
            (Some(approver), true) => By::Approval(approver),
            (None, true) => return (BTreeSet::new(), BTreeSet::new()),
            (_, false) => By::Declaring,
        };
        self.reach_by(who, purpose, by, at)
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
        let (mut platforms, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let person = Arc::new(who.person.clone());
        for platform in &purpose.platforms {
            let Some(bare) = self.at_the_door((who, &person), platform, at) else {
                continue;
            };
            let opened = self.opened(&bare, purpose, (&purpose.covers, by), platform);
            if !opened.is_empty() || self.passes_unread(&bare, purpose, (&purpose.covers, by), platform) {
                platforms.insert(platform.clone());
                groups.extend(opened);
            }
        }
        (platforms, groups)
    }

    /// Of the platforms of a declaration that fits otherwise, those on which its grant would open nothing at any hour of the
    /// coming day, as what is wrong with it.
    pub(super) fn vain(
        &self,
        who: Visitor<'_>,
        (declaration, purpose, covers): (&Declaration, &Purpose, &BTreeSet<String>),
        by: By<'_>,
        at: Timestamp,
    ) -> Vec<Unfit> {
        // one request is tried; where rules look at more of it than what it does, another may pass
        if self.policy.heeds_requests() {
            return Vec::new();
        }
        let person = Arc::new(who.person.clone());
        let opens = |platform: &PlatformId, hours: u64| {
            (0..hours).any(|hour| {
                let at = at.plus(Duration::from_hours(hour));
                // where no host of a platform is known, nobody can tell
                self.at_the_door((who, &person), platform, at).is_none_or(|bare| {
                    !self.opened(&bare, purpose, (covers, by), platform).is_empty()
                        || self.passes_unread(&bare, purpose, (covers, by), platform)
                })
            })
        };
        let vain = declaration
            .platforms
            .iter()
            .filter(|platform| !opens(platform, HOURS_AHEAD));
        let vain = vain.map(|platform| {
            let mut others: Vec<&PlatformId> = purpose.platforms.iter().collect();
            others.sort_by_key(|id| std::cmp::Reverse(self.catalog.signatures_of(id)));
            let elsewhere = others.into_iter().filter(|id| opens(id, 1)).take(NAMED);
            Unfit::OpensNothingThere(Vain {
                purpose: purpose.id.clone(),
                platform: platform.clone(),
                why: self.why_not((who, &person), purpose, (covers, by), (platform, at)),
                elsewhere: elsewhere.cloned().collect(),
            })
        });
        vain.collect()
    }

    /// What the rules say to whoever holds a grant of `purpose`, and does the mildest that it covers.
    fn why_not(
        &self,
        who: (Visitor<'_>, &Arc<crate::facts::Person>),
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (platform, at): (&PlatformId, Timestamp),
    ) -> Vec<Wording> {
        let Some(bare) = self.at_the_door(who, platform, at) else {
            return Vec::new();
        };
        let seen = holding(&bare, purpose, held, platform);
        let does = |group: &&&str| held.0.contains(**group);
        let mildest = GROUPS.iter().find(does).copied().unwrap_or_default();
        let mut activities = self.policy.vocabulary().activities().iter();
        let activity = activities.find(|(_, groups)| groups.contains(mildest));
        let reading = activity.map(|(activity, _)| reading(activity));
        let judged = self.judge_as(&seen, reading.as_ref());
        let lasting = judged.reasons().iter().filter(|reason| reason.fix.is_none());
        lasting.map(|reason| reason.text.clone()).take(1).collect()
    }

    /// Somebody at the front door of a platform, with nothing in their hands.
    fn at_the_door(
        &self,
        (who, person): (Visitor<'_>, &Arc<crate::facts::Person>),
        platform: &PlatformId,
        at: Timestamp,
    ) -> Option<Observation> {
        let host = self.front_doors().get(platform)?;
        Some(Observation {
            arrival: who.arrival.clone(),
            subject: Some(who.subject.clone()),
            person: Some(Arc::clone(person)),
            ask: self.door(format!("https://{host}/"))?,
            standing: Standing::default(),
            selected: None,
            at,
        })
    }

    /// The groups of activities that a grant of `purpose` can cover and of which something may be done there under it.
    fn opened(
        &self,
        bare: &Observation,
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        platform: &PlatformId,
    ) -> BTreeSet<String> {
        self.opened_of(bare, purpose, held, (platform, &purpose.covers))
    }

    /// Those of these groups of which that is so.
    fn opened_of(
        &self,
        bare: &Observation,
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (platform, among): (&PlatformId, &BTreeSet<String>),
    ) -> BTreeSet<String> {
        let place = self.catalog.place(bare.ask.host());
        let path = bare
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let held = holding(bare, purpose, held, platform);
        let Some(sitting) = self.sitting(bare, (&place, &path)) else {
            return BTreeSet::new();
        };
        let stand = sitting.holding(&held);
        let mut opened = BTreeSet::new();
        for (activity, groups) in self.policy.vocabulary().activities() {
            let groups = groups.iter().filter(|group| among.contains(*group));
            let mut new = groups.filter(|group| !opened.contains(*group)).peekable();
            if new.peek().is_none() {
                continue;
            }
            let brief = sitting.doing(Some(activity)).under(&stand);
            if brief.inspect && brief.passage != Passage::Shut {
                let new: Vec<String> = new.cloned().collect();
                opened.extend(new);
            }
        }
        opened
    }

    /// Whether a grant of `purpose` opens the way there, and nobody reads what is done.
    fn passes_unread(
        &self,
        bare: &Observation,
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        platform: &PlatformId,
    ) -> bool {
        let Some(ask) = self.door(format!("{}:443", bare.ask.host())) else {
            return false;
        };
        let tunnel = Observation { ask, ..bare.clone() };
        let judged = self.judge(&holding(&tunnel, purpose, held, platform));
        !judged.inspect() && (judged.is_allowed() || judged.coach().is_some())
    }
}

/// How a grant of what is offered would be come by.
fn come_by<'a>(offer: &Offer, approver: Option<&'a SubjectId>) -> Option<By<'a>> {
    if offer.needs_approval {
        approver.map(By::Approval)
    } else {
        Some(By::Declaring)
    }
}

/// The same under a grant of `purpose`.
fn holding(
    bare: &Observation,
    purpose: &Purpose,
    (covers, by): (&BTreeSet<String>, By<'_>),
    platform: &PlatformId,
) -> Observation {
    let grant = bare
        .person
        .as_deref()
        .map(|person| hypothetical(purpose, person, bare, covers, by, platform));
    Observation {
        standing: Standing::new(grant, bare.at),
        ..bare.clone()
    }
}

fn reading(activity: &Activity) -> Reading {
    Reading {
        activity: activity.clone(),
        activities: BTreeSet::from([activity.clone()]),
        signatures: BTreeSet::new(),
    }
}
