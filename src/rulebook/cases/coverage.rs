//! Which rules and which of their conditions the cases exercise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Asks, Case};
use crate::clock::Timestamp;
use crate::facts::PolicyId;
use crate::policy::Account;
use crate::rulebook::Rulebook;

/// What one case touches, whether it decides the case or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The rules whose scope it meets.
    pub rules: BTreeSet<PolicyId>,
    /// Their conditions, and whether each was so.
    conditions: BTreeSet<(PolicyId, String, bool)>,
}

/// How often each rule and each condition was exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// By rule, in the order of the rule files.
    pub rules: Vec<(PolicyId, Vec<Exercised>)>,
}

/// One condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exercised {
    /// As the rule says it.
    pub text: String,
    /// Whether it was so for some case.
    pub held: bool,
    /// Whether it was not so for some case.
    pub failed: bool,
}

impl Exercised {
    /// Whether the cases have seen both sides of it.
    pub fn is_whole(&self) -> bool {
        self.held && self.failed
    }
}

impl Coverage {
    /// How many conditions were exercised both ways, and how many there are.
    pub fn conditions(&self) -> (usize, usize) {
        let all = || self.rules.iter().flat_map(|(_, conditions)| conditions);
        (all().filter(|one| one.is_whole()).count(), all().count())
    }
}

impl Rulebook {
    /// What a case touches. A condition counts where it could be evaluated, whatever stands before it.
    pub fn touched(&self, case: &Case) -> Touched {
        let mut touched = Touched::default();
        let accounts = self.accounts_of(case).into_iter();
        for account in accounts.filter(|account| account.expired.is_none()) {
            for (text, is_so) in account.conditions.iter().flat_map(|condition| &condition.leaves) {
                if let Some(is_so) = is_so {
                    let condition = (account.policy.clone(), text.clone(), *is_so);
                    touched.conditions.insert(condition);
                }
            }
            touched.rules.insert(account.policy);
        }
        touched
    }

    /// What all cases together exercise.
    pub fn coverage(&self, cases: &[Touched]) -> Coverage {
        let mut seen: BTreeMap<(&PolicyId, &str), (bool, bool)> = BTreeMap::new();
        for (policy, text, is_so) in cases.iter().flat_map(|touched| &touched.conditions) {
            let (held, failed) = seen.entry((policy, text)).or_default();
            *held |= *is_so;
            *failed |= !*is_so;
        }
        let rules = self.policy.conditions().map(|(id, leaves)| {
            let exercised = leaves.into_iter().map(|text| {
                let (held, failed) = seen.get(&(&id, text.as_str())).copied().unwrap_or_default();
                Exercised { text, held, failed }
            });
            let exercised = exercised.collect();
            (id, exercised)
        });
        Coverage { rules: rules.collect() }
    }

    /// The permits that would let a case pass, had they not expired by then.
    pub(super) fn lapsed(&self, case: &Case) -> Vec<String> {
        let accounts = self.accounts_of(case);
        let lapsed = accounts
            .iter()
            .filter_map(|account| Some((&account.policy, account.lapsed()?)));
        let lapsed: BTreeMap<&PolicyId, Timestamp> = lapsed.collect();
        let told = lapsed
            .iter()
            .map(|(policy, end)| format!("`{policy}` would permit it, but expired on {end}"));
        told.collect()
    }

    fn accounts_of(&self, case: &Case) -> Vec<Account> {
        match &case.asks {
            Asks::Flow { seen, reading } => self.accounts_under_every_grant(seen, reading.as_ref()),
            Asks::Alone { seen, actions } => {
                let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
                self.accounts_of_actions(seen, &actions)
            }
            Asks::Power(wields) => self.policy.accounts_on_grant(&wields.question()),
            Asks::Engine(case) => self.policy.accounts_of_cedar(case),
        }
    }
}
