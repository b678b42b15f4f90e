//! May you.
//!
//! Reads as one question and one answer: [`Policy::decide`] puts a [`Question`] to the rules and gives a [`Decision`],
//! which alone can hand out a [`Permit`]. It is pure and total: no IO, no clock, no log, and the same question gets the
//! same answer. Any doubt denies: an unknown action, a grant of somebody else, a time zone that nobody knows, a policy
//! that fails to evaluate.
//!
//! ```text
//! texts ──> schema, rule ──> lint, validate ──> Policy  once per rulebook
//! Question ──> hearing ──> request, index ──> Cedar ──> reasons ──> Decision ──> Permit
//! ```
//!
//! It must never know of catalogue files, purpose files or the ledger: `rulebook` brings them together.

mod account;
mod alike;
mod answer;
pub(crate) mod apart;
mod cedars;
mod covers;
mod decision;
mod depth;
mod diagnose;
pub mod engine;
mod express;
mod fit;
mod foresight;
mod frame;
mod hearing;
mod heeded;
mod layout;
mod lets_in;
mod lint;
mod meant;
mod memo;
mod mutate;
mod names;
mod nesting;
mod opens;
mod outlook;
mod overlap;
mod owners;
mod permit;
mod powers;
mod question;
mod reading;
mod reasons;
mod request;
mod rule;
mod schema;
mod shares;
mod sight;
mod stated;
#[cfg(test)]
mod tests;
mod types;
mod unfit;
mod unfolded;
mod unread;
mod validate;
mod values;
mod wall;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use cedar_policy::{Entities, EntityUid, Request};
use cedar_policy_core::ast::Entity;
use cedar_policy_core::entities::Dereference;

pub use account::{Account, Condition};
pub use alike::Marks;
pub use answer::Answer;
pub use apart::text_of;
pub use cedars::CedarCase;
pub use decision::Decision;
pub use depth::{DEEPEST, is_deep};
pub use hearing::{Briefly, Claim, Hearing};
pub use heeded::{Approving, Stretch};
pub use layout::laid_out;
pub use mutate::Mutant;
pub use names::{Named, NamedKind};
pub use nesting::{Cedar, TooDeep, too_deep};
pub use outlook::{Outlook, There};
pub use owners::Owners;
pub use permit::Permit;
pub use question::{Answering, GrantQuestion, NamedAs, Power, Question, RequestFacts};
pub use rule::{Rule, RuleSet, Trials};
pub use schema::Vocabulary;
pub use unfit::Unfit;
pub use world::{PlatformFacts, World};

use crate::clock::Timestamp;
use crate::facts::{Authority, GrantId, Mode, Place, PolicyId, Problem, PurposeId, QuickMap, Reason, SubjectId};
use decision::{Reasons, Trouble};
use engine::{Engine, Number, Numbers, Party};
use foresight::Tree;
use hearing::{Memory, SCRATCH};
use opens::Opens;
use powers::{Powers, powers};
use reading::Read;
use reasons::Tally;
use request::{ARCHIVE, Asked, BEFORE_A_REQUEST, Nouns};
use rule::{Validity, Written};
use schema::Book;

/// Schema and rules, immutable.
#[derive(Debug)]
pub struct Policy {
    book: Arc<Book>,
    mode: Mode,
    vocabulary: Vocabulary,
    nouns: Arc<Nouns>,
    rules: Vec<Rule>,
    /// When and for whom each counts.
    validity: Vec<Validity>,
    /// What each rule says as a reason.
    reasons: Vec<Reason>,
    /// The purposes that each rule opens something for.
    opens: Vec<Opens>,
    numbers: BTreeMap<String, Number>,
    named: Vec<Named>,
    engine: Engine,
    /// The actions that are asked about a site.
    judged: QuickMap<String, Judged>,
    powers: Powers,
    memory: Memory,
    /// The rules taken apart, once somebody asks why.
    apart: OnceLock<Vec<Vec<apart::Part>>>,
    /// What they look at, once somebody replays or explains.
    heeded: OnceLock<heeded::Heeded>,
    /// What they make of how a purpose is stated, once somebody looks what could be.
    stated: OnceLock<stated::Stated>,
    /// What those on approvals look at, once somebody asks for something.
    approvals: OnceLock<heeded::Heeded>,
    /// What those on ending look at of a grant, once somebody looks through many.
    ending: OnceLock<alike::Looks>,
    /// The texts that all of it was read from.
    read: Read,
}

/// An action that is asked about a site.
#[derive(Debug)]
struct Judged {
    party: Party,
    /// Whether it is asked before there is a request.
    comes_before: bool,
}

impl Policy {
    fn of(written: Vec<Written>, book: Arc<Book>, nouns: Arc<Nouns>) -> Self {
        let opens = |some: &[Written]| -> Vec<Opens> { some.iter().map(opens).collect() };
        let opens = shares::each(&written, WORTH_A_THREAD, opens).concat();
        let (rules, policies): (Vec<Rule>, Vec<_>) = written.into_iter().map(|w| (w.rule, w.cedar)).unzip();
        let numbers = rules
            .iter()
            .enumerate()
            .map(|(number, rule)| (rule.id.as_str().to_owned(), number))
            .collect();
        let engine = Engine::new(policies, &book.schema, &book.actions, values::LEAVES);
        Self {
            mode: Mode::default(),
            judged: judged(&engine, &book, &nouns),
            powers: powers(&engine, &book, &nouns),
            engine,
            vocabulary: book.words.clone(),
            nouns,
            reasons: rules.iter().map(reasons::reason).collect(),
            validity: rules.iter().map(Rule::validity).collect(),
            rules,
            opens,
            numbers,
            named: Vec::new(),
            memory: Memory::default(),
            apart: OnceLock::new(),
            heeded: OnceLock::new(),
            stated: OnceLock::new(),
            approvals: OnceLock::new(),
            ending: OnceLock::new(),
            read: Read::default(),
            book,
        }
    }

    /// The same rules in a gateway of this mode: whoever opens it decides that, once.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Whether what the rules refuse is refused, coached or only observed.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The words of the schema.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Whether everything asked is permitted; total, and any doubt denies.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        self.hear(question).decide(question.actions, question.grant)
    }

    /// The rule called `id`.
    pub fn rule(&self, id: &PolicyId) -> Option<&Rule> {
        self.numbers.get(id.as_str()).and_then(|number| self.rules.get(*number))
    }

    /// All rules, in the order of their files.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The roles, departments, platforms, categories, purposes and hosts that rules name, each with its place.
    pub fn named(&self) -> &[Named] {
        &self.named
    }

    /// Warns of permits that no longer count at `at`, and of those that soon will not.
    pub fn expiring(&self, at: Timestamp) -> Vec<Problem> {
        let soon = at.plus(lint::SOON);
        let going = self.rules.iter().filter(|rule| rule.has_expired(soon));
        going.map(|rule| lint::expiring(rule, at)).collect()
    }

    /// Warns of those of `unreached`, the rules that no case reaches, that do not say why.
    pub fn untested(&self, unreached: &BTreeSet<PolicyId>) -> Vec<Problem> {
        let silent = |rule: &&Rule| !rule.annotations.contains_key("untested");
        let rules = self.rules.iter().filter(|rule| unreached.contains(&rule.id));
        rules.filter(silent).map(lint::unreached).collect()
    }

    /// Warns of rules that surely say nothing, by themselves or beside the others, as far as that can be seen without a
    /// solver.
    pub fn overlaps(&self, world: &World) -> Vec<Problem> {
        let actions = self.engine.actions_of_rules();
        let parts = overlap::all_parts(&self.rules, self.engine.policies(), &actions);
        let tree = Tree::new(world);
        let mut problems = overlap::check(&parts, &tree);
        problems.extend(unread::check(&parts, &tree, &self.vocabulary));
        problems
    }

    /// The places of the catalogue at which surely no rule lets the gateway read, whoever asks and however.
    pub fn never_read<'w>(&self, world: &'w World) -> Vec<&'w Place> {
        let actions = self.engine.actions_of_rules();
        let parts = overlap::all_parts(&self.rules, self.engine.policies(), &actions);
        unread::never(&parts, &Tree::new(world), &world.places)
    }

    /// The rules that may let the gateway read at some of these places, of some people or under conditions.
    pub fn may_let_read(&self, world: &World, places: &[&Place]) -> Vec<Reason> {
        let actions = self.engine.actions_of_rules();
        let parts = overlap::all_parts(&self.rules, self.engine.policies(), &actions);
        let rules = unread::may_let(&parts, &Tree::new(world), places);
        rules.into_iter().map(reasons::reason).collect()
    }

    /// Whether some rule opens something for `purpose`; false only where surely none does.
    pub fn opens(&self, purpose: &PurposeId) -> bool {
        self.opens.iter().any(|opens| opens.holds(purpose))
    }

    /// A question about one action in Cedar's own terms, for whoever wants to ask Cedar itself.
    pub fn in_cedars_terms(&self, question: &Question<'_>) -> Option<(Request, Entities)> {
        let asked = self.nouns.about_site(question, &self.vocabulary, None).ok()?;
        let [request] = <[Request; 1]>::try_from(asked.requests).ok()?;
        Some((request, asked.entities))
    }

    /// The long way round: see [`hearing`].
    fn ask_in_cedars_terms(&self, question: &Question<'_>, set: RuleSet) -> Result<Tally, Trouble> {
        let asked = self.nouns.about_site(question, &self.vocabulary, None)?;
        Ok(self.put(&asked, set))
    }

    /// What the rules of a set say to requests in Cedar's terms.
    fn put(&self, asked: &Asked, set: RuleSet) -> Tally {
        let mut tally = Tally::default();
        for request in &asked.requests {
            let counts = |number| self.counts(number, (set, asked.at), &mut tally.trials);
            let answer =
                SCRATCH.with_borrow_mut(|scratch| self.engine.answer((request, &asked.entities), scratch, counts));
            match answer {
                Some(engine::Answer::Ours(verdict)) => tally.add(verdict.allowed, verdict.determining),
                Some(engine::Answer::Cedars(response)) => tally.count(&response, &self.numbers),
                None => tally.fail(Trouble::with_question("action", "the schema does not know the action")),
            }
        }
        tally
    }

    fn is_in_force(&self, number: Number, at: Timestamp) -> bool {
        self.rules.get(number).is_some_and(|rule| rule.is_in_force(at))
    }

    /// Whether a rule is asked; takes note of one that other sets of rules ask, or do not.
    fn counts(&self, number: Number, (set, at): (RuleSet, Timestamp), trials: &mut Trials) -> bool {
        let Some(rule) = self.validity.get(number).filter(|rule| !rule.has_expired(at)) else {
            return false;
        };
        match rule.mode {
            Mode::Enforce => {}
            Mode::Observe => trials.observed = true,
            Mode::Coach => trials.coached = true,
        }
        rule.is_in(set)
    }

    fn reasons(&self, numbers: &Numbers) -> Reasons {
        let reasons = || numbers.iter().filter_map(|number| self.reasons.get(*number)).cloned();
        if numbers.len() <= decision::FEW {
            let mut few = smallvec::SmallVec::new();
            for reason in reasons() {
                few.push(reason);
            }
            return Reasons::Few(few);
        }
        let Ok(shared) = self
            .memory
            .reasons
            .of(numbers, &(), || Ok::<_, Infallible>(reasons().collect()));
        Reasons::Many(shared)
    }

    fn conclude(&self, mut tally: Tally, passage: Option<Passage>) -> Decision {
        let (trials, is_allowed) = (tally.trials, tally.is_allowed());
        let determining = tally.determining(&self.reasons, is_allowed);
        let reasons = self.reasons(&determining);
        let rules = determining.iter().filter_map(|number| self.validity.get(*number));
        let rules_end = rules.filter_map(|rule| rule.expires).min();
        SCRATCH.with_borrow_mut(|scratch| scratch.take_back(determining));
        if !is_allowed {
            return Decision::deny(reasons, tally.into_troubles()).with(trials);
        }
        let permit = passage.map(|passage| {
            let (grant, grant_ends) = passage.grant.unzip();
            let until = grant_ends.into_iter().chain(rules_end).min();
            Permit::new(passage.authority, passage.holder, grant, until)
        });
        Decision::allow(reasons, permit).with(trials)
    }
}

/// So many rules are worth a thread of their own.
const WORTH_A_THREAD: usize = 200;

/// The purposes that a rule opens something for, be it for whoever continues; one on probation opens nothing.
fn opens(written: &Written) -> Opens {
    match written.rule.mode {
        Mode::Observe => Opens::None,
        Mode::Coach | Mode::Enforce => Opens::read(&written.cedar, written.rule.effect),
    }
}

fn judged(engine: &Engine, book: &Book, nouns: &Nouns) -> QuickMap<String, Judged> {
    let activities = book.words.activities().keys().map(crate::facts::Activity::as_str);
    let names = BEFORE_A_REQUEST.into_iter().chain([ARCHIVE]).chain(activities);
    let judged = names.filter_map(|name| {
        let uid = nouns.action(name);
        let action = Judged {
            party: engine.action(&uid, entity_of(&book.actions, &uid))?,
            comes_before: BEFORE_A_REQUEST.contains(&name),
        };
        Some((name.to_owned(), action))
    });
    judged.collect()
}

fn entity_of(all: &Entities, uid: &EntityUid) -> Option<Arc<Entity>> {
    match all.as_ref().entity(uid.as_ref()) {
        Dereference::Data(entity) => Some(Arc::new(entity.clone())),
        Dereference::NoSuchEntity | Dereference::Residual(_) => None,
    }
}

/// Where a permit would lead whom, and the grant with its expiry.
struct Passage {
    authority: Authority,
    holder: SubjectId,
    grant: Option<(GrantId, Timestamp)>,
}
