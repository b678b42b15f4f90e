//! Texts that are deeper than a worker's stack: whoever writes one must not end the gateway.

use super::*;
use crate::policy::laid_out;

/// What the threads of a gateway have, those that read the policies again and those that judge.
const STACK: usize = 2 * 1024 * 1024;

fn on_a_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(STACK);
    thread.spawn(work).unwrap().join().unwrap()
}

const TRUE: &str = "context.local.weekday == 9";

/// What it is called, and a condition of so many levels.
type Shape = (&'static str, fn(usize) -> String);

/// Ways to write something deep, as conditions of so many levels.
const SHAPES: [Shape; 8] = [
    ("brackets", |n| format!("{}{TRUE}{}", "(".repeat(n), ")".repeat(n))),
    ("negations", |n| format!("{}{TRUE}{}", "!!!!(".repeat(n), ")".repeat(n))),
    ("sets", |n| format!("{}1{} == [1]", "[".repeat(n), "]".repeat(n))),
    ("records", |n| {
        format!("{}1{} == {{a: 1}}", "{a: ".repeat(n), "}".repeat(n))
    }),
    ("methods", |n| {
        format!("{}[1]{}", "[1].containsAll(".repeat(n), ")".repeat(n))
    }),
    ("alternatives", |n| {
        format!("{}{TRUE}", format!("if {TRUE} then true else ").repeat(n))
    }),
    ("choices", |n| {
        format!("{}{TRUE}{}", "if ".repeat(n), " then true else false".repeat(n))
    }),
    ("conditions", |n| {
        format!("{}{TRUE}{}", format!("({TRUE} && ").repeat(n), ")".repeat(n))
    }),
];

/// Ways to write something long that is read as something deep.
const CHAINS: [Shape; 6] = [
    ("and", |n| format!("{TRUE}{}", format!(" && {TRUE}").repeat(n))),
    ("or", |n| format!("{TRUE}{}", format!(" || {TRUE}").repeat(n))),
    ("plus", |n| format!("context.local.weekday{} == 9", " + 1".repeat(n))),
    ("dots", |n| format!("context{} == 9", ".local".repeat(n))),
    ("indices", |n| format!("context{} == 9", "[\"local\"]".repeat(n))),
    ("indices apart", |n| {
        format!("context{} == 9", " [ \"local\" ]".repeat(n))
    }),
];

fn rule(condition: &str) -> SourceText {
    let text = format!(
        "@id(\"a\") @reason(\"R.\")\npermit (principal, action in Action::\"read\", resource)\nwhen {{ {condition} }};\n"
    );
    SourceText::new("rules/test.cedar", text)
}

/// The codes and places of the problems; where there are none, everything is done with the rule that can be.
fn read(condition: &str) -> Vec<(String, usize)> {
    let rule = rule(condition);
    on_a_worker(move || {
        let _ = laid_out(&rule);
        match Policy::parse(&schema(), &[rule], &world()) {
            Ok((policy, _)) => {
                let _ = policy.overlaps(&world());
                assert!(!flow("ada", "www.linkedin.com").ask(&policy, &["browse"]).is_allowed());
                Vec::new()
            }
            Err(unfit) => unfit.problems.into_iter().map(|one| (one.code, one.line)).collect(),
        }
    })
}

#[test]
fn what_is_too_deep_for_a_worker_is_a_problem_with_its_place() {
    for (name, shape) in SHAPES.iter().chain(&CHAINS) {
        for n in [300, 20_000] {
            let found = read(&shape(n));
            assert_eq!(found, [("wayleave::policy::syntax".to_owned(), 3)], "{name} {n}");
        }
    }
}

#[test]
fn what_is_as_deep_as_may_be_is_read_and_judged_on_a_worker() {
    let read = |condition: String| read(&condition).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    let deep = SHAPES
        .iter()
        .map(|(name, shape)| (name, shape(if *name == "negations" { 50 } else { 60 })));
    let long = CHAINS.iter().map(|(name, shape)| (name, shape(250)));
    for (name, condition) in deep.chain(long) {
        let found = read(condition);
        assert!(!found.iter().any(|code| code.ends_with("syntax")), "{name} {found:?}");
    }
}

#[test]
fn a_schema_that_is_too_deep_for_a_worker_is_a_problem_with_its_place() {
    for deep in ["Set<", "{ a: "] {
        let close = if deep == "Set<" { ">" } else { "}" };
        let nested = format!("type Deep = {}Long{};", deep.repeat(20_000), close.repeat(20_000));
        let schema = SourceText::new("s.cedarschema", format!("{}\n{nested}", schema().text));
        let line = schema.text.lines().count();
        let found = on_a_worker(move || Policy::parse(&schema, &[], &world()).unwrap_err().problems);
        let found: Vec<(&str, usize)> = found.iter().map(|one| (one.code.as_str(), one.line)).collect();
        assert_eq!(found, [("wayleave::schema::syntax", line)], "{deep}");
    }
}

#[test]
fn brackets_in_texts_and_comments_and_beside_each_other_are_not_deep() {
    let many = "(".repeat(500);
    let beside = format!("{TRUE} && ").repeat(20) + &format!("({TRUE}) && ").repeat(20);
    let list: Vec<String> = (0..2000).map(|n| format!("\"host-{n}.example\"")).collect();
    let condition = format!(
        "{beside} principal.region != \"{many} \\\" {many}\" // {many}\n && [{}].contains(resource.host)",
        list.join(", ")
    );
    assert_eq!(read(&condition), []);
}
