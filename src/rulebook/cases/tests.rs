use crate::facts::PolicyId;
use crate::rulebook::{Assembled, CaseReport, Rulebook, Sources};

fn shipped() -> (Sources, Assembled) {
    let sources = Sources::embedded();
    match Rulebook::assemble(&sources) {
        Ok(assembled) => (sources, assembled),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("the shipped rules have problems:\n{}", lines.join("\n"))
        }
    }
}

fn report() -> CaseReport {
    let (sources, assembled) = shipped();
    assembled.rulebook.run_cases(&assembled.directory, &sources.cases)
}

#[test]
fn the_shipped_rules_pass_their_cases() {
    let report = report();
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for failure in &report.failures {
        println!(
            "{}:{} it {}\n  {}",
            failure.file,
            failure.place.0,
            failure.name,
            failure.lines.join("\n  ")
        );
    }
    assert!(report.failures.is_empty());
    assert!(report.passed >= 60, "{}", report.passed);
}

/// Rules that nothing can reach yet, each with what it waits for.
const WAITING: &[(&str, &str)] = &[("guard.weak-identity", "no method proves identity by address yet")];

#[test]
fn every_shipped_rule_is_reached_by_a_case() {
    let waiting: Vec<PolicyId> = WAITING.iter().map(|(id, _)| PolicyId::new(*id)).collect();
    let report = report();
    let unreached: Vec<&PolicyId> = report.unreached.iter().filter(|id| !waiting.contains(id)).collect();
    assert!(unreached.is_empty(), "no case reaches {unreached:?}");
    let early: Vec<&PolicyId> = waiting.iter().filter(|id| report.reached.contains(id)).collect();
    assert!(early.is_empty(), "no longer waiting: {early:?}");
}

#[test]
fn a_case_that_wants_a_refusal_takes_each_but_not_a_permit() {
    let (_, assembled) = shipped();
    let case = |who: &str, to: &str| {
        let setting = "network = \"office\"\nat = 2026-11-24T09:30:00Z\noutcome = \"refused\"\n";
        format!("[[case]]\nit = \"{who} {to}\"\nwho = \"{who}\"\nto = \"{to}\"\ndoes = \"post\"\n{setting}")
    };
    let text: String = [
        case("ada", "https://www.linkedin.com/"), // may declare a purpose
        case("ben", "https://x.com/"),            // may ask for one
        case("dan", "https://x.com/"),            // may do nothing about it
        case("dan", "https://example.org/"),      // is not refused
    ]
    .concat();
    let file = crate::facts::SourceText::new("cases/refused.toml", text.as_str());
    let report = assembled.rulebook.run_cases(&assembled.directory, &[file]);
    assert_eq!(report.passed, 3, "{report:?}");
    let [failure] = report.failures.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(failure.lines[0], "outcome: expected refused, came allow");
}
