//! Cedar's answer, at the same price for ten rules or ten thousand.
//!
//! An index over the scopes leaves the few rules that can match, and their conditions, translated once, are evaluated
//! over what the caller holds anyway, with no Cedar request built. It knows no schema of ours: the caller names the
//! paths of the context that it hands out by number ([`Leaves`]), and gives the rest whole.
//!
//! ```text
//! policies ──> Index (scopes), Program (conditions)              once per rulebook
//! Party, Party ──> candidates ──> conditions over Facts ──> Verdict, or Doubt
//! ```
//!
//! What it will not answer it says: [`Doubt`] stands for an error, and for whatever is not translated; then Cedar's own
//! authorizer is to be asked, which is right by definition and knows the words for what went wrong. The tests hold every
//! answer against it, over random rules and over Cedar's own corpus.

mod body;
mod compare;
mod facts;
pub(super) mod functions;
mod index;
mod kept;
mod leaves;
mod like;
mod might;
mod node;
mod party;
mod run;
mod whole;

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Authorizer, Entities, EntityUid, Policy, PolicySet, PolicySetError, Request, Response, Schema};
use cedar_policy_core::ast::{self, Value};
use cedar_policy_core::entities::Dereference;

use body::Program;
pub use compare::Measure;
pub use facts::Facts;
use index::Index;
pub use index::{Candidates, Number};
pub use kept::Held;
use kept::{Kept, Thing};
pub use leaves::Leaves;
pub use party::Party;
pub use run::Scratch;

/// The engine cannot tell; Cedar's authorizer can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt;

/// What the rules say to one action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether some permit holds and no forbid does.
    pub allowed: bool,
    /// The rules that determine it, in their order: the forbids that hold, or else the permits.
    pub determining: Numbers,
}

/// A few rules: more than eight hardly ever determine an answer, and the list is moved from hand to hand.
pub type Numbers = smallvec::SmallVec<[Number; 8]>;

/// Rules, indexed and translated.
#[derive(Debug)]
pub struct Engine {
    policies: Vec<Policy>,
    index: Index,
    program: Program,
    leaves: Leaves,
    authorizer: Authorizer,
}

/// What one rule says to a question.
enum Says {
    Permits,
    Nothing,
    /// The answer, whatever others say.
    Settles(bool),
}

impl Engine {
    /// Prepares `policies`, which are numbered in this order; no two of them may have the same id.
    pub fn new(policies: Vec<Policy>, schema: &Schema, actions: &Entities, leaves: Leaves) -> Self {
        Self {
            index: Index::new(&policies, schema, actions),
            program: Program::new(&policies, leaves),
            policies,
            leaves,
            authorizer: Authorizer::new(),
        }
    }

    /// Somebody who acts, ready to be asked about; `entity` comes with all that it is in.
    pub fn principal(&self, uid: &EntityUid, entity: Option<Arc<ast::Entity>>) -> Party {
        let kept = Kept::of(self.program.alone(Thing::Principal));
        Party::new(uid, entity, kept, |noun| self.index.principal(noun))
    }

    /// Something that is acted on, ready to be asked about; `entity` comes with all that it is in.
    pub fn resource(&self, uid: &EntityUid, entity: Option<Arc<ast::Entity>>) -> Party {
        let kept = Kept::of(self.program.alone(Thing::Resource));
        Party::new(uid, entity, kept, |noun| self.index.resource(noun))
    }

    /// An action of the schema, ready to be asked about.
    pub fn action(&self, uid: &EntityUid, entity: Option<Arc<ast::Entity>>) -> Option<Party> {
        let class = self.index.action(uid)?;
        Some(Party::new(uid, entity, Kept::default(), |_| class))
    }

    /// What a leaf holds, ready to be asked about again and again.
    pub fn held(&self, leaf: usize, value: Value) -> Held {
        Held::new(value, self.program.alone(Thing::Leaf(leaf)))
    }

    /// What the rules say, all of them that can match, those left out that do not count now.
    pub fn weigh<F: Facts>(
        &self,
        (principal, action, resource): (&Party, &Party, &Party),
        facts: &F,
        scratch: &mut Scratch,
        mut counts: impl FnMut(Number) -> bool,
    ) -> Result<Verdict, Doubt> {
        let candidates = self.candidates(principal, action, resource);
        let (mut permits, mut forbids) = (scratch.numbers(), scratch.numbers());
        let run = run::Run::new(&self.program, (principal, action, resource), facts, scratch);
        for number in candidates.numbers() {
            if !counts(*number) {
                continue;
            }
            let body = self.program.body(*number).ok_or(Doubt)?;
            if run.holds(body)? {
                let held = if body.forbids() { &mut forbids } else { &mut permits };
                held.push(*number);
            }
        }
        let allowed = forbids.is_empty() && !permits.is_empty();
        let (determining, other) = if forbids.is_empty() {
            (permits, forbids)
        } else {
            (forbids, permits)
        };
        scratch.take_back(other);
        Ok(Verdict { allowed, determining })
    }

    /// Whether the rules may allow it, as far as the facts are known: some permit may hold, and no forbid surely does. What is
    /// not known is a doubt, or [vague](Facts::vague).
    pub fn may_allow<F: Facts>(
        &self,
        parties: (&Party, &Party, &Party),
        facts: &F,
        scratch: &mut Scratch,
        counts: impl FnMut(Number) -> bool,
    ) -> bool {
        self.settled(parties, facts, (scratch, counts), |run, body| {
            let Some(body) = body else {
                return Says::Settles(true);
            };
            match (body.forbids(), run.might(body)) {
                (true, Some(true)) => Says::Settles(false),
                (false, Some(true) | None) => Says::Permits,
                (true, Some(false) | None) | (false, Some(false)) => Says::Nothing,
            }
        })
    }

    /// Whether the rules allow it whatever the facts are that are not known.
    pub fn surely_allows<F: Facts>(
        &self,
        parties: (&Party, &Party, &Party),
        facts: &F,
        scratch: &mut Scratch,
        counts: impl FnMut(Number) -> bool,
    ) -> bool {
        self.settled(parties, facts, (scratch, counts), |run, body| {
            let Some(body) = body else {
                return Says::Settles(false);
            };
            match (body.forbids(), run.surely(body)) {
                (false, Some(true)) => Says::Permits,
                (_, Some(false)) => Says::Nothing,
                (true, Some(true)) | (_, None) => Says::Settles(false),
            }
        })
    }

    /// Whether a rule that counts may fail by what a leaf holds.
    pub fn may_fail_by(
        &self,
        leaf: usize,
        (principal, action, resource): (&Party, &Party, &Party),
        mut counts: impl FnMut(Number) -> bool,
    ) -> bool {
        let candidates = self.candidates(principal, action, resource);
        let mut reading = candidates.numbers().iter().copied();
        reading.any(|number| self.program.reads(number).has(leaf) && counts(number) && self.program.may_fail(number))
    }

    /// What the rules that count come to, by what each `says`: a permit allows, unless one settles it.
    fn settled<'a, F: Facts>(
        &'a self,
        (principal, action, resource): (&'a Party, &'a Party, &'a Party),
        facts: &'a F,
        (scratch, mut counts): (&'a mut Scratch, impl FnMut(Number) -> bool),
        says: impl Fn(&run::Run<'a, F>, Option<&'a body::Body>) -> Says,
    ) -> bool {
        let candidates = self.candidates(principal, action, resource);
        let run = run::Run::new(&self.program, (principal, action, resource), facts, scratch);
        let mut is_permitted = false;
        for number in candidates.numbers().iter().filter(|number| counts(**number)) {
            match says(&run, self.program.body(*number)) {
                Says::Permits => is_permitted = true,
                Says::Nothing => {}
                Says::Settles(answer) => return answer,
            }
        }
        is_permitted
    }

    /// The rules whose scope can match, in their order.
    pub fn candidates(&self, principal: &Party, action: &Party, resource: &Party) -> Arc<Candidates> {
        let classes = (principal.class(), action.class(), resource.class());
        self.index.candidates(classes, &self.program)
    }

    /// Cedar's own answer over `numbers`.
    pub fn ask_cedar(
        &self,
        request: &Request,
        numbers: &[Number],
        entities: &Entities,
    ) -> Result<Response, Box<PolicySetError>> {
        let policies = numbers.iter().filter_map(|number| self.policies.get(*number)).cloned();
        let set = PolicySet::from_policies(policies)?;
        Ok(self.authorizer.is_authorized(request, &set, entities))
    }

    /// The answer of the rules that count to a request that stands in Cedar's terms already, by Cedar itself where the
    /// engine cannot tell; none for an action that the schema does not know.
    pub fn answer(
        &self,
        (request, entities): (&Request, &Entities),
        scratch: &mut Scratch,
        mut counts: impl FnMut(Number) -> bool,
    ) -> Option<Answer> {
        let (principal, action, resource) = self.parties(request, entities)?;
        let parties = (&principal, &action, &resource);
        let ours = whole::Whole::new(request, entities, self.leaves)
            .map(|facts| self.weigh(parties, &facts, scratch, &mut counts));
        if let Some(Ok(verdict)) = ours {
            return Some(Answer::Ours(verdict));
        }
        let candidates = self.candidates(&principal, &action, &resource);
        let numbers: Vec<Number> = candidates
            .numbers()
            .iter()
            .copied()
            .filter(|number| counts(*number))
            .collect();
        self.ask_cedar(request, &numbers, entities).ok().map(Answer::Cedars)
    }

    /// The rules that can match a request in Cedar's terms; none for an action that the schema does not know.
    pub fn candidates_for(&self, request: &Request, entities: &Entities) -> Option<Vec<Number>> {
        let (principal, action, resource) = self.parties(request, entities)?;
        Some(self.candidates(&principal, &action, &resource).numbers().to_vec())
    }

    fn parties(&self, request: &Request, entities: &Entities) -> Option<(Party, Party, Party)> {
        let found = |uid: &EntityUid| match entities.as_ref().entity(uid.as_ref()) {
            Dereference::Data(entity) => Some(Arc::new(entity.clone())),
            Dereference::NoSuchEntity | Dereference::Residual(_) => None,
        };
        let (principal, action, resource) = (request.principal()?, request.action()?, request.resource()?);
        Some((
            self.principal(principal, found(principal)),
            self.action(action, found(action))?,
            self.resource(resource, found(resource)),
        ))
    }

    /// Whether the condition of this rule is evaluated here, and not left to Cedar.
    pub fn is_translated(&self, number: Number) -> bool {
        self.program.body(number).is_some_and(body::Body::is_translated)
    }

    /// The rules, in their order.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The actions that the scope of each rule names, in the order of the rules.
    pub fn actions_of_rules(&self) -> Vec<BTreeSet<&EntityUid>> {
        self.index.actions_of_rules(self.policies.len())
    }

    /// The rule of this number.
    pub fn policy(&self, number: Number) -> Option<&Policy> {
        self.policies.get(number)
    }
}

/// An answer, and whose it is.
#[derive(Debug)]
pub enum Answer {
    /// The engine's: nothing failed to evaluate.
    Ours(Verdict),
    /// Cedar's: something failed, or was not translated.
    Cedars(Response),
}
