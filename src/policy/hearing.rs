//! One flow before the rules: while it is asked about, under this grant and that, what does not change is put into
//! Cedar's terms once; and of what hardly ever changes (people, hosts, grants) the terms are remembered.
//!
//! Contexts and entities go to Cedar evaluated, past its public constructors, which would parse every datetime for each
//! question again. `Nouns::about_site` goes the public way; the tests hold one against the other.

use std::cell::OnceCell;
use std::sync::Arc;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{Context, Entity, EntityUIDEntry, Request};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use super::decision::{Decision, Trouble};
use super::express::wrong;
use super::index::Number;
use super::memo::{Made, Memo};
use super::question::{Question, check};
use super::reasons::{self, Tally};
use super::request::{GRANT, Noun, Pairs, comes_before};
use super::values::{self, Parsed};
use super::{Passage, Policy};
use crate::facts::{Grant, GrantId, Host, Person, Place, Reason, SubjectId};

/// What is remembered between flows.
#[derive(Debug, Default)]
pub(super) struct Memory {
    people: Memo<SubjectId, Person, Known>,
    sites: Memo<Host, Place, Known>,
    claims: Memo<GrantId, Grant, Context>,
    parsed: Parsed,
}

/// A principal or resource in Cedar's terms, with the keys of the index that match it.
#[derive(Debug)]
struct Known {
    uid: EntityUid,
    entity: Arc<Entity>,
    keys: Vec<usize>,
}

impl Known {
    fn new((noun, entity): (Noun, cedar_policy::Entity), keys: impl FnOnce(&Noun) -> Vec<usize>) -> Self {
        Self {
            keys: keys(&noun),
            uid: noun.uid,
            entity: Arc::new(entity.as_ref().clone()),
        }
    }
}

/// One flow, ready to be asked about: see [`Policy::hear`].
#[derive(Debug)]
pub struct Hearing<'a> {
    policy: &'a Policy,
    flow: Question<'a>,
    terms: Result<Terms, Trouble>,
}

#[derive(Debug)]
struct Terms {
    principal: Made<Person, Known>,
    resource: Made<Place, Known>,
    entities: Entities,
    /// The context before there is a request.
    before: Context,
    /// The same with the request.
    during: OnceCell<Result<Context, Trouble>>,
}

impl Policy {
    /// Hears the flow of a question; what is asked of it, and under which grant, comes later, as often as need be.
    pub fn hear<'a>(&'a self, flow: &Question<'a>) -> Hearing<'a> {
        Hearing {
            policy: self,
            flow: *flow,
            terms: self.terms(flow),
        }
    }

    fn terms(&self, flow: &Question<'_>) -> Result<Terms, Trouble> {
        let (person, place) = (flow.person, flow.place);
        let principal = self.memory.people.of(&person.id, person, || {
            let named = self.nouns.person(person)?;
            Ok(Known::new(named, |noun| self.index.keys_of_principal(noun)))
        })?;
        let resource = self.memory.sites.of(&place.host, place, || {
            let named = self.nouns.site(place)?;
            Ok(Known::new(named, |noun| self.index.keys_of_resource(noun)))
        })?;
        let both = [Arc::clone(&principal.entity), Arc::clone(&resource.entity)];
        Ok(Terms {
            entities: with(Entities::new(), both)?,
            before: self.memory.parsed.base(&self.nouns, flow)?,
            during: OnceCell::new(),
            principal,
            resource,
        })
    }
}

impl Hearing<'_> {
    /// Whether all these actions are permitted under `grant`; total, and any doubt denies.
    pub fn decide(&self, actions: &[&str], grant: Option<&Grant>) -> Decision {
        match self.put(actions, grant) {
            Ok(tally) => {
                // A permit is proof of `connect`: being allowed to read a flow is not being allowed to have it.
                let leaves = actions.contains(&"connect");
                let grant = grant.map(|grant| (grant.id.clone(), grant.expires));
                let passage: Option<Passage> = leaves.then(|| (self.flow.authority.clone(), grant));
                self.policy.conclude(tally, passage)
            }
            Err(trouble) => Decision::deny(Vec::new(), vec![trouble]),
        }
    }

    /// Whether the answer can depend on the grant: where no rule that may apply looks at it, any grant gets the answer
    /// that none gets.
    pub fn heeds_grants(&self, actions: &[&str]) -> bool {
        let Ok(terms) = &self.terms else { return false };
        let policy = self.policy;
        actions.iter().any(|action| {
            let action = policy.nouns.action(action);
            let rules = policy
                .index
                .matching(&terms.principal.keys, &action, &terms.resource.keys);
            rules.is_some_and(|rules| policy.index.any_heeds_grant(&rules))
        })
    }

    /// The permits that are meant for the purpose of `grant` and do not hold now, where nothing else keeps an action from
    /// being permitted: what they say of themselves (hours, an approval) is why the grant does not help.
    pub fn waiting(&self, actions: &[&str], grant: &Grant) -> Vec<Reason> {
        let Ok(terms) = &self.terms else { return Vec::new() };
        let policy = self.policy;
        let mut waiting = Vec::new();
        for action in actions {
            let decision = self.decide(&[action], Some(grant));
            if decision.is_allowed() || !decision.reasons().is_empty() || !decision.errors().is_empty() {
                continue;
            }
            let (people, places) = (terms.principal.keys.as_slice(), terms.resource.keys.as_slice());
            let numbers = policy.index.matching(people, &policy.nouns.action(action), places);
            for number in numbers.unwrap_or_default() {
                let meant = policy
                    .opens
                    .get(number)
                    .is_some_and(|opens| opens.names(&grant.purpose));
                let rule = policy
                    .rules
                    .get(number)
                    .filter(|_| meant && policy.is_in_force(number, self.flow.at));
                waiting.extend(rule.map(reasons::reason));
            }
        }
        waiting.dedup();
        waiting
    }

    fn put(&self, actions: &[&str], grant: Option<&Grant>) -> Result<Tally, Trouble> {
        let policy = self.policy;
        let question = Question {
            actions,
            grant,
            ..self.flow
        };
        check(&question, &policy.vocabulary)?;
        let terms = self.terms.as_ref().map_err(Clone::clone)?;
        let claim = grant.map(|grant| self.claim(grant)).transpose()?;
        let mut asked = Vec::with_capacity(actions.len());
        for action in actions {
            asked.push((
                policy.nouns.action(action),
                self.context(terms, action, claim.as_deref())?,
            ));
        }
        let known = asked.iter().filter_map(|(action, _)| policy.actions.get(action));
        let entities = with(terms.entities.clone(), known.cloned())?;
        let mut tally = Tally::default();
        for (action, context) in asked {
            let keys = (terms.principal.keys.as_slice(), terms.resource.keys.as_slice());
            match policy.index.matching(keys.0, &action, keys.1) {
                Some(numbers) => self.count(&mut tally, terms, (action, context), numbers, &entities),
                None => tally.fail(Trouble::with_question("action", "the schema does not know the action")),
            }
        }
        Ok(tally)
    }

    fn count(
        &self,
        tally: &mut Tally,
        terms: &Terms,
        (action, context): (EntityUid, Context),
        mut numbers: Vec<Number>,
        entities: &Entities,
    ) {
        let policy = self.policy;
        numbers.retain(|number| policy.is_in_force(*number, self.flow.at));
        let entry = |uid: &EntityUid| EntityUIDEntry::known(uid.as_ref().clone(), None);
        let request = Request::new_unchecked(
            entry(&terms.principal.uid),
            entry(&action),
            entry(&terms.resource.uid),
            Some(context),
        );
        match policy.index.set(numbers) {
            Ok(set) => {
                let answer = policy
                    .authorizer
                    .as_ref()
                    .is_authorized(request, (*set).as_ref(), entities);
                tally.count(&answer.into(), &policy.numbers);
            }
            Err(error) => tally.fail(Trouble::with_question("index", error.to_string())),
        }
    }

    fn context(&self, terms: &Terms, action: &str, claim: Option<&Context>) -> Result<Context, Trouble> {
        let base = if comes_before(action, &self.policy.vocabulary)? {
            &terms.before
        } else {
            let request = self.flow.request.as_ref().ok_or_else(|| {
                let message = format!("`{action}` is asked without a request");
                Trouble::with_question("request", message)
            })?;
            let during = terms
                .during
                .get_or_init(|| merged(&terms.before, &values::request(request)));
            during.as_ref().map_err(Clone::clone)?
        };
        claim.map_or_else(|| Ok(base.clone()), |claim| merged(base, claim))
    }

    fn claim(&self, grant: &Grant) -> Result<Made<Grant, Context>, Trouble> {
        let claim = || evaluated(vec![(GRANT.to_owned(), self.policy.nouns.claim(grant)?)]);
        self.policy.memory.claims.of(&grant.id, grant, claim)
    }
}

fn with(entities: Entities, more: impl IntoIterator<Item = Arc<Entity>>) -> Result<Entities, Trouble> {
    // people, hosts and actions come with all that they are in
    let closed = TCComputation::AssumeAlreadyComputed;
    entities
        .add_entities(more, None::<&NoEntitiesSchema>, closed, Extensions::all_available())
        .map_err(|e| wrong("entities", &e))
}

fn evaluated(pairs: Pairs) -> Result<Context, Trouble> {
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| (name.into(), value.as_ref().clone()));
    Context::from_pairs(pairs, Extensions::all_available()).map_err(|e| wrong("context", &e))
}

/// Both together; they have no name in common.
fn merged(one: &Context, other: &Context) -> Result<Context, Trouble> {
    let (Context::Value(one), Context::Value(other)) = (one, other) else {
        return Err(Trouble::with_question("context", "something in it is unknown"));
    };
    let mut all = (**one).clone();
    all.extend(other.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(Context::Value(Arc::new(all)))
}
