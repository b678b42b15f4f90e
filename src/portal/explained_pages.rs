//! The page of one decision in full.

use http::StatusCode;

use super::case::selected_in;
use super::decision_pages::sender;
use super::explained::{Explained, line};
use super::intake::Received;
use super::pages::Page;
use super::pages::explained::{Conditions, Decision, Held, LedToDecision, Rule};
use super::{Portal, Visit, provenance, times};
use crate::audit::Bookmark;
use crate::clock::Timestamp;
use crate::facts::{Ask, Channel, Effect, GrantId, Observation, SignatureId, SubjectId};
use crate::policy::{Account, Condition};
use crate::rulebook::{ExplainedPolicy, Rulebook, Told, Visitor, WhatIf};

/// The address of a decision.
fn address(id: &str, line: Option<Bookmark>) -> String {
    line.map_or_else(
        || format!("/decisions/{id}"),
        |line| format!("/decisions/{id}?line={line}"),
    )
}

/// The address of a page, of one person.
fn by_user(path: &str, id: &SubjectId) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.append_pair("user", id.as_str()).finish())
}

impl Portal {
    /// The page of one decision.
    pub(super) async fn decision_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, id): (&Received, &str),
    ) -> Page {
        let line = line(received);
        if provenance::is_led_here(&received.headers) {
            return self.led_to_decision(visit, visitor, (id, line));
        }
        let explained = match self.explained(visit, visitor, (id, line, Channel::Portal)).await {
            Ok(explained) => explained,
            Err(why) => return self.unseen_decisions_page(&why),
        };
        let (words, judged) = (self.words, &explained.judged);
        let said = &words.explained;
        let note = &judged.decided;
        let told = explained.why.as_ref().ok();
        let who = sender(words, &judged.seen);
        let place = note.platform.as_ref().map_or_else(
            || note.host.to_string(),
            |id| super::case::platform_name(visit.rules(), id),
        );
        let what = (words.activity)(note.activity.as_str());
        let rule = |policy: &ExplainedPolicy, rules: &Rulebook| self.rule(policy, rules);
        let rules = |pick: fn(&Told) -> &[ExplainedPolicy]| -> Vec<Rule> {
            let of = told.map(|(told, rules)| pick(told).iter().map(|one| rule(one, rules)).collect());
            of.unwrap_or_default()
        };
        let whose = judged.seen.subject.as_ref().map(|subject| &subject.id);
        let page = Decision {
            w: words,
            who: &visitor.person.name,
            heading: (said.heading)((words.decisions.outcome)(note.outcome), &who, &what, &place),
            facts: self.facts(visit, visitor, &explained),
            same: told.and_then(|(told, _)| self.same(told)),
            unexplained: explained.why.as_ref().err().map(String::as_str),
            policies: rules(|told| &told.explanation.policies),
            beside: rules(|told| &told.explanation.beside),
            inspection: rules(|told| &told.explanation.inspection),
            troubles: told
                .map(|(told, _)| told.explanation.troubles.clone())
                .unwrap_or_default(),
            decided: told
                .map(|(told, _)| self.conditions(&told.because.decided))
                .unwrap_or_default(),
            nearly: told
                .map(|(told, _)| self.conditions(&told.because.nearly))
                .unwrap_or_default(),
            helps: told
                .map(|(told, rules)| self.helps(told, (rules, &explained.judged.seen)))
                .unwrap_or_default(),
            what_if: told.map_or_else(Vec::new, |(told, _)| self.what_if(told, (visit, visitor))),
            grant: note.grant.as_ref().map(|id| self.ways_from(visit, visitor, id)),
            theirs: whose.map(|id| by_user("/decisions", id)),
            held: whose
                .filter(|_| visit.may_end_others(visitor))
                .map(|id| by_user("/grants", id)),
            record: id,
            rulebook: note.rulebook.to_string(),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// Where a grant is, for whoever may look at it, and all that passed under it.
    fn ways_from(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &GrantId) -> (Option<String>, String) {
        let held = self.ledger.get(id).filter(|grant| visit.may_look_at(visitor, grant));
        let page = held.map(|grant| format!("/grants/{}", grant.id));
        (page, format!("/decisions?grant={id}"))
    }

    /// What somebody else's link shows is shown, and recorded, once they ask for it themselves; whether it is there is not said
    /// before, but for what is no name of one.
    fn led_to_decision(&self, visit: &Visit<'_>, visitor: Visitor<'_>, (id, line): (&str, Option<Bookmark>)) -> Page {
        let may = Self::may_watch(visit, visitor, Channel::Portal).is_some();
        if !may || Timestamp::named(id).is_none() {
            return self.nothing_here();
        }
        let page = LedToDecision {
            w: self.words,
            who: &visitor.person.name,
            href: address(id, line),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// Whether it comes out as it was recorded.
    fn same(&self, told: &Told) -> Option<&'static str> {
        let said = &self.words.explained;
        told.recorded.as_ref().map(|recorded| match recorded {
            recorded if recorded.lacks => said.lacks,
            recorded if recorded.same => said.same,
            _ => said.differs,
        })
    }

    /// What was seen, by what it is called.
    fn facts(&self, visit: &Visit<'_>, visitor: Visitor<'_>, explained: &Explained) -> Vec<(&'static str, String)> {
        let (words, seen, note) = (&self.words.explained, &explained.judged.seen, &explained.judged.decided);
        let mut facts = vec![(
            self.words.decisions.when,
            times::exact(self.words, explained.at, visit.at, visitor.person),
        )];
        if let Some(person) = &seen.person {
            let roles: Vec<&str> = person.roles.iter().map(String::as_str).collect();
            let departments: Vec<&str> = person.departments.iter().map(String::as_str).collect();
            let about = (self.words.about_asker)(person.id.as_str(), &roles, &departments);
            facts.push((self.words.column_who, format!("{} ({about})", person.name)));
        } else if let Some(subject) = &seen.subject {
            facts.push((self.words.column_who, subject.id.to_string()));
        }
        let asked = match &seen.ask {
            Ask::Connect(authority) => format!("CONNECT {authority}"),
            Ask::Request(authority, head) => format!("{} {authority}{}", head.method, head.path),
        };
        facts.push((words.asked, asked));
        let signatures: Vec<&str> = note.signatures.iter().map(SignatureId::as_str).collect();
        if !signatures.is_empty() {
            facts.push((words.recognised_by, signatures.join(", ")));
        }
        let network = seen.arrival.network.as_str();
        facts.push((
            words.from,
            format!("{} ({network})", seen.arrival.client.ip().to_canonical()),
        ));
        if let Some(subject) = &seen.subject {
            facts.push((words.identified_by, subject.method.as_str().to_owned()));
        }
        if let Some(purpose) = &note.purpose {
            let grant = note.grant.as_ref().map(ToString::to_string).unwrap_or_default();
            let title = self.purpose_title(visit.rules(), purpose);
            facts.push((self.words.filter_purpose, format!("{title} ({grant})")));
        }
        if let Some(over) = explained.over() {
            let read = if over.ended.decrypted {
                words.was_read
            } else {
                words.was_not_read
            };
            let came = over.came(self.words);
            facts.push((self.words.decisions.ended, format!("{came}; {read}")));
            let bytes = self.words.value.bytes;
            facts.push((
                self.words.value.data,
                (words.up_and_down)(&bytes(over.ended.bytes_up), &bytes(over.ended.bytes_down)),
            ));
        } else {
            let ended = if explained.cut_short {
                words.end_not_found
            } else {
                words.goes_on
            };
            facts.push((self.words.decisions.ended, ended.to_owned()));
        }
        facts
    }

    fn rule(&self, policy: &ExplainedPolicy, rules: &Rulebook) -> Rule {
        let rule = rules.policy().rule(&policy.id);
        let reason = rule.map_or_else(
            || policy.reason.clone(),
            |rule| self.said(&rule.reason_said()).to_owned(),
        );
        Rule {
            id: policy.id.to_string(),
            effect: match policy.effect {
                Effect::Permit => self.words.explained.permits,
                Effect::Forbid => self.words.explained.forbids,
            },
            title: None,
            reason,
            mode: rule
                .filter(|rule| !rule.mode.is_enforce())
                .map(|rule| (self.words.rulebook.on_trial)(rule.mode)),
            owner: rule.and_then(|rule| rule.owner.clone()),
            place: format!("{}:{}", policy.file, policy.line),
            text: policy.text.clone(),
        }
    }

    fn conditions(&self, accounts: &[Account]) -> Vec<Conditions> {
        let with_conditions = accounts.iter().filter(|account| !account.conditions.is_empty());
        let told = with_conditions.map(|account| Conditions {
            rule: account.policy.to_string(),
            action: account.action.clone(),
            parts: account.conditions.iter().map(|one| self.condition(one)).collect(),
        });
        told.collect()
    }

    fn condition(&self, condition: &Condition) -> Held {
        let words = &self.words.explained;
        let values = condition.values.iter().map(|(path, value)| format!("{path} = {value}"));
        Held {
            came: match condition.held {
                Some(true) => words.held,
                Some(false) => words.failed,
                None => words.no_value,
            },
            text: if condition.unless {
                format!("unless {}", condition.text)
            } else {
                condition.text.clone()
            },
            values: values.collect(),
        }
    }

    /// What would have helped its sender.
    fn helps(&self, told: &Told, (rules, seen): (&Rulebook, &Observation)) -> Vec<String> {
        if told.explanation.passes {
            return Vec::new();
        }
        let (words, remedy) = (self.words, &told.explanation.remedy);
        let offers = remedy.offers.iter().map(|offer| {
            let title = self.purpose_title(rules, &offer.purpose);
            if offer.needs_approval {
                (words.explained.approved)(&title)
            } else {
                (words.explained.declared)(&title)
            }
        });
        let fixes = remedy.fixes.iter().map(|fix| match selected_in(rules, seen, fix) {
            Some(selected) => {
                let told = (words.selected)(&selected);
                format!("{} {}", told.why, told.help)
            }
            None => (words.fix)(fix),
        });
        let instead = remedy
            .alternative
            .iter()
            .map(|text| (words.alternative)(self.said(text)));
        let not_now = remedy.not_now.iter().map(|text| self.said(text).to_owned());
        offers.chain(fixes).chain(not_now).chain(instead).collect()
    }

    fn what_if(&self, told: &Told, (visit, visitor): (&Visit<'_>, Visitor<'_>)) -> Vec<(String, &'static str)> {
        let words = self.words;
        let moment = |at| times::exact(words, at, visit.at, visitor.person);
        let told = told.what_if.iter().map(|WhatIf { change, outcome }| {
            let change = (words.explained.difference)(change, &moment);
            (change, (words.decisions.outcome)(*outcome))
        });
        told.collect()
    }
}
