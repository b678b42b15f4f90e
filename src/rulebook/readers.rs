//! Who may look at what others do, as far as that is a power that rules give: asked of somebody in each role, of the owner of
//! each purpose, and of whoever its terms name.

use std::collections::BTreeSet;
use std::time::Duration;

use super::read_where::in_roles;
use super::{InForce, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Channel, Person, PolicyId, Reason, Subject, SubjectId};
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
    /// The rules that give it, or may give it, to others: by name or by department, or under conditions.
    pub others: Vec<Reason>,
}

/// The powers with which somebody looks at what others do: to read what was decided about them, to see how much purposes are
/// used, to approve what they ask for, and to end what they hold.
static READING: [Power; 4] = [Power::SeeDecisions, Power::SeeValue, Power::Approve, Power::Revoke];

/// Who looks, and when.
type Asked<'a> = (Visitor<'a>, Timestamp);

/// Who has the powers with which one looks at what others do, found out step by step: of many roles and purposes that takes
/// long, and whoever asks lets others go on meanwhile.
pub struct Looking<'a> {
    in_force: &'a InForce,
    asked: Asked<'a>,
    /// The power that is asked about.
    power: std::slice::Iter<'static, Power>,
    roles: std::collections::btree_map::Iter<'a, String, BTreeSet<String>>,
    /// The roles that have it, the rules that say so, and whether they may let more than that.
    found: (BTreeSet<String>, BTreeSet<PolicyId>, bool),
    told: Vec<Readers>,
}

impl Looking<'_> {
    /// Asks about the next role, which takes a moment; false where all is asked. Only then is there all to tell.
    pub fn look(&mut self) -> bool {
        let Some(power) = self.power.as_slice().first().copied() else {
            return false;
        };
        if let Some((role, above)) = self.roles.next() {
            let person = in_roles(self.asked.0.person, above);
            let answers = self.in_force.answers(power, &person, Answering::default(), self.asked);
            let (roles, told, may_let_more) = &mut self.found;
            if let Some(rules) = rules_of(&answers) {
                roles.insert(role.clone());
                told.extend(rules);
            } else {
                *may_let_more |= self.in_force.rulebook.policy().may_yet_let(&answers);
            }
            return true;
        }
        let found = std::mem::take(&mut self.found);
        self.told.push(self.in_force.readers_by(power, found, self.asked));
        self.power.next();
        self.roles = self.in_force.directory.roles_above().iter();
        true
    }

    /// What was found.
    pub fn told(self) -> Vec<Readers> {
        self.told
    }
}

impl InForce {
    /// Who has the powers with which one looks at what others do, as the rules are asked where `who` is, at this moment.
    pub fn readers<'a>(&'a self, who: Visitor<'a>, at: Timestamp) -> Looking<'a> {
        Looking {
            in_force: self,
            asked: (who, at),
            power: READING.iter(),
            roles: self.directory.roles_above().iter(),
            found: (BTreeSet::new(), BTreeSet::new(), false),
            told: Vec::new(),
        }
    }

    /// The same of a power, once it was asked about all roles.
    fn readers_by(
        &self,
        power: Power,
        (roles, mut told, mut may_let_more): (BTreeSet<String>, BTreeSet<PolicyId>, bool),
        asked: Asked<'_>,
    ) -> Readers {
        // whoever is in no role at all has no row of their own
        let in_none = in_roles(asked.0.person, &BTreeSet::new());
        may_let_more |= self.rules_for(power, &in_none, Answering::default(), asked).is_some();
        let (owner, named) = (self.rules_for_owners(power, asked), self.rules_for_named(power, asked));
        let (is_owner, is_named) = (owner.is_some(), named.is_some());
        told.extend(owner.into_iter().chain(named).flatten());
        Readers {
            power: Power::as_str(power),
            roles,
            owner: is_owner,
            named: is_named,
            others: self.others(power, (&told, may_let_more), asked.1),
        }
    }

    /// The permits of a power that let nobody for a role, or for what they are to a purpose: somebody by name, say; and those
    /// of the rules that were `told` for which there are other ways, all of them where they may let more than they were seen to.
    fn others(&self, power: Power, (told, may_let_more): (&BTreeSet<PolicyId>, bool), at: Timestamp) -> Vec<Reason> {
        let policy = self.rulebook.policy();
        let mut permits = policy.permits_of(power.as_str(), at);
        permits.retain(|one| may_let_more || !told.contains(&one.policy) || policy.may_let_others(&one.policy));
        permits
    }

    /// The rules by which this person has the power for some purpose that others hold and they do not own; none where they
    /// do not have it. What was decided about others is no question of any purpose.
    fn rules_for(
        &self,
        power: Power,
        person: &Person,
        answering: Answering<'_>,
        asked: Asked<'_>,
    ) -> Option<BTreeSet<PolicyId>> {
        rules_of(&self.answers(power, person, answering, asked))
    }

    /// What the rules say to it, for each purpose.
    fn answers(&self, power: Power, person: &Person, answering: Answering<'_>, asked: Asked<'_>) -> Vec<Decision> {
        let Some(stranger) = somebody_else() else {
            return Vec::new();
        };
        if power == Power::SeeDecisions {
            return vec![self.sees_decisions(person, &stranger, asked)];
        }
        let asks = (person, &stranger, answering);
        let purposes = self.rulebook.purposes().iter();
        purposes
            .map(|purpose| self.answer(power, asks, (purpose, &stranger), asked))
            .collect()
    }

    /// The same of those whom the terms of a purpose name, and of whom they let answer for them: each as one of the staff at
    /// large, whose roles give nothing by themselves.
    fn rules_for_named(&self, power: Power, asked: Asked<'_>) -> Option<BTreeSet<PolicyId>> {
        let approver = SubjectId::parse("(approver)").ok()?;
        let named = Answering {
            named_as: Some(NamedAs::Approver),
            behalf_of: None,
        };
        let delegated = Answering {
            behalf_of: Some(&approver),
            ..named
        };
        let roles = self
            .directory
            .roles_above()
            .values()
            .filter(|_| power == Power::Approve);
        let rules = roles.filter_map(|above| {
            let person = in_roles(asked.0.person, above);
            let by = |answering| self.rules_for(power, &person, answering, asked);
            let rules = by(named).filter(|_| by(Answering::default()).is_none())?;
            Some(rules.into_iter().chain(by(delegated).into_iter().flatten()).collect())
        });
        rules.reduce(|mut all: BTreeSet<PolicyId>, more| {
            all.extend(more);
            all
        })
    }

    /// The same of the owners of purposes, who would not have it otherwise.
    fn rules_for_owners(&self, power: Power, asked: Asked<'_>) -> Option<BTreeSet<PolicyId>> {
        let stranger = somebody_else()?;
        // of decisions nobody owns a purpose
        let purposes = self.rulebook.purposes().iter();
        let purposes = purposes.filter(|_| power != Power::SeeDecisions);
        let answers = purposes.filter_map(|purpose| {
            let owner = self.directory.person(&purpose.business_owner)?;
            let as_owned_by = |whom| {
                let asks = (&*owner, whom, Answering::default());
                self.answer(power, asks, (purpose, &stranger), asked)
            };
            Some(as_owned_by(&owner.id)).filter(|_| !as_owned_by(&stranger).is_allowed())
        });
        rules_of(&answers.collect::<Vec<_>>())
    }

    /// Whether this person may read what was decided about somebody else, of whom nothing is known: what they may read about
    /// themselves says nothing of that.
    fn sees_decisions(&self, person: &Person, stranger: &SubjectId, (who, at): Asked<'_>) -> Decision {
        let subject = Subject {
            id: person.id.clone(),
            method: who.subject.method,
        };
        let visitor = Visitor {
            person,
            subject: &subject,
            arrival: who.arrival,
        };
        let rules = &self.rulebook;
        rules.may_see_decisions(visitor, (stranger, None), Channel::Portal, at)
    }

    /// What the rules say to a person who would use the power for what somebody holds for a purpose.
    fn answer(
        &self,
        power: Power,
        (person, owner, answering): (&Person, &SubjectId, Answering<'_>),
        (purpose, declarer): (&Purpose, &SubjectId),
        (who, at): Asked<'_>,
    ) -> Decision {
        let subject = Subject {
            id: person.id.clone(),
            method: who.subject.method,
        };
        let lasts = match power {
            Power::SeeValue | Power::SeeDecisions => Duration::ZERO,
            Power::Declare
            | Power::Approve
            | Power::Revoke
            | Power::BreakGlass
            | Power::GiveDelegation
            | Power::MakeToken => purpose.default_for(&purpose.covers),
        };
        self.rulebook.policy().decide_on_grant(&GrantQuestion {
            person,
            subject: &subject,
            arrival: who.arrival,
            power,
            purpose: &purpose.id,
            declarer,
            declarer_person: None,
            business_owner: owner,
            longest_for: lasts,
            channel: Channel::Portal,
            answering,
            at,
        })
    }
}

/// The rules that determine the answers that allow; none where none does.
fn rules_of(answers: &[Decision]) -> Option<BTreeSet<PolicyId>> {
    let mut allowed = answers.iter().filter(|answer| answer.is_allowed()).peekable();
    allowed.peek()?;
    let mut rules = BTreeSet::new();
    for answer in allowed {
        rules.extend(answer.reasons().iter().map(|reason| reason.policy.clone()));
    }
    Some(rules)
}

/// Somebody of whom nothing is known, and who is nobody else: no directory lists a name in brackets for a person.
fn somebody_else() -> Option<SubjectId> {
    SubjectId::parse("(somebody)").ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Mode, SourceText};
    use crate::rulebook::tests::{Guest, noon};
    use crate::rulebook::{Rulebook, Sources};

    /// What Ada is told by the shipped rules and these.
    fn told(rules: &str) -> Vec<Readers> {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
        let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
        let guest = Guest::of(&house, "ada");
        let mut looking = house.readers(guest.visitor(), noon());
        while looking.look() {}
        looking.told()
    }

    fn others(one: &Readers) -> Vec<&str> {
        one.others.iter().map(|reason| reason.policy.as_str()).collect()
    }

    #[test]
    fn owners_and_the_board_see_figures_the_named_approve_and_the_security_team_reads_and_ends() {
        let told = told("");
        let told = told.iter().map(|one| {
            let roles: Vec<&str> = one.roles.iter().map(String::as_str).collect();
            (one.power, roles, one.owner, one.named, others(one))
        });
        let told: Vec<_> = told.collect();
        assert_eq!(
            told,
            [
                ("see-decisions", vec!["security"], false, false, vec![]),
                ("see-value", vec!["executive"], true, false, vec![]),
                // also by the manager of whoever asks
                ("approve", vec![], true, true, vec!["approve.owner-or-manager"]),
                ("revoke", vec!["security"], true, false, vec![]),
            ]
        );
    }

    #[test]
    fn a_rule_that_lets_one_person_read_decisions_is_told() {
        let one = r#"@id("one") @reason("R.") @owner("IT") permit (principal == User::"dan", action == Action::"see-decisions", resource);"#;
        let told = told(one);
        assert_eq!(others(&told[0]), ["one"]);
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

    #[test]
    fn whoever_has_a_power_beside_a_role_an_owner_and_those_who_are_named_is_told() {
        let rules = r#"
            @id("dan") @reason("R.") @owner("IT") permit (principal == User::"dan", action in [Action::"approve", Action::"see-value"], resource);
            @id("unit") @reason("R.") @owner("IT") permit (principal in Department::"hr", action == Action::"revoke", resource);
            @id("guests") @reason("R.") @owner("IT") permit (principal, action == Action::"see-value", resource) when { context.client.network == "guest" };
        "#;
        let told = told(rules);
        let told: Vec<(&str, Vec<&str>)> = told.iter().map(|one| (one.power, others(one))).collect();
        assert_eq!(
            told,
            [
                ("see-decisions", vec![]),
                ("see-value", vec!["dan", "guests"]),
                ("approve", vec!["approve.owner-or-manager", "dan"]),
                ("revoke", vec!["unit"]),
            ]
        );
    }

    #[test]
    fn a_rule_that_lets_members_of_a_role_hides_nobody_whom_it_lets_for_another_reason() {
        let is_told = |when: &str| {
            let rule = format!(
                r#"@id("one") @reason("R.") @owner("IT") permit (principal, action == Action::"see-decisions", resource) {when};"#
            );
            let told = told(&rule);
            let others = others(&told[0]);
            assert!(told[0].roles.contains("security"));
            !others.is_empty()
        };
        for wide in [
            r#"when { principal in Role::"security" || principal == User::"dan" }"#,
            r#"when { principal in Role::"security" || context.client.network == "guest" }"#,
            r#"when { if context.client.network == "office" then principal in Role::"security" else principal in Department::"hr" }"#,
            r#"unless { !(principal in Role::"security") && principal != User::"dan" }"#,
        ] {
            assert!(is_told(wide), "{wide}");
        }
        for narrow in [
            r#"when { principal in Role::"security" }"#,
            r#"when { principal in [Role::"security", Role::"executive"] && context.client.network == "office" }"#,
            r#"when { principal in Role::"security" || principal in Role::"executive" }"#,
            r#"when { principal in Role::"security" } unless { principal == User::"dan" || resource == principal }"#,
            r#"when { principal in Role::"security" && ["eu-west", "us"].contains(principal.region) }"#,
        ] {
            assert!(!is_told(narrow), "{narrow}");
        }
    }

    #[test]
    fn whoever_is_refused_here_and_now_only_is_told_all_the_same() {
        let both = r#"@id("both") @reason("R.") @owner("IT") permit (principal, action == Action::"see-decisions", resource) when { principal in [Role::"security", Role::"executive"] };"#;
        for (but, hides) in [
            (r#"unless { context.client.network == "guest" }"#, false),
            (r#"when { principal.employment == Employment::"employee" }"#, false),
            (r#"unless { principal == User::"dan" }"#, false),
            (r#"when { principal in Role::"executive" }"#, true),
            ("", true),
        ] {
            let forbid = format!(
                r#"@id("but") @reason("R.") @owner("IT") forbid (principal in Role::"executive", action == Action::"see-decisions", resource) {but};"#
            );
            let told = told(&format!("{both}{forbid}"));
            assert!(!told[0].roles.contains("executive"), "{but}");
            assert_eq!(others(&told[0]).contains(&"both"), !hides, "{but}");
        }
    }

    #[test]
    fn whoever_is_in_no_role_is_told() {
        let strangers = r#"@id("strangers") @reason("R.") @owner("IT") permit (principal, action == Action::"see-decisions", resource) unless { principal in Role::"staff" };"#;
        assert!(others(&told(strangers)[0]).contains(&"strangers"));
    }
}
