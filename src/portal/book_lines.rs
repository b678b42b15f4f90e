//! Lines of the book in plain words, whatever they are about: who did what, when, and why. What people wrote of a grant or a
//! token is told to whom its page would show it, and to nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::book_line::{BookLine, Leads};
use super::case::platform_name;
use super::decision_pages::sender;
use super::decisions::Decided;
use super::sees::Sees;
use super::words::{GrantSaid, Words};
use super::{Portal, Visit};
use crate::audit::{Bookmark, Topic};
use crate::clock::Timestamp;
use crate::facts::{
    Access, Act, Channel, GatewayAct, Grant, GrantAct, GrantId, PlatformId, PolicyId, PurposeId, Record, RevokedFor,
    RulebookId, SubjectId, Token, TokenAct,
};
use crate::ledger::Ledger;
use crate::rulebook::{InForce, Rulebook, Visitor};

/// Why each rule says what it says, in the words of whoever reads it.
fn reasons(rules: &Rulebook, words: &Words) -> Arc<BTreeMap<PolicyId, String>> {
    let said = rules.policy().rules().map(|rule| {
        let reason = rule.reason_said();
        (rule.id.clone(), reason.said_in(words.language).to_owned())
    });
    Arc::new(said.collect())
}

/// Tells lines, apart from the request of whoever reads them: a search tells them from a thread of its own.
pub(super) struct Teller {
    words: &'static Words,
    pub(super) sees: Sees,
    ledger: Ledger,
    reasons: Arc<BTreeMap<PolicyId, String>>,
}

impl Teller {
    pub(super) fn of(portal: &Portal, visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Self {
        Self {
            words: portal.words,
            sees: Sees::of(visit, visitor, channel),
            ledger: portal.ledger.clone(),
            reasons: reasons(visit.rules(), portal.words),
        }
    }

    /// The same to whoever they are now, by the rules that are in force now; none where these do not let them any more.
    pub(super) fn by_now(&self, in_force: &InForce, at: Timestamp) -> Option<Self> {
        Some(Self {
            words: self.words,
            sees: self.sees.by_now(in_force, at)?,
            ledger: self.ledger.clone(),
            reasons: reasons(&in_force.rulebook, self.words),
        })
    }

    /// In which language.
    pub(super) fn words(&self) -> &'static Words {
        self.words
    }

    /// A line that they may read; nothing of what no search is for.
    pub(super) fn told(&mut self, record: &Record, at: Bookmark) -> Option<BookLine> {
        let veiled = self.sees.veiled(record);
        self.line_of(&veiled, at)
    }

    fn line_of(&self, record: &Record, at: Bookmark) -> Option<BookLine> {
        let line = BookLine {
            id: record.id.clone(),
            at: record.at,
            kind: Topic::of(record).as_str(),
            act: "",
            by: None,
            whose: None,
            grant: None,
            token: None,
            purpose: None,
            platforms: BTreeSet::new(),
            what: String::new(),
            why: Vec::new(),
            withheld: false,
            policies: BTreeSet::new(),
            policy_revision: None,
            line: at.to_string(),
            name: String::new(),
            leads: None,
        };
        match &record.act {
            Act::Closing { .. } => Some(self.flow(line, &Decided::of(record)?, at)),
            Act::Grant {
                act,
                grant,
                by,
                rulebook,
                policies,
            } => {
                let line = self.by(line, by, (rulebook, policies));
                Some(self.grant(line, *act, grant, by))
            }
            Act::Token {
                act,
                token,
                by,
                rulebook,
                policies,
            } => {
                let line = self.by(line, by, (rulebook, policies));
                Some(self.token(line, *act, token, by))
            }
            Act::Access {
                act,
                access,
                by,
                rulebook,
                policies,
            } => {
                let line = BookLine {
                    act: act.as_str(),
                    ..self.by(line, by, (rulebook, policies))
                };
                let what = |whose: Option<&str>, through| (self.words.book.access)(*act, whose, through);
                Some(self.access(line, (record, access, by), what))
            }
            Act::Gateway { act, rulebook } => Some(self.gateway(line, act, rulebook)),
            Act::Opening { .. } | Act::Stray { .. } => None,
        }
    }

    fn by(&self, line: BookLine, by: &SubjectId, (rulebook, policies): (&RulebookId, &BTreeSet<PolicyId>)) -> BookLine {
        BookLine {
            name: self.sees.name_of(by),
            by: Some(by.clone()),
            policies: policies.clone(),
            policy_revision: Some(rulebook.clone()),
            ..line
        }
    }

    fn flow(&self, line: BookLine, decided: &Decided<'_>, at: Bookmark) -> BookLine {
        let (words, note) = (&self.words.decisions, decided.note);
        let place = match &note.platform {
            Some(id) => platform_name(self.sees.rules(), id),
            None => note.host.to_string(),
        };
        let what = decided.did(self.words);
        let came = format!("{}, {}", (words.outcome)(note.outcome), decided.came(self.words));
        let purpose = note.purpose.as_ref().map(|id| (self.words.book.under)(&self.title(id)));
        BookLine {
            act: note.outcome.as_str(),
            by: decided.seen.subject.as_ref().map(|subject| subject.id.clone()),
            grant: note.grant.clone(),
            purpose: note.purpose.clone(),
            platforms: note.platform.iter().cloned().collect(),
            what: (self.words.book.flow)(&what, &place, &came),
            why: purpose.into_iter().chain(self.reasons_of(&note.policies)).collect(),
            policies: note.policies.clone(),
            policy_revision: Some(note.rulebook.clone()),
            name: sender(self.words, decided.seen),
            leads: Some(Leads::Decision(line.id.clone(), Some(at))),
            ..line
        }
    }

    fn grant(&self, line: BookLine, act: GrantAct, grant: &Grant, by: &SubjectId) -> BookLine {
        let words = &self.words.book;
        let whose = Some(&grant.subject).filter(|whose| *whose != by);
        let name = whose.map(|whose| self.sees.name_of(whose));
        let places = self.places(grant);
        let what = match (&grant.delegated, &grant.continued) {
            (Some(delegated), _) => (words.delegation)(act, &self.sees.name_of(&delegated.to), name.as_deref()),
            (None, Some(_)) => (words.continued)(act, &places),
            (None, None) => {
                let review = grant.emergency.as_ref().and_then(|emergency| emergency.review.as_ref());
                (words.grant)(GrantSaid {
                    act,
                    title: &self.title(&grant.purpose),
                    places: &places,
                    whose: name.as_deref(),
                    was_given: grant.was_given(),
                    accepted: review.map(|review| review.accepted),
                    urgent: grant.emergency.is_some(),
                })
            }
        };
        let written = written_of(act, grant);
        // what came of a grant is asked of its holder, and added up for groups: nobody else reads what one person said
        let is_own = self.sees.is_own(&grant.subject);
        let may_read = || is_own || (act != GrantAct::Reported && self.sees.may_read_text_of(grant));
        let reads = written.is_empty() || may_read();
        let mut why: Vec<String> = Vec::new();
        if reads {
            why.extend(written.iter().map(|written| written.said(self.words)));
        }
        why.extend(self.reasons_of(&line.policies));
        let is_real = grant.delegated.is_none() && grant.continued.is_none();
        let has_page = || self.ledger.get(&grant.id).is_some() && self.sees.may_read_text_of(grant);
        BookLine {
            act: act.as_str(),
            whose: whose
                .cloned()
                .or_else(|| grant.delegated.as_ref().map(|one| one.to.clone())),
            grant: Some(grant.id.clone()),
            purpose: is_real.then(|| grant.purpose.clone()),
            platforms: grant.platforms.iter().cloned().collect(),
            what,
            why,
            withheld: !reads,
            leads: (is_real && has_page()).then(|| Leads::Grant(grant.id.clone())),
            ..line
        }
    }

    /// What people call where a grant counts.
    fn places(&self, grant: &Grant) -> String {
        let host = grant.continued.iter().filter_map(|continued| continued.host.as_ref());
        let names = grant.platforms.iter().map(|id| platform_name(self.sees.rules(), id));
        let places: Vec<String> = names.chain(host.map(ToString::to_string)).collect();
        places.join(", ")
    }

    fn token(&self, line: BookLine, act: TokenAct, token: &Token, by: &SubjectId) -> BookLine {
        let words = &self.words.book;
        let whose = Some(&token.subject).filter(|whose| *whose != by);
        let name = whose.map(|whose| self.sees.name_of(whose));
        let reads = self.sees.may_read_text_of_token(token);
        let called = Some(token.name.as_str()).filter(|called| reads && !called.is_empty());
        let scope: Vec<&str> = token.scope.iter().map(|scope| scope.as_str()).collect();
        let revoked = token.revoked_for.as_ref().filter(|_| act == TokenAct::Revoked);
        let for_what = revoked.and_then(|revoked| match revoked {
            RevokedFor::Revocation(ended) => (reads && !ended.why.is_empty()).then(|| (words.wrote)(&ended.why)),
            RevokedFor::PasswordChanged => Some(words.password_changed.to_owned()),
            RevokedFor::AccountRemoved => Some(words.account_removed.to_owned()),
        });
        BookLine {
            act: act.as_str(),
            whose: whose.cloned(),
            token: Some(token.id.clone()),
            what: (words.token)(act, called, &scope.join(", "), name.as_deref()),
            why: for_what.into_iter().chain(self.reasons_of(&line.policies)).collect(),
            withheld: !reads,
            ..line
        }
    }

    fn access(
        &self,
        line: BookLine,
        (record, access, by): (&Record, &Access, &SubjectId),
        what: impl Fn(Option<&str>, Option<Topic>) -> String,
    ) -> BookLine {
        let through = access.wanted.get(super::wanted::TOPIC);
        let through = through.and_then(|topic| Topic::named(topic));
        let wanted = access.wanted.iter().filter(|(name, _)| *name != super::wanted::TOPIC);
        let wanted: Vec<String> = wanted.map(|(name, said)| format!("{name} {said}")).collect();
        let reads = self.sees.may_read_wanted(record, access, by);
        let looked_for = (reads && !wanted.is_empty()).then(|| (self.words.book.looked_for)(&wanted.join(", ")));
        let named = access.whose.clone();
        let user = access.wanted.get("user").filter(|_| reads);
        let whose = named.or_else(|| SubjectId::parse(user?).ok());
        let name = access.whose.as_ref().map(|whose| self.sees.name_of(whose));
        BookLine {
            grant: access.wanted.get("grant").map(|id| GrantId::new(id.as_str())),
            purpose: access.wanted.get("purpose").map(|id| PurposeId::new(id.as_str())),
            platforms: access
                .wanted
                .get("platform")
                .map(|id| PlatformId::new(id.as_str()))
                .into_iter()
                .collect(),
            whose,
            what: what(name.as_deref(), through),
            why: looked_for.into_iter().chain(self.reasons_of(&line.policies)).collect(),
            withheld: !reads,
            leads: access.record.clone().map(|record| Leads::Decision(record, None)),
            ..line
        }
    }

    fn gateway(&self, line: BookLine, act: &GatewayAct, rulebook: &RulebookId) -> BookLine {
        let (name, why, ruled) = match act {
            GatewayAct::Started { .. } => ("started", Vec::new(), true),
            GatewayAct::Stopped => ("stopped", Vec::new(), false),
            GatewayAct::RulebookChanged { .. } => ("rulebook-changed", Vec::new(), true),
            GatewayAct::RulebookRefused { problems } => ("rulebook-refused", problems.clone(), true),
            GatewayAct::Repaired { .. } => ("repaired", Vec::new(), false),
            GatewayAct::UnprovenSummed { .. } => ("unproven-summed", Vec::new(), false),
            GatewayAct::RecordsInterrupted { why, .. } => ("records-interrupted", vec![why.clone()], false),
        };
        BookLine {
            act: name,
            what: (self.words.book.did)(act, rulebook),
            why,
            policy_revision: Some(rulebook.clone()),
            name: self.words.book.gateway.to_owned(),
            leads: ruled.then(|| Leads::Rules(rulebook.clone())),
            ..line
        }
    }

    /// What people call a purpose; its id, where the rules in force do not know it.
    fn title(&self, id: &PurposeId) -> String {
        let purpose = self.sees.rules().purposes().get(id);
        let title = purpose.map(|purpose| purpose.title.said_in(self.words.language).to_owned());
        title.unwrap_or_else(|| id.to_string())
    }

    /// Why, as the rules in force say it that are called as those which decided.
    fn reasons_of(&self, policies: &BTreeSet<PolicyId>) -> Vec<String> {
        let reasons = policies.iter().filter_map(|policy| self.reasons.get(policy));
        reasons.cloned().collect()
    }
}

/// What somebody wrote, or said beside.
enum Written<'a> {
    Text(&'a str),
    Ticket(&'a str),
    Amount(u64),
}

impl Written<'_> {
    fn said(&self, words: &Words) -> String {
        match self {
            Self::Text(text) => (words.book.wrote)(text),
            Self::Ticket(ticket) => (words.book.ticket)(ticket),
            Self::Amount(amount) => (words.book.came_to)(&(words.outcome.number)(*amount)),
        }
    }
}

/// What was written with this act: with what was stated the statement, with an answer its note.
fn written_of(act: GrantAct, grant: &Grant) -> Vec<Written<'_>> {
    let written = match act {
        GrantAct::Granted | GrantAct::Requested | GrantAct::BrokeGlass | GrantAct::Refused => {
            let ticket = grant.ticket.as_deref().map(Written::Ticket);
            return said(&grant.statement).chain(ticket).collect();
        }
        GrantAct::PartlyApproved | GrantAct::Approved | GrantAct::Declined => {
            grant.answers.last().map(|answer| &answer.note)
        }
        GrantAct::Withdrawn | GrantAct::Revoked => grant.ended.as_ref().map(|ended| &ended.why),
        GrantAct::Reviewed => {
            let review = grant.emergency.as_ref().and_then(|emergency| emergency.review.as_ref());
            review.map(|review| &review.note)
        }
        GrantAct::Reported => {
            let report = grant.report.as_ref();
            let amount = report.and_then(|report| report.amount).map(Written::Amount);
            let text = report.map(|report| &report.text);
            return amount
                .into_iter()
                .chain(text.into_iter().flat_map(|text| said(text)))
                .collect();
        }
        GrantAct::Continued | GrantAct::Delegated | GrantAct::Lapsed | GrantAct::Idle | GrantAct::Void => None,
    };
    written.into_iter().flat_map(|text| said(text)).collect()
}

fn said(text: &str) -> impl Iterator<Item = Written<'_>> {
    (!text.is_empty()).then_some(Written::Text(text)).into_iter()
}
