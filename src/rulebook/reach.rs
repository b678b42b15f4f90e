//! How far a purpose reaches: what a grant of it would open, where, to whoever states it. Read off the rules, so that nobody is
//! offered, asked to approve or given what opens nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Rulebook;
use super::brief::{Brief, Doing, Passage, Sitting, Stand};
use super::remedy::{By, hypothetical};
use super::weigh::Visitor;
use crate::clock::Timestamp;
use crate::facts::{Activity, Channel, Observation, Offer, PlatformId, Standing, SubjectId};
use crate::purpose::{GROUPS, Purpose};

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
                bare.is_some_and(|bare| self.opens_something(&bare, purpose, held, (platform, &offer.covers)))
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
            let held = [hypothetical(purpose, (&person.id, seen.at), &covers, by, &platform)];
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
            let held = (&purpose.covers, by);
            let opened = self.opened(&bare, purpose, held, platform);
            if !opened.is_empty() || self.opens_something(&bare, purpose, held, (platform, &BTreeSet::new())) {
                platforms.insert(platform.clone());
                groups.extend(opened);
            }
        }
        (platforms, groups)
    }

    /// Somebody at the front door of a platform, with nothing in their hands.
    pub(super) fn at_the_door(
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

    /// The groups of activities that a grant of `purpose` can cover and of which something may be done there under it that may
    /// not be done without.
    fn opened(
        &self,
        bare: &Observation,
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        platform: &PlatformId,
    ) -> BTreeSet<String> {
        let holds = holding(bare, purpose, held, platform);
        let opened = self.in_front(bare, |front| {
            let stand = front.sitting.holding(&holds);
            let mut opened = BTreeSet::new();
            for (activity, groups) in front.activities() {
                let groups = groups.iter().filter(|group| purpose.covers.contains(*group));
                let new: BTreeSet<&String> = groups.filter(|group| !opened.contains(*group)).collect();
                if !new.is_empty() && front.opens(activity, &stand) {
                    opened.extend(new.into_iter().cloned());
                }
            }
            opened
        });
        opened.unwrap_or_default()
    }

    /// Whether such a grant opens something of these groups there, or the way where nobody reads what is done.
    pub(super) fn opens_something(
        &self,
        bare: &Observation,
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (platform, among): (&PlatformId, &BTreeSet<String>),
    ) -> bool {
        let holds = holding(bare, purpose, held, platform);
        let opens = self.in_front(bare, |front| front.opens_any(&front.sitting.holding(&holds), among));
        opens.unwrap_or_default()
    }

    /// Does something with who stands at the front door of a platform; not where nobody knows who that is.
    pub(super) fn in_front<T>(&self, bare: &Observation, act: impl FnOnce(&Front<'_>) -> T) -> Option<T> {
        let place = self.catalog.place(bare.ask.host());
        let path = bare
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let sitting = self.sitting(bare, (&place, &path))?;
        Some(act(&Front {
            rules: self,
            through: sitting.doing(None).free(),
            sitting: &sitting,
        }))
    }
}

/// Somebody at the front door of a platform.
pub(super) struct Front<'f> {
    rules: &'f Rulebook,
    sitting: &'f Sitting<'f>,
    /// What becomes of the flow without a grant.
    through: Brief,
}

impl<'f> Front<'f> {
    fn activities(&self) -> impl Iterator<Item = (&'f Activity, &'f BTreeSet<String>)> + use<'f> {
        self.rules.policy.vocabulary().activities().iter()
    }

    /// Whether an activity is read under a grant, and passes as it would not without one.
    fn opens(&self, activity: &Activity, stand: &Stand<'_>) -> bool {
        let doing = self.sitting.doing(Some(activity));
        let under = doing.under(stand);
        under.inspect && under.passage.is_wider_than(self.passes(&doing))
    }

    /// Whether somebody may do it who holds nothing.
    pub(super) fn is_open(&self, activity: &Activity) -> bool {
        self.passes(&self.sitting.doing(Some(activity))) == Passage::Open
    }

    /// Whether it passes without a grant; what is not read does where the flow does.
    fn passes(&self, doing: &Doing<'_>) -> Passage {
        if self.through.inspect {
            doing.free().passage
        } else {
            self.through.passage
        }
    }

    /// Whether the flow passes unread under a grant, and would not pass without one.
    fn passes_unread(&self, stand: &Stand<'_>) -> bool {
        let under = self.sitting.doing(None).under(stand);
        !under.inspect && under.passage.is_wider_than(self.through.passage)
    }

    fn opens_any(&self, stand: &Stand<'_>, among: &BTreeSet<String>) -> bool {
        let mut covered = self.activities().filter(|(_, groups)| !groups.is_disjoint(among));
        self.passes_unread(stand) || covered.any(|(activity, _)| self.opens(activity, stand))
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
pub(super) fn holding(
    bare: &Observation,
    purpose: &Purpose,
    (covers, by): (&BTreeSet<String>, By<'_>),
    platform: &PlatformId,
) -> Observation {
    let grant = bare
        .person
        .as_deref()
        .map(|person| hypothetical(purpose, (&person.id, bare.at), covers, by, platform));
    Observation {
        standing: Standing::new(grant, bare.at),
        ..bare.clone()
    }
}
