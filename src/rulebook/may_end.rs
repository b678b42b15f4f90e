//! May somebody end a grant? The rules alone are asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{InForce, Rulebook, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Channel, Grant, NO_PURPOSE, Person, PurposeId, Reason, SubjectId, Token};
use crate::policy::{Answering, Decision, GrantQuestion, Marks, Power};

/// Somebody who looks through what they may end: what no rule can tell apart is asked about once.
pub struct Ending<'a> {
    in_force: &'a InForce,
    who: Visitor<'a>,
    channel: Channel,
    at: Timestamp,
    known: HashMap<PurposeId, HashMap<Marks, MayEnd>>,
}

/// What the rules say to somebody who would end something.
#[derive(Clone, Debug)]
pub struct MayEnd {
    /// Whether they may.
    pub is_allowed: bool,
    /// The rules that determine it.
    pub reasons: Arc<[Reason]>,
}

/// What is to end: a grant or a token.
#[derive(Clone, Copy)]
struct Held<'a> {
    by: &'a SubjectId,
    purpose: &'a PurposeId,
    lasts: Duration,
}

impl InForce {
    /// Somebody who looks through what they may end at this moment.
    pub fn ending<'a>(&'a self, who: Visitor<'a>, channel: Channel, at: Timestamp) -> Ending<'a> {
        Ending {
            in_force: self,
            who,
            channel,
            at,
            known: HashMap::new(),
        }
    }
}

impl Ending<'_> {
    /// Whether they may end a grant, as [`Rulebook::may_end`] says.
    pub fn grant(&mut self, grant: &Grant) -> MayEnd {
        self.of(Held::grant(grant))
    }

    /// Whether they may end a token for tools, as [`Rulebook::may_end_token`] says.
    pub fn token(&mut self, token: &Token) -> MayEnd {
        self.of(Held::token(token, &PurposeId::new(NO_PURPOSE)))
    }

    fn of(&mut self, held: Held<'_>) -> MayEnd {
        let rules = &self.in_force.rulebook;
        let holder = self.in_force.directory.person(held.by);
        let (question, is_owned) = rules.on_ending(self.who, held, holder.as_deref(), (self.channel, self.at));
        let Some(marks) = rules.policy.marks(&question, is_owned) else {
            return MayEnd::of(&rules.policy.decide_on_grant(&question));
        };
        let known = self.known.get(held.purpose).and_then(|known| known.get(&marks));
        if let Some(known) = known {
            return known.clone();
        }
        let may = MayEnd::of(&rules.policy.decide_on_grant(&question));
        let known = self.known.entry(held.purpose.clone()).or_default();
        known.insert(marks, may.clone());
        may
    }
}

impl MayEnd {
    fn of(decision: &Decision) -> Self {
        Self {
            is_allowed: decision.is_allowed(),
            reasons: decision.reasons().into(),
        }
    }
}

impl<'a> Held<'a> {
    fn grant(grant: &'a Grant) -> Self {
        Self {
            by: &grant.subject,
            purpose: &grant.purpose,
            lasts: grant.expires.since(grant.not_before),
        }
    }

    fn token(token: &'a Token, none: &'a PurposeId) -> Self {
        Self {
            by: &token.subject,
            purpose: none,
            lasts: token.expires.since(token.made_at),
        }
    }
}

impl Rulebook {
    /// Whether somebody may end a grant; `holder` is what the directory knows of the person who holds it.
    pub fn may_end(
        &self,
        who: Visitor<'_>,
        grant: &Grant,
        holder: Option<&Person>,
        channel: Channel,
        at: Timestamp,
    ) -> Decision {
        let (question, _) = self.on_ending(who, Held::grant(grant), holder, (channel, at));
        self.policy.decide_on_grant(&question)
    }

    /// Whether somebody may end a token for tools, as they may end a grant: it is for no purpose, and nobody owns it.
    pub fn may_end_token(
        &self,
        who: Visitor<'_>,
        token: &Token,
        holder: Option<&Person>,
        (channel, at): (Channel, Timestamp),
    ) -> Decision {
        let none = PurposeId::new(NO_PURPOSE);
        let (question, _) = self.on_ending(who, Held::token(token, &none), holder, (channel, at));
        self.policy.decide_on_grant(&question)
    }

    /// The question about something that is to end, and whether somebody owns what it is for. A grant outlives its purpose:
    /// then nobody does, and only rules that ask for other powers can end it.
    fn on_ending<'a>(
        &'a self,
        who: Visitor<'a>,
        held: Held<'a>,
        holder: Option<&'a Person>,
        (channel, at): (Channel, Timestamp),
    ) -> (GrantQuestion<'a>, bool) {
        let owner = self.purposes.get(held.purpose).map(|purpose| &purpose.business_owner);
        let question = GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::Revoke,
            purpose: held.purpose,
            declarer: held.by,
            declarer_person: holder,
            business_owner: owner.unwrap_or(held.by),
            longest_for: held.lasts,
            channel,
            answering: Answering::default(),
            at,
        };
        (question, owner.is_some())
    }

    /// Whether the rules let somebody end what others hold for some purpose, as far as that hangs on no more of who holds it
    /// than that they report to whoever asks. It is a question for each purpose, however much is held.
    pub fn may_end_others(&self, who: Visitor<'_>, channel: Channel, at: Timestamp) -> bool {
        let report = Person {
            id: SubjectId::nobody(),
            manager: Some(who.person.id.clone()),
            ..who.person.clone()
        };
        [None, Some(&report)]
            .into_iter()
            .any(|holder| self.may_end_of(holder, who, channel, at))
    }

    fn may_end_of(&self, holder: Option<&Person>, who: Visitor<'_>, channel: Channel, at: Timestamp) -> bool {
        let nobody = SubjectId::nobody();
        self.purposes.iter().any(|purpose| {
            let decision = self.policy.decide_on_grant(&GrantQuestion {
                person: who.person,
                subject: who.subject,
                arrival: who.arrival,
                power: Power::Revoke,
                purpose: &purpose.id,
                declarer: &nobody,
                declarer_person: holder,
                business_owner: &purpose.business_owner,
                longest_for: purpose.default_for(&purpose.covers),
                channel,
                answering: Answering::default(),
                at,
            });
            decision.is_allowed()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GrantId, GrantState, Mode, SourceText};
    use crate::rulebook::Sources;
    use crate::rulebook::tests::{Guest, noon};

    /// Conditions of rules on ending.
    const CONDITIONS: &[&str] = &[
        "resource.declarer == principal",
        "principal != resource.declarer && resource.businessOwner != principal",
        "resource.declarer == User::\"p2\"",
        "[User::\"p1\", User::\"p4\"].contains(resource.declarer)",
        "resource.declarer in User::\"p3\"",
        "resource.declarer in Role::\"recruiter\"",
        "resource.declarer in [Department::\"hr\", Department::\"brand\"]",
        "resource.declarer has manager && resource.declarer.manager == principal",
        "resource.declarer has manager && resource.declarer.manager == User::\"p1\"",
        "principal has manager && principal.manager == resource.declarer",
        "resource.declarer == resource.businessOwner",
        "resource.businessOwner == User::\"p1\"",
        "resource.maxDuration > duration(\"1h\")",
        "resource.kind == PurposeKind::\"recruiting\"",
        "resource.declarer.region == principal.region",
        "resource.declarer.employment == Employment::\"vendor\"",
        "resource.declarer.timeZone like \"Europe/*\"",
        "resource.declarer.onLegalHold",
        "resource.declarer.hasTag(\"course\") && resource.declarer.getTag(\"course\") > context.now",
        "if resource.declarer in Role::\"recruiter\" then resource.maxDuration == duration(\"1h\") else context.channel == \"api\"",
        "[resource].contains(Purpose::\"recruiting\")",
        "principal in resource.declarer",
        "resource.declarer is User && context.client.network == \"office\"",
    ];

    fn people() -> String {
        let person = |nth: usize| {
            let department = ["hr", "brand", "marketing"][nth % 3];
            let manager = ["p0", "p1"][nth % 2];
            let region = ["eu-west", "us-east"][nth / 2 % 2];
            let employment = ["employee", "vendor"][nth / 3 % 2];
            let zone = ["Europe/Paris", "America/New_York"][nth / 4 % 2];
            let more = if nth.is_multiple_of(3) {
                "legal-hold = true\n"
            } else {
                ""
            };
            let training = [
                "",
                "training = { course = 2027-01-01 }\n",
                "training = { course = 2026-01-01 }\n",
            ][nth % 3];
            let role = ["recruiter", "staff"][nth / 2 % 2];
            format!(
                "[[person]]\nid = \"p{nth}\"\nroles = [\"{role}\"]\ndepartment = \"{department}\"\nmanager = \"{manager}\"\n\
                 employment = \"{employment}\"\ntime-zone = \"{zone}\"\nregion = \"{region}\"\n{more}{training}\n"
            )
        };
        (0..8).map(person).collect()
    }

    fn house(effect: &str, condition: &str) -> InForce {
        let mut sources = Sources::embedded();
        let rule = format!(
            "@id(\"test\") @reason(\"R.\") @owner(\"IT\")\n{effect} (principal, action == Action::\"revoke\", resource)\n\
             when {{ {condition} }};"
        );
        sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
        sources.people.push(SourceText::new("people/many.toml", people()));
        Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce)
    }

    fn held() -> Vec<Grant> {
        let who = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "nora", "(left)"];
        let purposes = ["recruiting", "competitor-research", "gone"];
        let at = noon();
        let all = who.iter().flat_map(|who| {
            purposes
                .iter()
                .flat_map(move |purpose| [1, 2].map(|hours| (*who, *purpose, hours)))
        });
        let one = |(who, purpose, hours): (&str, &str, u64)| Grant {
            id: GrantId::supposed(),
            subject: SubjectId::parse(who).unwrap(),
            purpose: PurposeId::new(purpose),
            platforms: Arc::default(),
            covers: Arc::default(),
            statement: String::new(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: at,
            not_before: at,
            expires: at.plus(Duration::from_hours(hours)),
            idle: None,
            used_at: None,
            answer_by: None,
            answers: Vec::new(),
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
            state: GrantState::Active,
            ended_at: None,
            ended: None,
            report: None,
            came: None,
        };
        all.map(one).collect()
    }

    #[test]
    fn whoever_looks_through_many_is_told_of_each_what_the_rules_say_of_it_alone() {
        let (held, at) = (held(), noon());
        for (nth, condition) in CONDITIONS.iter().enumerate() {
            let house = house(["permit", "forbid"][nth % 2], condition);
            for asks in ["p0", "p1", "p5", "sol", "mia"] {
                let guest = Guest::of(&house, asks);
                let who = guest.visitor();
                let mut ending = house.ending(who, Channel::Portal, at);
                for grant in &held {
                    let holder = house.directory.person(&grant.subject);
                    let alone = house
                        .rulebook
                        .may_end(who, grant, holder.as_deref(), Channel::Portal, at);
                    let among = ending.grant(grant);
                    let told = (among.is_allowed, &among.reasons[..]);
                    assert_eq!(
                        told,
                        (alone.is_allowed(), alone.reasons()),
                        "{condition}: {asks} {} {}",
                        grant.subject,
                        grant.purpose
                    );
                }
            }
        }
    }

    #[test]
    fn what_no_rule_tells_apart_is_asked_about_once() {
        let house = Rulebook::assemble(&Sources::embedded()).unwrap().in_mode(Mode::Enforce);
        let sol = Guest::of(&house, "sol");
        let mut ending = house.ending(sol.visitor(), Channel::Portal, noon());
        let told: Vec<MayEnd> = held().iter().map(|grant| ending.grant(grant)).collect();
        assert!(told.iter().all(|may| may.is_allowed));
        // of each purpose, what is held by whom the directory knows, and by whom it does not
        assert_eq!(ending.known.len(), 3);
        assert!(ending.known.values().all(|known| known.len() <= 2));
        // each question has an answer of its own
        let mut asked: Vec<&MayEnd> = Vec::new();
        for may in &told {
            if !asked.iter().any(|one| Arc::ptr_eq(&one.reasons, &may.reasons)) {
                asked.push(may);
            }
        }
        assert!(
            asked.len() <= 6,
            "{} questions about {} grants",
            asked.len(),
            told.len()
        );
    }
}
