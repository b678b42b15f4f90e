//! Why, in words: one explanation for the command line, the portal and the refusal page.

use serde::Serialize;

use super::Rulebook;
use super::explain_help::InEmergency;
use super::judgement::Judgement;
use crate::facts::{
    Activity, Coach, Effect, GrantId, Host, Mode, Observation, Outcome, PlatformId, PolicyId, PurposeId, Reason,
    Remedy, RulebookId, SignatureId, SubjectId, WouldBe,
};

/// Everything that there is to say about one judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Which of the four outcomes.
    pub outcome: Outcome,
    /// Who asked, if that is known.
    pub who: Option<SubjectId>,
    /// The host.
    pub host: Host,
    /// The platform it belongs to.
    pub platform: Option<PlatformId>,
    /// The categories it is in.
    pub categories: Vec<String>,
    /// What it does: the strictest activity, or `connect`.
    pub activity: Activity,
    /// Everything that it may do.
    pub activities: Vec<Activity>,
    /// The signatures that recognised it.
    pub signatures: Vec<SignatureId>,
    /// Whether the gateway may read the flow.
    pub inspected: bool,
    /// The grant it passes under.
    pub grant: Option<GrantId>,
    /// The purpose of that grant.
    pub purpose: Option<PurposeId>,
    /// Whether it passes, be it that the rules refuse it and do not insist.
    pub passes: bool,
    /// The policies that decided whether it may pass.
    pub policies: Vec<ExplainedPolicy>,
    /// Policies that refuse it because of grants that are held, where without those it is refused as well and no other
    /// would help: nobody is told of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<ExplainedPolicy>,
    /// The policies that decided whether it may be read.
    pub inspection: Vec<ExplainedPolicy>,
    /// What went wrong with policies that failed to evaluate.
    pub troubles: Vec<String>,
    /// Where its sender may continue once they are told why not: whether they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coach: Option<Coach>,
    /// What rules on probation would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would: Option<ExplainedTrial>,
    /// What would help.
    pub remedy: Remedy,
    /// What would open it at once in an emergency, where no purpose does that opens without an approval.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emergencies: Vec<InEmergency>,
    /// The rules that decided.
    pub rulebook: RulebookId,
}

/// What would come of it with the rules on probation in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedTrial {
    /// Whether it would pass.
    pub be: WouldBe,
    /// Whether it would be read.
    pub inspected: bool,
    /// The policies that would decide whether it may pass.
    pub policies: Vec<ExplainedPolicy>,
    /// The policies that would decide whether it may be read.
    pub inspection: Vec<ExplainedPolicy>,
    /// What goes wrong with policies that fail to evaluate.
    pub troubles: Vec<String>,
}

/// A policy with its words and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedPolicy {
    /// `@id`
    pub id: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@title`
    pub title: Option<String>,
    /// `@reason`
    pub reason: String,
    /// `@fix`
    pub fix: Option<String>,
    /// `@mode`, unless it simply counts.
    #[serde(skip_serializing_if = "Mode::is_enforce")]
    pub mode: Mode,
    /// The file it stands in.
    pub file: String,
    /// The line it begins on.
    pub line: usize,
    /// The whole policy as written.
    pub text: String,
}

impl Rulebook {
    /// Explains a judgement of `seen`; what would help is computed where it was refused.
    pub fn explain(&self, seen: &Observation, judgement: &Judgement) -> Explanation {
        let remedy = self.remedy(seen);
        let reading = judgement.reading();
        let policies = |reasons: &[Reason]| reasons.iter().map(|reason| self.explained(reason)).collect();
        let would = judgement.trial().map(|trial| ExplainedTrial {
            be: trial.would_be(),
            inspected: trial.inspect(),
            policies: policies(trial.reasons()),
            inspection: policies(trial.inspect_reasons()),
            troubles: trial.troubles().to_vec(),
        });
        let counts = judgement.coach().is_some() || remedy.makes_grants_matter();
        let is_to_the_point = |reason: &Reason| counts || !judgement.of_grants().contains(&reason.policy);
        let (to_the_point, beside): (Vec<Reason>, Vec<Reason>) =
            judgement.reasons().iter().cloned().partition(is_to_the_point);
        Explanation {
            outcome: judgement.outcome_if(&remedy),
            who: seen.subject.as_ref().map(|subject| subject.id.clone()),
            host: judgement.place().host.clone(),
            platform: judgement.place().platform.clone(),
            categories: judgement
                .place()
                .categories
                .iter()
                .map(|one| one.as_str().to_owned())
                .collect(),
            activity: judgement.activity(),
            activities: reading
                .map(|reading| reading.activities.iter().cloned().collect())
                .unwrap_or_default(),
            signatures: reading
                .map(|reading| reading.signatures.iter().cloned().collect())
                .unwrap_or_default(),
            inspected: judgement.inspect(),
            grant: judgement.grant().map(|grant| grant.id.clone()),
            purpose: judgement.grant().map(|grant| grant.purpose.clone()),
            passes: judgement.permit().is_ok(),
            policies: policies(&to_the_point),
            beside: policies(&beside),
            inspection: policies(judgement.inspect_reasons()),
            troubles: judgement.troubles().to_vec(),
            coach: judgement.coach(),
            would,
            emergencies: self.in_emergency(seen, &remedy),
            remedy,
            rulebook: self.id.clone(),
        }
    }

    fn explained(&self, reason: &Reason) -> ExplainedPolicy {
        let rule = self.policy.rule(&reason.policy);
        ExplainedPolicy {
            id: reason.policy.clone(),
            effect: reason.effect,
            title: rule.and_then(|rule| rule.title.clone()),
            reason: reason.text.to_string(),
            fix: reason.fix.as_deref().map(str::to_owned),
            mode: rule.map(|rule| rule.mode).unwrap_or_default(),
            file: rule.map(|rule| rule.file.clone()).unwrap_or_default(),
            line: rule.map(|rule| rule.line).unwrap_or_default(),
            text: rule.map(|rule| rule.text.clone()).unwrap_or_default(),
        }
    }
}

impl Explanation {
    /// The explanation as people read it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.headline(), self.recognised()];
        let mut section = |title: &str, found: Vec<String>| {
            if !found.is_empty() {
                lines.push(String::new());
                lines.push(title.to_owned());
                lines.extend(found);
            }
        };
        section("why", self.why());
        let beside = self.beside.iter().flat_map(ExplainedPolicy::lines).collect();
        section(
            "beside the point: what is held does not cover this, but no other purpose would",
            beside,
        );
        let inspection = self.inspection.iter().filter(|_| !self.has_failed());
        section(
            "why it is read or not",
            inspection.flat_map(ExplainedPolicy::lines).collect(),
        );
        section(
            "trouble",
            self.troubles.iter().map(|trouble| format!("  {trouble}")).collect(),
        );
        section("what comes of it", self.not_insisted());
        let on_probation = self.would.as_ref().map(|would| would.lines(self.inspected));
        section("with the rules on probation in force", on_probation.unwrap_or_default());
        section("what would help", self.help());
        section("rules", vec![format!("  {}", self.rulebook)]);
        lines
    }

    fn headline(&self) -> String {
        let who = self.who.as_ref().map_or("somebody unknown", SubjectId::as_str);
        let place = match &self.platform {
            Some(platform) => format!("{} ({platform})", self.host),
            None => self.host.to_string(),
        };
        let verb = match self.outcome {
            Outcome::Allow => "may",
            Outcome::Declare => "may, once a purpose is declared,",
            Outcome::Request => "may, once a purpose is approved,",
            Outcome::Deny => "may not",
        };
        let under = self
            .purpose
            .as_ref()
            .map_or_else(String::new, |purpose| format!(" for `{purpose}`"));
        let firmness = match (self.outcome, self.passes, &self.coach) {
            (Outcome::Allow, _, _) | (_, false, None) => "",
            (_, true, _) => ", let pass",
            (_, false, Some(_)) => ", coached",
        };
        format!(
            "{}{firmness}: {who} {verb} {} on {place}{under}",
            self.outcome.as_str(),
            self.activity
        )
    }

    fn recognised(&self) -> String {
        if self.has_failed() {
            return "  nothing passes here, and nothing is read: a rule fails to evaluate".to_owned();
        }
        if !self.inspected {
            return "  the gateway does not read this flow: only its host is judged".to_owned();
        }
        let Some((first, rest)) = self.activities.split_first() else {
            return "  the gateway reads this flow and judges each request in it".to_owned();
        };
        let all = rest.iter().fold(first.to_string(), |all, one| format!("{all}, {one}"));
        let by = self
            .signatures
            .iter()
            .map(SignatureId::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let by = if by.is_empty() {
            "no signature: the safer reading".to_owned()
        } else {
            by
        };
        format!("  recognised as {all}, by {by}")
    }

    fn why(&self) -> Vec<String> {
        let has_failed = self.has_failed();
        // what would permit it does not count
        let counting = self
            .policies
            .iter()
            .filter(|policy| !has_failed || policy.effect == Effect::Forbid);
        let policies = counting.flat_map(ExplainedPolicy::lines);
        let not_now = self.remedy.not_now.iter().map(|text| format!("  not now: {text}"));
        let none = self.policies.is_empty() && self.outcome != Outcome::Allow;
        let first = if has_failed {
            Some(FAILED.to_owned())
        } else {
            none.then(|| "  no rule permits it".to_owned())
        };
        first.into_iter().chain(policies).chain(not_now).collect()
    }

    /// Whether a rule failed to evaluate: then nothing passes and nothing is read, whatever the others say.
    pub(super) fn has_failed(&self) -> bool {
        !self.troubles.is_empty()
    }

    fn not_insisted(&self) -> Vec<String> {
        let who = self.who.as_ref().map_or("whoever asks", SubjectId::as_str);
        let line = match &self.coach {
            None if self.passes && self.outcome != Outcome::Allow => {
                "  the gateway only observes: it passes all the same".to_owned()
            }
            None => return Vec::new(),
            Some(Coach::Offered) => format!("  {who} is told why not, and may continue"),
            Some(Coach::Continued(id)) => format!("  {who} was told why not, and continued: it passes (`{id}`)"),
        };
        vec![line]
    }
}

const FAILED: &str = "  a rule fails to evaluate, and any error denies";

impl ExplainedTrial {
    fn lines(&self, inspected: bool) -> Vec<String> {
        let mut lines = vec![match (self.be, self.policies.is_empty()) {
            (WouldBe::Allowed, _) => "  would allow, by these policies".to_owned(),
            (WouldBe::Denied, false) => "  would deny, by these policies".to_owned(),
            (WouldBe::Denied, true) if self.troubles.is_empty() => "  would deny: no rule would permit it".to_owned(),
            (WouldBe::Denied, true) => "  would deny: a policy fails to evaluate".to_owned(),
        }];
        lines.extend(self.policies.iter().flat_map(ExplainedPolicy::lines));
        if self.inspected != inspected && self.troubles.is_empty() {
            let would = if self.inspected {
                "  the gateway would read this flow"
            } else {
                "  the gateway would not read this flow"
            };
            lines.push(would.to_owned());
            lines.extend(self.inspection.iter().flat_map(ExplainedPolicy::lines));
        }
        lines.extend(self.troubles.iter().map(|trouble| format!("  trouble: {trouble}")));
        lines
    }
}

impl ExplainedPolicy {
    fn lines(&self) -> Vec<String> {
        let effect = match self.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        let mut lines = vec![format!(
            "  {effect} `{}` ({}:{}): {}",
            self.id, self.file, self.line, self.reason
        )];
        lines.extend(self.text.lines().map(|line| format!("    │ {line}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::facts::{Ask, Channel, SourceText, Standing};
    use crate::rulebook::explain_conditions::tests::seen;
    use crate::rulebook::{Assembled, Sources};

    const FEED: &str = "https://www.linkedin.com/feed/";

    fn rules(more: &str, mode: Mode) -> Assembled {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", more));
        let assembled = Rulebook::assemble(&sources).unwrap();
        Assembled {
            rulebook: assembled.rulebook.in_mode(mode),
            ..assembled
        }
    }

    /// The lines about what was decided, without the texts of rules.
    fn told(rules: &Assembled, seen: &Observation) -> String {
        let judgement = rules.rulebook.judge(seen);
        let lines = rules.rulebook.explain(seen, &judgement).lines();
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.contains('│')).collect();
        let text = lines.join("\n");
        let is_news = |part: &&str| !part.starts_with("why it is read") && !part.starts_with("rules\n");
        text.split("\n\n").filter(is_news).collect::<Vec<_>>().join("\n")
    }

    fn holding(rules: &Assembled, mut seen: Observation, purpose: &str) -> Observation {
        let purpose = rules.rulebook.purposes().get(&PurposeId::new(purpose)).unwrap();
        seen.standing = Standing::new(rules.rulebook.suppose(purpose, &seen, None), seen.at);
        seen
    }

    #[test]
    fn what_a_purpose_does_not_cover_is_beside_the_point_where_none_would_do() {
        let rules = rules("", Mode::Enforce);
        let held = holding(&rules, seen(&rules, "ada", FEED), "recruiting");
        let mut asked = Observation {
            standing: held.standing,
            ..seen(&rules, "ada", "https://x.com/i/api/graphql/a/CreateTweet")
        };
        if let Ask::Request(_, head) = &mut asked.ask {
            "POST".clone_into(&mut head.method);
        }
        insta::assert_snapshot!(told(&rules, &asked), @"
        deny: ada may not post on x.com (x)
          recognised as post, by x.web.createtweet
        why
          no rule permits it
        beside the point: what is held does not cover this, but no other purpose would
          forbid `guard.scope` (rules/30-guardrails.cedar:3): Your declared purpose does not cover this platform.
        what would help
          nothing: no purpose of the catalogue opens this
        ");
        // another purpose opens reading there: then it is why
        let read = Observation {
            standing: asked.standing.clone(),
            ..seen(&rules, "ada", "https://x.com/home")
        };
        let read = told(&rules, &read);
        assert!(read.contains("why\n  forbid `guard.scope`"), "{read}");
        assert!(read.contains("declare `market-research`"), "{read}");
    }

    #[test]
    fn what_alone_keeps_a_purpose_that_is_held_from_opening_something_is_why_not() {
        let rule = r#"@id("not-from-here") @reason("Not from the office.") @owner("IT")
            forbid (principal, action in Action::"publish", resource in Category::"professional")
            when { context has purpose && context.purpose.kind == PurposeKind::"recruiting" && context.client.network == "office" };"#;
        let rules = rules(rule, Mode::Enforce);
        let mut asked = seen(
            &rules,
            "ada",
            "https://www.linkedin.com/voyager/api/contentcreation/normShares",
        );
        if let Ask::Request(_, head) = &mut asked.ask {
            "POST".clone_into(&mut head.method);
        }
        let held = holding(&rules, asked, "recruiting");
        let told = told(&rules, &held);
        assert!(
            told.contains("why\n  forbid `not-from-here`") && !told.contains("beside the point"),
            "{told}"
        );
    }

    #[test]
    fn what_keeps_one_purpose_from_opening_something_is_why_not_whatever_else_is_held() {
        let rule = r#"@id("not-from-here") @reason("Not from the office.") @owner("IT")
            forbid (principal, action in Action::"publish", resource in Category::"professional")
            when { context has purpose && context.client.network == "office" };"#;
        let rules = rules(rule, Mode::Enforce);
        let mut asked = seen(
            &rules,
            "ada",
            "https://www.linkedin.com/voyager/api/contentcreation/normShares",
        );
        if let Ask::Request(_, head) = &mut asked.ask {
            "POST".clone_into(&mut head.method);
        }
        let purpose = |name: &str| rules.rulebook.purposes().get(&PurposeId::new(name)).unwrap();
        for order in [["partner-relations", "recruiting"], ["recruiting", "partner-relations"]] {
            let held = order
                .into_iter()
                .filter_map(|name| rules.rulebook.suppose(purpose(name), &asked, None));
            let held = Observation {
                standing: Standing::new(held, asked.at),
                ..asked.clone()
            };
            let told = told(&rules, &held);
            assert!(
                told.contains("why\n  forbid `not-from-here`") && !told.contains("beside the point"),
                "{told}"
            );
        }
    }

    #[test]
    fn what_is_coached_is_helped_by_continuing_and_what_passes_needs_no_help() {
        let rule = r#"@id("soft") @reason("R.") @owner("IT") @mode("coach")
            forbid (principal, action == Action::"browse", resource in Platform::"linkedin");"#;
        let rules = rules(rule, Mode::Enforce);
        let bare = seen(&rules, "ada", FEED);
        let first = told(&rules, &bare);
        assert!(
            first.ends_with("  and then to continue past `soft`, which only coaches"),
            "{first}"
        );
        let mut held = holding(&rules, bare, "recruiting");
        insta::assert_snapshot!(told(&rules, &held), @"
        deny, coached: ada may not browse on www.linkedin.com (linkedin)
          recognised as browse, by linkedin.web.nav-feed
        why
          forbid `soft` (rules/99-test.cedar:1): R.
        what comes of it
          ada is told why not, and may continue
        what would help
          to continue, once told why not: no purpose would do more
        ");
        let book = &rules.rulebook;
        let terms = book.past(&held, &book.judge(&held), (Duration::from_hours(1), Channel::Portal));
        let grants = held.standing.grants().iter().cloned();
        let grants = grants.chain(terms.map(|terms| terms.named(GrantId::new("told"))));
        held.standing = Standing::new(grants.collect::<Vec<_>>(), held.at);
        insta::assert_snapshot!(told(&rules, &held), @"
        deny, let pass: ada may not browse on www.linkedin.com (linkedin) for `recruiting`
          recognised as browse, by linkedin.web.nav-feed
        why
          forbid `soft` (rules/99-test.cedar:1): R.
        what comes of it
          ada was told why not, and continued: it passes (`told`)
        ");
    }

    #[test]
    fn a_rule_that_fails_to_evaluate_is_the_cause_wherever_one_is_told() {
        let rule = |action: &str| {
            format!(
                "@id(\"broken\") @reason(\"R.\") @owner(\"IT\") permit (principal, action == Action::\"{action}\", resource)
                 when {{ context.local.weekday * 9223372036854775807 > 0 }};"
            )
        };
        let rules_of = |action| rules(&rule(action), Mode::Enforce);
        let browsing = rules_of("browse");
        insta::assert_snapshot!(told(&browsing, &holding(&browsing, seen(&browsing, "ada", FEED), "recruiting")), @"
        deny: ada may not browse on www.linkedin.com (linkedin)
          nothing passes here, and nothing is read: a rule fails to evaluate
        why
          a rule fails to evaluate, and any error denies
        trouble
          error while evaluating policy `broken`: integer overflow while attempting to multiply the values `2` and `9223372036854775807`
        what would help
          nothing that its sender can do: the rule must be repaired by whoever answers for it
        ");
        for action in ["inspect", "connect"] {
            let rules = rules_of(action);
            let told = told(&rules, &seen(&rules, "ada", FEED));
            assert!(told.contains("why\n  a rule fails to evaluate"), "{told}");
            assert!(
                !told.contains("no rule permits it") && !told.contains("only its host"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_gateway_that_only_observes_lets_pass_and_offers_nothing() {
        let rules = rules("", Mode::Observe);
        let seen = seen(&rules, "ada", FEED);
        insta::assert_snapshot!(told(&rules, &seen), @"
        declare, let pass: ada may, once a purpose is declared, browse on www.linkedin.com (linkedin)
          recognised as browse, by linkedin.web.nav-feed
        why
          no rule permits it
        what comes of it
          the gateway only observes: it passes all the same
        ");
    }
}
