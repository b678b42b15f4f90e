//! What was judged, together with what it was judged on: nobody can pair one flow's facts with another's ruling.

use std::collections::BTreeSet;

use super::judge::Part;
use crate::facts::{
    Activity, Coach, DecisionNote, Effect, Grant, GrantId, Help, Mode, Outcome, Place, PolicyId, Reading, Reason,
    Remedy, RulebookId, Would, WouldBe,
};
use crate::policy::{Decision, Permit};

/// The answer of [`Rulebook::judge`](super::Rulebook::judge).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    place: Place,
    reading: Option<Reading>,
    inspect: bool,
    publishes: bool,
    cause: Cause,
    decision: Option<Decision>,
    grant: Option<Grant>,
    reasons: Vec<Reason>,
    of_grants: BTreeSet<PolicyId>,
    elsewhere: BTreeSet<PolicyId>,
    inspect_reasons: Vec<Reason>,
    errors: BTreeSet<PolicyId>,
    troubles: Vec<String>,
    /// What it would be with the rules on probation in force, where that is something else.
    trial: Option<Box<Self>>,
    mode: Mode,
    lenience: Lenience,
    /// What its sender was told of this very refusal, and continued past.
    continued: Option<GrantId>,
    /// The permit where the rules refuse it and do not insist.
    let_pass: Option<Permit>,
    rulebook: RulebookId,
}

/// Who or what said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The rules decided.
    Rules,
    /// A policy failed to evaluate.
    PolicyError,
    /// Nobody knows who asks.
    NoIdentity,
    /// The directory does not know who asks.
    UnknownPerson,
}

/// How much of a refusal is only coached, by the rules themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lenience {
    /// Nothing of it.
    None,
    /// A part: without the rules in mode `coach` it would be refused, too, as things stand.
    Part,
    /// All of it: whoever continues passes.
    Whole,
}

/// Why a flow may not pass: for the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The determining policies; empty where no rule permits.
    pub reasons: Vec<Reason>,
    /// Those of them that only speak of grants that are held, and would open nothing here anyway.
    pub of_grants: BTreeSet<PolicyId>,
    /// Those of them that only speak of grants for other platforms, where one for this platform is held.
    pub elsewhere: BTreeSet<PolicyId>,
    /// Whether a policy failed to evaluate.
    pub policy_error: bool,
    /// Whether the directory does not know the person.
    pub unknown_person: bool,
    /// Whether the person may continue all the same, once they are told why not.
    pub may_continue: bool,
    /// Where it would have gone.
    pub place: Place,
    /// What it would have done.
    pub activity: Activity,
}

impl Judgement {
    /// A judgement that lets nothing pass.
    pub(super) fn closed(place: Place, rulebook: RulebookId) -> Self {
        Self {
            place,
            reading: None,
            inspect: false,
            publishes: false,
            cause: Cause::Rules,
            decision: None,
            grant: None,
            reasons: Vec::new(),
            of_grants: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            inspect_reasons: Vec::new(),
            errors: BTreeSet::new(),
            troubles: Vec::new(),
            trial: None,
            mode: Mode::default(),
            lenience: Lenience::None,
            continued: None,
            let_pass: None,
            rulebook,
        }
    }

    pub(super) fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Is told how firm it is, the grant that a passage past the rules in mode `coach` needs, and whether its
    /// sender took it.
    pub(super) fn leniently(
        &mut self,
        lenience: Lenience,
        grant: Option<&Grant>,
        continued: Option<GrantId>,
        let_pass: Option<Permit>,
    ) {
        self.grant = grant.filter(|_| continued.is_some()).cloned();
        self.lenience = lenience;
        self.continued = continued;
        self.let_pass = let_pass;
    }

    pub(super) fn because(&mut self, cause: Cause) {
        self.cause = cause;
    }

    pub(super) fn fill(&mut self, reading: Option<Reading>, publishes: bool, inspect: Part<'_>, verdict: Part<'_>) {
        let mut errors = inspect.errors;
        errors.extend(verdict.errors);
        let mut troubles = inspect.troubles;
        troubles.extend(verdict.troubles);
        // a rule fails alike under every grant
        let mut told = BTreeSet::new();
        troubles.retain(|trouble| told.insert(trouble.clone()));
        // INVARIANT: an error in any question that was asked denies, also where another grant would have passed.
        let broken = !errors.is_empty();
        self.reading = reading;
        self.inspect = inspect.decision.is_some() && !broken;
        self.publishes = publishes;
        self.cause = if broken { Cause::PolicyError } else { Cause::Rules };
        self.decision = verdict.decision.filter(|_| !broken);
        self.grant = verdict.grant.filter(|_| !broken).cloned();
        self.reasons = verdict.reasons;
        self.of_grants = verdict.of_grants;
        self.elsewhere = verdict.elsewhere;
        self.inspect_reasons = inspect.reasons;
        self.errors = errors;
        self.troubles = troubles;
    }

    /// Is told beside what it would be with the rules on probation in force. One of those that fails to evaluate is
    /// told of as well: in force it would deny; but it is not in effect, so its failure has none.
    pub(super) fn beside(&mut self, trial: Self) {
        let (this, that) = (
            (self.is_allowed(), self.inspect, &self.errors),
            (trial.is_allowed(), trial.inspect, &trial.errors),
        );
        self.trial = (this != that).then(|| Box::new(trial));
    }

    /// The permit, or why there is none.
    pub fn permit(&self) -> Result<Permit, Refusal> {
        let permit = self.decision.as_ref().and_then(Decision::permit);
        permit.or_else(|| self.let_pass.clone()).ok_or_else(|| Refusal {
            reasons: self.reasons.clone(),
            of_grants: self.of_grants.clone(),
            elsewhere: self.elsewhere.clone(),
            policy_error: self.cause == Cause::PolicyError,
            unknown_person: self.cause == Cause::UnknownPerson,
            may_continue: self.coach() == Some(Coach::Offered),
            place: self.place.clone(),
            activity: self.activity(),
        })
    }

    /// Whether the rules permit the flow; one that they refuse has a permit all the same where
    /// they do not insist.
    pub fn is_allowed(&self) -> bool {
        self.decision.as_ref().is_some_and(Decision::is_allowed)
    }

    /// Whether the rules permit reading the flow.
    pub fn inspect(&self) -> bool {
        self.inspect
    }

    /// What the catalogue makes of the host.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What the catalogue makes of the request; none for a tunnel and for a flow that is not read.
    pub fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }

    /// What records call it: the strictest activity, or `connect`.
    pub fn activity(&self) -> Activity {
        let read = self.reading.as_ref().map(|reading| reading.activity.clone());
        read.unwrap_or_else(|| Activity::new("connect"))
    }

    /// Whether the request speaks to the public: its opening line is durable before it leaves.
    pub fn publishes(&self) -> bool {
        self.publishes
    }

    /// The determining policies: the permits it passes by, or the forbids, under any of the grants, that refuse it.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Those of them that refuse it only under a grant that is held, and that would not open it without them either.
    pub fn of_grants(&self) -> &BTreeSet<PolicyId> {
        &self.of_grants
    }

    /// The policies that say whether the flow may be read.
    pub fn inspect_reasons(&self) -> &[Reason] {
        &self.inspect_reasons
    }

    /// What went wrong with policies that failed to evaluate, for the operator.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// The grant it passes under.
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }

    /// What it would be with the rules on probation in force, where that is something else; it lets nothing pass.
    pub(super) fn trial(&self) -> Option<&Self> {
        self.trial.as_deref()
    }

    /// What rules on probation would have changed, where they would have.
    pub fn would(&self) -> Option<Would> {
        let trial = self.trial()?;
        Some(Would {
            be: trial.would_be(),
            inspect: trial.inspect,
            policies: trial.deciding(self.inspect != trial.inspect && trial.errors.is_empty()),
            errors: trial.errors.difference(&self.errors).cloned().collect(),
        })
    }

    pub(super) fn would_be(&self) -> WouldBe {
        if self.is_allowed() {
            WouldBe::Allowed
        } else {
            WouldBe::Denied
        }
    }

    /// The policies that decided. Why a flow was not read belongs to its record too; why it was, where that is `news`.
    fn deciding(&self, news: bool) -> BTreeSet<PolicyId> {
        let told = |reason: &&Reason| news || (!self.inspect && reason.effect == Effect::Forbid);
        let reading = self.inspect_reasons.iter().filter(told);
        self.reasons
            .iter()
            .chain(reading)
            .map(|reason| reason.policy.clone())
            .collect()
    }

    /// Whether it was refused because nobody knows who asks.
    pub fn needs_identity(&self) -> bool {
        self.cause == Cause::NoIdentity
    }

    /// Whether a purpose could help at all: the rules, and nothing else, refused it.
    pub(super) fn is_refused_by_rules(&self) -> bool {
        !self.is_allowed() && self.cause == Cause::Rules
    }

    /// Which of the four outcomes it is, given what would help.
    pub fn outcome_if(&self, remedy: &Remedy) -> Outcome {
        if self.is_allowed() {
            Outcome::Allow
        } else if self.is_refused_by_rules() {
            remedy.outcome()
        } else {
            Outcome::Deny
        }
    }

    pub(super) fn lenience(&self) -> Lenience {
        self.lenience
    }

    /// Where whoever was told why not may continue: whether its sender did.
    pub fn coach(&self) -> Option<Coach> {
        self.coach_in(self.mode)
    }

    fn coach_in(&self, mode: Mode) -> Option<Coach> {
        let is_open = match mode {
            Mode::Observe => false,
            Mode::Coach => self.is_refused_by_rules(),
            Mode::Enforce => self.is_refused_by_rules() && self.lenience == Lenience::Whole,
        };
        let coach = self.continued.clone().map_or(Coach::Offered, Coach::Continued);
        is_open.then_some(coach)
    }

    /// What the record says of it; without a remedy, nobody looked for what would have helped.
    pub fn note(&self, remedy: Option<&Remedy>) -> DecisionNote {
        self.note_in(self.mode, remedy)
    }

    /// What the record of a gateway in `mode` says of it.
    pub(super) fn note_in(&self, mode: Mode, remedy: Option<&Remedy>) -> DecisionNote {
        let nothing = Remedy::default();
        let help = remedy.map_or(Help::NotSought, |_| Help::Sought);
        let remedy = remedy.filter(|_| self.is_refused_by_rules()).unwrap_or(&nothing);
        let activities = self.reading.iter().flat_map(|reading| reading.activities.clone());
        let activities: BTreeSet<Activity> = activities.collect();
        let coach = self.coach_in(mode);
        let continued = matches!(coach, Some(Coach::Continued(_)));
        DecisionNote {
            outcome: self.outcome_if(remedy),
            mode,
            let_pass: continued || (mode == Mode::Observe && self.is_refused_by_rules()),
            coach,
            host: self.place.host.clone(),
            platform: self.place.platform.clone(),
            activity: self.activity(),
            activities: if activities.len() > 1 {
                activities
            } else {
                BTreeSet::new()
            },
            signatures: self
                .reading
                .iter()
                .flat_map(|reading| reading.signatures.clone())
                .collect(),
            inspect: self.inspect,
            publishes: self.publishes,
            grant: self.grant.as_ref().map(|grant| grant.id.clone()),
            purpose: self.grant.as_ref().map(|grant| grant.purpose.clone()),
            policies: self.deciding(false),
            errors: self.errors.clone(),
            offered: remedy.offers.iter().map(|offer| offer.purpose.clone()).collect(),
            help: (!self.is_allowed()).then_some(help),
            would: self.would(),
            rulebook: self.rulebook.clone(),
        }
    }
}
