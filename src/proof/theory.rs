//! The rules as something that can be reasoned about: schema, policies, and what is known of every request there can be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use cedar_policy::{
    EntityUid, Policy, PolicyId, PolicySet, RequestEnv, Schema, SchemaFragment, ValidationMode, Validator,
};
use serde_json::Value;

use super::Example;
use super::counting::Counting;
use super::ladders::{Known, known};
use super::language::Language;
use super::looks::{Looks, kinds, leaves_room};
use super::places::Places;
use super::premise::{Premise, digest};
use super::unread::Unread;
use crate::facts::Problem;
use crate::rulebook::{Directory, Rulebook, Sources};

/// What holds of every request, as far as the schema's types do not say it. A condition whose words a schema does not
/// have is left out.
const ALWAYS_TRUE: [&str; 9] = [
    r#"context.now >= datetime("2020-01-01") && context.now < datetime("2100-01-01")"#,
    "context.local.weekday >= 1 && context.local.weekday <= 7",
    r#"context.local.time >= duration("0h") && context.local.time < duration("24h")"#,
    "if context has request then context.request.bytes >= 0 else true",
    "if context has purpose then context.purpose.declaredAt <= context.now && context.now < context.purpose.expiresAt else true",
    r#"if context has purpose then ["read", "engage", "publish", "administer"].containsAll(context.purpose.covers) else true"#,
    r#"if resource is Purpose then resource.maxDuration > duration("0h") else true"#,
    r#"if context has lasts then context.lasts > duration("0h") else true"#,
    "if context has lasts then resource == principal else true",
];

/// An ordinary week, seen from Greenwich: the solver does not know what day a moment is.
const ORDINARY: &str = r#"
    context.now >= datetime("2026-11-23") && context.now < datetime("2026-11-30")
    && context.local.time == context.now.toTime()
    && (context.local.weekday == 1 && context.now.toDate() == datetime("2026-11-23")
        || context.local.weekday == 2 && context.now.toDate() == datetime("2026-11-24")
        || context.local.weekday == 3 && context.now.toDate() == datetime("2026-11-25")
        || context.local.weekday == 4 && context.now.toDate() == datetime("2026-11-26")
        || context.local.weekday == 5 && context.now.toDate() == datetime("2026-11-27")
        || context.local.weekday == 6 && context.now.toDate() == datetime("2026-11-28")
        || context.local.weekday == 7 && context.now.toDate() == datetime("2026-11-29"))
    && ["office", "vpn", "guest"].contains(context.client.network)
    && ["basic", "certificate", "token"].contains(context.proof.method)"#;

/// Schema, rules, and what is known of every request.
#[derive(Debug)]
pub struct Theory {
    /// What it is told in.
    pub language: Language,
    /// The rules, each with its end as a condition.
    rules: Vec<Arc<Premise>>,
    /// Those of them that only let pass whoever is told why not and continues.
    coached: BTreeSet<String>,
    /// The places of the rules among them.
    numbers: HashMap<String, usize>,
    /// The places of those that may match each kind of request.
    spoken: Vec<Vec<usize>>,
    /// What a proof rests on that speaks of all of these.
    grounds: Vec<OnceLock<String>>,
    /// How the rules see each kind of request: those of one number they cannot tell apart.
    seen: Vec<usize>,
    /// All that rules and properties name.
    named: BTreeSet<EntityUid>,
    /// What holds of every request, whatever it names.
    always: Vec<String>,
    /// What holds of those that name something.
    known: Vec<Known>,
    places: Places,
    /// Forbids those that nobody would recognise.
    odd: Option<Policy>,
    /// Rules that close something to all but those who continue.
    strict: Vec<Arc<Premise>>,
    /// What passes unread.
    unread: OnceLock<Option<Unread>>,
}

impl Theory {
    /// What there is to reason about in a rulebook, with the roles and departments of `people`. `more` are expressions that
    /// name things, too.
    pub fn new(
        sources: &Sources,
        rulebook: &Rulebook,
        people: &Directory,
        more: &[Policy],
    ) -> Result<Self, Vec<Problem>> {
        let language = Language::new(&sources.schema, rulebook.catalog(), people, BTreeSet::new())?;
        let Counting { rules, coached, strict } = Counting::of(sources, rulebook)?;
        let Language {
            schema,
            envs,
            actions,
            ladders,
            ..
        } = &language;
        let of_rules = rules
            .iter()
            .chain(&strict)
            .flat_map(|rule: &Arc<Premise>| rule.names().iter().cloned());
        let named = of_rules.chain(more.iter().flat_map(Policy::entity_literals)).collect();
        let understood = |text: &str| is_understood(text, schema);
        let always = ALWAYS_TRUE.iter().map(|text| (*text).to_owned());
        let odd = understood(ORDINARY).then(|| excluding("odd", std::iter::once(ORDINARY)));
        let known = known(ladders, &named).into_iter();
        let shapes = shapes(&sources.schema.text).unwrap_or_default();
        let shape = |env: &RequestEnv| {
            let shape = shapes.get(env.action().id().unescaped()).cloned();
            (env.principal().to_string(), env.resource().to_string(), shape)
        };
        let policies: Vec<&Policy> = rules.iter().map(|rule| rule.policy()).collect();
        let looks = Looks::of(&policies, envs, actions);
        let spoken: Vec<Vec<usize>> = looks.iter().map(Looks::spoken_of).collect();
        let looks: Vec<_> = looks.into_iter().zip(envs.iter().map(shape)).collect();
        let numbers = rules.iter().enumerate();
        Ok(Self {
            numbers: numbers
                .map(|(number, rule)| (rule.policy().id().to_string(), number))
                .collect(),
            grounds: spoken.iter().map(|_| OnceLock::new()).collect(),
            spoken,
            coached,
            seen: kinds(&looks.iter().collect::<Vec<_>>()),
            always: always.filter(|text| understood(text)).collect(),
            known: known.filter(|known| understood(&known.condition)).collect(),
            odd,
            places: Places::new(rulebook, people, &named, schema),
            named,
            language,
            rules,
            strict,
            unread: OnceLock::new(),
        })
    }

    /// The rules that may match a request of the kind.
    pub fn rules(&self, env: &RequestEnv) -> impl Iterator<Item = &Arc<Premise>> {
        let place = self.place(env).and_then(|place| self.spoken.get(place));
        place.into_iter().flatten().filter_map(|number| self.rules.get(*number))
    }

    /// The flows that pass unread; none where the schema does not ask whether something is read.
    pub(super) fn unread(&self) -> Option<&Unread> {
        self.unread.get_or_init(|| Unread::of(self, &self.strict)).as_ref()
    }

    fn place(&self, env: &RequestEnv) -> Option<usize> {
        self.language.envs.iter().position(|one| one == env)
    }

    /// All rules.
    pub fn every(&self) -> impl Iterator<Item = &Arc<Premise>> {
        self.rules.iter()
    }

    /// Whether the schema has the words of every rule.
    pub fn is_understood(&self) -> bool {
        let validator = Validator::new(self.language.schema.clone());
        let all = set(self.rules.iter().map(|rule| rule.policy().clone()));
        let result = validator.validate(&all, ValidationMode::Strict);
        result.validation_errors().next().is_none()
    }

    /// The rule called `id`.
    pub fn rule(&self, id: &str) -> Option<&Arc<Premise>> {
        self.rules.get(*self.numbers.get(id)?)
    }

    /// Whether `other` is another rule than `rule`, and one that can make it needless.
    pub(super) fn may_stand_for(&self, other: &Policy, rule: &Policy) -> bool {
        other.id() != rule.id() && (self.only_coaches(rule) || !self.only_coaches(other))
    }

    /// Whether a rule only lets pass whoever is told why not and continues: that is less than what others permit.
    pub(super) fn only_coaches(&self, rule: &Policy) -> bool {
        self.coached.contains::<str>(rule.id().as_ref())
    }

    /// A digest of what a proof rests on that speaks of this rule: what it says, and what is known of all that it names.
    pub(super) fn ground(&self, rule: &Premise) -> String {
        let known = rule.names().iter().map(|name| {
            let above = self.language.ladders.get(name);
            format!("{name} {above:?} {}", self.places.told_of(name))
        });
        let known: Vec<String> = known.collect();
        let mode = if self.only_coaches(rule.policy()) { "coach" } else { "" };
        let says = [rule.meaning(), mode].into_iter();
        digest(says.chain(known.iter().map(String::as_str)))
    }

    /// The same of all rules that may match a request of the kind.
    pub(super) fn grounds(&self, env: &RequestEnv) -> &str {
        let ground = self.place(env).and_then(|place| self.grounds.get(place));
        ground.map_or("", |ground| {
            ground.get_or_init(|| {
                let mut all: Vec<String> = self.rules(env).map(|rule| self.ground(rule)).collect();
                all.sort_unstable();
                digest(all.iter().map(String::as_str))
            })
        })
    }

    /// What is held true of every request, whatever it names.
    pub(super) fn always(&self) -> impl Iterator<Item = &str> {
        self.always.iter().map(String::as_str)
    }

    /// Whether the scope of a rule leaves room for the kind of request.
    pub fn speaks_of(&self, rule: &Policy, env: &RequestEnv) -> bool {
        leaves_room(&rule.action_constraint(), env, &self.language.actions)
    }

    /// One of each kind among `envs` that the rules and `more` can tell apart.
    pub fn distinct(&self, envs: impl IntoIterator<Item = usize>, more: &Policy) -> Vec<usize> {
        let classes = self.classes(envs, &[more]).into_iter();
        classes.filter_map(|class| class.first().copied()).collect()
    }

    /// `envs`, together with those that the rules and `more` cannot tell apart: whether somebody may `react` is answered
    /// for `follow`, too, where every rule that speaks of one speaks of both.
    pub fn classes(&self, envs: impl IntoIterator<Item = usize>, more: &[&Policy]) -> Vec<Vec<usize>> {
        let envs = envs.into_iter();
        let numbered: Vec<(usize, &RequestEnv)> = envs
            .filter_map(|env| Some((env, self.language.envs.get(env)?)))
            .collect();
        let looks = Looks::of(more, numbered.iter().map(|(_, env)| *env), &self.language.actions);
        let seen = numbered.iter().map(|(env, _)| self.seen.get(*env));
        let looks: Vec<_> = looks.into_iter().zip(seen).collect();
        let mut classes: Vec<Vec<usize>> = Vec::new();
        for ((env, _), class) in numbered.iter().zip(kinds(&looks.iter().collect::<Vec<_>>())) {
            match classes.get_mut(class) {
                Some(class) => class.push(*env),
                None => classes.push(vec![*env]),
            }
        }
        classes
    }

    /// `actions`, with groups in the place of all that is in them: the largest first.
    pub fn grouped(&self, mut actions: BTreeSet<String>) -> Vec<String> {
        let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for env in &self.language.envs {
            for group in self.language.actions.ancestors(env.action()).into_iter().flatten() {
                let members = groups.entry(group.id().unescaped()).or_default();
                members.insert(env.action().id().unescaped());
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
        let mut said = Vec::new();
        for (group, members) in groups.into_iter().filter(|(_, members)| members.len() > 1) {
            if members.iter().all(|member| actions.contains(*member)) {
                actions.retain(|action| !members.contains(action.as_str()));
                said.push(group.to_owned());
            }
        }
        said.extend(actions);
        said
    }

    /// Those of `names` that do not follow from others of them.
    pub fn lowest(&self, mut names: BTreeSet<EntityUid>) -> BTreeSet<EntityUid> {
        let above: BTreeSet<EntityUid> = names
            .iter()
            .filter_map(|name| self.language.ladders.get(name))
            .flatten()
            .cloned()
            .collect();
        names.retain(|name| !above.contains(name));
        names
    }

    /// Forbids the requests that cannot be, as far as it can be told by what they are `named` to be about.
    pub fn impossible(&self, named: &BTreeSet<EntityUid>) -> Policy {
        let known = self.known.iter();
        let known = known.filter(|known| known.names.iter().all(|name| named.contains(name)));
        let places = self.places.conditions(named);
        let conditions = self
            .always
            .iter()
            .chain(known.map(|known| &known.condition))
            .chain(&places);
        excluding("impossible", conditions.map(String::as_str))
    }

    /// Whom and what an example is about, with all that they are in, or should be, as far as any rule names it: a solver
    /// makes up names for what no rule can tell apart.
    pub(super) fn around(&self, example: &Example) -> BTreeSet<EntityUid> {
        let present = present(example);
        let above = present.iter().flat_map(|name| {
            let ladder = self.language.ladders.get(name).into_iter().flatten();
            ladder.chain(self.places.above(name))
        });
        let all = present.iter().chain(above);
        all.filter(|name| self.named.contains(*name)).cloned().collect()
    }

    /// Forbids the requests that nobody would recognise, where the schema has the words to tell.
    pub fn ordinary(&self) -> Option<&Policy> {
        self.odd.as_ref()
    }
}

/// Whom and what an example is about, and all that they are in.
pub(super) fn present(example: &Example) -> BTreeSet<EntityUid> {
    let request = &example.request;
    let both = [request.principal(), request.resource()].into_iter().flatten();
    let with_above = both.flat_map(|uid| {
        let above = example.entities.ancestors(uid).into_iter().flatten();
        std::iter::once(uid).chain(above)
    });
    with_above.cloned().collect()
}

/// A set of policies with different names.
pub fn set(policies: impl IntoIterator<Item = Policy>) -> PolicySet {
    let mut set = PolicySet::new();
    for policy in policies {
        // two of one name are one
        let _ = set.add(policy);
    }
    set
}

pub(super) fn condition(text: &str) -> Option<Policy> {
    Policy::parse(None, format!("permit (principal, action, resource) when {{ {text} }};")).ok()
}

pub(super) fn is_understood(text: &str, schema: &Schema) -> bool {
    let found = condition(text);
    found.is_some_and(|policy| {
        let validator = Validator::new(schema.clone());
        validator
            .validate(&set([policy]), ValidationMode::Strict)
            .validation_errors()
            .next()
            .is_none()
    })
}

/// What each action of a schema applies to, by its name.
fn shapes(schema: &str) -> Option<BTreeMap<String, String>> {
    let (fragment, _) = SchemaFragment::from_cedarschema_str(schema).ok()?;
    let whole = fragment.to_json_value().ok()?;
    let spaces = whole
        .as_object()?
        .values()
        .filter_map(|space| space.get("actions")?.as_object());
    let shape = |(name, action): (&String, &Value)| Some((name.clone(), action.get("appliesTo")?.to_string()));
    Some(spaces.flatten().filter_map(shape).collect())
}

/// Forbids every request for which one of the conditions does not hold; each has been read before.
fn excluding<'a>(id: &str, conditions: impl Iterator<Item = &'a str>) -> Policy {
    let kept: Vec<String> = conditions.map(|text| format!("({text})")).collect();
    let all = if kept.is_empty() {
        "true".to_owned()
    } else {
        kept.join(" && ")
    };
    let read = |all: &str| {
        let text = format!("forbid (principal, action, resource) unless {{ {all} }};");
        Policy::parse(Some(PolicyId::new(format!("the {id}"))), text)
    };
    read(&all)
        .or_else(|_| read("true"))
        .unwrap_or_else(|_| unreachable!("a policy that says nothing can be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SourceText;
    use crate::rulebook::Rulebook;

    #[test]
    fn what_is_proved_speaks_of_what_can_pass() {
        let rule = |id: &str, mode: &str, effect: &str| {
            let notes = format!("@id(\"{id}\") @reason(\"R.\") @owner(\"IT\") @mode(\"{mode}\")");
            format!("{notes}\n{effect} (principal, action == Action::\"connect\", resource);\n")
        };
        let modes = ["observe", "coach", "enforce"];
        let rules = modes.map(|mode| {
            let both = ["permit", "forbid"].map(|effect| rule(&format!("test.{mode}-{effect}"), mode, effect));
            both.concat()
        });
        let mut sources = Sources::embedded();
        sources
            .rules
            .push(SourceText::new("rules/99-test.cedar", rules.concat()));
        let assembled = Rulebook::assemble(&sources).unwrap();
        let theory = Theory::new(&sources, &assembled.rulebook, &assembled.directory, &[]).unwrap();
        let ids = theory.every().map(|rule| rule.policy().id().to_string());
        let ids: Vec<String> = ids.filter(|id| id.starts_with("test.")).collect();
        assert_eq!(ids, ["test.coach-permit", "test.enforce-permit", "test.enforce-forbid"]);
    }
}
