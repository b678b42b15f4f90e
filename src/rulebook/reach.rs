//! How far a purpose reaches: what a grant of it would open, where, to whoever states it. Read off the rules, so that nobody is
//! offered, asked to approve or given what opens nothing.

use std::cell::OnceCell;
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
    /// What it opens of these groups, where that is known.
    pub opens: BTreeSet<Activity>,
}

impl Width {
    /// So far, by the terms of a purpose.
    pub fn of(purpose: &Purpose, covers: BTreeSet<String>) -> Self {
        Self {
            default_for: purpose.default_for(&covers),
            idle: purpose.idle_for(&covers),
            opens: BTreeSet::new(),
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
        let mut widths: Vec<Width> = std::iter::once(least).chain(wider).collect();
        self.tell_opened(&mut widths, self.opened_there(seen, purpose, offer).as_ref());
        widths
    }

    /// Has each say what it opens of its groups, of all that a grant of the purpose opens.
    pub fn tell_opened(&self, widths: &mut [Width], opened: Option<&BTreeSet<Activity>>) {
        for width in widths {
            width.opens = opened.map_or_else(BTreeSet::new, |opened| self.in_groups(opened, &width.covers));
        }
    }

    fn opened_there(&self, seen: &Observation, purpose: &Purpose, offer: &Offer) -> Option<BTreeSet<Activity>> {
        let person = seen.person.as_deref()?;
        let platform = self.catalog.place(seen.ask.host()).platform?;
        let approver = purpose.supposed_approver(&person.id, person.manager.as_ref());
        let by = come_by(offer, approver.as_ref())?;
        Some(self.opened_if_held(person, purpose, (by, seen.at), &BTreeSet::from([platform])))
    }

    /// Where else than on the platform of what was refused a grant of each of these offers would open something: all of them
    /// together, as what they have in common is asked once.
    pub fn elsewhere(&self, seen: &Observation, offers: &[&Offer]) -> Vec<BTreeSet<PlatformId>> {
        let mut found = vec![BTreeSet::new(); offers.len()];
        let (Some(person), Some(subject)) = (&seen.person, &seen.subject) else {
            return found;
        };
        let who = Visitor {
            person,
            subject,
            arrival: &seen.arrival,
        };
        let here = self.catalog.place_of(&seen.ask).platform;
        let purposes = || offers.iter().map(|offer| self.purposes.get(&offer.purpose));
        let approvers = purposes()
            .map(|purpose| purpose.and_then(|one| one.supposed_approver(&person.id, person.manager.as_ref())));
        let approvers: Vec<Option<SubjectId>> = approvers.collect();
        let platforms: BTreeSet<&PlatformId> = purposes().flatten().flat_map(|purpose| &purpose.platforms).collect();
        for platform in platforms.into_iter().filter(|id| here.as_ref() != Some(*id)) {
            let Some(bare) = self.at_the_door((who, person), platform, seen.at) else {
                continue;
            };
            let held = offers
                .iter()
                .zip(purposes())
                .zip(&approvers)
                .map(|((offer, purpose), approver)| {
                    let purpose = purpose.filter(|purpose| purpose.platforms.contains(platform))?;
                    let by = come_by(offer, approver.as_ref())?;
                    Some((offer, holding(&bare, purpose, (&offer.covers, by), platform)))
                });
            let held: Vec<Option<(&&Offer, Observation)>> = held.collect();
            let opens = self.in_front(&bare, |front| {
                let opens = |(offer, holds): &(&&Offer, Observation)| {
                    front.opens_any(&front.sitting.holding(holds), &offer.covers)
                };
                held.iter()
                    .map(|held| held.as_ref().is_some_and(opens))
                    .collect::<Vec<bool>>()
            });
            let opening = found.iter_mut().zip(opens.unwrap_or_default());
            for (platforms, _) in opening.filter(|(_, opens)| *opens) {
                platforms.insert(platform.clone());
            }
        }
        found
    }

    fn wider(&self, seen: &Observation, purpose: &Purpose, offer: &Offer) -> Option<Vec<Width>> {
        let (person, subject) = (seen.person.as_deref()?, seen.subject.as_ref()?);
        let platform = self.catalog.place_of(&seen.ask).platform?;
        let approver = purpose.supposed_approver(&person.id, person.manager.as_ref());
        let by = come_by(offer, approver.as_ref())?;
        let visitor = Visitor {
            person,
            subject,
            arrival: &seen.arrival,
        };
        // a shared host is the platform's at some paths only
        let shared = seen.ask.head().filter(|_| self.catalog.is_shared(seen.ask.host()));
        let path = shared.map_or("/", |head| &head.path);
        let bare = Observation {
            ask: self.door(format!("https://{}{path}", seen.ask.host()))?,
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
            let held = [hypothetical(purpose, (&person.id, seen.at), &covers, by, [&platform])];
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
            for could in &front.doings {
                let groups = could.1.iter().filter(|group| purpose.covers.contains(*group));
                let new: BTreeSet<&String> = groups.filter(|group| !opened.contains(*group)).collect();
                if !new.is_empty() && front.opens(could, &stand) {
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
        let place = self.catalog.place_of(&bare.ask);
        let path = bare
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let sitting = self.sitting(bare, (&place, &path))?;
        let activities = self.policy.vocabulary().activities().iter();
        let front = Front {
            through: sitting.doing(None).free(),
            doings: activities
                .map(|(activity, groups)| (activity, groups, OnceCell::new()))
                .collect(),
            sitting: &sitting,
        };
        Some(act(&front))
    }
}

/// Somebody at the front door of a platform.
pub(super) struct Front<'f> {
    sitting: &'f Sitting<'f>,
    /// What becomes of the flow without a grant.
    through: Brief,
    /// Each activity, and the flow that does it, once that is asked.
    doings: Vec<Could<'f>>,
}

/// An activity that somebody could do, with its groups.
type Could<'f> = (&'f Activity, &'f BTreeSet<String>, OnceCell<Doing<'f>>);

impl<'f> Front<'f> {
    /// The first of these activities that nobody may do there who holds nothing.
    pub(super) fn shut<'a>(&self, among: &[&'a Activity]) -> Option<&'a Activity> {
        let is_shut = |activity: &&&Activity| self.free(&self.sitting.doing(Some(activity))) != Passage::Open;
        among.iter().find(is_shut).copied()
    }

    /// What becomes of what is done without a grant: what is not read passes where the flow does.
    fn free(&self, doing: &Doing<'_>) -> Passage {
        if self.through.inspect {
            doing.free().passage
        } else {
            self.through.passage
        }
    }

    /// Whether an activity is read under a grant, and passes as it would not without one.
    fn opens(&self, (activity, _, doing): &Could<'f>, stand: &Stand<'_>) -> bool {
        let doing = doing.get_or_init(|| self.sitting.doing(Some(activity)));
        let under = doing.under(stand);
        under.inspect && under.passage.is_wider_than(self.free(doing))
    }

    /// Whether the flow passes unread under a grant, and would not pass without one.
    fn passes_unread(&self, stand: &Stand<'_>) -> bool {
        let under = self.sitting.doing(None).under(stand);
        !under.inspect && under.passage.is_wider_than(self.through.passage)
    }

    fn opens_any(&self, stand: &Stand<'_>, among: &BTreeSet<String>) -> bool {
        let mut covered = self.doings.iter().filter(|(_, groups, _)| !groups.is_disjoint(among));
        self.passes_unread(stand) || covered.any(|could| self.opens(could, stand))
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
        .map(|person| hypothetical(purpose, (&person.id, bare.at), covers, by, [platform]));
    Observation {
        standing: Standing::new(grant, bare.at),
        ..bare.clone()
    }
}
