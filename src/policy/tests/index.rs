//! The engine answers as Cedar's authorizer over the whole set does: same decision, same determining rules, same errors.

use cedar_policy::{Authorizer, PolicySet, Response};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::facts::Mode;
use crate::policy::engine::{Answer, Engine, Leaves, Scratch};
use crate::policy::reasons::Tally;
use crate::policy::request::Nouns;
use crate::policy::schema::{Book, read};
use crate::policy::values::LEAVES;
use crate::policy::{Passage, RuleSet, depth};

pub(super) static BOOK: LazyLock<Book> = LazyLock::new(|| read(&schema()).unwrap());
static NOUNS: LazyLock<Nouns> = LazyLock::new(|| Nouns::new(BOOK.actions.clone()).unwrap());

const PRINCIPALS: &[&str] = &[
    "principal",
    "principal is User",
    "principal == User::\"rita\"",
    "principal == User::\"eve\"",
    "principal in User::\"rita\"",
    "principal == Role::\"recruiter\"",
    "principal in Role::\"recruiter\"",
    "principal in Role::\"staff\"",
    "principal in Department::\"marketing\"",
    "principal is User in Role::\"customer-care\"",
    "principal is User in Department::\"company\"",
];
const ACTIONS: &[&str] = &[
    "action",
    "action == Action::\"connect\"",
    "action == Action::\"post\"",
    "action == Action::\"publish\"",
    "action in Action::\"activity\"",
    "action in Action::\"publish\"",
    "action in Action::\"post\"",
    "action in [Action::\"read\", Action::\"inspect\"]",
    "action in [Action::\"browse\", Action::\"post\", Action::\"publish\"]",
];
const RESOURCES: &[&str] = &[
    "resource",
    "resource is Site",
    "resource is Purpose",
    "resource == Site::\"x.com\"",
    "resource in Site::\"x.com\"",
    "resource == Platform::\"linkedin\"",
    "resource in Platform::\"linkedin\"",
    "resource in Category::\"social-media\"",
    "resource in Category::\"professional\"",
    "resource is Site in Category::\"sensitive\"",
    "resource is Site in Platform::\"x\"",
];
const BODIES: &[&str] = &[
    "",
    "when { context has purpose }",
    "when { context has purpose.ticket }",
    "when { context has purpose && context.purpose.kind == PurposeKind::\"recruiting\" }",
    "unless { context has purpose && resource in context.purpose.platforms }",
    "when { context.local.weekday <= 5 && context.local.time >= duration(\"12h\") }",
    "when { principal.hasTag(\"social-media\") && principal.getTag(\"social-media\") > context.now }",
    "unless { resource.classified }",
    "when { context.request.bytes * 9223372036854775807 > 3 }",
    "when { context.request.method == \"POST\" }",
    "when { principal.nothing == 1 }",
    "when { principal.employment == Employment::\"intern\" }",
    "when { context.client.ip.isInRange(ip(\"10.0.0.0/8\")) }",
    "when { resource.host like \"*.com\" }",
    "when { context has purpose && context.purpose has ticket && context.purpose.ticket like \"INC-*\" }",
    "when { context.request has contentType && context.request.contentType == \"application/json\" }",
    "when { context has request && context.request.bytes + 1 < 14 }",
    "when { context has request.contentType }",
    "when { context.client == context.client }",
    "when { context has client && context.client has ip && context.client.ip.isIpv4() }",
    "when { context has nothing || context has local }",
    "when { if context.proof.strong then context.now > datetime(\"2026-01-01\") else principal in Role::\"staff\" }",
    "when { !(context.now.toTime() < context.local.time) || context.local.weekday * 2 - 1 == 3 }",
    "when { [\"GET\", context.proof.method].contains(\"basic\") && resource.serves.containsAny([\"site\", \"api\"]) }",
    "when { context has purpose && context.purpose.covers.containsAll([\"read\"]) && !context.purpose.covers.isEmpty() }",
    "when { principal in [Role::\"nobody\", Role::\"recruiter\"] && principal is User && resource is Site in Platform::\"x\" }",
    "when { action in [Action::\"read\", Action::\"publish\"] || action == Action::\"connect\" }",
    "when { principal has manager && principal.manager == User::\"grace\" && principal.manager in Role::\"staff\" }",
    "when { principal.manager has region }",
    "when { principal.manager.region == \"eu-west\" }",
    "when { {\"a\": context.local.weekday, \"b\": [1, 2]} == {\"a\": 2, \"b\": [2, 1]} }",
    "when { decimal(\"1.5\").lessThan(decimal(\"2.0\")) && context.client.network != \"guest\" }",
    "when { context.now.offset(duration(\"1h\")) <= context.now || context.local.time <= -1 }",
    "when { principal.hasTag(context.client.network) || principal.getTag(\"no such\") > context.now }",
    "when { context has purpose && context.purpose.approvedBy != principal && context.purpose.approvedBy in Role::\"staff\" }",
    "when { context.request.host like \"*linkedin*\" && context.request.path like \"/some/*\" }",
    "unless { -context.local.weekday < -5 }",
    "when { context.client.ip < 3 }",
    "when { principal }",
    "when { context.nothing.at.all }",
];

pub(super) fn rule() -> impl Strategy<Value = String> {
    (
        select(vec!["permit", "forbid"]),
        select(PRINCIPALS),
        select(ACTIONS),
        select(RESOURCES),
        select(BODIES),
    )
        .prop_map(|(effect, principal, action, resource, body)| {
            format!("{effect} ({principal}, {action}, {resource}) {body};")
        })
}

/// Conditions joined by `&&` and `||` in any order and in any brackets, those that fail among them.
fn joined() -> impl Strategy<Value = String> {
    let atoms: Vec<String> = BODIES
        .iter()
        .filter_map(|body| Some(body.strip_prefix("when {")?.strip_suffix('}')?.trim().to_owned()))
        .chain(["true", "false", "1"].map(str::to_owned))
        .collect();
    let atom = select(atoms).prop_map(|atom| format!("({atom})"));
    atom.prop_recursive(4, 32, 6, |inner| {
        (
            prop::collection::vec(inner, 1..6),
            select(vec![" && ", " || "]),
            any::<bool>(),
        )
            .prop_map(|(parts, operator, bracketed)| {
                let whole = parts.join(operator);
                if bracketed {
                    format!("({whole})")
                } else {
                    format!("!({whole})")
                }
            })
    })
}

pub(super) fn joined_rule() -> impl Strategy<Value = String> {
    let clauses = prop::collection::vec((select(vec!["when", "unless"]), joined()), 1..3);
    (select(vec!["permit", "forbid"]), clauses).prop_map(|(effect, clauses)| {
        let clauses = clauses.iter().map(|(word, body)| format!("{word} {{ {body} }}"));
        format!(
            "{effect} (principal, action, resource) {};",
            clauses.collect::<Vec<_>>().join(" ")
        )
    })
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let people = select(vec!["rita", "mark", "cara", "ivan", "vera", "eve"]);
    let hosts = select(vec![
        "www.linkedin.com",
        "x.com",
        "www.facebook.com",
        "tinder.com",
        "bank.example",
        "news.example",
    ]);
    let purposes = select(vec![None, Some("recruiting"), Some("market-research")]);
    let roles = subsequence(vec!["recruiter", "customer-care", "nobody"], 0..=3);
    (people, hosts, purposes, roles, 0_i64..86_400).prop_map(|(who, host, purpose, roles, seconds)| {
        let mut flow = flow(who, host);
        Arc::make_mut(&mut flow.person)
            .roles
            .extend(roles.into_iter().map(str::to_owned));
        flow.at = flow.at.plus(Duration::from_secs(seconds.unsigned_abs()));
        match purpose {
            Some(purpose) => flow.purpose(purpose),
            None => flow,
        }
    })
}

fn told(response: &Response) -> (bool, BTreeSet<String>, BTreeSet<String>) {
    let reasons = response.diagnostics().reason().map(ToString::to_string).collect();
    let errors = response.diagnostics().errors().map(ToString::to_string).collect();
    (response.decision() == cedar_policy::Decision::Allow, reasons, errors)
}

fn engine(rules: &PolicySet, leaves: Leaves) -> Engine {
    Engine::new(rules.policies().cloned().collect(), &BOOK.schema, &BOOK.actions, leaves)
}

/// What the engine tells, as Cedar would.
fn told_by(engine: &Engine, answer: &Answer) -> (bool, BTreeSet<String>, BTreeSet<String>) {
    match answer {
        Answer::Cedars(response) => told(response),
        Answer::Ours(verdict) => {
            let rules = verdict.determining.iter().map(|number| engine.policy(*number).unwrap());
            (
                verdict.allowed,
                rules.map(|rule| rule.id().to_string()).collect(),
                BTreeSet::new(),
            )
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_answers_as_the_whole_set_does(
        rules in prop::collection::vec(prop_oneof![4 => rule(), 1 => joined_rule()], 0..24),
        flows in prop::collection::vec(any_flow(), 1..5),
    ) {
        let whole: PolicySet = rules.concat().parse().unwrap();
        let engines = [engine(&whole, Leaves(&[])), engine(&whole, LEAVES)];
        let authorizer = Authorizer::new();
        let mut scratch = Scratch::default();
        for flow in flows {
            let asked = NOUNS
                .about_site(&flow.question(&["connect", "inspect", "browse", "post", "advertise", "embed"]), &BOOK.words, None)
                .unwrap();
            for request in &asked.requests {
                let expected = told(&authorizer.is_authorized(request, &whole, &asked.entities));
                for engine in &engines {
                    let numbers = engine.candidates_for(request, &asked.entities).unwrap();
                    let narrowed = engine.ask_cedar(request, &numbers, &asked.entities).unwrap();
                    prop_assert_eq!(told(&narrowed), expected.clone());
                    let answer = engine.answer((request, &asked.entities), &mut scratch, |_| true).unwrap();
                    prop_assert_eq!(told_by(engine, &answer), expected.clone());
                }
                let answer = engines[0].answer((request, &asked.entities), &mut scratch, |_| true);
                prop_assert_eq!(matches!(answer, Some(Answer::Ours(_))), expected.2.is_empty());
            }
        }
    }
}

/// Stands where a set leaves a rule out.
const NEVER: &str = "forbid (principal, action, resource) when { false };";

/// The policy of these rules, whatever the lint would say of them.
pub(super) fn unlinted(rules: &[String]) -> Policy {
    let rules = rules.iter().enumerate();
    let text: String = rules
        .map(|(number, rule)| format!("@id(\"r{number}\") @reason(\"R.\") {rule}\n"))
        .collect();
    let written = crate::policy::rule::read(&SourceText::new("rules/test.cedar", text)).unwrap();
    let book = read(&schema()).unwrap();
    let nouns = Nouns::new(book.actions.clone()).unwrap();
    Policy::of(written, Arc::new(book), Arc::new(nouns))
}

/// The same decision by Cedar's authorizer over all rules that count, each question for itself.
fn plainly(policy: &Policy, set: RuleSet, question: &Question<'_>) -> Decision {
    let grant = question.grant.map(|grant| (grant.id.clone(), grant.expires));
    let leaves = question.actions.contains(&"connect") && set == RuleSet::InEffect;
    let passage = leaves.then(|| Passage {
        authority: question.authority.clone(),
        holder: question.person.id.clone(),
        grant,
    });
    let asked = match policy.nouns.about_site(question, &policy.vocabulary, None) {
        Ok(asked) => asked,
        Err(trouble) => return Decision::deny(crate::policy::Reasons::new(), vec![trouble]),
    };
    let rules = policy.rules.iter().zip(policy.engine.policies());
    let counting = rules.filter(|(rule, _)| rule.counts(set, question.at));
    let whole = PolicySet::from_policies(counting.map(|(_, rule)| rule.clone())).unwrap();
    let mut tally = Tally::default();
    for request in &asked.requests {
        let response = Authorizer::new().is_authorized(request, &whole, &asked.entities);
        tally.count(&response, &policy.numbers);
        for number in policy.engine.candidates_for(request, &asked.entities).unwrap() {
            policy.counts(number, (set, question.at), &mut tally.trials);
        }
    }
    policy.conclude(tally, passage)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_hearing_decides_as_each_question_for_itself(
        rules in prop::collection::vec((rule(), prop_oneof![6 => Just(Mode::Enforce), 1 => Just(Mode::Observe), 1 => Just(Mode::Coach)]), 0..24),
        flows in prop::collection::vec((any_flow(), any::<bool>(), any::<bool>()), 1..6),
        asked in prop::collection::vec(
            subsequence(vec!["connect", "inspect", "browse", "post", "advertise", "embed", "archive", "juggle"], 0..4),
            1..5,
        ),
    ) {
        let annotated = |(rule, mode): &(String, Mode)| format!("@mode(\"{}\") {rule}", mode.as_str());
        let policy = unlinted(&rules.iter().map(annotated).collect::<Vec<_>>());
        // the same rules without the modes, as far as they are in each set
        let set_of = |is_in: &dyn Fn(Mode, bool) -> bool| {
            let kept = rules.iter().map(|(rule, mode)| if is_in(*mode, rule.starts_with("forbid")) { rule.as_str() } else { NEVER });
            unlinted(&kept.map(str::to_owned).collect::<Vec<_>>())
        };
        let all_in_force = set_of(&|mode, forbids| mode != Mode::Coach || forbids);
        let continued = set_of(&|mode, forbids| mode == Mode::Enforce || (mode == Mode::Coach && !forbids));
        for (flow, has_request, knows_the_time) in &flows {
            let flow = if *knows_the_time { flow.clone() } else { flow.clone().zone("Mars/Olympus") };
            let question = flow.question(&[]);
            let question = Question { request: question.request.filter(|_| *has_request), ..question };
            let hearing = policy.hear(&question);
            for actions in &asked {
                for grant in [None, flow.grant.as_ref()] {
                    let question = Question { actions, grant, ..question };
                    let (decided, tried) = (hearing.decide(actions, grant), hearing.decide_by(RuleSet::WithObserved, actions, grant));
                    prop_assert_eq!(&decided, &plainly(&policy, RuleSet::InEffect, &question));
                    prop_assert_eq!(&tried, &plainly(&policy, RuleSet::WithObserved, &question));
                    prop_assert!(tried.permit().is_none());
                    let told = |decision: &Decision| (decision.is_allowed(), decision.reasons().to_vec(), decision.troubles().to_vec());
                    prop_assert_eq!(told(&tried), told(&all_in_force.decide(&question)));
                    prop_assert!(decided.trials().observed || told(&decided) == told(&tried));
                    let softly = hearing.decide_by(RuleSet::Continued, actions, grant);
                    prop_assert_eq!(&softly, &plainly(&policy, RuleSet::Continued, &question));
                    prop_assert_eq!(told(&softly), told(&continued.decide(&question)));
                    prop_assert!(softly.permit().is_none());
                    prop_assert!(decided.trials().coached || told(&decided) == told(&softly));
                }
                if let Some(grant) = flow.grant.as_ref().filter(|_| !hearing.heeds_grants(actions)) {
                    let (with, without) = (hearing.decide(actions, Some(grant)), hearing.decide(actions, None));
                    let told = |decision: &Decision| (decision.reasons().to_vec(), decision.troubles().to_vec());
                    prop_assert_eq!(with.is_allowed(), without.is_allowed());
                    prop_assert_eq!(told(&with), told(&without));
                }
            }
        }
    }
}

#[test]
fn a_chain_of_conditions_is_translated_however_long_it_is_and_however_it_is_bracketed() {
    let hosts: Vec<String> = (0..200).map(|n| format!("resource.host == \"h{n}\"")).collect();
    let (one, other) = (hosts[..100].join(" || "), hosts[100..].join(" || "));
    let with_clauses: String = hosts.iter().map(|host| format!("unless {{ {host} }} ")).collect();
    for rule in [
        format!(
            "forbid (principal, action, resource) when {{ {} }};",
            hosts.join(" || ")
        ),
        format!(
            "forbid (principal, action, resource) unless {{ {} }};",
            hosts.join(" && ")
        ),
        format!("forbid (principal, action, resource) when {{ ({one}) || ({other}) }};"),
        format!("forbid (principal, action, resource) {with_clauses};"),
    ] {
        let rules: PolicySet = rule.parse().unwrap();
        assert!(
            engine(&rules, LEAVES).is_translated(0),
            "{}",
            rule.chars().take(80).collect::<String>()
        );
    }
}

#[test]
fn a_grant_that_is_only_supposed_is_not_remembered() {
    let policy = unlinted(&["permit (principal, action, resource) when { context has purpose };".to_owned()]);
    for (id, remembered) in [(GrantId::new("held"), true), (GrantId::supposed(), false)] {
        let mut flow = flow("rita", "x.com").purpose("recruiting");
        flow.grant.as_mut().unwrap().id = id.clone();
        assert!(flow.ask(&policy, &["connect"]).is_allowed());
        let known = policy.memory.claims.of(&id, flow.grant.as_ref().unwrap(), || Err(()));
        assert_eq!(known.is_ok(), remembered, "{id}");
    }
}

#[test]
fn a_person_who_changes_is_judged_by_what_they_are_now() {
    let policy = unlinted(&["permit (principal in Role::\"auditor\", action, resource);".to_owned()]);
    let before = flow("rita", "x.com");
    let mut after = before.clone();
    Arc::make_mut(&mut after.person).roles.insert("auditor".to_owned());
    for (flow, allowed) in [(&before, false), (&after, true), (&before, false)] {
        assert_eq!(flow.ask(&policy, &["connect"]).is_allowed(), allowed);
    }
}

#[test]
fn an_ancestor_named_by_equality_does_not_match_what_is_below_it() {
    let rules: PolicySet = "permit (principal == Role::\"recruiter\", action, resource == Platform::\"linkedin\");"
        .parse()
        .unwrap();
    let engine = engine(&rules, LEAVES);
    let rita = flow("rita", "www.linkedin.com");
    let asked = NOUNS
        .about_site(&rita.question(&["connect"]), &BOOK.words, None)
        .unwrap();
    assert_eq!(engine.candidates_for(&asked.requests[0], &asked.entities), Some(vec![]));
}

#[test]
fn what_we_build_satisfies_the_schema_for_every_action() {
    let rita = flow("rita", "www.linkedin.com")
        .purpose("recruiting")
        .approved_by("grace");
    for flow in [rita, flow("vera", "news.example")] {
        for activity in BOOK
            .words
            .activities()
            .keys()
            .map(crate::facts::Activity::as_str)
            .chain(["connect", "inspect", "archive"])
        {
            let asked = NOUNS.about_site(&flow.question(&[activity]), &BOOK.words, Some(&BOOK.schema));
            assert!(asked.is_ok(), "{activity} {asked:?}");
        }
    }
}

#[test]
fn what_is_as_deep_as_may_be_cedar_evaluates_on_half_the_stack_of_a_worker() {
    for condition in lint::deep(depth::DEEPEST - 8) {
        let rule = format!("permit (principal, action, resource) when {{ {condition} }};");
        let source = SourceText::new("rules/test.cedar", rule.as_str());
        let written = crate::policy::rule::read(&source).unwrap().remove(0);
        assert!(
            depth::check(&source, written).is_ok(),
            "{}",
            condition.chars().take(80).collect::<String>()
        );
        let policy = unlinted(&[rule]);
        let rita = flow("rita", "x.com");
        let (request, entities) = policy.in_cedars_terms(&rita.question(&["connect"])).unwrap();
        let ask = || policy.engine.ask_cedar(&request, &[0], &entities).unwrap();
        let answer = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, ask);
            thread.unwrap().join().unwrap()
        });
        let errors: Vec<_> = answer.diagnostics().errors().collect();
        assert!(
            errors.is_empty(),
            "{errors:?} {}",
            condition.chars().take(80).collect::<String>()
        );
    }
}
