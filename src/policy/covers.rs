//! Permits that name a purpose whose terms cover nothing of what they permit. Pure.

use std::collections::BTreeSet;

use super::Policy;
use super::lint::at;
use super::opens::Opens;
use crate::facts::fields::list;
use crate::facts::{Activity, Effect, Problem, PurposeId};

impl Policy {
    /// Warns of permits that name a purpose whose grants cover none of their actions. `uncovered` tells those groups of
    /// activities, of these, that a grant for a purpose would have to cover and never does.
    pub fn unused_purposes(
        &self,
        uncovered: impl Fn(&PurposeId, &BTreeSet<String>) -> BTreeSet<String>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let actions = self.engine.actions_of_rules();
        for ((rule, policy), actions) in self.rules.iter().zip(self.engine.policies()).zip(actions) {
            if rule.effect == Effect::Forbid {
                continue;
            }
            // one on probation opens nothing yet, and would open nothing later
            let Opens::Only(purposes) = Opens::read(policy, rule.effect) else {
                continue;
            };
            for purpose in purposes {
                let lacking = |activity: &str| {
                    let groups = self.vocabulary.activities().get(&Activity::new(activity));
                    groups.map_or_else(BTreeSet::new, |groups| uncovered(&purpose, groups))
                };
                let names = actions.iter().map(|uid| uid.id().unescaped());
                let asked = names.filter(|name| !self.vocabulary.is_group(name));
                let lacking: Vec<BTreeSet<String>> = asked.map(lacking).collect();
                if lacking.is_empty() || lacking.iter().any(BTreeSet::is_empty) {
                    continue;
                }
                let lacking: BTreeSet<&str> = lacking.iter().flatten().map(String::as_str).collect();
                let groups = list(lacking.into_iter());
                let message = format!(
                    "rule `{}` permits nothing that grants for the purpose `{purpose}` cover: they never cover {groups}",
                    rule.id
                );
                let help = format!(
                    "add {groups} to its `covers` in `purposes.toml`, or leave the purpose out of the rule: what a grant does \
                     not cover is refused under it, by `guard.scope*` on social media"
                );
                let named = format!("PurposeKind::\"{purpose}\"");
                let problem = at(rule, &named, "wayleave::policy::not-covered", message);
                problems.push(problem.as_warning().with_help(help));
            }
        }
        problems
    }
}
