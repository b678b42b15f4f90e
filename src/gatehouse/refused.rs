//! What is recorded of rules that were refused.

use crate::facts::GatewayAct;

/// So many problems are told by a record, and so much of each.
const MOST_TOLD: usize = 100;
const LONGEST_TOLD: usize = 4_000;

/// The act of refusing rules for these problems. Of very many, as where the file of roles is gone and each person names some,
/// the first are recorded and the others counted: `wayleave check` and the log have them all.
pub(super) fn act(problems: Vec<String>) -> GatewayAct {
    let untold = problems.len().saturating_sub(MOST_TOLD);
    let told = problems.into_iter().take(MOST_TOLD).map(|problem| {
        let cut = problem.char_indices().nth(LONGEST_TOLD).map(|(at, _)| at);
        match cut.and_then(|at| problem.get(..at)) {
            Some(begin) => format!("{begin}…"),
            None => problem,
        }
    });
    let more = (untold > 0).then(|| format!("and {untold} more: the log and `wayleave check` tell all of them"));
    GatewayAct::RulebookRefused {
        problems: told.chain(more).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_problems_the_first_are_recorded_and_the_others_counted() {
        let problems = |count: usize| (0..count).map(|n| format!("people/a.toml:{n}: {}", "é".repeat(5_000)));
        let told = |count: usize| {
            let GatewayAct::RulebookRefused { problems } = act(problems(count).collect()) else {
                panic!("it is the act of refusing")
            };
            problems
        };
        assert_eq!(told(100).len(), 100);
        let many = told(200_000);
        assert_eq!(many.len(), 101);
        assert!(many[0].starts_with("people/a.toml:0: ééé") && many[0].ends_with("é…"));
        assert_eq!(
            many[100],
            "and 199900 more: the log and `wayleave check` tell all of them"
        );
        assert!(many.concat().len() < 1024 * 1024);
    }
}
