//! What it costs to find what would help with a refused flow, on the shipped rules: one of ada's, and every person's on every
//! platform.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use wayleave::facts::{Host, Observation, PlatformId};
use wayleave::rulebook::{Rulebook, Sources};

use crate::scale::at;

const ROUNDS: usize = 2_000;

/// Prints the table.
pub(crate) fn run() {
    let shipped = Rulebook::assemble(&Sources::embedded()).unwrap();
    let rules = &shipped.rulebook;
    let refused = |who: &str, method: &str, url: &str| {
        let seen = crate::seen(&shipped, who, method, url, vec![]);
        (!rules.judge(&seen).is_allowed()).then_some(seen)
    };
    let ada: Vec<Observation> = refused("ada", "GET", crate::FEED).into_iter().collect();
    let hosts: BTreeMap<PlatformId, Host> = rules
        .catalog()
        .domains()
        .into_iter()
        .filter_map(|host| Some((rules.catalog().place(&host).platform?, host)))
        .collect();
    let mut all = Vec::new();
    for person in shipped.directory.people() {
        for host in hosts.values() {
            for method in ["GET", "POST"] {
                all.extend(refused(
                    person.id.as_str(),
                    method,
                    &format!("https://{host}/some/page"),
                ));
            }
        }
    }
    println!(
        "what would help with a refused flow, {} purposes; times in ns",
        rules.purposes().iter().count()
    );
    println!("| of | flows | offers at most | p50 | p99 |");
    println!("|---|--:|--:|--:|--:|");
    for (of, flows) in [("ada on LinkedIn", ada), ("everybody, everywhere", all)] {
        let offers = flows.iter().map(|seen| rules.remedy(seen).offers.len()).max();
        let mut times: Vec<u128> = flows
            .iter()
            .cycle()
            .take(ROUNDS.max(flows.len()))
            .map(|seen| {
                let started = Instant::now();
                black_box(rules.remedy(black_box(seen)));
                started.elapsed().as_nanos()
            })
            .collect();
        let (half, most) = (at(&mut times, 50), at(&mut times, 99));
        println!(
            "| {of} | {} | {} | {half} | {most} |",
            flows.len(),
            offers.unwrap_or_default()
        );
    }
}
