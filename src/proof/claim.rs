//! What is to be proved, as questions to a solver: one for each kind of request that a claim speaks of.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{
    Effect, Entities, EntityUid, Policy, PolicySet, Request, RequestEnv, Schema, ValidationMode, Validator,
};

use super::language::Language;
use super::premise::{Premise, digest};
use super::property::{Claim, Property};
use super::question::{Aim, Question, Rules};
use super::theory::{Theory, set};
use super::unread::{around, excepting};
use crate::facts::{PolicyId, Problem, SourceText, did_you_mean};
use crate::policy::{DEEPEST, Rule, is_deep};
use crate::rulebook::Sources;

/// The way in which questions are put: to be raised whenever the same check asks something else, or of something else.
const FORM: &str = "2";

/// The group of all that people do on a site.
const ACTIVITY: &str = "activity";

/// A request for which something does not hold, with everybody and everything that it names.
#[derive(Clone, Debug)]
pub struct Example {
    /// The request.
    pub request: Request,
    /// Whom and what it is about.
    pub entities: Entities,
}

/// A question about one kind of request.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Nothing is allowed by both.
    Disjoint(PolicySet, PolicySet),
    /// What the first allows, the second allows.
    Implies(PolicySet, PolicySet),
    /// The policy evaluates without an error.
    NeverErrors(Box<Policy>),
}

/// What a check is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A property of the folder.
    Property(Box<Property>),
    /// There are requests that this property speaks of: of none, everything is true.
    Spoken(Box<Property>),
    /// This rule evaluates without an error, always.
    Sound(PolicyId),
    /// There are requests for which this rule makes a difference.
    Needed(PolicyId),
    /// There are requests that this rule matches.
    Alive(PolicyId),
    /// Where this rule matches, the other does.
    Behind(PolicyId, PolicyId),
}

impl About {
    /// The name of the property, or the id of the rule.
    pub fn name(&self) -> &str {
        match self {
            Self::Property(property) | Self::Spoken(property) => &property.name,
            Self::Sound(id) | Self::Needed(id) | Self::Alive(id) | Self::Behind(id, _) => id.as_str(),
        }
    }
}

/// Something to prove.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it is about.
    pub about: About,
    /// The rule that it is about, or the one that permits what a property speaks of.
    pub policy: Arc<Premise>,
    /// The kinds of requests that it is about, by their places in [`Theory::envs`]: one for all that no rule can tell from
    /// it.
    pub envs: Vec<usize>,
    /// The flows in which what it speaks of could be done, if they passed unread: permits them, and forbids those that are
    /// excepted. None where it says nothing of these.
    pub(super) unread: Option<Arc<Rules>>,
}

impl Check {
    /// Whether each question must be answered with yes; otherwise one with no is enough.
    pub fn wants_all(&self) -> bool {
        matches!(self.about, About::Property(_) | About::Sound(_) | About::Behind(..))
    }

    /// A digest of all that a proof of it rests on: what is asked, of which kinds of requests, how the answers count, and
    /// what the rules say that may match them. No question is made for it.
    pub fn digest(&self, theory: &Theory, sources: &Sources) -> String {
        let sdk = cedar_policy::get_sdk_version().to_string();
        let claim = self.claim();
        let ground = theory.ground(&self.policy);
        let about = [
            env!("CARGO_PKG_VERSION"),
            &sdk,
            FORM,
            &sources.schema.text,
            &claim,
            &ground,
        ];
        let envs = self.envs.iter().filter_map(|env| theory.language.envs.get(*env));
        let unread = self.ground_unread(theory);
        let kinds: Vec<(String, &str)> = envs
            .map(|env| {
                let of_rules = if self.is_of_itself() { "" } else { theory.grounds(env) };
                let kind = format!("{} {} {}", env.principal(), env.action(), env.resource());
                (kind, of_rules)
            })
            .collect();
        let kinds = kinds.iter().flat_map(|(kind, of_rules)| [kind.as_str(), of_rules]);
        let unread = unread.iter().map(String::as_str);
        digest(about.into_iter().chain(theory.always()).chain(kinds).chain(unread))
    }

    /// What a proof that nothing of it passes unread rests on.
    fn ground_unread(&self, theory: &Theory) -> Vec<String> {
        let (Some(domain), Some(unread)) = (&self.unread, theory.unread()) else {
            return Vec::new();
        };
        let rules = domain.every().chain(&unread.reading);
        let reaching = theory.language.envs.get(unread.reaching);
        let reaching = reaching.map(|env| theory.grounds(env).to_owned());
        rules.map(|rule| theory.ground(rule)).chain(reaching).collect()
    }

    /// What is claimed, in a form that is the same for the same claim.
    fn claim(&self) -> String {
        match &self.about {
            About::Property(property) => format!("{:?}", property.claim),
            About::Spoken(_) => "spoken".to_owned(),
            About::Sound(_) => "sound".to_owned(),
            About::Needed(_) => "needed".to_owned(),
            About::Alive(_) => "alive".to_owned(),
            About::Behind(_, other) => format!("behind {other}"),
        }
    }

    /// Whether no other rule has a part in it.
    fn is_of_itself(&self) -> bool {
        matches!(self.about, About::Sound(_) | About::Spoken(_) | About::Alive(_))
    }

    /// What to ask about one kind of request, all of which must hold.
    pub(super) fn questions<'a>(
        &'a self,
        theory: &'a Theory,
        env: &'a RequestEnv,
    ) -> Box<dyn Iterator<Item = Question<'a>> + 'a> {
        let question = move |aim, one, other| Question::new(theory, env, aim, one, other);
        let only = |rule: Premise| Rules::from_iter([&Arc::new(rule)]);
        let itself = || Rules::from_iter([&self.policy]);
        let rules = || theory.rules(env);
        let others = || rules().filter(|rule| theory.may_stand_for(rule.policy(), self.policy.policy()));
        let of = |rules: Vec<&Arc<Premise>>, effect| {
            let rules = rules.into_iter();
            rules.filter(|rule| rule.policy().effect() == effect).collect::<Rules>()
        };
        let ask = match &self.about {
            About::Property(property) => match property.claim {
                // a rule that fails denies, which breaks no such promise
                Claim::Never => question(Aim::Disjoint, rules().collect(), itself()),
                Claim::Always => {
                    let allowed = question(Aim::Implies, itself(), rules().collect());
                    let evaluate = rules().map(move |rule| {
                        let aim = Aim::Evaluates(Arc::clone(rule));
                        question(aim, itself(), Rules::default())
                    });
                    return Box::new(std::iter::once(allowed).chain(evaluate));
                }
            },
            About::Sound(_) => {
                let aim = Aim::Evaluates(Arc::clone(&self.policy));
                question(aim, Rules::default(), Rules::default())
            }
            About::Alive(_) | About::Spoken(_) => {
                question(Aim::Implies, only(self.policy.permitting()), Rules::default())
            }
            About::Behind(_, other) => {
                let other = theory.rule(other.as_str()).map(|rule| only(rule.permitting()));
                question(Aim::Implies, only(self.policy.permitting()), other.unwrap_or_default())
            }
            About::Needed(_) => match self.policy.policy().effect() {
                // whatever is allowed only with it matches it, and no forbid
                Effect::Permit => {
                    let mut one = of(rules().collect(), Effect::Forbid);
                    one.permits.push(Arc::clone(&self.policy));
                    question(Aim::Implies, one, of(others().collect(), Effect::Permit)).in_portions(0, 1)
                }
                // whatever is allowed only without it matches it: one permit that it takes something from is enough
                Effect::Forbid => {
                    question(Aim::Disjoint, others().collect(), only(self.policy.permitting())).in_portions(0, 1)
                }
            },
        };
        Box::new(std::iter::once(ask))
    }
}

impl Check {
    /// What to ask so that nothing of it can be done unread: nothing passes so, and no rule about reading fails.
    pub(super) fn questions_unread<'a>(&'a self, theory: &'a Theory) -> Box<dyn Iterator<Item = Question<'a>> + 'a> {
        let (Some(domain), Some(unread)) = (&self.unread, theory.unread()) else {
            return Box::new(std::iter::empty());
        };
        let Some(env) = theory.language.envs.get(unread.env) else {
            return Box::new(std::iter::empty());
        };
        let domain = Rules::clone(domain);
        let passes = Question::new(theory, env, Aim::Disjoint, unread.rules.clone(), domain.clone());
        let evaluate = unread.reading.iter().map(move |rule| {
            let aim = Aim::Evaluates(Arc::clone(rule));
            Question::new(theory, env, aim, domain.clone(), Rules::default())
        });
        Box::new(std::iter::once(passes).chain(evaluate))
    }

    /// The same, of what is done: unread, it may be anything. `private` is what is promised never to be read.
    #[must_use]
    pub(super) fn also_unread(mut self, theory: &Theory, private: &[Arc<Premise>]) -> Self {
        let About::Property(property) = &self.about else {
            return self;
        };
        let (group, _) = theory.language.actions(&[ACTIVITY.to_owned()]);
        let does = self.envs.iter().filter_map(|env| theory.language.envs.get(*env));
        let is_of_activities = does.map(RequestEnv::action).any(|action| group.contains(action));
        let unread = theory.unread().and_then(|unread| theory.language.envs.get(unread.env));
        if let (true, Claim::Never, None, Some(env)) = (is_of_activities, property.claim, &property.unread, unread) {
            let domain = around(theory, self.policy.policy(), env).map(|domain| {
                let domain = Arc::new(domain);
                std::iter::once(&domain).chain(private).collect()
            });
            self.unread = domain.map(Arc::new);
        }
        self
    }

    /// What it says is never read, where it does.
    pub(super) fn private(&self) -> Option<Arc<Premise>> {
        let About::Property(property) = &self.about else {
            return None;
        };
        let private = property.is_of_reading_alone();
        private.then(|| excepting(&self.policy, &property.name))?
    }
}

impl Ask {
    /// How many rules it is about.
    #[cfg_attr(
        not(feature = "prove"),
        expect(dead_code, reason = "nothing is asked without a solver")
    )]
    pub(super) fn rules(&self) -> usize {
        match self {
            Self::Disjoint(one, other) | Self::Implies(one, other) => one.policies().chain(other.policies()).count(),
            Self::NeverErrors(_) => 1,
        }
    }
}

/// The policy that permits exactly the requests that a property speaks of.
pub fn about(property: &Property, actions: &BTreeSet<EntityUid>) -> Result<Policy, String> {
    let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let text = format!(
        "permit (principal, action in [{}], resource) when {{ {} }};",
        actions.join(", "),
        property.when
    );
    let policy = Policy::parse(None, text).map_err(|e| e.to_string())?;
    if is_deep(&policy) {
        return Err(format!("it is nested more than {DEEPEST} levels deep"));
    }
    Ok(policy)
}

/// The expressions of properties that can be read, for the names in them.
pub fn expressions(properties: &[Property]) -> Vec<Policy> {
    let text = |property: &Property| format!("permit (principal, action, resource) when {{ {} }};", property.when);
    let parsed = properties.iter().map(|property| Policy::parse(None, text(property)));
    parsed.filter_map(Result::ok).collect()
}

/// What a property says: the actions that it speaks of, and a policy that permits exactly the requests that it does; or
/// what is wrong with how it is written.
pub fn said(
    language: &Language,
    property: &Property,
    file: &SourceText,
) -> Result<(BTreeSet<EntityUid>, Policy), Vec<Problem>> {
    let wrong = |code: &str, message: String| {
        let code = format!("wayleave::properties::{code}");
        Problem::error(&code, file, property.span, message)
    };
    let (actions, unknown) = language.actions(&property.actions);
    let mut problems = Vec::new();
    for name in &unknown {
        let problem = wrong("unknown-action", format!("there is no action or group `{name}`"));
        let known = language.schema.actions().chain(language.schema.action_groups());
        problems.push(match did_you_mean(name, known.map(|uid| uid.id().unescaped())) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem.with_help("name an action or a group of the schema"),
        });
    }
    let policy = match about(property, &actions) {
        Ok(policy) => policy,
        Err(error) => {
            let help = "write one Cedar expression, as in the `when { … }` of a rule";
            problems.push(wrong("syntax", error).with_help(help));
            return Err(problems);
        }
    };
    // whether it fits the schema hangs on the actions
    if unknown.is_empty() {
        problems.extend(problems_of(&policy, &language.schema, file, property.span));
    }
    for uid in policy.entity_literals().iter().filter(|uid| !language.knows(uid)) {
        let kind = uid.type_name().basename().to_owned();
        let name = uid.id().unescaped();
        let problem = wrong(
            "unknown-name",
            format!("nobody knows the {} `{name}`", kind.to_lowercase()),
        );
        problems.push(match did_you_mean(name, language.names(&kind)) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem.with_help("name one of the catalogue or the directory"),
        });
    }
    if problems.is_empty() {
        Ok((actions, policy))
    } else {
        Err(problems)
    }
}

/// The property as a check, or what is wrong with how it is written.
pub fn of_property(theory: &Theory, property: &Property, file: &SourceText) -> Result<Check, Vec<Problem>> {
    let (actions, policy) = said(&theory.language, property, file)?;
    let envs = theory.language.envs.iter().enumerate();
    let envs = envs.filter(|(_, env)| actions.contains(env.action()));
    Ok(Check {
        envs: theory.distinct(envs.map(|(number, _)| number), &policy),
        about: About::Property(Box::new(property.clone())),
        policy: Arc::new(Premise::new(policy)),
        unread: None,
    })
}

/// Whether a policy says something that the schema understands.
fn problems_of(policy: &Policy, schema: &Schema, file: &SourceText, span: (usize, usize)) -> Vec<Problem> {
    let result = Validator::new(schema.clone()).validate(&set([policy.clone()]), ValidationMode::Strict);
    let errors: BTreeSet<String> = result.validation_errors().map(ToString::to_string).collect();
    let first = errors.into_iter().take(1);
    first
        .map(|error| Problem::error("wayleave::properties::invalid", file, span, error))
        .collect()
}

/// What must hold of every property among `checks`: it speaks of something.
pub fn of_claims(checks: &[Check]) -> Vec<Check> {
    let spoken = |check: &Check| {
        let About::Property(property) = &check.about else {
            return None;
        };
        Some(Check {
            about: About::Spoken(property.clone()),
            unread: None,
            ..check.clone()
        })
    };
    checks.iter().filter_map(spoken).collect()
}

/// What must hold of every rule: it evaluates, and it makes a difference.
pub fn of_rules<'a>(theory: &'a Theory, rules: impl Iterator<Item = &'a Rule>) -> Vec<Check> {
    let mut checks = Vec::new();
    for rule in rules {
        let Some(policy) = theory.rule(rule.id.as_str()) else {
            continue;
        };
        let envs = theory.language.envs.iter().enumerate();
        let envs = envs.filter(|(_, env)| theory.speaks_of(policy.policy(), env));
        let envs = theory.distinct(envs.map(|(number, _)| number), policy.policy());
        let id = || rule.id.clone();
        let abouts = [About::Sound(id()), About::Needed(id())];
        checks.extend(abouts.map(|about| Check {
            about,
            policy: Arc::clone(policy),
            envs: envs.clone(),
            unread: None,
        }));
    }
    checks
}
