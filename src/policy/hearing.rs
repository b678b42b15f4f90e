//! One flow before the rules: while it is asked about, under this grant and that, what does not change is put into
//! the engine's terms once, and only as far as a rule looks at it; and of what hardly ever changes (people, hosts,
//! grants) the terms are remembered.
//!
//! Whatever is out of the ordinary, from an unknown time zone to a rule that fails, goes the long way round: the question
//! is built by Cedar's public constructors and put to the same engine, and what that will not answer, to Cedar, whose
//! answer stands. The tests hold both ways against Cedar.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use cedar_policy_core::ast::Value;

use super::decision::{Decision, Reasons};
use super::engine::{Candidates, Doubt, Held, Numbers, Party, Scratch, Verdict};
use super::frame::{Frame, Made};
use super::memo::Memo;
use super::opens::Opens;
use super::question::{Question, check_flow, check_purpose};
use super::reasons::Tally;
use super::values::{self, Circumstances, Values};
use super::wall::Wall;
use super::{Passage, Permit, Policy, RuleSet, Trials};
use crate::facts::{Grant, GrantId, Host, Mode, Person, Place, PurposeId, Reason, SubjectId};

thread_local! {
    /// Working memory of this thread.
    pub(super) static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What is remembered between flows.
#[derive(Debug, Default)]
pub(super) struct Memory {
    people: Memo<SubjectId, Arc<Person>, (Party, Wall)>,
    sites: Memo<Host, Place, Party>,
    /// What many rules say as reasons.
    pub(super) reasons: Memo<Numbers, (), Vec<Reason>>,
    pub(super) claims: Memo<GrantId, Grant, Held>,
    /// Purposes, each as somebody's to declare: who declares it, who owns it, for how long at most.
    pub(super) purposes: Memo<(PurposeId, SubjectId, SubjectId, Duration), (), Party>,
    pub(super) values: Values,
}

/// A person in the engine's terms, and where their clock stands.
pub(super) type Known = Arc<(Party, Wall)>;

/// One flow, ready to be asked about: see [`Policy::hear`].
#[derive(Debug)]
pub struct Hearing<'a> {
    policy: &'a Policy,
    flow: Question<'a>,
    terms: Result<Terms, Doubt>,
    /// What was made of the context so far.
    made: Made,
    /// The latest grant that nobody holds, in the engine's terms.
    supposed: RefCell<Option<(Grant, Arc<Held>)>>,
}

/// A grant in the engine's terms, to be asked about again and again.
#[derive(Clone, Debug)]
pub struct Claim(Arc<Held>);

/// What is said to one action, without why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Briefly {
    /// Whether it is permitted.
    pub is_allowed: bool,
    /// Whether a rule in mode `coach` may apply: only then could it come out otherwise for whoever continues.
    pub is_coached: bool,
}

impl Briefly {
    /// Where nothing is asked.
    pub const NOTHING: Self = Self {
        is_allowed: true,
        is_coached: false,
    };
}

#[derive(Debug)]
struct Terms {
    principal: Known,
    resource: Arc<Party>,
}

impl Policy {
    /// Hears the flow of a question; what is asked of it, and under which grant, comes later, as often as need be.
    pub fn hear<'a>(&'a self, flow: &Question<'a>) -> Hearing<'a> {
        Hearing {
            policy: self,
            flow: *flow,
            terms: self.terms(flow),
            made: Made::default(),
            supposed: RefCell::default(),
        }
    }

    fn terms(&self, flow: &Question<'_>) -> Result<Terms, Doubt> {
        let place = flow.place;
        // the same pointer is the same person, and nothing of them needs to be compared
        let is_known = |known: &Arc<Person>| known == flow.person;
        let principal = self.known(flow.person, is_known, || Arc::clone(flow.person))?;
        let resource = self.memory.sites.of(&place.host, place, || {
            let (uid, entity) = self.nouns.site(place).map_err(|_| Doubt)?;
            let entity = Arc::new(entity.as_ref().clone());
            Ok(self.engine.resource(&uid, Some(entity)))
        })?;
        Ok(Terms { principal, resource })
    }

    /// A person in the engine's terms.
    pub(super) fn known(
        &self,
        person: &Person,
        is_known: impl FnOnce(&Arc<Person>) -> bool,
        shared: impl FnOnce() -> Arc<Person>,
    ) -> Result<Known, Doubt> {
        let make = || self.introduced(person);
        self.memory.people.of_those(&person.id, is_known, shared, make)
    }

    /// The same, and nothing of it is remembered.
    pub(super) fn introduced(&self, person: &Person) -> Result<(Party, Wall), Doubt> {
        let zone = self.nouns.zone(person).map_err(|_| Doubt)?;
        let (uid, entity) = self.nouns.person(person).map_err(|_| Doubt)?;
        let entity = Arc::new(entity.as_ref().clone());
        Ok((self.engine.principal(&uid, Some(entity)), Wall::new(zone)))
    }
}

impl Hearing<'_> {
    /// Whether all these actions are permitted under `grant`; total, and any doubt denies.
    pub fn decide(&self, actions: &[&str], grant: Option<&Grant>) -> Decision {
        self.decide_by(RuleSet::InEffect, actions, grant)
    }

    /// The same by one set of rules or another. Only by those in effect it is a permit: nothing leaves by the others.
    pub fn decide_by(&self, set: RuleSet, actions: &[&str], grant: Option<&Grant>) -> Decision {
        self.decided(set, actions, grant, set == RuleSet::InEffect)
    }

    fn decided(&self, set: RuleSet, actions: &[&str], grant: Option<&Grant>, leaves: bool) -> Decision {
        let question = Question {
            actions,
            grant,
            ..self.flow
        };
        let tally = self.weigh(&question, set);
        match tally.or_else(|Doubt| self.policy.ask_in_cedars_terms(&question, set)) {
            Ok(tally) => {
                // A permit is proof of `connect`: being allowed to read a flow is not being allowed to have it.
                let leaves = leaves && actions.contains(&"connect");
                let grant = grant.map(|grant| (grant.id.clone(), grant.expires));
                let passage: Option<Passage> = leaves.then(|| Passage {
                    authority: self.flow.authority.clone(),
                    holder: self.flow.person.id.clone(),
                    grant,
                });
                self.policy.conclude(tally, passage)
            }
            Err(trouble) => Decision::deny(Reasons::new(), vec![trouble]),
        }
    }

    /// A grant of the flow's sender, for [`Hearing::briefly`]; none where that cannot be told without [`Hearing::decide_by`].
    pub fn claim_of(&self, grant: &Grant) -> Option<Claim> {
        let question = Question {
            actions: &["connect"],
            grant: Some(grant),
            ..self.flow
        };
        check_flow(&question).ok()?;
        let claim = self.claimed(grant).ok()?;
        Some(Claim(Arc::new(self.policy.engine.held(values::CLAIM, claim))))
    }

    /// What [`Hearing::decide_by`] says to one action, without why and for less; none where it takes the long way round to
    /// know.
    pub fn briefly(&self, set: RuleSet, action: &str, claim: Option<&Claim>) -> Option<Briefly> {
        let question = Question {
            actions: &[action],
            ..self.flow
        };
        check_flow(&question).ok()?;
        let mut trials = Trials::default();
        let claim = claim.map(|Claim(held)| &**held);
        let verdict = self.weigh_action(action, claim, set, &mut trials).ok()?;
        SCRATCH.with_borrow_mut(|scratch| scratch.take_back(verdict.determining));
        Some(Briefly {
            is_allowed: verdict.allowed,
            is_coached: trials.coached,
        })
    }

    /// The permit of a flow that the rules refuse and do not insist on, by the mode of the gateway
    /// ([`Policy::in_mode`]): one that only observes lets it pass; one that coaches, where its sender `continued`; and
    /// so does one that enforces, where without the rules in mode `coach` it is permitted under `grant`. None where they
    /// permit it, and none where anything failed: an error denies in every mode.
    pub fn let_pass(&self, actions: &[&str], grant: Option<&Grant>, continued: Option<&Grant>) -> Option<Permit> {
        let refused = |said: Decision| !said.is_allowed() && said.errors().is_empty() && actions.contains(&"connect");
        let refused = || refused(self.decide(actions, None));
        let passage = || Permit::new(self.flow.authority.clone(), self.flow.person.id.clone(), None, None);
        if self.policy.mode == Mode::Observe {
            return refused().then(passage);
        }
        // INVARIANT: nobody continues past what somebody else was told, or longer than they may
        let counts =
            |by: &&Grant| by.continued.is_some() && by.subject == self.flow.person.id && by.is_live(self.flow.at);
        let by = continued.filter(counts)?;
        let permit = match self.policy.mode {
            Mode::Observe => None,
            Mode::Coach => refused().then(passage),
            Mode::Enforce => self.decided(RuleSet::Continued, actions, grant, true).permit(),
        };
        permit.map(|permit| permit.ending_by(by.expires))
    }

    /// Whether the answer can depend on the grant: where no rule that may apply looks at it, any grant gets the answer
    /// that none gets.
    pub fn heeds_grants(&self, actions: &[&str]) -> bool {
        let heeds = |action: &&str| self.candidates(action).is_some_and(|rules| rules.read(values::CLAIM));
        actions.iter().any(heeds)
    }

    /// Whether a grant for one of the purposes that it is asked about can change what is said to these actions; true
    /// also where that cannot be told.
    pub fn openings(&self, actions: &[&str]) -> impl Fn(&PurposeId) -> bool {
        let candidates: Option<Vec<_>> = actions.iter().map(|action| self.candidates(action)).collect();
        let opens = &self.policy.opens;
        let opening = candidates.map(|candidates| {
            let numbers = candidates.iter().flat_map(|candidates| candidates.numbers());
            let opening = numbers
                .filter_map(|number| opens.get(*number))
                .filter(|opens| **opens != Opens::None);
            opening.collect::<Vec<_>>()
        });
        move |purpose| {
            let opens = |opening: &Vec<&Opens>| opening.iter().any(|opens| opens.holds(purpose));
            opening.as_ref().is_none_or(opens)
        }
    }

    /// The permits that are meant for the purpose of `grant` and do not hold now, where nothing else keeps an action from
    /// being permitted: what they say of themselves (hours, an approval) is why the grant does not help.
    pub fn waiting(&self, actions: &[&str], grant: &Grant) -> Vec<Reason> {
        let policy = self.policy;
        let mut waiting = Vec::new();
        for action in actions {
            let decision = self.decide(&[action], Some(grant));
            if decision.is_allowed() || !decision.reasons().is_empty() || !decision.errors().is_empty() {
                continue;
            }
            let Some(candidates) = self.candidates(action) else {
                continue;
            };
            for number in candidates.numbers() {
                let opens = policy.opens.get(*number);
                let meant = opens.is_some_and(|opens| opens.names(&grant.purpose));
                let reason = policy.reasons.get(*number);
                let counts = meant && policy.is_in_force(*number, self.flow.at);
                waiting.extend(reason.filter(|_| counts).cloned());
            }
        }
        waiting.dedup();
        waiting
    }

    fn candidates(&self, action: &str) -> Option<Arc<Candidates>> {
        let (terms, action) = (self.terms.as_ref().ok()?, self.policy.judged.get(action)?);
        let engine = &self.policy.engine;
        Some(engine.candidates(&terms.principal.0, &action.party, &terms.resource))
    }

    fn weigh(&self, question: &Question<'_>, set: RuleSet) -> Result<Tally, Doubt> {
        check_flow(question).map_err(|_| Doubt)?;
        let claim = question.grant.map(|grant| self.claim(grant)).transpose()?;
        let mut tally = Tally::default();
        for action in question.actions {
            let verdict = self.weigh_action(action, claim.as_deref(), set, &mut tally.trials)?;
            tally.add(verdict.allowed, verdict.determining);
        }
        Ok(tally)
    }

    fn weigh_action(
        &self,
        action: &str,
        claim: Option<&Held>,
        set: RuleSet,
        trials: &mut Trials,
    ) -> Result<Verdict, Doubt> {
        let policy = self.policy;
        let terms = self.terms.as_ref().map_err(|doubt| *doubt)?;
        let action = policy.judged.get(action).ok_or(Doubt)?;
        if !action.comes_before && self.flow.request.is_none() {
            return Err(Doubt);
        }
        let frame = Frame {
            engine: &policy.engine,
            values: &policy.memory.values,
            here: Circumstances {
                subject: self.flow.subject,
                arrival: self.flow.arrival,
                request: self.flow.request.filter(|_| !action.comes_before),
                at: self.flow.at,
            },
            wall: &terms.principal.1,
            made: &self.made,
            claim,
            channel: None,
            named_as: None,
            behalf_of: None,
            declarer: None,
        };
        let parties = (&terms.principal.0, &action.party, &*terms.resource);
        let counts = |number| policy.counts(number, (set, self.flow.at), trials);
        SCRATCH.with_borrow_mut(|scratch| policy.engine.weigh(parties, &frame, scratch, counts))
    }

    fn claim(&self, grant: &Grant) -> Result<Arc<Held>, Doubt> {
        let Policy { memory, engine, .. } = self.policy;
        // nobody else asks for it, and whoever may pass reads what is remembered
        if grant.id.is_supposed() {
            let latest = self.supposed.borrow();
            if let Some((_, held)) = latest.as_ref().filter(|(latest, _)| latest == grant) {
                return Ok(Arc::clone(held));
            }
            drop(latest);
            let held = Arc::new(self.claimed(grant).map(Held::once)?);
            *self.supposed.borrow_mut() = Some((grant.clone(), Arc::clone(&held)));
            return Ok(held);
        }
        let held = || self.claimed(grant).map(|value| engine.held(values::CLAIM, value));
        memory.claims.of(&grant.id, grant, held)
    }

    fn claimed(&self, grant: &Grant) -> Result<Value, Doubt> {
        let Policy { nouns, memory, .. } = self.policy;
        check_purpose(grant, &self.policy.vocabulary).map_err(|_| Doubt)?;
        nouns.claim_value(grant, |at| memory.values.moment(at.as_millis()))
    }
}
