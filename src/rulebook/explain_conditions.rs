//! Which conditions made a judgement, and which other rules would have permitted it, but for what.

use serde::Serialize;

use super::judge::{actions, flow};
use super::{Judgement, Rulebook};
use crate::facts::{Effect, Observation, Reading, Reason};
use crate::policy::{Account, Condition, Question};

/// The conditions behind a judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Because {
    /// Of the rules that decided, with the action for which each did.
    pub decided: Vec<Account>,
    /// Of a refused flow: the permits for this person, place and activity, with the conditions that failed.
    pub nearly: Vec<Account>,
}

impl Rulebook {
    /// Takes the rules behind a judgement of `seen` apart, under the grant that it was judged under; a refused flow, under
    /// the narrowest that counts.
    pub fn because(&self, seen: &Observation, judgement: &Judgement) -> Because {
        let (Some(subject), Some(person)) = (&seen.subject, &seen.person) else {
            return Because::default();
        };
        let path = seen
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(judgement.place(), &head.path));
        let path = path.unwrap_or_default();
        let flow = flow(seen, subject, person, (judgement.place(), &path));
        let counting = self.counting(seen, person);
        let grant = judgement.grant().or(counting.first().copied());
        let asked = actions(judgement.reading());
        let passage = self.policy.accounts(&Question {
            actions: &asked,
            grant,
            ..flow
        });
        let inspection = self.policy.accounts(&Question {
            actions: &["inspect"],
            grant,
            ..flow
        });
        let of = |accounts: &[Account], reasons: &[Reason]| -> Vec<Account> {
            let named =
                |account: &&Account| account.applies() && reasons.iter().any(|reason| reason.policy == account.policy);
            accounts.iter().filter(named).cloned().collect()
        };
        let mut decided = of(&passage, judgement.reasons());
        decided.extend(of(&inspection, judgement.inspect_reasons()));
        // where a permit applies nothing is missing, and where a forbid does no permit would help
        let applying = passage.iter().filter(|account| account.applies());
        let settled: Vec<String> = applying.map(|account| account.action.clone()).collect();
        let nearly = passage
            .into_iter()
            .filter(|account| account.effect == Effect::Permit && !settled.contains(&account.action));
        Because {
            nearly: if judgement.is_allowed() {
                Vec::new()
            } else {
                nearly.collect()
            },
            decided,
        }
    }
}

impl Rulebook {
    /// How every rule came out that the judgement of `seen` could have met: without a grant, and under each that counts.
    pub(super) fn accounts_under_every_grant(&self, seen: &Observation, reading: Option<&Reading>) -> Vec<Account> {
        let judgement = self.judge_as(seen, reading);
        let mut asked = actions(judgement.reading());
        asked.push("inspect");
        self.accounts_of_actions(seen, &asked)
    }

    /// The same of these actions.
    pub(super) fn accounts_of_actions(&self, seen: &Observation, asked: &[&str]) -> Vec<Account> {
        let (Some(subject), Some(person)) = (&seen.subject, &seen.person) else {
            return Vec::new();
        };
        let place = self.catalog.place_of(&seen.ask);
        let head = seen.ask.head();
        let path = head.map(|head| self.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let flow = flow(seen, subject, person, (&place, &path));
        let grants = self.counting(seen, person);
        let grants = std::iter::once(None).chain(grants.into_iter().map(Some));
        let accounts = grants.flat_map(|grant| {
            self.policy.accounts(&Question {
                actions: asked,
                grant,
                ..flow
            })
        });
        accounts.collect()
    }
}

impl Because {
    /// As people read it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let with_conditions = |account: &&Account| !account.conditions.is_empty();
        let decided: Vec<&Account> = self.decided.iter().filter(with_conditions).collect();
        if !decided.is_empty() {
            lines.push(String::new());
            lines.push("the conditions that held".to_owned());
            for account in decided {
                lines.push(format!("  `{}`, asked for {}", account.policy, account.action));
                lines.extend(account.conditions.iter().map(told));
            }
        }
        if !self.nearly.is_empty() {
            lines.push(String::new());
            lines.push("permits that do not apply, and what keeps them from it".to_owned());
            for account in &self.nearly {
                lines.push(format!("  `{}`, asked for {}", account.policy, account.action));
                let failed = account
                    .conditions
                    .iter()
                    .filter(|condition| condition.held != Some(true));
                lines.extend(failed.map(told));
            }
        }
        lines
    }
}

fn told(condition: &Condition) -> String {
    let held = match condition.held {
        Some(true) => "held",
        Some(false) => "failed",
        None => "no value",
    };
    let word = if condition.unless { "unless " } else { "" };
    let values = condition
        .values
        .iter()
        .map(|(path, value)| format!("{path} is {value}"));
    let values: Vec<String> = values.collect();
    let values = if values.is_empty() {
        String::new()
    } else {
        format!("  [{}]", values.join(", "))
    };
    format!("    {held}: {word}{}{values}", condition.text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::{Arrival, Door, MethodName, NetworkName, PurposeId, Standing, Subject, SubjectId};
    use crate::rulebook::{Assembled, Described, Sources};

    /// Somebody of the directory on a Tuesday, 12:30 in Paris.
    pub(in crate::rulebook) fn seen(rules: &Assembled, who: &str, to: &str) -> Observation {
        let id = SubjectId::parse(who).unwrap();
        let described = Described {
            to: to.to_owned(),
            method: None,
            headers: Vec::new(),
            body: None,
        };
        Observation {
            arrival: Arrival {
                door: Door::Plain,
                client: std::net::SocketAddr::from(([10, 0, 0, 7], 40_000)),
                network: NetworkName::new("office"),
            },
            person: rules.directory.person(&id),
            subject: Some(Subject {
                id,
                method: MethodName::Basic,
            }),
            ask: rules.rulebook.ask_of(&described).unwrap(),
            standing: Standing::default(),
            selected: None,
            at: "2026-11-24T11:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_conditions_of_what_decided_held_and_say_on_what() {
        let rules = Rulebook::assemble(&Sources::embedded()).unwrap();
        let mut seen = seen(&rules, "ada", "https://www.linkedin.com/in/somebody");
        let purpose = rules.rulebook.purposes().get(&PurposeId::new("recruiting")).unwrap();
        let grant = rules.rulebook.suppose(purpose, &seen, None).unwrap();
        seen.standing = Standing::new([grant], seen.at);
        let judgement = rules.rulebook.judge(&seen);
        assert!(judgement.is_allowed());
        let because = rules.rulebook.because(&seen, &judgement);
        let read = because
            .decided
            .iter()
            .find(|account| account.policy.as_str() == "recruiting.read");
        let lines: Vec<String> = read.unwrap().conditions.iter().map(told).collect();
        assert_eq!(
            lines,
            [
                "    held: context has purpose",
                "    held: context.purpose.kind == PurposeKind::\"recruiting\"  [context.purpose.kind is PurposeKind::\"recruiting\"]",
            ]
        );
        assert!(because.nearly.is_empty());
    }

    #[test]
    fn a_refusal_names_the_conditions_that_keep_rules_from_permitting_it() {
        let rules = Rulebook::assemble(&Sources::embedded()).unwrap();
        let seen = seen(&rules, "ada", "https://www.linkedin.com/in/somebody");
        let because = rules.rulebook.because(&seen, &rules.rulebook.judge(&seen));
        let read = because
            .nearly
            .iter()
            .find(|account| account.policy.as_str() == "recruiting.read");
        let held: Vec<Option<bool>> = read.unwrap().conditions.iter().map(|one| one.held).collect();
        // without a purpose nothing can be said of its kind
        assert_eq!(held, [Some(false), None]);
    }

    #[test]
    fn what_stands_behind_unless_holds_where_it_is_not_so() {
        let rules = Rulebook::assemble(&Sources::embedded()).unwrap();
        let seen = seen(&rules, "ada", "https://www.example.org/");
        let because = rules.rulebook.because(&seen, &rules.rulebook.judge(&seen));
        let open = because
            .decided
            .iter()
            .find(|account| account.policy.as_str() == "connect.open-web");
        let lines: Vec<String> = open.unwrap().conditions.iter().map(told).collect();
        assert_eq!(
            lines,
            ["    held: unless resource.classified  [resource.classified is false]"]
        );
    }
}
