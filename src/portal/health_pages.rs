//! How the gateway is, in words: what `/readyz` and the metrics say, asked of the same rooms, for whom the rules let read
//! decisions.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use jiff::tz::TimeZone;

use super::pages::Page;
use super::pages::health::{Health, Part};
use super::searches::Searches;
use super::words::ProofsAre;
use super::{Portal, Visit, times};
use crate::clock::Timestamp;
use crate::facts::Channel;
use crate::proof::{Promises, Verdict};
use crate::rulebook::Visitor;

/// How the gateway is.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Whether traffic should be sent here.
    pub ready: bool,
    /// Everything that somebody should look at, one sentence each.
    pub problems: Vec<String>,
    /// The version of the program.
    pub version: &'static str,
    /// When it started.
    pub began: Timestamp,
    /// Whether those of the folder rule, and are kept.
    pub rules: RulesAre,
    /// Whether records can be kept.
    pub records: bool,
    /// Records that wait for the disk.
    pub records_waiting: u64,
    /// Flows that were refused since the start because no record could be kept.
    pub turned_away: u64,
    /// Whether it is known what other gateways change in the ledger, and grants can be given and ended.
    pub ledger: bool,
    /// How people are told; none where nobody is told anything.
    pub notices: Option<NoticesAre>,
    /// Until when the authority can sign certificates for sites.
    pub signs_until: Timestamp,
    /// What the TLS door shows.
    pub door: DoorIs,
    /// Certificates for sites that are in memory.
    pub certificates: u64,
    /// Wrong proofs of identity since the start, …
    pub sign_in_failures: u64,
    /// … and in the last hour.
    pub sign_in_failures_lately: u64,
    /// Tokens whose rows in the ledger cannot be read.
    pub unreadable_tokens: u64,
    /// Tunnels that pass unread, and `WebSockets`.
    pub tunnels: u64,
    /// Connections from clients.
    pub connections: u64,
}

/// How it stands with the rules in force.
#[derive(Clone, Debug)]
pub struct RulesAre {
    /// Why the rules of the folder do not rule, where they do not.
    pub refusing: Option<Refusing>,
    /// Whether the rules in force are kept on disk.
    pub kept: bool,
}

/// What the TLS door shows to clients.
#[derive(Clone, Copy, Debug)]
pub enum DoorIs {
    /// It cannot greet anybody.
    Shut,
    /// It shows no certificate before the next client comes.
    Unopened,
    /// A certificate that ends then.
    Showing(Timestamp),
}

/// Rules that were refused, while the last good ones rule on.
#[derive(Clone, Debug)]
pub struct Refusing {
    /// Since when what stands in the folder is refused.
    pub since: Timestamp,
    /// Whether that is when the gateway started, so that it may have been so before.
    pub perhaps_longer: bool,
    /// Why, with file, line and column.
    pub why: Vec<String>,
}

/// How people are told what they wait for.
#[derive(Clone, Debug)]
pub struct NoticesAre {
    /// Letters that wait to be sent.
    pub waiting: u64,
    /// Web hooks that are not let in.
    pub shut_out: u64,
    /// Addresses of nobody in the directory to which the weekly digest goes.
    pub digest_of_nobody: Vec<String>,
    /// Ways by which nothing that this gateway sends gets through.
    pub unsent: Vec<Unsent>,
}

/// A way by which nobody is told at the moment.
#[derive(Clone, Debug)]
pub struct Unsent {
    /// The name of the web hook; none of e-mail.
    pub hook: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// What the last try came to.
    pub why: String,
}

/// How long before its end somebody should look after the authority.
const ENDS_SOON: Duration = Duration::from_hours(14 * 24);
/// How long this page waits until it is known what was proved of the rules in force.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks how the gateway is; it may wait for the disk.
pub type LookAfter = Arc<dyn Fn() -> Condition + Send + Sync>;

/// Whom to ask, once everything is built. Whoever searches may ask as well: it has places of its own.
#[derive(Clone, Default)]
pub(super) struct Doctor {
    look: Arc<OnceLock<LookAfter>>,
    visits: Arc<Searches>,
}

impl Portal {
    /// From now on it can say how the gateway is.
    pub fn introduce(&self, look: LookAfter) {
        // the first one stands: there is one gateway
        let _ = self.doctor.look.set(look);
    }

    /// The page of how the gateway is.
    pub(super) async fn health_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
        if Self::may_watch(visit, visitor, Channel::Portal).is_none() {
            return self.nothing_here();
        }
        let Some(look) = self.doctor.look.get().cloned() else {
            return self.nothing_here();
        };
        let condition = match self.doctor.visits.run(&visitor.person.id, move || look()).await {
            Ok(condition) => condition,
            Err(why) => return self.unseen_decisions_page(&why.into()),
        };
        let proofs = tokio::time::timeout(PATIENCE, self.findings.of(visit.rules().id())).await;
        let words = &self.words.health;
        let page = Health {
            w: self.words,
            who: &visitor.person.name,
            ready: condition.ready,
            parts: self.parts_of(visit, visitor, (&condition, proofs.ok().flatten().as_deref())),
            problems: condition.problems,
            state: if condition.ready { words.ready } else { words.not_ready },
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// Each room in its words.
    fn parts_of(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (condition, proofs): (&Condition, Option<&Promises>),
    ) -> Vec<Part> {
        let (words, number) = (&self.words.health, self.words.outcome.number);
        let exact = |at| times::exact(self.words, at, visit.at, visitor.person);
        let records = (words.records_are)(
            condition.records,
            &number(condition.records_waiting),
            &number(condition.turned_away),
        );
        let up = visit.at.since(condition.began);
        let mode = visit.rules().policy().mode();
        let unknown = || part(words.proofs, true, (words.proofs_are)(&ProofsAre::Unknown));
        let proofs = proofs.map_or_else(unknown, |proofs| self.proofs(proofs, visit.at));
        let parts = [
            part(words.records, condition.records, records),
            part(
                words.ledger,
                condition.ledger,
                (words.ledger_is)(condition.ledger).to_owned(),
            ),
            part(words.mode, true, (words.mode_is)(mode).to_owned()),
            self.rules_part(visit, condition, &exact),
            self.purposes_part(visit),
            proofs,
            self.sign_ins_part(condition),
            self.certificates_part(visit, condition),
            self.notices_part(condition, &exact),
            part(
                words.traffic,
                true,
                (words.traffic_is)(condition.connections, condition.tunnels),
            ),
            part(
                words.program,
                true,
                (words.program_is)(condition.version, &exact(condition.began), up),
            ),
        ];
        parts.into()
    }

    fn rules_part(&self, visit: &Visit<'_>, condition: &Condition, exact: &impl Fn(Timestamp) -> String) -> Part {
        let words = &self.words.health;
        let RulesAre { refusing, kept } = &condition.rules;
        let since = refusing.as_ref().map(|refusing| {
            let since = exact(refusing.since);
            if refusing.perhaps_longer {
                (words.or_longer)(&since)
            } else {
                since
            }
        });
        let mut says = (words.rules_are)(&visit.rules().id().short(), since.as_deref());
        let ending = visit.rules().policy().expiring(visit.at).len();
        let unkept = (!kept).then(|| words.rules_unkept.to_owned());
        let ends = (ending > 0).then(|| (words.rules_end)(ending));
        for more in unkept.into_iter().chain(ends) {
            says = format!("{says} {more}");
        }
        Part {
            why: refusing
                .as_ref()
                .map(|refusing| refusing.why.clone())
                .unwrap_or_default(),
            ..part(self.words.rules, refusing.is_none() && *kept, says)
        }
    }

    /// Which purposes are past their review.
    fn purposes_part(&self, visit: &Visit<'_>) -> Part {
        let words = &self.words.health;
        let late = self.past_review(visit.rules().purposes().iter(), visit.at);
        if late.is_empty() {
            part(words.purposes, true, words.none_is_late.to_owned())
        } else {
            part(words.purposes, false, late.join(" "))
        }
    }

    /// How old the result of the proofs is, and whether it is about these rules at all.
    fn proofs(&self, proofs: &Promises, now: Timestamp) -> Part {
        let words = &self.words.health;
        let all = proofs.all.as_deref().unwrap_or_default();
        let found = |verdict| all.iter().filter(|one| proofs.verdict(one) == Some(verdict)).count();
        let at = proofs.findings.as_ref().map(|found| found.at);
        let said = at.map(|at| self.day_of(at)).unwrap_or_default();
        let ago = at.map_or(Duration::ZERO, |at| now.since(at));
        let (is_well, are) = match (at, proofs.valid()) {
            (None, _) => (true, ProofsAre::None),
            (Some(_), None) => (false, ProofsAre::OfOthers(&said, ago)),
            (Some(_), Some(_)) => {
                let (proved, wrong) = (found(Verdict::Proved), found(Verdict::Fails));
                let is_well = wrong == 0 && proofs.all.is_ok();
                (is_well, ProofsAre::OfThese([proved, all.len(), wrong], &said, ago))
            }
        };
        part(words.proofs, is_well, (words.proofs_are)(&are))
    }

    fn day_of(&self, at: Timestamp) -> String {
        (self.words.day)(&at.calendar().to_zoned(TimeZone::UTC))
    }

    fn sign_ins_part(&self, condition: &Condition) -> Part {
        let (words, number) = (&self.words.health, self.words.outcome.number);
        let [lately, in_all] = [condition.sign_in_failures_lately, condition.sign_in_failures].map(number);
        let says = (words.sign_ins_are)(&lately, &in_all);
        let is_well = condition.unreadable_tokens == 0;
        let says = if is_well {
            says
        } else {
            format!(
                "{says} {}",
                (words.tokens_unreadable)(&number(condition.unreadable_tokens))
            )
        };
        part(words.sign_ins, is_well, says)
    }

    fn certificates_part(&self, visit: &Visit<'_>, condition: &Condition) -> Part {
        let words = &self.words.health;
        let minted = (self.words.outcome.number)(condition.certificates);
        let authority = (words.certificates_are)(&self.day_of(condition.signs_until), &minted);
        let (is_open, door) = match condition.door {
            DoorIs::Shut => (false, words.door_shut.to_owned()),
            DoorIs::Unopened => (true, words.door_shows_none.to_owned()),
            DoorIs::Showing(until) => (true, (words.door_until)(&self.day_of(until))),
        };
        let is_well = visit.at.plus(ENDS_SOON) < condition.signs_until && is_open;
        part(words.certificates, is_well, format!("{authority} {door}"))
    }

    fn notices_part(&self, condition: &Condition, exact: &impl Fn(Timestamp) -> String) -> Part {
        let (words, number) = (&self.words.health, self.words.outcome.number);
        let Some(notices) = &condition.notices else {
            return part(words.notices, true, words.no_notices.to_owned());
        };
        let mut says = (words.notices_are)(&number(notices.waiting));
        if notices.shut_out > 0 {
            says = format!("{says} {}", (words.hooks_shut_out)(&number(notices.shut_out)));
        }
        if !notices.digest_of_nobody.is_empty() {
            // they may be meant: whoever reads this knows
            let addresses = notices.digest_of_nobody.join(", ");
            says = format!("{says} {}", (words.digest_of_nobody)(&addresses));
        }
        let mut why = Vec::new();
        for one in &notices.unsent {
            let since = exact(one.since);
            says = format!("{says} {}", (words.nothing_gets_through)(one.hook.as_deref(), &since));
            why.push(one.why.clone());
        }
        Part {
            is_well: notices.shut_out == 0 && why.is_empty(),
            why,
            ..part(words.notices, true, says)
        }
    }
}

fn part(name: &'static str, is_well: bool, says: String) -> Part {
    Part {
        name,
        is_well,
        says,
        why: Vec::new(),
    }
}
