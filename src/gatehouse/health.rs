//! Is the house well: what `/readyz` says, and why.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use super::reach::Reach;
use crate::audit::Book;
use crate::clock::Timestamp;
use crate::facts::{Problem, RulebookId};
use crate::ledger::{Ledger, Vouched};
use crate::notices::Notices;
use crate::portal::Refusing;
use crate::rulebook::Rulebook;

/// What is well and what is not.
pub(super) struct Health {
    book: Book,
    ledger: Ledger,
    notices: Option<Arc<Notices>>,
    reach: Reach,
    stopping: AtomicBool,
    rules: Mutex<Rules>,
}

struct Rules {
    in_force: RulebookId,
    /// Why the newest texts do not rule; empty when they do.
    refused: Vec<Problem>,
    /// Since when not, whatever was wrong first.
    refused_since: Option<Timestamp>,
    /// Whether that is when the gateway started, and nobody knows since when before.
    refused_from_the_start: bool,
    /// Why the rules in force are not kept on disk.
    unkept: Option<String>,
    /// Hosts of the rules in force that the authority cannot speak for, in sentences.
    silent: Vec<String>,
}

impl Rules {
    fn refuse(&mut self, problems: Vec<Problem>, at: Timestamp) -> bool {
        self.refused_since.get_or_insert(at);
        let is_news = self.refused != problems;
        self.refused = problems;
        is_news
    }
}

/// Also after a start that found none: where they were is known from what is noted of them.
const NO_ACCOUNTS: &str = "nobody signs in with a password and no token is good: the accounts that there were are not found; put the \
                           accounts file back, or, where all accounts are to go, remove each with `wayleave user remove`";

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether traffic should be sent here. Rules that were refused do not take the gateway out of service: the old
    /// ones still rule.
    pub(super) ready: bool,
    /// The rules in force.
    pub(super) rulebook: RulebookId,
    /// Everything that somebody should look at, one sentence each.
    pub(super) problems: Vec<String>,
    /// Since when, and why, the newest texts do not rule.
    #[serde(skip)]
    pub(super) rules_refused: Option<Refusing>,
    /// Whether the rules in force are kept on disk.
    #[serde(skip)]
    pub(super) rules_kept: bool,
    /// Whether the TLS door lets anybody in.
    #[serde(skip)]
    pub(super) door_open: bool,
}

impl Health {
    pub(super) fn new(
        (book, ledger, notices): (Book, Ledger, Option<Arc<Notices>>),
        reach: Reach,
        in_force: &Rulebook,
    ) -> Self {
        let rules = Mutex::new(Rules {
            in_force: in_force.id().clone(),
            refused: Vec::new(),
            refused_since: None,
            refused_from_the_start: false,
            unkept: None,
            silent: reach.hosts(in_force.catalog()),
        });
        Self {
            book,
            ledger,
            notices,
            reach,
            stopping: AtomicBool::new(false),
            rules,
        }
    }

    pub(super) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The newest texts rule. Returns whether the ones before them were refused.
    pub(super) fn rules_changed(&self, in_force: &Rulebook) -> bool {
        let rules = Rules {
            in_force: in_force.id().clone(),
            refused: Vec::new(),
            refused_since: None,
            refused_from_the_start: false,
            unkept: None,
            silent: self.reach.hosts(in_force.catalog()),
        };
        let before = std::mem::replace(&mut *self.lock(), rules);
        !before.refused.is_empty()
    }

    /// Whether the rules in force are kept on disk; if not, why.
    pub(super) fn rules_kept(&self, kept: Result<(), String>) {
        self.lock().unkept = kept.err();
    }

    /// What the authority cannot do, one sentence each.
    pub(super) fn authority(&self) -> Vec<String> {
        self.reach
            .door()
            .into_iter()
            .chain(self.lock().silent.clone())
            .collect()
    }

    /// The newest texts do not rule. Returns whether that is so for other reasons than before.
    pub(super) fn rules_refused(&self, problems: Vec<Problem>, at: Timestamp) -> bool {
        self.lock().refuse(problems, at)
    }

    /// The same, known since the gateway started.
    pub(super) fn rules_refused_from_the_start(&self, problems: Vec<Problem>, at: Timestamp) {
        let mut rules = self.lock();
        rules.refuse(problems, at);
        rules.refused_from_the_start = true;
    }

    /// How the house is. Looks at the disk, which may not answer: for a thread that may wait.
    pub(super) fn report(&self) -> Report {
        let records = self.book.healthy();
        let grants = self.ledger.healthy();
        // INVARIANT: nothing is waited for while the rules are held, or new ones would wait, too.
        let rules = self.lock();
        let mut problems: Vec<String> = rules
            .refused
            .iter()
            .map(|problem| format!("policies were refused, the old ones rule: {problem}"))
            .collect();
        let unkept = rules.unkept.iter();
        problems.extend(unkept.map(|why| format!("the rules in force are not kept on disk: {why}")));
        if let Err(why) = &records {
            problems.push(format!("records cannot be kept, so nothing passes: {why}"));
        }
        // what people hold counts on, so traffic may come, unless others change it unheard of
        let in_touch = self.ledger.vouches(false) == Vouched::Now;
        problems.extend(grants.err());
        problems.extend(self.ledger.are_tokens_held().then(|| NO_ACCOUNTS.to_owned()));
        let door = self.reach.door();
        let open = door.is_none();
        problems.extend(door);
        problems.extend(rules.silent.iter().cloned());
        // whoever is let in is judged all the same
        problems.extend(self.notices.iter().flat_map(|notices| notices.shut_out()));
        let stopping = self.stopping.load(Ordering::Relaxed);
        if stopping {
            problems.push("the gateway is stopping".to_owned());
        }
        Report {
            ready: records.is_ok() && in_touch && open && !stopping,
            rulebook: rules.in_force.clone(),
            problems,
            rules_refused: rules.refused_since.map(|since| {
                let why = rules.refused.iter().map(ToString::to_string);
                Refusing {
                    since,
                    perhaps_longer: rules.refused_from_the_start,
                    why: why.collect(),
                }
            }),
            rules_kept: rules.unkept.is_none(),
            door_open: open,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_news_once() {
        let mut rules = Rules {
            in_force: RulebookId::new("one"),
            refused: Vec::new(),
            refused_since: None,
            refused_from_the_start: false,
            unkept: None,
            silent: Vec::new(),
        };
        let problem = |what: &str| vec![Problem::of_file("wayleave::sources::unreadable", "people/x.toml", what)];
        let at = Timestamp::from_millis;
        assert!(rules.refuse(problem("cannot be read: permission denied"), at(1)));
        assert!(!rules.refuse(problem("cannot be read: permission denied"), at(2)));
        assert!(rules.refuse(problem("cannot be read: input/output error"), at(3)));
        assert!(rules.refuse(problem("cannot be read: permission denied"), at(4)));
        assert_eq!(rules.refused_since, Some(at(1)), "since the first of them");
    }
}
