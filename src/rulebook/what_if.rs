//! What else would change an outcome: the same question asked again with one thing about it different. Nothing here is
//! written by hand; each line was judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Directory, Judgement, Rulebook};
use crate::clock::Timestamp;
use crate::facts::{Employment, MethodName, NetworkName, Observation, Outcome, Person, PurposeId, Standing};
use crate::policy::NamedKind;

/// One thing that would change the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhatIf {
    /// What would be different.
    pub change: Circumstance,
    /// What would come of it then.
    pub outcome: Outcome,
}

/// What would be different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Circumstance {
    /// A grant for this purpose would have ended.
    WithoutGrant(PurposeId),
    /// The person would work under other terms.
    Employed {
        /// Those.
        other: Employment,
        /// Their own.
        own: Employment,
    },
    /// They would have this role.
    WithRole(String),
    /// They would not have it.
    WithoutRole(String),
    /// They would be in this department.
    InDepartment(String),
    /// They would not be in it.
    OutsideDepartment(String),
    /// They would have passed this training, and it would be valid.
    Trained(String),
    /// They would not.
    Untrained(String),
    /// They would come from this network.
    FromNetwork(String),
    /// They would come from a network that no rule names.
    FromElsewhere,
    /// They would prove in this way who they are.
    SignedInBy(MethodName),
    /// It would be this moment, or later.
    From {
        /// The moment.
        at: Timestamp,
        /// The same as the person's own clock shows it.
        at_home: String,
    },
}

impl fmt::Display for Circumstance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutGrant(purpose) => write!(out, "without the grant for `{purpose}`"),
            Self::Employed { other, own } => write!(out, "as `{}` instead of `{}`", other.as_str(), own.as_str()),
            Self::WithRole(role) => write!(out, "with the role `{role}`"),
            Self::WithoutRole(role) => write!(out, "without the role `{role}`"),
            Self::InDepartment(department) => write!(out, "in the department `{department}`"),
            Self::OutsideDepartment(department) => write!(out, "outside the department `{department}`"),
            Self::Trained(course) => write!(out, "with a valid training `{course}`"),
            Self::Untrained(course) => write!(out, "without a valid training `{course}`"),
            Self::FromNetwork(network) => write!(out, "from the network `{network}`"),
            Self::FromElsewhere => out.write_str("from a network that no rule names"),
            Self::SignedInBy(method) => write!(out, "signed in by `{}`", method.as_str()),
            Self::From { at_home, .. } => write!(out, "from {at_home} on"),
        }
    }
}

impl Serialize for Circumstance {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

const EMPLOYMENTS: [Employment; 4] = [
    Employment::Employee,
    Employment::Contractor,
    Employment::Intern,
    Employment::Vendor,
];
const YEAR: Duration = Duration::from_hours(365 * 24);
const METHODS: [MethodName; 2] = [MethodName::Basic, MethodName::Certificate];

impl Rulebook {
    /// What would change the outcome, beside the purposes that a remedy offers: grants that end, who the person is, where
    /// they are, how they proved who they are, and when.
    ///
    /// Whoever is in a role or department is in all that it is part of, by `directory`.
    pub fn what_if(&self, seen: &Observation, judgement: &Judgement, directory: &Directory) -> Vec<WhatIf> {
        let Some(person) = &seen.person else {
            return Vec::new();
        };
        let now = self.outcome_of(seen, Some(judgement));
        let mut changes = other_grants(seen);
        changes.extend(self.other_people(seen, person, directory));
        changes.extend(self.other_networks(seen));
        changes.extend(other_methods(seen));
        let judged = changes.into_iter().map(|(change, seen)| WhatIf {
            change,
            outcome: self.outcome_of(&seen, None),
        });
        let mut found: Vec<WhatIf> = judged.filter(|other| other.outcome != now).collect();
        found.extend(self.later(seen, person, now));
        found
    }

    fn outcome_of(&self, seen: &Observation, judged: Option<&Judgement>) -> Outcome {
        let judgement = judged.cloned().unwrap_or_else(|| self.judge(seen));
        judgement.outcome_if(&self.remedy_judged(seen, &judgement))
    }

    fn other_people(
        &self,
        seen: &Observation,
        person: &Arc<Person>,
        directory: &Directory,
    ) -> Vec<(Circumstance, Observation)> {
        let mut changes = Vec::new();
        let mut with = |what: Circumstance, change: &dyn Fn(&mut Person)| {
            let mut other = Person::clone(person);
            change(&mut other);
            let seen = Observation {
                person: Some(Arc::new(other)),
                ..seen.clone()
            };
            changes.push((what, seen));
        };
        for kind in EMPLOYMENTS.into_iter().filter(|kind| *kind != person.employment) {
            let own = person.employment;
            with(Circumstance::Employed { other: kind, own }, &|person| {
                person.employment = kind;
            });
        }
        for role in self.policy.names_of(NamedKind::Role) {
            let is_held = person.roles.contains(role);
            let what = if is_held {
                Circumstance::WithoutRole
            } else {
                Circumstance::WithRole
            };
            with(what(role.to_owned()), &|person| {
                turn(&mut person.roles, role, directory.roles_above());
            });
        }
        for department in self.policy.names_of(NamedKind::Department) {
            let is_inside = person.departments.contains(department);
            let what = if is_inside {
                Circumstance::OutsideDepartment
            } else {
                Circumstance::InDepartment
            };
            with(what(department.to_owned()), &|person| {
                turn(&mut person.departments, department, directory.departments_above());
            });
        }
        for course in self.policy.courses() {
            if person.training.get(course).is_some_and(|until| *until > seen.at) {
                with(Circumstance::Untrained(course.to_owned()), &|person| {
                    person.training.remove(course);
                });
            } else {
                with(Circumstance::Trained(course.to_owned()), &|person| {
                    person.training.insert(course.to_owned(), seen.at.plus(YEAR));
                });
            }
        }
        changes
    }

    fn other_networks(&self, seen: &Observation) -> Vec<(Circumstance, Observation)> {
        let own = seen.arrival.network.as_str();
        let networks = self.policy.networks();
        let mut others: Vec<&str> = networks
            .iter()
            .map(String::as_str)
            .filter(|name| *name != own)
            .collect();
        if networks.contains(own) {
            others.push("unknown");
        }
        let from = |name: &str| {
            let mut seen = seen.clone();
            seen.arrival.network = NetworkName::new(name);
            let what = match name {
                "unknown" => Circumstance::FromElsewhere,
                _ => Circumstance::FromNetwork(name.to_owned()),
            };
            (what, seen)
        };
        others.into_iter().map(from).collect()
    }

    /// The first moment at which the outcome is another.
    fn later(&self, seen: &Observation, person: &Person, now: Outcome) -> Option<WhatIf> {
        let edges = self.policy.edges(person, seen.standing.grants(), seen.at);
        edges.into_iter().find_map(|at| {
            let grants = seen.standing.grants().iter().cloned();
            let then = Observation {
                standing: Standing::new(grants, at),
                at,
                ..seen.clone()
            };
            let outcome = self.outcome_of(&then, None);
            (outcome != now).then(|| WhatIf {
                change: Circumstance::From {
                    at,
                    at_home: at_home(at, person),
                },
                outcome,
            })
        })
    }
}

/// Takes somebody out of a unit and of all units in it; or puts them into it, and into all that it is part of.
fn turn(held: &mut BTreeSet<String>, unit: &str, above: &BTreeMap<String, BTreeSet<String>>) {
    if held.contains(unit) {
        held.retain(|one| one != unit && above.get(one).is_none_or(|above| !above.contains(unit)));
    } else {
        held.insert(unit.to_owned());
        held.extend(above.get(unit).into_iter().flatten().cloned());
    }
}

/// A moment as the person's own clock shows it.
fn at_home(at: Timestamp, person: &Person) -> String {
    let zone = jiff::tz::TimeZone::get(&person.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    format!(
        "{} ({name})",
        at.calendar().to_zoned(zone).strftime("%A %-d %B %Y, %H:%M")
    )
}

fn other_grants(seen: &Observation) -> Vec<(Circumstance, Observation)> {
    let grants = seen.standing.grants();
    let without = grants.iter().map(|grant| {
        let others = grants.iter().filter(|other| other.id != grant.id).cloned();
        let seen = Observation {
            standing: Standing::new(others, seen.at),
            ..seen.clone()
        };
        (Circumstance::WithoutGrant(grant.purpose.clone()), seen)
    });
    without.collect()
}

fn other_methods(seen: &Observation) -> Vec<(Circumstance, Observation)> {
    let Some(subject) = &seen.subject else {
        return Vec::new();
    };
    let others = METHODS.into_iter().filter(|method| *method != subject.method);
    let with = |method: MethodName| {
        let mut other = subject.clone();
        other.method = method;
        let seen = Observation {
            subject: Some(other),
            ..seen.clone()
        };
        (Circumstance::SignedInBy(method), seen)
    };
    others.map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Sources;
    use crate::rulebook::explain_conditions::tests::seen;

    fn told(who: &str, to: &str, purpose: Option<&str>) -> Vec<String> {
        let rules = Rulebook::assemble(&Sources::embedded()).unwrap();
        let mut seen = seen(&rules, who, to);
        let purpose = purpose.and_then(|id| rules.rulebook.purposes().get(&PurposeId::new(id)));
        let mut grant = purpose.and_then(|purpose| rules.rulebook.suppose(purpose, &seen, None));
        if let Some(grant) = &mut grant {
            grant.expires = seen.at.plus(Duration::from_hours(10));
        }
        seen.standing = Standing::new(grant, seen.at);
        let judgement = rules.rulebook.judge(&seen);
        let found = rules.rulebook.what_if(&seen, &judgement, &rules.directory);
        found
            .iter()
            .map(|one| format!("{}: {}", one.change, one.outcome.as_str()))
            .collect()
    }

    #[test]
    fn each_change_of_the_circumstances_that_changes_the_outcome_is_named() {
        let ada = told("ada", "https://www.linkedin.com/feed/", Some("recruiting"));
        for change in [
            "without the grant for `recruiting`: declare",
            "without the role `recruiter`: declare",
            "without the role `staff`: deny",
            "from Tuesday 24 November 2026, 22:30 (Europe/Paris) on: declare",
        ] {
            assert!(ada.iter().any(|line| line == change), "{change} in {ada:#?}");
        }
        assert!(
            !ada.iter()
                .any(|line| line.contains("guest") || line.contains("certificate")),
            "{ada:#?}"
        );
    }

    #[test]
    fn whoever_has_a_role_has_all_that_it_is_part_of_and_who_lacks_it_has_none_in_it() {
        let vic = told("vic", "https://www.linkedin.com/feed/", None);
        for change in ["with the role `recruiter`: declare", "with the role `staff`: declare"] {
            assert!(vic.iter().any(|line| line == change), "{change} in {vic:#?}");
        }
        let ada = told("ada", "https://www.linkedin.com/feed/", None);
        assert!(
            ada.iter().any(|line| line == "without the role `staff`: deny"),
            "{ada:#?}"
        );
        let mut held = BTreeSet::from(["hr-staff", "recruiter", "staff"].map(str::to_owned));
        let rules = Rulebook::assemble(&Sources::embedded()).unwrap();
        turn(&mut held, "hr-staff", rules.directory.roles_above());
        assert_eq!(held, BTreeSet::from(["staff".to_owned()]));
        turn(&mut held, "recruiter", rules.directory.roles_above());
        assert_eq!(
            held,
            BTreeSet::from(["hr-staff", "recruiter", "staff"].map(str::to_owned))
        );
    }

    #[test]
    fn hours_are_searched_until_something_changes() {
        let ada = told("ada", "https://x.com/home", Some("personal-break"));
        assert!(
            ada.iter()
                .any(|line| line == "from Tuesday 24 November 2026, 14:00 (Europe/Paris) on: declare"),
            "{ada:#?}"
        );
    }
}
