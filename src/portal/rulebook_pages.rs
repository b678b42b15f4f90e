//! The rules in force and those that were, for whom the rules let read decisions: each rule with its reason and owner, and
//! when and how each rulebook came to rule, as the book tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::StatusCode;

use super::decisions::Unseen;
use super::intake::Received;
use super::pages::Page;
use super::pages::explained::Rule;
use super::pages::rulebook::{Event, Folder, Past, Rules};
use super::{Portal, Visit, times};
use crate::audit::{Bookmark, Bounds, Found, gateway_acts};
use crate::facts::{Act, Channel, Effect, GatewayAct, Record, RulebookId};
use crate::policy::Rule as Written;
use crate::rulebook::{Rulebook, Visitor};

/// How many events stand on one page.
const ON_A_PAGE: usize = 30;
/// How much of the book one request looks at.
const LOOKED_AT: u64 = 256 * 1024 * 1024;

impl Portal {
    /// The page of the rules in force, and of how they came to be.
    pub(super) async fn rulebook_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        if Self::may_watch(visit, visitor, Channel::Portal).is_none() {
            return self.nothing_here();
        }
        let after = received.asked("after");
        let from: Option<Bookmark> = after.as_ref().and_then(|after| after.parse().ok());
        if after.is_some() && from.is_none() {
            return self.nothing_here();
        }
        let found = match self.rulebook_events(visitor, from).await {
            Ok(found) => found,
            Err(why) => return self.unseen_decisions_page(&why),
        };
        let words = &self.words.rulebook;
        let exact = |at| times::exact(self.words, at, visit.at, visitor.person);
        let rules = visit.rules();
        let is_newest = from.is_none();
        let since = since(&found, rules.id()).filter(|_| is_newest);
        let refused = found
            .records
            .first()
            .filter(|_| is_newest)
            .map(problems)
            .unwrap_or_default();
        let page = Rules {
            w: self.words,
            who: &visitor.person.name,
            id: rules.id().to_string(),
            since: match (since, found.reached.filter(|_| is_newest)) {
                (Some(at), _) => Some((words.since)(&exact(at))),
                (None, Some(reached)) => Some((words.since_before)(&exact(reached))),
                (None, None) => None,
            },
            mode: (self.words.health.mode_is)(rules.policy().mode()),
            count: (words.count)(rules.policy().rules().count()),
            refused,
            folders: self.folders(rules),
            events: found
                .records
                .iter()
                .filter_map(|record| self.event(record, &exact))
                .collect(),
            older: found.next.map(|next| format!("/rulebook?after={next}#history")),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// The page of rules that ruled.
    pub(super) async fn past_rulebook_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        if Self::may_watch(visit, visitor, Channel::Portal).is_none() {
            return self.nothing_here();
        }
        let id = RulebookId::new(id);
        let (live, past) = (Arc::clone(&visit.in_force.rulebook), Arc::clone(&self.past));
        let named = id.clone();
        let work = move || {
            if *live.id() == named {
                return Some(live);
            }
            past(&named).ok().map(|assembled| Arc::new(assembled.rulebook))
        };
        let rules = match self.searches.run(&visitor.person.id, work).await {
            Ok(Some(rules)) => rules,
            Ok(None) => return self.nothing_here(),
            Err(why) => return self.unseen_decisions_page(&why.into()),
        };
        let page = Past {
            w: self.words,
            who: &visitor.person.name,
            id: id.to_string(),
            in_force: rules.id() == visit.rules().id(),
            count: (self.words.rulebook.count)(rules.policy().rules().count()),
            folders: self.folders(&rules),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// What became of rulebooks, the newest first.
    async fn rulebook_events(&self, visitor: Visitor<'_>, from: Option<Bookmark>) -> Result<Found, Unseen> {
        let folder = self.book.folder().to_owned();
        let bounds = Bounds {
            records: ON_A_PAGE,
            bytes: LOOKED_AT,
        };
        let work = move || gateway_acts(&folder, from, bounds, is_about_rules);
        let found = self.searches.run(&visitor.person.id, work).await?;
        found.map_err(|trouble| {
            tracing::warn!(%trouble, "the records cannot be searched");
            Unseen::NotRead
        })
    }

    /// The rules file by file.
    fn folders(&self, rules: &Rulebook) -> Vec<Folder> {
        let mut files: BTreeMap<&str, Vec<&Written>> = BTreeMap::new();
        for rule in rules.policy().rules() {
            files.entry(&rule.file).or_default().push(rule);
        }
        let folders = files.into_iter().enumerate().map(|(number, (file, rules))| {
            let owners: BTreeSet<&str> = rules.iter().filter_map(|rule| rule.owner.as_deref()).collect();
            Folder {
                anchor: format!("f{number}"),
                file: file.to_owned(),
                count: (self.words.rulebook.count)(rules.len()),
                owners: owners.into_iter().collect::<Vec<_>>().join(", "),
                rules: rules.into_iter().map(|rule| self.written(rule)).collect(),
            }
        });
        folders.collect()
    }

    fn written(&self, rule: &Written) -> Rule {
        Rule {
            id: rule.id.to_string(),
            effect: match rule.effect {
                Effect::Permit => self.words.explained.permits,
                Effect::Forbid => self.words.explained.forbids,
            },
            title: rule.title_said().map(|title| self.said(&title).to_owned()),
            reason: self.said(&rule.reason_said()).to_owned(),
            mode: (!rule.mode.is_enforce()).then(|| (self.words.rulebook.on_trial)(rule.mode)),
            owner: rule.owner.clone(),
            place: format!("{}:{}", rule.file, rule.line),
            text: rule.text.clone(),
        }
    }

    fn event(&self, record: &Record, exact: &impl Fn(crate::clock::Timestamp) -> String) -> Option<Event> {
        let (act, rulebook) = of_rules(record)?;
        let words = &self.words.rulebook;
        let what = match act {
            GatewayAct::Started { version } => (words.started)(version),
            GatewayAct::RulebookChanged { from } if from == rulebook => words.taken_back.to_owned(),
            GatewayAct::RulebookChanged { from } => (words.changed)(&from.short()),
            GatewayAct::RulebookRefused { .. } => words.refused.to_owned(),
            GatewayAct::Stopped
            | GatewayAct::Repaired { .. }
            | GatewayAct::UnprovenSummed { .. }
            | GatewayAct::RecordsInterrupted { .. } => return None,
        };
        Some(Event {
            at: record.at.to_string(),
            when: exact(record.at),
            what,
            problems: problems(record),
            rulebook: rulebook.to_string(),
            short: rulebook.short(),
        })
    }
}

fn of_rules(record: &Record) -> Option<(&GatewayAct, &RulebookId)> {
    match &record.act {
        Act::Gateway { act, rulebook } => Some((act, rulebook)),
        Act::Opening { .. }
        | Act::Closing { .. }
        | Act::Stray { .. }
        | Act::Grant { .. }
        | Act::Token { .. }
        | Act::Access { .. } => None,
    }
}

fn is_about_rules(record: &Record) -> bool {
    of_rules(record).is_some_and(|(act, _)| match act {
        GatewayAct::Started { .. } | GatewayAct::RulebookChanged { .. } | GatewayAct::RulebookRefused { .. } => true,
        GatewayAct::Stopped
        | GatewayAct::Repaired { .. }
        | GatewayAct::UnprovenSummed { .. }
        | GatewayAct::RecordsInterrupted { .. } => false,
    })
}

/// Why rules were refused, with file, line and column; nothing of what took effect.
fn problems(record: &Record) -> Vec<String> {
    match of_rules(record) {
        Some((GatewayAct::RulebookRefused { problems }, _)) => problems.clone(),
        Some(_) | None => Vec::new(),
    }
}

/// Since when this rulebook has ruled without another one in between, as far as that was found.
fn since(found: &Found, id: &RulebookId) -> Option<crate::clock::Timestamp> {
    let ruled = found
        .records
        .iter()
        .take_while(|record| of_rules(record).is_some_and(|(_, rulebook)| rulebook == id));
    let ruled: Vec<&Record> = ruled.collect();
    let is_whole = ruled.len() < found.records.len() || found.next.is_none();
    ruled.last().filter(|_| is_whole).map(|record| record.at)
}
