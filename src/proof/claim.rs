//! What is to be proved, as questions to a solver: one for each kind of request that a claim speaks of.

use std::collections::BTreeSet;

use cedar_policy::{Entities, Policy, PolicySet, Request, RequestEnv};

use super::property::{Claim, Property};
use super::theory::{Theory, permitting, problems_of, set};
use crate::facts::{Effect, PolicyId, Problem, SourceText, did_you_mean};
use crate::policy::Rule;

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

impl Ask {
    /// The same question about requests that somebody would recognise; none where there is no telling them apart.
    pub fn lifelike(&self, theory: &Theory) -> Option<Self> {
        match self {
            Self::Disjoint(one, other) => Some(Self::Disjoint(one.clone(), theory.lifelike(other.clone()))),
            Self::Implies(one, other) => Some(Self::Implies(theory.lifelike(one.clone()), other.clone())),
            Self::NeverErrors(_) => None,
        }
    }
}

/// A question, and the number of the kind of request among those of the theory.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The place in [`Theory::envs`].
    pub env: usize,
    /// The question.
    pub ask: Ask,
}

/// What a check is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A property of the folder.
    Property(Box<Property>),
    /// This rule evaluates without an error, always.
    Sound(PolicyId),
    /// There are requests that this rule matches.
    Alive(PolicyId),
    /// There are requests for which this rule makes a difference.
    Needed(PolicyId),
}

/// Something to prove.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it is about.
    pub about: About,
    /// The questions.
    pub goals: Vec<Goal>,
}

impl Check {
    /// Whether each question must be answered with yes; otherwise one with no is enough.
    pub fn wants_all(&self) -> bool {
        matches!(self.about, About::Property(_) | About::Sound(_))
    }

    /// What a proof of it is called by, beside the texts that it rests on.
    pub fn key(&self) -> String {
        match &self.about {
            About::Property(property) => {
                format!("{:?} {:?} when {}", property.claim, property.actions, property.when)
            }
            About::Sound(id) => format!("sound {id}"),
            About::Alive(id) => format!("alive {id}"),
            About::Needed(id) => format!("needed {id}"),
        }
    }
}

/// The policy that permits exactly the requests that a property speaks of.
pub fn about(property: &Property, actions: &BTreeSet<cedar_policy::EntityUid>) -> Result<Policy, String> {
    let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let text = format!(
        "permit (principal, action in [{}], resource) when {{ {} }};",
        actions.join(", "),
        property.when
    );
    Policy::parse(None, text).map_err(|e| e.to_string())
}

/// The expressions of properties that can be read, for the names in them.
pub fn expressions(properties: &[Property]) -> Vec<Policy> {
    let text = |property: &Property| format!("permit (principal, action, resource) when {{ {} }};", property.when);
    let parsed = properties.iter().map(|property| Policy::parse(None, text(property)));
    parsed.filter_map(Result::ok).collect()
}

/// The property as a check, or what is wrong with how it is written.
pub fn of_property(theory: &Theory, property: &Property, file: &SourceText) -> Result<Check, Vec<Problem>> {
    let wrong = |code: &str, message: String| {
        let code = format!("wayleave::properties::{code}");
        Problem::error(&code, file, property.span, message)
    };
    let actions = theory.actions(&property.actions).map_err(|unknown| {
        let known: Vec<&str> = theory.envs.iter().map(|env| env.action().id().unescaped()).collect();
        let problem = wrong("unknown-action", format!("there is no action or group `{unknown}`"));
        vec![match did_you_mean(&unknown, known) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem.with_help("name an action or a group of the schema"),
        }]
    })?;
    let policy = about(property, &actions).map_err(|error| {
        let help = "write one Cedar expression, as in the `when { … }` of a rule";
        vec![wrong("syntax", error).with_help(help)]
    })?;
    let mut problems = problems_of(&policy, &theory.schema, file, property.span);
    for uid in policy.entity_literals().iter().filter(|uid| !theory.knows(uid)) {
        let kind = uid.type_name().basename().to_owned();
        let name = uid.id().unescaped();
        let problem = wrong(
            "unknown-name",
            format!("nobody knows the {} `{name}`", kind.to_lowercase()),
        );
        problems.push(match did_you_mean(name, theory.names(&kind)) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem.with_help("name one of the catalogue or the directory"),
        });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let spoken_of = theory.possible(set([policy]));
    let envs = theory.envs.iter().enumerate();
    let goals = envs
        .filter(|(_, env)| actions.contains(env.action()))
        .map(|(env, _)| Goal {
            env,
            ask: match property.claim {
                Claim::Never => Ask::Disjoint(theory.all(), spoken_of.clone()),
                Claim::Always => Ask::Implies(spoken_of.clone(), theory.all()),
            },
        });
    Ok(Check {
        goals: goals.collect(),
        about: About::Property(Box::new(property.clone())),
    })
}

/// What must hold of every rule: it evaluates, it can match, it makes a difference.
pub fn of_rules<'a>(theory: &Theory, rules: impl Iterator<Item = &'a Rule>) -> Vec<Check> {
    let by_id = |rule: &Rule| {
        let id = rule.id.as_str();
        theory
            .rules
            .iter()
            .find(|policy| AsRef::<str>::as_ref(policy.id()) == id)
    };
    let mut checks = Vec::new();
    for (rule, policy) in rules.filter_map(|rule| Some((rule, by_id(rule)?))) {
        let valid: Vec<RequestEnv> = policy.get_valid_request_envs(&theory.schema).collect();
        let envs = || {
            let all = theory.envs.iter().enumerate();
            all.filter(|(_, env)| valid.iter().any(|one| one == *env))
                .map(|(env, _)| env)
        };
        let goals = |ask: Ask| envs().map(|env| Goal { env, ask: ask.clone() }).collect();
        let alone = theory.possible(set([permitting(policy)]));
        let (with_it, less) = (theory.all(), theory.without(policy.id()));
        let needed = match rule.effect {
            Effect::Permit => Ask::Implies(theory.possible(with_it), less),
            Effect::Forbid => Ask::Implies(theory.possible(less), with_it),
        };
        let id = || rule.id.clone();
        for (about, ask) in [
            (
                About::Sound(id()),
                Ask::NeverErrors(Box::new(theory.within_domain(policy))),
            ),
            (About::Alive(id()), Ask::Implies(alone, PolicySet::new())),
            (About::Needed(id()), needed),
        ] {
            checks.push(Check {
                about,
                goals: goals(ask),
            });
        }
    }
    checks
}
