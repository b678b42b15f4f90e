//! What is to be proved, as questions to a solver: one for each kind of request that a claim speaks of.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use cedar_policy::{
    Effect, Entities, EntityUid, Policy, PolicySet, Request, RequestEnv, Schema, ValidationMode, Validator,
};

use super::language::Language;
use super::property::{Claim, Property};
use super::rewrite::{permitting, within};
use super::sound::sound;
use super::theory::{Theory, set, with};
use crate::facts::{PolicyId, Problem, SourceText, did_you_mean, hex};
use crate::policy::{DEEPEST, Rule, is_deep};
use crate::rulebook::Sources;

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
    pub policy: Policy,
    /// The kinds of requests that it is about, by their places in [`Theory::envs`]: one for all that no rule can tell from
    /// it.
    pub envs: Vec<usize>,
}

impl Check {
    /// Whether each question must be answered with yes; otherwise one with no is enough.
    pub fn wants_all(&self) -> bool {
        matches!(self.about, About::Property(_) | About::Sound(_) | About::Behind(..))
    }

    /// A digest of all that a proof of it rests on: what is asked, of which kinds of requests, and how the answers count.
    pub fn digest(&self, theory: &Theory, sources: &Sources) -> String {
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut add = |text: &str| {
            hash.update(&text.len().to_be_bytes());
            hash.update(text.as_bytes());
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&cedar_policy::get_sdk_version().to_string());
        add(&sources.schema.text);
        add(if self.wants_all() { "all" } else { "any" });
        for env in self.envs.iter().filter_map(|env| theory.language.envs.get(*env)) {
            add(&format!("{} {} {}", env.principal(), env.action(), env.resource()));
            for (first, decider) in self.ask(theory, env) {
                add(&first.text());
                add(&decider.map(|ask| ask.text()).unwrap_or_default());
            }
        }
        hex(hash.finish().as_ref())
    }

    /// What to ask about one kind of request, all of which must hold: of each the first question, and, where it is answered
    /// with no, one that decides.
    pub fn ask(&self, theory: &Theory, env: &RequestEnv) -> Vec<(Ask, Option<Ask>)> {
        let possible = theory.impossible(theory.rules(env).chain([&self.policy]));
        let among = |policies: PolicySet| with(policies, &possible);
        let all = || set(theory.rules(env).cloned());
        let less = || set(theory.rules(env).filter(|rule| rule.id() != self.policy.id()).cloned());
        let ask = match &self.about {
            About::Property(property) => {
                let spoken_of = among(set([self.policy.clone()]));
                match property.claim {
                    // a rule that fails denies, which breaks no such promise
                    Claim::Never => (Ask::Disjoint(all(), spoken_of), None),
                    Claim::Always => {
                        let evaluate = theory.rules(env).map(|rule| sound(rule, &[&self.policy, &possible]));
                        return std::iter::once((Ask::Implies(spoken_of, all()), None))
                            .chain(evaluate)
                            .collect();
                    }
                }
            }
            About::Sound(_) => sound(&self.policy, &[&theory.impossible([&self.policy])]),
            About::Alive(_) | About::Spoken(_) => (
                Ask::Implies(among(set([permitting(&self.policy)])), PolicySet::new()),
                None,
            ),
            About::Behind(_, other) => {
                let other = theory.rule(other.as_str()).map(permitting);
                (Ask::Implies(among(set([permitting(&self.policy)])), set(other)), None)
            }
            About::Needed(_) => match self.policy.effect() {
                Effect::Permit => (Ask::Implies(among(all()), less()), None),
                Effect::Forbid => (Ask::Implies(among(less()), all()), None),
            },
        };
        vec![ask]
    }
}

impl Ask {
    /// The question, in a form that is the same for the same question.
    fn text(&self) -> String {
        let all = |set: &PolicySet| {
            let mut texts: Vec<String> = set
                .policies()
                .map(|policy| format!("{} {policy}", policy.id()))
                .collect();
            texts.sort();
            texts.join("\n")
        };
        match self {
            Self::Disjoint(one, other) => format!("disjoint\n{}\nand\n{}", all(one), all(other)),
            Self::Implies(one, other) => format!("implies\n{}\nthen\n{}", all(one), all(other)),
            Self::NeverErrors(policy) => format!("evaluates\n{policy}"),
        }
    }

    /// The same question about requests that `odd` does not forbid; none where that cannot be asked.
    pub fn among(&self, odd: &Policy) -> Option<Self> {
        let among = |policies: &PolicySet| with(policies.clone(), odd);
        match self {
            Self::Disjoint(one, other) => Some(Self::Disjoint(one.clone(), among(other))),
            Self::Implies(one, other) => Some(Self::Implies(among(one), other.clone())),
            Self::NeverErrors(policy) => Some(Self::NeverErrors(Box::new(within(policy, odd)?))),
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
        policy,
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
        let envs = envs.filter(|(_, env)| theory.speaks_of(policy, env));
        let envs = theory.distinct(envs.map(|(number, _)| number), policy);
        let id = || rule.id.clone();
        let abouts = [About::Sound(id()), About::Needed(id())];
        checks.extend(abouts.map(|about| Check {
            about,
            policy: policy.clone(),
            envs: envs.clone(),
        }));
    }
    checks
}
