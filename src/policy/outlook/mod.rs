//! What a grant could open to somebody, wherever they come from, however they prove who they are, whatever they send and at
//! whatever time of its life: so that nobody is told that it opens nothing where that is not so.
//!
//! INVARIANT: errs to one side only. Whatever a request could bring along to be permitted under the grant, and could not
//! without it, is never said to stay shut; what rules ask for that is not known here may be so.

mod opened;

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, Value};
use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::engine::{Doubt, Facts, Held, Number, Party};
use super::hearing::SCRATCH;
use super::values;
use super::wall::Wall;
use super::{Policy, RuleSet};
use crate::clock::Timestamp;
use crate::facts::{Effect, Grant, Person, Place};

/// What is not known of a grant before it is given; whoever approves it is known to somebody else.
const VAGUE: [&str; 4] = ["id", "declaredAt", "expiresAt", "approvedBy"];
/// ... where nobody has named a ticket yet.
const VAGUE_OF_TICKET: [&str; 5] = ["id", "declaredAt", "expiresAt", "approvedBy", "ticket"];
/// ... nor what it is for.
const VAGUE_UNSTATED: [&str; 7] = [
    "id",
    "declaredAt",
    "expiresAt",
    "approvedBy",
    "ticket",
    "platforms",
    "covers",
];
/// A rule may ask for more hosts than the catalogue has names for.
const VAGUE_OF_SITES: [&str; 1] = ["host"];
/// The days after which the same hours come again.
const WEEK: usize = 7;
/// So often a clock is put forward or back while a grant lives, and longer than that is not looked ahead.
const TURNS: usize = 8;

/// A grant that somebody may hold, before the rules.
#[derive(Debug)]
pub struct Outlook<'a> {
    policy: &'a Policy,
    principal: Party,
    wall: Wall,
    claim: Held,
    /// What of it is not known.
    vague: &'static [&'static str],
    /// When it may be in force.
    life: (Timestamp, Timestamp),
    /// Moments of that: whatever the rules say to a time of it, they say to one of these. Nothing where no two are alike.
    moments: Vec<Timestamp>,
}

/// When something is asked.
#[derive(Clone, Copy, Debug)]
enum When {
    /// At any time.
    Ever,
    /// Then.
    At(Timestamp),
}

/// The grant at one host.
pub struct There<'o> {
    outlook: &'o Outlook<'o>,
    resource: Party,
    when: When,
    way: Way,
    reading: Reading,
}

/// Whether a host is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Not under the grant.
    Shut,
    /// Maybe under it.
    MayOpen,
    /// Without it.
    Free,
}

/// Whether what is done there is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It is not, whatever is held.
    Never,
    /// It may be.
    Maybe,
    /// It is, whatever is held.
    Surely,
}

/// The grant under which something is asked.
#[derive(Clone, Copy, Debug)]
enum Under<'a> {
    /// None.
    Nothing,
    /// This one.
    This(&'a Held),
    /// None, this one or any other that somebody may hold beside.
    Whatever,
}

impl Policy {
    /// What `grant` could open to its holder between these moments; none where that cannot be told.
    pub fn outlook(&self, person: &Person, grant: &Grant, life: (Timestamp, Timestamp)) -> Option<Outlook<'_>> {
        let (principal, wall) = self.introduced(person).ok()?;
        let claim = self
            .nouns
            .claim_value(grant, |at| self.memory.values.moment(at.as_millis()));
        Some(Outlook {
            principal,
            wall,
            claim: self.engine.held(values::CLAIM, claim.ok()?),
            vague: &VAGUE,
            moments: self.moments(person, life),
            life,
            policy: self,
        })
    }

    /// Whatever the rules can tell apart of the times of a life, one moment of each; nothing where no two are alike.
    fn moments(&self, person: &Person, (from, until): (Timestamp, Timestamp)) -> Vec<Timestamp> {
        let heeded = self.heeded();
        let Some(zone) = self.nouns.zone(person).ok().filter(|_| !heeded.wall.opaque) else {
            return Vec::new();
        };
        let within = |at: &Timestamp| (from..until).contains(at);
        let turns = zone.following(from.calendar()).take(TURNS);
        let turns = turns.map(|turn| Timestamp::from(turn.timestamp()));
        let once = heeded.moments.iter().chain(person.training.values()).copied();
        let starts: BTreeSet<Timestamp> = once.chain(turns).filter(within).chain([from]).collect();
        let mut moments = BTreeSet::new();
        for start in starts {
            moments.extend([start, just_after(start)]);
            // beyond a week the same hours come again
            moments.extend(week_after(start, &heeded.hours, &zone));
        }
        let mut known = BTreeSet::new();
        let mut is_new = |at: &Timestamp| self.sides(Some(person), *at).is_none_or(|sides| known.insert(sides));
        moments.into_iter().filter(within).filter(|at| is_new(at)).collect()
    }
}

/// The times of the day on which rules may change, in the week after a moment.
fn week_after<'h>(
    start: Timestamp,
    hours: &'h BTreeSet<i64>,
    zone: &'h TimeZone,
) -> impl Iterator<Item = Timestamp> + 'h {
    let first = start.calendar().to_zoned(zone.clone()).date();
    let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(WEEK + 1);
    days.flat_map(move |day| {
        let midnight = day.to_datetime(Time::midnight());
        let times = hours.iter().copied().chain([0]);
        let local = times.filter_map(move |time| midnight.checked_add(SignedDuration::from_millis(time)).ok());
        let edges = local.filter_map(|local| Some(Timestamp::from(local.to_zoned(zone.clone()).ok()?.timestamp())));
        edges.flat_map(|edge| [edge, just_after(edge)])
    })
    .filter(move |edge| *edge >= start)
}

fn just_after(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(1))
}

impl Outlook<'_> {
    /// The same whatever ticket is named, where one is.
    #[must_use]
    pub fn of_any_ticket(self) -> Self {
        Self {
            vague: &VAGUE_OF_TICKET,
            ..self
        }
    }

    /// The same for whatever it may be stated beside: any platforms and any groups of activities.
    #[must_use]
    pub fn of_any_width(self) -> Self {
        Self {
            vague: &VAGUE_UNSTATED,
            ..self
        }
    }

    /// Whether it could open something at one of these places, going by `opens`, at any time of its life.
    pub fn could(&self, places: &[Place], opens: impl Fn(&There<'_>) -> bool) -> bool {
        let opens = |place: &Place, when| self.there(place, when).is_none_or(|there| opens(&there));
        let mut places = places.iter().filter(|place| opens(place, When::Ever)).peekable();
        if places.peek().is_none() {
            return false;
        }
        if self.moments.is_empty() {
            return true;
        }
        places.any(|place| self.moments.iter().any(|at| opens(place, When::At(*at))))
    }

    /// The grant there; none where that cannot be told.
    fn there(&self, place: &Place, when: When) -> Option<There<'_>> {
        let (uid, entity) = self.policy.nouns.site(place).ok()?;
        let entity = Arc::new(entity.as_ref().clone());
        let mut there = There {
            resource: self.policy.engine.resource(&uid, Some(entity)),
            outlook: self,
            when,
            way: Way::Shut,
            reading: Reading::Never,
        };
        if there.may("connect", Under::This(&self.claim)) {
            there.way = if there.surely("connect") {
                Way::Free
            } else {
                Way::MayOpen
            };
            there.reading = there.read();
        }
        Some(there)
    }

    /// Whether a rule may have a say then that opens something: none who is told that it is shut for want of a training is
    /// without hope, and rules that coach keep nobody out.
    fn may_count(&self, number: Number, at: Timestamp) -> bool {
        let counts = |rule: &super::rule::Validity| rule.is_in(RuleSet::Continued) && !rule.has_expired(at);
        let is_lasting = |rule: &super::Rule| rule.effect == Effect::Permit || rule.fix.is_none();
        self.policy.validity.get(number).is_some_and(counts) && self.policy.rules.get(number).is_some_and(is_lasting)
    }
}

impl There<'_> {
    /// Whether the grant could open an activity there that is not open anyway.
    pub fn opens(&self, activity: &str) -> bool {
        let may_open = || self.may(activity, Under::This(&self.outlook.claim));
        match (self.way, self.reading) {
            // what nobody reads passes where the flow does
            (Way::Shut, _) | (_, Reading::Never) => false,
            (Way::MayOpen, Reading::Maybe | Reading::Surely) => may_open(),
            (Way::Free, Reading::Surely) => may_open() && !self.surely(activity),
            (Way::Free, Reading::Maybe) => may_open() && (!self.surely(activity) || self.may_mend()),
        }
    }

    /// Whether it may be why what is done there is read where the rules would fail under another grant: then nothing passes under
    /// that one alone, whatever is open without any.
    fn may_mend(&self) -> bool {
        let Some(action) = self.outlook.policy.judged.get("inspect") else {
            return true;
        };
        let parties = (&self.outlook.principal, &action.party, &self.resource);
        let in_effect = |number: Number| {
            let rule = self.outlook.policy.validity.get(number);
            rule.is_some_and(|rule| rule.is_in(RuleSet::InEffect))
        };
        self.outlook
            .policy
            .engine
            .may_fail_by(values::CLAIM, parties, in_effect)
            && self.may("inspect", Under::This(&self.outlook.claim))
    }

    /// Whether it could open the way there where nobody reads what is done, and which is not open anyway.
    pub fn passes_unread(&self) -> bool {
        self.way == Way::MayOpen && self.reading != Reading::Surely
    }

    /// The way and what is done must be open under one grant; whether that is read is asked by itself, and another grant may
    /// be why: then this one opens what is shut to whoever holds the other alone.
    fn read(&self) -> Reading {
        if !self.may("inspect", Under::Whatever) {
            Reading::Never
        } else if self.surely("inspect") {
            Reading::Surely
        } else {
            Reading::Maybe
        }
    }

    /// Whether the rules may permit an action.
    fn may(&self, action: &str, under: Under<'_>) -> bool {
        let Some(action) = self.outlook.policy.judged.get(action) else {
            return true;
        };
        let earliest = match self.when {
            When::Ever => self.outlook.life.0,
            When::At(at) => at,
        };
        let parties = (&self.outlook.principal, &action.party, &self.resource);
        let counts = |number| self.outlook.may_count(number, earliest);
        self.given(under).is_none_or(|given| {
            SCRATCH.with_borrow_mut(|scratch| self.outlook.policy.engine.may_allow(parties, &given, scratch, counts))
        })
    }

    /// Whether they surely permit it without a grant.
    fn surely(&self, action: &str) -> bool {
        let Some(action) = self.outlook.policy.judged.get(action) else {
            return false;
        };
        let latest = match self.when {
            When::Ever => self.outlook.life.1,
            When::At(at) => at,
        };
        let parties = (&self.outlook.principal, &action.party, &self.resource);
        let validity = &self.outlook.policy.validity;
        let in_effect = |rule: &super::rule::Validity| rule.is_in(RuleSet::InEffect) && !rule.has_expired(latest);
        let counts = |number: Number| validity.get(number).is_some_and(in_effect);
        self.given(Under::Nothing).is_some_and(|given| {
            SCRATCH.with_borrow_mut(|scratch| {
                self.outlook
                    .policy
                    .engine
                    .surely_allows(parties, &given, scratch, counts)
            })
        })
    }

    fn given<'g>(&self, under: Under<'g>) -> Option<Given<'g>> {
        let mut given = Given {
            under,
            vague: self.outlook.vague,
            now: None,
            time: None,
            weekday: None,
        };
        if let When::At(at) = self.when {
            let values = &self.outlook.policy.memory.values;
            let (since_midnight, weekday) = self.outlook.wall.shows(at);
            given.time = Some(values.time_of_day(since_midnight).ok()?);
            given.weekday = Some(weekday.into());
            if !self.outlook.policy.heeded().opaque {
                given.now = Some(values.moment(at.as_millis()).ok()?);
            }
        }
        Some(given)
    }
}

/// What is known of a request that nobody has sent.
struct Given<'a> {
    under: Under<'a>,
    vague: &'static [&'static str],
    now: Option<Value>,
    time: Option<Value>,
    weekday: Option<Value>,
}

impl Facts for Given<'_> {
    fn leaf(&self, number: usize) -> Result<Option<&Value>, Doubt> {
        let known = match number {
            values::CLAIM => {
                return match self.under {
                    Under::Nothing => Ok(None),
                    Under::This(claim) => Ok(Some(claim.value())),
                    Under::Whatever => Err(Doubt),
                };
            }
            values::CHANNEL | values::NAMED_AS | values::BEHALF_OF => return Ok(None),
            values::NOW => &self.now,
            values::TIME => &self.time,
            values::WEEKDAY => &self.weekday,
            _ => return Err(Doubt),
        };
        known.as_ref().map(Some).ok_or(Doubt)
    }

    fn held(&self, number: usize) -> Option<&Held> {
        match self.under {
            Under::This(claim) if number == values::CLAIM => Some(claim),
            Under::This(_) | Under::Nothing | Under::Whatever => None,
        }
    }

    fn context(&self) -> Result<&Value, Doubt> {
        Err(Doubt)
    }

    // as where it is judged: beside principal and resource nobody else is known
    fn entity(&self, _: &EntityUID) -> Result<Option<&Entity>, Doubt> {
        Ok(None)
    }

    fn vague(&self, leaf: usize) -> &[&str] {
        match self.under {
            Under::This(_) if leaf == values::CLAIM => self.vague,
            Under::This(_) | Under::Nothing | Under::Whatever => &[],
        }
    }

    fn vague_of_resource(&self) -> &[&str] {
        &VAGUE_OF_SITES
    }
}
