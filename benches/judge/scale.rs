//! What a decision costs with ten rules and with ten thousand, beside Cedar's own authorizer over the whole set.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cedar_policy::{Authorizer, Decision, PolicySet};
use wayleave::policy::Policy;

use crate::world::{self, Flow};

const FLOWS: usize = 2_000;

/// Prints the table; for those numbers of rules that the command line names, if it names any.
pub(crate) fn run() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    println!("a decision: facts in, all determining rules and errors out; times in ns");
    println!("warm: the same question was just asked; cold: {FLOWS} others were asked since");
    println!("| rules | people | answer | of {FLOWS} | warm p50 | warm p99 | allocations | cold p50 | cold p99 |");
    println!("|--:|--:|---|--:|--:|--:|--:|--:|--:|");
    let sizes = [10, 100, 1_000, 10_000].into_iter();
    for rules in sizes.filter(|rules| asked.is_empty() || asked.contains(rules)) {
        let text = world::rules(rules);
        let started = Instant::now();
        let policy = world::policy(&text);
        let parsed = started.elapsed();
        for count in [100, 1_000, 100_000] {
            let flows = world::flows(FLOWS, &world::people(count));
            ours(&policy, &flows, rules, count);
        }
        plain(&policy, &text.text, rules);
        println!(
            "| {rules} | | read, checked, indexed, translated | | {} ms | | | | |",
            parsed.as_millis()
        );
    }
}

fn ours(policy: &Policy, flows: &[Flow], rules: usize, people: usize) {
    for allowed in [true, false] {
        let asked: Vec<&Flow> = flows
            .iter()
            .filter(|flow| policy.decide(&flow.question()).is_allowed() == allowed)
            .collect();
        if asked.is_empty() {
            continue;
        }
        // once around, so that people, hosts and grants are known
        for flow in &asked {
            time(policy, flow);
        }
        let mut cold: Vec<u128> = asked.iter().map(|flow| time(policy, flow)).collect();
        let mut warm = Vec::new();
        let mut allocations = 0;
        for flow in &asked {
            time(policy, flow);
            warm.push(time(policy, flow));
            let counted = allocation_counter::measure(|| {
                black_box(policy.decide(&flow.question()));
            });
            allocations = allocations.max(counted.count_total);
        }
        println!(
            "| {rules} | {people} | {} | {} | {} | {} | {allocations} | {} | {} |",
            if allowed { "allow" } else { "deny" },
            asked.len(),
            at(&mut warm, 50),
            at(&mut warm, 99),
            at(&mut cold, 50),
            at(&mut cold, 99),
        );
    }
}

// a frame of its own, for profilers to find
#[inline(never)]
fn time(policy: &Policy, flow: &Flow) -> u128 {
    let question = flow.question();
    let started = Instant::now();
    black_box(policy.decide(black_box(&question)));
    started.elapsed().as_nanos()
}

/// The authorizer gets its request, its entities and its policies ready-made; for us making ours is part of it.
fn plain(policy: &Policy, text: &str, rules: usize) {
    let set: PolicySet = text.parse().unwrap();
    let authorizer = Authorizer::new();
    let flows = world::flows(FLOWS, &world::people(1_000));
    let mut times = Vec::new();
    let (mut allocations, mut disagree) = (0, 0);
    let until = Instant::now() + Duration::from_secs(4);
    for flow in flows.iter().take_while(|_| Instant::now() < until) {
        let (request, entities) = policy.in_cedars_terms(&flow.question()).unwrap();
        let started = Instant::now();
        let answer = authorizer.is_authorized(&request, &set, &entities);
        times.push(started.elapsed().as_nanos());
        let counted = allocation_counter::measure(|| {
            black_box(authorizer.is_authorized(&request, &set, &entities));
        });
        allocations = allocations.max(counted.count_total);
        let allowed = answer.decision() == Decision::Allow;
        disagree += usize::from(allowed != policy.decide(&flow.question()).is_allowed());
    }
    println!(
        "| {rules} | 1000 | plain `Authorizer`, request and entities given | {} | {} | {} | {allocations} | | |",
        times.len(),
        at(&mut times, 50),
        at(&mut times, 99),
    );
    assert_eq!(disagree, 0, "of {} decisions", times.len());
}

/// The time that so many percent of all stay below.
pub(crate) fn at(times: &mut [u128], percent: usize) -> u128 {
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}
