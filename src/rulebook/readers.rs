//! Who may look at what others do, as far as that is a power that rules give: asked of somebody in each role, of the owner of
//! each purpose, and of whoever its terms name.

use std::collections::BTreeSet;
use std::time::Duration;

use super::read_where::in_roles;
use super::{InForce, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Channel, Person, Reason, Subject, SubjectId};
use crate::policy::{Answering, Decision, GrantQuestion, NamedAs, Power};
use crate::purpose::Purpose;

/// Who has a power over what others hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    /// The power, as rules spell it.
    pub power: &'static str,
    /// The roles whose members have it for some purpose, as such.
    pub roles: BTreeSet<String>,
    /// Whether the owner of some purpose has it, as such.
    pub owner: bool,
    /// Whether those have it whom the terms of some purpose name.
    pub named: bool,
    /// The rules that give it to others: by name or by department, or under conditions.
    pub others: Vec<Reason>,
}

/// The powers with which somebody looks at what others do: to read what was decided about them, to see how much purposes are
/// used, to approve what they ask for, and to end what they hold.
const READING: [Power; 4] = [Power::SeeDecisions, Power::SeeValue, Power::Approve, Power::Revoke];

impl InForce {
    /// Who has the powers with which one looks at what others do, as the rules are asked where `who` is, at this moment.
    pub fn readers(&self, who: Visitor<'_>, at: Timestamp) -> Vec<Readers> {
        let of = |power| {
            let roles = self.directory.roles_above().iter();
            let may = |above: &BTreeSet<String>| self.may_some(power, &in_roles(who.person, above), None, (who, at));
            let mut readers = Readers {
                power: Power::as_str(power),
                roles: roles
                    .filter(|(_, above)| may(above))
                    .map(|(role, _)| role.clone())
                    .collect(),
                owner: self.owner_may(power, (who, at)),
                named: power == Power::Approve && self.named_may((who, at)),
                others: Vec::new(),
            };
            readers.others = self.others(power, &readers, (who, at));
            readers
        };
        READING.into_iter().map(of).collect()
    }

    /// The permits of a power that say nothing of a role, or of whoever stands in a purpose: of somebody by name, say. Of
    /// decisions each permit is looked at; else those of a power that nobody was found to have.
    fn others(&self, power: Power, found: &Readers, (who, at): (Visitor<'_>, Timestamp)) -> Vec<Reason> {
        let mut permits = self.rulebook.policy().permits_of(power.as_str(), at);
        if power == Power::SeeDecisions {
            for above in self.directory.roles_above().values() {
                let decision = self.sees_decisions(&in_roles(who.person, above), (who, at));
                if let Some(decision) = decision.filter(Decision::is_allowed) {
                    permits.retain(|one| !decision.reasons().iter().any(|reason| reason.policy == one.policy));
                }
            }
        } else if found.owner || found.named || !found.roles.is_empty() {
            permits.clear();
        }
        permits
    }

    /// Whether this person may read what was decided about somebody else, of whom nothing is known: what they may read about
    /// themselves says nothing of that. It is no question of any purpose.
    fn sees_decisions(&self, person: &Person, (who, at): (Visitor<'_>, Timestamp)) -> Option<Decision> {
        let subject = Subject {
            id: person.id.clone(),
            method: who.subject.method,
        };
        let visitor = Visitor {
            person,
            subject: &subject,
            arrival: who.arrival,
        };
        let stranger = somebody_else()?;
        let rules = &self.rulebook;
        Some(rules.may_see_decisions(visitor, (&stranger, None), Channel::Portal, at))
    }

    /// Whether this person has the power for some purpose that others hold and they do not own.
    fn may_some(
        &self,
        power: Power,
        person: &Person,
        named_as: Option<NamedAs>,
        asked: (Visitor<'_>, Timestamp),
    ) -> bool {
        if power == Power::SeeDecisions {
            let decision = self.sees_decisions(person, asked);
            return decision.is_some_and(|decision| decision.is_allowed());
        }
        let Some(stranger) = somebody_else() else { return false };
        let mut purposes = self.rulebook.purposes().iter();
        purposes.any(|purpose| self.may(power, (person, &stranger, named_as), purpose, asked))
    }

    /// Whether somebody whom the terms of a purpose name has the power for it: as one of the staff at large, whose roles
    /// give nothing by themselves.
    fn named_may(&self, asked: (Visitor<'_>, Timestamp)) -> bool {
        let mut roles = self.directory.roles_above().values();
        roles.any(|above| {
            let person = in_roles(asked.0.person, above);
            self.may_some(Power::Approve, &person, Some(NamedAs::Approver), asked)
                && !self.may_some(Power::Approve, &person, None, asked)
        })
    }

    /// Whether the owner of some purpose has the power for it, who would not have it otherwise.
    fn owner_may(&self, power: Power, asked: (Visitor<'_>, Timestamp)) -> bool {
        // of decisions nobody owns a purpose
        let Some(stranger) = somebody_else().filter(|_| power != Power::SeeDecisions) else {
            return false;
        };
        let mut purposes = self.rulebook.purposes().iter();
        purposes.any(|purpose| {
            let owner = self.directory.person(&purpose.business_owner);
            owner.is_some_and(|owner| {
                self.may(power, (&owner, &owner.id, None), purpose, asked)
                    && !self.may(power, (&owner, &stranger, None), purpose, asked)
            })
        })
    }

    fn may(
        &self,
        power: Power,
        (person, owner, named_as): (&Person, &SubjectId, Option<NamedAs>),
        purpose: &Purpose,
        (who, at): (Visitor<'_>, Timestamp),
    ) -> bool {
        let subject = Subject {
            id: person.id.clone(),
            method: who.subject.method,
        };
        let Some(declarer) = somebody_else() else { return false };
        let lasts = match power {
            Power::SeeValue | Power::SeeDecisions => Duration::ZERO,
            Power::Declare
            | Power::Approve
            | Power::Revoke
            | Power::BreakGlass
            | Power::GiveDelegation
            | Power::MakeToken => purpose.default_for(&purpose.covers),
        };
        let decision = self.rulebook.policy().decide_on_grant(&GrantQuestion {
            person,
            subject: &subject,
            arrival: who.arrival,
            power,
            purpose: &purpose.id,
            declarer: &declarer,
            declarer_person: None,
            business_owner: owner,
            longest_for: lasts,
            channel: Channel::Portal,
            answering: Answering {
                named_as,
                behalf_of: None,
            },
            at,
        });
        decision.is_allowed()
    }
}

/// Somebody of whom nothing is known, and who is nobody else: no directory lists a name in brackets for a person.
fn somebody_else() -> Option<SubjectId> {
    SubjectId::parse("(somebody)").ok()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::facts::{Arrival, Door, MethodName, Mode, NetworkName, SourceText};
    use crate::rulebook::{Rulebook, Sources};

    /// What Ada is told by the shipped rules and these.
    fn told(rules: &str) -> Vec<Readers> {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
        let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
        let ada = house.directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        let subject = Subject {
            id: ada.id.clone(),
            method: MethodName::Basic,
        };
        let arrival = Arrival {
            door: Door::Tls,
            client: SocketAddr::from(([10, 0, 0, 7], 40_000)),
            network: NetworkName::new("office"),
        };
        let who = Visitor {
            person: &ada,
            subject: &subject,
            arrival: &arrival,
        };
        house.readers(who, "2026-11-24T11:30:00Z".parse().unwrap())
    }

    #[test]
    fn owners_and_the_board_see_figures_the_named_approve_and_the_security_team_reads_and_ends() {
        let told = told("");
        let told: Vec<(&str, Vec<&str>, bool, bool, usize)> = told
            .iter()
            .map(|one| {
                (
                    one.power,
                    one.roles.iter().map(String::as_str).collect(),
                    one.owner,
                    one.named,
                    one.others.len(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("see-decisions", vec!["security"], false, false, 0),
                ("see-value", vec!["executive"], true, false, 0),
                ("approve", vec![], true, true, 0),
                ("revoke", vec!["security"], true, false, 0),
            ]
        );
    }

    #[test]
    fn a_rule_that_lets_one_person_read_decisions_is_told() {
        let one = r#"@id("one") @reason("R.") @owner("IT") permit (principal == User::"dan", action == Action::"see-decisions", resource);"#;
        let told = told(one);
        let others: Vec<&str> = told[0].others.iter().map(|reason| reason.policy.as_str()).collect();
        assert_eq!(others, ["one"]);
        assert_eq!(told[0].roles.iter().collect::<Vec<_>>(), ["security"]);
    }

    #[test]
    fn what_somebody_may_read_about_themselves_says_nothing_of_what_they_read_about_others() {
        let none_of_their_own = r#"@id("own") @reason("R.") @owner("IT") forbid (principal, action == Action::"see-decisions", resource) when { resource == principal };"#;
        let all_their_own = none_of_their_own.replace("forbid", "permit");
        let of_staff = r#"@id("own") @reason("R.") @owner("IT") permit (principal in Role::"executive", action == Action::"see-decisions", resource) when { resource in Role::"staff" };"#;
        for rule in [none_of_their_own, &all_their_own, of_staff] {
            let told = told(rule);
            assert_eq!(told[0].roles.iter().collect::<Vec<_>>(), ["security"], "{rule}");
        }
    }
}
